"""Stage 4 from the console: the shell, its scripts, and the programs."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import Machine, Variant
from grade.harness.build import ROOT
from grade.harness.fixtures import archive_with

PROMPT = "lux9% $"
SCRIPTS = sorted((ROOT / "grade/guest/scripts").glob("*.sh"))
HAS_FILES = any((ROOT / "kernel/9p").glob("*.c"))
Shell = Callable[..., Machine]

pytestmark = pytest.mark.skipif(not HAS_FILES, reason="no stage 4 in this tree")


@pytest.fixture(scope="module")
def variant(build: Callable[..., Variant]) -> Variant:
    """Stage 4 as users build it."""
    return build(Variant(stage=4, ktest=False))


@pytest.fixture(scope="module")
def archive(variant: Variant, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its boot archive with the scripts, which the guest finds in /boot/scripts."""
    place = tmp_path_factory.mktemp("shell") / "boot.tar"
    files = {f"scripts/{script.name}": script.read_bytes() for script in SCRIPTS}
    archive_with(variant.archive, files, place)
    return place


@pytest.fixture
def shell(variant: Variant, archive: Path, start: Callable[..., Machine]) -> Shell:
    """A function that starts a machine and waits for its prompt."""

    def start_shell(**setup: object) -> Machine:
        machine = start(kernel=variant.kernel, initrd=archive, terminal=True, **setup)
        machine.expect(PROMPT)
        return machine

    return start_shell


