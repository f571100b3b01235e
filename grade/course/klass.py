"""A class: every submission in a folder, graded beside each other.

    make class LAB=2 DIR=handed-in OUT=results [ROSTER=students.csv] [CLUSTER=slurm]

Each file or folder in DIR is one submission; its name without `.tar.gz` or
`.zip` is the student's.  OUT gets a folder of reports for each, and index.html,
scores.csv and similar.csv for all.  Run again, only what is new or changed is
graded.  Submissions with the same files are graded once.  A broken one gets a
report that says why, and does not stop the rest.
"""

from __future__ import annotations

import csv
import hashlib
import json
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from pathlib import Path

from grade.course import report, similar
from grade.course.pristine import grade_submission, pristine
from grade.course.report import bar, escape, page, safe
from grade.course.roster import RosterError, read_roster, student_of
from grade.course.rubric import Rubric, for_lab
from grade.course.score import (
    InfrastructureError,
    Score,
    digest_file,
    files_of,
    from_dict,
    tools,
)
from grade.course.sources import Refused
from grade.course.submission import Submission, collect
from grade.harness import ROOT


@dataclass
class Entry:
    """One submission of the class."""

    student: str
    source: Path | None  # None: on the roster, but nothing handed in
    digest: str = ""  # of what decides about its score
    submission: Submission | None = None
    score: Score | None = None
    trouble: str = ""  # of this host, not of the submission

    @property
    def state(self) -> str:
        """What became of it, in a word or two."""
        if self.source is None:
            return "nothing handed in"
        if self.score is None or self.score.infrastructure:
            return "not graded: host trouble"
        if self.score.refused:
            return "refused"
        if self.score.without:
            return "graded without a file"
        return "does not build" if self.score.unbuilt else "graded"

    @property
    def reason(self) -> str:
        """Why it has no points, or not those of all steps, in one line; or ""."""
        if self.trouble or self.score is None:
            return self.trouble
        if self.score.refused:
            return self.score.refused
        errors = [
            line
            for line in self.score.unbuilt
            if re.search("error:|undefined reference", line)
        ]
        whys = (errors or self.score.unbuilt)[:1] + [*self.score.without.values()]
        return "; ".join(dict.fromkeys(whys))


@dataclass
class Class:
    """All that a run of a class works with."""

    rubric: Rubric
    tree: Path
    base: str  # digest of pristine tree and tools
    out: Path
    cache: Path
    entries: list[Entry] = field(default_factory=list)


def find_entries(folder: Path, roster: list[str]) -> list[Entry]:
    """One entry for each thing in the folder and each name of the roster."""
    found: dict[str, Entry] = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        name = student_of(path)
        while name in found:
            name += "+"
        found[name] = Entry(name, path)
    for name in roster:
        found.setdefault(name, Entry(name, None))
    return [found[name] for name in sorted(found)]


def prepare(entry: Entry, whole: Class) -> None:
    """Take the submission's files; an entry without one gets its score here."""
    if entry.source is None:
        return
    try:
        entry.submission = collect(str(entry.source), whole.rubric, ROOT)
    except Refused as why:
        entry.score = Score(whole.rubric, refused=str(why), student=entry.student)
        return
    except OSError as error:
        reason = f"it cannot be read: {error.strerror}"
        entry.score = Score(whole.rubric, refused=reason, student=entry.student)
        return
    digest = hashlib.sha256(whole.base.encode())
    for name, data in sorted(entry.submission.files.items()):
        digest.update(f"{name} {len(data)}\n".encode() + data)
    entry.digest = digest.hexdigest()


def grade_files(submission: Submission, digest: str, whole: Class) -> str:
    """Grade these files, or remember how they were; "" or this host's trouble."""
    kept = whole.cache / f"{digest}.json"
    if kept.exists():
        return ""
    log = whole.cache / f"{digest}.jsonl"
    log.unlink(missing_ok=True)
    try:
        score = grade_submission(whole.tree, whole.rubric.lab, submission, 1, log=log)
    except (InfrastructureError, OSError) as error:
        return str(error)
    if score.infrastructure:
        return f"{len(score.infrastructure)} tests could not be run"
    part = kept.with_suffix(".part")
    part.write_text(score.to_json(), encoding="utf-8")
    part.replace(kept)
    return ""


def finish(entry: Entry, whole: Class) -> None:
    """Write the reports of an entry whose files are graded or refused."""
    kept = whole.cache / f"{entry.digest}.json"
    if entry.score is None and entry.digest and kept.exists():
        score = from_dict(json.loads(kept.read_text(encoding="utf-8")), whole.rubric)
        took = entry.submission.took if entry.submission else ""
        entry.score = replace(score, student=entry.student, took=took)
    if entry.score is not None:
        report.write_all(entry.score, whole.out / "students" / entry.student)


def show(done: int, total: int, began: float) -> None:
    """The progress bar, with the time that is left."""
    spent = time.monotonic() - began
    left = spent / done * (total - done) if done else 0
    line = f"[{'#' * (30 * done // max(total, 1)):30}] {done}/{total} "
    line += f"{spent:.0f} s, {left:.0f} s to go"
    end = "\n" if done == total or not sys.stderr.isatty() else ""
    if sys.stderr.isatty() or done == total or done % 25 == 0:
        start = "\r\033[K" if sys.stderr.isatty() else ""
        print(start + line, end=end, file=sys.stderr, flush=True)


