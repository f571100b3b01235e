"""`make check` passes on this tree, and each check notices what it is for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from grade.harness import ROOT
from grade.harness.build import environment

CHECKS = ["format", "encoding", "layers", "prototypes", "docs", "paths", "labs"]


def check(name: str, root: Path) -> subprocess.CompletedProcess[str]:
    """Run one check on the tree at root."""
    words = [sys.executable, str(ROOT / "tools" / f"check_{name}.py"), str(root)]
    return subprocess.run(words, capture_output=True, encoding="utf-8", cwd=root)


@pytest.mark.parametrize("name", CHECKS)
def test_check(name: str) -> None:
    """The tree passes this check."""
    run = check(name, ROOT)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize(
    "name, file, text, says",
    [
        ("layers", "kernel/mmu/a.c", '#include "sched/sched.h"\n', "includes upward"),
        ("layers", "kernel/boot/a.asm", '%include "mmu/x.inc"\n', "includes upward"),
        ("layers", "kernel/boot/a.c", '#include "boot/no.h"\n', "no such header"),
        ("layers", "kernel/boot/a.h", "int x;\n", "lacks #pragma once"),
        ("layers", "user/cmd/a.c", '#include "boot/boot.h"\n', "kernel header"),
        ("prototypes", "kernel/boot/a.h", "int lost(int x);\n", "defined nowhere"),
        ("docs", "README.md", "See `kernel/boot/no.c`.\n", "no such file"),
        ("docs", "docs/a.md", "See `kernel/b.c:gone`.\n", "no such name"),
        ("docs", "docs/a.md", "See `docs/a.md:12`.\n", "line number"),
        ("docs", "docs/a.md", "Type `make nonsense`.\n", "no such target"),
        ("docs", "kernel/a.c", "/* see docs/gone.md */\n", "no such file"),
        ("docs", "docs/a.md", "    make CUPS=2\n", "no variable CUPS"),
        ("docs", "docs/a.md", "```\nmake T=no_test\n```\n", "no such test"),
        ("docs", "docs/a.md", "See `gone.c`.\n", "no such file"),
        ("docs", "docs/a.md", "It calls `gone_now`.\n", "no such name"),
        ("docs", "docs/a.md", "See [it](gone.md).\n", "no such file"),
        ("docs", "docs/a.md", "Then `lux nonsense`.\n", "no such command"),
        ("docs", "docs/a.md", "```\nlux9% lost -h\n```\n", "no such command"),
        ("docs", "labs/1/README.md", "Write `gone_now`.\n", "no such name"),
        ("encoding", "tools/a.py", "open('x')\n", "a.py:1: text without encoding"),
        ("encoding", "grade/a.py", "p.read_text()\n", "text without encoding"),
        ("encoding", "grade/a.py", "p.write_text('x')\n", "text without encoding"),
        ("encoding", "labs/a.py", "p.open('w')\n", "text without encoding"),
        ("encoding", "labs/a.py", "s.run(w, text=True)\n", "text without encoding"),
        ("paths", "a.py", "open('/" + "home/me/x')\n", "a path of one machine"),
        ("paths", "a.c", "int x; /* TO" + "DO */\n", "unfinished"),
        ("paths", "a.c", "int x; \n", "space at the end"),
    ],
    ids=lambda value: str(value).split("/")[0].replace(" ", "-").strip("`.\n")[:24],
)
def test_check_notices(
    tmp_path: Path, name: str, file: str, text: str, says: str
) -> None:
    """A tree with one fault fails the check that looks for it."""
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "b.c").write_text("int here;\n", encoding="utf-8")
    path = tmp_path / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    run = check(name, tmp_path)
    assert run.returncode == 1 and says in run.stdout


def test_unused_prototype(tmp_path: Path) -> None:
    """A function that is declared and defined but never called is reported."""
    boot = tmp_path / "kernel" / "boot"
    boot.mkdir(parents=True)
    (boot / "a.h").write_text(
        "#pragma once\nint\nlonely(void);\nint used(void);\n", encoding="utf-8"
    )
    (boot / "a.c").write_text(
        "int\nlonely(void)\n{\n    return used();\n}\n", encoding="utf-8"
    )
    (boot / "b.c").write_text(
        "int\nused(void)\n{\n    return 1;\n}\n", encoding="utf-8"
    )
    run = check("prototypes", tmp_path)
    assert run.stdout == "kernel/boot/a.h: lonely is used nowhere\n"


def test_doctor() -> None:
    """The doctor lists every tool with its version, quickly, and is content."""
    words = [sys.executable, str(ROOT / "tools/doctor.py")]
    run = subprocess.run(words, capture_output=True, encoding="utf-8", timeout=20)
    assert run.returncode == 0, run.stdout
    for tool in ("nasm", "qemu-system-x86_64", "grub-mkrescue", "pytest"):
        assert tool in run.stdout


def test_doctor_misses_a_tool(tmp_path: Path) -> None:
    """Where a tool is missing, the doctor says so and gives the command."""
    words = [sys.executable, str(ROOT / "tools/doctor.py")]
    run = subprocess.run(
        words, capture_output=True, encoding="utf-8", env={"PATH": str(tmp_path)}
    )
    assert run.returncode == 1
    assert "MISSING  nasm" in run.stdout and "nasm" in run.stdout.split("\n    ")[-1]


@pytest.mark.parametrize("part", ["", "book"])
def test_book_tools_are_apart(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What only the book needs is installed for `make book` and nothing else."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    import doctor  # type: ignore[import-not-found]

    asked: list[str] = []
    monkeypatch.setattr(doctor, "look", lambda tool, quick=False: (False, ""))
    monkeypatch.setattr(doctor, "system", lambda: "apt")
    monkeypatch.setattr(doctor, "apt_install", lambda names: asked.extend(names))
    assert doctor.install(part) == 1
    book = {"mkdocs", "mkdocs-material"}
    if part:
        assert set(asked) == book
    else:
        assert "nasm" in asked and not book & set(asked)


@pytest.mark.parametrize(
    "words",
    [["handout", "LAB=2"], ["handin", "LAB=1"], ["check"]],
    ids=lambda words: words[0],
)
def test_ascii_locale(words: list[str], tmp_path: Path) -> None:
    """Where the locale knows ASCII alone, the tools read the tree's UTF-8."""
    bare = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    place = [f"OUT={tmp_path / 'out'}"] if words[0] != "check" else []
    run = subprocess.run(
        ["make", "-s", *words, *place],
        cwd=ROOT,
        env=environment() | bare,
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, run.stdout + run.stderr
