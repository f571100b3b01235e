#!/usr/bin/env python3
"""C is formatted as .clang-format says, Python as black does.

clang-format's opinions change with its version, so that only 14 is asked.
Black is optional.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()


def clang_format() -> str | None:
    """A clang-format of version 14, or None."""
    for name in ("clang-format-14", "clang-format"):
        if shutil.which(name):
            run = subprocess.run(
                [name, "--version"], capture_output=True, encoding="utf-8"
            )
            if re.search(r"version 14\.", run.stdout):
                return name
    return None


def sources(*patterns: str) -> list[str]:
    """Files of the project, without what builds have left."""
    folders = ("kernel", "user", "grade", "tools")
    found = [p for f in folders for t in patterns for p in (ROOT / f).rglob(t)]
    return sorted(str(p.relative_to(ROOT)) for p in found)


def main() -> int:
    """Print what is formatted otherwise; status 1 if anything is."""
    status = 0
    tool = clang_format()
    if tool is None:
        print("check_format: no clang-format 14 here, C is not checked")
    elif sources("*.c", "*.h"):
        words = [tool, "--dry-run", *sources("*.c", "*.h")]
        run = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8")
        other = sorted(set(re.findall(r"^(\S+?):\d+:\d+: ", run.stderr, re.M)))
        if other:
            print(f"not formatted: {tool} -i {' '.join(other)}")
            status = 1
    if shutil.which("black"):
        words = ["black", "--check", *sources("*.py")]
        run = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8")
        other = re.findall(r"^would reformat (\S+)", run.stderr, re.M)
        if other:
            print(f"not formatted: black {' '.join(other)}")
            status = 1
    return 1 if status else 0


if __name__ == "__main__":
    sys.exit(main())
