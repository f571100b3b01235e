"""Lab 1 from outside: steps that come before the kernel can tell of itself.

The machine is stopped at a label or a function, and registers, tables and
ports are compared with what must be there.  Functions of C are called from
here, one at a time, before `boot_init` has run: what a step is worth does not
depend on the steps behind it.
"""

from __future__ import annotations

import re
import socket
import struct
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Callable, Iterator

import pytest

from grade.harness import GuestFailure, Machine, Setup, Variant, run
from grade.harness.paging import mappings
from grade.harness.stub import REGISTERS, Stub
from grade.harness.symbols import symbols

KERNEL_BASE = 0xFFFFFFFF80000000
DIRECT_BASE = 0xFFFF800000000000
GIB = 1 << 30
MULTIBOOT2_MAGIC = 0x36D76289
PVH_MAGIC = 0x336EC578
CALL_STACK = 0x1000  # from boot_stack; texts for calls lie below
MAX_CPUS = 8  # kernel/include/lux/limits.h
U64 = (1 << 64) - 1


@pytest.fixture(scope="session")
def kernel(build: Callable[..., Variant]) -> Path:
    """The ELF of the stage 1 kernel with its tests."""
    return build(Variant(stage=1)).kernel


@dataclass
class Early:
    """A machine that is stopped somewhere before the kernel runs by itself."""

    machine: Machine
    stub: Stub

    def address(self, name: str) -> int:
        """Of a symbol, at which 32-bit code knows it if that comes first."""
        assert self.machine.setup.kernel is not None
        return symbols(self.machine.setup.kernel)[name]

    def low(self, name: str) -> int:
        """The physical address of a symbol."""
        return self.address(name) & 0x7FFFFFFF

    def run_to(self, address: int, name: str) -> None:
        """Run to an address; GuestFailure with the story if it does not come."""
        try:
            self.stub.run_to(address)
            if self.stub.registers()["rip"] == address:
                return
            self.stub.close()
        except ConnectionError:
            pass
        story = self.machine.wait().report()
        raise GuestFailure(f"the kernel does not come to {name}\n{story}")

    def reach(self, name: str) -> None:
        """Run to a label of the 32-bit code."""
        self.run_to(self.low(name), name)

    def main(self) -> "Early":
        """Run to the first instruction of C."""
        self.run_to(self.address("kernel_main"), "kernel_main")
        return self

    def call(self, name: str, *args: int, until: str = "kernel_main") -> int:
        """Call a function from kernel_main's first instruction; what it returns.

        The seventh argument and those that follow go on the stack.
        """
        back = self.address("kernel_main")
        rsp = self.address("boot_stack") + CALL_STACK - 8
        raw = bytearray.fromhex(self.stub.ask("g"))
        values = {"rip": self.address(name), "rsp": rsp, "rbp": 0, "rax": 0}
        values |= dict(zip(("rdi", "rsi", "rdx", "rcx", "r8", "r9"), args))
        for register, value in values.items():
            at = REGISTERS.index(register) * 8
            raw[at : at + 8] = (value & U64).to_bytes(8, "little")
        self.stub.ask("G" + raw.hex())
        words = [back, *args[6:]]
        packed = b"".join((word & U64).to_bytes(8, "little") for word in words)
        self.stub.write(rsp, packed)
        self.run_to(self.address(until), f"the end of {name}")
        return self.stub.registers()["rax"]

    def call_int(self, name: str, *args: int) -> int:
        """The same for a function that returns an int of C."""
        value = self.call(name, *args) & 0xFFFFFFFF
        return value - (value >> 31 << 32)

    def text(self, text: bytes, place: int = 0) -> int:
        """Put bytes where a call can read them; their address."""
        address = self.address("boot_stack") + place
        self.stub.write(address, text)
        return address

    def port(self, number: int) -> int:
        """What reading an I/O port gives."""
        return int(self.machine.qmp.hmp(f"i/b {number:#x}").split("=")[1], 16)

    def cpu(self) -> str:
        """QEMU's view of the CPU."""
        return self.machine.qmp.hmp("info registers")

    def table(self, name: str) -> tuple[int, int]:
        """Base and limit of GDT or IDT, or of TR."""
        match = re.search(
            rf"^{name} *=.*?([0-9a-f]{{16}}) ([0-9a-f]{{8}})", self.cpu(), re.M
        )
        assert match is not None
        return int(match[1], 16), int(match[2], 16)

    def selector(self, name: str) -> int:
        """A segment register's selector."""
        match = re.search(rf"^{name} *=([0-9a-f]{{4}}) ", self.cpu(), re.M)
        assert match is not None
        return int(match[1], 16)

    def register(self, name: str) -> int:
        """A control register, EFER, or RIP and its like."""
        return self.machine.registers()[0][name]


