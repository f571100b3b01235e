#!/usr/bin/env python3
"""What the documents name exists: files, functions, tests, commands, targets.

In Markdown, `kernel/mmu/pt.c:pt_walk` means a name that the file has, a path
in backquotes a file, `pt.c` a file somewhere in the tree, `pt_walk` a word of
the source, `make word` a target, `lux word` a command of tools/gdb.  In blocks
of code, what follows a prompt is a command of that prompt.  Line numbers are
not allowed: they are wrong after the next change.  Sections called "How others
do it" may name what others have.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
SOURCES = ["Makefile", "kernel", "user", "grade", "tools", ".devcontainer", ".ci"]
FENCE = re.compile(r"^( *)(```+|~~~+).*?^\1\2 *$", re.M | re.S)
CODE = re.compile(r"``(.+?)``|`([^`\n]+)`")
LINK = re.compile(r"\]\(([^)\s:#]+)(?:#[^)]*)?\)")
OTHERS = re.compile(r"^(#+) How others do it\n.*?(?=^#{1,2} |\Z)", re.M | re.S)

NAMED = re.compile(r"^([\w./-]+/[\w.-]+|Makefile):([\w.-]+)(?:\(\))?$")
FILE = re.compile(
    r"^\.?(?:kernel|user|grade|tools|docs|labs|\.ci|\.devcontainer)/[\w./-]+$"
)
SHORT = re.compile(r"^[a-z_][\w-]*\.(?:c|h|asm|py|def|md|ld|cfg)$")
WORD = re.compile(r"^([A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+)(?:\(\))?$")
MAKE = re.compile(r"^make((?: +[\w.-]+(?:=(?:'[^']*'|\"[^\"]*\"|[^\s'\"]\S*)?)?)*)")
GDB = re.compile(r"^(?:\(gdb\) )?(?:help )?lux ([a-z]+)")
PROMPT = re.compile(r"^(lux9[>%]) (\w+)")
BUILT_IN = set("help jobs wait status exit for".split())  # the shells'


@lru_cache(maxsize=None)
def sources() -> dict[str, str]:
    """The text of each source file, by its path."""
    found = {}
    for name in SOURCES:
        top = ROOT / name
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and path.suffix not in (".pyc", ".md"):
                text = path.read_text(errors="replace", encoding="utf-8")
                found[path.relative_to(ROOT).as_posix()] = text
    return found


@lru_cache(maxsize=None)
def words() -> set[str]:
    """Every identifier in the source, and the files' own names."""
    found = {Path(path).stem for path in sources()}
    for text in sources().values():
        found.update(re.findall(r"[A-Za-z_]\w*", text))
    return found


@lru_cache(maxsize=None)
def makefiles() -> str:
    """The Makefile and what it includes."""
    return "\n".join(
        text for path, text in sources().items() if path.endswith((".mk", "Makefile"))
    )


@lru_cache(maxsize=None)
def targets() -> set[str]:
    """What make can be asked for."""
    names: set[str] = set()
    for line in re.findall(r"^([\w $()-]+):(?!=)", makefiles(), re.M):
        names.update(line.split())
    return names


@lru_cache(maxsize=None)
def commands(prompt: str) -> set[str]:
    """The commands known at a prompt: the shell's, the monitor's, or GDB's."""
    if prompt == "lux9%":
        folders = ("cmd", "stage3", "servers")
        programs = [p for f in folders for p in ROOT.glob(f"user/{f}/*")]
        return BUILT_IN | {path.stem for path in programs}
    folder = "kernel/" if prompt == "lux9>" else "tools/gdb/"
    pattern = r'\{ "(\w+)' if prompt == "lux9>" else r'word = "(\w+)"'
    found = {"help"}
    for path, text in sources().items():
        if path.startswith(folder):
            found.update(re.findall(pattern, text))
    return found


