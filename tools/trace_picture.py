"""The scheduling lanes of a trace as a picture: SVG, and HTML that zooms.

One lane a CPU: a bar for each turn of a process, in its colour and with its
name; below it ticks where system calls begin; arrows from who wakes to who
then runs.  Python lays everything out once; in the HTML a few lines of
JavaScript move what is there when the scale changes.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from trace_sequence import sequence

if TYPE_CHECKING:
    from trace import Trace  # tools/trace.py

WIDTH, LEFT, RIGHT = 1200, 70, 15
LANE, BAR, CALLS = 74, 28, 40  # heights: of a lane, its bar; where calls are
TOP = 40  # the axis
IDLE_COLOUR = "#e4e4e4"
# Okabe and Ito's colours, told apart by nearly all people; names say the rest
COLOURS = "#56b4e9 #e69f00 #009e73 #f0e442 #cc79a7 #d55e00 #0072b2 #999933".split()
DARK = {"#0072b2", "#d55e00", "#009e73"}  # white letters on these

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #222; }
.axis line { stroke: #ccc; } .axis text, .call text { font-size: 10px; fill: #555; }
.run rect { stroke: #fff; stroke-width: .5; }
.call line { stroke: #333; } .wake { stroke: #444; stroke-width: 1; fill: none; }
.light text { fill: #fff; }
"""


def colours(trace: Trace) -> dict[int, str]:
    """A colour for each process, in order of pid."""
    pids = sorted({run.what for run in trace.runs} - {0})
    return {0: IDLE_COLOUR} | {
        pid: COLOURS[i % len(COLOURS)] for i, pid in enumerate(pids)
    }


def duration(ns: float) -> str:
    """A time with a unit that suits it."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.4g} {unit}"
    return f"{ns:.0f} ns"


def step(length: float) -> float:
    """The distance of the axis's marks: 1, 2 or 5 times a power of ten."""
    size = 1.0
    while size * 10 < length / 8:
        size *= 10
    return next(size * n for n in (1, 2, 5, 10) if size * n >= length / 8)


def axis(trace: Trace, scale: float, height: int) -> str:
    """The lines of the time axis."""
    marks, at = [], 0.0
    while at <= trace.length:
        x = LEFT + at * scale
        marks.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 8}" y2="{height - 4}"/>'
            f'<text x="{x + 3:.1f}" y="{TOP - 12}">{duration(at)}</text>'
        )
        at += step(trace.length)
    return f'<g class="axis" id="axis">{"".join(marks)}</g>'


def run_bars(trace: Trace, scale: float) -> str:
    """A bar with a name for each turn on a CPU."""
    chosen, parts = colours(trace), []
    for run in trace.runs:
        x, width = LEFT + run.start * scale, (run.end - run.start) * scale
        y = TOP + trace.cpus.index(run.where) * LANE
        name = trace.name(run.what)
        letters = next((n for n in short(name) if width > 7 * len(n) + 6), "")
        kind = "run light" if chosen[run.what] in DARK else "run"
        parts.append(
            f'<g class="{kind}" data-t="{run.start}" data-d="{run.end - run.start}"'
            f' data-n="{escape(name)}"><title>{escape(name)}, '
            f"{duration(run.end - run.start)} from {duration(run.start)}</title>"
            f'<rect x="{x:.2f}" y="{y}" width="{max(width, 0.4):.2f}" height="{BAR}"'
            f' fill="{chosen[run.what]}"/><text x="{x + 4:.1f}" y="{y + 19}">'
            f"{escape(letters)}</text></g>"
        )
    return "".join(parts)


def short(name: str) -> tuple[str, ...]:
    """What can stand in a bar: the name, or if that is too long the pid."""
    return name, name.split()[0]


def call_ticks(trace: Trace, scale: float) -> str:
    """A tick where each system call begins, its name where there is room."""
    place = {(e.pid, e.ns): e.cpu for e in trace.events if e.kind == "syscall"}
    chosen = [c for c in trace.calls if (c.where, c.start) in place]
    free: dict[int, float] = {}  # by CPU: where the last name ends
    parts = []
    for call in sorted(chosen, key=lambda call: call.start):
        cpu = place[call.where, call.start]
        x, y = LEFT + call.start * scale, TOP + trace.cpus.index(cpu) * LANE + BAR
        room = x > free.get(cpu, 0)
        if room:
            free[cpu] = x + 6 * len(call.what) + 6
        result = "" if call.result is None else f" = {call.result}"
        took = duration(call.end - call.start)
        parts.append(
            f'<g class="call" data-t="{call.start}" data-d="0" data-c="{cpu}"'
            f' data-n="{call.what}"><title>{escape(trace.name(call.where))}: '
            f'{call.what}{result}, {took}</title><line x1="{x:.1f}" x2="{x:.1f}"'
            f' y1="{y}" y2="{y + 9}"/><text x="{x:.1f}" y="{y + 19}">'
            f'{call.what if room else ""}</text></g>'
        )
    return "".join(parts)


