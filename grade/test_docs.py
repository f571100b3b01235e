"""What the documents show is what the machine does.

A fenced block after `<!-- runs: make gdb T=family -->` is a transcript: its
lines after a prompt are typed into that session, and what comes out must be
what stands there.  `<!-- goes on -->` continues the session of the block
before.  Numbers may differ, for they move with the code; a line `...` stands
for any number of lines, and a command without an answer may say anything.
"""

from __future__ import annotations

import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any, Callable, NamedTuple

import pytest

from grade.harness import ROOT, Machine, Variant
from grade.harness.build import last_stage
from grade.test_gdb import session

BLOCK = re.compile(r"<!-- (runs: (.*?)|goes on) -->\n+```.*\n((?s:.*?))\n```", re.M)
PROMPT = re.compile(r"^(\(gdb\)|lux9[>%]) (\S.*)$")
NOISE = re.compile(r"^(qemu-system-x86_64: .*|.* killed\]|\s*)\n", re.M)


class Session(NamedTuple):
    """Transcripts of one session: each command with what it shall say."""

    document: Path
    words: list[str]
    steps: list[tuple[str, str]]

    @property
    def id(self) -> str:
        """The test's name."""
        place = self.document.relative_to(ROOT).with_suffix("").as_posix()
        return re.sub(r"\W+", "-", " ".join([place, *self.words[1:]]))


def sessions_of(document: Path) -> list[Session]:
    """The sessions that a document shows."""
    found: list[Session] = []
    for match in BLOCK.finditer(document.read_text(encoding="utf-8")):
        if match[2]:
            found.append(Session(document, shlex.split(match[2]), []))
        steps = found[-1].steps
        for line in match[3].splitlines():
            typed = PROMPT.match(line)
            if typed:
                steps.append((typed[2], ""))
            elif steps:
                steps[-1] = (steps[-1][0], steps[-1][1] + line + "\n")
    return found


def documents() -> list[Path]:
    """All that may show a transcript."""
    return sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("labs/*/README.md")])


SESSIONS = [session for path in documents() for session in sessions_of(path)]


def shape(text: str) -> str:
    """A text without what moves with the code: numbers and widths."""
    text = text.replace(f"{ROOT}/", "")  # first: it may have blanks and numbers
    text = NOISE.sub("", text.replace("\r", "") + "\n")
    text = re.sub(r"0x[0-9a-f]+|\b[0-9a-f]{12,16}\b|-?\d+", "N", text)
    text = re.sub(r"[^ \n]*/build/", "build/", text)
    return "\n".join(" ".join(line.split()) for line in text.strip().splitlines())


def check(shown: str, said: str, command: str) -> None:
    """Fail unless the output is the documented one."""
    lines = [re.escape(line) + r"\n" for line in shape(shown).splitlines()]
    any_lines = r"(?:.*\n)*?"
    pattern = "".join(any_lines if line == r"\.\.\.\n" else line for line in lines)
    assert re.fullmatch(
        pattern, shape(said) + "\n" if said.strip() else ""
    ), f"{command}\n--- the document shows\n{shown}\n--- the machine says\n{said}"


def in_gdb(words: list[str], commands: list[str]) -> list[str]:
    """What GDB says to each command."""
    variables = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    test = variables.pop("T", "")
    return session(test, *commands, "echo", **variables)[:-2]


def at_prompt(
    words: list[str], commands: list[str], start: Callable[..., Machine]
) -> list[str]:
    """What Lux9 says to each command typed."""
    variables = dict(word.split("=", 1) for word in words[1:] if "=" in word)
    kernel = Variant(ktest=False, stage=int(variables.get("STAGE", last_stage())))
    kernel.make()
    setup: dict[str, Any] = {"kernel": kernel.kernel, "mem": "512M", "limit": 30}
    setup["cpus"] = int(variables.get("CPUS", 1))
    if kernel.archive.exists():
        setup["initrd"] = kernel.archive
    machine = start(**setup, terminal=True, cmdline=variables.get("APPEND", ""))
    machine.expect(r"lux9[>%] $")
    said = []
    for command in commands:
        machine.send(command + "\n")
        end = r"\r?\n((?s:.*?))(lux9[>%] $|(?<=^halted)\r?\n)"
        said.append(machine.expect("(?m)" + re.escape(command) + end)[1])
    return said


def compiler() -> str:
    """The version of gcc: inlined calls and registers depend on it."""
    run = subprocess.run(["gcc", "-dumpversion"], capture_output=True, encoding="utf-8")
    return run.stdout.strip()


@pytest.mark.skipif(compiler() != "12", reason="the documents show gcc 12's code")
@pytest.mark.parametrize("shown", SESSIONS, ids=lambda shown: shown.id)
def test_transcript(shown: Session, start: Callable[..., Machine]) -> None:
    """A session of the documents goes as it is shown."""
    commands = [command for command, _ in shown.steps]
    assert commands, "a transcript without a prompt"
    if shown.words[1] == "gdb":
        said = in_gdb(shown.words[1:], commands)
    else:
        said = at_prompt(shown.words[1:], commands, start)
    for (command, text), answer in zip(shown.steps, said):
        if text:
            check(text, answer, command)


