"""Stage 1 from outside: the ELF, the ways in, the console, the ways out."""

from __future__ import annotations

import re
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import ROOT, Machine, Setup, Variant, run
from grade.harness.symbols import symbols

Start = Callable[..., Machine]
PROMPT = "lux9> $"


@pytest.fixture(scope="session")
def kernel(build: Callable[..., Variant]) -> Path:
    """The ELF of the stage 1 kernel."""
    return build(Variant(stage=1, ktest=False)).kernel


@pytest.fixture(scope="session")
def test_kernel(build: Callable[..., Variant]) -> Path:
    """The ELF of the stage 1 kernel with its tests."""
    return build(Variant(stage=1)).kernel


def elf_segments(elf: Path) -> list[tuple[int, int, int, int]]:
    """Type, flags, file offset and size of each program header."""
    raw = elf.read_bytes()
    (at,) = struct.unpack_from("<Q", raw, 32)
    size, count = struct.unpack_from("<HH", raw, 54)
    heads = [struct.unpack_from("<IIQQQQ", raw, at + i * size) for i in range(count)]
    return [
        (kind, flags, offset, length) for kind, flags, offset, _, _, length in heads
    ]


def test_multiboot2_header(kernel: Path) -> None:
    """GRUB recognises the kernel as Multiboot2."""
    tool = shutil.which("grub-file") or shutil.which("grub2-file") or "grub-file"
    command = [tool, "--is-x86-multiboot2", str(kernel)]
    assert subprocess.run(command).returncode == 0


def test_pvh_note(kernel: Path) -> None:
    """The PVH note names a 32-bit physical entry."""
    raw = kernel.read_bytes()
    notes = [raw[o : o + n] for kind, _, o, n in elf_segments(kernel) if kind == 4]
    entries = [n for n in notes if struct.unpack_from("<III", n)[2] == 18]
    assert len(entries) == 1
    (entry,) = struct.unpack_from("<I", entries[0], 16)
    assert entry == symbols(kernel)["pvh_start"] & 0x7FFFFFFF


def test_no_segment_is_writable_and_executable(kernel: Path) -> None:
    """The ELF asks for no memory that is both writable and executable."""
    loads = [flags for kind, flags, _, _ in elf_segments(kernel) if kind == 1]
    assert loads
    assert all(flags & 3 != 3 for flags in loads)


@pytest.mark.slow
def test_build_is_reproducible(kernel: Path, tmp_path: Path) -> None:
    """The same sources in another folder make the same kernel."""
    place = tmp_path / "my course (2)" / "it's a&b"
    place.mkdir(parents=True)
    for name in ("Makefile", "kernel", "tools", "user", "grade"):
        if (ROOT / name).is_dir():
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / name, place / name, ignore=ignore)
        elif (ROOT / name).exists():
            shutil.copy2(ROOT / name, place / name)
    Variant(stage=1, ktest=False).make(root=place)
    made = place / kernel.relative_to(ROOT)
    assert made.read_bytes() == kernel.read_bytes()


def test_direct_start(kernel: Path, start: Start) -> None:
    """Started by `qemu -kernel`, the kernel says its name and prompts."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect("Lux9 stage 1, loaded by PVH")
    machine.expect(PROMPT)


def test_help(kernel: Path, start: Start) -> None:
    """The monitor's help lists its commands, each with its use."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    lines = machine.command_line("help", PROMPT).splitlines()
    assert len(lines) >= 4
    assert any(line.split()[:1] == ["help"] for line in lines)


def test_unknown_command(kernel: Path, start: Start) -> None:
    """An unknown command is named, and the prompt comes back."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    assert "frobnicate" in machine.command_line("frobnicate 1 2", PROMPT)


def test_monitor_refuses_a_long_line(kernel: Path, start: Start) -> None:
    """The start of a line that is too long is not a command; ^U begins again."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    machine.send("help" + " " * 200 + "frobnicate\n")
    shown = machine.expect(rf"(?s)help +\r?\n(.*)(?:{PROMPT})")[1]
    refusal = "monitor: the line is too long (limit 127 bytes); nothing was run"
    assert shown.splitlines()[0] == refusal and "this list" not in shown
    machine.send("x" * 200 + "\x15frobnicate\n")
    machine.expect("frobnicate: no such command")


