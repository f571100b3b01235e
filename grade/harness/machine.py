"""A machine: one QEMU that runs Lux9, its limits, and what it did.

Every run has two limits.  The limit of guest time decides about the kernel:
QEMU's ib700 watchdog, armed from outside through the monitor before the first
instruction, pauses the machine at a virtual time that is the same on every
host.  CPUs that run really at once (shift None) have the host's clock, and
the limit counts the time that the slowest of them was given (given.py).  The
far limit of host time only says that this host is in trouble; it raises
HostFailure, which is not a verdict about the kernel.
"""

from __future__ import annotations

import ctypes
import functools
import hmac
import os
import re
import resource
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable

from grade.harness.given import GivenTime
from grade.harness.qmp import Closed, Qmp
from grade.harness.records import Record, parse_records
from grade.harness.stub import Stub
from grade.harness.symbols import symbols

QEMU = os.environ.get("QEMU", "qemu-system-x86_64")
OUTPUT_LIMIT = 1 << 20  # bytes of console or records: more is "endless"
PICTURE_LIMIT = 8 << 20  # the same with a screen: QEMU writes its picture to a file
# a submission runs: QEMU may not start programs, and has only so much memory
CONFINE = bool(os.environ.get("LUX9_CONFINE"))
SANDBOX = "on,obsolete=deny,elevateprivileges=deny,spawn=deny"
# what a lab's missing step says (tools/course/template/), as a line
UNWRITTEN_LINE = re.compile(
    r"^step \d+\.\d+ is not written yet: \S+, see \S+\r?\n", re.M
)
WATCHDOG_MAX = 30  # seconds; the ib700 counts 0, 2, .. 30
IF = 1 << 9  # interrupts on, in RFLAGS
LOOK = 0.25  # seconds of host time between two looks whether a machine has halted


class GuestFailure(AssertionError):
    """The kernel or a guest test did wrong; the text says it all."""


class HostFailure(RuntimeError):
    """This host failed to run the test: no verdict about the kernel."""


@dataclass(frozen=True)
class Setup:
    """What machine to build and what to run on it."""

    kernel: Path | None = None  # direct start by QEMU ...
    cmdline: str = ""
    initrd: Path | None = None
    iso: Path | None = None  # ... or from a disc, by GRUB
    uefi: bool = False
    cpus: int = 1
    mem: str = "128M"
    cpu: str = "max"
    shift: int | None = 5  # icount: 2^shift ns an instruction; None: host clock
    limit: int | None = 10  # seconds of guest time; None: host_limit alone counts
    host_limit: float = 150.0  # seconds of host time
    terminal: bool = False  # serial line open for send() and expect()
    screen: bool = False  # a VGA card
    hold: bool = False  # do not start: stub() or resume() does
    machine: str = "q35"
    elf: Path | None = None  # symbols; default: kernel
    extra: tuple[str, ...] = ()  # more arguments for QEMU


@dataclass(repr=False)
class Result:
    """How a run ended and everything it said."""

    setup: Setup
    end: str  # exit, power off, reset, triple fault, halted, limit, output, died
    status: int | None  # what the guest wrote to isa-debug-exit
    console: str
    records: list[Record]
    stray: bytes  # bytes on the debug port outside any record
    where: str  # halted, limit, triple fault: what each CPU was doing
    command: list[str]
    host_seconds: float = 0.0
    errors: str = ""  # what QEMU itself printed

    def of(self, kind: str) -> list[str]:
        """The texts of all records of one type, in order."""
        return [record.text for record in self.records if record.type == kind]

    def story(self) -> str:
        """How it ended in one line."""
        if self.end == "exit":
            return f"the kernel ended the run with status {self.status}"
        return {
            "power off": "the machine was powered off",
            "reset": "the machine was reset",
            "triple fault": "triple fault: the CPU gave up and reset the machine",
            "halted": "halted for good: every CPU waits with its interrupts off",
            "limit": f"over its limit of {self.setup.limit} s of guest time",
            "output": f"endless output: more than {OUTPUT_LIMIT >> 20} MiB",
            "died": "QEMU itself ended: " + self.errors.strip(),
            "stopped": "the test stopped the machine",
        }[self.end]

    def tail(self, lines: int = 40) -> str:
        """The last lines of the console."""
        return "\n".join(printable(self.console).rstrip().splitlines()[-lines:])

    def report(self) -> str:
        """All that helps to understand a failure."""
        parts = [self.story()]
        if self.where:
            parts += ["--- where the CPUs were", self.where]
        parts += ["--- console, last lines", self.tail() or "(empty)"]
        shown = [f"{r.type}: {r.text.strip()[:2000]}" for r in self.records[-30:]]
        parts += ["--- records", "\n".join(shown) or "(none)"]
        if self.stray:
            parts += ["--- stray bytes on the debug port", repr(self.stray[:200])]
        return "\n".join(parts)


