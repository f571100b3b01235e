#!/usr/bin/env python3
"""make handout LAB=2 OUT=dir [TRACK=fresh|carry]: what a student begins with.

The tree as it is now, without what comes later and without the solutions of
the lab's steps.  Earlier labs: the reference (fresh), or cut too, for those
who carry their own code along (carry: `make course` makes branches of it).
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

from tools.course import labs
from tools.course.cut import cut_tree
from tools.course.source import steps_in

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = Path(__file__).parent / "template"
TODO_FOLDER = Path("labs/todo")
TODO_FILES = (
    "lab_todo.c",
    "lab_todo_user.c",
    "lab_todo_text.c",
    "lab_todo.h",
    "lab_todo.inc",
    "todo.mk",
)
TRACKS = ("fresh", "carry", "solution")

# From which lab on a path is there; the first pattern that matches rules.
# 0: never, it is the instructor's or a test of the project itself.
RULES: list[tuple[str, int]] = [
    (r"kernel/mmu/", 2),
    (r"kernel/9p/|kernel/include/lux/(file|fcall)\.|user/(servers|man)/", 4),
    (r"user/lib/(9p/|file)|grade/guest/(user/p9_|kernel/(test_)?9p_)", 4),
    (r"kernel/sched/|kernel/include/lux/(sys|ureg|syscalls)\.|user/", 3),
    (r"kernel/|LICENSE$|Makefile$|pytest\.ini$|\.(gitignore|clang-format)$", 1),
    (r"\.devcontainer/", 1),
    (r"labs/\d\d-[^/]*/(mutants|instructor)/", 0),
    (r"labs/ask\.py$", 1),
    (r"grade/guest/kernel/(mmu_|test_mmu_)", 2),
    (r"grade/guest/(kernel/test_sched_|user/|make_elfs)", 3),
    (r"grade/guest/kernel/|grade/(harness|course)/|grade/host/", 1),
    (r"grade/(__init__|conftest|run|test_guest|test_host|test_boot)\.py$", 1),
    (r"grade/README\.md$", 1),
    (r"grade/test_mmu\.py$", 2),
    (r"grade/test_sched\.py$", 3),
    (r"tools/(symbols|lines|font|asm_place|doctor|hint)\.py$|tools/install\.sh$", 1),
    (r"tools/(gdb|make)/|tools/(qemu|iso)\.py$", 1),
    (r"tools/(manual|share)\.py$|grade/(p9|test_9p_\w+)\.py$", 4),
    (
        r"tools/(archive|trace|trace_picture|trace_sequence|bench)\.py$|docs/bench\.tsv$",
        3,
    ),
    (r"docs/(debugging|learning-alone|nasm-x86|words)\.md$", 1),
]
# Where `#if STAGE >= n` stands.
STAGED = (
    "kernel/main.c",
    "kernel/sched/syscall.h",
    "user/lib/lux.h",
)
# Lines of tables that all stages share: the number in it is the row's stage,
# the word its layer.
ROWS = {
    "kernel/include/lux/syscalls.def": r"^SYSCALL\(\d+, {stage}, .*\n",
    "kernel/include/lux/sys.h": r"^ +RF.*/\* stage {stage}: .*\n",
    "kernel/sched/sched.h": r"^ *TRACE_9P,.*\n",
    "docs/bench.tsv": r"^(?:pipe|{layer})_.*\n",
    "kernel/boot/lock.h": r"^ *RANK_\w+, +/\* {layer}: .*\n",
    "kernel/sched/spinlock.c": r"^ *\[RANK_\w+\] = .*/\* {layer} \*/\n",
}
_NUMBERED = re.compile(r"(?:docs(?:/figures)?|labs)/(\d\d)-|grade/test_(\d\d)_")


def first_lab(path: str) -> int:
    """The first lab whose handout has this file; 0: none has."""
    for pattern, lab in RULES:
        if re.match(pattern, path):
            return lab
    numbered = _NUMBERED.match(path)
    return int(numbered[1] or numbered[2]) if numbered else 0


def files_of(root: Path) -> list[str]:
    """The files of a tree that are its own, not a build's."""
    words = ["git", "ls-files", "-co", "--exclude-standard", "-z"]
    run = subprocess.run(words, cwd=root, capture_output=True, encoding="utf-8")
    if run.returncode == 0:
        return [f for f in sorted(set(run.stdout.split("\0"))) if f]
    found = [p.relative_to(root) for p in root.rglob("*") if p.is_file()]
    return sorted(p.as_posix() for p in found if p.parts[0] not in ("build", ".git"))


def _wanted_by_rubrics(root: Path, lab: int) -> set[str]:
    """Test files from outside that the rubrics up to this lab name."""
    tests = [t for n in range(1, lab + 1) for t in labs.load(root, n).tests]
    return {f"grade/{t.split('::')[0]}" for t in tests if "::" in t}


