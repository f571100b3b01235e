"""What is typed, as programs read it from /dev/cons."""

from __future__ import annotations

from typing import Callable

import pytest

from grade.harness import Machine, Variant
from grade.harness.build import ROOT

PROMPT = "lux9% $"

pytestmark = pytest.mark.skipif(
    not (ROOT / "kernel/9p/dev_cons.c").exists(), reason="no stage 4 in this tree"
)


@pytest.fixture
def machine(build: Callable[..., Variant], start: Callable[..., Machine]) -> Machine:
    """Stage 4 at its prompt."""
    variant = build(Variant(stage=4, ktest=False))
    running = start(kernel=variant.kernel, initrd=variant.archive, terminal=True)
    running.expect(PROMPT)
    return running


def start_cat(machine: Machine) -> None:
    """From here on cat reads what is typed; the shell edits no more."""
    machine.send("{ echo ready; cat; }\n")
    machine.expect("(?m)^ready\r?\n")


@pytest.mark.parametrize(
    "typed, line",
    [
        ("abx\bc", "abc"),
        ("abx\x7fc", "abc"),
        ("gone\x15kept", "kept"),
        ("a\tb", "a\tb"),
        ("\b\x7fnothing before", "nothing before"),
        ("un\x01\x02printable", "unprintable"),
        ("one wrong \x17two", "one two"),
        ("gr\u00fc\u00fc\x7fn", "gr\u00fcn"),
        ("\u00e4\u20ac\U0001f600\b\b\bempty", "empty"),
        ("\u00e4 \u20ac\U0001f600\x17\u00df", "\u00e4 \u00df"),
        ("\u00e4\u20ac\x15kept", "kept"),
        ("a\udcfc\udce2\udc82\x7f\x7f\x7f\x7fb", "b"),
    ],
    ids=["backspace", "DEL", "whole line", "tab", "empty line", "control", "word"]
    + ["UTF-8", "long UTF-8", "UTF-8 word", "UTF-8 line", "no UTF-8"],
)
def test_line_editing(machine: Machine, typed: str, line: str) -> None:
    """A line can be corrected until it ends, and then a program has it."""
    start_cat(machine)
    machine.send(typed + "\n")
    machine.expect("\n")
    machine.expect(rf"(?m)^{line}\r?\n")
    machine.send("\x04")
    machine.expect(PROMPT)


def test_character_is_a_column(machine: Machine) -> None:
    """A character of several bytes goes from the screen as one."""
    start_cat(machine)
    machine.send("a\u20ac\x7fb\n")
    machine.expect("a\u20ac\b \bb\r?\n")
    machine.send("\x04")
    machine.expect(PROMPT)


def test_full_line_is_whole_or_dropped(machine: Machine) -> None:
    """The longest line is read whole; of one that is a byte longer, nothing."""
    start_cat(machine)
    machine.send("x" * 4094 + "\n")
    machine.expect("\n")
    machine.expect(r"(?m)^x{4094}\r?\n")
    machine.send("x" * 4093 + "\u00e4y\n")
    machine.expect("the line is too long: dropped")
    machine.send("next\n")
    machine.expect("\n")
    machine.expect(r"(?m)^next\r?\n")
    machine.send("\x04")
    machine.expect(PROMPT)


def test_end_of_input(machine: Machine) -> None:
    """Ctrl-D hands over what there is of a line; alone it ends the input."""
    start_cat(machine)
    machine.send("half")
    machine.expect("half")
    machine.send("\x04")
    machine.expect("half")
    machine.send("\x04")
    machine.expect(PROMPT)


def test_interrupt_drops_lines(machine: Machine) -> None:
    """Ctrl-C ends a waiting program; unread input is not a command."""
    machine.send("{ echo ready; sleep 1000; }\n")
    machine.expect("(?m)^ready\r?\n")
    machine.send("echo never\nhalf a li\x03")
    machine.expect(PROMPT)
    text = machine.command_line("echo alive", PROMPT)
    assert "alive" in text and "never" not in text


def test_raw_mode(machine: Machine) -> None:
    """Raw, each character comes at once, unechoed, and Ctrl-C is one."""
    raw = "{ echo rawon; echo ready > /dev/cons; "
    machine.send(raw + "head -n 1 /dev/cons | xd > /dev/cons; } > /dev/consctl\n")
    machine.expect("(?m)^ready\r?\n")
    machine.send("a\x03\x04\b\r\n")
    machine.expect("61 *03 *04 *08 *0d *0a")
    machine.expect(PROMPT)


def test_raw_mode_ends_with_its_owner(machine: Machine) -> None:
    """A process that closes consctl, or ends, takes its raw mode along."""
    machine.send("{ echo rawon; } > /dev/consctl; echo ready; cat\n")
    machine.expect("(?m)^ready\r?\n")
    machine.send("abx\bc\n")
    machine.expect("abx\b \bc\r?\n")  # echoed
    machine.expect("(?m)^abc\r?\n")  # and corrected
    machine.send("\x04")
    machine.expect(PROMPT)


def test_raw_mode_of_two(machine: Machine) -> None:
    """A process that set raw mode first still has it when another no longer does."""
    inner = "{ echo rawon; echo rawoff; } > /dev/consctl; "
    inner += "{ echo rawon; } > /dev/consctl; "
    raw = "{ echo rawon; " + inner + "echo ready > /dev/cons; "
    machine.send(raw + "head -n 1 /dev/cons | xd > /dev/cons; } > /dev/consctl\n")
    machine.expect("(?m)^ready\r?\n")
    machine.send("a\x03\n")
    machine.expect("61 *03 *0a")
    machine.expect(PROMPT)


@pytest.mark.parametrize(
    "date, seconds",
    [
        ("1999-12-31T23:59:58", 4102444798),  # a PC's clock keeps two digits
        ("2024-02-29T12:34:56", 1709210096),
        ("2024-03-01T00:00:00", 1709251200),
        ("2026-11-21T18:00:00", 1795284000),
    ],
)
def test_time_of_day(
    build: Callable[..., Variant],
    start: Callable[..., Machine],
    date: str,
    seconds: int,
) -> None:
    """/dev/time begins with what the battery clock says."""
    variant = build(Variant(stage=4, ktest=False))
    machine = start(
        kernel=variant.kernel,
        initrd=variant.archive,
        terminal=True,
        extra=("-rtc", f"base={date},clock=vm"),
    )
    machine.expect(PROMPT)
    text = machine.command_line("cat /dev/time", PROMPT)
    assert 0 <= int(text.split()[0]) - seconds < 10
