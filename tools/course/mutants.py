"""Mutants: plausible wrong solutions, each with the tests that must catch it."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tools.course.labs import Lab

KEYS = ("What", "Step", "Caught-by", "Symptom")


@dataclass(frozen=True)
class Mutant:
    """One patch and what its head says."""

    path: Path
    name: str
    what: str
    step: str
    tests: tuple[str, ...]
    symptom: str
    files: tuple[str, ...]  # that it changes
    wrong: tuple[str, ...]  # what is wrong with its head

    def apply(self, tree: Path, *options: str) -> str:
        """Apply it to a tree; returns what patch complains about."""
        words = ["patch", "-p1", "--batch", "--silent", "-r", "-", *options]
        words += ["--no-backup-if-mismatch", "-i", str(self.path.resolve())]
        run = subprocess.run(words, cwd=tree, capture_output=True, encoding="utf-8")
        return (run.stdout + run.stderr).strip() if run.returncode else ""


def read(path: Path) -> Mutant:
    """The mutant in that file."""
    text = path.read_text(encoding="utf-8")
    head = text.split("\n\n", 1)[0]
    found = dict(re.findall(r"^([\w-]+): *(.*)$", head, re.M))
    wrong = [f"no line `{key}: ...` in its head" for key in KEYS if not found.get(key)]
    tests = [t.strip() for t in found.get("Caught-by", "").split(",") if t.strip()]
    try:
        re.compile(found.get("Symptom", ""))
    except re.error as error:
        wrong.append(f"Symptom: {error}")
    return Mutant(
        path,
        path.stem,
        found.get("What", ""),
        found.get("Step", ""),
        tuple(tests),
        found.get("Symptom", ""),
        tuple(re.findall(r"^\+\+\+ b/(\S+)", text, re.M)),
        tuple(wrong),
    )


def mutants_of(root: Path, lab: Lab) -> list[Mutant]:
    """The mutants of a lab, by name."""
    return [read(path) for path in sorted((root / lab.folder).glob("mutants/*.patch"))]
