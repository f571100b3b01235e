"""`make gdb` as a person uses it: at a terminal, and before the kernel runs."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import shutil
import subprocess
import time
from pathlib import Path
from typing import Iterator

import pytest

from grade.harness import ROOT, Variant
from grade.harness.build import environment, gdb_program
from grade.harness.first_machine import first_machine
from grade.test_gdb import caught, session

PROMPT = r"\(gdb\) $"
LIMIT = 120  # seconds of host time without a sign of life: this host is in trouble


class Terminal:
    """A program on a terminal of its own, typed at by a test."""

    def __init__(self, place: Path, *words: str) -> None:
        self.place = place
        variables = {**environment(), "GDB_PLACE": str(place), "TERM": "dumb"}
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(ROOT)
            os.execvpe(words[0], list(words), variables)
        self.said = ""

    def expect(self, pattern: str) -> str:
        """Read until the pattern matches; all that came before its end."""
        text = ""
        while True:
            match = re.search(pattern, text)
            if match:
                return text[: match.end()]
            if not select.select([self.fd], [], [], LIMIT)[0]:
                pytest.fail(f"no {pattern!r} in {text!r} of {self.said!r}")
            try:
                data = os.read(self.fd, 4096)
            except OSError:  # Linux: the other side is closed
                data = b""
            if not data:
                pytest.fail(f"it ended without {pattern!r}: {text!r}")
            text += data.decode(errors="replace").replace("\r", "")
            self.said += text

    def type(self, text: str) -> None:
        """What a person types."""
        os.write(self.fd, text.encode())

    def command(self, line: str) -> str:
        """Type a command of GDB's; what it prints."""
        self.type(f"{line}\n")
        return self.expect(PROMPT)

    def await_console(self, text: str) -> None:
        """Wait until the machine's console has shown a text."""
        log = self.place / "console.log"
        for _ in range(LIMIT * 20):
            if text in log.read_text(errors="replace", encoding="utf-8").replace(
                "\r", ""
            ):
                return
            time.sleep(0.05)
        pytest.fail(f"no {text!r} on the console: {log.read_text(encoding='utf-8')!r}")

    def status(self) -> int:
        """How it ended; what it still says is read."""
        while select.select([self.fd], [], [], LIMIT)[0]:
            try:
                if not os.read(self.fd, 4096):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    def end(self) -> None:
        """End it, if it has not ended."""
        try:
            os.kill(self.pid, signal.SIGTERM)
            os.close(self.fd)
        except OSError:
            pass


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """`make gdb STAGE=1` on a terminal, stopped at kernel_main."""
    Variant(stage=1).make()
    shell = Terminal(tmp_path, "make", "-s", "gdb", "STAGE=1")
    shell.expect(PROMPT)
    yield shell
    shell.end()


def test_ctrl_c_stops_the_machine(terminal: Terminal) -> None:
    """Ctrl-C stops the machine, not GDB, make or QEMU; once more, too."""
    for typed, shown in ("", "lux9> "), ("lux type sym kernel_main", "kernel_main\n"):
        if typed:
            terminal.command(typed)
        terminal.type("continue\n")
        terminal.expect("Continuing")
        terminal.await_console(shown)  # it runs
        terminal.type("\x03")
        assert "SIGINT" in terminal.expect(PROMPT)
        assert "= 42\n" in terminal.command("print 6 * 7")
    terminal.type("quit\n")
    assert terminal.status() == 0, terminal.said


def test_ctrl_c_at_the_prompt(terminal: Terminal) -> None:
    """Ctrl-C at GDB's prompt drops the line that was typed."""
    terminal.type("print 6 *\x03")
    assert "Quit" in terminal.expect(rf"Quit\n{PROMPT}")
    assert "= 42\n" in terminal.command("print 6 * 7")


def test_ctrl_z_stops_the_job(tmp_path: Path) -> None:
    """Ctrl-Z gives the terminal back to the shell, and fg goes on."""
    Variant(stage=1).make()
    shell = Terminal(tmp_path, "bash", "--norc", "--noprofile", "-i")
    try:
        shell.type("PS1='ready'-'> '; make -s gdb STAGE=1\n")
        shell.expect(PROMPT)
        shell.type("\x1a")
        shell.expect("Stopped.*\n(?s:.*)ready-> $")
        shell.type("fg\n")
        shell.expect("make")
        assert "= 42\n" in shell.command("print 6 * 7")
        shell.type("quit\n")
        shell.expect("ready-> $")
    finally:
        shell.end()


@pytest.mark.parametrize("folder", [".", "x" * 120], ids=["short", "long"])
def test_console_of_a_machine_that_ended(folder: str, tmp_path: Path) -> None:
    """When the machine ends, its console's last lines are shown; lux log has them.

    Also where the session's folder has a path too long for a socket."""
    Variant(stage=1).make()
    terminal = Terminal(tmp_path / folder, "make", "-s", "gdb", "STAGE=1")
    try:
        terminal.expect(PROMPT)
        terminal.command("tbreak monitor")
        terminal.command("continue")
        terminal.command("lux type off")
        said = terminal.command("continue")
        assert "The machine has ended.  The last lines on its console:\n" in said
        assert "lux9> off\n" in said.split("The machine has ended")[1]
        assert "lux9> off" in terminal.command("lux log 2")
        assert "ended" not in terminal.command("print 1"), "it is said once"
        for command in ("mode", "cpu", "walk 0"):
            text = terminal.command(f"lux {command}")
            assert f"lux {command.split()[0]}: the machine has ended; `lux log`" in text
    finally:
        terminal.end()


