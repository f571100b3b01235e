"""How a Lux9 command is made: a class whose docstring is its help.

A class with `word` becomes `lux WORD` and `lWORD`; `stage` is the first
layer that has what it shows (0: it needs no machine).  run() returns the lines to print.  What it
finds broken in the machine is an error message, never a Python traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import nullcontext
from types import ModuleType

import gdb

from lux import kernel


class Lux(gdb.Command):
    """Look at a running Lux9.

    Each command has a short name too: `lps` is `lux ps`.  Numbers may be C
    expressions: `lux walk &cpus`, `lux walk $rsp`."""

    def __init__(self) -> None:
        super().__init__("lux", gdb.COMMAND_STATUS, gdb.COMPLETE_NONE, True)


class LuxHelp(gdb.Command):
    """List Lux9's commands (`help lux WORD` tells more about one)."""

    def __init__(self) -> None:
        super().__init__("lux help", gdb.COMMAND_STATUS)

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Print what GDB's own help says of the prefix."""
        gdb.execute(f"help lux {argument}")


class LuxCommand(gdb.Command):
    """Base of all commands."""

    word = ""
    stage = 1

    def __init__(self) -> None:
        super().__init__(f"lux {self.word}", gdb.COMMAND_STATUS)
        gdb.execute(f"alias l{self.word} = lux {self.word}")

    def invoke(self, argument: str, from_tty: bool) -> None:
        """Run the command; GDB calls this."""
        try:
            with kernel.kernel_view() if self.stage else nullcontext():
                kernel.need(self.stage)
                for line in self.run(gdb.string_to_argv(argument)):
                    print(line)
        except kernel.Unready as error:
            raise gdb.GdbError(f"lux {self.word}: {error}") from None
        except gdb.GdbError:
            raise
        except (gdb.error, ValueError, LookupError) as error:
            raise gdb.GdbError(f"lux {self.word}: {error}") from None

    def run(self, words: list[str]) -> Iterable[str]:
        """The lines that the command prints."""
        raise NotImplementedError


def number(word: str) -> int:
    """A number or C expression as an unsigned 64-bit number; a function or
    structure stands for its address."""
    value = gdb.parse_and_eval(word)
    aggregates = (gdb.TYPE_CODE_FUNC, gdb.TYPE_CODE_STRUCT, gdb.TYPE_CODE_ARRAY)
    if value.type.strip_typedefs().code in aggregates:
        value = value.address
    return int(value) & (1 << 64) - 1


def table(rows: list[list[object]], right: str = "") -> list[str]:
    """Rows in columns; `right` has an 'r' for each column of numbers."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    lines = []
    for row in cells:
        parts = []
        for i, cell in enumerate(row):
            to_right = right[i : i + 1] == "r"
            parts.append(cell.rjust(widths[i]) if to_right else cell.ljust(widths[i]))
        lines.append("  ".join(parts).rstrip())
    return lines


def define(*modules: ModuleType) -> None:
    """Make GDB know the commands of these modules."""
    Lux()
    LuxHelp()
    for module in modules:
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, LuxCommand):
                if thing.word and thing.__module__ == module.__name__:
                    thing()
