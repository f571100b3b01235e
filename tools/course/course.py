#!/usr/bin/env python3
"""make course OUT=dir [SOLUTIONS=1] [FROM=n]: all handouts as a git repository.

    carry   lab1-start ---- lab2-start ---- lab3-start
                  \\               \\               \\
    fresh          +--------- lab2-fresh ---- lab3-fresh

In lab2-start the steps of lab 1 are cut as they were in lab1-start, so that
merging it into a student's work never touches a step; in lab2-fresh they are
the reference.  A fresh lab has the start as a parent too: from either, the
next start can be merged.  main is lab1-start, where a clone begins.

FROM=2 makes lab 2 and the later ones anew in a course that is there already,
after a change of the reference; lab 1 stays as students have it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.course import labs
from tools.course.handout import ROOT, make_handout

NAME, MAIL = "Lux9 course", "course@lux9.invalid"


class Repository:
    """A git repository that gets commits without a work tree."""

    def __init__(self, place: Path, date: str) -> None:
        """Make it; every commit has that date, so that it can be made again."""
        self.place = place
        self.environment = dict(os.environ, GIT_CONFIG_GLOBAL=os.devnull)
        for who in ("AUTHOR", "COMMITTER"):
            self.environment[f"GIT_{who}_NAME"] = NAME
            self.environment[f"GIT_{who}_EMAIL"] = MAIL
            self.environment[f"GIT_{who}_DATE"] = date
        place.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, **more: str) -> str:
        """What git says."""
        run = subprocess.run(
            ["git", *words],
            cwd=self.place,
            env={**self.environment, **more},
            capture_output=True,
            encoding="utf-8",
        )
        if run.returncode != 0:
            raise RuntimeError(f"git {' '.join(words)}: {run.stderr}")
        return run.stdout.strip()

    def commit(self, tree: Path, message: str, *parents: str) -> str:
        """A commit of that folder; returns its name."""
        with tempfile.TemporaryDirectory() as place:
            index = {"GIT_INDEX_FILE": f"{place}/index", "GIT_WORK_TREE": str(tree)}
            index["GIT_DIR"] = str(self.place.resolve() / ".git")
            self.git("-C", str(tree), "add", "-A", "-f", ".", **index)
            name = self.git("write-tree", **index)
        words = [word for parent in dict.fromkeys(parents) for word in ("-p", parent)]
        return self.git("commit-tree", name, "-m", message, *words)


def _date(root: Path) -> str:
    """When the reference was last changed."""
    words = ["git", "log", "-1", "--format=%cI"]
    run = subprocess.run(words, cwd=root, capture_output=True, encoding="utf-8")
    return run.stdout.strip() or "2026-01-01T00:00:00+00:00"


def make_course(
    out: Path,
    solutions: bool = False,
    root: Path = ROOT,
    last: int = max(labs.NAMES),
    first: int = 1,
) -> list[str]:
    """Write the labs first..last to the repository; returns their tags."""
    repository = Repository(out, _date(root))
    tags: dict[str, str] = {}

    def add(number: int, track: str, tag: str, *parents: str) -> str:
        with tempfile.TemporaryDirectory() as place:
            make_handout(number, Path(place), track, root)
            title = labs.load(root, number).title
            words = {"carry": "start", "fresh": "start, earlier labs done"}
            message = f"lab {number}: {title}, {words.get(track, 'solution')}"
            tags[tag] = repository.commit(Path(place), message, *parents)
        return tags[tag]

    carry = fresh = ""
    if first > 1:
        carry = repository.git("rev-parse", f"lab{first - 1}-start")
        before = "start" if first == 2 else "fresh"
        fresh = repository.git("rev-parse", f"lab{first - 1}-{before}")
    for number in range(first, last + 1):
        carry = add(number, "carry", f"lab{number}-start", *filter(None, [carry]))
        if number == 1:
            fresh = carry
        else:
            fresh = add(number, "fresh", f"lab{number}-fresh", fresh, carry)
        if solutions:
            add(number, "solution", f"lab{number}-solution", fresh)
    for tag, commit in tags.items():
        repository.git("tag", "-f", tag, commit)
    repository.git("branch", "-f", "carry", carry)
    repository.git("branch", "-f", "fresh", fresh)
    repository.git("reset", "-q", "--hard", "lab1-start")
    return list(tags)


def main(arguments: list[str]) -> int:
    """Make the repository where the arguments say; status 2 for bad ones."""
    words = dict(word.split("=", 1) for word in arguments[1:] if "=" in word)
    first = int(words.get("from") or 1)
    if not arguments or "=" in arguments[0] or first not in labs.NAMES:
        print(__doc__)
        return 2
    out = Path(arguments[0])
    if first > 1 and not (out / ".git").is_dir():
        print(f"{out} is no course that could be continued", file=sys.stderr)
        return 1
    if first == 1 and out.exists() and any(out.iterdir()):
        print(f"{out} is not empty: a course goes to a new folder", file=sys.stderr)
        return 1
    tags = make_course(out, bool(words.get("solutions")), first=first)
    print(f"{out}: branches main, carry, fresh; tags {' '.join(tags)}")
    if words.get("solutions"):
        print("The tags ...-solution are yours alone: publish the others by name.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
