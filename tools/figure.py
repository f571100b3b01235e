#!/usr/bin/env python3
"""Draw the book's figures: docs/figures/*.py to docs/figures/*.svg.

    figure.py            write every figure that changed
    figure.py --check    list the figures that are not what their source draws

A source defines functions that take a Figure and draw into it; the function
`lost_wakeup` of `03_processes.py` draws `03-lost-wakeup.svg`.  Colours are CSS
variables, so that a figure can be read on paper and on a dark page.
"""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from html import escape
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "docs/figures"
FONT = 13  # pixels
MONO = 7.8  # the width of a character of code at that size
LINE = 17  # from one line of text to the next

STYLE = """
.figure { --ink: #1c1c1c; --soft: #6b6b6b; --paper: #ffffff; --cool: #dbe9f6;
  --warm: #fbe3d0; --good: #dcefdc; --bad: #f6d5d5; }
@media screen and (prefers-color-scheme: dark) { .figure { --ink: #ececec;
  --soft: #a5a5a5; --paper: #1e2129; --cool: #24405c; --warm: #5f4023;
  --good: #274a2b; --bad: #632d2d; } }
.figure text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.figure .code { font-family: ui-monospace, monospace; }
.figure .head { font-weight: bold; }
.figure .soft { fill: var(--soft); }
.figure .box { fill: var(--paper); stroke: var(--ink); }
.figure .cool { fill: var(--cool); } .figure .warm { fill: var(--warm); }
.figure .good { fill: var(--good); } .figure .bad { fill: var(--bad); }
.figure .line { stroke: var(--ink); fill: none; }
.figure .thin { stroke: var(--soft); fill: none; stroke-dasharray: 2 4; }
.figure .dash { stroke-dasharray: 6 4; }
.figure .point { fill: var(--ink); }
"""


class Figure:
    """A drawing of a given size; coordinates in pixels, from the top left."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.width = 0.0
        self.height = 0.0

    def reach(self, x: float, y: float) -> None:
        """Make room for a point."""
        self.width = max(self.width, x)
        self.height = max(self.height, y)

    def text(
        self, x: float, y: float, words: str, look: str = "", at: str = "start"
    ) -> None:
        """A line of text; `look`: code, head, soft; `at`: start, middle, end."""
        style = f' class="{look}"' if look else ""
        anchor = f' text-anchor="{at}"' if at != "start" else ""
        space = ' xml:space="preserve"' if "  " in words or words[:1] == " " else ""
        self.parts.append(
            f'<text x="{x:g}" y="{y:g}"{style}{anchor}{space}>{escape(words)}</text>'
        )
        share = {"start": 1.0, "middle": 0.5, "end": 0.0}[at]
        self.reach(x + len(words) * MONO * share, y + 4)

    def lines(self, x: float, y: float, words: str, look: str = "code") -> None:
        """Several lines of text, the first at y."""
        for number, line in enumerate(words.splitlines()):
            self.text(x, y + number * LINE, line, look)

    def box(
        self, x: float, y: float, w: float, h: float, words: str = "", look: str = ""
    ) -> None:
        """A box with lines of text in its middle; `look`: cool, warm, good, bad."""
        self.parts.append(
            f'<rect class="{f"box {look}".strip()}" x="{x:g}" y="{y:g}"'
            f' width="{w:g}" height="{h:g}" rx="3"/>'
        )
        rows = words.splitlines()
        top = y + h / 2 - (len(rows) - 1) * LINE / 2 + 4.5
        for number, line in enumerate(rows):
            self.text(x + w / 2, top + number * LINE, line, "", "middle")
        self.reach(x + w, y + h)

    def path(self, points: list[tuple[float, float]], look: str = "line") -> None:
        """A line through points."""
        way = "L".join(f"{x:g} {y:g}" for x, y in points)
        self.parts.append(f'<path class="{look}" d="M{way}"/>')
        for x, y in points:
            self.reach(x, y)

    def arrow(
        self,
        points: list[tuple[float, float]],
        words: str = "",
        look: str = "line",
        above: float = 6,
    ) -> None:
        """A line with a head at its end, and a text at its first half's middle."""
        way = "L".join(f"{x:g} {y:g}" for x, y in points)
        self.parts.append(f'<path class="{look}" d="M{way}" marker-end="url(#head)"/>')
        for x, y in points:
            self.reach(x, y)
        if words:
            (x1, y1), (x2, y2) = points[0], points[1]
            self.text((x1 + x2) / 2, (y1 + y2) / 2 - above, words, "", "middle")

    def svg(self) -> str:
        """The drawing as a file."""
        w, h = round(self.width + 12), round(self.height + 12)
        marker = (
            '<defs><marker id="head" viewBox="0 0 8 8" refX="7" refY="4"'
            ' markerWidth="8" markerHeight="8" orient="auto">'
            '<path class="point" d="M0 0L8 4L0 8z"/></marker></defs>'
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" class="figure" width="{w}"'
            f' height="{h}" viewBox="0 0 {w} {h}">\n<style>{STYLE}</style>\n{marker}\n'
            f'<rect width="{w}" height="{h}" style="fill: var(--paper)"/>\n'
            + "\n".join(self.parts)
            + "\n</svg>\n"
        )


