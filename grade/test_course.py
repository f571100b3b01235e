"""The course: steps are cut cleanly, handouts work, labs prove their tests."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grade.harness import ROOT, Setup, run
from grade.harness.build import environment
from tools.course import labs
from tools.course.course import make_course
from tools.course.cut import cut_text, cut_tree
from tools.course.handout import add_todo, files_of, make_handout
from tools.course.labcheck import Check, Trial, durations, said
from tools.course.mutants import mutants_of
from tools.course.names import removed_names, typing_hints
from tools.course.source import asm_items, c_items, steps_in

LABS = labs.numbers(ROOT)

C = """\
/* head */

enum { HELP = 2 };
enum { BOTH = 3 };

/* Only for walk. } */
static int
helper(int x) /* { */
{
    return x + HELP + '}';
}

static const char *const names[] = { "Lab 2.2 }", "b" }; /* also walk's */

static int shared(void (*fn)(int)) { fn(BOTH); return 1; }
#define CALL(x) \\
    shared(x)

/*
 * Finds.
 *
 * Lab 2.1
 */
int
walk(const struct a *root, int (*gone)(int x), char name[4], ...)
{
    if (helper(1)) { return names[0][0]; }
    return shared(0);
}

/* Lab 2.2 */
static void
tagged(void)
{
}

int other(void) { return CALL(0) + walk(0, 0, 0); }
"""

C_CUT = """\
/* head */

enum { BOTH = 3 };

static int shared(void (*fn)(int)) { fn(BOTH); return 1; }
#define CALL(x) \\
    shared(x)

/*
 * Finds.
 *
 * Lab 2.1
 */
int
walk(const struct a *root, int (*gone)(int x), char name[4], ...)
{
    (void)root, (void)gone, (void)name;
    lab_todo("2.1");
}
"""

ASM = """\
section .text
bits 32
; Both of
; Lab 1.2
        global first
first:  mov eax, 1
.loop:  jmp .loop       ; Lab 9.9

; Second.
second: ret
; Lab 1.3
table:  dd 1, 2
        dw table
        align 8
; Lab 1.4
%macro STUB 1
stub_%1:
        push %1
