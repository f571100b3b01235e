"""Lux9's commands for GDB, each against machines in a known state."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import ROOT, Machine, Variant, parse_records
from grade.harness.build import environment
from grade.run import await_socket


def session(test: str, *commands: str, **variables: str) -> list[str]:
    """The output of each GDB command in a session of `make gdb T=test`.

    The last element is what the guest has recorded till then."""
    mark = "-- next --"
    words = [sys.executable, "-m", "grade.run", "gdb", *filter(None, [test]), "-batch"]
    for command in commands:
        words += ["-ex", f"echo {mark}\\n", "-ex", command]
    with tempfile.TemporaryDirectory(prefix="lux9-") as place:
        run = subprocess.run(
            words + ["-ex", "kill"],
            cwd=ROOT,
            env={**environment(), "GDB_PLACE": place, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=150,
        )
        parts = run.stdout.split(f"{mark}\n")[1:]
        assert len(parts) == len(commands), run.stdout
        records, _ = parse_records((Path(place) / "records").read_bytes())
    return parts + ["\n".join(record.text for record in records)]


LOOKS = ["ps", "bt all", "runq", "cpu", "locks", "frames", "log 5", "trace 200"]
WALKS = ["walk &landmark 1", "walk &landmark 2", "walk kernel_main", "walk 0x1000"]
SPACES = ["space 1", "space 2", "walk 0x8000000000000000"]


@functools.lru_cache(maxsize=None)
def family() -> dict[str, str]:
    """What each command says about the guest test family, in settled()."""
    goes = ["lux program family", "tbreak settled", "continue"]
    more = ["finish", "frame function test_family", "print pids", "print &landmark"]
    looks = [f"lux {look}" for look in LOOKS + WALKS + SPACES]
    said = session("family", *goes, *looks, *more)
    return dict(zip(goes + looks + more + ["records"], said))


def pids() -> dict[str, int]:
    """The processes of the family as the guest itself counts them."""
    found = re.findall(r"info (\w+) is process (\d+)", family()["records"])
    assert len(found) == 5, family()
    return {name: int(pid) for name, pid in found}


def row(command: str, start: str) -> str:
    """The line of a command's output that starts so."""
    text = family()[f"lux {command}"]
    lines = [line for line in text.splitlines() if re.match(rf"\s*{start}\b", line)]
    assert lines, text
    return lines[0]


@pytest.mark.parametrize(
    "name, state, waits",
    [
        ("semaphore", "sleeping", "semacquire"),
        ("rendezvous", "sleeping", "rendezvous"),
        ("sleep", "sleeping", "sleep"),
        ("spin", "ready", "-"),
        ("deadline", "ready", "-"),
    ],
)
def test_ps(name: str, state: str, waits: str) -> None:
    """lux ps tells each process's parent, state and what it waits for."""
    words = row("ps", str(pids()[name])).split()
    assert words[1:5] == ["1", state, "0", waits] and words[-1] == "family"


def test_ps_lists_all_and_who_runs() -> None:
    """lux ps lists the processes that there are, and where the running one is."""
    lines = family()["lux ps"].splitlines()
    assert len(lines) == 1 + 6
    assert row("ps", "1").split()[1:6] == ["-", "running", "0", "on", "CPU"]


def stack(pid: int) -> str:
    """What lux bt all says about one process."""
    text = re.split(r"^(?=\d+ )", family()["lux bt all"], flags=re.M)
    return next(part for part in text if part.startswith(f"{pid} "))


@pytest.mark.parametrize(
    "name, calls",
    [
        (
            "semaphore",
            "sched_switch proc_block sema_acquire sys_semacquire syscall_dispatch "
            "syscall_entry program semacquire wait_deeper do_semaphore start",
        ),
        ("rendezvous", "proc_block rendezvous sys_rendezvous program rendezvous"),
        ("sleep", "proc_block sys_sleep syscall_dispatch program sleep"),
        ("spin", "sched_yield sched_user_return trap_return program do_spin"),
    ],
)
def test_bt(name: str, calls: str) -> None:
    """lux bt shows a process's calls in the kernel, then in its program."""
    text = stack(pids()[name])
    pattern = r"\b.*\n(?:.*\n)*?.*\b".join(calls.split())
    assert re.search(pattern, text), text
    assert "kernel/sched/sched.c:" in text and "grade/guest/user/family.c:" in text


def test_bt_of_the_running_process() -> None:
    """lux bt shows what runs on a CPU, in user mode too."""
    text = stack(1)
    assert text.startswith("1 family: running, on CPU 0"), text
    assert re.search(r"#0 .*settled.*\n.*#1 .*test_family(.*\n)+.*_start", text), text
    assert "kernel" not in text.split("program")[0]