def _later_programs(root: Path, lab: int) -> set[str]:
    """What the Makefile's lists name for stages after this lab's."""
    found = set()
    for number, body in re.findall(
        r"^define USER_(?:LIB_|CMD_|SRV)(\d?)\n(.*?)^endef",
        (root / "Makefile").read_text(encoding="utf-8"),
        re.M | re.S,
    ):
        if int(number or 4) > lab:  # USER_SRV: file servers are stage 4's
            found.update(re.findall(r"^(\S+\.\w+)", body, re.M))
    folders = {f.rsplit("/", 1)[0] for f in found if f.count("/") > 2}
    headers = {
        path.relative_to(root).as_posix()
        for folder in folders - {"user/lib/x86_64"}
        for path in (root / folder).glob("*.h")
    }
    for path in (root / "user").rglob("*.c"):  # what others include stays
        if path.relative_to(root).as_posix() not in found:
            named = re.findall(
                r'^#include "(.*)"', path.read_text(encoding="utf-8"), re.M
            )
            headers -= {f"user/{name}" for name in named}
    return found | headers


def _has_sources(path: Path, out: Path) -> bool:
    """Whether a host test finds all that its head says it needs."""
    needed = re.findall(r"^ \* sources: (.*)$", path.read_text(encoding="utf-8"), re.M)
    return all((out / name).exists() for line in needed for name in line.split())


def _plain_stages(text: str, lab: int) -> str:
    """C without what `#if STAGE >= n` keeps for later labs."""
    lines, keep = [], [(True, False)]  # (lines are kept, directives are dropped)
    for line in text.splitlines(keepends=True):
        later = re.match(r"#if STAGE >= (\d)", line)
        if re.match(r"\s*#\s*if", line):
            false = bool(later and int(later[1]) > lab)
            keep.append((keep[-1][0] and not false, false))
            dropped = false
        elif re.match(r"\s*#\s*else", line):
            dropped = keep[-1][1]
            keep[-1] = (keep[-2][0] if dropped else keep[-1][0], dropped)
        elif re.match(r"\s*#\s*endif", line):
            dropped = keep.pop()[1]
        else:
            dropped = False
        if keep[-1][0] and not dropped:
            lines.append(line)
    return "".join(lines)


def _makefile(text: str, lab: int) -> str:
    """The Makefile without the lists and targets of what is not there."""
    lists = [f"KERNEL_{n}" for n in (2, 3, 4) if n > lab]
    lists += ["KERNEL_KASAN"] * (lab < 2)
    lists += [r"USER_(LIB|CMD)\w*"] * (lab < 3)
    lists += [r"(SHARED|USER_LIB|USER_CMD)_4|USER_SRV"] * (lab < 4)
    rules = ["check", "book"] + ["trace", "bench"] * (lab < 3)
    gone = [rf"define ({'|'.join(lists)})$"] * bool(lists)
    gone += [rf"({'|'.join(rules)}):$", "-include tools/course/course.mk"]
    kept = []
    for paragraph in text.split("\n\n"):
        if not any(re.search(rf"^{start}", paragraph, re.M) for start in gone):
            kept.append(paragraph)
    words = "|".join([*rules, "handout"])
    text = re.sub(rf"^#   make (?:{words}) .*\n", "", "\n\n".join(kept), flags=re.M)
    text = re.sub(
        rf"^(\.PHONY:.*?)(?: (?:{'|'.join(rules)})\b)+", r"\1", text, flags=re.M
    )
    later = "".join(str(n) for n in (2, 3, 4) if n > lab) or "x"
    return re.sub(rf"^KTEST_[{later}] = .*\n", "", text, flags=re.M)


def _fill(text: str, lab: labs.Lab, root: Path) -> str:
    """A template with what the lab is called."""
    folders = [labs.load(root, n).folder.name for n in sorted(labs.NAMES)]
    steps = steps_in(root)
    own = [s for s in steps if s.startswith(f"{lab.number}.")]
    first = steps[own[0]][0] if own else None
    values = {
        "N": str(lab.number),
        "NEXT": str(lab.number + 1),
        "TITLE": lab.title,
        "FOLDER": lab.folder.as_posix(),
        "STEP": own[0] if own else f"{lab.number}.1",
        "SOURCES": "kernel user" if lab.number > 2 else "kernel",
        "PLACE": f"{first.path}:{first.name}" if first else "the first step",
    }
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    return text.replace("@C_FOLDERS@", ",".join(f'"{f}"' for f in folders)).replace(
        "@ASM_FOLDERS@",
        "\n".join(f'%define LAB_FOLDER_{n} "{f}"' for n, f in enumerate(folders, 1)),
    )


