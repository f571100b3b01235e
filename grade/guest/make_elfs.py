#!/usr/bin/env python3
"""Write program files that lie: `make_elfs.py FOLDER`.

Each is one small correct program with one thing changed.  The name tells what
exec must do: bad-* is refused as "exec header invalid", good-* runs and
succeeds, any-* (random changes) may do either, as long as the kernel lives.
"""

from __future__ import annotations

import random
import struct
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

BASE = 0x400000  # USER_BASE
TOP = 0x00007FFFFFFFF000  # USER_TOP
R, W, X = 4, 2, 1
LOAD, DYNAMIC, INTERP, NOTE = 1, 2, 3, 4
EXITS = 5  # the system call; rdi = 0 is success
CODE = b"\x31\xff\xb8" + struct.pack("<I", EXITS) + b"\x0f\x05\x0f\x0b"
MAX64 = (1 << 64) - 1


@dataclass(frozen=True)
class Segment:
    """One program header."""

    type: int = LOAD
    flags: int = R | X
    offset: int = 0
    vaddr: int = BASE
    filesz: int = 0x1000
    memsz: int = 0x1000
    align: int = 0x1000

    def pack(self) -> bytes:
        """As it stands in the file."""
        head = struct.pack("<II", self.type, self.flags)
        sizes = (self.offset, self.vaddr, self.vaddr, self.filesz, self.memsz)
        return head + struct.pack("<6Q", *sizes, self.align)


TEXT = Segment()
DATA = Segment(flags=R | W, offset=0x1000, vaddr=BASE + 0x1000)


@dataclass(frozen=True)
class Elf:
    """A program file: one page of headers and code, one of data."""

    segments: tuple[Segment, ...] = (TEXT, DATA)
    magic: bytes = b"\x7fELF"
    ident: bytes = b"\x02\x01\x01" + bytes(9)
    type: int = 2
    machine: int = 62
    entry: int = BASE + 0x800
    phoff: int = 64
    phentsize: int = 56
    phnum: int = -1  # -1: as many as there are
    size: int = 0x2000
    code: bytes = field(default=CODE)

    def pack(self) -> bytes:
        """The file."""
        count = len(self.segments) if self.phnum < 0 else self.phnum
        head = self.magic + self.ident
        head += struct.pack(
            "<HHIQQQ", self.type, self.machine, 1, self.entry, self.phoff, 0
        )
        head += struct.pack("<IHHHHHH", 0, 64, self.phentsize, count, 64, 0, 0)
        head += b"".join(segment.pack() for segment in self.segments)
        body = head.ljust(0x800, b"\0") + self.code
        return body.ljust(max(self.size, len(body)), b"\0")[: self.size]


def text(**changes: int) -> Elf:
    """The program with its text segment changed."""
    return Elf(segments=(replace(TEXT, **changes), DATA))


def data(**changes: int) -> Elf:
    """The program with its data segment changed."""
    return Elf(segments=(TEXT, replace(DATA, **changes)))


def with_more(*more: Segment) -> Elf:
    """The program with more program headers."""
    return Elf(segments=(TEXT, DATA, *more))


