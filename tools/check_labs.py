#!/usr/bin/env python3
"""The labs agree with the tree: tags, rubrics, texts, hints, mutants.

What needs a build or a run is `make labcheck`'s.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from grade.course import rubric as rubrics  # noqa: E402
from grade.harness import guest  # noqa: E402
from tools.course import labs, mutants, names  # noqa: E402
from tools.course.source import Item, steps_in  # noqa: E402

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()


def guest_tests(root: Path) -> list[guest.GuestTest]:
    """The guest tests of the tree."""
    folder = root / "grade/guest"
    sources = sorted(folder.glob("kernel/*.c")) + sorted(folder.glob("user/*.c"))
    return [test for source in sources for test in guest.tests_in(source)]


def tag_faults(lab: labs.Lab, tagged: dict[str, list[Item]]) -> list[str]:
    """Steps without a tag, tags without a step, tags in places of other labs."""
    wanted = {step["id"] for step in lab.steps}
    own = {step for step in tagged if step.startswith(f"{lab.number}.")}
    wrong = [f"step {s}: no function has the tag Lab {s}" for s in wanted - own]
    wrong += [f"{tagged[s][0].path}: Lab {s} is no step" for s in own - wanted]
    files = set(lab.rubric.get("files", []))
    for step in own:
        for item in tagged[step]:
            place = f"{item.path}:{item.name}: Lab {step}"
            places = (f"kernel/{labs.LAYERS[lab.number]}/",)
            if not item.path.startswith(places + labs.PROGRAMS.get(lab.number, ())):
                wrong.append(f"{place}: is in another lab's folder")
            elif item.path not in files:
                wrong.append(f"{place}: its file is not taken from submissions")
            if not item.body:
                wrong.append(f"{place}: has no body to cut")
    paths = {item.path for step in own for item in tagged[step]}
    wrong += [f"files: {name}: has no step" for name in files - paths]
    return wrong


def text_faults(root: Path, lab: labs.Lab) -> list[str]:
    """Steps that the lab's text has no heading for, or that lack three hints."""
    wrong = []
    text = root / lab.folder / "README.md"
    if text.exists():
        have = set(
            re.findall(
                r"^### Step (\d+\.\d+): ", text.read_text(encoding="utf-8"), re.M
            )
        )
        wanted = {step["id"] for step in lab.steps}
        wrong += [f"README.md: no heading for step {s}" for s in wanted - have]
        wrong += [f"README.md: step {s} is in no rubric" for s in have - wanted]
    hints = labs.hints(root, lab)
    for step in lab.steps if hints else []:
        count = len(hints.get(step["id"], []))
        if count != 3:
            wrong.append(f"hints.toml: step {step['id']} has {count} hints, not 3")
    return wrong


def words_of(root: Path) -> set[str]:
    """All words of the tree's sources."""
    found: set[str] = set()
    for folder in ("kernel", "user", "grade", "tools"):
        for path in (root / folder).rglob("*"):
            if path.suffix in (".c", ".h", ".def", ".asm", ".py"):
                found.update(re.findall(r"\w+", path.read_text(encoding="utf-8")))
    return found


def name_faults(root: Path, lab: labs.Lab, words: set[str]) -> list[str]:
    """Names in hints that the sources do not have: theirs has changed."""
    return [
        f"hints.toml: step {step}: there is no {name}"
        for step, hints in labs.hints(root, lab).items()
        for name in re.findall(r"\b[a-z]\w*_\w+", " ".join(hints))
        if name not in words
    ]


def mutant_faults(root: Path, lab: labs.Lab, runs: dict[str, list[str]]) -> list[str]:
    """Mutants that do not apply, or that name what does not exist."""
    wrong = []
    steps = {step["id"] for step in lab.steps}
    ids = {id_ for found in runs.values() for id_ in found}
    for mutant in mutants.mutants_of(root, lab):
        found = [*mutant.wrong]
        if mutant.step not in steps:
            found.append(f"Step: {mutant.step} is no step")
        for test in mutant.tests:
            if test not in runs and test not in ids:
                found.append(f"Caught-by: {test} is no test of the rubric")
        for name in mutant.files:
            if name not in lab.rubric.get("files", []):
                found.append(f"changes {name}, which is no file of the lab")
        said = mutant.apply(root, "--dry-run")
        found += [f"does not apply: {said}"] * bool(said)
        wrong += [f"mutants/{mutant.path.name}: {text}" for text in found]
    return wrong


def main() -> int:
    """Print all that is wrong; status 1 if anything is."""
    wrong: list[str] = []
    tagged = steps_in(ROOT)
    tests = guest_tests(ROOT)
    words = words_of(ROOT)
    for number in labs.numbers(ROOT):
        lab = labs.load(ROOT, number)
        if not lab.rubric:
            continue
        found = tag_faults(lab, tagged) + text_faults(ROOT, lab)
        found += name_faults(ROOT, lab, words)
        if (ROOT / "Makefile").exists():  # else too little for a handout
            found += names.removed_names(ROOT, lab) + names.typing_hints(ROOT, lab)
        try:
            checked = rubrics.for_lab(ROOT, number)
            runs = rubrics.resolve(checked, tests, ROOT)
            found += mutant_faults(ROOT, lab, runs)
        except rubrics.RubricError as error:
            found += str(error).splitlines()
        wrong += [f"{lab.folder}: {text}" for text in sorted(found)]
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
