"""make trace: what the kernel recorded, as JSON for Perfetto and as a picture."""

from __future__ import annotations

import functools
import json
import re
import struct
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, Callable

import pytest

from grade.harness import ROOT, Record, Result, Setup, Variant, run

TOOL = ROOT / "tools" / "trace.py"
RECORD = struct.Struct("<QIBBHQQ")
EVENT = {"switch": 1, "syscall": 2, "sysret": 3, "wake": 4, "fork": 8, "exit": 10}
Json = dict[str, Any]


@functools.lru_cache(maxsize=None)
def traced(program: str, args: str, cpus: int) -> Result:
    """A run of a program with tracing on."""
    variant = Variant(ktest=False)
    variant.make()
    line = f"records trace init=bin/{program} args={args}"
    result = run(
        Setup(
            kernel=variant.kernel,
            initrd=variant.archive,
            cmdline=line + " tick_us=50" * (cpus > 1),
            cpus=cpus,
            shift=3,
        )
    )
    assert result.end == "exit" and result.status == 0, result.report()
    return result


def frame(record: Record) -> bytes:
    """A record as the debug port carries it."""
    head = f"\x1eLUX9 {record.type} {len(record.data)}\n"
    return head.encode() + record.data + b"\n"


def draw(tmp_path: Path, records: list[Record]) -> tuple[list[Json], str]:
    """The JSON's events and the HTML that the tool makes of these records."""
    source, out = tmp_path / "records", tmp_path / "trace"
    source.write_bytes(b"".join(map(frame, records)))
    words = [sys.executable, str(TOOL), str(source), "--json", f"{out}.json"]
    subprocess.run([*words, "--html", f"{out}.html"], check=True, capture_output=True)
    document = json.loads(Path(f"{out}.json").read_text(encoding="utf-8"))
    return document["traceEvents"], Path(f"{out}.html").read_text(encoding="utf-8")


def of(events: list[Json], ph: str, cat: str = "") -> list[Json]:
    """The events of one phase and category."""
    return [e for e in events if e["ph"] == ph and e.get("cat", "") == cat]


def ns(us: float) -> int:
    """Microseconds, as the JSON has them, in whole nanoseconds."""
    return round(us * 1000)


RUNS = [
    ("forkbomb", "6", 1),
    ("forkbomb", "6", 2),
    ("ping", "20", 1),
    ("primes", "50", 2),
]


@pytest.fixture(params=RUNS, ids=lambda p: f"{p[0]}-{p[2]}cpu")
def picture(request: Any, tmp_path: Path) -> tuple[Result, list[Json], str]:
    """Each of the runs with its JSON and HTML."""
    result = traced(*request.param)
    return result, *draw(tmp_path, result.records)


def test_json_is_valid(picture: tuple[Result, list[Json], str]) -> None:
    """Every event has what the trace-event format asks for."""
    for event in picture[1]:
        assert event["ph"] in "XisfM" and isinstance(event["name"], str)
        assert isinstance(event["pid"], int) and isinstance(event["tid"], int)
        assert event["ts"] >= 0
        if event["ph"] == "X":
            assert event["dur"] >= 0
        if event["ph"] in "sf":
            assert isinstance(event["id"], int)
        if event["ph"] == "f":
            assert event["bp"] == "e"
        if event["ph"] == "i":
            assert event["s"] == "t"


def test_lanes_are_full(picture: tuple[Result, list[Json], str]) -> None:
    """On each CPU turns follow each other without gap or overlap, all window."""
    lanes: dict[int, list[Json]] = {}
    for run_ in of(picture[1], "X", "run"):
        lanes.setdefault(run_["tid"], []).append(run_)
    ends = set()
    for turns in lanes.values():
        turns.sort(key=lambda turn: turn["ts"])
        at = 0
        for turn in turns:
            assert ns(turn["ts"]) == at
            at += ns(turn["dur"])
        ends.add(at)
    assert len(ends) == 1 and ends.pop() > 100_000


def test_nobody_runs_twice(picture: tuple[Result, list[Json], str]) -> None:
    """No process is on two CPUs at a time."""
    turns: dict[int, list[tuple[int, int]]] = {}
    for turn in of(picture[1], "X", "run"):
        start, pid = ns(turn["ts"]), turn["args"]["process"]
        if pid:
            turns.setdefault(pid, []).append((start, start + ns(turn["dur"])))
    for mine in turns.values():
        mine.sort()
        assert all(a[1] <= b[0] for a, b in zip(mine, mine[1:])), mine


