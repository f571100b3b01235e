"""Which machine a test from outside starts, and where it first looks at it.

As a pytest plugin this ends the first test as soon as that is known, and
leaves the answer in the file that LUX9_FIRST_MACHINE names.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from grade.harness.build import ROOT, environment
from grade.harness.machine import HostFailure, Machine, Setup
from grade.harness.stub import Stub

VARIABLE = "LUX9_FIRST_MACHINE"


@dataclass(frozen=True)
class First:
    """The first machine of a test."""

    test: str
    setup: Setup
    stop: int | None  # the address at which the test stops it, if it does


def first_machine(name: str) -> First:
    """The machine of the first test from outside that `-k name` selects."""
    with tempfile.TemporaryDirectory(prefix="lux9-") as folder:
        answer = Path(folder) / "first"
        words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", name]
        run = subprocess.run(
            [sys.executable, *words, "-p", "grade.harness.first_machine"],
            cwd=ROOT,
            env={**environment(), VARIABLE: str(answer)},
            capture_output=True,
            encoding="utf-8",
        )
        if answer.exists():
            return pickle.loads(answer.read_bytes())
    if run.returncode == 5:  # pytest: nothing selected
        raise LookupError(f"no test is called {name!r}")
    said = (run.stdout + run.stderr).strip()[-2000:]
    raise HostFailure(f"{name}: this test starts no machine\n{said}")


def _leave(test: str, setup: Setup, stop: int | None) -> None:
    """Write the answer, and end pytest."""
    path = Path(os.environ[VARIABLE])
    path.write_bytes(pickle.dumps(First(test, setup, stop)))
    pytest.exit("that is its machine", 0)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Wait for a machine from here on."""
    if VARIABLE not in os.environ:
        return
    start = Machine.__init__
    setups: list[Setup] = []

    def starting(self: Machine, setup: Setup) -> None:
        if not setup.hold:
            _leave(item.nodeid, setup, None)
        setups.append(setup)
        start(self, setup)

    def stopping(self: Stub, address: int) -> None:
        _leave(item.nodeid, setups[0], address)

    def going(self: Machine | Stub) -> None:
        _leave(item.nodeid, setups[0], None)

    Machine.__init__, Machine.settle = starting, going
    Stub.run_to, Stub.close = stopping, going
