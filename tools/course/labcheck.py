#!/usr/bin/env python3
"""make labcheck [LAB=n]: proves a lab's tests against known-right and -wrong code.

The reference gets 100 points; the bare handout none; a tree without one step
loses that step's points and those of the steps that need it, no others; and
each mutant fails the tests that its head names, with the message it promises.
No contract, hint or text of the lab names what the handout does not contain, and
no hint types the solution.
The whole table, tree by test, goes to build/labcheck/labN.tsv.

Words: lab numbers, step=2.4 or mutant=name (only that one), jobs=N.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from grade.course.score import InfrastructureError, Row, Score, grade_tree
from tools.course import labs
from tools.course.cut import cut_tree
from tools.course.handout import ROOT, make_handout
from tools.course.mutants import Mutant, mutants_of
from tools.course.names import removed_names, typing_hints
from tools.course.source import steps_in

PLACE = ROOT / "build" / "labcheck"


@dataclass
class Trial:
    """One tree that was graded, and what is wrong with its score."""

    name: str
    score: Score
    wrong: list[str]
    seconds: float


@dataclass
class Check:
    """The check of one lab."""

    lab: labs.Lab
    tree: Path
    jobs: int = 2
    trials: list[Trial] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)  # what is wrong in them

    def grade(self, *only: str) -> Score:
        """The score of the tree as it is now; a host in trouble is asked twice.

        What the files read is asked of the reference alone: what is cut from it,
        or wrong in a mutant, reads nothing else.
        """
        more = {"only": only, "own": bool(self.trials)}
        try:
            return grade_tree(self.tree, self.lab.number, self.jobs, **more)
        except InfrastructureError as error:
            print(f"once more: {error}", file=sys.stderr)
            return grade_tree(self.tree, self.lab.number, self.jobs, **more)

    def add(self, name: str, score: Score, wrong: list[str], began: float) -> None:
        """Note a trial and print its line of the table."""
        if score.infrastructure:
            wrong = [*wrong, f"this host failed at {', '.join(score.infrastructure)}"]
        trial = Trial(name, score, wrong, time.monotonic() - began)
        self.trials.append(trial)
        print(line_of(trial), flush=True)

    def reference(self) -> None:
        """All steps as the reference has them: all points."""
        began = time.monotonic()
        score = self.grade()
        wrong = told(score)
        if score.points != 100:
            wrong.append(f"the reference has {score.points} points, not 100")
        for step in score.steps:
            if not step.whole:
                rows = score.failures(step)
                wrong += [f"{row['id']}: {said(row)[:120]}" for row in rows]
        self.add("reference", score, wrong, began)

    def without(self, name: str, steps: set[str], lost: set[str]) -> None:
        """These steps cut: exactly the points of `lost` are gone."""
        began = time.monotonic()
        with Restored(self.tree):
            cut_tree(self.tree, steps, self.lab.keep)
            score = self.grade()
        wrong = told(score)
        for step in score.steps:
            if step.step.id in lost and step.points:
                wrong.append(f"step {step.step.id} keeps {step.points} points")
            if step.step.id not in lost and not step.whole:
                ids = ", ".join(row["id"] for row in score.failures(step))
                wrong.append(f"step {step.step.id} loses {ids}")
        self.add(name, score, wrong, began)

    def mutant(self, mutant: Mutant) -> None:
        """A known-wrong solution: its tests fail, and say what they should."""
        began = time.monotonic()
        with Restored(self.tree, mutant.files):
            refused = mutant.apply(self.tree)
            score = self.grade(*mutant.tests)
        wrong = told(score) + [f"does not apply: {refused}"] * bool(refused)
        messages = ""
        for test in mutant.tests:
            ids = score.runs.get(test, [test])
            rows = [score.rows[i] for i in ids if i in score.rows]
            failed = [row for row in rows if row["verdict"] == "fail"]
            messages += "\n".join(map(said, failed)) + "\n"
            if not failed:
                wrong.append(f"{test} does not catch it")
        if not re.search(mutant.symptom, messages):
            wrong.append(f"nobody says {mutant.symptom!r}: {messages.strip()[:300]}")
        self.add(f"mutant {mutant.name}", score, wrong, began)


class Restored:
    """The files of a tree, put back at the end; those changed look new to make."""

    def __init__(self, tree: Path, files: tuple[str, ...] = ()) -> None:
        """Remember these files, or all that have steps."""
        tagged = {i.path for items in steps_in(tree).values() for i in items}
        names = set(files) or tagged
        self.before = {tree / n: (tree / n).read_bytes() for n in names}

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        for path, data in self.before.items():
            if path.read_bytes() != data:
                path.write_bytes(data)


def said(row: Row) -> str:
    """All that a student is told about a failed test."""
    parts = [*row.get("wrong", []), row.get("expected", ""), row.get("got", "")]
    parts += [row.get("end", ""), *row.get("stack", []), *row.get("records", [])]
    return "\n".join(str(part) for part in parts + row.get("console", []))


def told(score: Score) -> list[str]:
    """Why a tree was not even run."""
    return [*filter(None, [score.refused]), *score.unbuilt[:8]]


def line_of(trial: Trial) -> str:
    """A trial's line of the table: a column for each step."""
    cells = []
    for step in trial.score.steps:
        ids = [i for name in step.step.tests for i in trial.score.runs.get(name, [])]
        rows = [trial.score.rows[i] for i in ids if i in trial.score.rows]
        passed = sum(row["verdict"] == "pass" for row in rows)
        cells.append(f"{passed}/{len(rows)}" if rows else "-")
    if trial.name.startswith("mutant"):
        points = ""
    else:
        points = str(trial.score.points)
    line = f"{trial.name[:34]:34} {points:>4} " + "".join(f"{c:>8}" for c in cells)
    verdict = "ok" if not trial.wrong else "WRONG"
    line += f"  {verdict} {trial.seconds:4.0f} s"
    return line + "".join(f"\n    {text}" for text in trial.wrong)


