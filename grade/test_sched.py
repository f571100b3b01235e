"""Stage 3 from outside: the prompt, programs, and what they cannot do."""

from __future__ import annotations

import io
import re
import tarfile
import time
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import Machine, Variant
from grade.harness.build import last_stage
from grade.harness.paging import mappings
from grade.harness.symbols import symbols

Start = Callable[..., Machine]
PROMPT = "lux9% $"
USER_TOP = 1 << 47

pytestmark = pytest.mark.skipif(last_stage() < 3, reason="no stage 3 in this tree")


@pytest.fixture(scope="module")
def variant(build: Callable[..., Variant]) -> Variant:
    """Stage 3 as users build it."""
    return build(Variant(stage=3, ktest=False))


@pytest.fixture
def shell(variant: Variant, start: Start) -> Callable[..., Machine]:
    """A function that starts a machine and waits for its prompt."""

    def start_shell(**setup: object) -> Machine:
        machine = start(
            kernel=variant.kernel, initrd=variant.archive, terminal=True, **setup
        )
        machine.expect(PROMPT)
        return machine

    return start_shell


def shell_held(variant: Variant, start: Start, cpus: int) -> Machine:
    """A machine that waits before its first instruction."""
    return start(
        kernel=variant.kernel,
        initrd=variant.archive,
        terminal=True,
        cpus=cpus,
        hold=True,
    )


@pytest.mark.parametrize("cpus", [1, 2, 8])
def test_prompt(shell: Callable[..., Machine], cpus: int) -> None:
    """The prompt comes, and programs run, on any number of CPUs."""
    machine = shell(cpus=cpus)
    assert "hello lux" in machine.command_line("echo hello lux", PROMPT)
    assert len(re.findall("(?m)^ *[0-9]+ ", machine.command_line("ps", PROMPT))) >= 3


def test_nmi_tells_where_each_cpu_was(shell: Callable[..., Machine]) -> None:
    """An NMI on a machine that hangs is one report, with the place of each CPU."""
    machine = shell(cpus=4)
    machine.qmp.hmp("nmi")
    machine.expect("halted")
    text = machine.console()
    assert text.count("non-maskable interrupt at ") == 1
    reported = re.findall(r"panic: cpu (\d):", text)
    others = re.findall(r"(?m)^cpu (\d) was at \w", text)
    assert sorted(reported + others) == ["0", "1", "2", "3"]


def test_late_cpus(variant: Variant, start: Start) -> None:
    """A CPU that starts late is left out, stops itself, and harms no other."""
    machine = shell_held(variant, start, cpus=4)
    names = symbols(variant.kernel)
    send, nowhere, entry = names["apic_send_startup"], 77, 0x8000
    stub = machine.stub()
    stub.run_to(send)  # CPU 1's: it does not come
    assert stub.registers()["rdi"] == 1
    stub.set_register("rdi", nowhere)
    stub.step_to(send)
    assert stub.registers()["rdi"] == 2
    stub.call(send, 1, entry)  # now CPU 1 comes too, while 2 is wanted
    stub.step_to(send)
    assert stub.registers()["rdi"] == 3
    stub.set_register("rdi", nowhere)
    stub.step_to(names["sched_start"])
    stub.call(send, 3, entry)  # CPU 3 comes when all others are up
    stub.close()
    machine.expect(PROMPT)
    given_up = re.findall(r"APIC id (\d) does not start", machine.console())
    assert given_up == ["1", "3"]
    assert "499" in machine.command_line("primes 500", PROMPT)
    machine.pause()
    assert "$1 = 2\n" in machine.gdb("p ncpu")
    cpus = machine.registers()
    for late in (1, 3):
        assert entry <= cpus[late]["RIP"] < entry + 4096, f"CPU {late} runs on"
    machine.resume()
    machine.qmp.hmp("nmi")
    machine.expect("halted")  # a panic does not wake them
    where = re.findall(r"(?m)cpu (\d)(?: was at \w|: )", machine.console())
    assert sorted(where) == ["0", "1"]


