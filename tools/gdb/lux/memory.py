"""lux space and lux frames: address spaces, and all of physical memory."""

from __future__ import annotations

from collections.abc import Iterable

import gdb

from lux import kernel, processes
from lux.command import LuxCommand, table


def protection(region: gdb.Value) -> str:
    """A region's protection as letters."""
    prot = int(region["prot"])
    return "".join(c if prot >> i & 1 else "-" for i, c in enumerate("rwx"))


class Space(LuxCommand):
    """The memory of a process by regions: lux space PID.

    A region is a range of addresses with one kind and protection.  `lux walk`
    tells which pages of it are there."""

    word = "space"
    stage = 3

    def run(self, words: list[str]) -> Iterable[str]:
        """One line for the whole, one a region."""
        if len(words) != 1:
            raise ValueError("of which process? lux space PID")
        p = processes.find(words[0])
        space = p["space"]
        if int(space) == 0:
            yield f"{processes.label(p)}: no address space, it is the kernel's own"
            return
        count = int(space["nregion"])
        yield (
            f"{processes.label(p)}: {count} regions, "
            f"{int(space['resident'])} pages in memory, "
            f"page tables at {processes.space_root(space):#x}"
        )
        rows: list[list[object]] = [["  FROM", "TO", "KIB", "PROT", "KIND"]]
        for i in range(min(count, 10000)):
            region = space["regions"][i]
            start, end = int(region["start"]), int(region["end"])
            kind = kernel.text(region["ops"]["name"])
            size = (end - start) // 1024
            rows.append([f"  {start:#x}", f"{end:#x}", size, protection(region), kind])
        yield from table(rows, "  r")


def cached(cache: gdb.Value) -> int:
    """Pages in one CPU's cache."""
    return int(cache["any"]["n"]) + int(cache["zeroed"]["n"])


class Frames(LuxCommand):
    """Physical memory by what it is used for: lux frames.

    The counters that the program free shows, then the free blocks by size."""

    word = "frames"
    stage = 2

    def run(self, words: list[str]) -> Iterable[str]:
        """Counters, and the buddy lists."""
        caches = kernel.value("page_caches")
        every = [caches[i] for i in range(caches.type.range()[1] + 1)]
        in_caches = sum(cached(cache) for cache in every)
        used = sum(int(cache["used"]) for cache in every)
        parked = sum(int(cache["parked"]) for cache in every)
        set_aside = int(kernel.static("reserve.c", "nreserve"))
        free = int(kernel.value("ram.free"))
        rows: list[list[object]] = [
            ["total", int(kernel.value("frames_total"))],
            ["free", free],
            ["cached", in_caches + parked],
            ["used", used - parked],
            ["kernel", int(kernel.value("frames_kernel")) + set_aside],
        ]
        sized = [[*row, f"{int(str(row[1])) * 4} KiB"] for row in rows]
        yield from table(sized, " rr")
        orders = int(kernel.value("ram.orders"))
        sizes = [f"{4 << order} KiB" for order in range(32) if orders >> order & 1]
        yield f"free blocks of {', '.join(sizes) or 'no size at all'}"