%endmacro
"""


def test_c_items() -> None:
    """Braces in comments, strings, macros and initialisers do not mislead the parser."""
    names = [(item.kind, item.name) for item in c_items(C)]
    assert names == [
        ("enum", "HELP"),
        ("enum", "BOTH"),
        ("function", "helper"),
        ("variable", "names"),
        ("function", "shared"),
        ("function", "walk"),
        ("function", "tagged"),
        ("function", "other"),
    ]
    walk = c_items(C)[5]
    assert walk.parameters == ["root", "gone", "name"] and walk.step == "2.1"


def test_every_source_is_understood() -> None:
    """Each function of the kernel that starts a line is found as a function."""
    for source in sorted((ROOT / "kernel").rglob("*.c")):
        text = source.read_text(encoding="utf-8")
        found = {item.name for item in c_items(text) if item.kind == "function"}
        plain = re.findall(r"^(\w+)\([^;{}]*\)\n\{", text, re.M)
        assert found >= set(plain) - {"__attribute__", "HANDLER"}, source


def test_cut_c() -> None:
    """A body goes, with what only it used; what others use stays."""
    after = cut_text(C, "a.c", {"2.1"}, set())
    assert after.startswith(C_CUT)
    assert after.endswith(C[C.index("/* Lab 2.2 */") :])


def test_cut_keeps() -> None:
    """What a rubric keeps stays, marked; so does a tagged static function."""
    text = C.replace("    if (helper", "    tagged();\n    if (helper")
    after = cut_text(text, "a.c", {"2.1"}, {"helper"})
    assert "[[maybe_unused]] static int\nhelper(" in after and "HELP = 2" in after
    assert "[[maybe_unused]] static void\ntagged(" in after
    assert "names" not in after


def test_cut_asm() -> None:
    """Labels lose their code, data just go, macros keep their label."""
    tags = [(item.name, item.step) for item in asm_items(ASM, "a.asm")]
    assert tags == [("first", "1.2"), ("second", ""), ("table", "1.3"), ("STUB", "1.4")]
    after = cut_text(ASM, "a.asm", {"1.2", "1.3", "1.4"}, set())
    assert 'first:\n        LAB_TODO "1.2", "a.asm:first"\n\n; Second.' in after
    assert 'table:\n        ; LAB_TODO "1.3", "' in after, "a comment, to be searched"
    assert 'stub_%1:\n        LAB_TODO "1.4", "a.asm:STUB"\n%endmacro' in after
    assert "second: ret" in after and "push" not in after


def test_no_trace_outside_of_comments() -> None:
    """A tag is the last line of a contract; nothing else in the code knows."""
    tagged = sum(len(items) for items in steps_in(ROOT).values())
    files = [p for f in ("kernel", "user") for p in (ROOT / f).rglob("*.*")]
    sources = [p for p in files if p.suffix in (".c", ".h", ".asm", ".inc")]
    lines = [
        len(re.findall(r"\bLab \d+\.\d+", p.read_text(encoding="utf-8")))
        for p in sources
    ]
    assert sum(lines) == tagged
    assert not any(
        re.search("lab_todo", p.read_text(encoding="utf-8"), re.I) for p in sources
    )


def built(tree: Path, *variables: str) -> str:
    """What make has to complain about in this tree."""
    words = ["make", "-j2", "-C", str(tree), *variables]
    run_ = subprocess.run(
        words, env=environment(), capture_output=True, encoding="utf-8"
    )
    lines = (run_.stdout + run_.stderr).splitlines()
    said_ = [line for line in lines if not re.match(r"  [A-Z]|make\b", line)]
    return "\n".join(said_ + [f"status {run_.returncode}"] * bool(run_.returncode))


@pytest.mark.slow
@pytest.mark.parametrize("number", LABS)
def test_handout(number: int, tmp_path: Path) -> None:
    """A bare handout builds without a warning, and says what to write first."""
    steps = make_handout(number, tmp_path)
    assert steps and all(step.startswith(f"{number}.") for step in steps)
    assert built(tmp_path) == ""
    place = tmp_path / "build" / f"s{number}"
    archive = place / "boot.tar" if number >= 3 else None
    result = run(Setup(kernel=place / "lux9.elf", cmdline="records", initrd=archive))
    where = labs.load(ROOT, number).folder
    want = rf"step {number}\.\d+ is not written yet: (\S+):(\w+), see {where}"
    match = re.search(want, result.console)
    assert match and (tmp_path / match[1]).is_file(), result.report()
    assert re.fullmatch(want, result.of("error")[0]) and result.end == "exit"


@pytest.mark.parametrize("number", LABS)
def test_nothing_later(number: int, tmp_path: Path) -> None:
    """A handout has no layer, lab, chapter or solution that comes later."""
    make_handout(number, tmp_path)
    files = files_of(tmp_path)
    later = [folder for n, folder in labs.LAYERS.items() if n > number]
    for name in files:
        assert not re.match(rf"kernel/({'|'.join(later) or '-'})/", name)
        assert not re.search(r"/(mutants|instructor)/|^tools/course|^docs/teach", name)
        numbered = re.match(r"(?:labs|docs)/(\d\d)-", name)
        assert not numbered or int(numbered[1]) <= number
    makefile = (tmp_path / "Makefile").read_text(encoding="utf-8")
    assert not any(f"kernel/{folder}/x86_64" in makefile for folder in later)
    missing = re.compile(r"lab_todo\(|LAB_TODO|is not written yet")
    for step, items in steps_in(tmp_path).items():
        for item in items:
            body = (tmp_path / item.path).read_text(encoding="utf-8")[
                item.body : item.end
            ]
            cut = missing.search(body) is not None
            assert cut == step.startswith(f"{number}."), (step, item.name)


def git(place: Path, *words: str) -> str:
    """What git says there."""
    who = ["-c", "user.name=student", "-c", "user.email=student@lux9.invalid"]
    run_ = subprocess.run(
        ["git", *who, *words], cwd=place, capture_output=True, encoding="utf-8"
    )
    assert run_.returncode == 0, run_.stdout + run_.stderr
    return run_.stdout


def solve(tree: Path, number: int) -> None:
    """Write all steps of a lab, as the reference has them and a line more."""
    for step, items in steps_in(tree).items():
        for path in {i.path for i in items if step.startswith(f"{number}.")}:
            text = (ROOT / path).read_text(encoding="utf-8")
            mine = "; mine\n" if path.endswith(".asm") else "/* mine */\n"
            (tree / path).write_text(text + mine, encoding="utf-8")


def test_course(tmp_path: Path) -> None:
    """Each lab's start can be merged into a student's work, on either track."""
    course, mine = tmp_path / "course", tmp_path / "mine"
    tags = make_course(course)
    assert tags == [
        "lab1-start",
        "lab2-start",
        "lab2-fresh",
        "lab3-start",
        "lab3-fresh",
        "lab4-start",
        "lab4-fresh",
    ]
    assert "carry" in git(course, "branch") and "fresh" in git(course, "branch")
    git(tmp_path, "clone", "-q", str(course), str(mine))
    solve(mine, 1)
    git(mine, "commit", "-qam", "lab 1")
    git(mine, "merge", "-q", "--no-edit", "lab2-start")
    assert "/* mine */" in (mine / "kernel/boot/serial.c").read_text(encoding="utf-8")
    assert (mine / "kernel/mmu/pt.c").read_text(encoding="utf-8").count("lab_todo(") > 1
    solve(mine, 2)
    git(mine, "commit", "-qam", "lab 2")
    git(mine, "merge", "-q", "--no-edit", "lab3-start")
    for path in ("kernel/boot/serial.c", "kernel/mmu/pt.c"):
        assert "/* mine */" in (mine / path).read_text(encoding="utf-8")
    git(mine, "switch", "-q", "-c", "clean", "lab2-fresh")
    assert "lab_todo(" not in (mine / "kernel/boot/serial.c").read_text(
        encoding="utf-8"
    )
    solve(mine, 2)
    git(mine, "commit", "-qam", "lab 2 on the fresh track")
    git(mine, "merge", "-q", "--no-edit", "lab3-start")
    assert "/* mine */" in (mine / "kernel/mmu/pt.c").read_text(encoding="utf-8")
    assert (mine / "kernel/sched/sched.h").exists()


def test_course_repeats(tmp_path: Path) -> None:
    """The same tree makes the same commits; solutions only if asked for."""
    one = make_course(tmp_path / "one", solutions=True, last=1)
    two = make_course(tmp_path / "two", last=1)
    assert one == ["lab1-start", "lab1-solution"] and two == ["lab1-start"]
    names = [git(tmp_path / p, "rev-parse", "lab1-start") for p in ("one", "two")]
    assert names[0] == names[1]


def test_course_goes_on(tmp_path: Path) -> None:
    """Later labs can be rebuilt; those that students have stay as they are."""
    course = tmp_path / "course"
    make_course(course, last=2)
    before = {t: git(course, "rev-parse", t) for t in ("lab1-start", "lab2-start")}
    reference = tmp_path / "reference"
    for name in files_of(ROOT):
        (reference / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, reference / name)
    source = reference / "kernel/mmu/pt.c"
    source.write_text(
        source.read_text(encoding="utf-8") + "/* mended */\n", encoding="utf-8"
    )
    make_course(course, root=reference, first=2, last=2)
    assert git(course, "rev-parse", "lab1-start") == before["lab1-start"]
    assert git(course, "rev-parse", "lab2-start") != before["lab2-start"]
    assert "/* mended */" in git(course, "show", "lab2-fresh:kernel/mmu/pt.c")
    git(course, "merge-base", "--is-ancestor", "lab1-start", "lab2-fresh")


@pytest.mark.slow
def test_labcheck(tmp_path: Path) -> None:
    """A lab's tests see a cut step and a mutant, and say so as promised.

    `make labcheck` does this for every step and every mutant of every lab.
    """
    number = min(n for n in LABS if mutants_of(ROOT, labs.load(ROOT, n)))
    lab = labs.load(ROOT, number)
    make_handout(number, tmp_path, "solution")
    check = Check(lab, tmp_path)
    mutant = mutants_of(ROOT, lab)[0]
    score = check.grade(*mutant.tests)
    failed = [row["id"] for row in score.rows.values() if row["verdict"] != "pass"]
    assert not failed and score.rows, said(score.rows[failed[0]])
    check.mutant(mutant)
    assert check.trials[0].wrong == []
    step = next(s for s in lab.steps if s["id"] == mutant.step)
    check.grade = lambda: Check.grade(check, *step["tests"])  # type: ignore
    check.without("without", {step["id"]}, {s["id"] for s in lab.steps})
    assert check.trials[1].wrong == []
    rows = check.trials[1].score.rows.values()
    assert any(f"step {step['id']} is not written yet" in said(row) for row in rows)


def test_labcheck_is_not_content_with_less(tmp_path: Path) -> None:
    """A test that catches nothing, and a message that no test gives, are found."""
    number = min(n for n in LABS if labs.load(ROOT, n).rubric)
    check = Check(labs.load(ROOT, number), tmp_path)
    patch = tmp_path / "m.patch"
    patch.write_text(
        "What: x\nStep: 2.1\nCaught-by: a, b\nSymptom: never\n\n", encoding="utf-8"
    )
    from grade.course.score import Score, for_lab
    from tools.course.mutants import read

    rows = {"a": {"id": "a", "verdict": "pass"}, "b": {"id": "b", "verdict": "fail"}}
    score = Score(for_lab(ROOT, number), rows, {"a": ["a"], "b": ["b"]})
    check.grade = lambda *only: score  # type: ignore[method-assign]
    check.mutant(read(patch))
    wrong = "\n".join(check.trials[0].wrong)
    assert "a does not catch it" in wrong and "nobody says 'never'" in wrong
    assert "b does not" not in wrong


def test_labcheck_asks_the_reference_alone_what_it_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cut trees and mutants are not asked; a stranger's code always is."""
    from grade.course import score as scores
    from grade.course import sources, worker
    from grade.course.rubric import for_lab
    from tools.course import labcheck

    told: list[bool] = []
    rubric = for_lab(ROOT, 2)

    def graded(*_: object, own: bool, **__: object) -> scores.Score:
        told.append(own)
        return scores.Score(rubric)

    monkeypatch.setattr(labcheck, "grade_tree", graded)
    check = Check(labs.load(ROOT, 2), tmp_path)
    check.reference()
    check.grade("a")
    assert told == [False, True]

    asked: list[str] = []
    for name in ("check_text", "check_object"):
        monkeypatch.setattr(sources, name, lambda *_: None)
    monkeypatch.setattr(sources, "check_reads", lambda name, _: asked.append(name))
    monkeypatch.setattr(worker, "make", lambda _: None)
    for confined, own in ((False, False), (True, True), (False, True)):
        value = scores._environment(confined, own).get("LUX9_OWN", "")
        monkeypatch.setenv("LUX9_OWN", value)
        asked.clear()
        worker.build(rubric, [])
        assert bool(asked) == (confined or not own)