def programs() -> list[str]:
    """The programs of stage 4, as the Makefile lists them."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    lists = re.findall(r"(?ms)^define (?:USER_CMD|USER_CMD_4)\n(.*?)^endef", text)
    names = re.findall(r"(?m)^user/\w+/(\w+)", "".join(lists))
    return sorted({*names} - {"init"})


def say(machine: Machine, line: str) -> str:
    """What a command line prints."""
    return machine.command_line(line, PROMPT)


def type_keys(machine: Machine, keys: str) -> str:
    """What appears once the prompt is there again, without control characters."""
    machine.send(keys)
    return machine.expect(r"(?s)\n(.*)" + PROMPT)[1].replace("\r", "")


def names_of_processes(machine: Machine) -> list[str]:
    """The names that ps lists."""
    return sorted(re.findall(r"(?m)^ *\d+ .* (\w+) *$", say(machine, "ps")))


# ---- scripts ----


def wanted_of(script: Path) -> list[str]:
    """The lines that a script is to print, from its remarks."""
    return re.findall(r"(?m)^#> ?(.*)$", script.read_text(encoding="utf-8"))


def printed_by(machine: Machine, script: Path) -> list[str]:
    """The lines that it prints, without blanks at their ends."""
    text = say(machine, f"/boot/scripts/{script.name}")
    return [line.rstrip() for line in text.splitlines()]


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_script(shell: Shell, script: Path) -> None:
    """A script prints what its remarks say, on every line of it."""
    assert printed_by(shell(), script) == wanted_of(script)


@pytest.mark.parametrize("cpus", [2, 8])
def test_scripts_on_many_cpus(shell: Shell, cpus: int) -> None:
    """Pipes and jobs do the same when their stages really run side by side."""
    script = ROOT / "grade/guest/scripts/pipes.sh"
    machine = shell(cpus=cpus)
    for _ in range(3):
        assert printed_by(machine, script) == wanted_of(script)


# ---- interrupts and jobs ----


@pytest.mark.parametrize(
    "command",
    [
        "sleep 1000",
        "sleep 1000 | cat",
        "for i in 1 2 3; do sleep 1000; done",
        "while :; do :; done",
        "while true; do true; done",
        "(sleep 1000; echo wrong)",
        "sleep 1000; echo wrong",
        "sh -c 'sleep 1000; echo wrong'",
        "echo $(sleep 1000)",
        "cat",
        "read x",
    ],
)
def test_interrupt(shell: Shell, command: str) -> None:
    """^C ends all of the command in the foreground, and nothing else."""
    machine = shell()
    say(machine, "sleep 1000 &")
    before = names_of_processes(machine)
    assert "sleep" in before
    machine.send(command + "\n")
    machine.expect(re.escape(command) + "\r?\n")
    machine.send("\x03")
    assert "wrong" not in machine.expect(r"(?s)(.*)" + PROMPT)[1]
    assert "sleep 1000" in say(machine, "jobs")
    assert names_of_processes(machine) == before


def test_interrupt_at_the_prompt(shell: Shell) -> None:
    """^C at the prompt gives up the line that was typed, the shell stays."""
    machine = shell()
    machine.send("echo wrong")
    machine.expect("wrong")
    machine.send("\x03")
    assert "wrong" not in machine.expect(r"(?s)(.*)" + PROMPT)[1]
    assert say(machine, "echo next") == "next\n"


def test_jobs(shell: Shell) -> None:
    """A job in the background is listed, told of at its end, waited for, and
    gets no line that is typed."""
    machine = shell()
    assert re.match(r"\[1\] \d+\n$", say(machine, "sleep 1000 &"))
    assert re.match(r"\[2\] \d+\n$", say(machine, "cat &"))
    machine.send("\n")
    assert "[2] cat: done" in machine.expect(r"(?s)(.*)" + PROMPT)[1] + say(
        machine, "sleep 0.1"
    )
    assert re.search(r"^\[1\] \d+ sleep 1000\n$", say(machine, "jobs"))
    say(machine, "kill $apid")
    pid = re.search(r"\d+ sleep", say(machine, "jobs"))
    if pid:
        say(machine, f"kill {pid[0].split()[0]}")
    say(machine, "sleep 0.1")
    assert say(machine, "jobs") == ""
    assert "later" in say(machine, "sleep 0.2 & wait; echo later")


def test_foreground(shell: Shell) -> None:
    """fg brings a job where ^C reaches it."""
    machine = shell()
    say(machine, "sleep 1000 &")
    machine.send("fg\n")
    machine.expect("sleep 1000\r?\n")
    machine.send("\x03")
    machine.expect(PROMPT)
    assert say(machine, "jobs") == ""


# ---- the line editor ----


@pytest.mark.parametrize(
    "keys, text",
    [
        ("echo abx\x7fc", "abc"),
        ("echo abx\x08c", "abc"),
        ("echo wrong\x15echo right", "right"),
        ("echo right wrong\x17", "right"),
        ("ho ab\x01ec\x05c", "abc"),
        ("echo ac\x02b\x06d", "abcd"),
        ("echo ac\x1b[Db\x1b[Cd", "abcd"),
        ("echo b\x1b[H\x1b[C\x1b[C\x1b[C\x1b[C a\x1b[Fc", "a bc"),
        ("echo abc\x02\x02\x04", "ac"),
        ("echo abc\x02\x02\x1b[3~", "ac"),
        ("echo abc\x02\x02\x0b", "a"),
        ("echo bc\x1b[1;5Da\x1b[1;5Cd", "abcd"),
        ("echo a\x1bb", "ab"),
        ("echo wrong\x1b\x15echo right", "right"),
        ("echo wrong\x1b[1\x15echo right", "right"),
        ("ech\ttab", "tab"),
        ("echo /boot/et\tmo\t", "/boot/etc/motd"),
        ("\x04\x1b[3~\x02\x06\x7f\x0becho odd", "odd"),
        ("echo gr\u00fcx\x7fn", "gr\u00fcn"),
        ("echo \u00e4\u20ac\U0001f600\x7f\x7f\x7fa", "a"),
        ("echo a\u20acc\x02\x02b", "ab\u20acc"),
        ("echo a\u20acc\x02\x02\x04", "ac"),
        ("echo b\u20ac\x01\x06\x06\x06\x06\x06a\x06\x06\u00e4", "ab\u20ac\u00e4"),
        ("echo \u00e4 \u20ac\u00e4 \x17b", "\u00e4 b"),
        ("echo a\udcfc\udce2\x7f\x7f\udce2\udc82\x7f\x7fb", "ab"),
    ],
)
def test_editing(shell: Shell, keys: str, text: str) -> None:
    """The keys of the line editor change the line as `man sh` says."""
    machine = shell()
    if keys.startswith("\x04"):
        keys = "x\x01" + keys  # ^D on an empty line would end the shell
    shown = type_keys(machine, keys + "\n")
    assert shown.split("\n")[-2].rstrip() == text


def test_columns(shell: Shell) -> None:
    """The cursor goes by characters, and Tab completes whole ones."""
    machine = shell()
    machine.send("\u00e4\u20ac\x01:\n")
    wide = "\u00e4\u20ac"
    machine.expect(f"{wide}\b\b:{wide}\b\b{wide}\r?\n")
    machine.expect(PROMPT)
    say(machine, "mkdir /tmp/u; cd /tmp/u; touch a\u00e81 a\u00e92")
    shown = type_keys(machine, "echo a\t\u00e9\t\n")
    assert shown.split("\n")[-2].rstrip() == "a\u00e92"


def test_history(shell: Shell) -> None:
    """The arrow keys bring back earlier lines, which can be changed."""
    machine = shell()
    for line in ("echo one", "echo two", "echo two"):
        say(machine, line)
    assert type_keys(machine, "\x1b[A\n") == "two\n"
    assert type_keys(machine, "\x1b[A\x1b[Aly\n") == "onely\n"
    assert type_keys(machine, "echo own\x1b[A\x1b[A\x1b[B\x1b[B\n") == "own\n"
    assert type_keys(machine, "\x10" * 300 + "\n") == "one\n"
    numbered = re.findall(r"(?m)^ +\d+ +(.*)$", say(machine, "history"))
    assert numbered[:2] == ["echo one", "echo two"]
    for number in range(100):
        say(machine, f"echo {number}")
    assert re.match(r" +\d+ +echo 1\n", say(machine, "history"))
    assert type_keys(machine, "\x10" * 150 + "\n") == "1\n"


def test_line_goes_on(shell: Shell) -> None:
    """What is open at the end of a line is asked for, and ^C gives it up."""
    machine = shell()
    for line in ("for i in a b", "do", "echo '$i", "'$i"):
        machine.send(line + "\n")
        machine.expect("\n> $")
    assert type_keys(machine, "done\n").splitlines() == ["$i", "a", "$i", "b"]
    machine.send("echo 'wrong\n")
    machine.expect("> $")
    machine.send("\x03")
    machine.expect(PROMPT)
    assert say(machine, "echo right") == "right\n"


def test_long_line(shell: Shell) -> None:
    """A line longer than the editor's is cut, not a crash."""
    machine = shell()
    machine.send("echo " + "x" * 5000 + "\n")
    machine.expect(PROMPT)
    assert say(machine, "echo right") == "right\n"


