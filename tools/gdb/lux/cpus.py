"""lux cpu: what each CPU is doing and how much it has done."""

from __future__ import annotations

from collections.abc import Iterable

import gdb

from lux import calls, kernel, processes
from lux.command import LuxCommand, table

COUNTERS = "syscalls traps faults interrupts switches cr3_loads".split()


def doing(cpu: gdb.Value) -> str:
    """Which process a CPU runs."""
    p = cpu["proc"]
    if int(p) == 0:
        return "no process yet"
    if kernel.has("sched_init") and int(p["is_idle"]):
        return "idle"
    return processes.label(p)


def place(cpu: gdb.Value) -> str:
    """Where its instruction pointer is."""
    thread = kernel.cpu_thread(cpu)
    if thread is None:
        return "?"
    pc = kernel.register("rip", thread)
    if pc < calls.UPPER_HALF:
        return f"{pc:#x} in the program"
    return calls.describe(pc)


class Cpu(LuxCommand):
    """What each CPU is doing, and its counters: lux cpu.

    The counters are those that the program sysstat shows."""

    word = "cpu"

    def run(self, words: list[str]) -> Iterable[str]:
        """Two lines a CPU, then a table of counters."""
        rows: list[list[object]] = [["CPU", *COUNTERS]]
        for i in range(kernel.cpu_count()):
            cpu = kernel.value(f"cpus[{i}]")
            marks = [
                f"{int(cpu['lock_depth'])} spinlocks" * bool(int(cpu["lock_depth"])),
                "wants to switch" * bool(int(cpu["resched"])),
                "in panic" * bool(int(cpu["in_panic"])),
            ]
            yield ", ".join([f"CPU {i}: {doing(cpu)}", *filter(None, marks)])
            yield f"  at {place(cpu)}"
            rows.append([i, *(int(cpu[name]) for name in COUNTERS)])
        yield from table(rows, "r" * len(rows[0]))