@pytest.fixture
def early(kernel: Path) -> Iterator[Callable[..., Early]]:
    """A function that holds a machine before its first instruction."""
    machines = []

    def hold(**more: Any) -> Early:
        machine = Machine(Setup(kernel=kernel, hold=True, limit=4, **more))
        machines.append(machine)
        return Early(machine, machine.stub())

    yield hold
    for machine in machines:
        machine.close()


Hold = Callable[..., Early]


# ---- step 1.1: the Multiboot2 header ----


def header(kernel: Path) -> tuple[int, list[int]]:
    """Offset of the header in the file, and its words."""
    raw = kernel.read_bytes()[:32768]
    for at in range(0, len(raw) - 16, 8):
        if struct.unpack_from("<I", raw, at)[0] == 0xE85250D6:
            length = struct.unpack_from("<I", raw, at + 8)[0]
            count = min(length, len(raw) - at) // 4
            return at, list(struct.unpack_from(f"<{count}I", raw, at))
    raise AssertionError(
        "no Multiboot2 magic 0xe85250d6 on a multiple of 8 in the first 32 KiB"
    )


def header_tags(kernel: Path) -> list[tuple[int, int, int]]:
    """Type, flags and size of the header's tags, as a loader walks them."""
    _, words = header(kernel)
    tags, at = [], 4
    while at + 1 < len(words):
        kind, flags, size = words[at] & 0xFFFF, words[at] >> 16, words[at + 1]
        tags.append((kind, flags, size))
        if size < 8:
            break
        at += (size + 7) // 8 * 2
        if kind == 0:
            break
    assert at == len(words), (
        f"the tags {tags} (type, flags, size) end after {at * 4} bytes; the header "
        f"says that it has {len(words) * 4}"
    )
    return tags


def test_header_words(kernel: Path) -> None:
    """The header's four words are magic, architecture 0, length and checksum."""
    _, words = header(kernel)
    assert words[1] == 0, f"architecture {words[1]}; 0 is i386 protected mode"
    total = sum(words[:4]) & 0xFFFFFFFF
    assert total == 0, f"the four words add up to {total:#x}, not 0"


def test_header_tags(kernel: Path) -> None:
    """A loader that walks the tags comes to the end tag where the length says."""
    tags = header_tags(kernel)
    assert [kind for kind, _, _ in tags] == [
        4,
        5,
        0,
    ], f"tags (type, flags, size) {tags}"
    assert [size for _, _, size in tags] == [12, 20, 8], (
        f"tags (type, flags, size) {tags}: a size counts type, flags and size "
        f"themselves, and no padding"
    )


def test_header_wishes_are_optional(kernel: Path) -> None:
    """Text and framebuffer are wishes: a machine without them boots too."""
    flags = {kind: flags for kind, flags, _ in header_tags(kernel)}
    assert flags.get(4) == 1, "console flags tag: bit 0 of flags makes it optional"
    assert flags.get(5) == 1, "framebuffer tag: bit 0 of flags makes it optional"
    words = header(kernel)[1]
    assert words[6] == 2, f"console flags {words[6]:#x}; bit 1 says VGA text will do"
    assert words[10:13] == [0, 0, 32], f"framebuffer {words[10:13]}, not any size by 32"


# ---- step 1.2: checks ----


def said_before_stop(early: Early) -> str:
    """Let the machine run to its limit; what it said on the serial line."""
    early.stub.close()
    result = early.machine.wait()
    assert result.end == "halted", f"it does not stop: {result.report()}"
    return result.console


@pytest.mark.parametrize("cpu", ["max", "qemu64"])
def test_good_cpu_passes(early: Hold, cpu: str) -> None:
    """A CPU with long mode and NX passes, and the loader's words are kept."""
    e = early(cpu=cpu)
    e.reach("check_loader")
    before = e.stub.registers()
    e.reach("fill_page_tables")
    after = e.stub.registers()
    assert after["rdi"] == PVH_MAGIC, f"edi is {after['rdi']:#x}, not the magic number"
    assert after["rsi"] == before["rsi"], "esi has changed: the loader's data are lost"
    assert after["rsp"] == before["rsp"], "the stack is not as it was: pushes and pops"


