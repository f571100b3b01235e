#!/usr/bin/env python3
"""The fuzzer's inputs as one text file: a line of hexadecimal digits each.

corpus.py unpack DIR   makes a file of each line, as libFuzzer wants them
corpus.py pack DIR     writes all lines again from the files of DIR
"""

from __future__ import annotations

import sys
from pathlib import Path

KEPT = Path(__file__).with_suffix(".txt")


def unpack(place: Path) -> None:
    """A file for each line kept."""
    place.mkdir(parents=True, exist_ok=True)
    for number, line in enumerate(KEPT.read_text(encoding="utf-8").split()):
        (place / f"{number:04}").write_bytes(bytes.fromhex(line))


def pack(place: Path) -> None:
    """A line for each file, shortest first."""
    inputs = {path.read_bytes() for path in place.iterdir() if path.is_file()}
    lines = [data.hex() for data in sorted(inputs, key=lambda d: (len(d), d)) if data]
    KEPT.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[1] not in ("pack", "unpack"):
        sys.exit(__doc__)
    (pack if sys.argv[1] == "pack" else unpack)(Path(sys.argv[2]))
