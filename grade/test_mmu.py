"""Stage 2 from outside: the page tables and frame counters of a machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import Machine, Setup, Variant, run
from grade.harness.build import last_stage
from grade.harness.paging import Mapping, mappings
from grade.harness.symbols import symbols

Start = Callable[..., Machine]
PROMPT = "lux9> $"
DIRECT, IMAGE = 0xFFFF_8000_0000_0000, 0xFFFF_FFFF_8000_0000
DIRECT_END = 0xFFFF_C000_0000_0000
PAGE = 4096


@pytest.fixture(scope="module")
def kernel(build: Callable[..., Variant]) -> Path:
    """The ELF of the stage 2 kernel."""
    return build(Variant(stage=2, ktest=False)).kernel


@pytest.fixture(scope="module")
def machine(kernel: Path) -> Iterator[Machine]:
    """A stage 2 machine, stopped at its prompt."""
    setup = Setup(kernel=kernel, mem="256M", terminal=True, host_limit=300)
    with Machine(setup) as running:
        running.expect(PROMPT)
        running.pause()
        yield running


@pytest.fixture(scope="module")
def table(machine: Machine) -> list[Mapping]:
    """Every mapping of the kernel, read from physical memory."""
    return list(mappings(machine, machine.registers()[0]["CR3"]))


def over(table: list[Mapping], start: int, end: int) -> list[Mapping]:
    """The mappings that touch [start, end)."""
    return [m for m in table if m.virtual < end and m.end > start]


def test_no_page_is_writable_and_executable(table: list[Mapping]) -> None:
    """W^X holds for every mapping."""
    assert [hex(m.virtual) for m in table if m.write and m.execute] == []


def test_no_page_is_the_users(table: list[Mapping]) -> None:
    """Before there are programs, no page may be used from user mode."""
    assert [hex(m.virtual) for m in table if m.user] == []


def test_lower_half_is_empty(table: list[Mapping]) -> None:
    """The boot loader's identity map is gone: a NULL pointer faults."""
    assert [hex(m.virtual) for m in table if m.virtual < 1 << 47] == []


def test_only_text_is_executable(kernel: Path, table: list[Mapping]) -> None:
    """What may be executed is the kernel's text, to the page."""
    names = symbols(kernel)
    start, end = names["kernel_start"], names["text_end"]
    able = [m for m in table if m.execute]
    assert able
    assert all(start // PAGE * PAGE <= m.virtual for m in able)
    assert all(m.end <= -(-end // PAGE) * PAGE for m in able)
    here = names["kernel_main"]
    assert any(m.virtual <= here < m.end for m in able)


def test_constants_are_read_only(kernel: Path, table: list[Mapping]) -> None:
    """Text and constants cannot be written where the kernel is linked."""
    names = symbols(kernel)
    pages = over(table, names["kernel_start"], names["rodata_end"])
    assert pages and not any(m.write for m in pages)


def test_image_is_mapped_where_it_was_loaded(
    kernel: Path, table: list[Mapping]
) -> None:
    """The image's virtual and physical addresses differ by KERNEL_BASE."""
    names = symbols(kernel)
    pages = over(table, names["kernel_start"], names["kernel_end"])
    assert all(m.virtual - m.physical == IMAGE for m in pages)


def test_direct_map(table: list[Mapping]) -> None:
    """All RAM is at DIRECT_BASE, not executable, in large pages."""
    pages = over(table, DIRECT, DIRECT_END)
    assert all(m.virtual - m.physical == DIRECT for m in pages)
    assert not any(m.execute for m in pages)
    covered = sum(m.size for m in pages)
    assert covered >= 254 << 20
    large = sum(m.size for m in pages if m.size > PAGE)
    assert large > covered * 9 // 10


def test_kernel_pages_are_global(table: list[Mapping]) -> None:
    """Kernel mappings survive a CR3 load in the TLB."""
    assert [hex(m.virtual) for m in table if not m.shared] == []


def test_protections_are_on(machine: Machine) -> None:
    """Write protection, NX, SMEP, SMAP, UMIP and global pages are on."""
    regs = machine.registers()[0]
    assert regs["CR0"] >> 16 & 1, "CR0.WP"
    for bit, name in ((7, "PGE"), (11, "UMIP"), (20, "SMEP"), (21, "SMAP")):
        assert regs["CR4"] >> bit & 1, f"CR4.{name}"
    assert regs["EFER"] >> 11 & 1, "EFER.NXE"


def usable_frames(machine: Machine) -> int:
    """Whole usable frames of the loader's memory map, by a model of our own."""
    text = machine.gdb(
        "set print repeats unlimited", "set print elements unlimited",
        "p bootinfo.nmem", "p/d bootinfo.mem",
    )  # fmt: skip
    found = re.search(r"\$1 = (\d+)", text)
    assert found is not None
    rows = re.findall(r"start = (\d+), end = (\d+), kind = (\d+)", text)
    ranges = [tuple(map(int, row)) for row in rows[: int(found[1])]]
    frames: set[int] = set()
    for start, end, kind in ranges:
        if kind == 1:
            frames.update(range(-(-start // PAGE), end // PAGE))
    for start, end, kind in ranges:
        if kind != 1:
            frames.difference_update(range(start // PAGE, -(-end // PAGE)))
    return len(frames - set(range(256)))  # the first MiB is kept out


@pytest.mark.parametrize("mem", ["64M", "128M", "3G", "5G"])
def test_frames_add_up(kernel: Path, start: Start, mem: str) -> None:
    """The kernel counts the frames that the memory map holds, each once."""
    machine = start(kernel=kernel, mem=mem, terminal=True)
    machine.expect(PROMPT)
    line = re.search(
        r"frames: (\d+) total, (\d+) free, (\d+) cached, (\d+) used, (\d+) the kernel's",
        machine.console(),
    )
    assert line is not None
    total, *parts = map(int, line.groups())
    assert sum(parts) == total
    assert total == usable_frames(machine)


@pytest.mark.parametrize("mem", ["64M", "1G", "16G", "64G"])
def test_memory_sizes(kernel: Path, start: Start, mem: str) -> None:
    """Stage 2 starts with little memory and with much, above 4 GiB too."""
    start(kernel=kernel, mem=mem, terminal=True).expect(PROMPT)


def boot_cost(variant: Variant, mem: str) -> int:
    """Guest instructions from the kernel's first to its first test."""
    archive = variant.archive if variant.stage >= 3 else None
    line = "records ktest=boot_cost"
    result = run(
        Setup(kernel=variant.kernel, cmdline=line, initrd=archive, mem=mem, shift=0)
    )
    assert result.status == 0, result.report()
    return int(result.of("boot")[0])


@pytest.mark.parametrize("stage", range(2, last_stage() + 1))
def test_boot_cost_by_memory(build: Callable[..., Variant], stage: int) -> None:
    """Boot grows by less than a million instructions for each GiB."""
    variant = build(Variant(stage=stage))
    small, large = boot_cost(variant, "1G"), boot_cost(variant, "33G")
    assert (large - small) / 32 < 1_000_000


@pytest.mark.parametrize("cpu", ["qemu64", "max", "Nehalem"])
def test_cpu_models(kernel: Path, start: Start, cpu: str) -> None:
    """Stage 2 starts on CPUs without SMEP, SMAP or 1 GiB pages."""
    start(kernel=kernel, cpu=cpu, terminal=True).expect(PROMPT)


def test_null_pointer_faults(kernel: Path, start: Start) -> None:
    """A NULL pointer in the kernel is a report, not a silent read."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    machine.send("peek 0\n")
    machine.expect("page fault|not mapped|cannot")