def test_multiboot2_passes(early: Hold) -> None:
    """The magic number of Multiboot2 passes, whatever its data begin with."""
    e = early()
    e.reach("check_loader")
    e.stub.set_register("rdi", MULTIBOOT2_MAGIC)
    e.stub.set_register("rsi", e.low("boot_stack"))
    e.reach("fill_page_tables")


def test_other_loader_refused(early: Hold) -> None:
    """A loader that is neither Multiboot2 nor PVH is refused by a message."""
    e = early()
    e.reach("check_loader")
    e.stub.set_register("rdi", 0x2BADB002)  # Multiboot 1
    said = said_before_stop(e)
    assert "it was not loaded by" in said, f"it said {said!r}"


def test_false_pvh_refused(early: Hold) -> None:
    """The entry of PVH without its data is refused by a message."""
    e = early()
    e.reach("check_loader")
    e.stub.write(e.stub.registers()["rsi"], b"none")
    said = said_before_stop(e)
    assert "it was not loaded by" in said, f"it said {said!r}"


def test_no_long_mode_refused(early: Hold) -> None:
    """A CPU without long mode is refused by a message that says so."""
    said = said_before_stop(early(cpu="max,-lm"))
    assert "no 64-bit mode" in said, f"it said {said!r}"


@pytest.mark.parametrize(
    "cpu",
    [
        "max,xlevel=0x80000000",
        # no extended leaves at all: the CPU answers with leaf 0, whose eax is a
        # small number and whose edx, a part of the name, has both bits
        "max,xlevel=0,level=0,vendor=AuthenticAMD",
    ],
    ids=["one", "none"],
)
def test_no_leaf_refused(early: Hold, cpu: str) -> None:
    """A CPU whose CPUID does not go so far is one without long mode."""
    said = said_before_stop(early(cpu=cpu))
    assert "no 64-bit mode" in said, f"it said {said!r}"


def test_no_nx_refused(early: Hold) -> None:
    """A CPU without execute-disable is refused by a message that says so."""
    said = said_before_stop(early(cpu="max,-nx"))
    assert "no execute-disable bit" in said, f"it said {said!r}"


# ---- step 1.3: the first page tables ----


def first_tables(early: Early) -> list[Any]:
    """What the tables map when fill_page_tables has returned."""
    early.reach("enter_long_mode")
    return list(mappings(early.machine, early.low("boot_pml4")))


def check_range(found: list[Any], base: int, size: int) -> None:
    """All of [base, base + size) is mapped to physical 0 and what follows."""
    inside = {m.virtual: m for m in found if base <= m.virtual < base + size}
    for at in range(0, size, 2 << 20):
        m = inside.get(base + at)
        assert m is not None, f"{base + at:#x} is not mapped"
        assert (
            m.physical == at
        ), f"{base + at:#x} is mapped to {m.physical:#x}, not {at:#x}"
        assert (
            m.size == 2 << 20
        ), f"{base + at:#x}: a page of {m.size:#x} bytes, not 2 MiB"
        assert m.write, f"{base + at:#x} cannot be written"
        assert not m.user, f"{base + at:#x}: user programs may touch it"


def test_tables_identity(early: Hold) -> None:
    """The first 4 GiB are mapped to themselves, for the moment of the switch."""
    check_range(first_tables(early()), 0, 4 * GIB)


def test_tables_direct(early: Hold) -> None:
    """The first 4 GiB are mapped from DIRECT_BASE on."""
    check_range(first_tables(early()), DIRECT_BASE, 4 * GIB)


def test_tables_kernel(early: Hold) -> None:
    """The first GiB is mapped from KERNEL_BASE on."""
    check_range(first_tables(early()), KERNEL_BASE, GIB)


def test_tables_nothing_else(early: Hold) -> None:
    """Nothing else is mapped, and the loader's words are kept."""
    e = early()
    e.reach("fill_page_tables")
    before = e.stub.registers()
    found = first_tables(e)
    ranges = ((0, 4 * GIB), (DIRECT_BASE, 4 * GIB), (KERNEL_BASE, GIB))
    for m in found:
        assert any(
            base <= m.virtual < base + size for base, size in ranges
        ), f"{m.virtual:#x} is mapped, to {m.physical:#x}, but should not be"
    assert len(found) == 2048 + 2048 + 512
    after = e.stub.registers()
    for name in ("rdi", "rsi"):
        assert after[name] == before[name], f"e{name[1:]} has changed"
    assert after["rsp"] == before["rsp"] + 4, "esp is not what it was before the call"


