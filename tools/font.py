#!/usr/bin/env python3
"""Make the kernel's screen font from GRUB's copy of GNU Unifont.

Usage: font.py unicode.pf2 > font.c

Takes the 256 characters of code page 437, which is also what a VGA screen has
in its own memory: ASCII, Western European letters, box drawing.  A file in
GRUB's PFF2 format is a list of sections (name, big-endian length, bytes); CHIX
gives each character's place, and there stand width, height, x and y offset,
device width (16 bits each), then rows of bits without padding.  Described at
https://www.gnu.org/software/grub/manual/grub-dev/html_node/Font-Metrics.html
and by GRUB's own reader.
"""

import struct
import sys

HEIGHT, WIDTH, BASELINE = 16, 8, 14

# The pictures that code page 437 shows for control characters.
PICTURES = "\0☺☻♥♦♣♠•◘○◙♂♀♪♫☼►◄↕‼¶§▬↨↑↓→←∟↔▲▼"


def sections(data):
    """Yield (name, start, length) up to the DATA section, which is last."""
    at = 0
    while at + 8 <= len(data):
        name, length = struct.unpack_from(">4sI", data, at)
        if name == b"DATA":
            return
        yield name, at + 8, length
        at += 8 + length


def char_index(data):
    """Map each code point to the place of its glyph in the file."""
    for name, start, length in sections(data):
        if name == b"CHIX":
            entries = struct.iter_unpack(">IBI", data[start : start + length])
            return {code: place for code, _flags, place in entries}
    sys.exit("font.py: no character index: is this a PFF2 file?")


def rows(data, place):
    """The glyph at `place` as HEIGHT numbers, bit 7 the leftmost pixel."""
    width, height, x, y, _ = struct.unpack_from(">HHhhh", data, place)
    picture = [0] * HEIGHT
    for i in range(width * height):
        if data[place + 10 + i // 8] & 0x80 >> i % 8:
            row, column = BASELINE - y - height + i // width, x + i % width
            if 0 <= row < HEIGHT and 0 <= column < WIDTH:
                picture[row] |= 0x80 >> column
    return picture


def main():
    with open(sys.argv[1], "rb") as file:
        data = file.read()
    index = char_index(data)
    chars = PICTURES + bytes(range(32, 127)).decode() + "⌂"
    chars += bytes(range(128, 256)).decode("cp437")
    print('/* Made by tools/font.py from GNU Unifont. */\n#include "boot/screen.h"\n')
    print("const uint8_t font[GLYPHS][GLYPH_HEIGHT] = {")
    for char in chars:
        place = index.get(ord(char), index[ord(" ")])
        print("    {", ", ".join(f"0x{row:02x}" for row in rows(data, place)), "},")
    print("};\n\nconst struct font_code font_codes[] = {")
    codes = sorted((ord(c), i) for i, c in enumerate(chars) if ord(c) >= 0x80)
    for code, glyph in codes:
        print(f"    {{ 0x{code:04x}, 0x{glyph:02x} }},")
    print(f"}};\nconst unsigned nfont_code = {len(codes)};")


if __name__ == "__main__":
    main()
