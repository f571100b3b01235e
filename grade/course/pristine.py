"""Trees to grade in: only our own code, built already.

In the full repository it is the lab's handout (earlier labs' reference, the
lab's own steps cut), so that a file that is missing in a submission earns
nothing.  In a handout it is the handout as it is.  It is graded once when it
is made: after that every build that a test may want is there, and a copy
with a few other files compiles only those.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from grade.course.confine import NOBODY
from grade.course.score import Score, digest_files, files_of, grade_tree
from grade.course.submission import Submission


def _fill(root: Path, lab: int, tree: Path) -> None:
    """Write the files of the pristine tree."""
    if (root / "tools/course/handout.py").exists():
        from tools.course.handout import make_handout

        make_handout(lab, tree, "fresh", root)
        return
    for name in files_of(root):
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(root / name, tree / name)


def give(tree: Path) -> None:
    """Give a tree to the user that will build in it (confine.py)."""
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(tree)], check=True)


def pristine(root: Path, lab: int, jobs: int = 2) -> Path:
    """The pristine tree of a lab below root/build/course; made if need be."""
    place = root / "build" / "course" / f"lab{lab:02}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        want = digest_files(root, files_of(root))
        made = place / "made-from"
        if made.exists() and made.read_text(encoding="utf-8") == want:
            return place / "tree"
        made.unlink(missing_ok=True)
        for old in (place / "tree", place / "new"):
            if old.exists():
                shutil.rmtree(old)
        print(f"making {place}/tree, built and tried once", file=sys.stderr)
        new = place / "new"
        new.mkdir()
        _fill(root, lab, new)
        new.rename(place / "tree")
        give(place / "tree")
        grade_tree(place / "tree", lab, jobs, confined=True)
        made.write_text(want, encoding="utf-8")
    return place / "tree"


@contextlib.contextmanager
def copy_with(tree: Path, submission: Submission) -> Iterator[Path]:
    """A copy of a pristine tree with a submission's files; it goes away."""
    with tempfile.TemporaryDirectory(prefix="lux9-grade-") as place:
        os.chmod(place, 0o711)
        copy = Path(place) / "tree"
        subprocess.run(["cp", "-Rp", str(tree), str(copy)], check=True)
        submission.put(copy)
        give(copy)
        yield copy


def faults(said: list[str], names: Iterable[str]) -> dict[str, str]:
    """Which of these files the compiler or the assembler refused, and why."""
    found: dict[str, str] = {}
    for line in said:
        match = re.match(r"(\S+?):(\d+)(?::\d+)?: (?:fatal )?error: (.*)", line)
        if match and match[1] in names:
            found.setdefault(match[1], f"line {match[2]}: {match[3]}")
    return found


def steps_of(source: Path, lab: int) -> set[str]:
    """The steps whose functions a starter's file has, by their tags."""
    text = source.read_text(encoding="utf-8", errors="replace")
    tag = rf"^[ \t]*[*;/]*[ \t]*Lab ({lab}\.\d+)\s*(?:\*/)?[ \t]*$"
    return set(re.findall(tag, text, re.M))


def grade_submission(
    tree: Path, lab: int, submission: Submission, jobs: int = 2, **more: object
) -> Score:
    """Grade a submission in a copy of that pristine tree.

    A file that does not build costs its own steps: the starter's is used in its
    place, and what is left is graded.
    """

    def grade_files(given: Submission) -> Score:
        with copy_with(tree, given) as copy:
            return grade_tree(copy, lab, jobs, confined=True, **more)  # type: ignore[arg-type]

    first = score = grade_files(submission)
    bad: dict[str, str] = {}
    while new := faults(score.unbuilt, submission.files.keys() - bad):
        bad |= new
        kept = {name: d for name, d in submission.files.items() if name not in bad}
        score = grade_files(replace(submission, files=kept))
    if score.unbuilt:
        score = first  # nothing that one file is to blame for
    else:
        score.digests = first.digests
        for name, why in bad.items():
            said = f"{name} does not build ({why})"
            steps = steps_of(tree / name, lab)
            score.without |= dict.fromkeys(sorted(steps), said)
            score.notes.append(
                f"{said}: not graded is what it has of {' '.join(sorted(steps))}"
            )
    score.notes += [
        f"{name} is not in the submission: the starter's file was used"
        for name in submission.missing
    ]
    return score
