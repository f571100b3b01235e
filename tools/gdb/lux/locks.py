"""lux locks: who holds what, and who waits for whom.

A CPU keeps the ranks of the spinlocks it holds, not which ones they are; the
locks that have a name of their own are looked up and shown by it.  Queue
locks are found through the processes that wait for them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import gdb

from lux import kernel, processes
from lux.command import LuxCommand


def ranks(cpu: gdb.Value) -> list[str]:
    """The ranks of the spinlocks that a CPU holds, outermost first."""
    held = int(cpu["lock_ranks"])
    bits = [rank for rank in range(32) if held >> rank & 1]
    return [kernel.enum_name("lock_rank", rank, "RANK_") for rank in bits]


def spinlocks() -> Iterator[gdb.Value]:
    """Every spinlock that is a variable, or in one we know how to reach."""
    for name in ("proctab_lock", "frames_lock"):
        if kernel.has(name):
            yield kernel.value(name)
    if not kernel.has("runqs"):
        return
    for i in range(kernel.cpu_count()):
        yield kernel.value(f"runqs[{i}].lock")
        yield kernel.static("timer.c", f"timers[{i}].lock")
    for p in processes.every():
        yield p["lock"]
        yield p["own_lock"]
        if int(p["space"]):
            yield p["space"]["lock"]


def spin_lines(index: int) -> Iterable[str]:
    """The spinlocks of one CPU."""
    cpu = kernel.value(f"cpus[{index}]")
    names = ranks(cpu)
    if not names:
        yield f"CPU {index}: no spinlock"
        return
    yield f"CPU {index}: {int(cpu['lock_depth'])} held, ranks {', '.join(names)}"
    for lock in spinlocks():
        if int(lock["holder"]) == int(cpu.address):
            queue = (int(lock["next"]) - int(lock["serving"]) - 1) & 0xFFFFFFFF
            waits = f", {queue} waiting" if 0 < queue <= 8 else ""
            yield f"  {kernel.text(lock['name'])} at {int(lock.address):#x}{waits}"


def queue_lines() -> Iterable[str]:
    """The queue locks that processes wait for."""
    waiting: dict[int, list[gdb.Value]] = {}
    for p in processes.every():
        if int(p["wait_lock"]):
            waiting.setdefault(int(p["wait_lock"]), []).append(p)
    if not waiting:
        yield "no process waits for a queue lock"
    for sleepers in waiting.values():
        lock = sleepers[0]["wait_lock"]
        holder = lock["holder"]
        who = processes.label(holder) if int(holder) else "nobody"
        yield f"queue lock {kernel.text(lock['name'])}: held by {who}"
        yield from (f"  {processes.label(p)} waits" for p in sleepers)


class Locks(LuxCommand):
    """Locks held and waited for: lux locks.

    For each CPU the ranks of its spinlocks (boot/lock.h has the order) and
    those known by name; then the queue locks that processes wait for."""

    word = "locks"

    def run(self, words: list[str]) -> Iterable[str]:
        """CPUs first, then queue locks."""
        for i in range(kernel.cpu_count()):
            yield from spin_lines(i)
        if kernel.has("sched_init") and int(kernel.value("cpus[0].proc")):
            yield from queue_lines()