def test_system_calls(picture: tuple[Result, list[Json], str]) -> None:
    """System calls have the names of syscalls.def and never overlap."""
    text = (ROOT / "kernel/include/lux/syscalls.def").read_text(encoding="utf-8")
    known = set(re.findall(r"^SYSCALL\(\d+, \d+, (\w+)", text, re.M))
    calls = of(picture[1], "X", "syscall")
    assert {call["name"] for call in calls} <= known and "exits" in {
        call["name"] for call in calls
    }
    last: dict[int, int] = {}
    for call in sorted(calls, key=lambda call: call["ts"]):
        assert ns(call["ts"]) >= last.get(call["tid"], 0), call
        last[call["tid"]] = ns(call["ts"]) + ns(call["dur"])


def test_arrows(picture: tuple[Result, list[Json], str]) -> None:
    """Each arrow leads from a wake to a later turn of the one woken."""
    starts = {e["id"]: e for e in of(picture[1], "s", "wake")}
    ends = {e["id"]: e for e in of(picture[1], "f", "wake")}
    begun = {(e["tid"], ns(e["ts"])) for e in of(picture[1], "X", "run")}
    assert starts.keys() == ends.keys()
    for number, end in ends.items():
        assert ns(end["ts"]) >= ns(starts[number]["ts"])
        assert (end["tid"], ns(end["ts"])) in begun


def test_what_forkbomb_did(tmp_path: Path) -> None:
    """The picture tells the truth: six children, each with its calls."""
    events, html = draw(tmp_path, traced("forkbomb", "6", 2).records)
    calls = [(e["tid"], e["name"]) for e in of(events, "X", "syscall")]
    assert [name for pid, name in calls if pid == 1].count("rfork") == 6
    assert [name for _, name in calls].count("semacquire") == 6
    assert [name for _, name in calls].count("exits") == 7
    assert len([e for e in of(events, "i", "event") if e["name"] == "fork"]) == 6
    assert {e["tid"] for e in of(events, "X", "run")} == {0, 1}
    for pid in range(1, 8):
        assert f"{pid} forkbomb" in html


def test_same_run_same_trace() -> None:
    """Under counted instructions the trace repeats to the tick."""
    first = traced("ping", "20", 1)
    traced.cache_clear()
    second = traced("ping", "20", 1)
    assert first.records == second.records


