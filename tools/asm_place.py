#!/usr/bin/env python3
"""Take the tree's own place out of the debugging information of NASM's objects.

    asm_place.py OBJECT...

NASM writes the absolute path of a source's folder into .debug_info, as
DW_AT_comp_dir, and has no option against it: two trees in two folders would
give two different kernels.  "." takes its place, as in what gcc makes of C.
The string is part of the section, so all that follows it moves: the rest of
the unit, and the relocations that point there (ELF-64, DWARF 3).
"""

from __future__ import annotations

import os
import re
import struct
import sys
from pathlib import Path

SECTION = struct.Struct("<IIQQQQIIQQ")  # sh_name .. sh_entsize: elf(5)
RELOCATION = 24  # bytes of an Elf64_Rela, whose first eight are an offset


def sections(data: bytes) -> dict[str, tuple[int, int, int]]:
    """By name: where a section's header, its bytes and their end are."""
    (table,) = struct.unpack_from("<Q", data, 0x28)
    _, count, names = struct.unpack_from("<HHH", data, 0x3A)
    heads = [table + SECTION.size * n for n in range(count)]
    rows = [SECTION.unpack_from(data, head) for head in heads]
    found = {}
    for head, row in zip(heads, rows):
        start = rows[names][4] + row[0]
        name = data[start : data.index(b"\0", start)].decode()
        found[name] = (head, row[4], row[4] + row[5])
    return found


def without_place(data: bytes, place: bytes) -> bytes:
    """An object whose compilation directory is "." instead of one below place."""
    known = sections(data)
    if ".debug_info" not in known:
        return data
    head, begin, end = known[".debug_info"]
    match = re.search(b"\0(" + re.escape(place) + b"[^\0]*)\0", data[begin:end])
    if match is None:
        return data
    at, cut = match.start(1), len(match[1]) - 1
    info = data[begin : begin + at] + b"." + data[begin + match.end(1) : end]
    (length,) = struct.unpack_from("<I", info)
    new = bytearray(data)
    new[begin:end] = struct.pack("<I", length - cut) + info[4:] + bytes(cut)
    struct.pack_into("<Q", new, head + 32, end - begin - cut)  # sh_size
    _, first, last = known.get(".rela.debug_info", (0, 0, 0))
    for relocation in range(first, last, RELOCATION):
        (offset,) = struct.unpack_from("<Q", new, relocation)
        if offset > at:
            struct.pack_into("<Q", new, relocation, offset - cut)
    return bytes(new)


def main() -> int:
    """Change the objects that the arguments name."""
    place = os.fsencode(os.path.realpath("."))
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_bytes(without_place(path.read_bytes(), place))
    return 0


if __name__ == "__main__":
    sys.exit(main())
