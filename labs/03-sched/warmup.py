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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ask import Question, run  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
WORD = 8
TRAPFRAME = 22 * WORD  # struct trapframe: 15 registers, 2, 5 by the CPU
SWITCHFRAME = 7 * WORD  # struct switch_frame


def ranks() -> list[tuple[str, int]]:
    """The ranks of boot/lock.h that this lab's kernel uses, with their numbers."""
    text = (ROOT / "kernel/boot/lock.h").read_text(encoding="utf-8")
    rows = enumerate(re.findall(r"^    (RANK_\w+), +/\* (\w+)", text, re.M))
    return [(name, n) for n, (name, layer) in rows if layer in ("boot", "mmu", "sched")]


def questions(name: str) -> list[Question]:
    """What to ask this student, and the right answers."""
    rng = random.Random(zlib.crc32(name.encode()))
    order = ranks()
    (low, low_bit), (high, high_bit) = (
        order[i - 1] for i in sorted(rng.sample(range(1, len(order) + 1), 2))
    )
    top = 0xFFFFC00000000000 + rng.randrange(16, 4096) * 0x1000
    weight = rng.choice([25, 40, 125, 160, 250, 500])
    ran = rng.randrange(2, 40) * weight
    floor = rng.randrange(15, 90)
    slept = rng.randrange(0, floor - 11)
    promised = rng.choice([45, 50, 55, 60])
    deadline = rng.choice([4, 5, 8, 10])
    return [
        (
            f"A CPU holds {low} and {high}. What is its lock_ranks?",
            1 << low_bit | 1 << high_bit,
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


if __name__ == "__main__":
    sys.exit(run(__doc__, questions))
