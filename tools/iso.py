#!/usr/bin/env python3
"""Make the ISO with GRUB's own program, and look whether it can boot.

    iso.py ISO FOLDER

Without GRUB's modules for a firmware, grub-mkrescue writes a disc that no
firmware starts, and says nothing.  The boot catalog (El Torito 1.0, 2.0) lists
what a disc is for: the platforms 0 (BIOS) and 0xEF (UEFI).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

# Debian and Arch, Fedora, Homebrew
NAMES = ("grub-mkrescue", "grub2-mkrescue", "i686-elf-grub-mkrescue")
BIOS, UEFI = 0, 0xEF
SECTOR = 2048


def platforms(disc: Path) -> set[int]:
    """The platforms of a disc's boot catalog."""
    with disc.open("rb") as file:
        file.seek(17 * SECTOR)
        record = file.read(SECTOR)
        if record[7:30] != b"EL TORITO SPECIFICATION":
            return set()
        file.seek(int.from_bytes(record[0x47:0x4B], "little") * SECTOR)
        catalog = file.read(SECTOR)
    found = {catalog[1]}  # of the first entry; others follow a header of theirs
    heads = [catalog[at : at + 2] for at in range(64, SECTOR, 32)]
    return found | {head[1] for head in heads if head[:1] in (b"\x90", b"\x91")}


def main() -> int:
    """Make the disc; a mistake is a line, and leaves none."""
    disc, folder = map(Path, sys.argv[1:3])
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        print(f"{NAMES[0]}: not found; see `make doctor`", file=sys.stderr)
        return 1
    run = subprocess.run(
        [program, "-o", str(disc), str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    if run.returncode != 0:
        sys.stderr.buffer.write(run.stdout)
        return 1
    wanted = UEFI if os.environ.get("UEFI") else BIOS
    if wanted in platforms(disc):
        return 0
    disc.unlink()
    name = "UEFI" if wanted else "BIOS"
    print(
        f"{disc}: would not boot (no GRUB modules for {name}); see `make doctor`",
        file=sys.stderr,
    )
    return 1


if __name__ == "__main__":
    sys.exit(main())