def wake_arrows(trace: Trace, scale: float) -> str:
    """An arrow from each wake-up to the turn that it led to."""
    parts = []
    for wake in trace.wakes:
        y = [TOP + trace.cpus.index(c) * LANE for c in (wake.from_cpu, wake.to_cpu)]
        down = wake.to_cpu > wake.from_cpu
        y1, y2 = (y[0] + BAR, y[1]) if down else (y[0], y[1] + BAR * (y[0] != y[1]))
        path = arrow(LEFT + wake.start * scale, y1, LEFT + wake.end * scale, y2)
        parts.append(
            f'<path class="wake" marker-end="url(#head)" data-t="{wake.start}"'
            f' data-d="{wake.end - wake.start}" data-y="{y1} {y2}" d="{path}">'
            f"<title>{escape(trace.name(wake.pid))} is woken, runs after "
            f"{duration(wake.end - wake.start)}</title></path>"
        )
    return "".join(parts)


def arrow(x1: float, y1: int, x2: float, y2: int) -> str:
    """A line between lanes, an arc inside one."""
    if y1 != y2:
        return f"M{x1:.1f} {y1}L{x2:.1f} {y2}"
    return f"M{x1:.1f} {y1}Q{(x1 + x2) / 2:.1f} {y1 - 18} {x2:.1f} {y2}"


def svg(trace: Trace, ident: str = "trace") -> str:
    """The whole window as one picture."""
    height = TOP + LANE * len(trace.cpus)
    scale = (WIDTH - LEFT - RIGHT) / max(1, trace.length)
    lanes = "".join(
        f'<text x="8" y="{TOP + i * LANE + 19}">CPU {cpu}</text>'
        for i, cpu in enumerate(trace.cpus)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" id="{ident}" width="{WIDTH}"'
        f' height="{height}" viewBox="0 0 {WIDTH} {height}"><style>{STYLE}</style>'
        '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6"'
        ' markerHeight="6" orient="auto"><path d="M0 0L8 4L0 8z" fill="#444"/></marker>'
        f'<clipPath id="lanes"><rect x="{LEFT}" y="0" width="{WIDTH - LEFT - RIGHT + 1}"'
        f' height="{height}"/></clipPath></defs>'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>{lanes}'
        f'<g clip-path="url(#lanes)">{axis(trace, scale, height)}'
        f"{run_bars(trace, scale)}{call_ticks(trace, scale)}"
        f"{wake_arrows(trace, scale)}</g></svg>"
    )


def legend(trace: Trace) -> str:
    """A row for each process: colour, name, time on CPUs, system calls."""
    rows = []
    for pid, colour in colours(trace).items():
        time = sum(r.end - r.start for r in trace.runs if r.what == pid)
        turns = sum(1 for r in trace.runs if r.what == pid)
        calls = sum(1 for c in trace.calls if c.where == pid)
        share = 100 * time / max(1, trace.length * len(trace.cpus))
        rows.append(
            f'<tr><td><i style="background:{colour}"></i>{escape(trace.name(pid))}'
            f"<td>{duration(time)}<td>{share:.1f} %<td>{turns}<td>{calls or '-'}"
        )
    return (
        "<table><tr><th>process<th>time on CPUs<th>share<th>turns<th>system calls"
        f'{"".join(rows)}</table>'
    )


PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Lux9: trace</title>
<style>
body { font: 14px system-ui, sans-serif; margin: 20px; color: #222; max-width: 1200px; }
svg { border: 1px solid #ccc; cursor: grab; display: block; }
table { border-collapse: collapse; margin-top: 14px; }
td, th { padding: 2px 14px 2px 0; text-align: right; }
td:first-child, th:first-child { text-align: left; }
i { display: inline-block; width: 14px; height: 14px; margin-right: 7px;
    vertical-align: -2px; border: 1px solid #888; }
</style>
<h1>What the CPUs did</h1>
<p>@SUMMARY@  A bar is a turn of a process, a tick below it the start of a system
call, an arrow leads from a wake-up to the turn it caused.  Point at any of them
for its times.  <b>Wheel</b> or <b>+</b> <b>-</b>: zoom; <b>drag</b> or arrow keys:
move; <b>0</b>: all.</p>
@SVG@
@LEGEND@
<script>
const L = @LENGTH@, LEFT = @LEFT@, W = @INNER@, svg = document.getElementById("trace");
let from = 0, span = L;
const unit = ns => { for (const [u, s] of [["s", 1e9], ["ms", 1e6], ["µs", 1e3]])
    if (ns >= s) return +(ns / s).toPrecision(6) + " " + u;
    return Math.round(ns) + " ns"; };
const set = (e, o) => { for (const k in o) e.setAttribute(k, o[k]); };
const items = [...svg.querySelectorAll("[data-t]")].map(g => ({ g, t: +g.dataset.t,
    d: +g.dataset.d, n: g.dataset.n || "", s: g.querySelector("rect, line"),
    l: g.querySelector("text"), y: g.dataset.y && g.dataset.y.split(" ").map(Number) }));
function axis() {
    let step = 1; while (step * 10 < span / 8) step *= 10;
    step *= [1, 2, 5, 10].find(n => step * n >= span / 8);
    let text = "", h = svg.getAttribute("height");
    for (let t = Math.ceil(from / step) * step; t <= from + span; t += step) {
        const x = LEFT + (t - from) * W / span;
        text += `<line x1="${x}" x2="${x}" y1="32" y2="${h - 4}"/>` +
            `<text x="${x + 3}" y="28">${unit(t)}</text>`;
    }
    document.getElementById("axis").innerHTML = text;
}
function draw() {
    span = Math.min(L, Math.max(span, 200)); from = Math.min(L - span, Math.max(0, from));
    const k = W / span, free = {};
    axis();
    for (const i of items) {
        const x = LEFT + (i.t - from) * k, w = i.d * k;
        i.g.style.display = x > LEFT + W || x + w < LEFT ? "none" : "";
        if (i.g.style.display) continue;
        if (i.y) {
            const [a, b] = i.y;
            i.g.setAttribute("d", a != b ? `M${x} ${a}L${x + w} ${b}`
                : `M${x} ${a}Q${x + w / 2} ${a - 18} ${x + w} ${b}`);
        } else if (i.g.dataset.c) {
            const room = x > (free[i.g.dataset.c] || 0);
            if (room) free[i.g.dataset.c] = x + 6 * i.n.length + 6;
            set(i.s, { x1: x, x2: x }); i.l.setAttribute("x", x);
            i.l.textContent = room ? i.n : "";
        } else {
            const at = Math.max(x, LEFT), seen = Math.min(x + w, LEFT + W) - at;
            set(i.s, { x: x, width: Math.max(w, .4) }); i.l.setAttribute("x", at + 4);
            const fits = n => seen > 7 * n.length + 6;
            i.l.textContent = [i.n, i.n.split(" ")[0]].find(fits) || "";
        }
    }
}
function zoom(by, at) {
    const t = from + (at - LEFT) * span / W; span *= by;
    span = Math.min(L, Math.max(span, 200)); from = t - (at - LEFT) * span / W; draw();
}
svg.onwheel = e => { e.preventDefault(); zoom(e.deltaY > 0 ? 1.25 : .8, e.offsetX); };
svg.onpointerdown = e => { svg.setPointerCapture(e.pointerId); svg.style.cursor = "grabbing"; };
svg.onpointermove = e => { if (e.buttons) { from -= e.movementX * span / W; draw(); } };
svg.onpointerup = () => { svg.style.cursor = "grab"; };
onkeydown = e => {
    const mid = LEFT + W / 2;
    if (e.key == "+") zoom(.5, mid); else if (e.key == "-") zoom(2, mid);
    else if (e.key == "0") { from = 0; span = L; draw(); }
    else if (e.key == "ArrowLeft") { from -= span / 5; draw(); }
    else if (e.key == "ArrowRight") { from += span / 5; draw(); }
};
const asked = location.hash.match(/^#(\\d+),(\\d+)$/); /* #from,length in ns */
if (asked) { from = +asked[1]; span = +asked[2]; draw(); }
</script>
"""


SEQUENCE = """<h2>9P messages</h2>
<p>Time goes down.  Left are the processes that ask, right the connections to
servers; a dashed arrow is an answer.</p>
"""


def html(trace: Trace) -> str:
    """A page that needs nothing but itself."""
    inner = WIDTH - LEFT - RIGHT
    summary = (
        f"{len(trace.cpus)} CPUs, {duration(trace.length)}, "
        f"{len(trace.events)} events, {len(trace.calls)} system calls, "
        f"{len(trace.wakes)} wake-ups."
    )
    page = PAGE.replace("@SUMMARY@", summary).replace("@LENGTH@", str(trace.length))
    page = page.replace("@LEFT@", str(LEFT)).replace("@INNER@", str(inner))
    page = page.replace("@SVG@", svg(trace)).replace("@LEGEND@", legend(trace))
    return page + (SEQUENCE + sequence(trace) if trace.messages else "")