CASES: dict[str, Elf] = {
    "good-plain": Elf(),
    "good-text-only": Elf(segments=(TEXT,), size=0x1000),
    "good-bss": data(filesz=0, memsz=0x100000),
    "good-data-tail": data(filesz=0x123, memsz=0x4567),
    "good-other-headers": with_more(Segment(type=NOTE, offset=MAX64, filesz=MAX64)),
    "good-empty-segment": with_more(Segment(vaddr=0, filesz=0, memsz=0)),
    "good-unaligned-end": Elf(size=0x900, segments=(replace(TEXT, filesz=0x900),)),
    "bad-empty": Elf(size=0),
    "bad-one-byte": Elf(size=1),
    "bad-half-a-header": Elf(size=63),
    "bad-header-only": Elf(size=64),
    "bad-half-a-program-header": Elf(size=64 + 55),
    "bad-magic": Elf(magic=b"\x7fELG"),
    "bad-zeros": Elf(magic=bytes(4), ident=bytes(12), type=0, machine=0, entry=0),
    "bad-32-bit": Elf(ident=b"\x01\x01\x01" + bytes(9)),
    "bad-big-endian": Elf(ident=b"\x02\x02\x01" + bytes(9)),
    "bad-relocatable": Elf(type=1),
    "bad-shared-object": Elf(type=3),
    "bad-core": Elf(type=4),
    "bad-machine": Elf(machine=183),
    "bad-phoff-at-end": Elf(phoff=0x2000),
    "bad-phoff-near-end": Elf(phoff=0x2000 - 56),
    "bad-phoff-outside": Elf(phoff=1 << 40),
    "bad-phoff-wraps": Elf(phoff=MAX64 - 55),
    "bad-phoff-negative": Elf(phoff=MAX64),
    "bad-no-program-header": Elf(phnum=0),
    "bad-65535-program-headers": Elf(phnum=65535),
    "bad-phnum-past-the-end": Elf(phnum=(0x2000 - 64) // 56 + 1),
    "bad-phentsize-0": Elf(phentsize=0),
    "bad-phentsize-32": Elf(phentsize=32),
    "bad-phentsize-65535": Elf(phentsize=65535),
    "bad-no-load": Elf(segments=(Segment(type=NOTE),)),
    "bad-interpreter": with_more(Segment(type=INTERP, filesz=8, memsz=8)),
    "bad-dynamic": with_more(Segment(type=DYNAMIC, filesz=16, memsz=16)),
    "bad-offset-outside": data(offset=0x10000),
    "bad-offset-wraps": data(offset=MAX64 - 0xFFF),
    "bad-file-too-short": data(filesz=0x1001, memsz=0x2000),
    "bad-filesz-huge": data(filesz=MAX64, memsz=MAX64),
    "bad-filesz-more-than-memsz": data(filesz=0x1000, memsz=0xFFF),
    "bad-memsz-wraps": data(memsz=MAX64 - BASE),
    "bad-memsz-huge": data(memsz=1 << 63),
    "bad-memsz-into-kernel": data(memsz=1 << 47),
    "bad-vaddr-null": data(vaddr=0),
    "bad-vaddr-first-page": data(vaddr=0x1000),
    "bad-vaddr-below-base": text(vaddr=BASE - 0x1000),
    "bad-vaddr-kernel": data(vaddr=0xFFFFFFFF80100000),
    "bad-vaddr-direct-map": data(vaddr=0xFFFF800000000000),
    "bad-vaddr-not-canonical": data(vaddr=1 << 47),
    "bad-vaddr-top": data(vaddr=TOP),
    "bad-vaddr-last-page": data(vaddr=TOP - 0x1000, memsz=0x2000),
    "bad-vaddr-end-of-space": data(vaddr=MAX64 - 0xFFF, memsz=0x1000),
    "bad-on-the-stack": data(vaddr=TOP - 0x2000),
    "bad-offset-misaligned": text(vaddr=BASE + 0x10),
    "bad-write-and-execute": text(flags=R | W | X),
    "bad-write-execute-only": text(flags=W | X),
    "bad-no-permission": data(flags=0),
    "bad-overlap-same": data(vaddr=BASE),
    "bad-overlap-end": Elf(segments=(replace(TEXT, memsz=0x1001), DATA)),
    "bad-overlap-page": data(vaddr=BASE + 0xF00, offset=0x1F00, filesz=8, memsz=8),
    "bad-falling-order": Elf(segments=(DATA, TEXT)),
    "bad-entry-zero": Elf(entry=0),
    "bad-entry-kernel": Elf(entry=0xFFFFFFFF80100000),
    "bad-entry-not-canonical": Elf(entry=1 << 47),
    "bad-entry-before": Elf(entry=BASE - 1),
    "bad-entry-behind": Elf(entry=BASE + 0x2000),
    "bad-entry-in-data": Elf(entry=BASE + 0x1000),
    "bad-too-many-segments": Elf(
        segments=tuple(
            replace(TEXT, vaddr=BASE + n * 0x1000, flags=R | X if n == 0 else R)
            for n in range(33)
        )
    ),
}


def mutate(seed: int) -> bytes:
    """The good program with random bytes of its headers changed."""
    rng = random.Random(seed)
    file = bytearray(Elf(size=0x1000 if seed % 2 else 0x2000).pack())
    for _ in range(rng.randint(1, 6)):
        at = rng.randrange(4, 64 + 2 * 56)
        file[at] = rng.choice([0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)])
    return bytes(file)


def main() -> None:
    """Write them all."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    files = {name: elf.pack() for name, elf in CASES.items()}
    files |= {f"any-{seed:03}": mutate(seed) for seed in range(100)}
    for name, content in files.items():
        path = folder / name
        path.write_bytes(content)
        path.chmod(0o755)


if __name__ == "__main__":
    main()
