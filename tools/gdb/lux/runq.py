"""lux runq: who waits for which CPU, in which order."""

from __future__ import annotations

from collections.abc import Iterable

import gdb

from lux import kernel, processes
from lux.command import LuxCommand


def queued(heap: gdb.Value) -> list[gdb.Value]:
    """The processes on a heap of a run queue, first to run first."""
    nodes = kernel.heap(heap["root"])
    return [kernel.container(node, "struct proc", "runq_node") for node in nodes]


def edf_lines(rq: gdb.Value) -> Iterable[str]:
    """Processes with a deadline."""
    for p in queued(rq["edf"]):
        edf = p["edf"]
        budget = f"budget {int(edf['budget'])} ticks" if int(edf) else "no edf"
        deadline = int(p["runq_node"]["key"])
        yield f"  edf: {processes.label(p)}, deadline {deadline}, {budget}"


def group_lines(rq: gdb.Value, cpu: int) -> Iterable[str]:
    """Processes by scheduling group."""
    groups = kernel.value("groups")
    for number in range(groups.type.range()[1] + 1):
        if not int(rq["groups"]) >> number & 1:
            continue
        group = groups[number]
        on = group["on"][cpu]
        yield f"  group {number}: weight {int(group['weight'])}, time {int(on['vtime'])}"
        for p in queued(on["procs"]):
            yield f"    {processes.label(p)}, time {int(p['vtime'])}"


def lines(cpu: int) -> Iterable[str]:
    """One CPU's run queue, in the order in which sched.c:pick looks."""
    rq = kernel.value(f"runqs[{cpu}]")
    yield f"CPU {cpu}: {int(rq['count'])} queued"
    if int(rq["handoff"]):
        yield f"  hand-off: {processes.label(rq['handoff'])}"
    yield from edf_lines(rq)
    yield from group_lines(rq, cpu)


class Runq(LuxCommand):
    """The run queues: lux runq.

    For each CPU the process handed to it, then those with deadlines, then the
    fair ones by group; virtual times are CPU ticks divided by weight."""

    word = "runq"
    stage = 3

    def run(self, words: list[str]) -> Iterable[str]:
        """All CPUs."""
        for cpu in range(kernel.cpu_count()):
            yield from lines(cpu)