def test_labcheck_says_where_the_time_went(tmp_path: Path) -> None:
    """Its last line has the seconds by kind of tree, and trees per hour."""
    check = Check(labs.load(ROOT, 2), tmp_path)
    names = {"reference": 40.0, "handout": 20.0, "without 2.1": 30.0}
    names |= {"without 2.2": 30.0, "mutant a": 5.0, "mutant b": 5.0, "mutant c": 20.0}
    for name, seconds in names.items():
        check.trials.append(Trial(name, None, [], seconds))  # type: ignore[arg-type]
    assert durations([check], 160.0) == (
        "160 s in all, reference 40 s, handout 20 s, steps cut 60 s (2), "
        "mutants 30 s (3); 7 trees, 168 an hour"
    )
    assert durations([], 1.0) == "1 s in all; 0 trees, 0 an hour"


RUBRIC = """\
lab = 2
name = "mmu"
title = "Memory"
stage = 2
files = ["kernel/mmu/pt.c"]
[[steps]]
id = "2.1"
title = "one"
points = 100
tests = ["a_test"]
"""
PT = "/*\n * It.\n * Lab 2.1\n */\nint\nf(void)\n{\n    return 1;\n}\n"
MUTANT = """\
What: wrong
Step: 2.1
Caught-by: a_test
Symptom: got 2

--- a/kernel/mmu/pt.c
+++ b/kernel/mmu/pt.c
@@ -6,4 +6,4 @@
 f(void)
 {
-    return 1;
+    return 2;
 }
"""