# ---- step 1.4: long mode ----


def test_long_mode_bits(early: Hold) -> None:
    """C begins in long mode, with paging, NX and write protection on."""
    e = early().main()
    cr0, cr4, efer = (e.register(name) for name in ("CR0", "CR4", "EFER"))
    assert cr0 & 0x80010023 == 0x80010023, f"CR0 {cr0:#x}: PE MP NE WP PG are wanted"
    assert cr4 & 0x20, f"CR4 {cr4:#x}: PAE is wanted"
    assert efer & 0xD00 == 0xD00, f"EFER {efer:#x}: LME LMA NXE are wanted"
    assert e.register("CR3") == e.low("boot_pml4"), "CR3 is not boot_pml4's address"


def test_long_mode_segments(early: Hold) -> None:
    """C begins with a 64-bit code segment and the kernel's data segments."""
    e = early().main()
    assert e.selector("CS") == 0x08
    assert re.search(r"^CS =.* CS64 ", e.cpu(), re.M), "CS is no 64-bit segment"
    for name, wanted in {"DS": 0x10, "ES": 0x10, "SS": 0x10, "FS": 0, "GS": 0}.items():
        got = e.selector(name)
        assert got == wanted, f"{name} is {got:#x}, not {wanted:#x}"


def test_long_mode_null_faults(early: Hold) -> None:
    """When C begins the identity map is gone: a null pointer will fault."""
    e = early().main()
    found = list(mappings(e.machine, e.low("boot_pml4")))
    low = [m for m in found if m.virtual < 1 << 47]
    assert (
        not low
    ), f"{low[0].virtual:#x} is still mapped, and {len(low) - 1} more pages"
    assert len(found) == 2048 + 512


def test_long_mode_arguments(early: Hold) -> None:
    """kernel_main gets the magic number and the address of the loader's data."""
    e = early()
    e.reach("check_loader")
    info = e.stub.registers()["rsi"]
    e.run_to(e.address("higher_half"), "higher_half")
    regs = e.stub.registers()
    rubbish = 0xDEAD << 48  # what 32-bit code cannot see is undefined now
    for name in ("rdi", "rsi"):
        e.stub.set_register(name, regs[name] | rubbish)
    regs = e.main().stub.registers()
    assert regs["rdi"] == PVH_MAGIC, f"rdi is {regs['rdi']:#x}, not {PVH_MAGIC:#x}"
    assert regs["rsi"] == info, f"rsi is {regs['rsi']:#x}, not {info:#x}"


def test_long_mode_stack(early: Hold) -> None:
    """C begins on an empty stack, aligned as after a call, with rbp 0."""
    e = early().main()
    regs = e.stub.registers()
    top = e.address("boot_stack_top")
    assert (
        regs["rsp"] == top - 8
    ), f"rsp is {regs['rsp']:#x}, not {top - 8:#x} (top - 8)"
    assert e.stub.read(top - 8, 8) == bytes(8), "the word at rsp is not 0"
    assert regs["rbp"] == 0, f"rbp is {regs['rbp']:#x}: no backtrace would end here"


# ---- step 1.5: the serial port ----


def test_serial_registers(early: Hold) -> None:
    """The port is at 115200 bits a second, 8N1, FIFO on, no interrupts."""
    e = early().main()
    e.call("serial_init")
    assert e.port(0x3FB) == 0x03, f"LINE is {e.port(0x3FB):#x}: 8 bits, DLAB off, is 3"
    assert e.port(0x3F9) == 0, f"INTR is {e.port(0x3F9):#x}: no interrupts yet"
    assert e.port(0x3FC) == 0x0B, f"MODEM is {e.port(0x3FC):#x}, not DTR RTS OUT2"
    assert e.port(0x3FA) & 0xC0 == 0xC0, "the FIFOs are not on"
    e.machine.qmp.hmp("o/b 0x3fb 0x83")
    divisor = e.port(0x3F8) | e.port(0x3F9) << 8
    assert (
        divisor == 1
    ), f"the divisor is {divisor}: {115200 // max(divisor, 1)} bits a second"


def written(early: Hold, text: bytes, **more: Any) -> tuple[bytes, str]:
    """What serial_write sends for a text, and QEMU's log of the port."""
    e = early(**more).main()
    e.call("serial_init")
    e.call("serial_write", e.text(text), len(text))
    e.machine.qmp.command("quit")
    e.machine.process.wait()
    e.machine.close()
    return e.machine._file("console"), e.machine._file("resets").decode()