def test_check_notices() -> None:
    """Other numbers pass, `...` skips lines, and other words do not pass."""
    check("CPU 0: 1 free\n", "CPU 12: 345   free\n", "")
    check("one\n...\nthree\n", "one\ntwo\ntwo\nthree\n", "")
    for said in ("CPU 0: 1 used\n", "", "CPU 0: 1 free\nmore\n"):
        with pytest.raises(AssertionError):
            check("CPU 0: 1 free\n", said, "")


def test_measured() -> None:
    """Chapter 3's table of costs is within 5 % of what `make bench` found last."""
    lines = (ROOT / "docs/bench.tsv").read_text(encoding="utf-8").splitlines()[1:]
    found = {line.split("\t")[0]: float(line.split("\t")[1]) for line in lines}
    text = (ROOT / "docs/03-processes.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\| .*?\(`(\w+)`\) \| ([\d,]+) ", text, re.M)
    assert len(shown) >= 6
    for name, count in shown:
        number = float(count.replace(",", ""))
        assert abs(number / found[name] - 1) < 0.05, f"{name}: now {found[name]}"


LABS = sorted(path.parent for path in ROOT.glob("labs/*-*/README.md"))
NUMBERS = "no one two three four five six seven eight nine ten eleven twelve thirteen"
NUMBERS = f"{NUMBERS} fourteen fifteen sixteen seventeen eighteen".split()


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_lab_text(lab: Path) -> None:
    """A lab's text has each step of the rubric, with its title, points and tests."""
    rubric = tomllib.loads((lab / "rubric.toml").read_text(encoding="utf-8"))
    text = (lab / "README.md").read_text(encoding="utf-8")
    files = re.search(r"the (\w+)\s+(?:files\s+)?(?:that|in)\s.*?rubric\.toml", text)
    assert files and NUMBERS.index(files[1]) == len(rubric["files"]), files
    parts = re.split(r"^###? ", text, flags=re.M)
    for step in rubric["steps"]:
        title = f"Step {step['id']}: {step['title']}"
        part = next((p for p in parts if p.startswith(title + "\n")), None)
        assert part is not None, f"the text has no heading '{title}'"
        points = re.search(r"(\d+)\s+points", part)
        assert points and int(points[1]) == step["points"], title
        tests = re.search(r"(\d+)\s+tests|\*\*Tests\.\*\*\s+(\d+)", part)
        assert tests, title
        assert int(tests[1] or tests[2]) == len(step["tests"]), title


@pytest.mark.parametrize("lab", LABS, ids=lambda lab: lab.name)
def test_lab_hints(lab: Path) -> None:
    """Each step has three hints, and no hint is for a step that is not there."""
    rubric = tomllib.loads((lab / "rubric.toml").read_text(encoding="utf-8"))
    hints = tomllib.loads((lab / "hints.toml").read_text(encoding="utf-8"))
    steps = hints.get("hints", hints)
    assert {step: len(found) for step, found in steps.items()} == {
        step["id"]: 3 for step in rubric["steps"]
    }


WARMUPS = [lab for lab in LABS if (lab / "warmup.py").exists()]


def warm_up(lab: Path, *words: str) -> tuple[int, list[str]]:
    """The status and the lines of a lab's warm-up."""
    command = [sys.executable, str(lab / "warmup.py"), *words]
    run = subprocess.run(command, capture_output=True, encoding="utf-8")
    assert run.stderr == "", run.stderr
    return run.returncode, run.stdout.splitlines()


@pytest.mark.parametrize("lab", WARMUPS, ids=lambda lab: lab.name)
def test_warm_up(lab: Path) -> None:
    """Right answers are right, and those of a neighbour and nonsense are not."""
    questions = runpy.run_path(str(lab / "warmup.py"))["questions"]
    right = [str(row[1]) for row in questions("anna")]
    fine = [f"{n}. right" for n in range(1, len(right) + 1)]
    assert warm_up(lab, "anna", *right) == (0, fine)
    assert warm_up(lab, "anna", *[hex(int(word)) for word in right]) == (0, fine)
    assert warm_up(lab, "bert", *right)[0] == 1
    for wrong in (str(int(right[-1]) + 1), "?", ""):
        status, lines = warm_up(lab, "anna", *right[:-1], wrong)
        assert status == 1 and lines[:-1] == fine[:-1] and "no: " in lines[-1], wrong
    assert warm_up(lab, "anna", right[0])[0] == 1
    assert warm_up(lab)[0] == warm_up(lab, "anna", *right, "1")[0] == 2


@pytest.mark.parametrize("lab", WARMUPS, ids=lambda lab: lab.name)
def test_warm_up_shown(lab: Path) -> None:
    """What a lab's text shows of its warm-up is what that asks."""
    shown = re.search(
        r"^\$ python3 labs/\S+/warmup.py (\w+)\n((?s:.*?))^```",
        (lab / "README.md").read_text(encoding="utf-8"),
        re.M,
    )
    assert shown, "the text does not show the warm-up"
    lines = [line for line in shown[2].splitlines() if line.strip() != "..."]
    status, asked = warm_up(lab, shown[1])
    assert status == 0 and lines == "\n".join(asked).splitlines()[: len(lines)]
