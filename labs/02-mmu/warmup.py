#!/usr/bin/env python3
"""Questions before lab 2, with numbers of your own.

    python3 labs/02-mmu/warmup.py NAME              the questions
    python3 labs/02-mmu/warmup.py NAME 1 2 3 4 5    checks your five answers

Answers are numbers, decimal or 0x.  Predict first; then see in GDB who is
right, you or the machine; then have them checked.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ask import Question, run  # noqa: E402

PAGE = 4096
SIZES = [16, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024, 1360, 2048]


def questions(name: str) -> list[Question]:
    """Five questions, each with its answer and where to look again."""
    digest = hashlib.sha256(name.lower().encode()).digest()
    a, b, c, d, e = (int.from_bytes(digest[i : i + 4], "big") for i in range(0, 20, 4))
    start = 0x100000 + a % 200 * PAGE + 1 + a % (PAGE - 1)
    end = start + (3 + a % 40) * PAGE + b % PAGE
    va = (b % 255 + 1) << 39 | (c % 512) << 30 | (d % 512) << 21 | (e % 512) << 12
    order = c % 6
    pfn = (64 + c % 1000) << order
    last = va | 0x1FF000  # the last page of its PT
    pages = 2 + d % 2000
    n = 17 + e % 2000
    size = next(s for s in SIZES if s >= n)
    return [
        (
            f"A loader calls {start:#x} to {end:#x} usable.  How many frames is that?",
            end // PAGE - -(-start // PAGE),
            "a frame counts only if it is covered whole",
        ),
        (
            f"Which entry of the PD does the CPU read for {va:#x}?",
            va >> 21 & 511,
            "kernel/mmu/pt.c:pt_index, level 1; try `p pt_index(...)` in GDB",
        ),
        (
            f"Which frame heads the buddy of the block of order {order} at frame "
            f"{pfn:#x}?",
            pfn ^ 1 << order,
            "one bit differs",
        ),
        (
            f"In an empty space, {pages} pages are mapped from {last:#x} on.  "
            f"How many tables does that take, the root not counted?",
            tables(last, pages),
            "the first page is the last of its PT",
        ),
        (
            f"How many blocks of kmalloc({n}) fit in one slab?",
            PAGE // size,
            "kernel/mmu/kheap.c:sizes",
        ),
    ]


def tables(start: int, pages: int) -> int:
    """Tables below the root that map so many pages from start on."""
    found = set()
    for page in range(pages):
        va = start + page * PAGE
        found |= {(shift, va >> shift) for shift in (21, 30, 39)}
    return len(found)


if __name__ == "__main__":
    sys.exit(run(__doc__, questions))