class Lanes:
    """What several actors do, time running down: a column each."""

    def __init__(
        self,
        figure: Figure,
        names: list[str],
        x: float = 20,
        y: float = 20,
        wide: float = 300,
    ) -> None:
        self.figure, self.wide, self.x, self.top = figure, wide, x, y
        self.y = y + 34
        self.names = names
        self.stop = 0.0  # where the lanes' lines end: above a remark
        for number, name in enumerate(names):
            figure.text(self.middle(number), y, name, "head", "middle")

    def middle(self, lane: int) -> float:
        """The x of a lane's line."""
        return self.x + self.wide * lane + self.wide / 2

    def step(self, lane: int, words: str, look: str = "", gap: float = 8) -> None:
        """The lane's actor does something, and no other actor meanwhile."""
        rows = words.splitlines()
        tall = len(rows) * LINE + 8
        left = self.x + self.wide * lane + 8
        self.figure.box(left, self.y, self.wide - 16, tall, "", look)
        self.figure.lines(left + 8, self.y + 17, words)
        self.y += tall + gap

    def message(
        self, sender: int, receiver: int, words: str, look: str = "line"
    ) -> None:
        """An arrow from lane to lane."""
        self.y += 18
        self.figure.arrow(
            [(self.middle(sender), self.y), (self.middle(receiver), self.y)],
            words,
            look,
        )
        self.y += 12

    def note(self, words: str, lane: int = 0) -> None:
        """A remark across the lanes."""
        self.stop = self.stop or self.y
        self.y += 14
        for line in words.splitlines():
            self.figure.text(self.x + self.wide * lane + 8, self.y, line, "soft")
            self.y += LINE

    def end(self) -> float:
        """Draw the lanes' own lines behind all that; the y below them."""
        for number in range(len(self.names)):
            x = self.middle(number)
            line = f"M{x:g} {self.top + 8:g}V{self.stop or self.y:g}"
            self.figure.parts.insert(0, f'<path class="thin" d="{line}"/>')
        self.figure.reach(self.x + self.wide * len(self.names), self.y)
        return self.y


def versus(
    figure: Figure, wrong: str, right: str, names: list[str]
) -> tuple[Lanes, Lanes]:
    """The lanes of a wrong run, and beside them those of the right one."""
    figure.text(230, 20, f"wrong: {wrong}", "head", "middle")
    figure.text(720, 20, f"right: {right}", "head", "middle")
    return Lanes(figure, names, 10, 44, 220), Lanes(figure, names, 500, 44, 220)


def figures() -> Iterator[tuple[Path, str]]:
    """Each figure's file and what its source draws."""
    for source in sorted(SOURCES.glob("[0-9][0-9]_*.py")):
        chapter = source.name[:2]
        names = runpy.run_path(str(source))
        for name, draw in names.items():
            if isinstance(draw, Callable) and getattr(draw, "__code__", None):
                if draw.__code__.co_filename == str(source) and name[0] != "_":
                    figure = Figure()
                    draw(figure)
                    file = f"{chapter}-{name.replace('_', '-')}.svg"
                    yield SOURCES / file, figure.svg()


def main(words: list[str]) -> int:
    """Write or check the figures; status 1 if one is not what it should be."""
    drawn = dict(figures())
    kept = {path: path.read_text(encoding="utf-8") for path in SOURCES.glob("*.svg")}
    stale = sorted(p for p in drawn.keys() | kept.keys() if drawn.get(p) != kept.get(p))
    for path in stale:
        print(path.relative_to(ROOT).as_posix())
        if "--check" in words:
            continue
        if path in drawn:
            path.write_text(drawn[path], encoding="utf-8")
        else:
            path.unlink()
    return 1 if stale and "--check" in words else 0


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "tools"))
    sys.exit(main(sys.argv[1:]))