# ---- labels, before the kernel runs ----


@pytest.mark.parametrize(
    "label, mode, first",
    [
        ("check_loader", "32-bit code, protected mode, paging off", "mov ebx,0x"),
        ("enter_long_mode", "32-bit code, protected mode, paging off", "mov eax,cr4"),
        ("enter_long_mode.code64", "64-bit code, long mode, paging on", "mov rax,0x"),
        ("higher_half", "64-bit code, long mode, paging on", "mov ax,0x10"),
        ("kernel_main", "64-bit code, long mode, paging on", "push rbp"),
    ],
)
def test_at_label(label: str, mode: str, first: str, tmp_path: Path) -> None:
    """make gdb AT=label stops there, and shows the mode and the code of it."""
    Variant(stage=1).make()
    words = ["make", "-s", "gdb", "STAGE=1", f"AT={label}"]
    run = subprocess.run(
        [*words, "GDBFLAGS=-batch -ex stepi -ex 'lux code 1' -ex detach"],
        cwd=ROOT,
        env={**environment(), "GDB_PLACE": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        timeout=150,
    )
    said = run.stdout + run.stderr
    assert f"{mode}\n=> " in said, said
    assert re.search(rf"^=> 0x\w+ <{label}> +{first}", said, re.M), said
    assert re.search(rf"^=> 0x\w+ <{label}\+\d+>", said, re.M), said
    assert "warning" not in said.lower(), "GDB complains about debugging information"


def test_place_with_a_long_name(tmp_path: Path) -> None:
    """A session's sockets work where a tree's path is longer than a socket's."""
    place = tmp_path / ("long, it's & " * 10) / "gdb"
    Variant(stage=1).make()
    run = subprocess.run(
        ["make", "-s", "gdb", "STAGE=1", "GDBFLAGS=-batch -ex 'lux log' -ex detach"],
        cwd=ROOT,
        env={**environment(), "GDB_PLACE": str(place)},
        capture_output=True,
        encoding="utf-8",
        timeout=150,
    )
    assert "kernel_main" in run.stdout and run.returncode == 0, run.stdout + run.stderr
    assert (place / "console.log").exists()


def test_programs_in_a_folder_with_any_name(tmp_path: Path) -> None:
    """lux program finds its way through blanks, quotes and backslashes."""
    elf = ROOT / "build/s3/user/bin/echo.elf"
    Variant(stage=3, ktest=False).make("all")
    place = tmp_path / 'it\'s a \\ "course"'
    (place / "bin").mkdir(parents=True)
    shutil.copy(elf, place / "bin/echo.elf")
    code = f"from lux import programs; programs.folder = lambda: Path({str(place)!r})"
    words = [gdb_program(), "-q", "-nx", "-batch", "-x", "tools/gdb/lux9.py"]
    words += ["-ex", f"python from pathlib import Path; {code}"]
    words += [
        "-ex",
        "lux program echo",
        "-ex",
        "lux program echo",
        "-ex",
        "info line main",
    ]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert "echo.c" in run.stdout and run.stdout.count("symbols of") == 2, run


def test_at_mistakes() -> None:
    """A label that does not exist, and a machine that ends first, are named."""
    commands = ["lux at nonsense", "lux at", "lux at monitor", "lux type off"]
    commands += ["lux at fail"]
    said = session("", *map(caught, commands), STAGE="1")
    assert 'No symbol "nonsense"' in said[0]
    assert "which label?" in said[1]
    assert "the machine ended before fail" in said[4]


def test_mode_in_long_mode() -> None:
    """lux mode names the bits that step 1.4 has set."""
    text = session("", "lux mode", STAGE="1")[0]
    assert "CR4  0x20: PAE\n" in text
    assert "EFER 0xd00: LME LMA NXE\n" in text
    assert "CR0  0x80010033: PE MP ET NE WP PG\n" in text


def test_16_bit_code() -> None:
    """The first instructions of another CPU are read as 16-bit code."""
    said = session("", "lux at 0x8000", "lux mode", STAGE="3", CPUS="2", AT="0x8000")
    assert "16-bit code, real mode, paging off" in said[0] + said[1]


# ---- tests from outside ----


def test_first_machine() -> None:
    """make gdb knows the machine of a test from outside, and where that looks."""
    first = first_machine("test_tables_identity")
    assert first.test.endswith("test_01_boot.py::test_tables_identity")
    said = session("test_no_nx_refused", "lux mode", STAGE="1", AT="check_cpu")
    assert first.setup.hold and first.stop
    assert "32-bit code" in said[0]


def test_first_machine_of_nothing() -> None:
    """A name that no test has is said to be none."""
    with pytest.raises(LookupError, match="no test is called 'test_nonsense'"):
        first_machine("test_nonsense")