def _readme(number: int, root: Path) -> str:
    """The handout's own README; after the last lab there is no next one."""
    text = (TEMPLATE / "README.md").read_text(encoding="utf-8")
    if number == max(labs.NAMES):
        text = re.sub(
            r"^## When this lab ends\n.*?(?=^Lux9 can)", "", text, flags=re.M | re.S
        )
    return _fill(text, labs.load(root, number), root)


def _grader_manual(text: str, out: Path) -> str:
    """grade/README.md without what this handout lacks.

    Rows of tables go whose files or target are not there, and sections about
    files that are not there."""
    makefile = (out / "Makefile").read_text(encoding="utf-8")

    def there(code: str) -> bool:
        make = re.match(r"make ([\w-]+)", code)
        if make:
            return (
                re.search(rf"^([\w -]+ )?{make[1]}( [\w -]+)?:", makefile, re.M)
                is not None
            )
        path = re.match(r"(?:grade|user|kernel|tools)/[\w./*-]+", code)
        return path is None or any(out.glob(path[0].rstrip("/")))

    lines = []
    for line in text.splitlines(keepends=True):
        row = re.match(r"\| (`[^|]*`[^|]*)\|", line)
        if row and not all(map(there, re.findall(r"`([^`]+)`", row[1]))):
            continue
        lines.append(line)
    sections = re.split(r"(?m)^(?=## )", "".join(lines))
    return "".join(
        section
        for section in sections
        if all(map(there, re.findall(r"`([^`\n]+)`", section)))
    )


def add_todo(tree: Path, root: Path = ROOT) -> None:
    """Give a tree lab_todo, so that a file with missing steps builds in it."""
    (tree / TODO_FOLDER).mkdir(parents=True, exist_ok=True)
    for name in TODO_FILES:
        text = _fill(
            (TEMPLATE / name).read_text(encoding="utf-8"), labs.load(root, 1), root
        )
        (tree / TODO_FOLDER / name).write_text(text, encoding="utf-8")


def make_handout(
    number: int, out: Path, track: str = "fresh", root: Path = ROOT
) -> list[str]:
    """Write the handout of a lab to a new folder; returns the steps cut."""
    wanted = _wanted_by_rubrics(root, number)
    later = _later_programs(root, number)
    for path in files_of(root):
        lab = first_lab(path)
        if path in later or not (root / path).is_file():
            continue
        if not (0 < lab <= number or path in wanted):
            continue
        (out / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / path, out / path)
    for test in (out / "grade/host").glob("test_*.c"):
        if not _has_sources(test, out):
            test.unlink()
    for name in STAGED:
        if (out / name).exists():
            text = (out / name).read_text(encoding="utf-8")
            (out / name).write_text(_plain_stages(text, number), encoding="utf-8")
    for name, row in ROWS.items():
        for stage, layer in labs.LAYERS.items():
            if stage > number and (out / name).exists():
                pattern = row.format(stage=stage, layer=layer)
                text = (out / name).read_text(encoding="utf-8")
                (out / name).write_text(
                    re.sub(pattern, "", text, flags=re.M), encoding="utf-8"
                )
    makefile = out / "Makefile"
    makefile.write_text(
        _makefile(makefile.read_text(encoding="utf-8"), number), encoding="utf-8"
    )
    manual = out / "grade/README.md"
    if manual.exists():
        manual.write_text(
            _grader_manual(manual.read_text(encoding="utf-8"), out), encoding="utf-8"
        )
    add_todo(out, root)
    (out / "README.md").write_text(_readme(number, root), encoding="utf-8")
    own = [number] if track == "fresh" else list(range(1, number + 1))
    steps = [s for s in steps_in(out) if int(s.split(".")[0]) in own]
    steps = [] if track == "solution" else steps
    keep = {name for n in own for name in labs.load(root, n).keep}
    cut_tree(out, set(steps), keep)
    return steps


def main(arguments: list[str]) -> int:
    """Make a handout where the arguments say; status 2 for bad ones."""
    track = arguments[2] if len(arguments) == 3 else "fresh"
    if len(arguments) not in (2, 3) or not arguments[0].isdigit():
        print(__doc__)
        return 2
    number, out = int(arguments[0]), Path(arguments[1])
    if number not in labs.NAMES or track not in TRACKS:
        print(f"LAB is {min(labs.NAMES)} to {max(labs.NAMES)}, TRACK one of {TRACKS}")
        return 2
    if out.exists() and any(out.iterdir()):
        print(f"{out} is not empty: a handout goes to a new folder", file=sys.stderr)
        return 1
    steps = make_handout(number, out, track)
    print(f"{out}: lab {number}, {len(steps)} steps to write: {' '.join(steps)}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
