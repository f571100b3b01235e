"""The page tables of a stopped machine, read from outside.

Nothing here trusts the kernel: CR3 comes from the CPU, the tables from
physical memory (Intel SDM 3A 4.5).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from grade.harness.machine import Machine

PRESENT, WRITE, USER, LARGE, GLOBAL = 1, 2, 4, 1 << 7, 1 << 8
NX = 1 << 63
ADDRESS = 0x000F_FFFF_FFFF_F000


@dataclass(frozen=True)
class Mapping:
    """One leaf entry: where it maps, how much, and what all levels permit."""

    virtual: int
    physical: int
    size: int
    write: bool
    user: bool
    execute: bool
    shared: bool  # global: survives a CR3 load

    @property
    def end(self) -> int:
        return self.virtual + self.size


def _canonical(address: int) -> int:
    return address | 0xFFFF_0000_0000_0000 if address >> 47 else address


def mappings(machine: Machine, cr3: int) -> Iterator[Mapping]:
    """All leaf mappings under cr3, by rising virtual address."""
    yield from _table(machine, cr3 & ADDRESS, 3, 0, WRITE | USER, False)


def _table(
    machine: Machine, at: int, level: int, base: int, allowed: int, nx: bool
) -> Iterator[Mapping]:
    entries = struct.unpack("<512Q", machine.read_physical(at, 4096))
    for index, entry in enumerate(entries):
        if not entry & PRESENT:
            continue
        address = base + (index << (12 + 9 * level))
        permits, no_exec = allowed & entry, nx or bool(entry & NX)
        if level == 0 or entry & LARGE:
            size = 1 << (12 + 9 * level)
            yield Mapping(
                virtual=_canonical(address),
                physical=entry & ADDRESS & ~(size - 1),
                size=size,
                write=bool(permits & WRITE),
                user=bool(permits & USER),
                execute=not no_exec,
                shared=bool(entry & GLOBAL),
            )
        else:
            yield from _table(
                machine, entry & ADDRESS, level - 1, address, permits, no_exec
            )
