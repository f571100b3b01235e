"""make's variables: any bytes are taken, mistakes are one line each."""

from __future__ import annotations

import os
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from grade import run as grade_run
from grade.harness import ROOT, Variant
from grade.harness.build import environment
from tools.course.handout import files_of

ODD = ["a b", "course (2)", "it's", "a&b", 'q"uo;te', "$HOME", "#x,y", "ü\\"]


def make(*words: str, root: Path = ROOT, **more: str) -> subprocess.CompletedProcess:
    """Run make with these words."""
    return subprocess.run(
        ["make", "-s", *words],
        cwd=root,
        env={**environment(), **more},
        capture_output=True,
        encoding="utf-8",
    )


@pytest.mark.parametrize(
    "words, says",
    [
        ("STAGE=x", "STAGE: not a value for it (x); this tree has the stages "),
        ("DEBUG=yes", "DEBUG: not a value for it (yes); it is 1 or 0"),
        ("UEFI=on", "UEFI: not a value for it (on); it is 1 or 0"),
        ("SAN=asan", "SAN: not a value for it (asan); it is ubsan or kasan"),
        ("CC=tcc", "CC: not a value for it (tcc); it is gcc, clang, or one"),
        ("CC=gcc-99", "CC: not installed, or not for x86-64 (gcc-99); install"),
        ("CPUS=9", "CPUS: not a value for it (9); it is a number from 1 to 8"),
        ("CPUS=1 2", "CPUS: not a value for it (1 2); it is a number from 1 to 8"),
        ("MEM=1x", "MEM: not a value for it (1x); it is a number of MiB"),
        ("JOBS=0", "JOBS: not a value for it (0); it is a number from 1"),
        ("CLUSTER=pbs", "CLUSTER: not a value for it (pbs); it is slurm"),
        ("TRACK=new", "TRACK: not a value for it (new); it is fresh, carry"),
        ("grade", "make grade: LAB is missing; make grade LAB=..."),
        ("class LAB=2 OUT=x", "make class: DIR is missing; make class DIR=..."),
        ("hint", "make hint: STEP is missing; make hint STEP=..."),
        ('trace RUN="sh -c \'x"', "RUN: No closing quotation (sh -c 'x);"),
    ],
)
def test_mistake_is_one_line(words: str, says: str) -> None:
    """A variable's wrong value is one line that says what is allowed."""
    wanted = shlex.split(words) if "RUN" in words else words.split(" ", 1)
    wanted = [words] if words == "CPUS=1 2" else wanted
    if words.startswith("class"):
        wanted = words.split()
    run = make(*wanted)
    lines = [line for line in run.stderr.splitlines() if "Error" not in line]
    assert run.returncode == 2 and len(lines) == 1 and says in lines[0], run.stderr


def test_zero_is_off() -> None:
    """DEBUG=0 and KTEST=0 build what no DEBUG and no KTEST build."""
    for words, name in {
        "DEBUG=0 KTEST=0": "build/s4/",
        "DEBUG=1": "build/s4-debug/",
        "DEBUG= CC=gcc": "build/s4/",
    }.items():
        run = make("-n", "STAGE=1", "commands", *words.split())
        assert f"-I{name.replace('s4', 's1')}" in run.stdout, run


def test_compiler_by_its_name(tmp_path: Path) -> None:
    """CC=gcc-N runs that compiler; another system's CC in the environment none."""
    fake = tmp_path / "gcc-77"
    fake.write_text('#!/bin/sh\nexec gcc "$@"\n', encoding="utf-8")
    fake.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    said = make("commands", "CC=gcc-77", PATH=path).stdout
    assert said.startswith("gcc-77 ") and "-Ibuild/s4-ktest" not in said
    assert "gcc-77/" in said  # a folder of its own
    assert "gcc -std" in make("commands", CC="armcc").stdout


@pytest.fixture(scope="module")
def kernel() -> list[str]:
    """A kernel of stage 1, as `make qemu-direct` is asked for it."""
    Variant(stage=1, ktest=False).make()
    return ["qemu-direct", "STAGE=1", "PRINT=1"]


def command(kernel: list[str], **variables: str) -> list[str]:
    """The words of QEMU's command for these variables."""
    run = make(*kernel, *[f"{k}={v}" for k, v in variables.items()])
    assert run.returncode == 0, run.stderr
    return shlex.split(run.stdout)