@pytest.mark.parametrize(
    "change, says",
    [
        ({}, ""),
        ({"rubric": ("= 100", "= 90")}, "add up to 90, not 100"),
        ({"rubric": ("a_test", "no_test")}, "there is no test no_test"),
        ({"pt": ("Lab 2.1", "Lab 2.2")}, "no function has the tag Lab 2.1"),
        ({"pt": ("Lab 2.1", "Lab 2.2")}, "Lab 2.2 is no step"),
        ({"mutant": ("return 1", "return 3")}, "does not apply"),
        ({"mutant": ("a_test", "b_test")}, "b_test is no test of the rubric"),
        ({"mutant": ("Step: 2.1", "Step: 2.3")}, "2.3 is no step"),
        ({"mutant": ("got 2", "got (2")}, "Symptom: "),
        ({"readme": ("2.1", "2.2")}, "no heading for step 2.1"),
        ({"hints": (', "c"', "")}, "step 2.1 has 2 hints, not 3"),
        ({"hints": ('"c"', '"call pt_none"')}, "step 2.1: there is no pt_none"),
    ],
    ids=lambda value: str(value)[:24].replace(" ", "-") if value else "right",
)
def test_check_labs(
    change: dict[str, tuple[str, str]], says: str, tmp_path: Path
) -> None:
    """`make check` finds what is wrong between tags, rubric, texts and mutants."""
    files = {
        "rubric": ("labs/02-mmu/rubric.toml", RUBRIC),
        "pt": ("kernel/mmu/pt.c", PT),
        "test": ("grade/guest/kernel/test_mmu_a.c", "KTEST(a_test)\n{\n}\n"),
        "mutant": ("labs/02-mmu/mutants/one.patch", MUTANT),
        "readme": ("labs/02-mmu/README.md", "### Step 2.1: one\n"),
        "hints": ("labs/02-mmu/hints.toml", '"2.1" = ["a", "b", "c"]\n'),
    }
    for key, (name, text) in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            text.replace(*change.get(key, ("", ""))) if text else text, encoding="utf-8"
        )
    words = [sys.executable, str(ROOT / "tools/check_labs.py"), str(tmp_path)]
    checked = subprocess.run(words, capture_output=True, encoding="utf-8")
    assert says in checked.stdout and checked.stderr == ""
    assert (checked.returncode == 0) == (not says), checked.stdout


