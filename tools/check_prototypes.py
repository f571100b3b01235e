#!/usr/bin/env python3
"""A function declared in a header is defined once and used somewhere.

Definitions stand at the start of a line (the return type has its own), in
assembly as `global name`, and for system calls in syscalls.def.  The C
library's functions need no user.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
LIBRARY = "user/lib"
ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
STRING = re.compile(r'"(?:\\.|[^"\\\n])*"')
PROTOTYPE = re.compile(
    r"^(?!typedef|static|#|\s|return|extern [^(]*;)[\w\s*\[\]]*?\b(\w+)\([^;{]*\)"
    r"\s*;",
    re.M | re.S,
)
DEFINITION = re.compile(r"^(?:[\w* ]*?\b)?(\w+)\([^;]*?\)\s*\{", re.M)
ASSEMBLY = re.compile(r"^\s*global\s+([\w, ]+)", re.M)
SYSCALL = re.compile(r"^SYSCALL\(\w+, *\w+, *(\w+)", re.M)
WORD = re.compile(r"\b[A-Za-z_]\w*\b")


def stripped(path: Path) -> str:
    """A C file's text without comments, strings and continued macros."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".asm":
        return re.sub(r";[^\n]*", "", text)
    return ATTRIBUTE.sub("", STRING.sub('""', COMMENT.sub(" ", text)))


def main() -> int:
    """Print every dead prototype; status 1 if there is one."""
    folders = ("kernel", "user", "grade/guest", "grade/host")
    files = [p for f in folders for p in sorted((ROOT / f).rglob("*.*"))]
    texts = {p: stripped(p) for p in files if p.suffix in (".c", ".h", ".asm", ".def")}
    defined: set[str] = set()
    words: Counter[str] = Counter()
    for path, text in texts.items():
        words.update(WORD.findall(text))
        defined.update(DEFINITION.findall(text) if path.suffix in (".c", ".h") else [])
        for names in ASSEMBLY.findall(text):
            defined.update(re.findall(r"\w+", names))
        defined.update(SYSCALL.findall(text))
        defined.update("_" + name for name in SYSCALL.findall(text))
    wrong = []
    for path, text in texts.items():
        if path.suffix != ".h":
            continue
        place = path.relative_to(ROOT)
        for name in PROTOTYPE.findall(re.sub(r"#[^\n]*(\\\n[^\n]*)*", "", text)):
            if name not in defined:
                wrong.append(f"{place}: {name} is declared, but defined nowhere")
            elif words[name] < 3 and not str(place).startswith(LIBRARY):
                wrong.append(f"{place}: {name} is used nowhere")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