def test_typed_ahead(shell: Shell) -> None:
    """Lines typed while a command runs are for it, and then for the shell."""
    machine = shell()
    machine.send("read x; sleep 0.5; echo [$x]\nfor read\necho later\n")
    machine.expect(r"\[for read\](?s:.*)\nlater\r?\n(?s:.*)" + PROMPT)


def test_end_of_input(shell: Shell) -> None:
    """^D on an empty line ends the shell, and the first process starts another."""
    machine = shell()
    say(machine, "x=5")
    machine.send("\x04")
    machine.expect(PROMPT)
    assert say(machine, "echo next") == "next\n"


# ---- programs ----


def test_help_lists_every_program(shell: Shell) -> None:
    """`help` names every program, and `man` has a page for each."""
    machine = shell()
    listed = say(machine, "help").split()
    assert len(programs()) >= 50
    assert not {*programs()} - {*listed}
    for name in programs():
        assert f"usage: {name}" in say(machine, f"man {name}")


def test_every_program_says_what_it_does(shell: Shell) -> None:
    """Every program prints its usage for -h, and succeeds."""
    machine = shell()
    for name in programs():
        text = say(machine, f"{name} -h && echo it succeeds")
        assert f"usage: {name}" in text and "it succeeds" in text


def test_machine_of_the_name_space(shell: Shell) -> None:
    """free, uptime and sysstat tell of the machine whose /dev and /proc there are."""
    machine = shell(cpus=2)
    total, used, free = map(int, re.findall(r"\d+", say(machine, "free")))
    assert total == used + free and used > 1000
    up = say(machine, "uptime")
    assert re.fullmatch(r"up 0:00:0\d\.\d{3}, 2 CPUs, [4-9] processes\n", up)
    rows = say(machine, "sysstat").splitlines()
    assert [row.split()[0] for row in rows] == ["cpu", "0", "1"]
    say(machine, "mkdir /tmp/dev /tmp/proc /tmp/proc/1; rfork n")
    say(
        machine, "cd /tmp/dev; echo '8192000 memory' > swap; echo 4096 pagesize >> swap"
    )
    say(machine, "echo 100 kernel >> swap; echo 200/2000 user >> swap")
    say(machine, "echo 1 1 7384500 1000 > time; echo 0 1 2 3 4 5 6 7 8500 > sysstat")
    say(machine, "bind -b /tmp/dev /dev; bind /tmp/proc /proc")
    assert say(machine, "free").split()[3:] == ["8000", "1200", "6800"]
    assert say(machine, "uptime") == "up 2:03:04.500, 1 CPUs, 1 processes\n"
    row = say(machine, "sysstat").splitlines()[1]
    assert row.split() == "0 3 7 4 2 1 5 6 8.50".split()
    say(machine, "echo nonsense > swap; echo 1 > time; echo 0 1 > sysstat")
    assert "has no line" in say(machine, "free")
    assert "not the time" in say(machine, "uptime")
    assert "too short" in say(machine, "sysstat")


