"""Submissions that are too much alike, by Debian's similarity-tester (sim_c).

What the starter has already is taken out first, so that only what students
wrote themselves is compared.  sim_c looks at words, not at letters: other
names, comments and spaces hide nothing.
"""

from __future__ import annotations

import difflib
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

LEAST = 60  # per cent of one that must be in the other
RUN = 24  # words in a row that count as alike
SMALL = 400  # characters: less is not enough to compare


MISSING = "not compared: sim_c is not installed; install similarity-tester"


def available() -> bool:
    """Whether this host can compare."""
    return shutil.which("sim_c") is not None


def own_lines(text: str, starter: str) -> str:
    """The lines of a text that the starter does not have at that place."""
    new, old = text.splitlines(), starter.splitlines()
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    own: list[str] = []
    for what, _, _, start, end in matcher.get_opcodes():
        if what in ("insert", "replace"):
            own += new[start:end]
    return "\n".join(own) + "\n"


def own_work(files: dict[str, bytes], tree: Path) -> str:
    """All that a student has written in C, in one text."""
    parts = []
    for name in sorted(files):
        if name.endswith((".c", ".h")):
            starter = (tree / name).read_text(errors="replace", encoding="utf-8")
            parts.append(own_lines(files[name].decode(errors="replace"), starter))
    return "".join(parts)


def pairs(work: dict[str, str]) -> list[tuple[int, str, str]]:
    """(per cent, a, b): so much of a's work is in b's; highest first."""
    if not available():
        return []
    names = sorted(name for name, text in work.items() if len(text) >= SMALL)
    found: dict[tuple[str, str], int] = {}
    with tempfile.TemporaryDirectory(prefix="lux9-") as place:
        for at, name in enumerate(names):
            (Path(place) / f"{at}.c").write_text(work[name], encoding="utf-8")
        words = ["sim_c", "-p", "-t", str(LEAST), "-r", str(RUN), "-i"]
        run = subprocess.run(
            words,
            cwd=place,
            input="".join(f"{at}.c\n" for at in range(len(names))),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    form = r"^(\d+)\.c consists for (\d+) ?% of (\d+)\.c material"
    for a, part, b in re.findall(form, run.stdout, re.M):
        key = tuple(sorted((names[int(a)], names[int(b)])))
        found[key] = max(found.get(key, 0), int(part))  # type: ignore[index]
    return sorted(
        ((n, a, b) for (a, b), n in found.items()), key=lambda p: (-p[0], *p[1:])
    )