def test_slow_cpu_is_awaited(variant: Variant, start: Start) -> None:
    """A CPU that has come in is waited for, however long it needs then."""
    machine = shell_held(variant, start, cpus=2)
    names = symbols(variant.kernel)
    stub = machine.stub()
    stub.run_to(names["cpu_init_features"])  # CPU 0's
    stub.step_to(names["cpu_init_features"])  # CPU 1's
    loop = 0x8800  # in the trampoline's page: mov ecx, n; dec ecx; jnz; ret
    stub.write(loop, b"\xb9" + (50_000_000).to_bytes(4, "little"))
    stub.write(loop + 5, bytes.fromhex("ffc9 75fc c3"))
    stub.call(loop)  # 3 s at 32 ns an instruction
    stub.close()
    machine.expect(PROMPT)
    assert "does not start" not in machine.console()
    machine.pause()
    assert "$1 = 2\n" in machine.gdb("p ncpu")


def test_console_needs_no_reader(shell: Callable[..., Machine]) -> None:
    """All that a program prints is there, however late the host reads it."""
    machine = shell()
    machine.send("primes 4000\n")
    time.sleep(1)  # longer than the kernel waits for a serial line that is stuck
    machine.expect(r"3989\s+" + PROMPT)
    lines = machine.console().split("primes 4000", 1)[1]
    numbers = [int(word) for word in re.findall(r"\d+", lines.split("lux9%")[0])]
    odd = range(3, 4001, 2)
    wanted = [2] + [n for n in odd if all(n % k for k in range(3, 64, 2) if k < n)]
    assert numbers == wanted


@pytest.mark.parametrize(
    "setup",
    [{"mem": "64M"}, {"mem": "64G"}, {"cpu": "qemu64"}, {"cpu": "Nehalem", "cpus": 2}],
    ids=["64M", "64G", "qemu64", "Nehalem"],
)
def test_machines(shell: Callable[..., Machine], setup: dict[str, object]) -> None:
    """Programs run with little and much memory and on plain CPUs."""
    machine = shell(**setup)
    assert "6765" in machine.command_line("fib 20", PROMPT)


def test_truly_parallel(shell: Callable[..., Machine]) -> None:
    """Programs run on four CPUs that really are at once (no instruction count)."""
    machine = shell(cpus=4, shift=None)
    for _ in range(5):
        assert "6765" in machine.command_line("fib 20", PROMPT)


def test_unknown_program(shell: Callable[..., Machine]) -> None:
    """A program that does not exist is named, and the prompt comes back."""
    machine = shell()
    assert "frobnicate" in machine.command_line("frobnicate", PROMPT)


def test_crash_report(shell: Callable[..., Machine]) -> None:
    """A program's fault prints where it was, by name; the shell lives on."""
    machine = shell()
    text = machine.command_line("crash null", PROMPT)
    assert re.search(r"fault read addr=0 .*\n(?s:.*) crash_null\+0x", text), text
    assert "hello" in machine.command_line("echo hello", PROMPT)


def test_interrupt(shell: Callable[..., Machine]) -> None:
    """Ctrl-C ends the program in the foreground, not the shell."""
    machine = shell()
    machine.send("sleep 1000\n")
    machine.expect("sleep 1000")
    machine.send("\x03")
    machine.expect(PROMPT)
    assert "hello" in machine.command_line("echo hello", PROMPT)


def test_background_and_kill(shell: Callable[..., Machine]) -> None:
    """A program in the background leaves the prompt free; kill ends it."""
    machine = shell()
    machine.command_line("sleep 1000 &", PROMPT)
    row = re.search(r"(?m)^ *(\d+) .* sleep *$", machine.command_line("ps", PROMPT))
    assert row is not None
    machine.command_line(f"kill {row[1]}", PROMPT)
    machine.command_line("echo", PROMPT)
    assert not re.search(r"(?m) sleep *$", machine.command_line("ps", PROMPT))


@pytest.mark.slow
def test_fork_bomb(shell: Callable[..., Machine]) -> None:
    """A fork bomb ends, and all its memory comes back.  What stays lies on a page
    of the heap more or less, so a count must come again: with a leak none does."""
    machine = shell(limit=60)
    counts: list[list[str]] = []
    while not counts or counts[-1] not in counts[:-1]:
        assert len(counts) < 6, counts
        machine.command_line("forkbomb", PROMPT, limit=120)
        machine.command_line("free", PROMPT)
        counts.append(frames_in_use(machine))


