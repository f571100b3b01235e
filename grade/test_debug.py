"""make gdb and make replay: the machine under GDB, forwards and backwards."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import ROOT, Variant
from grade.harness.build import environment
from grade.harness.guest import find, home_tests


@pytest.fixture
def make_gdb(tmp_path: Path) -> Callable[..., str]:
    """A function: GDB's output for `make WORDS` with these GDB commands."""

    def call(words: list[str], *commands: str) -> str:
        # QEMU may be gone before GDB has its answer to the last command.
        last = ("echo -- the end --", "kill")
        flags = " ".join(f"-ex '{command}'" for command in (*commands, *last))
        # Sockets have short names: tmp_path may be too long for one.
        place = Path("/tmp") / f"lux9-gdb-{os.getpid()}"
        run = subprocess.run(
            ["make", "-s", *words, f"GDBFLAGS=-batch {flags}"],
            cwd=ROOT,
            env={**environment(), "GDB_PLACE": str(place)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
        )
        return run.stdout.split("-- the end --")[0]

    return call


@pytest.mark.slow
def test_gdb(make_gdb: Callable[..., str]) -> None:
    """make gdb stops in kernel_main, with symbols and lines."""
    text = make_gdb(["gdb", "STAGE=1"], "backtrace", "info line")
    assert re.search(r"#0 .*kernel_main \(.*kernel/main\.c", text), text


@pytest.mark.slow
def test_gdb_on_a_test(make_gdb: Callable[..., str]) -> None:
    """make gdb T=name runs that very test."""
    name = "print_decimal"
    text = make_gdb(
        ["gdb", f"T={name}"], f"hbreak ktest_fn_{name}", "continue", "print seed"
    )
    assert re.search(rf"Breakpoint 2, ktest_fn_{name}", text), text
    assert "$1 = 1" in text


@pytest.mark.slow
def test_replay_goes_backwards(make_gdb: Callable[..., str]) -> None:
    """make replay T=name records a test, and GDB can step back through it."""
    text = make_gdb(
        ["replay", "T=print_decimal"],
        "hbreak test_exit",
        "continue",
        "reverse-stepi",
        "info symbol $rip",
        "hbreak ktest_fn_print_decimal",
        "reverse-continue",
    )
    assert "ktest_run" in text, text
    assert re.search("Breakpoint 2, ktest_fn_print_decimal", text), text


@pytest.mark.slow
def test_replay_of_several_cpus(make_gdb: Callable[..., str]) -> None:
    """With several CPUs, make replay repeats the same schedule forwards."""
    several = [t for t in home_tests() if t.cpus > 1 and not t.program and not t.panic]
    test = several[0]
    texts = [
        make_gdb(
            ["replay", f"T={test.id}"],
            "hbreak test_exit",
            "continue",
            "info registers rip rsp rax rbx",
            "info threads",
        )
        for _ in range(2)
    ]
    assert "forward only" in texts[0] and "test_exit" in texts[0], texts[0]
    assert texts[0] == texts[1]


def test_unknown_name(make_gdb: Callable[..., str]) -> None:
    """A name that no test has is said to be unknown."""
    assert "no test is called 'zzz'" in make_gdb(["gdb", "T=zzz"])


def test_find_by_name_and_id() -> None:
    """A test is found by its id, and by its bare name on its first machine."""
    test = home_tests()[0]
    assert find(test.id) == test
    assert find(test.name).name == test.name


def test_build_is_named(build: Callable[..., Variant]) -> None:
    """The builds that the tests use lie where the Makefile puts them."""
    assert build(Variant(stage=1, ktest=False)).kernel.exists()
