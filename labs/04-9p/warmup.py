#!/usr/bin/env python3
"""The warm-up of lab 4: five predictions, with numbers of your own.

    python3 labs/04-9p/warmup.py NAME              asks
    python3 labs/04-9p/warmup.py NAME 1 2 3 4 5    checks your answers

NAME is any word, your login for example; the same word asks the same.  Work
the answers out on paper, look in GDB, and only then have them checked.
"""

from __future__ import annotations

import random
import re
import sys
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ask import Question, run  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
HEAD = 4 + 1 + 2  # size[4] type[1] tag[2]
IOHDRSZ = 24


def message_numbers() -> dict[str, int]:
    """The types of lux/fcall.h."""
    text = (ROOT / "kernel/include/lux/fcall.h").read_text(encoding="utf-8")
    found = re.search(r"Tversion = (\d+),(.*?)Tmax", text, re.S)
    assert found
    body = re.sub(r"/\*.*?\*/", "", found[2])
    names = ["Tversion", *re.findall(r"\w+", body)]
    return {name: int(found[1]) + n for n, name in enumerate(names)}


def questions(name: str) -> list[Question]:
    """What to ask this student, and the right answers."""
    rng = random.Random(zlib.crc32(name.encode()))
    words = rng.sample(["usr", "glenda", "lib", "profile", "tmp", "bin", "rc"], 3)
    asked = rng.choice(["Rwalk", "Tread", "Ropen", "Twrite", "Tclunk", "Rerror"])
    msize = rng.choice([512, 1024, 2048, 8192])
    messages = rng.randrange(2, 9)
    size = messages * (msize - IOHDRSZ) + rng.randrange(1, msize - IOHDRSZ)
    closed = sorted(rng.sample(range(3, 12), 3))
    length = rng.randrange(1 << 16, 1 << 24)
    return [
        (
            f"How many bytes has a Twalk of the names {' '.join(words)}?",
            HEAD + 4 + 4 + 2 + sum(2 + len(word) for word in words),
        ),
        (f"What number is the type of {asked}?", message_numbers()[asked]),
        (
            f"The agreed size is {msize}. A program reads {size + 5000} bytes of a file\n"
            f"   that has {size}. How many Treads does the kernel send?",
            messages + 1,
        ),
        (
            f"A process has the descriptors 0 to 12 open. It closes {closed[2]}, "
            f"{closed[0]}, {closed[1]}\n   and opens two files. Which number has "
            "the second?",
            closed[1],
        ),
        (
            f"A message says that it has {length:#x} bytes. What is its second byte,\n"
            "   counted from 1?",
            length >> 8 & 0xFF,
        ),
    ]


if __name__ == "__main__":
    sys.exit(run(__doc__, questions))