def test_no_long_mode(kernel: Path) -> None:
    """A CPU without long mode is told so, on serial line and screen."""
    setup = Setup(kernel=kernel, cpu="max,-lm", screen=True, limit=4)
    with Machine(setup) as machine:
        machine.settle()
        screen = machine.screen_text()
        console = machine.result().console
    assert "long mode" in console
    assert "long mode" in screen[0]


def test_no_nx(kernel: Path) -> None:
    """A CPU without NX is told so."""
    console = run(Setup(kernel=kernel, cpu="max,-nx", limit=4)).console
    assert re.search(r"(?i)nx|no-execute", console)


@pytest.mark.parametrize(
    "feature",
    "fpu tsc msr pae apic cmov fxsr sse sse2 syscall".split(),
)
def test_missing_feature(kernel: Path, feature: str) -> None:
    """A CPU that lacks what kernel or programs need is told so, in one line."""
    setup = Setup(kernel=kernel, cpu=f"max,-{feature}", screen=True, limit=4)
    with Machine(setup) as machine:
        machine.settle()
        screen = machine.screen_text()
        console = machine.result().console
    (line,) = console.splitlines()
    assert line.startswith("Lux9 cannot start: this CPU has no ")
    assert f"({feature.upper()})" in line
    assert f"({feature.upper()})" in " ".join(screen[:2])


@pytest.mark.parametrize("size", [4400, 5005, 20_000])
def test_command_line_over_loader_data(kernel: Path, size: int) -> None:
    """An -append that is written over the loader's data is named as the fault."""
    console = run(Setup(kernel=kernel, cmdline="x" * size, limit=4)).console
    assert re.search(r"(?m)^Lux9 cannot start: .*-append of more than 4095", console)


@pytest.mark.parametrize("size", [4095, 4096])
def test_longest_command_line(kernel: Path, start: Start, size: int) -> None:
    """A command line is kept as a whole, or left out with a message."""
    line = ("word " * 1000)[: size - 4] + "last"
    machine = start(kernel=kernel, cmdline=line, terminal=True)
    machine.expect(PROMPT)
    shown = machine.gdb('printf "%d\\n", (int) $_strlen(bootinfo.cmdline)')
    left_out = "command line has more than 4095 bytes" in machine.console()
    assert left_out == (size > 4095)
    assert str(0 if left_out else size) in shown.split()


def test_wrong_magic(kernel: Path, start: Start) -> None:
    """A loader that is neither Multiboot2 nor PVH is refused by a message."""
    machine = start(kernel=kernel, hold=True, limit=4)
    stub = machine.stub()
    stub.run_to(symbols(kernel)["check_loader"] & 0x7FFFFFFF)
    stub.set_register("rdi", 0x1234)
    stub.close()
    result = machine.wait()
    assert result.end == "halted"
    assert "not loaded by" in result.console


def test_no_memory_map(kernel: Path, start: Start) -> None:
    """A loader that gives no memory map is refused by a message."""
    machine = start(kernel=kernel, hold=True, limit=4)
    stub = machine.stub()
    stub.run_to(symbols(kernel)["check_loader"] & 0x7FFFFFFF)
    memmap_entries = stub.registers()["rsi"] + 48  # struct hvm_start_info
    stub.write(memmap_entries, bytes(4))
    stub.close()
    assert re.search(r"map of usable memory|memory map", machine.wait().console)


@pytest.mark.parametrize("cpu", ["qemu64", "max", "Nehalem", "EPYC"])
def test_cpu_models(kernel: Path, start: Start, cpu: str) -> None:
    """The kernel starts on CPUs with few features and with many."""
    start(kernel=kernel, cpu=cpu, terminal=True).expect(PROMPT)


@pytest.mark.parametrize("mem", ["64M", "512M", "4G", "64G"])
def test_memory_sizes(kernel: Path, start: Start, mem: str) -> None:
    """The kernel starts with 64 MiB and with 64 GiB."""
    start(kernel=kernel, mem=mem, terminal=True).expect(PROMPT)


