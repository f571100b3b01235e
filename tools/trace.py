#!/usr/bin/env python3
"""Turn the kernel's trace records into something to look at.

    trace.py RECORDS [--json FILE] [--html FILE] [--svg FILE] [--sequence FILE]

RECORDS is what QEMU wrote for the debug port.  The JSON is the trace-event
format that Perfetto (ui.perfetto.dev) and chrome://tracing open; HTML and SVG
are pictures of their own (tools/trace_picture.py), --sequence an SVG of who
sent which 9P message (tools/trace_sequence.py).  `make trace` does it all.
Names of events and system calls come from the kernel's own headers.
"""

from __future__ import annotations

import argparse
import json
import re
import struct
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grade.harness.records import Record, parse_records  # noqa: E402

RECORD = struct.Struct("<QIBBHQQ")  # struct trace_record of sched/sched.h
RING_EVENTS = 8192  # a CPU that has so many may have lost older ones
CPUS, PROCESSES = 1, 2  # process ids in the JSON: groups of tracks
IDLE = 0  # the pid that the kernel gives its idle processes


class Event(NamedTuple):
    """One record, its time in nanoseconds since the window began."""

    ns: int
    cpu: int
    pid: int
    kind: str  # "switch", "syscall", ... as in enum trace_event
    a: int
    b: int


class Slice(NamedTuple):
    """A stretch of time: who ran on a CPU, or which call a process was in."""

    start: int
    end: int
    where: int  # CPU of a run, process of a call
    what: Any  # pid, or name of the call
    result: int | None = None


class Wake(NamedTuple):
    """From the CPU that woke a process to where that ran next."""

    start: int
    from_cpu: int
    end: int
    to_cpu: int
    pid: int


class Message(NamedTuple):
    """A 9P message, when a client sent it or its answer was taken."""

    ns: int
    pid: int
    conn: int
    kind: str  # "Twalk"
    tag: int
    body: bytes  # the first eight bytes behind the tag

    def text(self) -> str:
        """The message as far as the trace knows it: "Tread tag 3 fid 7 ...".

        The fields are those of Plan 9's manual, section 5.
        """
        shown = f"{self.kind} tag {self.tag if self.tag != NOTAG else 'NOTAG'}"
        low, high = struct.unpack("<II", self.body)
        if self.kind in ("Tversion", "Rversion"):
            return f"{shown} msize {low}"
        if self.kind == "Tflush":
            return f"{shown} oldtag {low & 0xFFFF}"
        if self.kind == "Twalk":
            return f"{shown} fid {low} newfid {high}"
        if self.kind == "Rwalk":
            return f"{shown} nwqid {low & 0xFFFF}"
        if self.kind in ("Tread", "Twrite"):
            return f"{shown} fid {low} offset {high}"
        if self.kind in ("Rread", "Rwrite"):
            return f"{shown} count {low}"
        return f"{shown} fid {low}" if self.kind[0] == "T" else shown


NOTAG = 0xFFFF


@dataclass
class Trace:
    """All that the pictures show."""

    length: int  # nanoseconds of the window
    cpus: list[int]
    names: dict[int, str]
    events: list[Event]
    runs: list[Slice] = field(default_factory=list)
    calls: list[Slice] = field(default_factory=list)
    wakes: list[Wake] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)

    def name(self, pid: int) -> str:
        """A process as people know it: "3 primes"."""
        return "idle" if pid == IDLE else f"{pid} {self.names.get(pid, '?')}"


def event_names() -> dict[int, str]:
    """enum trace_event of kernel/sched/sched.h: number to lower-case name."""
    text = (ROOT / "kernel/sched/sched.h").read_text(encoding="utf-8")
    body = re.search(r"enum trace_event \{(.*?)\};", text, re.S)[1]  # type: ignore
    names = re.findall(r"\bTRACE_(\w+)\s*(?:=\s*\d+\s*)?,", body)
    return {number: name.lower() for number, name in enumerate(names, 1)}


def call_names() -> dict[int, str]:
    """The system calls of lux/syscalls.def, by number."""
    text = (ROOT / "kernel/include/lux/syscalls.def").read_text(encoding="utf-8")
    rows = re.findall(r"^SYSCALL\((\d+), *\d+, *(\w+)", text, re.M)
    return {int(number): name for number, name in rows}


