#!/usr/bin/env python3
"""The manual that goes into the boot archive: tools/manual.py DIR source...

Each program says with -h what it does, by its `usage`; from that come its page
DIR/man/NAME and its line of DIR/help.  What user/man/NAME adds follows on the
page; a file there that no program is called like is a page of its own.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

PAGES = Path("user/man")
USAGE = re.compile(
    r'^static const char usage\[\] =\s*((?:"(?:[^"\\]|\\.)*"\s*)+);', re.M
)
STRING = re.compile(r'"((?:[^"\\]|\\.)*)"')


def usage_of(source: Path) -> str:
    """The usage text of a program's source; "" if it has none."""
    found = USAGE.search(source.read_text(encoding="utf-8"))
    if not found:
        return ""
    text = "".join(STRING.findall(found[1]))
    return re.sub(r"\\(.)", lambda m: {"n": "\n", "t": "\t"}.get(m[1], m[1]), text)


def first_sentence(usage: str) -> str:
    """What the program does, in the words behind the lines on how to call it."""
    lines = usage.splitlines()
    called = 1
    while called < len(lines) and lines[called].startswith("       "):
        called += 1
    text = " ".join(line.strip() for line in lines[called:])
    return textwrap.shorten(re.split(r"[.:;](?: |$)", text)[0], 66)


def program_of(source: Path) -> str:
    """user/cmd/ls.c belongs to ls, user/cmd/sh/run.c to sh."""
    return source.parts[2].removesuffix(".c")


def main() -> None:
    """Write DIR/help and DIR/man."""
    target = Path(sys.argv[1])
    usages = {}
    for source in map(Path, sys.argv[2:]):
        usage = usage_of(source)
        if usage:
            usages[program_of(source)] = usage
    (target / "man").mkdir(parents=True)
    for name in sorted({*usages, *(page.name for page in PAGES.glob("*"))}):
        more = PAGES / name
        parts = [usages[name]] if name in usages else []
        parts += [more.read_text(encoding="utf-8")] if more.exists() else []
        (target / "man" / name).write_text("\n".join(parts), encoding="utf-8")
    rows = [f"{name:10} {first_sentence(text)}\n" for name, text in usages.items()]
    (target / "help").write_text("".join(sorted(rows)), encoding="utf-8")


if __name__ == "__main__":
    main()