def test_command_line_and_module(kernel: Path, start: Start, tmp_path: Path) -> None:
    """Command line and boot module arrive as QEMU was given them."""
    module = tmp_path / "boot.tar"
    module.write_bytes(b"Lux9" * 4096)
    line = "one two=2 'three four'"
    machine = start(kernel=kernel, cmdline=line, initrd=module, terminal=True)
    machine.expect(PROMPT)
    shown = machine.gdb(
        "p bootinfo.cmdline",
        "p bootinfo.nmodule",
        "p bootinfo.modules[0].end - bootinfo.modules[0].start",
        "p/x *(char (*)[4])(bootinfo.modules[0].start + 0xffff800000000000)",
    )
    assert line in shown
    assert re.search(r"\$2 = 1\n\$3 = 16384\n\$4 = \{0x4c, 0x75, 0x78, 0x39\}", shown)


def test_unknown_test_name(test_kernel: Path) -> None:
    """ktest= with a name that does not exist is an error record, not silence."""
    result = run(Setup(kernel=test_kernel, cmdline="records ktest=nothing"))
    assert result.of("error") == ["no test named nothing in this kernel"]
    assert result.end == "exit" and result.status != 0


def test_no_records_unless_asked(test_kernel: Path) -> None:
    """Without `records` the debug port stays silent."""
    result = run(Setup(kernel=test_kernel, cmdline="ktest=nothing"))
    assert result.records == [] and result.stray == b""


def test_runs_repeat(test_kernel: Path) -> None:
    """Two runs of the same machine are the same to the instruction."""
    counts = []
    for _ in range(2):
        setup = Setup(kernel=test_kernel, hold=True, cmdline="records ktest=list")
        with Machine(setup) as machine:
            stub = machine.stub()
            stub.run_to(symbols(test_kernel)["test_exit"])
            counts.append(machine.qmp.hmp("info registers"))
    assert counts[0] == counts[1]


# ---- the ways out ----


def test_power_off(kernel: Path, start: Start) -> None:
    """`off` powers the machine off by ACPI."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    machine.send("off\n")
    assert machine.wait().end == "power off"


def test_reboot(kernel: Path, start: Start) -> None:
    """`reboot` resets the machine, and not by a triple fault."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    machine.send("reboot\n")
    assert machine.wait().end == "reset"


# ---- panic ----


def panicked(kernel: Path, start: Start, command: str) -> str:
    """The console after a monitor command that makes the kernel panic."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    machine.send(command + "\n")
    machine.expect("halted")
    return machine.console()


def test_panic_report(kernel: Path, start: Start) -> None:
    """A panic says where and why, and names what to type next."""
    text = panicked(kernel, start, "panic")
    assert re.search(r"panic: cpu 0: ", text)
    calls = re.findall(r"\b[a-z_0-9]+\+0x[0-9a-f]+", text)
    assert any(call.startswith("kernel_main+") for call in calls)
    assert "make gdb" in text


def test_trap_report(kernel: Path, start: Start) -> None:
    """A fault of the kernel shows registers, decoded flags and the error."""
    text = panicked(kernel, start, "trap 14")
    assert "page fault" in text
    for register in ("rax", "rip", "rsp", "rflags", "cr2", "cr3", "r15"):
        assert re.search(rf"\b{register}\b\s+[0-9a-f]{{16}}|\b{register}\b", text)
    assert re.search(r"(?i)not[- ]present", text)


# ---- screen and keyboard ----


def test_screen_shows_console(kernel: Path, start: Start) -> None:
    """The VGA text screen shows what the serial line shows."""
    machine = start(kernel=kernel, terminal=True, screen=True)
    machine.expect(PROMPT)
    machine.pause()
    screen = machine.screen_text()
    assert any("Lux9 stage 1" in line for line in screen)


def test_keyboard(kernel: Path, start: Start) -> None:
    """Keys of the PS/2 keyboard reach the prompt, shifted ones too."""
    machine = start(kernel=kernel, terminal=True, screen=True)
    machine.expect(PROMPT)
    machine.press("h", "shift-e", "l", "p", "ret")
    machine.expect("hElp")
    machine.expect(PROMPT)


def test_screen_scrolls(kernel: Path, start: Start) -> None:
    """After more lines than the screen has, the last ones show."""
    machine = start(kernel=kernel, terminal=True, screen=True)
    machine.expect(PROMPT)
    for number in range(30):
        machine.command_line(f"line{number}", PROMPT)
    machine.pause()
    screen = "\n".join(machine.screen_text())
    assert "line29" in screen and "line0 " not in screen
