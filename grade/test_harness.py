"""The harness itself: it notices everything a kernel can do wrong."""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Callable

import pytest

from grade.harness import (
    ROOT,
    GuestFailure,
    HostFailure,
    Machine,
    Setup,
    parse_records,
    run,
)
from grade.harness import guest
from grade.harness.guest import GuestTest
from grade.harness.symbols import symbols

PROBE = GuestTest(name="one", program="", source=Path(__file__), stage=1, doc="")


def probe_run(probe: Path, letter: str, **more: object) -> str:
    """Run the probe kernel; what the harness finds wrong, as for a test."""
    result = run(Setup(kernel=probe, cmdline=letter, limit=4, **more))
    return PROBE.judge(result)


def test_pass(probe: Path) -> None:
    """A kernel that records a pass and ends with status 0 passes."""
    assert probe_run(probe, "p") == ""


def test_other_status(probe: Path) -> None:
    """A kernel that ends with another status fails."""
    assert "status 7" in probe_run(probe, "x")


def test_triple_fault(probe: Path) -> None:
    """A triple fault is a failure, told from a reset."""
    assert "triple fault" in probe_run(probe, "t")


def test_reset(probe: Path) -> None:
    """A kernel that resets the machine fails."""
    assert "was reset" in probe_run(probe, "r")


def test_hang(probe: Path) -> None:
    """A kernel that spins for ever meets its limit of guest time."""
    assert "over its limit of 4 s of guest time" in probe_run(probe, "s")


@pytest.mark.parametrize("letter", ["o", "d"])
def test_endless_output(probe: Path, letter: str) -> None:
    """Output without end, on the console or the debug port, is cut off."""
    assert "endless output" in probe_run(probe, letter, host_limit=60)


def test_forged_record(probe: Path) -> None:
    """A frame on the console, or inside another record, is not a record."""
    assert "expected the record 'one pass'" in probe_run(probe, "f")


def test_host_failure(probe: Path) -> None:
    """A host that is too slow gives no verdict about the kernel."""
    setup = Setup(kernel=probe, cmdline="s", limit=3000, host_limit=1.0)
    with pytest.raises(HostFailure):
        run(setup)


def test_bad_machine(probe: Path) -> None:
    """A machine that QEMU refuses is an error of the host, with its words."""
    with pytest.raises(HostFailure, match="no-such-cpu"):
        run(Setup(kernel=probe, cpu="no-such-cpu"))


def test_limit_is_guest_time(probe: Path) -> None:
    """Two spinning runs end at the same instruction count."""
    seen = []
    for _ in range(2):
        with Machine(Setup(kernel=probe, cmdline="h", limit=4)) as machine:
            machine.settle()
            seen.append(machine.registers()[0])
    assert seen[0] == seen[1]


@pytest.mark.parametrize("shift", [5, None])
def test_halted_for_good(probe: Path, shift: int | None) -> None:
    """A machine whose CPUs have all halted is at its end, long before its limit."""
    assert "halted for good" in probe_run(probe, "h", shift=shift)
    setup = Setup(kernel=probe, cmdline="h", cpus=2, shift=shift, limit=3000)
    result = run(replace(setup, host_limit=100, terminal=True))
    assert result.end == "halted"
    assert "CPU 0: not in 64-bit mode" in result.report()


def test_limit_on_a_busy_host(probe: Path) -> None:
    """CPUs that run at once get their time, however busy the host is."""
    loop = [sys.executable, "-c", "while True: pass"]
    busy = [subprocess.Popen(loop) for _ in range(2 * (os.cpu_count() or 1))]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        result = run(Setup(kernel=probe, cmdline="s", cpus=2, shift=None, limit=2))
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    finally:
        for process in busy:
            process.kill()
            process.wait()
    assert result.end == "limit"
    assert after.ru_utime - before.ru_utime > 1.6


def test_no_name_means_all_tests() -> None:
    """Without a name every guest test runs, in its home build and in the others."""
    words = [sys.executable, "-m", "pytest", "--collect-only", "-q", "grade"]
    run = subprocess.run(
        words, cwd=ROOT, capture_output=True, text=True, encoding="utf-8"
    )
    found = set(re.findall(r"test_guest\.py::test_guest\[(.+)\]", run.stdout))
    assert found >= {test.id for test in guest.home_tests()}


def test_no_limit_of_guest_time(probe: Path, start: Callable[..., Machine]) -> None:
    """Such a machine goes on while no test waits for it, to the host's limit."""
    machine = start(kernel=probe, cmdline="h", limit=None, host_limit=2)
    time.sleep(1)
    assert "running" in machine.qmp.hmp("info status")
    machine.process.wait(15)
    with pytest.raises(HostFailure):
        machine.wait()