def test_serial_lines(early: Hold) -> None:
    """A terminal gets CR before each LF, and all other bytes as they are."""
    text = b"Lux9\n\nis here\n\0\xff"
    sent, _ = written(early, text)
    assert sent == text.replace(b"\n", b"\r\n")


def test_serial_long_text(early: Hold) -> None:
    """A text longer than the FIFO arrives whole."""
    text = bytes(range(32, 127)) * 11
    assert written(early, text)[0] == text


def test_serial_fifo(early: Hold) -> None:
    """After one look at the status never more than 16 bytes are sent."""
    text = b"0123456789\n" * 30
    trace = ("-trace", "serial_read", "-trace", "serial_write")
    _, log = written(early, text, extra=trace)
    since = most = 0
    ready = False
    for kind, at, value in re.findall(
        r"serial_(read|write) (?:read|write) addr 0x(\w+) val 0x(\w+)", log
    ):
        if kind == "read" and int(at, 16) == 5 and int(value, 16) & 0x20:
            since, ready = 0, True
        elif kind == "write" and int(at, 16) == 0 and ready:
            since += 1
            most = max(most, since)
    assert most > 0, "the line status was never read"
    assert most <= 16, f"{most} bytes were sent after one look at the line status"
    assert most > 8, f"one look at the line status for {most} byte: the FIFO takes 16"


def test_serial_receive(early: Hold) -> None:
    """serial_poll gives each byte once, as a number from 0 to 255, else -1."""
    e = early(terminal=True).main()
    e.call("serial_init")
    got = [e.call_int("serial_poll")]
    e.machine.send("A\xe9")
    deadline = time.monotonic() + 10
    while not e.port(0x3FD) & 1 and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.05)
    got += [e.call_int("serial_poll") for _ in range(4)]
    want = [-1, 0x41, 0xC3, 0xA9, -1]
    assert got == want, f"serial_poll, five times: got {got}, want {want}"


def test_serial_absent(early: Hold) -> None:
    """Without a port nothing is received, and sending does no harm."""
    e = early(extra=("-global", "isa-serial.iobase=0x2f8")).main()
    e.call("serial_init")
    got = e.call_int("serial_poll")
    assert got == -1, f"serial_poll without a port: got {got}, want -1"
    e.call("serial_write", e.text(b"nobody\n"), 7)


# ---- step 1.6: formatted output ----


def check_formats(early: Hold, *cases: tuple[Any, ...]) -> None:
    """Each case: what snprint must make, the format, its arguments."""
    e = early().main()
    buf = e.address("boot_stack") + 0x400
    for want, fmt, *args in cases:
        e.stub.write(buf, b"#" * 128)
        words = []
        for i, arg in enumerate(args):
            if isinstance(arg, bytes):
                arg = e.text(arg, 0x600 + i * 64)
            words.append(arg)
        length = e.call_int("snprint", buf, 128, e.text(fmt.encode() + b"\0"), *words)
        got = e.stub.read(buf, 128).split(b"\0")[0].decode(errors="replace")
        shown = ", ".join([repr(fmt), *map(str, args)])
        assert got == want, f"snprint({shown}) makes {got!r}, C says {want!r}"
        wrong = f"snprint({shown}) returned: got {length}, want {len(want)}"
        assert length == len(want), wrong


def test_format_decimal(early: Hold) -> None:
    """%d, %u and their sizes, signs included."""
    check_formats(
        early,
        ("0", "%d", 0),
        ("42", "%d", 42),
        ("-1", "%d", -1),
        ("2147483647 -2147483648", "%d %d", 2**31 - 1, -(2**31)),
        ("18446744073709551615", "%lu", U64),
        ("-9223372036854775808", "%ld", -(2**63)),
        ("+5 -5  5", "%+d %+d % d", 5, -5, 5),
        ("-1 255", "%hhd %hhu", 0x1FF, 0x1FF),
    )


def test_format_hex_and_octal(early: Hold) -> None:
    """%x, %X, %o, %p and their prefixes."""
    check_formats(
        early,
        ("ff FF 377", "%x %X %o", 255, 255, 255),
        ("0xff 0XFF 0377", "%#x %#X %#o", 255, 255, 255),
        ("0 0 0", "%#x %#X %#o", 0, 0, 0),
        ("1777777777777777777777", "%lo", U64),
        ("0xffffffff80000000", "%p", KERNEL_BASE),
        ("0x0", "%p", 0),
    )


