"""Tests of code that also runs on the host, under ASan and UBSan."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from grade.harness.build import ROOT, make_for_host

HOST = ROOT / "grade" / "host"
_TEST = re.compile(r"^TEST\((\w+)\)", re.M)


def _tests() -> list[object]:
    """Each TEST(name) of each grade/host/test_*.c."""
    return [
        pytest.param(source, name, id=f"{source.stem[5:]}.{name}")
        for source in sorted(HOST.glob("test_*.c"))
        for name in _TEST.findall(source.read_text(encoding="utf-8"))
    ]


@pytest.fixture(scope="session")
def programs() -> Path:
    """Where the built test programs are."""
    return make_for_host("host-programs")


@pytest.mark.parametrize(("source", "name"), _tests())
def test_host(programs: Path, source: Path, name: str) -> None:
    """A host test passes, and neither ASan nor UBSan complains."""
    command = [str(programs / source.stem), name]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr


def has_fuzzer() -> bool:
    """Whether clang is here and its libFuzzer too, which is a package of its own."""
    if shutil.which("clang") is None:
        return False
    words = ["clang", "--print-runtime-dir"]
    place = subprocess.run(words, capture_output=True, encoding="utf-8").stdout.strip()
    return any(Path(place).glob("libclang_rt.fuzzer*.a"))


@pytest.mark.skipif(not has_fuzzer(), reason="needs clang's libFuzzer")
def test_fuzz(tmp_path: Path) -> None:
    """The 9P codec stands 100,000 messages made up from those kept."""
    fuzzer = make_for_host("build/host/fuzz_fcall") / "fuzz_fcall"
    unpack = [sys.executable, str(HOST / "corpus.py"), "unpack", str(tmp_path)]
    subprocess.run(unpack, check=True)
    command = [str(fuzzer), "-runs=100000", "-seed=1"]
    command += ["-max_len=512", f"-artifact_prefix={tmp_path}/", str(tmp_path)]
    run = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=120)
    assert run.returncode == 0, run.stderr[-3000:]