def test_runq() -> None:
    """lux runq shows the processes that wait for the CPU, EDF first, then by group."""
    text, pid = family()["lux runq"], pids()
    assert re.search(rf"edf: {pid['deadline']} family, deadline \d+, budget \d+", text)
    assert re.search(rf"weight 300.*\n +{pid['spin']} family", text), text
    assert text.startswith("CPU 0: 2 queued")


def test_cpu() -> None:
    """lux cpu shows what a CPU runs, and counters that have counted."""
    text = family()["lux cpu"]
    assert re.search(r"CPU 0: 1 family\n +at 0x4\w+ in the program", text), text
    counts = [int(word) for word in text.splitlines()[-1].split()]
    assert counts[0] == 0 and all(n > 5 for n in counts[1:]), text


def test_no_locks() -> None:
    """In user mode, lux locks finds no lock held and no process waiting."""
    assert family()["lux locks"] == (
        "CPU 0: no spinlock\nno process waits for a queue lock\n"
    )


def test_frames() -> None:
    """lux frames adds up: all frames are free, cached, used or the kernel's."""
    found = re.findall(r"^(\w+) +(\d+) +(\d+) KiB$", family()["lux frames"], re.M)
    frames = {name: int(n) for name, n, _ in found}
    assert list(frames) == ["total", "free", "cached", "used", "kernel"]
    assert frames.pop("total") == sum(frames.values()) and min(frames.values()) > 0


def test_log() -> None:
    """lux log ends with what the console shows last."""
    assert "memory: " in family()["lux log 5"]


def test_trace() -> None:
    """lux trace shows system calls by name, wakes and switches, in order."""
    lines = family()["lux trace 200"].splitlines()[1:]
    times = [int(line.split()[0]) for line in lines]
    assert times == sorted(times) and times[-1] == 0
    text = "\n".join(lines)
    pid = pids()
    assert re.search(rf"{pid['rendezvous']} family +syscall +rendezvous$", text, re.M)
    assert re.search(rf"fork +child {pid['spin']} family", text), text
    assert re.search(r"sysret +edf_next = 0", text)
    assert re.search(r"wake +1 family$", text, re.M), text


def landmark() -> int:
    """Where the guest says its variable is."""
    match = re.search(r"info landmark is at (0x\w+)", family()["records"])
    assert match is not None, family()["records"]
    return int(match[1], 16)


def test_walk_of_a_program() -> None:
    """lux walk decodes each level, and sees that a fork shares until written."""
    parent, child = family()["lux walk &landmark 1"], family()["lux walk &landmark 2"]
    assert f"{landmark():#x} by the tables" in parent
    for level, shift in (("PML4", 39), ("PDPT", 30), ("PD", 21), ("PT", 12)):
        index = landmark() >> shift & 511
        assert re.search(rf"{level}\[ *{index}\] = 0x\w+  present.* user", parent)
    assert "user and kernel may read" in parent and "no-execute" in parent
    physical = [re.search(r"physical (0x\w+)", text)[1] for text in (parent, child)]
    assert physical[0] != physical[1], "they wrote to their own pages"
    assert "page of 4 KiB" in child and re.search(r"frame 0x\w+: used, 1 ref", child)


def test_walk_of_the_kernel() -> None:
    """lux walk shows that kernel code may be executed, not written, by it alone."""
    text = family()["lux walk kernel_main"]
    assert "the kernel may read, execute" in text and "global" in text


def test_walk_to_nothing() -> None:
    """lux walk says at which level there is nothing, and what is not an address."""
    assert "not mapped: no entry in the" in family()["lux walk 0x1000"]
    assert "not canonical" in family()["lux walk 0x8000000000000000"]


def test_space() -> None:
    """lux space lists a program's regions with their protection."""
    text = family()["lux space 2"]
    assert re.search(r"0x400000 .* r-x +image", text), text
    assert re.search(r"0x7ffffffff000 +1024 +rw- +stack", text), text
    assert re.search(r"4 regions, \d+ pages in memory", text), text


def test_program() -> None:
    """lux program makes GDB know a program's functions and variables."""
    assert "Temporary breakpoint 2" in family()["tbreak settled"]
    assert "settled () at grade/guest/user/family.c" in family()["continue"]
    ours = list(pids().values())
    assert f"{{{', '.join(map(str, ours))}}}" in family()["print pids"]
    assert f"{landmark():#x} <landmark>" in family()["print &landmark"]


