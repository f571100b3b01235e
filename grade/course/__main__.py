"""make grade LAB=2 [SUBMISSION=x] [T=step or 'test ...'] [OUT=dir]; make regrade OUT=dir
make handin LAB=2 [OUT=file.tar.gz]; make class LAB=2 DIR=dir OUT=dir [ROSTER=file]

    python3 -m grade.course grade LAB [submission=X] [out=DIR] [only=TEST] [jobs=N]
    python3 -m grade.course regrade DIR
    python3 -m grade.course pack LAB [out=FILE]
    python3 -m grade.course class LAB DIR OUT [roster=FILE] [jobs=N] [cluster=slurm]

Without a submission this tree itself is graded, as it is: a student's way at
home.  With one (an archive, a folder, a git revision or REPOSITORY@REVISION)
its files are graded in a pristine tree, confined.  Reports go to OUT, else to
build/grade/.  Exit status: 0 graded, whatever the points; 1 refused or not
built; 2 wrong words; 3 this host could not do it.
"""

from __future__ import annotations

import json
import os
import re
import sys
from pathlib import Path

from grade.course import report
from grade.course.pristine import grade_submission, pristine
from grade.course.rubric import RubricError, for_lab
from grade.course.score import InfrastructureError, Row, Score, grade_tree
from grade.course.sources import Refused
from grade.course.submission import collect, pack
from grade.harness import ROOT


def bar(done: int, total: int, label: str) -> None:
    """A progress bar, on a terminal."""
    if not sys.stderr.isatty():
        return
    full = 30 * done // max(total, 1)
    end = "\r\033[K" if done >= total else ""
    print(
        f"\r[{'#' * full:30}] {done}/{total} {label[:40]:40}{end}",
        end="",
        file=sys.stderr,
    )


def grade(lab: int, source: str, place: Path, only: list[str], jobs: int) -> Score:
    """Grade this tree or a submission; rows are written as they come."""
    place.mkdir(parents=True, exist_ok=True)
    log = place / "runs.jsonl"
    log.unlink(missing_ok=True)
    done: list[str] = []

    def progress(row: Row, total: int) -> None:
        done.append(row["id"])
        bar(len(done), total, row["id"])

    how = {"only": only, "log": log, "progress": progress}
    rubric = for_lab(ROOT, lab)
    if not source:
        return grade_tree(ROOT, lab, jobs, **how)  # type: ignore[arg-type]
    try:
        submission = collect(source, rubric, ROOT)
    except Refused as why:
        return Score(rubric, refused=str(why))
    tree = pristine(ROOT, lab, jobs)
    score = grade_submission(tree, lab, submission, jobs, **how)
    score.took = submission.took
    kept = place / "submission"
    for name, data in submission.files.items():
        (kept / name).parent.mkdir(parents=True, exist_ok=True)
        (kept / name).write_bytes(data)
    return score


def regrade(place: Path, jobs: int) -> int:
    """Grade what a folder of reports was made of again; the same bytes?"""
    before = (place / "score.json").read_text(encoding="utf-8")
    table = json.loads(before)
    source = str(place / "submission")
    if not Path(source).is_dir():
        print(
            f"{place} holds no submission: it was refused, or this tree itself graded"
        )
        return 1
    score = grade(table["lab"], source, place / "again", [], jobs)
    score.student = table["student"]
    after = score.to_json()
    (place / "again" / "score.json").write_text(after, encoding="utf-8")
    if before == after:
        print(f"the same bytes again: {score.points} points")
        return 0
    print(f"not the same: {table['points']} points then, {score.points} now")
    for key in sorted({**table["digests"], **score.digests}):
        then, now = table["digests"].get(key), score.digests.get(key)
        if then != now:
            print(f"  {key}: was {then}, is {now}")
    return 1


def unknown(score: Score, only: list[str]) -> str:
    """What is wrong with the names of tests to run; "" if all are known."""
    known = set(score.runs).union(*score.runs.values())
    for name in (word.lstrip("=") for word in only if known):
        if name not in known:
            near = sorted(test for test in score.runs if name in test)
            hint = f"; perhaps: {' '.join(near[:5])}" if near else ""
            return f"lab {score.rubric.lab} has no test {name!r}{hint}"
    return ""


def options(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Plain words, and those of the form key=value with a value."""
    known = ("submission", "out", "only", "jobs", "roster", "cluster")
    plain, named = [], {}
    for word in words:
        key, equals, value = word.partition("=")
        if equals and key in known:
            named[key] = value
        else:
            plain.append(word)
    return plain, {key: value for key, value in named.items() if value}


def main(words: list[str]) -> int:
    """Do what the first word says."""
    plain, named = options(words)
    jobs = int(named.get("jobs", os.cpu_count() or 2))
    what, *rest = plain or ["help"]
    try:
        if what == "grade" and len(rest) == 1 and rest[0].isdigit():
            rubric = for_lab(ROOT, int(rest[0]))
            steps = {s.id: s.tests for s in rubric.steps + rubric.challenges}
            names = named.get("only", "").split()
            only = [t for name in names for t in steps.get(name, [f"={name}"])]
            home = f"build/grade/lab{int(rest[0]):02}" + "-some" * bool(only)
            place = Path(named.get("out", ROOT / home))
            source = named.get("submission", "")
            score = grade(int(rest[0]), source, place, only, jobs)
            if wrong := unknown(score, only):
                print(wrong, file=sys.stderr)
                return 2
            report.write_all(score, place)
            print(report.terminal(score, every=bool(only)), end="")
            print(f"\nreport: {place / 'report.html'}")
            return 3 if score.infrastructure else bool(score.refused or score.unbuilt)
        if what == "regrade" and len(rest) == 1:
            return regrade(Path(rest[0]), jobs)
        if what == "class" and len(rest) == 3 and rest[0].isdigit():
            from grade.course.klass import run_class

            roster = Path(named["roster"]) if "roster" in named else None
            folder, out = map(Path, rest[1:])
            cluster = named.get("cluster", "")
            return run_class(int(rest[0]), folder, out, roster, jobs, cluster)
        if what == "pack" and len(rest) == 1 and rest[0].isdigit():
            place = Path(named.get("out", f"lab{int(rest[0])}.tar.gz"))
            rubric = for_lab(ROOT, int(rest[0]))
            pack(ROOT, rubric, place)
            text = "".join(
                (ROOT / name).read_text(encoding="utf-8") for name in rubric.files
            )
            if missing := re.findall(r'\blab_todo[ (]"([\d.]+)"', text, re.I):
                left = sorted(set(missing), key=lambda s: [*map(int, s.split("."))])
                print(f"still without code of yours: {' '.join(left)}")
            print(f"{place}: hand in this file")
            return 0
    except RubricError as error:
        print(error, file=sys.stderr)
        return 2
    except InfrastructureError as error:
        print(f"infrastructure error, no verdict: {error}", file=sys.stderr)
        return 3
    print(__doc__)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
