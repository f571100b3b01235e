"""`make check` passes on this tree, and each check notices what it is for."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

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


# ---- other hosts ----


def doctor_module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """tools/doctor.py as a module."""
    monkeypatch.syspath_prepend(ROOT / "tools")
    import doctor

    return doctor


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_doctor_names_packages_that_exist(
    machine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian 12 has each package of the printed command, on both architectures."""
    doctor = doctor_module(monkeypatch)
    table = (ROOT / "grade/debian12-packages.txt").read_text(encoding="utf-8")
    lines = [line.split() for line in table.splitlines() if line[:1] not in ("#", "")]
    native = {"x86_64": "amd64", "aarch64": "arm64"}[machine]
    known = {name for name, *where in lines if native in where or "all" in where}
    known |= {f"{name}:amd64" for name, *where in lines if "amd64" in where}
    command = doctor.command_for(doctor.TOOLS, "apt", machine)
    names = command.split("--no-install-recommends ")[1].split()
    assert len(names) > 15 and not set(names) - known
    foreign = "dpkg --add-architecture amd64 && " in command
    assert foreign == (machine == "aarch64")
    assert ("gcc-x86-64-linux-gnu" in names) == ("gdb-multiarch" in names) == foreign


def fake(folder: Path, name: str, says: str) -> None:
    """A program that prints a text."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\necho '{says}'\n", encoding="utf-8")
    (folder / name).chmod(0o755)


def test_doctor_asks_what_a_compiler_is_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gcc or gdb of another architecture is missing, a cross one is found."""
    doctor = doctor_module(monkeypatch)
    fake(tmp_path / "bin", "gcc", "aarch64-linux-gnu")
    fake(tmp_path / "bin", "gdb", "Undefined item")
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    tools = {tool.name: tool for tool in doctor.TOOLS}
    for name in ("compiler", "gdb"):
        assert doctor.look(tools[name], quick=True) == (False, "")
    fake(tmp_path / "bin", "x86_64-linux-gnu-gcc", "x86_64-linux-gnu")
    fake(tmp_path / "bin", "gdb-multiarch", 'architecture is "i386:x86-64"')
    for name in ("compiler", "gdb"):
        assert doctor.look(tools[name], quick=True)[0]


def test_one_missing_package_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where apt-get refuses the whole list, each package is installed alone."""
    doctor = doctor_module(monkeypatch)
    ran: list[str] = []

    def run(words: list[str]) -> int:
        ran.append(" ".join(words))
        return int("gone" in words)

    monkeypatch.setattr(doctor, "run_quietly", run)
    monkeypatch.setenv("CI", "1")
    assert doctor.apt_install(["nasm", "gone", "xorriso"]) == 1
    alone = [words.split()[-1] for words in ran if "install" in words][1:]
    assert alone == ["nasm", "gone", "xorriso"]


def test_goal_needs_only_its_own_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    """make qemu-direct does without GRUB, gdb and diod; make qemu needs GRUB."""
    doctor = doctor_module(monkeypatch)
    absent = {"grub-mkrescue", "GRUB for BIOS", "gdb", "diod"}
    monkeypatch.setattr(
        doctor, "look", lambda tool, quick=False: (tool.name not in absent, "")
    )
    monkeypatch.setattr(doctor, "system", lambda: "")
    assert doctor.install(goal="qemu-direct") == 0
    assert doctor.install(goal="qemu") == doctor.install(goal="test") == 1


@pytest.mark.parametrize("name", ["grub-mkrescue", "grub2-mkrescue"])
def test_disc_that_cannot_boot(name: str, tmp_path: Path) -> None:
    """Without GRUB's modules the ISO is refused with a line; Fedora's name works."""
    fake(tmp_path / "bin", name, "made")
    with (tmp_path / "bin" / name).open("a", encoding="utf-8") as file:
        file.write('dd if=/dev/zero of="$2" bs=2048 count=20 2>/dev/null\n')
    words = [sys.executable, str(ROOT / "tools/iso.py"), "lux9.iso", "folder"]
    environ = {"PATH": f"{tmp_path}/bin:/bin"}
    if name == "grub2-mkrescue" and shutil.which("grub-mkrescue", path="/bin"):
        (tmp_path / "tools").mkdir()
        (tmp_path / "tools" / "dd").symlink_to("/bin/dd")
        environ = {"PATH": f"{tmp_path}/bin:{tmp_path}/tools"}
    run = subprocess.run(
        words, cwd=tmp_path, env=environ, capture_output=True, encoding="utf-8"
    )
    assert run.returncode == 1 and not (tmp_path / "lux9.iso").exists()
    assert run.stderr == (
        "lux9.iso: would not boot (no GRUB modules for BIOS); see `make doctor`\n"
    )