def write_table(check: Check) -> Path:
    """The matrix of trees and tests: p passed, F failed, - not run."""
    runs: dict[str, None] = {}
    for trial in check.trials:
        runs.update(dict.fromkeys(i for ids in trial.score.runs.values() for i in ids))
    lines = ["\t".join(["tree", *runs])]
    for trial in check.trials:
        rows = trial.score.rows
        marks = {i: "p" if rows[i]["verdict"] == "pass" else "F" for i in rows}
        lines.append("\t".join([trial.name, *(marks.get(i, "-") for i in runs)]))
    path = PLACE / f"lab{check.lab.number}.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def durations(checks: list[Check], seconds: float) -> str:
    """How long it took, where the time went, and trees per hour."""
    spent: dict[str, list[float]] = {}
    for trial in (trial for check in checks for trial in check.trials):
        kind = trial.name.split()[0].replace("without", "steps cut")
        spent.setdefault(kind.replace("mutant", "mutants"), []).append(trial.seconds)
    graded = sum(map(len, spent.values()))
    line = f"{seconds:.0f} s in all"
    for kind, took in spent.items():
        line += f", {kind} {sum(took):.0f} s" + f" ({len(took)})" * (len(took) > 1)
    hour = 3600 * graded / max(sum(map(sum, spent.values())), 0.001)
    return f"{line}; {graded} trees, {hour:.0f} an hour"


def check_lab(number: int, jobs: int, step: str = "", mutant: str = "") -> Check:
    """Check one lab, or only one of its steps or mutants."""
    lab = labs.load(ROOT, number)
    tree = PLACE / f"lab{number}"
    shutil.rmtree(tree, ignore_errors=True)
    make_handout(number, tree, "solution")
    check = Check(lab, tree, jobs)
    columns = "".join(f"{s['id']:>8}" for s in lab.steps)
    print(f"\n{f'lab {number}: {lab.title}':34} {'of':>4} {columns}")
    points = "".join(f"{s['points']:>8}" for s in lab.steps)
    print(f"{'':34} {100:>4} {points}", flush=True)
    everything = {s["id"] for s in lab.steps}
    if not (step or mutant):
        check.reference()
        check.without("handout", everything, everything)
    for id_ in [s["id"] for s in lab.steps if s["id"] == step or not (step or mutant)]:
        check.without(f"without {id_}", {id_}, lab.needing(id_))
    for known in mutants_of(ROOT, lab):
        if known.name == mutant or not (step or mutant):
            check.mutant(known)
    if not (step or mutant):
        check.texts = removed_names(ROOT, lab) + typing_hints(ROOT, lab)
        print("".join(f"WRONG: {text}\n" for text in check.texts), end="")
    write_table(check)
    return check


def main(arguments: list[str]) -> int:
    """Check the labs; status 1 if anything is wrong."""
    words = dict(word.split("=", 1) for word in arguments if "=" in word)
    chosen = [int(word) for word in arguments if word.isdigit()]
    wrong, began = 0, time.monotonic()
    checks: list[Check] = []
    for number in chosen or labs.numbers(ROOT):
        if not labs.load(ROOT, number).rubric:
            print(f"lab {number} has no rubric")
            continue
        check = check_lab(
            number,
            int(words.get("jobs") or 2),
            words.get("step", ""),
            words.get("mutant", ""),
        )
        checks.append(check)
        faulty = [trial for trial in check.trials if trial.wrong]
        wrong += len(faulty) + len(check.texts)
        print(f"lab {number}: {len(check.trials)} trees, {len(faulty)} wrong")
    print(durations(checks, time.monotonic() - began))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