def test_errors() -> None:
    """Commands with wrong words, or too early, say what is wrong."""
    commands = {
        "lux ps": "processes have not started yet: `continue` first",
        "lux walk": "which address",
        "lux walk nonsense": 'No symbol "nonsense"',
        "lux program nonsense": "no program nonsense in",
    }
    for (command, says), text in zip(commands.items(), said_after(list(commands))):
        assert f"{says}" in text, (command, text)


def said_after(commands: list[str], **variables: str) -> list[str]:
    """What commands say, errors included, which would end a batch of GDB's."""
    return session("", *map(caught, commands), **variables)[:-1]


def caught(command: str) -> str:
    """A GDB command that runs another one and prints its error, if any."""
    body = f'try: gdb.execute(\\"{command}\\")\\nexcept gdb.error as e: print(e)'
    return f'python exec("{body}")'


def test_before_the_kernel() -> None:
    """In the first instruction of the firmware there is no kernel to look at."""
    kernel = Variant()
    kernel.make()
    script = ROOT / "tools/gdb/lux9.py"
    with tempfile.TemporaryDirectory(prefix="lux9-") as place:
        qemu = ["timeout", "-k", "2", "30", "qemu-system-x86_64", "-M", "q35", "-S"]
        qemu += ["-display", "none", "-gdb", f"unix:{place}/gdb,server=on,wait=off"]
        machine = subprocess.Popen(qemu + ["-kernel", str(kernel.kernel)])
        try:
            await_socket(Path(place) / "gdb", machine)
            words = ["gdb", "-nx", "-batch", str(kernel.kernel), "-x", str(script)]
            words += ["-ex", f"target remote {place}/gdb"]
            for command in ("cpu", "walk 0", "log", "ps"):
                words += ["-ex", caught(f"lux {command}")]
            run = subprocess.run(
                words, capture_output=True, encoding="utf-8", timeout=60
            )
        finally:
            machine.kill()
            machine.wait()
    assert (
        run.stdout.count("the kernel has not started yet: `continue` first") == 4
    ), run


def test_without_a_machine() -> None:
    """Without a machine the commands say that there is none."""
    kernel = Variant(stage=1)
    kernel.make()
    script = str(ROOT / "tools/gdb/lux9.py")
    words = ["gdb", "-nx", "-batch", str(kernel.kernel), "-x", script, "-ex", "lux cpu"]
    run = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=30)
    assert "no machine is attached" in run.stderr


@pytest.mark.parametrize("stage, says", [(1, "page frames"), (2, "processes")])
def test_earlier_stages(stage: int, says: str) -> None:
    """Kernels of fewer stages have fewer commands, and say which come later."""
    commands = ["lux frames", "lux ps", "lux cpu", "lux walk kernel_main", "lux log 3"]
    frames, ps, cpu, walk, log = said_after(commands, STAGE=str(stage))
    assert says in frames + ps and f"this is a kernel of stage {stage}" in frames + ps
    assert "at 0xffffffff80" in cpu and "kernel_main+0x0" in cpu
    assert "physical 0x10" in walk


@functools.lru_cache(maxsize=None)
def mounted() -> dict[str, str]:
    """What the commands about files say about the guest test look."""
    goes = ["lux program p9_look", "tbreak settled", "continue"]
    looks = ["chan 1", "ns 1", "9p", "chan 99", "ns"]
    said = session("p9_look.files", *goes, *[f"lux {look}" for look in looks])
    return dict(zip(goes + looks + ["records"], said))


def test_chan() -> None:
    """lux chan shows a process's open files, with modes, offsets and paths."""
    lines = mounted()["chan 1"].splitlines()
    assert lines[0].split() == "FD MODE DEV QID OFFSET REFS PATH".split(), lines
    words = [line.split() for line in lines[1:]]
    one = next(w for w in words if w[-1] == "/n/a")
    assert one[1:3] == ["r", "#M"] and one[5] == "4", lines
    assert any(w[-1] == "#c/null" and w[1] == "w" for w in words), lines
    assert [w[0] for w in words[-2:]] == ["root", "dot"], lines
    assert "there is no process 99" in mounted()["chan 99"]


def test_ns() -> None:
    """lux ns shows what is bound where, unions in their order."""
    lines = mounted()["ns 1"].splitlines()
    assert lines[0].split()[:3] == ["PLACE", "FILE", "IS"], lines
    at = next(i for i, line in enumerate(lines) if line.startswith("/tmp "))
    assert "  #c " in lines[at] and re.match(r" +#e +#e 0 ", lines[at + 1]), lines
    assert any(re.match(r"/n .*#\|/data +#M \d", line) for line in lines), lines
    assert "usage" in mounted()["ns"]


