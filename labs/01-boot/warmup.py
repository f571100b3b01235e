#!/usr/bin/env python3
"""Questions before lab 1, with numbers of your own.

    python3 labs/01-boot/warmup.py NAME              the questions
    python3 labs/01-boot/warmup.py NAME 1 2 3 4 5    checks your five answers

Answers are numbers, decimal or 0x.  Predict first, by hand and with the
manual; then have them checked.
"""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from ask import Question, run  # noqa: E402

MAGIC = 0xE85250D6
KERNEL_BASE = 0xFFFFFFFF80000000


def questions(name: str) -> list[Question]:
    """Five questions, each with its answer and where to look again."""
    digest = hashlib.sha256(name.lower().encode()).digest()
    a, b, c, d, e = (int.from_bytes(digest[i : i + 4], "big") for i in range(0, 20, 4))
    length = 24 + a % 12 * 8
    pa = 0x101000 + b % 400 * 4096 + b % 4096
    large = 1 + c % 2047
    baud = (2400, 4800, 9600, 19200, 38400, 57600)[d % 6]
    tss = KERNEL_BASE + 0x120000 + e % 4096 * 64
    limit = 103
    entry = limit | (tss & 0xFFFFFF) << 16 | 0x89 << 40 | (tss >> 24 & 0xFF) << 56
    return [
        (
            f"A Multiboot2 header for i386 is {length} bytes long.  Its checksum?",
            -(MAGIC + length) & 0xFFFFFFFF,
            "magic, architecture 0, length and checksum add up to 0 in 32 bits",
        ),
        (
            f"Physical address {pa:#x}: where does the kernel see it in the map of "
            f"its image, and not by DIRECT_BASE?",
            KERNEL_BASE + pa,
            "an addition; docs/01-boot.md, `Where things lie`",
        ),
        (
            f"Entry number {large} of the 2,048 in boot_pd: its value?",
            large << 21 | 0x83,
            "present, writable, large, and where its 2 MiB begin",
        ),
        (
            f"Which divisor gives a 16550 a speed of {baud} bits a second?",
            115200 // baud,
            "1 gives 115200",
        ),
        (
            f"A TSS of 104 bytes lies at {tss:#x}.  The first word (64 bits) of its "
            f"descriptor?",
            entry,
            "base in three pieces, the last at bit 56; limit 103; type 0x89; "
            "docs/nasm-x86.md, `Segments`",
        ),
    ]


if __name__ == "__main__":
    sys.exit(run(__doc__, questions))