def grade_here(todo: dict[str, Submission], whole: Class, jobs: int) -> dict[str, str]:
    """Grade these on this host, jobs at a time; for each "" or this host's trouble."""
    troubles: dict[str, str] = {}
    began = time.monotonic()
    with ThreadPoolExecutor(jobs) as pool:
        runs = {pool.submit(grade_files, one, d, whole): d for d, one in todo.items()}
        for done, run in enumerate(as_completed(runs), 1):
            try:
                troubles[runs[run]] = run.result()
            except Exception as error:  # a fault of ours must not stop the rest
                troubles[runs[run]] = f"{type(error).__name__}: {error}"
            show(done, len(runs), began)
    return troubles


def grade_all(whole: Class, jobs: int, cluster: str = "") -> int:
    """Grade what is not graded yet, equal ones once; how many that were."""
    todo = {
        entry.digest: entry.submission
        for entry in whole.entries
        if entry.submission and not (whole.cache / f"{entry.digest}.json").exists()
    }
    if cluster and todo:
        from grade.course.cluster import grade_on_slurm

        troubles = grade_on_slurm(todo, whole)
    else:
        troubles = grade_here(todo, whole, jobs)
    for entry in whole.entries:
        entry.trouble = troubles.get(entry.digest, "")
    return len(todo)


# ---- tables and pages ----


def scores_csv(whole: Class) -> str:
    """A line for each student."""
    import io

    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    steps = whole.rubric.steps
    write(["student", "state", "points", *[step.id for step in steps], "reason"])
    for entry in whole.entries:
        score = entry.score
        cells: list[object] = ["" for _ in range(len(steps) + 1)]
        if score is not None and not score.infrastructure:
            cells = [score.points, *[step.points for step in score.steps]]
        write([safe(entry.student), entry.state, *cells, safe(entry.reason)])
    return out.getvalue()