class Page(HTMLParser):
    """Collects what a page refers to, and whether its tags are balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.refers: list[str] = []
        self.titles = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note references and open tags of the picture."""
        self.refers += [v or "" for k, v in attrs if k in ("src", "href", "xlink:href")]
        self.titles += tag == "title"
        if tag in ("svg", "g", "defs", "marker", "script", "table"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Match what was opened."""
        if tag in ("svg", "g", "defs", "marker", "script", "table"):
            assert self.open.pop() == tag


def test_page_stands_alone(picture: tuple[Result, list[Json], str]) -> None:
    """The page needs no other file, and names every bar."""
    page = Page()
    page.feed(picture[2])
    assert page.refers == [] and page.open == []
    assert not re.search(r"@[A-Z]+@|url\((?!#)|https?://(?!www\.w3\.org)", picture[2])
    bars = len(of(picture[1], "X", "run"))
    assert picture[2].count('<g class="run') == bars and page.titles > bars


def synthetic(*events: tuple[int, int, int, str, int, int]) -> list[Record]:
    """Records as a kernel at 1 GHz would write them: tick, cpu, pid, kind, a, b."""
    rows = [
        RECORD.pack(tick, pid, cpu, EVENT[kind], 0, a, b)
        for tick, cpu, pid, kind, a, b in events
    ]
    return [Record("tracehz", b"1000000000"), Record("trace", b"".join(rows))]


def test_synthetic(tmp_path: Path) -> None:
    """A trace made by hand: call across a switch, wake to another CPU, exit."""
    events, _ = draw(
        tmp_path,
        synthetic(
            (1000, 0, 5, "syscall", 6, 0),
            (1200, 0, 7, "switch", 7, 5),
            (1300, 0, 7, "wake", 5, 0),
            (1350, 1, 5, "switch", 5, 0),
            (1400, 1, 5, "sysret", 6, 7),
            (1450, 1, 5, "syscall", 5, 0),
            (1500, 1, 5, "exit", 5, 0),
            (1600, 1, 0, "switch", 0, 5),
            (2000, 0, 7, "syscall", 0, 0),
        ),
    )
    runs = [
        (e["tid"], e["args"]["process"], ns(e["ts"]), ns(e["dur"]))
        for e in of(events, "X", "run")
    ]
    assert runs == [
        (0, 5, 0, 200),
        (0, 7, 200, 800),
        (1, 0, 0, 350),
        (1, 5, 350, 250),
        (1, 0, 600, 400),
    ]
    calls = [
        (e["tid"], e["name"], ns(e["ts"]), ns(e["dur"]), e["args"])
        for e in of(events, "X", "syscall")
    ]
    assert calls == [
        (5, "wait", 0, 400, {"result": 7}),
        (5, "exits", 450, 50, {}),
        (7, "nop", 1000, 0, {}),
    ]
    (start,), (end,) = of(events, "s", "wake"), of(events, "f", "wake")
    assert (start["tid"], ns(start["ts"]), end["tid"], ns(end["ts"])) == (
        0,
        300,
        1,
        350,
    )


def test_full_ring(tmp_path: Path) -> None:
    """Where a CPU's ring has overflowed, the picture begins when all are known."""
    many = [(5000 + 10 * n, 0, 3, "syscall", 0, 0) for n in range(8192)]
    old = (100, 1, 9, "syscall", 7, 0)
    events, _ = draw(tmp_path, synthetic(old, *many))
    lanes = [(e["tid"], ns(e["ts"])) for e in of(events, "X", "run")]
    assert lanes == [(0, 0)] and len(of(events, "X", "syscall")) >= 1


def test_no_trace(tmp_path: Path) -> None:
    """Records without a trace give an error that says what to do."""
    source = tmp_path / "records"
    source.write_bytes(frame(Record("user", b"hello")))
    words = [sys.executable, str(TOOL), str(source)]
    run_ = subprocess.run(words, capture_output=True, encoding="utf-8")
    assert run_.returncode != 0 and "was `trace` on the command line?" in run_.stderr


def test_messages_of_a_server(build: Callable[..., Variant], tmp_path: Path) -> None:
    """Each 9P request of a program has its answer, in the JSON and the picture."""
    variant = build(Variant(ktest=False))
    result = run(
        Setup(
            kernel=variant.kernel,
            initrd=variant.archive,
            cmdline="records trace args=cp,/etc/motd,/tmp/copy",
            shift=3,
        )
    )
    assert result.end == "exit" and result.status == 0, result.report()
    events, html = draw(tmp_path, result.records)
    begun, ended = (of(events, ph, "9p") for ph in ("b", "e"))
    assert [e["id"] for e in begun] == [e["id"] for e in ended]
    assert all(b["ts"] < e["ts"] for b, e in zip(begun, ended))
    names = [e["name"] for e in begun]
    assert names[:2] == ["Tversion", "Tattach"]
    write = names.index("Twrite")
    assert names.index("Tcreate") < write < len(names) - 1 - names[::-1].index("Tclunk")
    size = (ROOT / "user/etc/motd").stat().st_size
    assert begun[write]["args"]["answer"].endswith(f" count {size}")
    shown = re.findall(r'class="what"[^>]*>([TR]\w+) tag', html)
    assert shown[0] == "Tversion" and "Twrite" in shown and "Rwrite" in shown


def test_make_trace(build: Callable[..., Variant]) -> None:
    """make trace runs the program of RUN and writes both files."""
    words = ["make", "-s", "trace", "RUN=echo hello world"]
    run_ = subprocess.run(
        words, cwd=ROOT, capture_output=True, encoding="utf-8", timeout=150
    )
    assert run_.returncode == 0 and "hello world\n" in run_.stdout, run_
    assert "build/trace.html" in run_.stdout and "echo" in (
        ROOT / "build/trace.html"
    ).read_text(encoding="utf-8")
