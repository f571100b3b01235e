#!/usr/bin/env python3
"""make hint STEP=2.3: the next hint for a step; N=2: a certain one.

Hints stand in labs/NN-name/hints.toml; which were shown is noted in
build/hints, so that `make clean` begins anew.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

try:
    import tomllib
except ImportError:  # Python before 3.11
    import tomli as tomllib  # type: ignore[no-redef]

ROOT = Path(__file__).resolve().parents[1]
SEEN = ROOT / "build" / "hints"


def hints_of(step: str) -> list[str]:
    """The hints for a step; none if there is no such step."""
    for path in (ROOT / "labs").glob(f"{int(step.split('.')[0]):02}-*/hints.toml"):
        known = tomllib.loads(path.read_text(encoding="utf-8"))
        return [text.strip() for text in known.get("hints", known).get(step, [])]
    return []


def next_number(step: str, count: int) -> int:
    """The first hint that was not shown yet, or the last."""
    seen = SEEN.read_text(encoding="utf-8").split() if SEEN.exists() else []
    return min(seen.count(step) + 1, count)


def main(arguments: list[str]) -> int:
    """Show a hint; status 2 for a wrong question, 1 if there is none."""
    if not arguments or not re.fullmatch(r"\d+\.\d+", arguments[0]):
        print("make hint STEP=2.3 shows the next hint for step 2.3; N=2: the second")
        return 2
    step = arguments[0]
    hints = hints_of(step)
    if not hints:
        print(f"there are no hints for a step {step}")
        return 1
    number = next_number(step, len(hints))
    last = len(arguments) == 1 and number == len(hints)
    if len(arguments) > 1:
        if not arguments[1].isdigit() or not 1 <= int(arguments[1]) <= len(hints):
            print(f"step {step} has the hints 1 to {len(hints)}")
            return 2
        number = int(arguments[1])
    else:
        SEEN.parent.mkdir(exist_ok=True)
        with SEEN.open("a", encoding="utf-8") as seen:
            seen.write(f"{step}\n")
    print(f"Step {step}, hint {number} of {len(hints)}:\n\n{hints[number - 1]}")
    if last:
        print("\nThat is the last one.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