def test_terminal(probe: Path, start: Callable[..., Machine]) -> None:
    """What is typed reaches the guest, and expect() sees its answer."""
    machine = start(kernel=probe, cmdline="e", terminal=True)
    machine.expect(">")
    machine.send("echo\n")
    assert machine.expect("(e.*o)\n")[1] == "echo"
    assert machine.wait().status == 0


def test_expect_fails(probe: Path, start: Callable[..., Machine]) -> None:
    """expect() gives up at the end of a run and says what there was."""
    machine = start(kernel=probe, cmdline="p", terminal=True)
    with pytest.raises(GuestFailure, match="expected 'never'"):
        machine.expect("never")


def test_read_memory(probe: Path, start: Callable[..., Machine]) -> None:
    """Physical memory of a paused machine can be read from outside."""
    machine = start(kernel=probe, cmdline="e", terminal=True)
    machine.expect(">")
    machine.pause()
    good = symbols(probe)["good"]
    assert machine.read_physical(good, 5) == b"\x1eLUX9"
    assert machine.read_symbol("good", 5) == b"\x1eLUX9"


@pytest.mark.parametrize(
    "raw, texts, stray",
    [
        (b"", [], b""),
        (b"\x1eLUX9 test 3\nabc\n", ["abc"], b""),
        (b"\x1eLUX9 test 0\n\n\x1eLUX9 a 1\nb\n", ["", "b"], b""),
        (b"x\x1eLUX9 test 1\na\n", ["a"], b"x"),
        (b"\x1eLUX9 test 9\na\n", [], b"\x1eLUX9 test 9\na\n"),
        (b"\x1eLUX9 test 1\nab", [], b"\x1eLUX9 test 1\nab"),
        (b"\x1eLUX9 T 1\na\n", [], b"\x1eLUX9 T 1\na\n"),
    ],
)
def test_parse_records(raw: bytes, texts: list[str], stray: bytes) -> None:
    """Frames are records; anything else is stray bytes."""
    records, left = parse_records(raw)
    assert [record.text for record in records] == texts
    assert left == stray


def test_records_need_the_key() -> None:
    """With a key, frames without it or with another are stray; errors count."""
    good, bare = b"\x1eLUX9 test 1 0a1b\na\n", b"\x1eLUX9 test 1\nb\n"
    wrong, error = b"\x1eLUX9 test 1 0a1c\nc\n", b"\x1eLUX9 error 1\nd\n"
    records, stray = parse_records(good + bare + wrong + error, "0a1b")
    assert [record.text for record in records] == ["a", "d"]
    assert stray == bare + wrong


def test_keys_of_a_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The comment above a test chooses its machines; the file's head adds."""
    monkeypatch.delenv("SEED", raising=False)

    source = tmp_path / "test_mmu_x.c"
    source.write_text(
        "/*\n * test_mmu_x.c - tests.\n * mem: 64M\n */\n"
        '#include "mmu/mmu.h"\n\nKTEST(plain)\n{\n}\n\n'
        "/*\n * Spins.\n * cpus: 1 2\n * seeds: 2\n */\nKTEST(many)\n{\n}\n\n"
        "/* panic: no frames left */\nKTEST(dies)\n{\n}\n",
        encoding="utf-8",
    )
    tests = guest.tests_in(source)
    assert [t.id for t in tests] == [
        "plain-1cpu-64M",
        "many-1cpu-64M",
        "many-1cpu-seed2-64M",
        "many-2cpu-64M",
        "many-2cpu-seed2-64M",
        "dies-1cpu-64M",
    ]
    assert tests[1].doc == "Spins." and tests[-1].panic == "no frames left"
    assert {t.stage for t in tests} == {2}


def test_nothing_is_awaited_after_a_missing_step(monkeypatch) -> None:
    """What waits on a console fails at once when a lab's step is named instead."""
    machine = Machine.__new__(Machine)
    machine.setup, machine.end = Setup(limit=None), None
    said = "step 4.2 is not written yet: kernel/9p/a.c:take, see labs/04-9p"
    monkeypatch.setattr(machine, "_pump", lambda: pytest.fail("it waits"))
    monkeypatch.setattr(machine, "result", lambda: SimpleNamespace(report=lambda: said))
    shown = f"lux9% ls\r\n{said}\r\n".encode()
    monkeypatch.setattr(machine, "_console", lambda: shown)
    machine._seen = 0
    with pytest.raises(GuestFailure, match="step 4.2 is not written yet"):
        machine.expect("never")
    assert machine.expect("ls")[0] == "ls"