def wrong_in_make(command: str) -> Iterator[str]:
    """What is wrong in a call of make: targets, variables, names of tests."""
    match = MAKE.match(command)
    for word in shlex.split(match[1]) if match else []:
        name, equals, value = word.partition("=")
        if not equals and re.fullmatch(r"[a-z][\w-]*", name):
            if name not in targets():
                yield f"no such target: make {name}"
        elif equals and name.isupper():
            if not re.search(rf"\b{name}\b", makefiles()):
                yield f"make knows no variable {name}: {command}"
            test = re.fullmatch(r"'?(\w*_\w*)[\w-]*'?", value)
            if name == "T" and test and test[1] not in tests():
                yield f"no such test: {command}"


@lru_cache(maxsize=None)
def tests() -> str:
    """All that the grader's files say, where names of tests are looked up."""
    return "\n".join(t for p, t in sources().items() if p.startswith("grade/"))


def wrong_in_code(code: str) -> Iterator[str]:
    """What is wrong in one piece of text in backquotes; NAME stands for any."""
    if re.search(r"NN-name|\bNAME\b", code):
        return
    named, word = NAMED.match(code), WORD.match(code)
    if named and named[2].isdigit():
        yield f"line number: {code}"
    elif named and not (ROOT / named[1]).exists():
        yield f"no such file: {code}"
    elif named:
        if not re.search(
            rf"\b{re.escape(named[2])}\b", (ROOT / named[1]).read_text(encoding="utf-8")
        ):
            yield f"no such name: {code}"
    elif FILE.match(code) and not (ROOT / code).exists():
        yield f"no such file: {code}"
    elif SHORT.match(code) and not any(f.endswith("/" + code) for f in files()):
        yield f"no such file: {code}"
    elif word and word[1] not in words():
        yield f"no such name: {code}"
    gdb = GDB.match(code)
    if gdb and gdb[1] not in commands("gdb"):
        yield f"no such command: {code}"
    yield from wrong_in_make(code)


@lru_cache(maxsize=None)
def files() -> set[str]:
    """The paths of all files that may be named without their folder."""
    documents = (path for f in ("docs", "labs") for path in (ROOT / f).rglob("*.*"))
    return {f"/{path}" for path in sources()} | {path.as_posix() for path in documents}


def wrong_in_block(block: str) -> Iterator[str]:
    """What is wrong in a block of code: only prompts and make are looked at."""
    for line in block.splitlines():
        prompt = PROMPT.match(line)
        if prompt and prompt[2] not in commands(prompt[1]):
            yield f"no such command: {line}"
        gdb = GDB.match(line) if line.startswith("(gdb)") else None
        if gdb and gdb[1] not in commands("gdb"):
            yield f"no such command: {line}"
        shell = re.match(r"^ *(?:\$ )?(?=make )(.*)$", line)
        if shell:
            yield from wrong_in_make(shell[1])


def wrong_in(document: Path) -> list[str]:
    """What this document names and does not exist."""
    text = document.read_text(encoding="utf-8")
    wrong = []
    for block in FENCE.finditer(text):
        wrong += wrong_in_block(block[0])
    text = OTHERS.sub("", FENCE.sub("", text))
    wrong += wrong_in_block("\n".join(re.findall(r"^(?: {4}|\t)(.*)$", text, re.M)))
    for code in CODE.finditer(text):
        wrong += wrong_in_code(code[1] or code[2])
    for link in LINK.findall(text):
        if not (document.parent / link).exists():
            wrong.append(f"no such file: {link}")
    place = document.relative_to(ROOT)
    return [f"{place}: {text}" for text in dict.fromkeys(wrong)]


def main() -> int:
    """Print all of it; status 1 if there is any."""
    documents = sorted(ROOT.glob("*.md")) + [
        path
        for folder in ("docs", "grade", "labs", "tools")
        for path in sorted((ROOT / folder).rglob("*.md"))
        if "template" not in path.parts
    ]
    wrong = [text for document in documents for text in wrong_in(document)]
    for place, text in sources().items():
        for named in re.findall(r"\bdocs/[\w-]+\.md\b", text):
            if not (ROOT / named).exists() and not place.startswith("grade/test_"):
                wrong.append(f"{place}: no such file: {named}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
