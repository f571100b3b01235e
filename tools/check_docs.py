#!/usr/bin/env python3
"""What the documents name exists: files, names in files, make targets.

In Markdown, `kernel/mmu/pt.c:pt_walk` means a name that the file has, a path
in backquotes a file, `make word` a target.  Line numbers are not allowed:
they are wrong after the next change.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
CODE = re.compile(r"`([^`\n]+)`")
NAMED = re.compile(r"^([\w./-]+/[\w.-]+|Makefile):([\w.-]+)$")
FILE = re.compile(
    r"^\.?(?:kernel|user|grade|tools|docs|labs|\.ci|\.devcontainer)/[\w./-]+$"
)
TARGET = re.compile(r"^make +((?:[a-z][\w-]* *)*)")


def targets() -> set[str]:
    """The Makefile's targets."""
    path = ROOT / "Makefile"
    text = path.read_text() if path.exists() else ""
    names: set[str] = set()
    for line in re.findall(r"^([\w $()-]+):(?!=)", text, re.M):
        names.update(line.split())
    return names


def wrong_in(document: Path, known: set[str]) -> list[str]:
    """What this document names and does not exist."""
    wrong = []
    text = document.read_text()
    for code in CODE.findall(text) + re.findall(r"^ +(make .*)$", text, re.M):
        named = NAMED.match(code)
        if named and named[2].isdigit():
            wrong.append(f"line number: {code}")
        elif named:
            path = ROOT / named[1]
            if not path.exists():
                wrong.append(f"no such file: {code}")
            elif not re.search(rf"\b{re.escape(named[2])}\b", path.read_text()):
                wrong.append(f"no such name: {code}")
        elif FILE.match(code) and not (ROOT / code).exists():
            wrong.append(f"no such file: {code}")
        match = TARGET.match(code)
        for word in match[1].split() if match else []:
            if word not in known:
                wrong.append(f"no such target: make {word}")
    place = document.relative_to(ROOT)
    return [f"{place}: {text}" for text in wrong]


def main() -> int:
    """Print all of it; status 1 if there is any."""
    documents = sorted(ROOT.glob("*.md")) + [
        path for f in ("docs", "grade", "labs") for path in (ROOT / f).rglob("*.md")
    ]
    known = targets()
    wrong = [text for document in documents for text in wrong_in(document, known)]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
