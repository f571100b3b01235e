#!/usr/bin/env python3
"""Turn `nm` of a linked kernel into the C table that boot/symbols.c searches.

Usage: nm -n lux9.elf | symbols.py > symbols.c

Only functions (types T, t, W, w) count.  Names are sorted by address and, for
equal addresses, by name, so that the same kernel gives the same table.
"""

import sys

HEAD = """/* Made by tools/symbols.py; see boot/symbols.c. */
#include "boot/symbols.h"

#define TEXT __attribute__((section(".symbols")))
"""


def functions(lines):
    """Yield (address, name) of each function, one name an address."""
    found = {}
    for line in lines:
        fields = line.split()
        if len(fields) != 3 or fields[1] not in "TtWw":
            continue
        address, name = int(fields[0], 16), fields[2]
        if address >= 0xFFFFFFFF80000000:
            found[address] = min(name, found.get(address, name))
    return sorted(found.items())


def main():
    table = functions(sys.stdin)
    print(HEAD)
    print(f"const unsigned nsymbol TEXT = {len(table)};")
    print("const struct symbol symbols[] TEXT = {")
    for address, name in table:
        print(f'    {{ 0x{address:x}, "{name}" }},')
    if not table:
        print("    { 0, 0 },")
    print("};")


if __name__ == "__main__":
    main()
