"""Processes: lux ps, and finding one for the other commands."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import gdb

from lux import kernel
from lux.command import LuxCommand, number, table


def every() -> Iterator[gdb.Value]:
    """All processes of the process table, by pid, as pointers."""
    slots = kernel.static("proc.c", "table")
    size = slots.type.range()[1] + 1
    raw = kernel.read_bytes(int(slots.address), 8 * size)
    words = [raw[i : i + 8] for i in range(0, len(raw), 8)]
    used = [int.from_bytes(word, "little") for word in words if any(word)]
    kind = gdb.lookup_type("struct proc").pointer()
    procs = [gdb.Value(address).cast(kind) for address in used]
    yield from sorted(procs, key=lambda p: int(p["pid"]))


def find(word: str) -> gdb.Value:
    """The process of that pid; LookupError if there is none."""
    kernel.need(3)
    pid = number(word)
    for p in every():
        if int(p["pid"]) == pid:
            return p
    raise LookupError(f"there is no process {pid}: `lux ps` lists them")


def root(word: str) -> int:
    """The physical address of a process's top page table."""
    p = find(word)
    if int(p["space"]) == 0:
        raise LookupError(f"process {word} has no address space: it is the kernel's")
    return space_root(p["space"])


def space_root(space: gdb.Value) -> int:
    """The physical address of an address space's top page table."""
    direct = kernel.DIRECT_BASE
    return int(space["root"]) - direct & (1 << 64) - 1


def state(p: gdb.Value) -> str:
    """A process's state as ps would say it."""
    return kernel.enum_name("proc_state", int(p["state"]), "PROC_")


def where(p: gdb.Value) -> str:
    """What a process waits for or where it runs."""
    if int(p["on_cpu"]):
        return f"on CPU {int(p['cpu'])}"
    if int(p["wait_lock"]):
        return f"lock {kernel.text(p['wait_lock']['name'])}"
    return kernel.text(p["wchan"])


def label(p: gdb.Value) -> str:
    """A process in a few letters: "7 sh"."""
    return f"{int(p['pid'])} {kernel.text(p['name'])}"


class Ps(LuxCommand):
    """List the processes: lux ps.

    State, the CPU each ran on last, what it waits for, its parent, notes that
    wait for it, pages it has in memory."""

    word = "ps"
    stage = 3

    def run(self, words: list[str]) -> Iterable[str]:
        """One line a process."""
        head = "PID PARENT STATE CPU WAITS NOTES PAGES NAME".split()
        rows: list[list[object]] = [list(head)]
        for p in every():
            parent, space = p["parent"], p["space"]
            rows.append(
                [
                    int(p["pid"]),
                    int(parent["pid"]) if int(parent) else "-",
                    state(p),
                    int(p["cpu"]),
                    where(p) or "-",
                    int(p["nnote"]),
                    int(space["resident"]) if int(space) else "-",
                    kernel.text(p["name"]),
                ]
            )
        return table(rows, "rr r rr")