@pytest.mark.parametrize(
    "name, change, says",
    [
        (
            "labs/03-sched/rubric.toml",
            ('    "raise_floors",\n', ""),
            "fair.c:fair_add: its contract names raise_floors, which the handout",
        ),
        (
            "labs/01-boot/hints.toml",
            ("Take the contract line by line", "Call put_nothing()"),
            "step 1.4, hint 1 names put_nothing, which the handout does not contain",
        ),
        (
            "labs/01-boot/README.md",
            ("## Hand in", "Type `make bench`.\n\n## Hand in"),
            "labs/01-boot/README.md: no such target: make bench",
        ),
        (
            "kernel/main.c",
            ("in this file, and", "in docs/index.md, and"),
            "kernel/main.c: no such file: docs/index.md",
        ),
    ],
    ids=["contract", "hint", "text", "comment"],
)
def test_names_that_a_handout_lacks(
    name: str, change: tuple[str, str], says: str, tmp_path: Path
) -> None:
    """What a lab tells its students exists in what they have."""
    tree = tmp_path / "tree"
    for path in files_of(ROOT):
        if not path.startswith(("build/", "labs/todo/")) and (ROOT / path).is_file():
            (tree / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / path, tree / path)
    number = int(name.split("/")[1][:2]) if name.startswith("labs/") else 1
    lab = labs.load(tree, number)
    assert removed_names(tree, lab) == []
    text = (tree / name).read_text(encoding="utf-8")
    assert change[0] in text
    (tree / name).write_text(text.replace(*change), encoding="utf-8")
    assert says in "\n".join(removed_names(tree, labs.load(tree, number)))


def test_hints_do_not_type(tmp_path: Path) -> None:
    """A hint that lists the solution's names is found; those of the labs are not."""
    for number in LABS:
        assert typing_hints(ROOT, labs.load(ROOT, number)) == []
    shutil.copytree(ROOT / "labs/03-sched", tmp_path / "labs/03-sched")
    (tmp_path / "kernel/sched").mkdir(parents=True)
    shutil.copy(ROOT / "kernel/sched/spinlock.c", tmp_path / "kernel/sched")
    hints = tmp_path / "labs/03-sched/hints.toml"
    code = "intr_off; cpu = this_cpu; wrong_order; lock_depth, lock_intr, were_on; "
    code += "ticket = __atomic_fetch_add; tlb_poll, cpu_pause, holder, lock_ranks"
    hints.write_text(f'"3.1" = ["a", "b", "{code}"]\n', encoding="utf-8")
    wrong = typing_hints(tmp_path, labs.load(tmp_path, 3))
    assert len(wrong) == 1 and "step 3.1, hint 3 types the code" in wrong[0]


