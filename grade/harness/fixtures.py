"""Files that tests put into the boot archive, made from a seed.

A guest test names one of these functions by `files: name`; it gets the build
and the seed and gives contents by path.
"""

from __future__ import annotations

import io
import os
import random
import struct
import tarfile
from pathlib import Path

from grade.harness.build import Variant

# offset and size of the fields of an ELF64 header and of a program header
HEADER = {
    "magic": (0, 4), "class": (4, 1), "data": (5, 1), "version": (6, 1),
    "type": (16, 2), "machine": (18, 2), "entry": (24, 8), "phoff": (32, 8),
    "shoff": (40, 8), "ehsize": (52, 2), "phentsize": (54, 2), "phnum": (56, 2),
    "shentsize": (58, 2), "shnum": (60, 2), "shstrndx": (62, 2),
}  # fmt: skip
SEGMENT = {
    "type": (0, 4), "flags": (4, 4), "offset": (8, 8), "vaddr": (16, 8),
    "filesz": (32, 8), "memsz": (40, 8), "align": (48, 8),
}  # fmt: skip
EDGES = [
    0, 1, 7, 0xFFF, 0x1000, 0x400000, 0x3FFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF,
    0x7FFF_FFFF_F000, 0x7FFF_FFFF_FFFF, 0x8000_0000_0000, 0x8000_0000_0000_0000,
    0xFFFF_8000_0000_0000, 0xFFFF_FFFF_8010_0000, 0xFFFF_FFFF_FFFF_F000,
    0xFFFF_FFFF_FFFF_FFFF,
]  # fmt: skip


def archive_with(archive: Path, files: dict[str, bytes], place: Path) -> None:
    """Write a copy of a boot archive with more files to place."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        with tarfile.open(archive) as old:
            for member in old.getmembers():
                tar.addfile(member, old.extractfile(member))
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(data), 0o755
            tar.addfile(info, io.BytesIO(data))
    part = place.with_suffix(f".{os.getpid()}")
    part.write_bytes(made.getvalue())
    part.replace(place)


def _put(elf: bytes, at: int, size: int, value: int) -> bytes:
    mask = (1 << size * 8) - 1
    return elf[:at] + (value & mask).to_bytes(size, "little") + elf[at + size :]


def hostile_elf(variant: Variant, seed: int) -> dict[str, bytes]:
    """Programs with one lie each, and some with several; 240 of them."""
    elf = (variant.dir / "user/root/bin/true").read_bytes()
    (phoff,) = struct.unpack_from("<Q", elf, 32)
    (phnum,) = struct.unpack_from("<H", elf, 56)
    chance = random.Random(seed)
    places = [(at, size) for at, size in HEADER.values()]
    for n in range(phnum):
        places += [(phoff + 56 * n + at, size) for at, size in SEGMENT.values()]
    made = [elf[:length] for length in (0, 1, 3, 4, 63, 64, 65, phoff + 55, 200)]
    made += [_put(elf, at, size, value) for at, size in places for value in EDGES]
    chance.shuffle(made)
    made = made[:190]
    for _ in range(50):
        wild = elf
        for _ in range(chance.randrange(2, 6)):
            at, size = chance.choice(places)
            value = chance.choice([chance.getrandbits(64), *EDGES])
            wild = _put(wild, at, size, value)
        made.append(wild)
    return {f"wild/{number:03}": data for number, data in enumerate(made)}
