"""lux at, lux mode, lux code: the machine before C, in 16, 32 or 64 bits.

GDB takes every instruction for a 64-bit one, since the kernel's file is.
What the CPU takes it for is in CS; QEMU's monitor shows that, with the base
and the control registers, whatever the mode.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from typing import NamedTuple

import gdb

from lux import kernel
from lux.command import LuxCommand, number

SHOWN = 6  # instructions
LONGEST = 15  # bytes of one
CR0 = {0: "PE", 1: "MP", 2: "EM", 3: "TS", 4: "ET", 5: "NE", 16: "WP"}
CR0 |= {29: "NW", 30: "CD", 31: "PG"}
CR4 = {4: "PSE", 5: "PAE", 7: "PGE", 9: "OSFXSR", 10: "OSXMMEXCPT", 11: "UMIP"}
CR4 |= {20: "SMEP", 21: "SMAP"}
EFER = {0: "SCE", 8: "LME", 10: "LMA", 11: "NXE"}


class State(NamedTuple):
    """What decides how a CPU reads its next instruction."""

    bits: int  # 16, 32 or 64
    base: int  # of CS
    pc: int  # from there
    registers: dict[str, int]  # CR0, CR3, CR4, EFER

    @property
    def mode(self) -> str:
        """What the manuals call it."""
        if self.registers["EFER"] & 1 << 10:
            return "long mode" if self.bits == 64 else "compatibility mode"
        return "protected mode" if self.registers["CR0"] & 1 else "real mode"


def state() -> State:
    """The selected CPU's state, as QEMU's monitor has it."""
    thread = gdb.selected_thread()
    if thread is None:
        raise kernel.Unready(kernel.no_machine())
    text = gdb.execute("monitor info registers -a", to_string=True)
    cpus = text.split("CPU#")[1:]
    mine = cpus[min(thread.num, len(cpus)) - 1]
    segment = re.search(r"^CS *=\S+ ([0-9a-f]+)", mine, re.M)
    kind = re.search(r"^CS .*\bCS(16|32|64)\b", mine, re.M)
    pc = re.search(r"\b[ER]IP=([0-9a-f]+)", mine)
    pairs = re.findall(r"\b(CR[034]|EFER) *=([0-9a-f]+)", mine)
    assert segment and pc
    return State(
        int(kind[1]) if kind else 16,
        int(segment[1], 16),
        int(pc[1], 16),
        {name: int(value, 16) for name, value in pairs},
    )


def bits_of(value: int, names: dict[int, str]) -> str:
    """The bits that are set, by name, from bit 0 on; others by number."""
    found = [names.get(n, f"bit {n}") for n in range(64) if value >> n & 1]
    return " ".join(found) or "none"


def label_at(address: int) -> str:
    """The label before an address, as <label+7>."""
    text = gdb.execute(f"info symbol {address:#x}", to_string=True)
    match = re.match(r"(\S+)(?: \+ (\d+))? in section", text)
    if not match:
        return ""
    return f"<{match[1]}{'+' + match[2] if match[2] else ''}>"


def instructions(at: State, count: int) -> Iterable[str]:
    """The next instructions as this mode reads them, each with its label."""
    memory = gdb.selected_inferior()
    data, start = b"", at.base + at.pc
    while len(data) < count * LONGEST:  # as far as memory can be read
        try:
            data += bytes(memory.read_memory(start + len(data), 1))
        except gdb.MemoryError:
            break
    words = ["ndisasm", "-b", str(at.bits), "-o", hex(start), "-"]
    run = subprocess.run(words, input=data, capture_output=True)
    for line in run.stdout.decode().splitlines()[:count]:
        address, _, code = line.split(None, 2)
        mark = "=>" if int(address, 16) == start else "  "
        yield f"{mark} {int(address, 16):#x} {label_at(int(address, 16)):26} {code}"


def mode_lines(at: State) -> Iterable[str]:
    """The mode, then the registers that make it, bit by bit."""
    r = at.registers
    paging = "on" if r["CR0"] >> 31 else "off"
    yield f"{at.bits}-bit code, {at.mode}, paging {paging}"
    yield f"CR4  {r['CR4']:#x}: {bits_of(r['CR4'], CR4)}"
    yield f"CR3  {r['CR3']:#x}: the top page table"
    yield f"EFER {r['EFER']:#x}: {bits_of(r['EFER'], EFER)}"
    yield f"CR0  {r['CR0']:#x}: {bits_of(r['CR0'], CR0)}"


class Mode(LuxCommand):
    """The CPU's mode, and the bits of CR4, EFER and CR0 by name: lux mode.

    It works from the first instruction on, before there is a kernel."""

    word = "mode"
    stage = 0

    def run(self, words: list[str]) -> Iterable[str]:
        """One line for the mode, one for each register."""
        return mode_lines(state())


class Code(LuxCommand):
    """The next instructions as the CPU reads them: lux code [N].

    GDB's own `x/i` takes 16-bit and 32-bit code for 64-bit code."""

    word = "code"
    stage = 0

    def run(self, words: list[str]) -> Iterable[str]:
        """N instructions, from the one that is executed next."""
        return instructions(state(), number(words[0]) if words else SHOWN)


class At(LuxCommand):
    """Run to a label, a function or an address: lux at PLACE.

    Labels of entry.asm count, before the kernel has started too; `make gdb
    AT=PLACE` does this first.  Then it shows mode and instructions."""

    word = "at"
    stage = 0

    def run(self, words: list[str]) -> Iterable[str]:
        """Go there and look around."""
        if len(words) != 1:
            raise LookupError("which label? `lux at check_loader`")
        place = words[0].lstrip("*")
        if re.fullmatch(r"[A-Za-z_]\w*\.\w+", place):  # a local label of NASM's
            place = f"'{place}'"
        wanted = number(place)
        gdb.execute(f"thbreak *({place})", to_string=True)
        try:
            gdb.execute("continue")
        except gdb.error:  # the connection closed
            if gdb.selected_thread() is not None:
                raise
        if gdb.selected_thread() is None:
            name = label_at(wanted).strip("<>") or place
            raise LookupError(f"the machine ended before {name}")
        at = state()
        if at.base + at.pc != wanted:
            yield f"this is not {place}: something else stopped the machine"
        yield next(iter(mode_lines(at)))
        yield from instructions(at, SHOWN)
