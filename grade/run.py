"""Run one guest test, or the kernel itself, outside pytest.

    python3 -m grade.run list              ids of all guest tests
    python3 -m grade.run test ID           run it once, show everything
    python3 -m grade.run gdb [ID]          under GDB, stopped at kernel_main
    python3 -m grade.run replay ID         record it, then GDB that can go back
    python3 -m grade.run trace [WORDS]     run a program with tracing, draw it
    python3 -m grade.run console           the terminal of a machine under GDB

gdb and replay take GDB's options (-x FILE, -ex COMMAND, -batch) at the end.
`make gdb`, `make gdb T=ID`, `make replay T=ID` and `make trace` call this, the
first three with GDBFLAGS, the last with the words of RUN.  AT=PLACE in the
environment is where gdb stops first: a label, a function, an address.
"""

from __future__ import annotations

import hashlib
import os
import re
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty
from dataclasses import replace
from pathlib import Path

from grade.harness import ROOT, GuestFailure, HostFailure, Setup, Variant
from grade.harness.build import gdb_program
from grade.harness.first_machine import first_machine
from grade.harness.foreground import run_in_foreground
from grade.harness.guest import build_tests, find, home_tests
from grade.harness.machine import base_command, end_with_parent

# logs of a session; tests want places of their own
PLACE = Path(os.environ.get("GDB_PLACE") or ROOT / "build" / "gdb")
CMDLINE = 1000  # bytes of the kernel's command line
SOCKET_LIMIT = 100  # bytes of a Unix socket's path, in every system
GDB = gdb_program()


def variant_of_make() -> Variant:
    """The build that make's variables in the environment choose."""
    stage, cc = os.environ.get("STAGE"), os.environ.get("CC", "")
    chosen = Variant(
        debug=bool(os.environ.get("DEBUG")),
        san=os.environ.get("SAN", ""),
        cc="" if cc == "gcc" else cc,
        ktest=bool(os.environ.get("KTEST")),
    )
    return replace(chosen, stage=int(stage)) if stage else chosen


def setup_for(name: str) -> Setup:
    """The machine of a guest test, or of plain `make gdb`; its build is made."""
    if name:
        test = find(name)
        test.variant.make()
        return test.setup()
    variant = variant_of_make()
    variant.make()
    return Setup(
        kernel=variant.kernel,
        cmdline=os.environ.get("APPEND", ""),
        initrd=variant.archive if variant.archive.exists() else None,
        cpus=int(os.environ.get("CPUS") or 1),
        mem=os.environ.get("MEM") or "512",
        shift=None,
        terminal=True,
    )


def sockets() -> Path:
    """The folder of a session's sockets: PLACE, or a short one in its stead.

    A socket's path has room for about 100 bytes; a tree's may be longer.
    """
    if len(os.fsencode(PLACE / "console")) <= SOCKET_LIMIT:
        return PLACE
    name = hashlib.sha256(os.fsencode(PLACE)).hexdigest()[:12]
    place = Path(tempfile.gettempdir()) / f"lux9-{os.getuid()}-{name}"
    if len(os.fsencode(place / "console")) > SOCKET_LIMIT:
        place = Path("/tmp") / place.name
    place.mkdir(mode=0o700, exist_ok=True)
    if place.is_symlink() or place.stat().st_uid != os.getuid():
        raise HostFailure(f"{place}: belongs to another user; remove it")
    return place


def option(path: Path) -> str:
    """A path inside one of QEMU's options, where a comma ends unless doubled."""
    return str(path).replace(",", ",,")


def with_stub(command: list[str]) -> list[str]:
    """QEMU's arguments for a GDB session, stopped at the first instruction."""
    PLACE.mkdir(parents=True, exist_ok=True)
    lines = sockets()
    for name in ("gdb", "console"):
        (lines / name).unlink(missing_ok=True)
    console = f"socket,id=com1,path={option(lines / 'console')},server=on,wait=off"
    stub = f"socket,id=stub,path={option(lines / 'gdb')},server=on,wait=off"
    return command + [
        *("-chardev", f"{console},logfile={option(PLACE / 'console.log')}"),
        *("-serial", "chardev:com1", "-debugcon", f"file:{PLACE / 'records'}"),
        *("-chardev", stub, "-gdb", "chardev:stub", "-S", "-no-reboot"),
    ]


