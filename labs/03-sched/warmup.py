#!/usr/bin/env python3
"""The warm-up of lab 3: five predictions, with numbers of your own.

    python3 labs/03-sched/warmup.py NAME              asks
    python3 labs/03-sched/warmup.py NAME 1 2 3 4 5    checks your answers

NAME is any word, your login for example; the same word asks the same.  Work
the answers out on paper, look in GDB, and only then have them checked.
"""

from __future__ import annotations

import random
import re
import sys
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORD = 8
TRAPFRAME = 22 * WORD  # struct trapframe: 15 registers, 2, 5 by the CPU
SWITCHFRAME = 7 * WORD  # struct switch_frame


def ranks() -> list[str]:
    """The ranks of boot/lock.h, in order."""
    text = (ROOT / "kernel/boot/lock.h").read_text()
    names = re.findall(r"^    (RANK_\w+),", text, re.M)
    return [name for name in names if name != "RANK_COUNT"]


def questions(name: str) -> list[tuple[str, int]]:
    """What to ask this student, and the right answers."""
    rng = random.Random(zlib.crc32(name.encode()))
    order = ranks()
    low, high = sorted(rng.sample(range(1, len(order)), 2))
    top = 0xFFFFC00000000000 + rng.randrange(16, 4096) * 0x1000
    weight = rng.choice([25, 40, 125, 160, 250, 500])
    ran = rng.randrange(2, 40) * weight
    floor = rng.randrange(15, 90)
    slept = rng.randrange(0, floor - 11)
    promised = rng.choice([45, 50, 55, 60])
    deadline = rng.choice([4, 5, 8, 10])
    return [
        (
            f"A CPU holds {order[low]} and {order[high]}. What is its lock_ranks?",
            1 << low | 1 << high,
        ),
        (
            f"A kernel stack ends at {top:#x} (kstack_top). The process is new.\n"
            "   What is its ksp?",
            top - TRAPFRAME - SWITCHFRAME,
        ),
        (
            f"A group of weight {weight} ran {ran} ms. How many ms does its clock move?",
            ran * 100 // weight,
        ),
        (
            f"A group's floor is at {floor} ms, the quantum is 10 ms. A process that\n"
            f"   slept since {slept} ms is queued. What is its virtual time then, in ms?",
            max(slept, floor - 10),
        ),
        (
            f"{promised} % of a CPU are promised. A process asks for a period of 20 ms\n"
            f"   and a deadline of {deadline} ms. How much cost, in us, is admitted at most?",
            (90 - promised) * deadline * 10,
        ),
    ]


def main(words: list[str]) -> int:
    """Ask, or check."""
    if not words:
        print(__doc__)
        return 2
    asked = questions(words[0])
    if len(words) == 1:
        for n, (question, _) in enumerate(asked, 1):
            print(f"{n}. {question}")
        return 0
    status = 0
    for n, (_, right) in enumerate(asked, 1):
        try:
            given = int(words[n], 0)
        except (IndexError, ValueError):
            given = None
        print(f"{n}. {'right' if given == right else 'no: look again'}")
        status |= given != right
    return int(status)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