@pytest.mark.parametrize("number", LABS)
def test_all_that_is_missing(number: int, tmp_path: Path) -> None:
    """The handout's search for what is missing finds each of the lab's steps."""
    steps = make_handout(number, tmp_path)
    command = re.search(
        r"^grep .*$", (tmp_path / "README.md").read_text(encoding="utf-8"), re.M
    )
    assert command is not None
    run = subprocess.run(command[0], shell=True, cwd=tmp_path, capture_output=True)
    found = set(re.findall(r'"(\d+\.\d+)"', run.stdout.decode()))
    assert found == set(steps)


def test_numbers_in_learning_alone() -> None:
    """The page Learning alone knows labs, steps and weeks."""
    text = (ROOT / "docs/learning-alone.md").read_text(encoding="utf-8")
    said = re.search(r"The (\w+) labs have (\d+) steps", text)
    count = sum(len(labs.load(ROOT, n).steps) for n in LABS)
    assert said and (said[1], int(said[2])) == ("four", count) and len(LABS) == 4
    weeks = max(int(n) for n in re.findall(r"^\| (?:\d+-)?(\d+) \|", text, re.M))
    assert f"{ {14: 'fourteen'}[weeks]} weeks" in text


def first_words() -> tuple[str, str]:
    """The line that step 1.5's text adds, and what it shows."""
    text = (
        (ROOT / "labs/01-boot/README.md")
        .read_text(encoding="utf-8")
        .split("### Step 1.5")[1]
    )
    added = re.search(r"```c\n(.*serial_write.*\n)```", text)
    shown = re.search(r"\$ make qemu-direct\n((?s:.*?))```", text)
    assert added and shown
    return added[1], shown[1]


@pytest.mark.slow
def test_first_words(tmp_path: Path) -> None:
    """After step 1.5 a student's kernel can print, as the text shows it."""
    added, shown = first_words()
    tree = tmp_path / "lab"
    make_handout(1, tree, "solution")
    later = {step for step in steps_in(tree) if int(step.split(".")[1]) > 5}
    cut_tree(tree, later, labs.load(ROOT, 1).keep)
    start = tree / "kernel/boot/start.c"
    text = start.read_text(encoding="utf-8")
    call = "    serial_init();\n"
    assert text.count(call) == 1
    start.write_text(text.replace(call, call + added), encoding="utf-8")
    built(tree, "STAGE=1")
    result = run(Setup(kernel=tree / "build/s1/lux9.elf"))
    assert result.console.replace("\r", "").split() == shown.split()