def await_socket(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until QEMU has made its socket."""
    for _ in range(200):
        if path.exists():
            return
        if process.poll() is not None:
            raise HostFailure("QEMU ended before GDB could attach")
        time.sleep(0.05)
    raise HostFailure("QEMU did not open its GDB socket")


def debug(setup: Setup, command: list[str], first: list[str], more: list[str]) -> int:
    """Start QEMU and GDB on it; QEMU ends with GDB."""
    machine = subprocess.Popen(
        with_stub(command),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=end_with_parent,
    )
    try:
        await_socket(sockets() / "gdb", machine)
        script = ROOT / "tools" / "gdb" / "lux9.py"
        gdb = [GDB, "-q", "-nx", str(setup.kernel), "-ex", "set confirm off"]
        gdb += ["-ex", "set pagination off"] if "-batch" in more else []
        gdb += ["-x", str(script)] if script.exists() else []
        gdb += ["-ex", f"target remote {sockets() / 'gdb'}", *first, *more]
        print(f"Console of the machine: {PLACE / 'console.log'}")
        print("`lux log` shows it, `lux type WORDS` types at it; or use it in")
        print("another terminal: python3 -m grade.run console")
        print("`help lux` lists what GDB knows about Lux9.")
        sys.stdout.flush()
        environment = dict(os.environ, LUX9_CONSOLE=str(sockets() / "console"))
        environment["LUX9_CONSOLE_LOG"] = str(PLACE / "console.log")
        return run_in_foreground(gdb, cwd=ROOT, env=environment)
    finally:
        machine.terminate()
        try:
            machine.wait(3)
        except subprocess.TimeoutExpired:
            machine.kill()
            machine.wait()
        if sockets() != PLACE:
            shutil.rmtree(sockets(), ignore_errors=True)


def gdb(name: str, more: list[str]) -> int:
    """`make gdb`: the machine stopped at kernel_main, or at AT, GDB attached."""
    place = os.environ.get("AT", "")
    try:
        setup = setup_for(name)
    except LookupError:
        outside = first_machine(name)
        setup = outside.setup
        if not place and outside.stop is not None:
            place = f"{outside.stop:#x}"
        print(f"The machine of {outside.test.split('/')[-1]}")
        print("as that test finds it; AT=label stops elsewhere.")
    first = ["-ex", f"lux at {place}"] if place else []
    first = first or ["-ex", "hbreak kernel_main", "-ex", "continue"]
    return debug(setup, base_command(setup), first, more)


def replay(name: str, more: list[str]) -> int:
    """`make replay`: record a test, then replay it so that GDB can go back.

    QEMU records one CPU only.  With several, the same instruction counts make
    the same schedule again, forward.
    """
    setup = setup_for(name)
    if setup.cpus > 1 or setup.shift is None:
        print(f"{setup.cpus} CPUs: the same schedule again, forward only.")
        return debug(setup, base_command(setup), [], more)
    PLACE.mkdir(parents=True, exist_ok=True)
    log, disk = PLACE / "replay.log", PLACE / "replay.qcow2"
    for path in (log, disk):
        path.unlink(missing_ok=True)
    create = ["qemu-img", "create", "-q", "-f", "qcow2", str(disk), "1M"]
    subprocess.run(create, check=True)
    # vapic: with it, going back deadlocks QEMU 7.2; the empty disk holds the
    # snapshot of the start; sleep=off would stall a replay (see docs/debugging.md).
    plain = base_command(replace(setup, shift=None)) + [
        *("-global", "apic-common.vapic=off"),
        *("-rtc", "base=2024-01-01T00:00:00,clock=vm", "-seed", "1"),
        *("-drive", f"file={option(disk)},if=none,id=rr", "-net", "none"),
    ]
    mode = f"shift={setup.shift},rrfile={option(log)},rrsnapshot=init"
    print("Recording ...", flush=True)
    recording = plain + ["-icount", f"rr=record,{mode}", "-no-reboot"]
    recording += ["-serial", f"file:{PLACE / 'recorded.console'}"]
    recording += ["-debugcon", f"file:{PLACE / 'recorded.records'}"]
    limit = ["timeout", "-k", "2", "60"] if shutil.which("timeout") else []
    run = subprocess.run(limit + recording, stdin=subprocess.DEVNULL)
    print(f"Recorded (QEMU's status {run.returncode}). Replaying under GDB:")
    print("try `continue`, then reverse-continue, reverse-stepi, reverse-step.")
    return debug(setup, plain + ["-icount", f"rr=replay,{mode}"], [], more)


def as_arguments(words: list[str]) -> str:
    """Words as `args=` of the kernel's command line has them: \\ooo in base 8."""
    special = re.compile(rb"[^\w./:=+-]")

    def coded(word: str) -> str:
        raw = os.fsencode(word)
        return special.sub(lambda m: b"\\%03o" % m[0][0], raw).decode("ascii")

    return ",".join(map(coded, words))


def trace(words: list[str]) -> int:
    """`make trace`: run one program with tracing on and draw what happened."""
    run = " ".join(words)
    try:
        program, *args = shlex.split(run) or ["forkbomb", "6"]
    except ValueError as error:
        print(f"RUN: {error} ({run}); quote as in a shell", file=sys.stderr)
        return 1
    setup = setup_for("")
    if variant_of_make().stage < 4:  # the program is the first process
        name = program if "/" in program else f"bin/{program}"
        line = f"records trace init={name} {setup.cmdline}"
        line += f" args={as_arguments(args)}" if args else ""
    else:  # init makes the name space, and runs it
        line = f"records trace {setup.cmdline} args={as_arguments([program, *args])}"
    if len(line) > CMDLINE:
        print(f"RUN: too long ({len(line)} bytes with the rest); {CMDLINE} at most")
        return 2
    # QEMU's CPUs take turns, until a timer interrupt comes: hence the tick.
    line += " tick_us=50" if setup.cpus > 1 else ""
    setup = replace(setup, cmdline=line, shift=3, terminal=False)
    PLACE.mkdir(parents=True, exist_ok=True)
    records = PLACE / "trace.records"
    command = [*base_command(setup), "-no-reboot", "-serial", "stdio"]
    command += ["-debugcon", f"file:{records}"]
    limit = ["timeout", "-k", "2", "120"] if shutil.which("timeout") else []
    run = subprocess.run(limit + command, stdin=subprocess.DEVNULL)
    if run.returncode & 1 == 0 or run.returncode > 3:
        print(f"{program} did not end: QEMU's status {run.returncode}", file=sys.stderr)
        return 1
    pictures = {kind: ROOT / "build" / f"trace.{kind}" for kind in ("json", "html")}
    pictures["sequence"] = ROOT / "build" / "trace-messages.svg"
    draw = [sys.executable, str(ROOT / "tools/trace.py"), str(records)]
    draw += [
        word for kind, path in pictures.items() for word in (f"--{kind}", str(path))
    ]
    if subprocess.run(draw).returncode != 0:
        return 1
    print(f"lanes:    {pictures['html']} (any browser)")
    print(f"messages: {pictures['sequence']} (also in the page with the lanes)")
    print(f"Perfetto: {pictures['json']} (open it at https://ui.perfetto.dev)")
    return 0


def test(name: str) -> int:
    """Run a guest test once and show all of its run."""
    chosen = find(name)
    chosen.variant.make()
    try:
        result = chosen.run()
    except GuestFailure as failure:
        print(failure)
        return 1
    print(result.report())
    print(f"{chosen.id}: pass, {result.host_seconds:.2f} s of host time")
    return 0


def console() -> int:
    """Connect this terminal to the machine of a GDB session; Ctrl-] leaves."""
    line = socket.socket(socket.AF_UNIX)
    line.connect(str(sockets() / "console"))
    before = termios.tcgetattr(0) if sys.stdin.isatty() else None
    try:
        if before:
            tty.setraw(0)
        while True:
            ready = select.select([line, 0], [], [])[0]
            if line in ready:
                data = line.recv(4096)
                if not data:
                    return 0
                os.write(1, data)
            if 0 in ready:
                typed = os.read(0, 4096)
                if not typed or b"\x1d" in typed:
                    return 0
                line.sendall(typed)
    finally:
        if before:
            termios.tcsetattr(0, termios.TCSADRAIN, before)


def main(words: list[str]) -> int:
    """Do what the first word says."""
    what, *rest = words or ["help"]
    if what == "trace":
        return trace(rest)
    name = rest.pop(0) if rest and not rest[0].startswith("-") else ""
    try:
        if what == "list":
            print("\n".join(t.id for t in home_tests() + build_tests()))
            return 0
        if what == "test":
            return test(name)
        if what == "gdb":
            return gdb(name, rest)
        if what == "replay" and name:
            return replay(name, rest)
        if what == "console":
            return console()
    except (LookupError, HostFailure, OSError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return 1
    print(__doc__)
    return 2


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # let finally: run
    sys.exit(main(sys.argv[1:]))
