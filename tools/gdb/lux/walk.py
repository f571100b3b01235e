"""lux walk: from an address to a frame, every level of the way."""

from __future__ import annotations

from collections.abc import Iterable

import gdb

from lux import kernel, processes
from lux.command import LuxCommand, number

LEVELS = ["PML4", "PDPT", "PD", "PT"]
PAGE = {1: "1 GiB", 2: "2 MiB", 3: "4 KiB"}
ADDRESS = 0x000FFFFFFFFFF000  # bits of an entry that hold an address
PRESENT, WRITE, USER, LARGE, NX = 1, 2, 4, 1 << 7, 1 << 63
BITS = [  # Intel SDM 3A 4.5.4; bit 9 is Lux9's own (mmu/mmu.h)
    (PRESENT, "present"),
    (WRITE, "write"),
    (USER, "user"),
    (1 << 3, "write-through"),
    (1 << 4, "no-cache"),
    (1 << 5, "accessed"),
    (1 << 6, "dirty"),
    (LARGE, "large"),
    (1 << 8, "global"),
    (1 << 9, "cow"),
    (NX, "no-execute"),
]


def flags(entry: int) -> str:
    """The bits of a page-table entry by name."""
    return " ".join(name for bit, name in BITS if entry & bit) or "not present"


def entries(root: int, address: int) -> list[tuple[int, int]]:
    """Index and entry of each level, as far as the tables go."""
    found, table = [], root
    for level in range(4):
        index = address >> 39 - 9 * level & 511
        entry = kernel.read_word(kernel.DIRECT_BASE + (table & ADDRESS) + 8 * index)
        found.append((index, entry))
        if not entry & PRESENT or (entry & LARGE and level > 0):
            break
        table = entry
    return found


def translate(root: int, address: int) -> int | None:
    """The physical address that a virtual one means; None: nothing."""
    found = entries(root, address)
    entry = found[-1][1]
    if not entry & PRESENT:
        return None
    size = 1 << 39 - 9 * (len(found) - 1)
    return entry & ADDRESS & -size | address & size - 1


def read_in(root: int, address: int, length: int) -> bytes:
    """Memory of a space that no CPU need have loaded; gdb.MemoryError."""
    data = b""
    while len(data) < length:
        at = address + len(data)
        physical = translate(root, at)
        if physical is None:
            raise gdb.MemoryError(f"{at:#x} is not mapped")
        part = min(length - len(data), 4096 - at % 4096)
        data += kernel.read_bytes(kernel.DIRECT_BASE + physical, part)
    return data


class Walk(LuxCommand):
    """Walk the page tables to an address: lux walk ADDRESS [PID].

    Shows the entry of each level and its flags, then what all levels together
    permit.  Without PID, the tables that the selected CPU has loaded."""

    word = "walk"

    def run(self, words: list[str]) -> Iterable[str]:
        """One line a level, and the sum."""
        if len(words) not in (1, 2):
            raise ValueError("which address? lux walk ADDRESS [PID]")
        address = number(words[0])
        if address + (1 << 47) & (1 << 64) - 1 >= 1 << 48:
            yield f"{address:#x} is not canonical: bits 63..47 must be equal"
            return
        root = processes.root(words[1]) if words[1:] else kernel.register("cr3")
        yield f"{address:#x} by the tables at {root & ADDRESS:#x}"
        found = entries(root, address)
        for level, (index, entry) in enumerate(found):
            yield f"  {LEVELS[level]:>4}[{index:3}] = {entry:#018x}  {flags(entry)}"
        yield from summary(address, root, found)


def summary(address: int, root: int, found: list[tuple[int, int]]) -> Iterable[str]:
    """What the entries mean together (Intel SDM 3A 4.6)."""
    physical = translate(root, address)
    if physical is None:
        yield f"not mapped: no entry in the {LEVELS[len(found) - 1]}"
        return
    every = [entry for _, entry in found]
    who = "user and kernel" if all(e & USER for e in every) else "the kernel"
    may = ["read"] + ["write"] * all(e & WRITE for e in every)
    may += ["execute"] * (not any(e & NX for e in every))
    size = PAGE[len(found) - 1]
    yield f"physical {physical:#x}, page of {size}: {who} may {', '.join(may)}"
    yield from frame_line(physical)


def frame_line(physical: int) -> Iterable[str]:
    """What the frame table says of a frame, if there is one already."""
    if not kernel.has("ram") or physical >> 12 >= int(kernel.value("ram.nframes")):
        return
    frame = kernel.value(f"ram.frames[{physical >> 12}]")
    state = kernel.enum_name("frame_state", int(frame["state"]), "FRAME_")
    yield f"frame {physical >> 12:#x}: {state}, {int(frame['ref'])} references"
