"""Points: runs a lab's tests in a tree and counts.

    score = grade_tree(tree, lab)

The tree is a whole one, with the student's files in it.  Its own harness runs
the tests, in a process of its own (worker.py), one machine for each.  A score
is a value: the same tree and tools give the same, whatever the host does.  A
host in trouble is an infrastructure error and never costs a point: such a
score is not complete and says so.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from grade.course.rubric import Rubric, Step, for_lab

SCHEMA = "lux9-score-1"
CONFINE = Path(__file__).with_name("confine.py")
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
WALL = 3600  # seconds of host time for a whole grading

Row = dict[str, Any]


class InfrastructureError(RuntimeError):
    """This host could not grade; no verdict about the submission."""


@dataclass
class StepScore:
    """What a step has earned."""

    step: Step
    passed: int  # machines on which its tests passed
    runs: int
    points: int

    @property
    def whole(self) -> bool:
        """Whether everything passed."""
        return self.runs > 0 and self.passed == self.runs


@dataclass
class Score:
    """The verdict about one tree."""

    rubric: Rubric
    rows: dict[str, Row] = field(default_factory=dict)  # by the id of a run
    runs: dict[str, list[str]] = field(default_factory=dict)  # of a test's name
    refused: str = ""  # why it was not even built
    unbuilt: list[str] = field(default_factory=list)  # what the compiler said
    without: dict[str, str] = field(
        default_factory=dict
    )  # steps that are left out: why
    notes: list[str] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    student: str = ""
    took: str = ""  # which files from where; no part of the record

    @property
    def infrastructure(self) -> list[str]:
        """The runs that this host could not do."""
        rows = self.rows.items()
        return [id_ for id_, row in rows if row["verdict"] == "infrastructure"]

    def _passed(self, name: str) -> tuple[int, int]:
        ids = self.runs.get(name, [])
        good = [id_ for id_ in ids if self.rows.get(id_, {}).get("verdict") == "pass"]
        return len(good), len(ids)

    def of_step(self, step: Step) -> StepScore:
        """A step's score: each test an equal share, down to whole points."""
        passed = runs = 0
        share = Fraction(0)
        for name in step.tests:
            good, all_ = self._passed(name)
            passed, runs = passed + good, runs + all_
            share += Fraction(good, all_) if all_ else 0
        points = int(step.points * share / len(step.tests))
        if step.id in self.without:
            points = 0
        return StepScore(step, passed, runs, points)

    @property
    def steps(self) -> list[StepScore]:
        """The scores of all steps."""
        return [self.of_step(step) for step in self.rubric.steps]

    @property
    def challenges(self) -> list[StepScore]:
        """The scores of the challenges; they earn no points."""
        return [self.of_step(step) for step in self.rubric.challenges]

    @property
    def points(self) -> int:
        """The lab's points, 0 to 100."""
        return sum(step.points for step in self.steps)

    def failures(self, score: StepScore) -> list[Row]:
        """The rows of a step's runs that did not pass, in the rubric's order."""
        rows = [
            self.rows.get(i)
            for name in score.step.tests
            for i in self.runs.get(name, [])
        ]
        return [row for row in rows if row is not None and row["verdict"] != "pass"]

    def to_dict(self) -> Row:
        """The record of a grading; canonical, without times or places."""
        return {
            "schema": SCHEMA,
            "lab": self.rubric.lab,
            "name": self.rubric.name,
            "student": self.student,
            "points": self.points,
            "of": sum(step.points for step in self.rubric.steps),
            "complete": not self.infrastructure,
            "refused": self.refused,
            "unbuilt": self.unbuilt,
            "without": self.without,
            "notes": self.notes,
            "steps": [
                {
                    "id": score.step.id,
                    "points": score.points,
                    "of": score.step.points,
                    "passed": score.passed,
                    "runs": score.runs,
                    "tests": {
                        name: self.runs.get(name, []) for name in score.step.tests
                    },
                }
                for score in self.steps + self.challenges
            ],
            "runs": [self.rows[id_] for id_ in sorted(self.rows)],
            "digests": self.digests,
        }

    def to_json(self) -> str:
        """The same bytes for the same grading."""
        return json.dumps(self.to_dict(), indent=1, sort_keys=True) + "\n"


def from_dict(table: Row, rubric: Rubric) -> Score:
    """A score from its record; the points are counted again."""
    return Score(
        rubric=rubric,
        rows={row["id"]: row for row in table["runs"]},
        runs={name: ids for s in table["steps"] for name, ids in s["tests"].items()},
        refused=table["refused"],
        unbuilt=table["unbuilt"],
        without=table["without"],
        notes=table["notes"],
        digests=table["digests"],
        student=table["student"],
    )


# ---- digests ----