@pytest.mark.slow
def test_recipe_of_lab_3(tmp_path: Path) -> None:
    """The way back to a lost wakeup that step 3.4 shows leads to it."""
    text = (ROOT / "labs/03-sched/README.md").read_text(encoding="utf-8")
    shown = re.search(r"\$ make (replay T='[\w-]+')\n((?s:.*?))```", text)
    assert shown is not None
    lab = labs.load(ROOT, 3)
    make_handout(3, tmp_path / "lab", "solution")
    mutant = next(m for m in mutants_of(ROOT, lab) if m.name == "sleep-unlock-first")
    assert mutant.apply(tmp_path / "lab") == ""
    commands = re.findall(r"^\(gdb\) (.*)$", shown[2], re.M)
    flags = "".join(f" -ex '{command}'" for command in commands)
    words = ["make", "-s", *shlex.split(shown[1]), f"GDBFLAGS=-batch{flags}"]
    run_ = subprocess.run(
        words,
        cwd=tmp_path / "lab",
        env={**environment(), "GDB_PLACE": str(tmp_path)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=280,
    )
    said_ = run_.stdout + run_.stderr
    for pattern in (
        r"^Breakpoint 1, ktest_check \(ok=ok@entry=false",
        r"^Breakpoint 2, set_and_wake",
        r"^#0 +set_and_wake",
        r"^#5 .* in proc_block .* at kernel/sched/wake\.c:(\d+)\n(?s:.*)^\1\t +spin_unlock",
        r"^\$1 = PROC_RUNNING",
    ):
        assert re.search(pattern, said_, re.M), said_


def test_attack_of_lab_3() -> None:
    """Step 3.7's attack works with the right two numbers, and with no others."""
    attack = ROOT / "labs/03-sched/attack.py"

    def try_(*words: object) -> tuple[int, str]:
        command = [sys.executable, str(attack), *map(str, words)]
        run_ = subprocess.run(command, capture_output=True, text=True, encoding="utf-8")
        return run_.returncode, run_.stdout

    question = try_("anna")[1]
    last = int(re.search(r"its last (\d+) bytes", question)[1])  # type: ignore
    assert question in (ROOT / "labs/03-sched/README.md").read_text(encoding="utf-8")
    assert try_("anna", hex(2**64 - last), last)[0] == 0
    for offset, filesz, says in (
        (0, 8192, "accepted by every kernel"),
        (0, 8193, "refused"),
        (2**64 - last + 1, last, "not the last"),
        (2**64 - 5000, 5000, "no secret"),
        (2**64, 1, "64 bits"),
    ):
        status, said_ = try_("anna", offset, filesz)
        assert status == 1 and says in said_, said_
    assert try_("anna", 1)[0] == 2


def test_assembly_of_the_primer(tmp_path: Path) -> None:
    """The pieces of NASM in docs/nasm-x86.md assemble, and the wrong one does not."""
    text = (ROOT / "docs/nasm-x86.md").read_text(encoding="utf-8")
    code = "bits 32\n" + "".join(re.findall(r"```nasm\n(.*?)```", text, re.S))
    wrong = code.replace(";       dd some_table", "       dd some_table")
    assert wrong != code

    def assemble(source: str) -> str:
        (tmp_path / "a.asm").write_text(source, encoding="utf-8")
        words = ["nasm", "-f", "elf64", "-Werror", "-o", "a.o", "a.asm"]
        return subprocess.run(words, cwd=tmp_path, capture_output=True).stderr.decode()

    assert assemble(code) == ""
    error = re.search(r"; error: (.*)", text)
    assert error and f"error: {error[1]}" in assemble(wrong)


def test_hint(tmp_path: Path) -> None:
    """Hints come one by one, the last again; N= asks for a certain one."""
    (tmp_path / "tools").mkdir()
    shutil.copy(ROOT / "tools/hint.py", tmp_path / "tools")
    (tmp_path / "labs/02-mmu").mkdir(parents=True)
    hints = '[hints]\n"2.3" = ["look", "think", "do"]\n'
    (tmp_path / "labs/02-mmu/hints.toml").write_text(hints, encoding="utf-8")

    def ask(*words: str) -> tuple[int, str]:
        command = [sys.executable, str(tmp_path / "tools/hint.py"), *words]
        asked = subprocess.run(command, capture_output=True, encoding="utf-8")
        text = asked.stdout.removesuffix("\n\nThat is the last one.\n")
        return asked.returncode, text.strip().split("\n")[-1]

    assert [ask("2.3")[1] for _ in range(4)] == ["look", "think", "do", "do"]
    assert ask("2.3", "1") == (0, "look")
    assert ask("2.3", "7") == (2, "step 2.3 has the hints 1 to 3")
    assert ask("2.9") == (1, "there are no hints for a step 2.9")
    assert ask("x")[0] == 2


def test_todo_in_three_modes(tmp_path: Path) -> None:
    """LAB_TODO assembles to the same text in 16, 32 and 64 bits."""
    add_todo(tmp_path)
    for bits in (16, 32, 64):
        source = tmp_path / f"{bits}.asm"
        source.write_text(f'bits {bits}\nLAB_TODO "3.1", "a.asm:f"\n', encoding="utf-8")
        words = ["nasm", "-f", "bin", "-P", "labs/todo/lab_todo.inc", source.name]
        subprocess.run(words, cwd=tmp_path, check=True)
        text = "step 3.1 is not written yet: a.asm:f, see labs/03-sched"
        frame = f"\x1eLUX9 error {len(text)}\n{text}\n\0"
        assert frame.encode() in (tmp_path / str(bits)).read_bytes()


def test_teaching_shows_every_lab() -> None:
    """The output that the instructor's page shows has the tags of all labs."""
    text = (ROOT / "docs/teaching.md").read_text(encoding="utf-8")
    tags = "lab1-start " + " ".join(
        f"lab{n}-start lab{n}-fresh" for n in sorted(labs.NAMES) if n > 1
    )
    assert f"tags {tags}\n" in text
    assert f"`lab1-solution` to `lab{max(labs.NAMES)}-solution`" in text