def _histogram(points: list[int]) -> list[str]:
    """How many students have how many points, in tens."""
    lines = ["<table><caption>Points</caption><thead><tr><th>points</th><th></th>"]
    lines.append('<th class="n">students</th></tr></thead>')
    bins = [[p for p in points if min(p // 10, 9) == ten] for ten in range(10)]
    most = max(map(len, bins), default=0) or 1
    for ten, inside in enumerate(bins):
        label = f"{ten * 10} to {100 if ten == 9 else ten * 10 + 9}"
        lines.append(
            f"<tr><td>{label}</td><td>{bar(len(inside) / most, 20)}</td>"
            f'<td class="n">{len(inside)}</td></tr>'
        )
    return lines + ["</table>"]


def _by_step(whole: Class, scores: list[Score]) -> list[str]:
    lines = ["<h2>By step</h2><table><thead><tr><th>step</th><th></th><th></th>"]
    lines.append(
        '<th class="n">mean</th><th class="n">full</th><th class="n">partly</th>'
    )
    lines.append('<th class="n">none</th></tr></thead>')
    for step in whole.rubric.steps:
        points = [score.of_step(step).points for score in scores]
        mean = sum(points) / len(points) if points else 0
        full, none = points.count(step.points), points.count(0)
        lines.append(
            f"<tr><td>{step.id}</td><td>{escape(step.title)}</td>"
            f"<td>{bar(mean / step.points)}</td>"
            f'<td class="n">{mean:.1f} of {step.points}</td><td class="n">{full}</td>'
            f'<td class="n">{len(points) - full - none}</td><td class="n">{none}</td></tr>'
        )
    return lines + ["</table>"]


def _by_test(whole: Class, scores: list[Score]) -> list[str]:
    lines = ["<h2>By test</h2><table><thead><tr><th>step</th><th>test</th><th></th>"]
    lines.append('<th class="n">passed it</th></tr></thead>')
    for step in whole.rubric.steps:
        for name in step.tests:
            good = 0
            for score in scores:
                ids = score.runs.get(name, [])
                good += bool(ids) and all(
                    score.rows.get(i, {}).get("verdict") == "pass" for i in ids
                )
            part = good / len(scores) if scores else 0
            lines.append(
                f"<tr><td>{step.id}</td><td><code>{escape(name)}</code></td>"
                f'<td>{bar(part)}</td><td class="n">{good} of {len(scores)}</td></tr>'
            )
    return lines + ["</table>"]


def _students(whole: Class) -> list[str]:
    lines = ["<h2>Students</h2><table><thead><tr><th>student</th><th>state</th>"]
    lines.append('<th></th><th class="n">points</th></tr></thead>')
    for entry in whole.entries:
        name, score = escape(entry.student), entry.score
        state = escape(entry.state + (f": {entry.reason}" if entry.reason else ""))
        if score is None:
            lines.append(f"<tr><td>{name}</td><td>{state}</td><td></td><td></td></tr>")
            continue
        lines.append(
            f'<tr><td><a href="students/{name}/report.html">{name}</a></td>'
            f"<td>{state}</td><td>{bar(score.points / 100)}</td>"
            f'<td class="n">{score.points}</td></tr>'
        )
    return lines + ["</table>"]


def index(
    whole: Class, alike: list[tuple[int, str, str]], same: list[list[str]]
) -> str:
    """The page about the whole class."""
    scores = [entry.score for entry in whole.entries if entry.score is not None]
    title = f"Lab {whole.rubric.lab}: {whole.rubric.title}, the class"
    points = sorted(score.points for score in scores)
    body = [f"<h1>{escape(title)}</h1>"]
    states = [entry.state for entry in whole.entries]
    counts = ", ".join(f"{states.count(s)} {s}" for s in sorted(set(states)))
    body.append(f"<p>{len(whole.entries)} students: {escape(counts)}.</p>")
    if points:
        mean, middle = sum(points) / len(points), points[len(points) // 2]
        body.append(
            f'<p class="total">mean {mean:.1f}, median {middle} of 100 points</p>'
        )
        body.append("<p>What is refused or does not build counts with 0.</p>")
    body += _histogram(points) + _students(whole)
    body += _by_step(whole, scores) + _by_test(whole, scores)
    body.append(
        "<h2>Alike</h2><p>What two have written beyond the starter. A hint to look,"
    )
    body.append("no proof: short steps have few solutions.</p><table><thead><tr>")
    body.append('<th class="n">alike</th><th>students</th></tr></thead>')
    if not similar.available():
        body.append(f"<tr><td></td><td>{similar.MISSING}</td></tr>")
    for names in same:
        shown = escape(", ".join(names))
        body.append(f'<tr><td class="n">same files</td><td>{shown}</td></tr>')
    for part, a, b in alike[:200]:
        body.append(
            f'<tr><td class="n">{part} %</td><td>{escape(a)}, {escape(b)}</td></tr>'
        )
    return page(title, body + ["</table>"])


def compare(whole: Class) -> tuple[list[tuple[int, str, str]], list[list[str]]]:
    """Similar pairs, and groups with the very same files that are not starters."""
    groups: dict[str, list[Entry]] = {}
    for entry in whole.entries:
        if entry.submission is not None:
            groups.setdefault(entry.digest, []).append(entry)
    work, same = {}, []
    for entries in groups.values():
        first = entries[0]
        assert first.submission is not None
        text = similar.own_work(first.submission.files, whole.tree)
        if not text.strip():
            continue
        work[first.student] = text
        if len(entries) > 1:
            same.append([entry.student for entry in entries])
    return similar.pairs(work), same


def durations(
    count: int, began: float, prepared: float, graded: float, ended: float
) -> str:
    """What took how long, and how many submissions an hour were graded."""
    parts = {
        "pristine tree": prepared - began,
        "grading": graded - prepared,
        "reports": ended - graded,
    }
    line = f"{ended - began:.0f} s in all: "
    line += ", ".join(f"{name} {spent:.0f} s" for name, spent in parts.items())
    if count:
        each = (graded - prepared) / count
        line += f"\n{each:.1f} s a submission, {3600 / each:.0f} an hour"
    return line


def run_class(
    lab: int,
    folder: Path,
    out: Path,
    roster: Path | None,
    jobs: int,
    cluster: str = "",
) -> int:
    """Grade a class, here or on a cluster, and write all about it."""
    if not folder.is_dir():
        print(f"{folder}: there is no such folder", file=sys.stderr)
        return 2
    try:
        students = read_roster(roster) if roster else []
    except RosterError as why:
        print(why, file=sys.stderr)
        return 2
    began = time.monotonic()
    tree = pristine(ROOT, lab, jobs)
    names = [n for n in files_of(tree)]
    base = json.dumps([tools(), [digest_file(tree / n) for n in names], names])
    whole = Class(for_lab(tree, lab), tree, base, out, out / "cache")
    whole.cache.mkdir(parents=True, exist_ok=True)
    whole.entries = find_entries(folder, students)
    prepared = time.monotonic()
    for entry in whole.entries:
        prepare(entry, whole)
    count = grade_all(whole, jobs, cluster)
    graded = time.monotonic()
    for entry in whole.entries:
        finish(entry, whole)
    alike, same = compare(whole)
    (out / "scores.csv").write_text(scores_csv(whole), encoding="utf-8")
    rows = [f"{part},{a},{b}\n" for part, a, b in alike]
    if not similar.available():
        print(f"similar.csv: {similar.MISSING}", file=sys.stderr)
        rows = [f"# {similar.MISSING}\n"]
    (out / "similar.csv").write_text(
        "per cent,student,student\n" + "".join(rows), encoding="utf-8"
    )
    (out / "index.html").write_text(index(whole, alike, same), encoding="utf-8")
    troubled = [entry for entry in whole.entries if entry.trouble]
    print(f"{len(whole.entries)} students, {count} different submissions graded anew")
    print(durations(count, began, prepared, graded, time.monotonic()))
    if troubled:
        print(f"{len(troubled)} not graded, host trouble: run it again")
    print(f"see {out / 'index.html'}")
    return 3 if troubled else 0
