"""Is a submission's source no more than source?

Compilers and assemblers can be told to read any file of the host and put it
into the kernel, which could then show it.  Three guards, for one alone could
be walked around: the text names no such file; the preprocessor opened none;
the assembler opened none.  Where the host has namespaces, all of that runs in
them too, where there is nothing to read (confine.py).

Results are the tests' to give: code of a submission may not call what writes
records, and may not add tests.
"""

from __future__ import annotations

import functools
import re
import shlex
import subprocess
import tempfile
from pathlib import Path

from grade.harness import Variant
from grade.harness.build import ROOT, environment

# functions and tables that only the kernel's own test code has to do with
GUARDED = re.compile(r"(record|record_printf|test_exit|ktests?_\w+|debugport_\w+)$")
SECTIONS = {"ktests"}
CPU_SECONDS = 60  # for one run of a compiler
MEMORY = 3 << 20  # KiB, for one run of a compiler

_INCLUDE = re.compile(
    r"^[ \t]*(?:#|%:|\?\?=)[ \t]*(?:include|include_next|import|embed)\b(.*)$", re.M
)
_NASM_INCLUDE = re.compile(
    r"^[ \t]*%[ \t]*(?:include|pathsearch|depend|use)\b(.*)$", re.M | re.I
)
_PLAIN = re.compile(r"[ \t]*(?:\"([^\"]+)\"|<([^>]+)>|'([^']+)')[ \t]*")
_READS = re.compile(r"\bincbin\b|\.\s*(?:incbin|include)\b", re.I)
_ENVIRONMENT = re.compile(r"%!")


class Refused(Exception):
    """Why a submission is not graded."""


def without_comments(text: str, asm: bool) -> str:
    """C or NASM source without comments, lines that go on joined."""
    text = re.sub(r"\\\r?\n", "", text)
    if asm:
        return re.sub(r";[^\n]*", "", text)
    tokens = r"(\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')|/\*.*?\*/|//[^\n]*"
    return re.sub(tokens, lambda match: match[1] or " ", text, flags=re.S)


def check_text(name: str, text: str) -> None:
    """Refuse source that asks for files by name that are not the tree's."""
    if "\0" in text:
        raise Refused(f"{name}: is no text, it has NUL bytes")
    asm = name.endswith(".asm")
    code = without_comments(text, asm)
    for match in (_NASM_INCLUDE if asm else _INCLUDE).finditer(code):
        plain = _PLAIN.match(match[1])
        file = plain and (plain[1] or plain[2] or plain[3])
        if not file:
            raise Refused(f"{name}: includes no plain file name:{match[1]}")
        if file.startswith("/") or ".." in Path(file).parts:
            raise Refused(f"{name}: includes {file}, which is not in the tree")
    if match := _READS.search(code):
        raise Refused(f"{name}: reads a file by {match[0].strip()}")
    if asm and _ENVIRONMENT.search(code):
        raise Refused(f"{name}: reads the environment by %!")


@functools.cache
def _commands(variant: Variant) -> tuple[list[str], list[str]]:
    """How this build compiles and how it assembles."""
    words = ["make", "-s", *variant.make_variables, "commands"]
    run = subprocess.run(
        words, cwd=ROOT, env=environment(), capture_output=True, encoding="utf-8"
    )
    lines = run.stdout.strip().splitlines()
    if run.returncode != 0 or len(lines) != 2:
        raise RuntimeError(f"{shlex.join(words)} failed:\n{run.stderr}")
    return shlex.split(lines[0]), shlex.split(lines[1])


def limited(words: list[str]) -> list[str]:
    """The same command with limits that no honest source comes near."""
    limits = f"ulimit -t {CPU_SECONDS}; ulimit -v {MEMORY} 2>/dev/null"
    return ["sh", "-c", f'{limits}; exec "$@"', "sh", *words]


def _run(words: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        limited(words),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )


def _outside(paths: set[str], allowed: list[Path]) -> list[str]:
    """Those of the paths that lie neither in the tree nor in allowed folders."""
    found = []
    for path in sorted(paths):
        real = (ROOT / path).resolve()
        if not any(real.is_relative_to(folder) for folder in allowed):
            found.append(path)
    return found


def _names(text: str) -> set[str]:
    """The files that a dependency list names."""
    text = re.sub(r"\\\n", " ", text)
    lists = re.findall(r"^[^:\n]*:(?!=)(.*)$", text, re.M)
    return {word for words in lists for word in words.split()}


def files_read(name: str, variant: Variant) -> set[str]:
    """Every file that compiling or assembling this one opens."""
    compile_, assemble = _commands(variant)
    with tempfile.TemporaryDirectory() as place:
        list_, out = f"{place}/list", f"{place}/out"
        if name.endswith(".asm"):
            run = _run([*assemble, "-M", name])
            read = _names(run.stdout)
        else:
            run = _run([*compile_, "-E", "-H", "-o", out, name])
            read = set(re.findall(r"^\.+ (.+)$", run.stderr, re.M))
        read |= set(
            re.findall(r"^(?:In file included from )?(/[^:\n]+):\d", run.stderr, re.M)
        )
        if (
            name.endswith(".c")
            and run.returncode == 0
            and not _outside(read, _tools(compile_[0]))
        ):
            run = _run([*compile_, "-S", "-o", f"{place}/s.s", name])
            if run.returncode == 0:
                source = [compile_[0], "-c", f"-Wa,--MD,{list_}", "-o", out]
                run = _run([*source, f"{place}/s.s"])
                if Path(list_).exists():
                    read |= _names(Path(list_).read_text(encoding="utf-8"))
                read |= set(re.findall(r"^(/[^:\n]+):\d", run.stderr, re.M))
                read -= {f"{place}/s.s"}
        return read


@functools.cache
def _tools(compiler: str) -> list[Path]:
    """Folders in which included files may be: the tree and the compiler's own."""
    words = [compiler, "-print-file-name=include"]
    run = subprocess.run(words, capture_output=True, encoding="utf-8")
    own = [Path(run.stdout.strip()).resolve()] if "/" in run.stdout else []
    return [ROOT, *own]


def check_reads(name: str, variant: Variant) -> None:
    """Refuse a file that makes the tools read anything outside the tree."""
    if name.endswith(".h"):
        return  # seen with the files that include it
    outside = _outside(files_read(name, variant), _tools(_commands(variant)[0][0]))
    if outside:
        raise Refused(f"{name}: makes the build read {outside[0]}, outside the tree")


def check_object(name: str, variant: Variant) -> None:
    """Refuse code that gives results itself or adds tests; it is built."""
    made = variant.dir / f"{name}.o"
    if not made.exists():
        return
    run = _run(["nm", str(made)])
    for line in run.stdout.splitlines():
        *_, kind, symbol = line.split()
        if GUARDED.match(symbol):
            does = "calls" if kind == "U" else "defines"
            raise Refused(
                f"{name}: {does} {symbol}: results are the tests' to give; use print"
            )
    sections = set(
        re.findall(r"^ *\d+ (\S+)", _run(["objdump", "-h", str(made)]).stdout, re.M)
    )
    if sections & SECTIONS:
        raise Refused(f"{name}: adds to the section {(sections & SECTIONS).pop()}")
