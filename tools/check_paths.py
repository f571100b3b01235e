#!/usr/bin/env python3
"""Nothing in the tree names a place on its author's machine, or is unfinished.

Also: no tabs where spaces are the rule, no spaces at the ends of lines.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
PLACE = re.compile(r"(?<![\w.)])/(?:home|root|work|Users)/\w")
UNFINISHED = re.compile(r"\b(?:TODO|FIXME|XXX|HACK)\b")
SUFFIXES = {".c", ".h", ".asm", ".py", ".md", ".sh", ".def", ".ld", ".cfg", ".ini", ""}


def files() -> list[Path]:
    """The files under version control, or all files where there is no git."""
    words = ["git", "ls-files", "-co", "--exclude-standard"]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8")
    if run.returncode == 0 and run.stdout:
        return [ROOT / name for name in run.stdout.splitlines()]
    return [path for path in ROOT.rglob("*") if path.is_file()]


def main() -> int:
    """Print every line that is wrong; status 1 if there is one."""
    wrong = []
    for path in files():
        if path.suffix not in SUFFIXES or not path.is_file():
            continue
        if path.name == Path(__file__).name:
            continue
        for line in path.read_text(errors="replace", encoding="utf-8").splitlines():
            for what, bad in (
                ("a path of one machine", PLACE.search(line)),
                ("unfinished", UNFINISHED.search(line)),
                ("space at the end", re.search(r"[ \t]$", line)),
                ("tab", path.suffix in (".c", ".h", ".py") and "\t" in line),
            ):
                if bad:
                    wrong.append(f"{path.relative_to(ROOT)}: {what}: {line.strip()}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
