#!/usr/bin/env python3
"""Turn a linked kernel's line information into the table of boot/symbols.c.

Usage: objdump -w --dwarf=decodedline lux9.elf | lines.py > lines.c

A row says that the code from an address on, up to the next row's, comes from
a line of a file; line 0 is code of which nothing is known.  Where several rows
have one address, the last counts, as debuggers have it.  No input gives an
empty table: backtraces then name functions only.
"""

import re
import sys

TEXT_BASE = 0xFFFFFFFF80000000
ROW = re.compile(r"^(?:.*/)?([\w.-]+)\s+(\d+|-)\s+0x([0-9a-f]+)\b")

HEAD = """/* Made by tools/lines.py; see boot/symbols.c. */
#include "boot/symbols.h"

#define TEXT __attribute__((section(".symbols")))
"""


def rows(lines):
    """Sorted (offset from the kernel's base, file, line); line 0: unknown."""
    found = {}
    for text in lines:
        match = ROW.match(text)
        if not match or int(match[3], 16) < TEXT_BASE:
            continue
        offset = int(match[3], 16) - TEXT_BASE
        if match[2] != "-":
            found[offset] = (match[1], int(match[2]))
        else:
            found.setdefault(offset, ("", 0))
    return sorted((offset, *place) for offset, place in found.items())


def thinned(table):
    """The rows that differ from the one before."""
    last = None
    for offset, file, line in table:
        if (file, line) != last:
            yield offset, file, line
        last = (file, line)


def main():
    table = list(thinned(rows(sys.stdin)))
    files = sorted({file for _, file, _ in table} | {""})
    number = {file: i for i, file in enumerate(files)}
    print(HEAD)
    print("const char *const line_files[] TEXT = {")
    for file in files:
        print(f'    "{file}",')
    print(f"}};\n\nconst unsigned nline TEXT = {len(table)};")
    print("const struct line lines[] TEXT = {")
    for offset, file, line in table:
        print(f"    {{ 0x{offset:x}, {number[file]}, {line} }},")
    if not table:
        print("    { 0, 0, 0 },")
    print("};")


if __name__ == "__main__":
    main()
