"""lux trace: the kernel's rings of what happened lately."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import gdb

from lux import kernel, processes
from lux.command import LuxCommand, number, table


class Event(NamedTuple):
    """One struct trace_record of sched/sched.h."""

    tsc: int
    pid: int
    cpu: int
    event: int
    a: int
    b: int


def ring(cpu: int) -> Iterator[Event]:
    """What one CPU has in its ring, oldest first."""
    address = int(kernel.static("trace.c", "rings")[cpu])
    written = int(kernel.static("trace.c", "heads")[cpu])
    if address == 0:
        return
    size = int(kernel.static("trace.c", "RING_EVENTS"))
    width = gdb.lookup_type("struct trace_record").sizeof
    data = kernel.read_bytes(address, size * width)
    for i in range(max(0, written - size), written):
        words = struct.unpack_from("<QIBBxxQQ", data, i % size * width)
        yield Event(*words)


def names() -> dict[int, str]:
    """The names of the processes, by pid."""
    return {int(p["pid"]): kernel.text(p["name"]) for p in processes.every()}


def call(number_: int) -> str:
    """The name of a system call."""
    return kernel.enum_name("sys_number", number_, "SYS_")


def signed(word: int) -> int:
    """A 64-bit word as the number it stands for."""
    return word - (1 << 64) if word >> 63 else word


def describe(e: Event, name: dict[int, str]) -> str:
    """An event in words."""
    kind = kernel.enum_name("trace_event", e.event, "TRACE_")
    whom = f"{e.a} {name.get(e.a, '')}".rstrip()
    packed = e.b.to_bytes(8, "little").split(b"\0")[0].decode("latin-1")
    detail = {
        "switch": "to " + ("idle" if e.a == 0 else whom),
        "syscall": call(e.a),
        "sysret": f"{call(e.a)} = {signed(e.b)}",
        "wake": whom,
        "fault": f"at {e.a:#x}, error {e.b:#x}",
        "irq": f"vector {e.a:#x}",
        "ipi": f"vector {e.a:#x} to CPU {signed(e.b)}",
        "fork": f"child {whom}",
        "exec": packed,
        "exit": "",
    }
    return f"{kind:<8} {detail.get(kind, f'{e.a:#x} {e.b:#x}')}".rstrip()


class Trace(LuxCommand):
    """The last events of the trace ring, all CPUs together: lux trace [N].

    Needs `trace` on the kernel's command line, or the program trace.  Without
    N the last 20.  `make trace` draws them."""

    word = "trace"
    stage = 3

    def run(self, words: list[str]) -> Iterable[str]:
        """One line an event, oldest first; times before the last one."""
        wanted = number(words[0]) if words else 20
        events = [e for cpu in range(kernel.cpu_count()) for e in ring(cpu)]
        if not events:
            yield "no events: `trace` on the kernel's command line starts tracing"
            return
        name = names()
        last = sorted(events)[-wanted:]
        rows: list[list[object]] = [["TICKS", "CPU", "PROCESS", "EVENT"]]
        for e in last:
            who = f"{e.pid} {name.get(e.pid, '')}".rstrip() if e.pid else "idle"
            rows.append([e.tsc - last[-1].tsc, e.cpu, who, describe(e, name)])
        yield from table(rows, "rr")
