"""pytest's side of the harness: order, names for T=, and failure reports."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest

from grade.harness import GuestFailure, HostFailure, Machine, Setup, Variant
from grade.harness.build import ALL, LAYERS, ROOT
from grade.harness.guest import Batch, GuestTest
from grade.harness.machine import shell_command

HANDOUT = ROOT / "labs" / "todo"  # only there


def pytest_configure(config: pytest.Config) -> None:
    """Know our own marks."""
    config.addinivalue_line("markers", "slow: takes seconds; started first")


def _id(item: pytest.Item) -> str:
    """The id of the guest test that pytest runs as this item; "" if it is none."""
    test = getattr(item, "callspec", None)
    guest = test.params.get("guest_test") if test else None
    return guest.id if isinstance(guest, GuestTest) else ""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Slow tests first (two workers end together); folders count as names.

    The whole id of a guest test, as reports print it, means that test alone.  In a
    handout, a name means the plain kernel: the other builds (T=debug, T='name and
    kasan') boot a file's tests together, also those of later steps.
    """
    chosen = config.getoption("keyword")
    if chosen:
        items[:] = [i for i in items if _id(i) == chosen] or items
    if chosen and HANDOUT.is_dir() and not any(b in chosen for b in ALL if b):
        items[:] = [i for i in items if "batch" not in getattr(i, "fixturenames", ())]
    for item in items:
        test = getattr(item, "callspec", None)
        guest = test.params.get("guest_test") if test else None
        batch = test.params.get("batch") if test else None
        if isinstance(batch, Batch):
            guest = batch.tests[0]
            for t in batch.tests:
                item.extra_keyword_matches.update([t.name, t.id])
        if isinstance(guest, GuestTest):
            item.extra_keyword_matches.add(guest.source.stem)
            item.extra_keyword_matches.add(f"stage{guest.stage}")
            folder = LAYERS[guest.stage - 1]
            item.extra_keyword_matches.update([folder, *filter(None, [guest.build])])
            if guest.program:
                item.extra_keyword_matches.add("user")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: Any) -> Iterator[None]:
    """Show a guest's story in place of Python's, and machines' consoles."""
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if not report.failed or call.excinfo is None:
        return
    if isinstance(call.excinfo.value, GuestFailure):
        report.longrepr = str(call.excinfo.value)
    elif isinstance(call.excinfo.value, HostFailure):
        report.longrepr = f"infrastructure error: {call.excinfo.value}"
    told = isinstance(call.excinfo.value, GuestFailure)  # a story with its machine
    report.ends = []
    for machine in Machine.log[-2:]:
        result = machine.result()
        report.ends.append(result.story())
        if not told:
            report.sections.append(("machine", result.report()))
            report.sections.append(("by hand", shell_command(machine.setup)))
    if not {"guest_test", "batch"} & set(getattr(item, "fixturenames", ())):
        report.sections.append(("again", f"make test T='{item.name}'"))


@pytest.fixture(autouse=True)
def _machines() -> Iterator[None]:
    """No machine outlives its test."""
    Machine.log.clear()
    yield
    for machine in Machine.log:
        machine.close()


@pytest.fixture(scope="session")
def build() -> Callable[..., Variant]:
    """A function that has make build a variant, once a session."""
    done: dict[tuple[Variant, tuple[str, ...]], str] = {}

    def make(variant: Variant, *targets: str) -> Variant:
        if variant.cc and shutil.which(variant.cc) is None:
            pytest.skip(f"{variant.cc} is not installed")
        wanted = (variant, targets)
        if wanted not in done:
            try:
                variant.make(*targets)
                done[wanted] = ""
            except RuntimeError as error:
                done[wanted] = f"{variant.name} does not build, see its first test"
                pytest.fail(str(error), pytrace=False)
        if done[wanted]:
            pytest.fail(done[wanted], pytrace=False)
        return variant

    return make


@pytest.fixture(scope="session")
def probe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The probe kernel of grade/guest/probe, built."""
    source = ROOT / "grade/guest/probe"
    folder = tmp_path_factory.mktemp("probe")
    linker = shutil.which("x86_64-elf-ld") or "ld"
    for command in (
        ["nasm", "-f", "elf32", "-o", folder / "probe.o", source / "probe.asm"],
        [linker, "-m", "elf_i386", "-T", source / "probe.ld"]
        + ["-o", folder / "probe.elf", folder / "probe.o"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    return folder / "probe.elf"


@pytest.fixture
def start() -> Callable[..., Machine]:
    """A function that starts a machine, which ends with the test."""

    def start_machine(**setup: Any) -> Machine:
        return Machine(Setup(**setup))

    return start_machine


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of property tests: SEED= on make's command line, else 1."""
    return int(os.environ.get("SEED") or 1)
