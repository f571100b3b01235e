#!/usr/bin/env python3
"""make synthetic LAB=2 OUT=dir [N=300]: a made-up class, to try the grader on.

The same class each time: reference solutions, the lab's known-wrong ones,
bare handouts, half-done work, archives that are broken or hostile, code that
hangs, floods, forges results or does not compile.  truth.csv says what each
is and, where that is certain, its points.  With each student's name in a
comment no two files are the same; SAME=1 leaves the comments out.
"""

from __future__ import annotations

import csv
import io
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from grade.course.rubric import Rubric, for_lab
from tools.course.handout import make_handout
from tools.course.source import c_items

ROOT = Path(__file__).resolve().parents[2]
Files = dict[str, str]

# what a student's function may do instead of its work; refused, or earns less
HOSTILE = {
    "hangs": "    for (;;)\n        ;\n",
    "floods": '    for (;;)\n        __asm__ volatile("outb %b0, $0xe9" : : "a"(65));\n',
    "forges": '    const char *p = "\\x1eLUX9 test 6\\nx pass\\n";\n'
    "    for (; *p; p++)\n"
    '        __asm__ volatile("outb %b0, $0xe9" : : "a"(*p));\n'
    '    __asm__ volatile("outl %0, $0xf4" : : "a"(0));\n    for (;;)\n        ;\n',
    "resets": '    __asm__ volatile("lidt %0; int3" : : "m"(*(char (*)[10])0));\n'
    "    for (;;)\n        ;\n",
}


def reference(rubric: Rubric) -> Files:
    """The lab's files as they should be."""
    return {name: (ROOT / name).read_text(encoding="utf-8") for name in rubric.files}


def starter(rubric: Rubric) -> Files:
    """The lab's files as the handout has them."""
    with tempfile.TemporaryDirectory() as place:
        make_handout(rubric.lab, Path(place), "fresh", ROOT)
        return {
            name: (Path(place) / name).read_text(encoding="utf-8")
            for name in rubric.files
        }


def mutants(rubric: Rubric) -> dict[str, Files]:
    """The known-wrong solutions that touch only files of the lab."""
    found = {}
    for patch in sorted((ROOT / rubric.folder / "mutants").glob("*.patch")):
        with tempfile.TemporaryDirectory() as place:
            for name, text in reference(rubric).items():
                (Path(place) / name).parent.mkdir(parents=True, exist_ok=True)
                (Path(place) / name).write_text(text, encoding="utf-8")
            words = ["patch", "-p1", "-s", "-f", "-i", str(patch)]
            run = subprocess.run(words, cwd=place, capture_output=True)
            if run.returncode == 0:
                files = {
                    n: (Path(place) / n).read_text(encoding="utf-8")
                    for n in rubric.files
                }
                found[patch.stem] = files
    return found


def with_body(files: Files, step: str, body: str) -> Files:
    """The files with that body in the first C function of a step."""
    for name, text in files.items():
        if not name.endswith(".c"):
            continue
        for item in c_items(text, name):
            if item.kind == "function" and item.step == step:
                return {**files, name: f"{text[:item.body]}\n{body}}}{text[item.end:]}"}
    return files


def tar(files: Files, top: str = "") -> bytes:
    """A compressed tar archive."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        for name, text in files.items():
            info = tarfile.TarInfo(top + name)
            info.size = len(text.encode())
            archive.addfile(info, io.BytesIO(text.encode()))
    return out.getvalue()


def zipped(files: Files) -> bytes:
    """A zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def linked(files: Files) -> bytes:
    """An archive in which a file is a link to the host's."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo(next(iter(files)))
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    return out.getvalue()


BROKEN: dict[str, Callable[[Files], bytes]] = {
    "cut off": lambda files: tar(files)[:700],
    "no archive": lambda files: b"my homework\n" * 100,
    "traversal": lambda files: tar({**files, "../../x": ""}),
    "link": linked,
    "empty": lambda files: b"",
    "other files": lambda files: tar({"notes.txt": "hello\n"}),
}


def class_of(rubric: Rubric, count: int) -> list[tuple[str, Files | bytes, str]]:
    """(kind, files or a broken archive, certain points) for each student."""
    chance = random.Random(rubric.lab)
    good, bare, wrong = reference(rubric), starter(rubric), mutants(rubric)
    steps = [step.id for step in rubric.steps]
    made: list[tuple[str, Files | bytes, str]] = []
    for number in range(count):
        lot = number % 20
        if lot < 5:
            made.append(("reference", good, "100"))
        elif lot < 11 and wrong:
            name = sorted(wrong)[number % len(wrong)]
            made.append((f"mutant {name}", wrong[name], "below 100"))
        elif lot < 13:
            made.append(("bare handout", bare, "0"))
        elif lot < 15:
            part = {n: chance.choice([good, bare])[n] for n in good}
            made.append(("half done", part, ""))
        elif lot < 17:
            kind = sorted(BROKEN)[number // 20 % len(BROKEN)]
            made.append((kind, BROKEN[kind](good), "0"))
        elif lot < 19:
            kind = sorted(HOSTILE)[number // 20 % len(HOSTILE)]
            files = with_body(good, chance.choice(steps), HOSTILE[kind])
            made.append((kind, files, "below 100" if files != good else "100"))
        else:
            name = next(n for n in good if n.endswith(".c"))
            made.append(("no C", {**good, name: "int main() { return }\n"}, "0"))
    return made


def signed(files: Files, student: str) -> Files:
    """The files with a comment of the student's at their ends."""
    return {
        name: text
        + (f"; {student}\n" if name.endswith(".asm") else f"/* {student} */\n")
        for name, text in files.items()
    }


def main(arguments: list[str]) -> int:
    """Write the class where the arguments say."""
    numbers = [int(word) for word in arguments if re.fullmatch(r"\d+", word)]
    places = [word for word in arguments if not re.fullmatch(r"\d+|same", word)]
    if not numbers or len(places) != 1:
        print(__doc__)
        return 2
    out, count = Path(places[0]), (numbers + [300])[1]
    rubric = for_lab(ROOT, numbers[0])
    (out / "in").mkdir(parents=True, exist_ok=True)
    with (out / "truth.csv").open("w", newline="", encoding="utf-8") as file:
        write = csv.writer(file, lineterminator="\n").writerow
        write(["student", "what", "points"])
        for number, (kind, made, points) in enumerate(class_of(rubric, count)):
            student = f"s{number:03}"
            if isinstance(made, dict):
                made = made if "same" in arguments else signed(made, student)
                packed = (
                    zipped(made)
                    if number % 7 == 0
                    else tar(made, "lux9/" * (number % 2))
                )
            else:
                packed = made
            suffix = "zip" if isinstance(made, dict) and number % 7 == 0 else "tar.gz"
            (out / "in" / f"{student}.{suffix}").write_bytes(packed)
            write([student, kind, points])
    print(
        f"{count} submissions in {out / 'in'}; {out / 'truth.csv'} says what they are"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
