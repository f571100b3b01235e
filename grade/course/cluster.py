"""A class on a cluster: a Slurm job array grades, this program gathers.

    make class LAB=2 DIR=handed-in OUT=results CLUSTER=slurm

Each task of the array grades its share of the different submissions with
klass.py:grade_files, as one machine does, into the cache in OUT.  Tree and OUT
lie in a folder that all nodes share.  OUT/cluster holds what the tasks read,
and their logs.  If this program is stopped, the job goes on, and the same
command waits for it.  A task that gives no result is this host's trouble,
never a student's.
"""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from grade.course.klass import Class, grade_files
from grade.course.rubric import for_lab
from grade.course.score import InfrastructureError, tools
from grade.course.submission import Submission
from grade.harness import ROOT

TASKS = 1000  # of an array at most: Slurm's MaxArraySize is 1001 as it comes
POLL = 2.0  # seconds between two looks at the queue
LAG = 30.0  # seconds until a file of another host is seen here at the latest
PATIENCE = 600.0  # seconds that Slurm may be silent


@dataclass
class Batch:
    """The submissions that one job grades; its folder is all that tasks read."""

    place: Path

    def create(self, todo: dict[str, Submission], whole: Class) -> None:
        """Write the folder; an older batch's goes away."""
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir(parents=True)
        for digest, submission in todo.items():
            for name, data in submission.files.items():
                file = self.place / digest / name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(data)
        table = {
            "lab": whole.rubric.lab,
            "tree": str(whole.tree.resolve()),
            "cache": str(whole.cache.resolve()),
            "tools": tools(),
            "tasks": min(len(todo), TASKS),
            "missing": {digest: one.missing for digest, one in todo.items()},
            "files": {digest: sorted(one.files) for digest, one in todo.items()},
        }
        (self.place / "batch.json").write_text(json.dumps(table), encoding="utf-8")
        words = [sys.executable, "-m", "grade.course.cluster", str(self.place)]
        script = f"#!/bin/sh\ncd {shlex.quote(str(ROOT))} || exit 1\n"
        script += f'exec {shlex.join(words)} "$SLURM_ARRAY_TASK_ID"\n'
        (self.place / "task.sh").write_text(script, encoding="utf-8")

    @property
    def table(self) -> dict[str, Any]:
        """What the folder says about the whole batch."""
        return json.loads((self.place / "batch.json").read_text(encoding="utf-8"))

    @property
    def job(self) -> str:
        """The number of the job that was submitted and not gathered; "": none."""
        file = self.place / "job"
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def end_of(self, digest: str) -> Path:
        """The file in which a task says how the grading of a submission ended."""
        return self.place / f"{digest}.end"


# ---- the tasks ----


def task(batch: Batch, number: int) -> None:
    """Grade this task's share: every one that its number selects."""
    table = batch.table
    digests = list(table["files"])[number - 1 :: table["tasks"]]
    tree, cache = Path(table["tree"]), Path(table["cache"])
    whole = Class(for_lab(tree, table["lab"]), tree, "", cache.parent, cache)
    here = tools()
    for digest in digests:
        if here == table["tools"]:
            names = table["files"][digest]
            files = {n: (batch.place / digest / n).read_bytes() for n in names}
            submission = Submission(files, table["missing"][digest])
            trouble = grade_files(submission, digest, whole)
        else:
            theirs = table["tools"].items() ^ here.items()
            names = ", ".join(sorted({name for name, _ in theirs}))
            trouble = f"a node has other tools than the host that submitted ({names})"
        end = batch.end_of(digest)
        part = end.with_suffix(".part")
        part.write_text(trouble, encoding="utf-8")
        part.replace(end)


# ---- the job ----


