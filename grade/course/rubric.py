"""Rubrics: which tests a lab's points are for, read from labs/*/rubric.toml.

A test is named as the harness names it (`frames_add_up-4cpu`); a bare name
(`frames_add_up`, `rfork.tree`) is that test on all its machines, and
`test_mmu.py::test_x` is a pytest function of grade/.  Each name is an equal
share of its step's points, and each machine an equal share of its name's.

    python3 -m grade.course.rubric [LAB ...]     check them
"""

from __future__ import annotations

import difflib
import re
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

TOTAL = 100  # points of a lab
SUFFIXES = (".c", ".h", ".asm")


class RubricError(ValueError):
    """What is wrong with a rubric, all of it."""


@dataclass(frozen=True)
class Step:
    """One step of a lab, or a challenge: its id then begins with C."""

    id: str
    title: str
    tests: tuple[str, ...]
    points: int = 0
    needs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rubric:
    """A lab's rubric."""

    lab: int
    name: str
    title: str
    stage: int
    files: tuple[str, ...]
    steps: tuple[Step, ...]
    challenges: tuple[Step, ...] = ()

    @property
    def folder(self) -> str:
        """The lab's folder in a tree."""
        return f"labs/{self.lab:02}-{self.name}"

    def step(self, id_: str) -> Step:
        """The step or challenge of that id."""
        for step in self.steps + self.challenges:
            if step.id == id_:
                return step
        raise LookupError(f"lab {self.lab} has no step {id_}")

    def needed_by(self, id_: str) -> set[str]:
        """The steps that cannot pass without that one, itself included."""
        found = {id_}
        while True:
            more = {s.id for s in self.steps if found & set(s.needs)} - found
            if not more:
                return found
            found |= more


_KEYS = {
    "rubric": {
        "lab": int,
        "name": str,
        "title": str,
        "stage": int,
        "files": list,
        "steps": list,
        "challenges": list,
        "keep": list,
    },
    "step": {"id": str, "title": str, "points": int, "needs": list, "tests": list},
    "challenge": {"id": str, "title": str, "tests": list},
}
_OPTIONAL = {"challenges", "needs", "keep"}  # keep: tools/course/cut.py


def _keys(what: str, kind: str, table: dict[str, Any]) -> list[str]:
    """What is wrong with the keys of a table."""
    known = _KEYS[kind]
    wrong = [f"{what}: unknown key {key!r}" for key in table if key not in known]
    for key, type_ in known.items():
        if key not in table:
            if key not in _OPTIONAL:
                wrong.append(f"{what}: {key!r} is missing")
        elif type(table[key]) is not type_:
            wrong.append(f"{what}: {key!r} must be of type {type_.__name__}")
        elif type_ is list and key not in ("steps", "challenges"):
            if not all(isinstance(word, str) for word in table[key]):
                wrong.append(f"{what}: {key!r} must be a list of strings")
    return wrong