def test_time_of_children(shell: Shell) -> None:
    """`time` counts what the command's own children have used."""
    machine = shell()
    alone, all_ = (
        float(re.search(r"([0-9.]+)u [0-9.]+s [0-9.]+r ", say(machine, line))[1])
        for line in ("time fib 25", "time sh -c 'fib 25; fib 25; fib 25'")
    )
    assert alone > 0 and 2.5 * alone < all_ < 4 * alone


BAD = ["-Z", "-n", "/nosuch", "'['", "'' ''", "a b c d e f g", "-n -1", "/boot /boot"]
BUSY = {"crash", "forkbomb", "mem", "reboot", "shutdown", "spin", "bench", "edf"}


@pytest.mark.slow
def test_bad_arguments(shell: Shell) -> None:
    """No program crashes on arguments that make no sense."""
    machine = shell(limit=120)
    for name in sorted({*programs()} - BUSY):
        line = "; ".join(f"{name} {words}" for words in BAD)
        line = "{ " + line + "; } </dev/null >/dev/null"
        text = machine.command_line(line, PROMPT, limit=30)
        assert "sys: " not in text, text
    assert say(machine, "echo alive") == "alive\n"


def test_garbage_for_the_shell(shell: Shell) -> None:
    """Commands that make no sense are told of, each in a line; none crashes."""
    machine = shell()
    for line in (
        "fi", "if", ")", "| cat", "echo |", "echo >", "&& x", ";;", "for 1 in a", "{ }",
        "x=1 |", "> > >", "$", "$()", "echo ${", "echo $(", "\"", "a & & b", "! ! true",
        "exec /nosuch", ". /nosuch", "cd /a/b", "9<nosuch echo", "echo >&7", "fg 9",
        "wait 77", "rfork z", "unset ///", "read 1 2", "shift", "break", "continue",
    ):  # fmt: skip
        machine.send(line + "\n")
        machine.expect(re.escape(line))
        machine.expect("(lux9%|>) $")
        machine.send("\x03")
        machine.expect(PROMPT)
    assert say(machine, "echo alive") == "alive\n"


def test_long_line_begun_in_raw_mode(shell: Shell) -> None:
    """Of a line that is too long the beginning is not used either: a program in
    raw mode has not read it when the rest comes."""
    machine = shell(limit=200)
    rawon = "{ echo rawon; sleep 2; } > '#c/consctl'"
    machine.send(f"{rawon}; echo no''w; sleep 2\n")
    time.sleep(0.5)  # early or late, the end is the same
    machine.send("echo wrong > /tmp/wrong; ")
    machine.expect("\nnow")
    machine.send("x" * 4500 + "\necho next\n")
    machine.expect(r"\nnext\s+" + PROMPT)
    assert "wrong" not in say(machine, "ls /tmp").split()


def test_long_lines_typed(shell: Shell) -> None:
    """A line typed ahead or at the prompt is used whole or not at all."""
    machine = shell(limit=200)
    machine.send(f"sleep 1\necho {'a' * 2000} | wc -c\n")
    machine.expect(r"\n +2001\s+" + PROMPT)
    machine.send(f"sleep 1\necho {'b' * 4500} > /tmp/b\necho next\n")
    # typed while sleep runs or, if the host was late, at the prompt
    machine.expect(r"the line is too long(?s:.*)\nnext\s+" + PROMPT)
    machine.send("cat > /tmp/c\n" + "c" * 3000 + "\n\x04")
    machine.expect(PROMPT)
    assert say(machine, "wc -c < /tmp/c").split() == ["3001"]
    machine.send(f"echo {'e' * 4500}\x15echo again\n")
    machine.expect(r"\nagain\s+" + PROMPT)
    machine.send(f"echo {'d' * 4500} > /tmp/d\n")
    machine.expect(
        r"the line is too long \(\d+ bytes at most\): nothing is run\s+" + PROMPT
    )
    assert "b" not in say(machine, "ls /tmp").split()
    assert "d" not in say(machine, "ls /tmp").split()


@pytest.mark.parametrize("cpus", [1, 2])
def test_shell_comes_back_after_a_fork_bomb(
    start: Callable[..., Machine], variant: Variant, cpus: int
) -> None:
    """Without memory and without a shell the first process goes on, and starts
    a shell as soon as there is room for one."""
    setup = dict(mem="64M", cpus=cpus, limit=40, host_limit=250)
    machine = start(
        kernel=variant.kernel, initrd=variant.archive, terminal=True, **setup
    )
    machine.expect("lux9% $")
    machine.send("forkbomb -r 6 &\n")
    machine.expect("out of memory")
    machine.send("exit gone\n")
    machine.expect("the shell ended: gone")
    while machine.expect("alive|lux9% $")[0] != "alive":
        machine.send("echo a''live\n")
    machine.send("free\n")
    machine.expect("total +used +free")
    assert "powering off" not in machine.console()
