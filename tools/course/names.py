"""Names that a lab tells a student, and that the student's tree lacks.

A handout has lost the bodies of the lab's steps, and helpers that only they
used.  A contract or a hint that names such a helper sends the student to look
for it in vain.  So each name in them has to be in the code of the handout: in
its C or NASM outside comments, or in a tool, test or rubric.  The handout's
texts are checked as those of the full tree are, by tools/check_docs.py.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tools.course import labs
from tools.course.handout import make_handout
from tools.course.source import Item, steps_in

CODE = (".c", ".h", ".def")
PLAIN = (".py", ".toml", ".mk", ".sh", ".ld", ".inc", ".cfg", ".tsv")
# what looks like a name of the tree: has an underscore, or is called
NAME = re.compile(r"(?<![\w/.-])([A-Za-z]\w*_\w+|[a-z]\w{3,}(?=\(\)))(?![\w/]|\.\w)")
# a hint leads: it may name this part of a solution with at least so many names
MOST, FEW = 1 / 3, 10
C_WORDS = set(
    "if else while for return int const char void static struct bool true false "
    "unsigned size_t break continue goto switch case default sizeof NULL "
    "uint32_t uint64_t".split()
)


def names_in(text: str) -> set[str]:
    """The names of code in a contract, a hint or a quoted part of a text."""
    return set(NAME.findall(text))


def _code(path: Path) -> str:
    """A file's text without its comments."""
    text = path.read_text(errors="replace", encoding="utf-8")
    if path.suffix in CODE:
        # directives stay: what a macro is called, and what it stands for
        return re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    if path.suffix == ".asm":
        return re.sub(r";[^\n]*", " ", text)
    return text if path.suffix in PLAIN or path.name == "Makefile" else ""


def words_of(tree: Path) -> set[str]:
    """All words of a tree's code, and the names of its files."""
    found: set[str] = set()
    for path in tree.rglob("*"):
        hints = path.name == "hints.toml"  # they are what is checked
        if path.is_file() and not hints and "build" not in path.parts:
            found.add(path.stem)
            found.update(re.findall(r"\w+", _code(path)))
    return found


def _told(tree: Path, lab: labs.Lab) -> Iterator[tuple[str, set[str]]]:
    """Each place that tells a student names, with the names."""
    for step, items in steps_in(tree).items():
        if step.startswith(f"{lab.number}."):
            for item in items:
                source = (tree / item.path).read_text(encoding="utf-8")
                place = f"{item.path}:{item.name}: its contract"
                yield place, names_in(source[item.start : item.head])
    for step, hints in labs.hints(tree, lab).items():
        for number, hint in enumerate(hints, 1):
            own = set(re.findall(r"\b(\w+) = ", hint))  # a hint may make up one
            yield f"hints.toml: step {step}, hint {number}", names_in(hint) - own


def _step_names(root: Path, items: list[Item]) -> set[str]:
    """The names in a step's bodies, without C's own words."""
    found: set[str] = set()
    for item in items:
        body = (root / item.path).read_text(encoding="utf-8")[item.body : item.end]
        comment = r";[^\n]*" if item.path.endswith(".asm") else r"/\*.*?\*/"
        found.update(
            re.findall(r"[A-Za-z_]\w{2,}", re.sub(comment, " ", body, flags=re.S))
        )
    return found - C_WORDS


def typing_hints(root: Path, lab: labs.Lab) -> list[str]:
    """Hints that name so much of a step's solution that they type it."""
    wrong = []
    steps = steps_in(root)
    for step, hints in labs.hints(root, lab).items():
        solution = _step_names(root, steps.get(step, []))
        for number, hint in enumerate(hints, 1):
            named = solution & set(re.findall(r"[A-Za-z_]\w*", hint))
            if len(solution) >= FEW and len(named) > len(solution) * MOST:
                wrong.append(
                    f"hints.toml: step {step}, hint {number} types the code: it has "
                    f"{len(named)} of the {len(solution)} names in the solution"
                )
    return wrong


def _wrong_in_texts(root: Path, tree: Path) -> list[str]:
    """What the handout's texts name and it lacks, as tools/check_docs.py finds it.

    Not names in the book's chapters, whose examples are from the whole system."""
    words = [sys.executable, str(root / "tools/check_docs.py"), str(tree)]
    run = subprocess.run(words, capture_output=True, encoding="utf-8", check=False)
    book = re.compile(r"docs/[\w-]+\.md: (?!no such file: [^`\s]+\.(?:svg|md)$)")
    found = [line for line in run.stdout.splitlines() if not book.match(line)]
    return [f"in the handout, {line}" for line in found] + run.stderr.splitlines()


def removed_names(root: Path, lab: labs.Lab) -> list[str]:
    """What contracts, hints and texts of a lab name and its handout lacks."""
    with tempfile.TemporaryDirectory(prefix="lux9-") as folder:
        tree = Path(folder) / "handout"
        make_handout(lab.number, tree, "fresh", root)
        known = words_of(tree)
        wrong = [
            f"{place} names {name}, which the handout does not contain"
            for place, names in _told(tree, lab)
            for name in sorted(names - known)
        ]
        return wrong + _wrong_in_texts(root, tree)