def test_format_width(early: Hold) -> None:
    """A width fills up with blanks, on either side, or with zeros."""
    check_formats(
        early,
        ("[   42][42   ][00042]", "[%5d][%-5d][%05d]", 42, 42, 42),
        ("[  -42][-42  ][-0042]", "[%5d][%-5d][%05d]", -42, -42, -42),
        ("[0x00ff][  0xff]", "[%#06x][%#6x]", 255, 255),
        ("[12345]", "[%3d]", 12345),
        ("[42   ]", "[%-05d]", 42),
        ("[  abc][abc  ]", "[%5s][%-5s]", b"abc\0", b"abc\0"),
    )


def test_format_precision(early: Hold) -> None:
    """A precision is the least number of digits, and cancels the flag 0."""
    check_formats(
        early,
        ("[  007][007  ]", "[%5.3d][%-5.3d]", 7, 7),
        ("[  007]", "[%05.3d]", 7),
        ("[]", "[%.0d]", 0),
        ("[-007]", "[%.3d]", -7),
        ("[0017]", "[%#.4o]", 15),
        ("[017]", "[%#.1o]", 15),
    )


def test_format_strings(early: Hold) -> None:
    """%s ends at the NUL or the precision; NULL has a text too."""
    check_formats(
        early,
        ("[abc]", "[%s]", b"abc\0"),
        ("[ab][   ab]", "[%.2s][%5.2s]", b"abc\0", b"abc\0"),
        ("[]", "[%.0s]", b"abc\0"),
        ("(null)", "%s", 0),
        ("[a][  b]", "[%c][%3c]", ord("a"), ord("b")),
    )


def test_format_string_without_end(early: Hold) -> None:
    """%.*s does not look past its limit: what follows may not be mapped."""
    e = early(mem="1024M").main()
    end = KERNEL_BASE + GIB  # the early tables map no byte from here on
    e.stub.write(end - 4, b"Lux9")
    buf = e.address("boot_stack") + 0x400
    e.call("snprint", buf, 128, e.text(b"%.*s\0"), 4, end - 4)
    got = e.stub.read(buf, 16).split(b"\0")[0]
    assert got == b"Lux9", f"it makes {got!r}"


# ---- step 1.7: GDT and TSS ----


def with_tables(early: Hold) -> Early:
    """CPU 0's tables loaded; it stops where the IDT would be."""
    e = early().main()
    e.call("cpu_init_tables", e.address("cpus"), until="idt_load")
    return e


def descriptor(e: Early, selector: int) -> int:
    """The GDT's entry for a selector."""
    base, limit = e.table("GDT")
    assert selector | 7 <= limit, f"the GDT ends before selector {selector:#x}"
    return int.from_bytes(e.stub.read(base + (selector & ~7), 8), "little")


def test_gdt_segments(early: Hold) -> None:
    """Code and data segments: present, privilege 0 and 3, code with the long bit."""
    e = with_tables(early)
    assert descriptor(e, 0) == 0, "the first descriptor is the null descriptor"
    for name, selector, code, privilege in (
        ("kernel code", 0x08, True, 0),
        ("kernel data", 0x10, False, 0),
        ("user data", 0x18, False, 3),
        ("user code", 0x20, True, 3),
    ):
        entry = descriptor(e, selector)
        what = f"{name}, selector {selector:#x}, descriptor {entry:#018x}"
        assert entry >> 47 & 1, f"{what}: not present"
        assert entry >> 45 & 3 == privilege, f"{what}: privilege {entry >> 45 & 3}"
        assert entry >> 44 & 1, f"{what}: a system segment"
        assert bool(entry >> 43 & 1) == code, f"{what}: code or data?"
        assert entry >> 41 & 1, f"{what}: not readable, or not writable"
        if code:
            assert entry >> 53 & 3 == 1, f"{what}: the long bit set, D clear, is 64-bit"


def test_gdt_in_use(early: Hold) -> None:
    """The CPU uses the GDT in its struct cpu; GS points at that struct."""
    e = with_tables(early)
    base, limit = e.table("GDT")
    cpu = e.address("cpus")
    assert cpu < base < cpu + 1024 and limit == 63
    assert (e.selector("CS"), e.selector("SS"), e.selector("TR")) == (0x08, 0x10, 0x28)
    match = re.search(r"^GS *=\w+ ([0-9a-f]{16})", e.cpu(), re.M)
    assert match is not None and int(match[1], 16) == cpu


