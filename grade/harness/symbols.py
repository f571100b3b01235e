"""Symbols of a kernel's ELF: addresses to names, names to addresses, lines."""

from __future__ import annotations

import bisect
import functools
import subprocess
from pathlib import Path


class Symbols:
    """The symbol table of one ELF, read once with nm."""

    def __init__(self, elf: Path) -> None:
        self.elf = elf
        out = subprocess.run(
            ["nm", "-n", str(elf)], capture_output=True, encoding="utf-8", check=True
        ).stdout
        rows = [line.split() for line in out.splitlines()]
        full = [row for row in rows if len(row) == 3]
        self.address = {row[2]: int(row[0], 16) for row in full}
        text = [(int(row[0], 16), row[2]) for row in full if row[1] in "tTwW"]
        self._starts = [address for address, _ in text]
        self._names = [name for _, name in text]

    def __getitem__(self, name: str) -> int:
        return self.address[name]

    def __contains__(self, name: str) -> bool:
        return name in self.address

    def name(self, address: int) -> str:
        """`symbol+0x12` for an address in the text, else the number."""
        at = bisect.bisect_right(self._starts, address) - 1
        if at < 0 or address - self._starts[at] > 0x10000:
            return f"{address:#x}"
        return f"{self._names[at]}+{address - self._starts[at]:#x}"

    def lines(self, addresses: list[int]) -> list[str]:
        """`file:line` for each address, as addr2line knows it."""
        if not addresses:
            return []
        command = ["addr2line", "-e", str(self.elf)] + [hex(a) for a in addresses]
        run = subprocess.run(command, capture_output=True, encoding="utf-8")
        return (
            run.stdout.splitlines()
            if run.returncode == 0
            else ["??:0"] * len(addresses)
        )


@functools.lru_cache(maxsize=16)
def _symbols(elf: Path, mtime: float) -> Symbols:
    return Symbols(elf)


def symbols(elf: Path) -> Symbols:
    """The symbols of an ELF, from memory if it has not changed since."""
    return _symbols(elf, elf.stat().st_mtime)