def printable(text: str) -> str:
    """Text without terminal control characters."""
    text = re.sub(r"\x1b\[[0-9;?=]*[A-Za-z]", "", text).replace("\r", "")
    return re.sub(r"[^\n\t -~\u00a0-\uffff]", ".", text)


def firmware() -> Path:
    """The UEFI firmware of this system, as one file for -bios."""
    for name in (
        "/usr/share/ovmf/OVMF.fd",
        "/usr/share/qemu/OVMF.fd",
        "/usr/share/edk2/ovmf/OVMF.fd",
        "/usr/share/edk2-ovmf/x64/OVMF.fd",
        "/usr/share/edk2/x64/OVMF.4m.fd",
    ):
        if Path(name).exists():
            return Path(name)
    raise HostFailure("no UEFI firmware found: `make doctor` says what to install")


def key_of(setup: Setup) -> str:
    """The key of a run's records; "" for one without records.

    Another for each test, the same each time: LUX9_SECRET, which an instructor
    may set, and the kernel's command line decide.
    """
    if "records" not in setup.cmdline.split() or setup.kernel is None:
        return ""
    secret = os.environ.get("LUX9_SECRET", "lux9").encode()
    return hmac.new(secret, setup.cmdline.encode(), "sha256").hexdigest()[:16]


def base_command(setup: Setup) -> list[str]:
    """QEMU's arguments that make the machine, without its connections."""
    command = [QEMU, "-cpu", setup.cpu, "-m", setup.mem]
    if setup.mem.endswith("G"):  # more than the host has: taken when touched
        ram = f"memory-backend-ram,id=ram,size={setup.mem},reserve=off"
        command += ["-object", ram, "-M", setup.machine + ",memory-backend=ram"]
    else:
        command += ["-M", setup.machine]
    command += ["-smp", str(setup.cpus), "-nodefaults", "-display", "none"]
    command += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    if setup.shift is not None:
        # Idle costs no host time, but where somebody stops the machine and has
        # it go on (a terminal's user, GDB): the clock would then jump to the
        # next timer, the watchdog's, each time QEMU has not started its CPU yet.
        sleep = "on" if setup.terminal or setup.hold else "off"
        command += ["-icount", f"shift={setup.shift},sleep={sleep}"]
        command += ["-rtc", "base=2024-01-01T00:00:00,clock=vm", "-seed", "1"]
    if setup.screen:
        command += ["-vga", "std"]
    if setup.uefi:
        command += ["-bios", str(firmware())]
    if setup.kernel is not None:
        line = re.sub(
            r"(?<!\S)records(?!\S)", f"records={key_of(setup)}", setup.cmdline
        )
        command += ["-kernel", str(setup.kernel), "-append", line]
    if setup.initrd is not None:
        command += ["-initrd", str(setup.initrd)]
    if setup.iso is not None:
        command += ["-cdrom", str(setup.iso), "-boot", "d"]
    return command + list(setup.extra)


def memory_limit(setup: Setup) -> int:
    """Bytes of address space for QEMU: the guest's memory and 4 GiB of its own."""
    unit = {"G": 1 << 30, "K": 1 << 10}.get(setup.mem[-1], 1 << 20)
    return int(re.sub(r"\D", "", setup.mem)) * unit + (4 << 30)


def end_with_parent() -> None:
    """For a child: get SIGTERM when the parent is gone, even if it was killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, int(signal.SIGTERM))  # PR_SET_PDEATHSIG: prctl(2)


def _bound(size: int, memory: int) -> Callable[[], None]:
    """For the child: bound QEMU's files and memory, and leave no core."""

    def bound() -> None:
        end_with_parent()
        if CONFINE:
            resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    return bound