def tss_of(e: Early) -> tuple[int, int]:
    """Base and limit of the TSS by its descriptor."""
    low, high = descriptor(e, 0x28), descriptor(e, 0x30)
    base = low >> 16 & 0xFFFFFF | low >> 56 << 24 | (high & 0xFFFFFFFF) << 32
    return base, low & 0xFFFF | low >> 32 & 0xF0000


def test_tss_descriptor(early: Hold) -> None:
    """The TSS's descriptor is as wide as two, and says where the TSS is."""
    e = with_tables(early)
    entry = descriptor(e, 0x28)
    assert entry >> 47 & 1, "the TSS's descriptor is not present"
    assert entry >> 40 & 0x1F in (0x09, 0x0B), "its type is not a 64-bit TSS"
    base, limit = tss_of(e)
    cpu = e.address("cpus")
    assert cpu < base < cpu + 1024, f"the TSS's base {base:#x} is not in struct cpu"
    assert limit == 103, f"limit {limit}: it is the offset of the last of 104 bytes"
    assert e.table("TR")[0] == base


def kernel_of(e: Early) -> Path:
    """The ELF that the machine runs."""
    assert e.machine.setup.kernel is not None
    return e.machine.setup.kernel


def interrupt_stacks(e: Early, tss: int) -> list[int]:
    """IST 1 to 3 of a TSS."""
    return list(struct.unpack("<3Q", e.stub.read(tss + 36, 24)))


def test_tss_stacks(early: Hold) -> None:
    """Double fault, NMI and machine check have stacks of 8 KiB, each its own."""
    e = with_tables(early)
    tops = interrupt_stacks(e, tss_of(e)[0])
    assert all(top > KERNEL_BASE for top in tops), f"IST 1 to 3 are {tops}"
    start, end = e.address("rodata_end"), e.address("kernel_end")
    for top in tops:
        assert top % 16 == 0, f"{top:#x} is not a multiple of 16"
        assert start <= top - 8192 and top <= end, f"{top:#x}: not 8 KiB of data below"
    for name, at in symbols(kernel_of(e)).address.items():
        for top in tops:
            assert not top - 8192 < at < top, f"{name} lies in the stack below {top:#x}"
    tops.sort()
    for one, two in zip(tops, tops[1:]):
        assert two - one >= 8192, f"stacks ending at {one:#x} and {two:#x} overlap"
    assert e.stub.read(tss_of(e)[0] + 102, 2) == b"\x68\0", "iomap_base: 104 is none"


def test_tss_of_each_cpu(early: Hold) -> None:
    """Another CPU's interrupt stacks are not the first one's."""
    e = with_tables(early)
    tss = tss_of(e)[0]
    first = interrupt_stacks(e, tss)
    size = cpu_size(e)
    e.call("cpu_init_tables", e.address("cpus") + size, until="idt_load")
    second = interrupt_stacks(e, tss + size)
    assert tss_of(e)[0] == tss + size, "CPU 1's TSS descriptor leads elsewhere"
    for one in first:
        for two in second:
            assert abs(one - two) >= 8192, f"{one:#x} of CPU 0, {two:#x} of CPU 1"


def cpu_size(e: Early) -> int:
    """sizeof(struct cpu): cpus[MAX_CPUS] fills its symbol."""
    out = subprocess.run(
        ["nm", "-S", str(e.machine.setup.kernel)], capture_output=True, encoding="utf-8"
    ).stdout
    match = re.search(r"^\w+ (\w+) \w cpus$", out, re.M)
    assert match is not None
    return int(match[1], 16) // MAX_CPUS


# ---- step 1.8: the IDT ----


def gates(early: Hold) -> tuple[Early, list[tuple[int, int, int, int]]]:
    """For each vector: handler, selector, interrupt stack, type."""
    e = early().main()
    e.call("idt_load")
    base, limit = e.table("IDT")
    assert limit == 4095, f"the IDT's limit is {limit}, not 256 * 16 - 1"
    found = []
    raw = e.stub.read(base, 4096)
    for at in range(0, 4096, 16):
        low, selector, ist, kind, middle, high = struct.unpack_from("<HHBBHI", raw, at)
        found.append((low | middle << 16 | high << 32, selector, ist, kind))
    return e, found


def test_idt_handlers(early: Hold) -> None:
    """All 256 gates lead to their own stubs, in the kernel's code segment."""
    e, found = gates(early)
    for vector, (handler, selector, _, _) in enumerate(found):
        want = e.address(f"stub_{vector}")
        assert handler == want, f"vector {vector} leads to {handler:#x}, not {want:#x}"
        assert selector == 0x08, f"vector {vector}: selector {selector:#x}"


