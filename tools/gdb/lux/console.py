"""lux log and lux type: the console of the machine, also when that has ended.

`make gdb` names in LUX9_CONSOLE the socket of the machine's serial line, and in
LUX9_CONSOLE_LOG the file that has what the machine printed.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

import gdb

from lux import kernel
from lux.command import LuxCommand, number

LAST = 5  # lines shown when the machine has ended


def log_file() -> Path | None:
    """Where the machine's output is kept on the host, in `make gdb`."""
    path = os.environ.get("LUX9_CONSOLE_LOG", "")
    return Path(path) if path and Path(path).exists() else None


def printable(line: str) -> str:
    """A line without what could upset a terminal."""
    return "".join(c if c.isprintable() or c == "\t" else "." for c in line)


def lines_of(data: bytes, last: int = 0) -> list[str]:
    """The (last) lines of what a console has shown."""
    text = data.decode("utf-8", "replace")
    lines = text.replace("\r", "").replace("\0", "").split("\n")
    if last:
        lines = lines[-last - (lines[-1] == "") :]
    return [printable(line) for line in lines]


def ring() -> bytes:
    """What the kernel keeps of its console's output."""
    log = kernel.value("console_log")
    size = log.type.sizeof
    end = int(kernel.value("console_log_end"))
    data = kernel.read_bytes(int(log.address), size)
    at = end % size
    return data[at:] + data[:at] if end > size else data[:end]


class Log(LuxCommand):
    """What the console has shown lately: lux log [LINES].

    Without LINES, all that the ring of boot/console.c still holds.  Before the
    kernel has started, or when the machine has ended: all that came out of
    its serial line."""

    word = "log"
    stage = 0

    def run(self, words: list[str]) -> Iterable[str]:
        """The last lines."""
        try:
            with kernel.kernel_view():
                data = ring()
        except kernel.Unready:
            file = log_file()
            if file is None:
                raise
            data = file.read_bytes()
        return lines_of(data, number(words[0]) if words else 0)


class Type(LuxCommand):
    """Type a line at the machine's console: lux type TEXT.

    The machine reads it when it runs on; what comes before the kernel has set up
    its serial port is lost.  Only in sessions of `make gdb`; the answer is in
    `lux log`."""

    word = "type"
    stage = 0
    line: socket.socket | None = None

    def run(self, words: list[str]) -> Iterable[str]:
        """Send the words to the serial line, which stays open."""
        path = os.environ.get("LUX9_CONSOLE", "")
        if Type.line is None and path:
            Type.line = socket.socket(socket.AF_UNIX)
            Type.line.settimeout(2)
            Type.line.connect(path)
        if Type.line is None:
            raise LookupError("this session was not started by `make gdb`")
        Type.line.sendall(" ".join(words).encode() + b"\n")
        return []


class Watch:
    """Says once what the console showed last, when the machine has ended."""

    seen = False  # a machine was attached

    def look(self, *_: object) -> None:
        """GDB calls this before each prompt."""
        if gdb.selected_inferior().threads():
            self.seen = True
        elif self.seen:
            self.seen = False
            self.report()

    def report(self) -> None:
        """The last lines of the console."""
        file = log_file()
        if file is None:
            return
        shown = [line for line in lines_of(file.read_bytes()) if line.strip()]
        if shown:
            print("The machine has ended.  The last lines on its console:")
            print("\n".join(f"    {line}" for line in shown[-LAST:]))
        else:
            print("The machine has ended, and its console is empty.")

    def start(self) -> None:
        """Be called by GDB from now on."""
        gdb.events.before_prompt.connect(self.look)
        gdb.events.stop.connect(self.attached)

    def attached(self, *_: object) -> None:
        """There is a machine."""
        self.seen = True