def slurm(*words: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run one of Slurm's commands in a folder."""
    try:
        return subprocess.run(
            words,
            cwd=place,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
        )
    except FileNotFoundError:
        raise InfrastructureError(
            f"CLUSTER=slurm: {words[0]} is not installed; "
            "install slurm-client, or leave CLUSTER out to grade on this host"
        ) from None


def submit(batch: Batch) -> str:
    """Submit the batch's job; its number.  Names no path: Slurm reads % in them."""
    words = ["sbatch", "--parsable", "--job-name=lux9-class", "--output=%a.log"]
    words += [f"--array=1-{batch.table['tasks']}", "task.sh"]
    run = slurm(*words, place=batch.place)
    if run.returncode != 0:
        raise InfrastructureError(f"sbatch: {run.stderr.strip()}")
    job = run.stdout.strip().split(";")[0]
    (batch.place / "job").write_text(job, encoding="utf-8")
    return job


def queued(batch: Batch, job: str) -> list[str] | None:
    """The states of the job's tasks that have not ended; None: Slurm is silent."""
    words = ["squeue", "--noheader", "--array", f"--jobs={job}", "--format=%T"]
    run = slurm(*words, place=batch.place)
    if run.returncode == 0:
        return run.stdout.split()
    # a job that ended some minutes ago
    return [] if "Invalid job id" in run.stderr else None


def wait(batch: Batch, job: str) -> None:
    """Wait until no task of the job is left; shows how far it is."""
    said, heard = "", time.monotonic()
    while True:
        states = queued(batch, job)
        if states is not None:
            heard = time.monotonic()
            done = sum(batch.end_of(d).exists() for d in batch.table["files"])
            line = f"job {job}: {done} of {len(batch.table['files'])} graded"
            if states:
                counts = [f"{states.count(s)} {s.lower()}" for s in sorted(set(states))]
                line += f"; tasks: {', '.join(counts)}"
            if line != said:
                print(line, file=sys.stderr, flush=True)
            if not states:
                return
            said = line
        elif time.monotonic() - heard > PATIENCE:
            raise InfrastructureError(
                f"squeue: Slurm has not answered for {PATIENCE:.0f} s; "
                f"the same command gathers job {job} later"
            )
        time.sleep(POLL)


def lost(batch: Batch, job: str, number: int) -> str:
    """What is known about a task that said nothing about a submission."""
    log = batch.place / f"{number}.log"
    start = f"task {job}_{number} of the cluster gave no result"
    if not log.exists():
        return f"{start}, and no log ({log}); do all nodes see this folder?"
    lines = log.read_text(encoding="utf-8", errors="replace").split("\n")
    last = next((line for line in reversed(lines) if line.strip()), "(empty)")
    return f"{start}: {last[:200]}; its log: {log}"


def gather(batch: Batch, job: str) -> dict[str, str]:
    """How each submission of the ended job fared: "" or this host's trouble."""
    table = batch.table
    until = time.monotonic() + LAG
    while not all(batch.end_of(d).exists() for d in table["files"]):
        if time.monotonic() > until:
            break
        time.sleep(POLL)
        list(batch.place.iterdir())  # has a network file system look again
    troubles = {}
    for at, digest in enumerate(table["files"]):
        end = batch.end_of(digest)
        if end.exists():
            troubles[digest] = end.read_text(encoding="utf-8")
        else:
            troubles[digest] = lost(batch, job, at % table["tasks"] + 1)
    (batch.place / "job").unlink()
    return troubles


def finish(batch: Batch, job: str) -> dict[str, str]:
    """Wait for a job and gather it; stopped by a person, it goes on."""
    try:
        wait(batch, job)
    except KeyboardInterrupt:
        print(
            f"\njob {job} goes on; the same command gathers it, scancel {job} ends it",
            file=sys.stderr,
        )
        raise SystemExit(130) from None
    return gather(batch, job)


def grade_on_slurm(todo: dict[str, Submission], whole: Class) -> dict[str, str]:
    """Grade these on the cluster; for each digest "" or this host's trouble.

    A job that an earlier run submitted and did not gather comes first; only what
    it did not have is submitted.
    """
    batch = Batch(whole.out.resolve() / "cluster")
    troubles: dict[str, str] = {}
    if batch.job:
        print(f"job {batch.job} of an earlier run is gathered first", file=sys.stderr)
        troubles = finish(batch, batch.job)
    left = {digest: one for digest, one in todo.items() if digest not in troubles}
    if left:
        batch.create(left, whole)
        troubles |= finish(batch, submit(batch))
    return {digest: troubles[digest] for digest in todo}


if __name__ == "__main__":
    task(Batch(Path(sys.argv[1])), int(sys.argv[2]))