@pytest.mark.parametrize("odd", ODD)
def test_any_bytes_reach_qemu(odd: str, kernel: list[str], tmp_path: Path) -> None:
    """APPEND, SERVE and SHARE are taken as they are."""
    shared = tmp_path / odd
    shared.mkdir()
    words = command(
        kernel, APPEND=f"x={odd}", SERVE=str(shared / "s"), SHARE=str(shared)
    )
    assert words[words.index("-append") + 1] == f"x={odd}"
    assert str(shared) in words
    more = command(kernel, QEMU_FLAGS="-M q35 -cpu qemu64,-nx")
    assert "qemu64,-nx" in more[more.index("max") :]
    line = f"socket,id=serve,path={shared}/s".replace(odd, odd.replace(",", ",,"))
    assert f"{line},server=on,wait=off" in words


def test_serve_and_share_are_checked(kernel: list[str], tmp_path: Path) -> None:
    """A file is never replaced by a socket; folders must be there; words must fit."""
    file = tmp_path / "thesis"
    file.write_text("years of work", encoding="utf-8")
    for word, says in {
        f"SERVE={file}": "this file exists and is no socket",
        f"SERVE={tmp_path}/no/s": "there is no such folder",
        f"SERVE={tmp_path}/{'x' * 100}": "longer than 100 bytes",
        f"APPEND={'x' * 4096}": "APPEND: too long (4096 bytes); at most 4095 fit",
        "SERVE=70000": "no such port (70000); it is 1 to 65535",
        "SHARE=/nonexistent": "SHARE: no such directory (/nonexistent); name",
        f"SHARE={file}": "SHARE: not a directory",
    }.items():
        run = make(*kernel, word)
        lines = [line for line in run.stderr.splitlines() if "Error" not in line]
        assert run.returncode and len(lines) == 1 and says in lines[0], run.stderr
    assert file.read_text(encoding="utf-8") == "years of work"
    old = socket.socket(socket.AF_UNIX)
    old.bind(str(tmp_path / "s"))
    assert make(*kernel, f"SERVE={tmp_path}/s").returncode == 0


@pytest.mark.parametrize("odd", ODD)
def test_any_bytes_in_paths(odd: str, tmp_path: Path) -> None:
    """OUT and SUBMISSION are taken as they are."""
    out = tmp_path / f"{odd}.tar.gz"
    assert make("handin", "LAB=1", f"OUT={out}").returncode == 0 and out.exists()
    run = make("grade", "LAB=1", f"SUBMISSION={tmp_path / odd}.zip", f"OUT={out}.d")
    assert "Not graded: there is no such file" in run.stdout
    assert Path(f"{out}.d", "report.html").exists()


def test_words_of_the_command_line() -> None:
    """What RUN quotes stays one word of args=, whatever it contains."""
    assert grade_run.as_arguments(["sh", "-c", "a; b,c"]) == r"sh,-c,a\073\040b\054c"
    assert grade_run.as_arguments(['"\\', "ü"]) == r"\042\134,\303\274"


@pytest.mark.slow
def test_trace_runs_one_quoted_word() -> None:
    """make trace RUN="sh -c 'one; two'" gives sh both commands."""
    run = make("trace", "RUN=sh -c 'echo one; echo \"two,  2\"'")
    assert run.returncode == 0 and "one\n" in run.stdout, run
    assert "two,  2\n" in run.stdout.replace("\r", "")


@pytest.mark.slow
def test_build_is_the_same_in_any_folder(tmp_path: Path) -> None:
    """Two copies of the tree in two folders give the same bytes."""
    made = []
    for place in (tmp_path / "lux9", tmp_path / "my course (2)" / "it's a&b, ü"):
        for name in files_of(ROOT):
            if name.startswith(("Makefile", "kernel/", "user/", "tools/", "labs/")):
                (place / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, place / name)
        run = make("-j2", root=place)
        assert run.returncode == 0, run.stderr[-2000:]
        files = [place / f"build/s4/{name}" for name in ("lux9.elf", "boot.tar")]
        made.append([file.read_bytes() for file in files])
    assert made[0] == made[1]
    assert str(tmp_path).encode() not in made[0][0]
