#!/usr/bin/env python3
"""Before step 3.7: be the program file that lies.

    python3 labs/03-sched/attack.py NAME                  what is wanted
    python3 labs/03-sched/attack.py NAME OFFSET FILESZ    tries your two numbers

In the boot archive a file `secret` ends where your program begins.  A careless
kernel checks a segment by `offset + filesz <= size`, in 64 bits, and then maps
the bytes from file + offset on.  Numbers are decimal or 0x.
"""

from __future__ import annotations

import hashlib
import sys

SIZE = 8192  # of your program's file
SECRET = 4096  # of the file before it
WORD = 1 << 64


def wanted(name: str) -> int:
    """How many of the secret's last bytes are to be shown."""
    return (
        16
        + int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:2], "big")
        % 4000
    )


def try_it(offset: int, filesz: int, want: int) -> tuple[bool, str]:
    """Whether the attack works, and what happens."""
    if not (0 <= offset < WORD and 0 <= filesz < WORD):
        return False, "both fields of the file have 64 bits: 0 to 2^64 - 1"
    if (offset + filesz) % WORD > SIZE:
        return False, "refused: even the careless kernel sees that this ends too late"
    if offset <= SIZE and filesz <= SIZE - offset:
        return False, "accepted by every kernel: these bytes are your own file's"
    start = offset - WORD if offset >= WORD // 2 else offset
    if start >= 0 or start < -SECRET:
        return (
            False,
            f"accepted, but file + offset is {start:+} from your file: no secret",
        )
    shown = min(-start, filesz)
    if shown != want or filesz < want:
        return (
            False,
            f"accepted! but it shows {shown} bytes of the secret, not the last {want}",
        )
    return True, (
        f"accepted: your program reads the last {want} bytes of `secret`.\n"
        "Now write the check that refuses this, and adds nothing."
    )


def main(words: list[str]) -> int:
    """Ask, or try; status 1 if the attack fails, 2 for words that fit nothing."""
    if len(words) == 1:
        print(f"Your file has {SIZE} bytes. The {SECRET} bytes before it are `secret`.")
        print(
            f"Which offset and filesz show you exactly its last {wanted(words[0])} bytes,"
        )
        print("if the kernel checks only that offset + filesz <= size?")
        return 0
    try:
        name, offset, filesz = words[0], int(words[1], 0), int(words[2], 0)
    except (IndexError, ValueError):
        print(__doc__)
        return 2
    works, text = try_it(offset, filesz, wanted(name))
    print(text)
    return 0 if works else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