def message_names() -> dict[int, str]:
    """enum fcall_type of kernel/include/lux/fcall.h, by number."""
    header = ROOT / "kernel/include/lux/fcall.h"
    if not header.exists():
        return {}
    body = re.search(
        r"enum fcall_type \{(.*?)\};", header.read_text(encoding="utf-8"), re.S
    )
    names = re.findall(r"\b([TR]\w+)\b", body[1] if body else "")
    return dict(enumerate(names, 100))


def read_events(records: list[Record]) -> tuple[list[tuple[int, ...]], int]:
    """The raw records of all CPUs by time, and ticks a second."""
    hz = [int(record.text) for record in records if record.type == "tracehz"]
    raw = [
        r
        for record in records
        if record.type == "trace"
        for r in RECORD.iter_unpack(record.data)
    ]
    if not hz or not raw:
        raise SystemExit("no trace in these records: was `trace` on the command line?")
    return sorted(raw, key=lambda r: (r[0], r[2])), hz[-1]


def window(raw: list[tuple[int, ...]]) -> tuple[int, int]:
    """First and last tick that all CPUs still know about."""
    by_cpu: dict[int, list[int]] = {}
    for r in raw:
        by_cpu.setdefault(r[2], []).append(r[0])
    full = [ticks[0] for ticks in by_cpu.values() if len(ticks) >= RING_EVENTS]
    return max(full, default=raw[0][0]), raw[-1][0]


def process_names(records: list[Record], events: list[Event]) -> dict[int, str]:
    """Names from exec and fork, and of the processes that lived to the end."""
    names: dict[int, str] = {}
    for e in events:
        if e.kind == "exec":
            names[e.pid] = e.b.to_bytes(8, "little").split(b"\0")[0].decode("latin-1")
        elif e.kind == "fork":
            names.setdefault(e.a, names.get(e.pid, "?"))
    for record in records:
        if record.type == "procname":
            pid, _, name = record.text.partition(" ")
            names[int(pid)] = name
    return names


def runs(events: list[Event], cpus: list[int], length: int) -> list[Slice]:
    """Who ran where: for each CPU slices without gap from 0 to length."""
    done = []
    for cpu in cpus:
        mine = [e for e in events if e.cpu == cpu]
        first = mine[0] if mine else None
        if first is None:
            now = IDLE
        else:
            now = first.b if first.kind == "switch" else first.pid
        start = 0
        for e in mine:
            if e.kind == "switch" and e.ns > 0:
                if e.ns > start:
                    done.append(Slice(start, e.ns, cpu, now))
                start = e.ns
            now = e.a if e.kind == "switch" else now
        if length > start:
            done.append(Slice(start, length, cpu, now))
    return done


def calls(events: list[Event], length: int) -> list[Slice]:
    """System calls: from entry to result, to the process's end, or cut off."""
    names, done = call_names(), []
    inside: dict[int, tuple[int, str]] = {}
    seen: set[int] = set()
    for e in events:
        if e.kind == "syscall":
            inside[e.pid] = (e.ns, names.get(e.a, f"call {e.a}"))
        elif e.kind == "sysret":
            before = (0, names.get(e.a, f"call {e.a}"))
            start, name = inside.pop(e.pid, before)
            if e.pid in seen or start > 0 or e.ns == 0:
                done.append(Slice(start, e.ns, e.pid, name, signed(e.b)))
        elif e.kind == "exit" and e.pid in inside:
            start, name = inside.pop(e.pid)
            done.append(Slice(start, e.ns, e.pid, name))
        seen.add(e.pid)
    for pid, (start, name) in inside.items():
        done.append(Slice(start, length, pid, name))
    return sorted(done)


def signed(word: int) -> int:
    """A 64-bit word as the number it stands for."""
    return word - (1 << 64) if word >> 63 else word


def wakes(events: list[Event]) -> list[Wake]:
    """Each wake-up with the next switch to the process that was woken."""
    waiting: dict[int, Event] = {}
    done = []
    for e in events:
        if e.kind == "wake":
            waiting[e.a] = e
        elif e.kind == "switch" and e.a in waiting:
            by = waiting.pop(e.a)
            done.append(Wake(by.ns, by.cpu, e.ns, e.cpu, e.a))
    return done


def messages(events: list[Event]) -> list[Message]:
    """The 9P messages, as kernel/9p/mnt_wire.c:message_trace packs them."""
    names = message_names()
    return [
        Message(
            e.ns,
            e.pid,
            e.a >> 32,
            names.get(e.a >> 16 & 0xFF, "?"),
            e.a & 0xFFFF,
            e.b.to_bytes(8, "little"),
        )
        for e in events
        if e.kind == "9p"
    ]