def _file_wrong(name: str) -> str:
    """What is wrong with the name of a file to take from submissions."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or str(path) != name:
        return "must be a plain path inside the tree"
    if path.parts[0] not in ("kernel", "user"):
        return "only files of kernel/ and user/ are a student's"
    return "" if path.suffix in SUFFIXES else f"must end in {', '.join(SUFFIXES)}"


def _cycle(steps: tuple[Step, ...]) -> list[str]:
    """Steps that need each other, if there are any."""
    left = {step.id: set(step.needs) for step in steps}
    while left:
        free = [id_ for id_, needs in left.items() if not needs & set(left)]
        if not free:
            return sorted(left)
        for id_ in free:
            del left[id_]
    return []


def _wrong(rubric: Rubric) -> list[str]:
    """What is wrong with a rubric whose keys are right."""
    wrong = []
    total = sum(step.points for step in rubric.steps)
    if total != TOTAL:
        wrong.append(f"the points of the steps add up to {total}, not {TOTAL}")
    for name in rubric.files:
        if why := _file_wrong(name):
            wrong.append(f"files: {name}: {why}")
    if not rubric.files or len(set(rubric.files)) != len(rubric.files):
        wrong.append("files: must name some files, each once")
    ids = [step.id for step in rubric.steps + rubric.challenges]
    wrong += [f"{id_} is there twice" for id_ in sorted(set(ids)) if ids.count(id_) > 1]
    owner: dict[str, str] = {}
    for step in rubric.steps + rubric.challenges:
        challenge = step in rubric.challenges
        form = r"C\d+" if challenge else rf"{rubric.lab}\.\d+"
        if not re.fullmatch(form, step.id):
            wrong.append(f"step {step.id!r}: an id looks like {rubric.lab}.1 or C1")
        if step.points < 1 and not challenge:
            wrong.append(f"step {step.id}: points must be a whole number above 0")
        if not step.tests:
            wrong.append(f"step {step.id}: has no tests")
        for need in step.needs:
            if need not in ids or need == step.id:
                wrong.append(f"step {step.id}: needs {need!r}, which is no other step")
        for test in step.tests:
            if test in owner:
                wrong.append(f"test {test} is in {owner[test]} and in {step.id}")
            owner[test] = step.id
    if cycle := _cycle(rubric.steps):
        wrong.append(f"steps need each other: {', '.join(cycle)}")
    return wrong


def _step(table: dict[str, Any]) -> Step:
    return Step(
        id=table["id"],
        title=table["title"],
        tests=tuple(table["tests"]),
        points=table.get("points", 0),
        needs=tuple(table.get("needs", [])),
    )


def parse(text: str, where: str = "rubric.toml") -> Rubric:
    """Read a rubric; RubricError says all that is wrong with it."""
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RubricError(f"{where}: {error}") from error
    wrong = _keys(where, "rubric", table)
    for kind in ("step", "challenge"):
        for at, step in enumerate(table.get(f"{kind}s", [])):
            what = f"{where}: {kind} {step.get('id', at + 1)}"
            wrong += _keys(what, kind, step)
    if wrong:
        raise RubricError("\n".join(wrong))
    rubric = Rubric(
        lab=table["lab"],
        name=table["name"],
        title=table["title"],
        stage=table["stage"],
        files=tuple(table["files"]),
        steps=tuple(_step(step) for step in table["steps"]),
        challenges=tuple(_step(step) for step in table.get("challenges", [])),
    )
    if wrong := _wrong(rubric):
        raise RubricError("\n".join(f"{where}: {line}" for line in wrong))
    return rubric


def load(path: Path) -> Rubric:
    """Read the rubric in that file."""
    return parse(path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}")


def find(tree: Path, lab: int) -> Path:
    """Where the rubric of that lab is in a tree."""
    found = sorted(tree.glob(f"labs/{lab:02}-*/rubric.toml"))
    if len(found) != 1:
        there = sorted(path.parent.name for path in tree.glob("labs/*/rubric.toml"))
        raise RubricError(f"no lab {lab} here, only: {', '.join(there) or 'none'}")
    return found[0]


def for_lab(tree: Path, lab: int) -> Rubric:
    """The rubric of a lab of a tree; its files must be there too."""
    path = find(tree, lab)
    rubric = load(path)
    wrong = []
    if path.parent.name != f"{rubric.lab:02}-{rubric.name}" or rubric.lab != lab:
        wrong.append(f"its lab and name do not fit its folder {path.parent.name}")
    missing = [name for name in rubric.files if not (tree / name).is_file()]
    wrong += [f"files: {name}: there is no such file" for name in missing]
    if wrong:
        where = f"{path.parent.name}/{path.name}"
        raise RubricError("\n".join(f"{where}: {line}" for line in wrong))
    return rubric


def is_pytest(name: str) -> bool:
    """Whether a test's name is that of a pytest function."""
    return "::" in name


def resolve(rubric: Rubric, tests: Iterable[Any], tree: Path) -> dict[str, list[str]]:
    """For each test name of a rubric the ids of the runs that it stands for.

    `tests` are the harness's guest tests.  Runs on CPUs that are really at
    once are left out: they do not repeat, and a score must.
    """
    every = [t for t in tests if t.shift is not None and not t.fails]
    names = {n for t in every for n in (t.name, t.id, f"{t.program}.{t.name}")}
    found: dict[str, list[str]] = {}
    wrong = []
    for step in rubric.steps + rubric.challenges:
        for name in step.tests:
            if is_pytest(name):
                file, function = name.split("::", 1)
                path = tree / "grade" / file
                bare = function.split("[")[0]
                ids = [name] if path.is_file() and _defines(path, bare) else []
            else:
                ids = [t.id for t in every if t.id == name] or [
                    t.id
                    for t in every
                    if name in (t.name, f"{t.program}.{t.name}" if t.program else "")
                ]
            if not ids:
                close = difflib.get_close_matches(name, names, 3)
                hint = f"; is it {' or '.join(close)}?" if close else ""
                wrong.append(f"step {step.id}: there is no test {name}{hint}")
            found[name] = ids
    if wrong:
        raise RubricError("\n".join(f"lab {rubric.lab}: {line}" for line in wrong))
    return found


def _defines(path: Path, function: str) -> bool:
    return (
        re.search(
            rf"^def {re.escape(function)}\(", path.read_text(encoding="utf-8"), re.M
        )
        is not None
    )


def main(words: list[str]) -> int:
    """Check the rubrics of the labs named, or of all."""
    from grade.harness import ROOT
    from grade.harness.guest import home_tests

    labs = [int(word) for word in words]
    if not labs:
        found = ROOT.glob("labs/[0-9][0-9]-*/rubric.toml")
        labs = sorted(int(path.parent.name[:2]) for path in found)
    status = 0
    for lab in labs:
        try:
            rubric = for_lab(ROOT, lab)
            runs = resolve(rubric, home_tests(), ROOT)
        except RubricError as error:
            print(error, file=sys.stderr)
            status = 1
            continue
        worth = [name for step in rubric.steps for name in step.tests]
        print(
            f"lab {lab}: {len(rubric.steps)} steps, {len(worth)} tests worth points "
            f"on {sum(len(runs[n]) for n in worth)} machines, "
            f"{len(rubric.challenges)} challenges"
        )
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
