"""Stage 2 from outside: the page tables and frame counters of a machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import ROOT, Machine, Setup, Variant, run
from grade.harness.stub import Stub
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


# ---- a test kernel, stopped and looked at ----

MEM_USABLE = 1


def stopped_at(start: Start, test: str, place: str, mem: str) -> tuple[Machine, Stub]:
    """A stage 2 machine that runs a test and is about to execute `place`."""
    variant = Variant(stage=2)
    line = f"records seed=1 ktest={test}"
    machine = start(kernel=variant.kernel, cmdline=line, mem=mem, hold=True)
    stub = machine.stub()
    at = symbols(variant.kernel)[place]
    try:
        stub.run_to(at)
        came = stub.registers()["rip"] == at
    except ConnectionError:  # it has ended itself
        came = False
    if not came:
        pytest.fail(f"the kernel never came to {place}:\n{machine.console()[-2000:]}")
    return machine, stub


def word(stub: Stub, address: int, size: int = 8) -> int:
    """A number in the stopped machine's memory."""
    return int.from_bytes(stub.read(address, size), "little")


def model_frames(stub: Stub, bootinfo: int) -> set[int]:
    """Whole usable frames above 1 MiB, one by one from the loader's ranges."""
    header = (ROOT / "kernel/boot/boot.h").read_text(encoding="utf-8")
    cmdline = re.search(r"MAX_CMDLINE = (\d+)", header)
    assert cmdline is not None
    mem = bootinfo + 8 + int(cmdline[1])  # struct bootinfo: loader, cmdline, mem, nmem
    ranges = [
        tuple(
            word(stub, mem + 24 * i + at, size)
            for at, size in ((0, 8), (8, 8), (16, 4))
        )
        for i in range(word(stub, mem + 128 * 24, 4))
    ]
    frames: set[int] = set()
    for first, end, kind in ranges:
        if kind == MEM_USABLE:
            frames.update(range(-(-first // PAGE), end // PAGE))
    for first, end, kind in ranges:
        if kind != MEM_USABLE and end - first < 1 << 32:
            frames.difference_update(range(first // PAGE, -(-end // PAGE)))
    return frames - set(range(256))


def test_frames_seen_from_outside(build: Callable[..., Variant], start: Start) -> None:
    """The kernel's free frames are those of the memory map less what it took."""
    names = symbols(build(Variant(stage=2)).kernel)
    _, stub = stopped_at(start, "pt_canonical", "ktest_run", "192M")
    frames = model_frames(stub, names["bootinfo"])
    total = word(stub, names["frames_total"])
    assert total == len(frames), "frames_total is not the number of usable frames"
    at = names["free_spans"]
    spans = [
        (word(stub, at + 8 + 16 * i), word(stub, at + 16 + 16 * i))
        for i in range(word(stub, at, 4))
    ]
    shown = " ".join(f"{first:#x}-{end:#x}" for first, end in spans)
    ends = [number for span in spans for number in span]
    assert spans and ends == sorted(set(ends)), f"not sorted, or touching: {shown}"
    for first, end in spans:
        assert frames.issuperset(range(first, end)), f"not all usable: {shown}"
    free = sum(end - first for first, end in spans)
    assert free + word(stub, names["frames_kernel"]) == total
    stub.close()


def splitmix(state: int) -> Iterator[int]:
    """The numbers of kernel/boot/ktest.c:ktest_random."""
    mask = (1 << 64) - 1
    while True:
        state = (state + 0x9E3779B97F4A7C15) & mask
        z = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & mask
        z = ((z ^ z >> 27) * 0x94D049BB133111EB) & mask
        yield z ^ z >> 31


def model_mappings() -> dict[int, tuple[int, bool, bool]]:
    """What test_mmu_pt.c:pt_to_look_at maps: address to frame, write, execute."""
    random, model = splitmix(1), {}
    for step in range(400):
        i, what, flags = (next(random) for _ in range(3))
        i %= 64
        va = 0x7FFFF0000 + i * PAGE if i < 32 else 0x10000000000 + ((i - 32) << 30)
        write, execute = bool(flags & 1), not flags & 2
        if what % 4 == 0:
            model.pop(va, None)
        elif what % 4 == 1 and va in model:
            model[va] = (model[va][0], write, execute)
        elif what % 4 > 1 and va not in model:
            model[va] = ((step + 1) * PAGE, write, execute)
    return model


def test_mappings_seen_from_outside(
    build: Callable[..., Variant], start: Start
) -> None:
    """What the CPU would find in a page table is what was mapped, and only that."""
    build(Variant(stage=2))
    machine, stub = stopped_at(start, "pt_to_look_at", "look_at_root", "128M")
    root = stub.registers()["rdi"] - DIRECT
    found = [m for m in mappings(machine, root) if m.virtual < 1 << 47]
    assert all(m.user and m.size == PAGE for m in found)
    seen = {m.virtual: (m.physical, m.write, m.execute) for m in found}
    model = model_mappings()
    wrong = sorted(va for va in seen | model if seen.get(va) != model.get(va))
    assert not wrong, "\n".join(
        f"{va:#x}: the tables say {seen.get(va)}, it should be {model.get(va)}"
        for va in wrong[:5]
    )
    stub.close()


def test_self_test_passes(kernel: Path, start: Start) -> None:
    """Stage 2's own short proof finds nothing wrong, and its prompt comes."""
    machine = start(kernel=kernel, terminal=True)
    machine.expect(PROMPT)
    said = re.findall(r"^self-test: .*: (\w+)", machine.console(), re.M)
    assert said == ["ok"] * 6
