"""Who sent which 9P message, as a sequence picture: SVG, time goes down.

A line down for each process that asked, in order of pid, and for each
connection to a server; an arrow with the message's text for each message.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trace import Trace  # tools/trace.py

LINE, GAP, TOP, LEFT = 24, 300, 56, 130  # heights and widths, pixels
MOST = 400  # messages in one picture

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #222; }
.time { font-size: 10px; fill: #555; text-anchor: end; }
.head { text-anchor: middle; font-weight: bold; }
.life { stroke: #999; stroke-dasharray: 2 3; }
.ask { stroke: #0072b2; } .answer { stroke: #d55e00; stroke-dasharray: 6 3; }
.what { text-anchor: middle; }
"""


def sequence(trace: Trace) -> str:
    """The picture of the trace's messages, the first MOST of them."""
    shown = trace.messages[:MOST]
    asking = sorted({m.pid for m in shown if m.kind[0] == "T"})
    lines: list[tuple[str, int]] = [("process", pid) for pid in asking]
    lines += [("connection", n) for n in sorted({m.conn for m in shown})]
    at = {line: LEFT + GAP // 2 + i * GAP for i, line in enumerate(lines)}
    asked: dict[tuple[int, int], int] = {}  # who waits for the tag's answer
    height, parts = TOP + LINE * (len(shown) + 1), []
    for line, x in at.items():
        name = trace.name(line[1]) if line[0] == "process" else f"server {line[1]}"
        parts.append(f'<text class="head" x="{x}" y="20">{escape(name)}</text>')
        parts.append(
            f'<line class="life" x1="{x}" x2="{x}" y1="30" y2="{height - 8}"/>'
        )
    for row, m in enumerate(shown):
        ask = m.kind[0] == "T"
        if ask:
            asked[m.conn, m.tag] = m.pid
        pid = asked.get((m.conn, m.tag), m.pid)
        ends = [at.get(("process", pid), LEFT), at["connection", m.conn]]
        x1, x2 = ends if ask else ends[::-1]
        y = TOP + row * LINE
        parts.append(
            f'<text class="time" x="{LEFT - 20}" y="{y + 4}">{m.ns / 1000:.1f} µs</text>'
            f'<line class="{"ask" if ask else "answer"}" x1="{x1}" x2="{x2}" y1="{y}"'
            f' y2="{y}" marker-end="url(#point)"/>'
            f'<text class="what" x="{(x1 + x2) / 2:.0f}" y="{y - 4}">'
            f"{escape(m.text())}</text>"
        )
    width = LEFT + GAP * max(1, len(lines))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
        f' viewBox="0 0 {width} {height}"><style>{STYLE}</style><defs><marker'
        ' id="point" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7"'
        ' markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#444"/>'
        f'</marker></defs><rect width="{width}" height="{height}" fill="#fff"/>'
        f'{"".join(parts)}</svg>'
    )