def digest_file(path: Path) -> str:
    """SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def digest_files(tree: Path, names: Iterable[str]) -> str:
    """One digest of several files of a tree: names and contents."""
    whole = hashlib.sha256()
    for name in sorted(names):
        whole.update(f"{digest_file(tree / name)}  {name}\n".encode())
    return whole.hexdigest()


def files_of(tree: Path) -> list[str]:
    """The files of a tree that matter: all but builds and version control."""
    found = []
    for folder, folders, files in os.walk(tree):
        here = Path(folder).relative_to(tree)
        skip = {"__pycache__", ".git"} | ({"build"} if here == Path(".") else set())
        folders[:] = sorted(set(folders) - skip)
        found += [str(here / f) for f in files if (tree / here / f).is_file()]
    return sorted(found)


def tools() -> dict[str, str]:
    """The version and digest of each program that decides about a score."""
    found = {}
    for name in ("gcc", "ld", "nasm", os.environ.get("QEMU", "qemu-system-x86_64")):
        path = shutil.which(name, path=PATH) or shutil.which(name)
        if path is None:
            continue
        run = subprocess.run([path, "--version"], capture_output=True, encoding="utf-8")
        words = (run.stdout.splitlines() or ["?"])[0]
        found[Path(name).name] = f"{words}; sha256 {digest_file(Path(path))[:16]}"
    return found


# ---- running ----


def _environment(confined: bool, own: bool = False) -> dict[str, str]:
    """What the worker gets to see of our environment."""
    kept = ("LUX9_SECRET", "SEED", "CROSS", "QEMU", "TMPDIR", "LANG", "FONT")
    seen = {key: os.environ[key] for key in kept if key in os.environ}
    if confined:
        seen = {k: v for k, v in seen.items() if k != "TMPDIR"} | {"LUX9_CONFINE": "1"}
    path = PATH if confined else os.environ.get("PATH", PATH)
    if own and not confined:
        seen |= {"LUX9_OWN": "1"}
    return seen | {
        "PATH": path,
        "HOME": "/tmp" if confined else os.environ.get("HOME", "/tmp"),
        "LC_ALL": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONHASHSEED": "0",
    }


def worker_command(tree: Path, lab: int, jobs: int, only: list[str], confined: bool):
    """How to start the tree's worker."""
    python = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
    words = [python, "-m", "grade.course.worker", str(lab), str(jobs), *only]
    return [python, str(CONFINE), str(tree), *words] if confined else words


def _lines(
    tree: Path, words: list[str], confined: bool, own: bool = False
) -> Iterable[Row]:
    """What the worker says, as it says it."""
    process = subprocess.Popen(
        words,
        cwd=tree,
        env=_environment(confined, own),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE if confined else None,
        encoding="utf-8",
        errors="replace",
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            yield json.loads(line)
        errors = process.stderr.read() if process.stderr else ""
        if process.wait(WALL) != 0:
            raise InfrastructureError(
                f"the worker ended with status {process.returncode}:\n{errors[-2000:]}"
            )
    finally:
        process.kill()
        process.wait()


def grade_tree(
    tree: Path,
    lab: int,
    jobs: int = 2,
    only: Iterable[str] = (),
    confined: bool = False,
    log: Path | None = None,
    progress: Callable[[Row, int], None] | None = None,
    own: bool = False,
) -> Score:
    """Grade a whole tree with its own harness.

    `only`: names or ids of tests (see worker.py:chosen), all others count as
    not run.  `confined`:
    the code is a stranger's.  `log`: a file that gets each run's row as soon
    as there is one.  `progress` is called with each row and the number of all.
    `own`: the code is ours, so the compiler is not asked what its files read,
    which takes longer than to compile them; ignored if it is confined.
    Raises InfrastructureError if this host cannot do it at all.
    """
    tree = tree.resolve()
    rubric = for_lab(tree, lab)
    score = Score(rubric)
    score.digests = {
        "tree": digest_files(tree, files_of(tree)),
        "submission": digest_files(tree, rubric.files),
        "secret": hashlib.sha256(
            os.environ.get("LUX9_SECRET", "").encode()
        ).hexdigest()[:8],
        **tools(),
    }
    total = 0
    for row in _lines(
        tree, worker_command(tree, lab, jobs, [*only], confined), confined, own
    ):
        if "id" not in row:
            score.refused = row.get("refused", "")
            score.unbuilt = row.get("unbuilt", [])
            score.runs = row.get("runs", {})
            total = row.get("built", 0)
            continue
        score.rows[row["id"]] = row
        if log is not None:
            with log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, sort_keys=True) + "\n")
        if progress is not None:
            progress(row, total)
    if total != len(score.rows):
        raise InfrastructureError(f"only {len(score.rows)} of {total} runs came back")
    return score