def rpcs(trace: Trace) -> list[tuple[Message, Message]]:
    """Each request with its answer."""
    open_: dict[tuple[int, int], Message] = {}
    done = []
    for m in trace.messages:
        if m.kind[0] == "T":
            open_[m.conn, m.tag] = m
        elif (m.conn, m.tag) in open_:
            done.append((open_.pop((m.conn, m.tag)), m))
    return done


def load(data: bytes) -> Trace:
    """Read records and find out what they tell."""
    records, _ = parse_records(data)
    raw, hz = read_events(records)
    first, last = window(raw)
    kinds = event_names()
    events = [
        Event((tsc - first) * 10**9 // hz, cpu, pid, kinds.get(event, "?"), a, b)
        for tsc, pid, cpu, event, _, a, b in raw
    ]
    names = process_names(records, events)
    events = [e for e in events if e.ns >= 0]
    cpus, length = sorted({e.cpu for e in events}), (last - first) * 10**9 // hz
    trace = Trace(length, cpus, names, events)
    trace.runs = runs(events, cpus, length)
    trace.calls = calls(events, length)
    trace.wakes = wakes(events)
    trace.messages = messages(events)
    return trace


def micro(ns: int) -> float:
    """The format counts in microseconds."""
    return ns / 1000


def json_events(trace: Trace) -> list[dict[str, Any]]:
    """The trace in Chrome's format: X slices, i instants, s and f arrows."""
    out: list[dict[str, Any]] = []

    def add(ph: str, name: str, pid: int, tid: int, **more: Any) -> None:
        out.append({"ph": ph, "name": name, "pid": pid, "tid": tid, "ts": 0, **more})

    for pid, name in ((CPUS, "CPUs"), (PROCESSES, "processes")):
        add("M", "process_name", pid, 0, args={"name": name})
    for cpu in trace.cpus:
        add("M", "thread_name", CPUS, cpu, args={"name": f"CPU {cpu}"})
    for pid in sorted({call.where for call in trace.calls}):
        add("M", "thread_name", PROCESSES, pid, args={"name": trace.name(pid)})
    for run in trace.runs:
        time = {"ts": micro(run.start), "dur": micro(run.end - run.start)}
        args = {"process": run.what}
        add("X", trace.name(run.what), CPUS, run.where, **time, cat="run", args=args)
    for call in trace.calls:
        time = {"ts": micro(call.start), "dur": micro(call.end - call.start)}
        args = {} if call.result is None else {"result": call.result}
        add("X", call.what, PROCESSES, call.where, **time, cat="syscall", args=args)
    for number, wake in enumerate(trace.wakes):
        both: dict[str, Any] = {"cat": "wake", "id": number}
        add("s", "wake", CPUS, wake.from_cpu, **both | {"ts": micro(wake.start)})
        add("f", "wake", CPUS, wake.to_cpu, **both | {"ts": micro(wake.end), "bp": "e"})
    for number, (ask, answer) in enumerate(rpcs(trace)):
        both = {"cat": "9p", "id": number}
        args = {"connection": ask.conn, "request": ask.text(), "answer": answer.text()}
        add(
            "b", ask.kind, PROCESSES, ask.pid, **both | {"ts": micro(ask.ns)}, args=args
        )
        add("e", ask.kind, PROCESSES, ask.pid, **both | {"ts": micro(answer.ns)})
    for e in trace.events:
        if e.kind in ("fork", "exec", "exit", "fault", "irq", "ipi"):
            more = {"ts": micro(e.ns), "s": "t", "cat": "event"}
            add("i", e.kind, CPUS, e.cpu, **more, args={"process": e.pid, "a": e.a})
    return out


def main() -> int:
    """Read records, write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("records", type=Path)
    for kind in ("json", "html", "svg", "sequence"):
        parser.add_argument(f"--{kind}", type=Path)
    options = parser.parse_args()
    trace = load(options.records.read_bytes())
    if options.json:
        document = {"traceEvents": json_events(trace), "displayTimeUnit": "ns"}
        options.json.write_text(json.dumps(document), encoding="utf-8")
    if options.html or options.svg or options.sequence:
        from trace_picture import html, svg
        from trace_sequence import sequence

        if options.html:
            options.html.write_text(html(trace), encoding="utf-8")
        if options.svg:
            options.svg.write_text(svg(trace), encoding="utf-8")
        if options.sequence:
            options.sequence.write_text(sequence(trace), encoding="utf-8")
    print(
        f"{len(trace.events)} events of {len(trace.cpus)} CPUs in "
        f"{trace.length / 1e6:.3f} ms"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