def test_9p() -> None:
    """lux 9p shows connections, and which process waits for which answer."""
    text = mounted()["9p"]
    assert re.search(r"^#M \d+ on #\|/data: msize 65560, \d+ fids, 4 tags", text), text
    waits = re.findall(r"^  tag +\d+  \d+ p9_look +Tread fid \d+ count 10$", text, re.M)
    assert len(waits) == 2, text
    assert re.search(r"read by \d+ p9_look$", text, re.M), text
    assert re.search(r"^  tag +\d+  - +Tread fid \d+ count 10$", text, re.M), text
    assert re.search(r"^  tag +\d+  - +Tflush fid - oldtag \d+$", text, re.M), text


def test_held_spinlocks() -> None:
    """lux locks shows the ranks a CPU holds, and the locks it knows by name."""
    goes = ["hbreak ktest_fn_qlock_is_fifo", "continue", "break fair_add", "continue"]
    said = session("qlock_is_fifo", *goes, "lux locks", "print cpus[0].proc")
    assert re.search(
        r"CPU 0: 1 held, ranks runq\n  run queue at 0x\w+\n", said[4]
    ), said


def test_queue_locks() -> None:
    """lux locks shows the holder of a queue lock and its waiters, in order."""
    goes = ["hbreak ktest_fn_qlock_is_fifo", "continue", "break qunlock", "continue"]
    said = session("qlock_is_fifo", *goes, "lux locks", "lux ps")
    waiting = re.search(
        r"queue lock test: held by 1 init\n((?:  .* waits\n)+)", said[4]
    )
    assert waiting is not None, said
    assert said[5].count("lock test") == waiting[1].count("waits") > 1


def test_other_cpus() -> None:
    """lux cpu shows every CPU, each in its own place."""
    goes = ["hbreak ktest_run", "continue"]
    said = session("spinlock_excludes-4cpu", *goes, "lux cpu", "info threads")[2]
    assert [f"CPU {n}: " in said for n in range(4)] == [True] * 4, said
    assert said.count("idle") >= 2


def test_help() -> None:
    """help lux lists every command with a line, and its short name works."""
    help_, short = session("", "lux help", "lcpu", STAGE="1")[:2]
    words = "9p at bt chan code cpu frames locks log mode ns program ps runq space"
    for word in [*words.split(), "trace", "type", "walk"]:
        assert re.search(rf"^lux {word}, l{word} -- .*: lux {word}", help_, re.M), word
    assert short.startswith("CPU 0:")


def test_type() -> None:
    """lux type reaches the program that reads the console."""
    goes = ["lux program sh", "tbreak cons_read", "continue", "lux type echo hello"]
    more = ["lux program echo", "tbreak main", "continue", "print argv[1]"]
    said = session("", *goes, *more, APPEND="args=sh")
    assert '"hello"' in said[7], said


def hints(text: str) -> list[str]:
    """The GDB commands that a report suggests, in its order."""
    assert "`make gdb`" in text, text
    commands = re.findall(r"`([^`]+)`", text.split("`make gdb`")[1])
    assert commands[-1] == "continue"
    return commands


@pytest.mark.parametrize(
    "typed, where", [("panic", "cmd_panic"), ("trap 6", "cmd_trap")]
)
def test_panic_hint(typed: str, where: str, start: Callable[..., Machine]) -> None:
    """What a panic suggests to type stops GDB when it happens again."""
    kernel = Variant(stage=1, ktest=False)
    kernel.make()
    machine = start(kernel=kernel.kernel, terminal=True)
    machine.expect("> ")
    machine.send(f"{typed}\n")
    machine.expect("panic: ")
    commands = hints(machine.expect(r"debug: .*\n")[0])
    prompt = ["tbreak monitor", "continue", f"lux type {typed}"]
    said = session("", *prompt, *commands, "backtrace", STAGE="1")
    assert "Breakpoint 3, " in said[-3] and where in said[-2], said


def test_fault_hint(start: Callable[..., Machine]) -> None:
    """What a program's fault suggests stops GDB just before the next one."""
    kernel = Variant(ktest=False)
    kernel.make()
    setup = {"kernel": kernel.kernel, "initrd": kernel.archive, "terminal": True}
    machine = start(**setup, cmdline="args=sh")
    machine.expect("% ")
    machine.send("crash null\n")
    commands = hints(machine.expect(r"look closer: (?s:.*?)again")[0])
    prompt = ["lux program sh", "tbreak cons_read", "continue", "lux type crash null"]
    said = session("", *prompt, *commands, "bt 2", "lux ps", APPEND="args=sh")
    assert re.search(r"Breakpoint 3, .*crash_null \(\) at user/cmd/crash\.c", said[-4])
    assert re.search(r"running +0 +on CPU 0 .*crash\n", said[-2]), said