def frames_in_use(machine: Machine) -> list[str]:
    """What `free` says, number by number."""
    return re.findall(r"\d+", machine.command_line("free", PROMPT))


def test_user_pages(shell: Callable[..., Machine]) -> None:
    """A running program's own pages are never writable and executable, and no
    page of the kernel is the user's."""
    machine = shell()
    machine.send("spin &\n")
    machine.expect(PROMPT)
    for _ in range(200):
        machine.pause()
        regs = machine.registers()[0]
        if regs["RIP"] < USER_TOP:
            break
        machine.resume()
    assert regs["RIP"] < USER_TOP, "spin never seen running"
    table = list(mappings(machine, regs["CR3"]))
    own = [m for m in table if m.virtual < USER_TOP]
    assert own and all(m.user for m in own)
    assert not any(m.write and m.execute for m in own)
    assert any(m.execute and m.virtual <= regs["RIP"] < m.end for m in own)
    kernels = [m for m in table if m.virtual >= USER_TOP]
    assert kernels and not any(m.user for m in kernels)
    assert not any(m.write and m.execute for m in kernels)


@pytest.mark.parametrize("word, end", [("shutdown", "power off"), ("reboot", "reset")])
def test_ways_out(shell: Callable[..., Machine], word: str, end: str) -> None:
    """shutdown powers the machine off, reboot resets it."""
    machine = shell(cpus=2)
    machine.send(word + "\n")
    assert machine.wait().end == end


def test_missing_archive(variant: Variant, start: Start) -> None:
    """Without a boot archive the kernel says what is missing."""
    result = start(kernel=variant.kernel).wait()
    assert re.search("(?i)archive|module|bin/init", result.console)
    assert "panic" not in result.console


@pytest.mark.parametrize(
    "content", [b"", b"x" * 5000, b"\xff" * 512 + bytes(1024)], ids=["empty", "x", "ff"]
)
def test_broken_archive(
    variant: Variant, start: Start, tmp_path: Path, content: bytes
) -> None:
    """A boot archive that is none gives a message, never a panic."""
    module = tmp_path / "boot.tar"
    module.write_bytes(content)
    result = start(kernel=variant.kernel, initrd=module).wait()
    assert re.search("(?i)archive|bin/init", result.console)
    assert "panic" not in result.console


@pytest.mark.parametrize(
    "words", ["init=bin/nothing", "init=etc/motd", "init=bin/fib args=20,,,", "init="]
)
def test_strange_init(variant: Variant, start: Start, words: str) -> None:
    """A first program that is missing, none, or ends: a message, no panic."""
    result = start(
        kernel=variant.kernel, initrd=variant.archive, cmdline=words, limit=6
    ).wait()
    assert "panic" not in result.console
    assert result.end in ("power off", "limit")


def boot_with_files(
    variant: Variant, start: Callable[..., Machine], place: Path, more: int
) -> Machine:
    """A machine whose boot archive has so many files more, f0 the first of them."""
    grown = place / "boot.tar"
    grown.write_bytes(variant.archive.read_bytes())
    with tarfile.open(grown, "a", format=tarfile.USTAR_FORMAT) as tar:
        for n in range(more):
            info = tarfile.TarInfo(f"etc/f{n}")
            info.size = 6
            tar.addfile(info, io.BytesIO(b"a file"))
    machine = start(kernel=variant.kernel, initrd=grown, terminal=True)
    machine.expect(PROMPT)
    return machine


def test_archive_of_many_files(
    variant: Variant, start: Callable[..., Machine], tmp_path: Path
) -> None:
    """A boot archive may have some thousands of files, and all are there; of one
    with too many the message says that, and the first are there."""
    machine = boot_with_files(variant, start, tmp_path, 1000)
    assert "archive:" not in machine.console()
    machine = boot_with_files(variant, start, tmp_path, 5000)
    assert re.search(
        r"archive: more than 4096 files in block \d+; the rest is ignored",
        machine.console(),
    ), machine.console()