@functools.lru_cache(1)
def has_sandbox() -> bool:
    """Whether this QEMU can bound its own system calls."""
    words = [QEMU, "-sandbox", "help"]
    run = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True)
    return b"Parameter" in run.stderr


class Machine:
    """A running machine; use as a context manager."""

    log: list[Machine] = []  # all machines of the current test, for its report

    def __init__(self, setup: Setup) -> None:
        """Start QEMU and let the guest run from its first instruction."""
        self.setup = setup
        self.dir = Path(tempfile.mkdtemp(prefix="lux9-"))
        self.started = time.monotonic()
        self.deadline = self.started + setup.host_limit
        self.end: str | None = None
        self.where = ""
        self.keys = -1  # where send() types: the serial line's other end
        self._shown = b""  # the part of the console's file that was read
        self._seen = 0  # how much of it expect() has consumed
        self._left = 0  # guest seconds of limit not yet handed to the watchdog
        self._given: GivenTime | None = None  # shift None: instead of a watchdog
        self._look = self.started + LOOK  # when to see whether all CPUs have halted
        self._due = 0.0  # the given time at which the limit is reached
        Machine.log.append(self)
        self._spawn()

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair()
        command = base_command(self.setup)
        command += ["-device", "ib700", "-S"]
        command += ["-action", "watchdog=pause,reboot=shutdown,shutdown=pause"]
        if CONFINE and has_sandbox():
            command += ["-sandbox", SANDBOX]
        command += ["-d", "cpu_reset", "-D", str(self.dir / "resets")]
        command += ["-debugcon", f"file:{self.dir / 'records'}"]
        command += ["-chardev", f"socket,id=qmp,fd={theirs.fileno()}"]
        command += ["-mon", "chardev=qmp,mode=control"]
        command += ["-chardev", f"file,id=com1,path={self.dir / 'console'}"]
        command += ["-serial", "chardev:com1"]
        if shutil.which("timeout"):  # nor does any QEMU outlive a pytest that hangs
            seconds = str(int(self.setup.host_limit) + 5)
            command = ["timeout", "-k", "2", seconds] + command
        self.command = command
        try:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=(self.dir / "errors").open("wb"),
                pass_fds=[theirs.fileno()],
                preexec_fn=_bound(
                    PICTURE_LIMIT if self.setup.screen else OUTPUT_LIMIT,
                    memory_limit(self.setup),
                ),
            )
        except OSError as error:
            raise HostFailure(f"cannot start {command[0]}: {error}") from error
        theirs.close()
        try:
            self.qmp = Qmp(ours, self.deadline)
            if self.setup.terminal:
                self._connect_keyboard()
            if self.setup.limit is not None:
                self._arm(self.setup.limit)
            if not self.setup.hold:
                self.qmp.command("cont")
        except Closed as error:
            self.process.wait()
            errors = self._file("errors").decode(errors="replace")
            raise HostFailure(f"QEMU did not start: {errors}") from error
        except TimeoutError as error:
            self.close()
            raise HostFailure(f"QEMU did not start: {error}") from error

    def _connect_keyboard(self) -> None:
        """Let the serial line read from a FIFO, and write to its file as before.

        A file takes all that the guest sends, whenever the host reads it.  A
        socket is full after some 250 bytes, one packet each; the kernel then
        waits in vain, and its next bytes are lost.
        """
        fifo = self.dir / "keys"
        os.mkfifo(fifo)
        self.keys = os.open(fifo, os.O_RDWR)  # both: neither end waits here
        files = {"in": str(fifo), "out": str(self.dir / "console"), "append": True}
        backend = {"type": "file", "data": files}
        self.qmp.command("chardev-change", id="com1", backend=backend)

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # ---- guest time ----

    def _arm(self, seconds: int) -> None:
        """End the run after this many more seconds of guest time."""
        if self.setup.shift is None:
            if self._given is None:
                cpus = self.qmp.command("query-cpus-fast")
                threads = [cpu["thread-id"] for cpu in cpus]
                self._given = GivenTime(threads)
            self._due = self._given.seconds() + seconds
            return
        now = min(max(2, seconds + seconds % 2), WATCHDOG_MAX)
        self._left = max(0, seconds - now)
        self.qmp.hmp(f"o/b 0x443 {15 - now // 2:#x}")

    def _event(self, event: dict[str, Any]) -> None:
        """Take note of one event from QEMU."""
        name, data = event["event"], event.get("data", {})
        if name == "WATCHDOG" and self._left > 0:
            self._arm(self._left)
            self.qmp.command("cont")
        elif name == "WATCHDOG":
            self.end = "halted" if self._halted() else "limit"
        elif name == "SHUTDOWN" and data.get("reason") == "guest-shutdown":
            self.end = "power off"
        elif name == "SHUTDOWN" and data.get("reason") == "guest-reset":
            triple = b"Triple fault" in self._file("resets")
            self.end = "triple fault" if triple else "reset"

    def _pump(self) -> None:
        """Wait for something to happen and take note of it."""
        try:
            if self.qmp.received():
                event = self.qmp.next_event(0.001)
                if event is not None:
                    self._event(event)
                return
            # a file has no event of its own, so a console is looked at often
            patience = 0.01 if self.setup.terminal else 0.2
            ready = select.select([self.qmp.sock], [], [], patience)[0]
            if time.monotonic() > self.deadline:
                raise TimeoutError
            if self._overflowed():
                self.end = "output"
            if self._given is not None and self._given.seconds() > self._due:
                self.qmp.command("stop")
                self.end = "halted" if self._halted() else "limit"
            if ready:
                event = self.qmp.next_event(0.001)
                if event is not None:
                    self._event(event)
            elif time.monotonic() > self._look and self.end is None:
                self._look = time.monotonic() + LOOK
                if self._halted():  # its limit would be reached, and no more
                    self.qmp.command("stop")
                    self.end = "halted"
        except Closed:
            self._ended()
        except TimeoutError as error:
            self.close()
            raise HostFailure(
                f"infrastructure error, not the kernel's: the run took more than "
                f"{self.setup.host_limit:.0f} s of host time"
            ) from error

    def _halted(self) -> bool:
        """Whether no CPU will ever run again: each halts with interrupts off.

        Only the harness could wake one.  So it makes no difference when the
        host looks: at once, or not before the limit.
        """
        cpus = self.registers()
        return bool(cpus) and all(
            cpu.get("HLT") == 1 and not cpu.get("RFL", cpu.get("EFL", IF)) & IF
            for cpu in cpus
        )

    def _overflowed(self) -> bool:
        """Whether a file is as long as it may be; QEMU ignores the signal."""
        files = [self.dir / "console", self.dir / "records"]
        sizes = [file.stat().st_size for file in files if file.exists()]
        return max(sizes, default=0) >= OUTPUT_LIMIT

    def _ended(self) -> None:
        """QEMU is gone: find out why."""
        code = self.process.wait()
        if self._overflowed():
            self.end = "output"
        elif code > 0 and code % 2 == 1:
            self.end = "exit"
        else:
            self.end = "died"

    # ---- the end of a run ----

    def settle(self) -> None:
        """Let the guest run to its end or limit; it can be looked at then."""
        while self.end is None:
            self._pump()

    def wait(self) -> Result:
        """Let the guest run to its end or its limit."""
        self.settle()
        if self.end in ("halted", "limit", "triple fault"):
            try:
                self.where = self.backtraces()
            except (Closed, RuntimeError, TimeoutError):
                self.where = "(the CPUs' state could not be read)"
        return self.result()

    def result(self) -> Result:
        """What has happened so far; after wait(), all of it."""
        self.close()
        records, stray = parse_records(self._file("records"), key_of(self.setup))
        status = self.process.returncode >> 1 if self.end == "exit" else None
        return Result(
            setup=self.setup,
            end=self.end or "stopped",
            status=status,
            console=self.console(),
            records=records,
            stray=stray,
            where=self.where,
            command=self.command,
            host_seconds=time.monotonic() - self.started,
            errors=self._file("errors").decode(errors="replace"),
        )

    def close(self) -> None:
        """End QEMU, however it is, and keep what it wrote."""
        if self.process.poll() is None:
            try:
                self.qmp.command("quit")
            except (Closed, AttributeError, OSError, RuntimeError, TimeoutError):
                self.process.terminate()
            try:
                self.process.wait(4)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if hasattr(self, "qmp"):
            self.qmp.sock.close()
        if self.keys >= 0:
            os.close(self.keys)
            self.keys = -1
        self._console()
        if self.dir.exists() and not hasattr(self, "_kept"):
            files = [file for file in self.dir.iterdir() if file.is_file()]
            self._kept = {file.name: file.read_bytes() for file in files}
            shutil.rmtree(self.dir, ignore_errors=True)

    def _file(self, name: str) -> bytes:
        if hasattr(self, "_kept"):
            return self._kept.get(name, b"")
        path = self.dir / name
        return path.read_bytes() if path.exists() else b""

    # ---- the terminal ----

    def send(self, text: str) -> None:
        """Type text on the serial line; "\\udcfc" is the byte FC alone."""
        assert self.setup.terminal, "Setup(terminal=True) opens the line"
        data = text.encode(errors="surrogateescape")
        while data:
            data = data[os.write(self.keys, data) :]

    def expect(self, pattern: str, limit: int = 60) -> re.Match[str]:
        """Read the console until pattern matches what came since the last one.

        Fails after `limit` seconds of guest time (if the machine has a limit of
        those), at the end of the run, or when a step that is missing in a lab is
        named instead: the program that met it is gone, and others may wait for it.
        """
        try:
            if self.end is None and self.setup.limit is not None:
                self._arm(limit)
        except Closed:
            self._ended()
        while True:
            ended = self.end is not None  # then the file is complete
            new = self._console()[self._seen :].decode("utf-8", "surrogateescape")
            match = re.search(pattern, re.sub("[\udc80-\udcff]", "\ufffd", new))
            if match is not None:
                end = new[: match.end()].encode("utf-8", "surrogateescape")
                self._seen += len(end)
                return match
            if ended or UNWRITTEN_LINE.search(new):
                story = self.result().report()
                raise GuestFailure(f"expected {pattern!r} on the console\n{story}")
            self._pump()

    def command_line(self, line: str, prompt: str, limit: int = 60) -> str:
        """Type a line, wait for the next prompt, return what came between."""
        start = self._seen
        self.send(line + "\n")
        self.expect(re.escape(line), limit)
        match = self.expect(prompt, limit)
        text = self._console()[start : self._seen].decode("utf-8", "replace")
        text = text[: len(text) - len(match[0])]
        return printable(text.split("\n", 1)[1] if "\n" in text else "")

    def console(self) -> str:
        """What the console has shown so far."""
        return self._console().decode("utf-8", "replace")

    def _console(self) -> bytes:
        """The same as bytes; of the file only what is new is read."""
        path = self.dir / "console"
        if path.exists():
            with path.open("rb") as file:
                file.seek(len(self._shown))
                self._shown += file.read()
        return self._shown

    # ---- a look from outside ----

    def pause(self) -> None:
        """Stop all CPUs where they are."""
        self.qmp.command("stop")

    def resume(self) -> None:
        """Let the CPUs run on."""
        self.qmp.command("cont")

    def _save(self, command: str, address: int, length: int, **more: Any) -> bytes:
        path, data = self.dir / "memory", b""
        while len(data) < length:
            size = min(length - len(data), OUTPUT_LIMIT)
            place = {"val": address + len(data), "size": size, "filename": str(path)}
            self.qmp.command(command, **place, **more)
            data += path.read_bytes()
            path.unlink()
        return data

    def read_physical(self, address: int, length: int) -> bytes:
        """Bytes of physical memory."""
        return self._save("pmemsave", address, length)

    def read_virtual(self, address: int, length: int, cpu: int = 0) -> bytes:
        """Bytes at a virtual address as that CPU sees it now."""
        return self._save("memsave", address, length, **{"cpu-index": cpu})

    def read_symbol(self, name: str, length: int = 8) -> bytes:
        """Bytes of a kernel variable."""
        return self.read_virtual(self._symbols()[name], length)

    def read_word(self, name: str) -> int:
        """A kernel variable of 64 bits."""
        return int.from_bytes(self.read_symbol(name, 8), "little")

    def _symbols(self) -> Any:
        elf = self.setup.elf or self.setup.kernel
        assert elf is not None, "Setup(elf=...) names the symbols"
        return symbols(elf)

    def stub(self) -> Stub:
        """Attach to the GDB stub: the machine stops until its close()."""
        path = self.dir / "gdb"
        self.qmp.hmp(f"gdbserver unix:{path},server=on,wait=off")
        return Stub(path, max(1.0, self.deadline - time.monotonic()))

    def gdb(self, *commands: str) -> str:
        """What GDB prints for these commands on the machine as it is now."""
        path, elf = self.dir / "gdb", self.setup.elf or self.setup.kernel
        self.qmp.hmp(f"gdbserver unix:{path},server=on,wait=off")
        words = ["gdb", "-q", "-nx", "-batch", str(elf)]
        for command in (f"target remote {path}", *commands, "detach"):
            words += ["-ex", command]
        run = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=60)
        self.qmp.hmp("gdbserver none")
        return run.stdout

    def registers(self) -> list[dict[str, int]]:
        """The registers of every CPU, by upper-case name (RIP, CR3, EFER)."""
        cpus = []
        for part in self.qmp.hmp("info registers -a").split("CPU#")[1:]:
            pairs = re.findall(r"\b([A-Z][A-Z0-9]{1,3}) *=([0-9a-f]+)\b", part)
            cpus.append({name: int(value, 16) for name, value in pairs})
        return cpus

    def backtraces(self) -> str:
        """What each CPU is doing, call by call."""
        text = []
        for cpu, regs in enumerate(self.registers()):
            if "RIP" not in regs:
                text.append(f"CPU {cpu}: not in 64-bit mode")
                continue
            calls = [regs["RIP"]] + self._callers(regs.get("RBP", 0), cpu)
            text.append(f"CPU {cpu}:" + (" halted" if regs.get("HLT") else ""))
            text += self._describe(calls)
        return "\n".join(text)

    def _callers(self, frame: int, cpu: int) -> list[int]:
        calls: list[int] = []
        while frame and frame % 8 == 0 and len(calls) < 24:
            try:
                data = self.read_virtual(frame, 16, cpu)
            except RuntimeError:
                break
            after = int.from_bytes(data[:8], "little")
            calls.append(int.from_bytes(data[8:], "little") - 1)
            if after <= frame:
                break
            frame = after
        return [call for call in calls if call > 0]

    def _describe(self, calls: list[int]) -> list[str]:
        if not (self.setup.elf or self.setup.kernel):
            return [f"    {call:#x}" for call in calls]
        table = self._symbols()
        lines = table.lines(calls)
        return [f"    {table.name(c)}  {at}" for c, at in zip(calls, lines)]

    # ---- screen and keyboard ----

    def screen_text(self) -> list[str]:
        """The 25 lines of a screen in VGA text mode."""
        cells = self.read_physical(0xB8000, 80 * 25 * 2)[::2]
        text = cells.decode("cp437").replace("\0", " ")
        return [text[i : i + 80].rstrip() for i in range(0, 2000, 80)]

    def screen_picture(self) -> tuple[int, int, bytes]:
        """Width, height and RGB bytes of what the screen shows."""
        path = self.dir / "screen.ppm"
        self.qmp.command("screendump", filename=str(path))
        raw = path.read_bytes()
        head = re.match(rb"P6\s+(\d+)\s+(\d+)\s+255\s", raw)
        assert head is not None
        return int(head[1]), int(head[2]), raw[head.end() :]

    def press(self, *keys: str) -> None:
        """Press keys on the PS/2 keyboard: "a", "shift-a", "ret", ..."""
        for key in keys:
            parts = [{"type": "qcode", "data": part} for part in key.split("-")]
            self.qmp.command("send-key", keys=parts)


def run(setup: Setup) -> Result:
    """Run a machine to its end."""
    with Machine(setup) as machine:
        return machine.wait()


def shell_command(setup: Setup) -> str:
    """One line for a shell that runs the same machine on the terminal."""
    command = base_command(setup) + ["-serial", "stdio", "-debugcon", "null"]
    return shlex.join(command)