def test_idt_types(early: Hold) -> None:
    """All gates are present interrupt gates: they turn interrupts off."""
    _, found = gates(early)
    for vector, (_, _, _, kind) in enumerate(found):
        assert kind & 0x80, f"vector {vector}: not present"
        assert (
            kind & 0x1F == 0x0E
        ), f"vector {vector}: type {kind & 31:#x}, a trap gate is 0xf"


def test_idt_privileges(early: Hold) -> None:
    """Programs may raise the breakpoint, vector 3, and nothing else."""
    _, found = gates(early)
    for vector, (_, _, _, kind) in enumerate(found):
        want = 3 if vector == 3 else 0
        assert kind >> 5 & 3 == want, f"vector {vector}: privilege {kind >> 5 & 3}"


def test_idt_stacks(early: Hold) -> None:
    """Double fault, NMI and machine check have interrupt stacks 1, 2 and 3."""
    _, found = gates(early)
    want = {8: 1, 2: 2, 18: 3}
    for vector, (_, _, ist, _) in enumerate(found):
        assert ist == want.get(vector, 0), f"vector {vector}: interrupt stack {ist}"


# ---- challenges ----


def test_challenge_boot_cost(kernel: Path) -> None:
    """From the first instruction to the end of boot_init in 48,000 instructions."""
    line = "records ktest=boot_cost"
    setup = Setup(kernel=kernel, cmdline=line, shift=0, mem="512M")
    costs = [int(text) for text in run(setup).of("boot")]
    assert costs and costs[0] <= 48_000, f"{costs} instructions"


def test_challenge_stuck_line(early: Hold) -> None:
    """A line that takes no bytes loses output, and the kernel goes on."""
    e = early().main()
    e.call("serial_init")
    with socket.socket(socket.AF_UNIX) as listener:  # the other end does not read
        path = str(e.machine.dir / "stuck")
        listener.bind(path)
        listener.listen()
        address = {"type": "unix", "data": {"path": path}}
        data = {"addr": address, "server": False}
        backend = {"type": "socket", "data": data}
        e.machine.qmp.command("chardev-change", id="com1", backend=backend)
        for _ in range(4096):
            if not e.port(0x3FD) & 0x20:
                break
            e.call("serial_write", e.address("text_start"), 16)
        write_to_stuck_line(e)


def write_to_stuck_line(e: Early) -> None:
    """The line takes no bytes any more, and a write to it returns."""
    assert not e.port(0x3FD) & 0x20, "the line still takes bytes"
    e.call("serial_write", e.address("text_start"), 64)


def c_format(flags: str, width: int, precision: int, letter: str, value: int) -> str:
    """What C prints for an unsigned 64-bit value or an int64_t."""
    signed = letter == "d"
    if signed and value >> 63:
        value -= 1 << 64
    digits = {"d": str, "u": str, "x": "{:x}".format}.get(letter)
    digits = digits or {"X": "{:X}".format, "o": "{:o}".format}[letter]
    text, prefix = digits(abs(value)), ""
    if signed:
        plus = "+" if "+" in flags else " " if " " in flags else ""
        prefix = "-" if value < 0 else plus
    if "#" in flags and letter in "xX" and value:
        prefix = "0" + letter
    if value == 0 and precision == 0:
        text = ""
    text = text.rjust(precision, "0")
    if "#" in flags and letter == "o" and not text.startswith("0"):
        text = "0" + text
    if "0" in flags and "-" not in flags and precision < 0:
        text = text.rjust(width - len(prefix), "0")
    text = prefix + text
    return text.ljust(width) if "-" in flags else text.rjust(width)


def test_challenge_any_format(early: Hold, seed: int) -> None:
    """Any flags, width, precision and number give what C says."""
    random = Random(seed)
    cases = []
    for _ in range(120):
        letter = random.choice("duxXo")
        flags = "".join(random.sample("-0+ #", random.randrange(4)))
        width, precision = random.randrange(0, 30), random.randrange(-1, 26)
        value = random.getrandbits(64) >> random.randrange(65)
        fmt = "%" + flags + (str(width) if width else "")
        fmt += (f".{precision}" if precision >= 0 else "") + "l" + letter
        cases.append((c_format(flags, width, precision, letter, value), fmt, value))
    check_formats(early, *cases)
