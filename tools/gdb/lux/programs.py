"""lux program: user programs as GDB's own business.

A program's ELF in the build folder has what its copy in the boot archive has
not: lines and types.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

import gdb

from lux import kernel, processes
from lux.command import LuxCommand


def folder() -> Path:
    """Where the programs of the kernel that GDB has loaded were built."""
    return Path(gdb.objfiles()[0].filename).parent / "user"


def file(name: str) -> Path | None:
    """The ELF, with everything for debuggers, that a program was built as."""
    for kind in ("bin", "test"):
        path = folder() / kind / f"{Path(name).name}.elf"
        if path.exists():
            return path
    return None


def lines(name: str, addresses: list[int]) -> list[str]:
    """Function and source line of addresses in a program."""
    path = file(name)
    if path is None:
        return ["?"] * len(addresses)
    command = ["addr2line", "-fpe", str(path), *(hex(a) for a in addresses)]
    try:
        run = subprocess.run(command, capture_output=True, encoding="utf-8")
    except OSError:
        return ["?"] * len(addresses)
    text = run.stdout.replace(" at ??:?", "").replace(" at ./", "  ")
    return re.sub(r" \(discriminator \d+\)", "", text).splitlines()


def quoted(path: Path) -> str:
    """A path as one word of a command of GDB, whatever it contains."""
    return re.sub(r"""([\s\\'"])""", r"\\\1", str(path))


class Program(LuxCommand):
    """Load a program's symbols into GDB: lux program NAME|PID.

    Then `break main`, `list` and `print` know it, and `break *ADDRESS` stops
    where a fault was reported.  Only one program's are loaded at a time, since
    all programs use the same addresses."""

    word = "program"
    stage = 0
    loaded: Path | None = None

    def run(self, words: list[str]) -> Iterable[str]:
        """Exchange the symbols of one program for another's."""
        if len(words) != 1:
            raise ValueError("which? lux program NAME, or lux program PID")
        name = words[0]
        if name.isdigit():
            with kernel.kernel_view():
                name = kernel.text(processes.find(name)["name"])
        path = file(name)
        if path is None:
            raise LookupError(f"no program {name} in {folder()}")
        if Program.loaded is not None:
            gdb.execute(f"remove-symbol-file {quoted(Program.loaded)}", to_string=True)
        gdb.execute(f"add-symbol-file {quoted(path)}", to_string=True)
        Program.loaded = path
        yield f"symbols of {path}"
