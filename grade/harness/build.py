"""Builds: which kernels the tests use and how make is asked for them."""

from __future__ import annotations

import fcntl
import os
import platform
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def gdb_program() -> str:
    """A GDB for x86-64: on hosts of another kind the plain one is not."""
    names = ["gdb", "gdb-multiarch", "x86_64-elf-gdb"]
    if platform.machine() not in ("x86_64", "AMD64"):
        names = [*names[1:], "gdb"]
    return next(filter(None, map(shutil.which, names)), "gdb")


LAYERS = ("boot", "mmu", "sched", "9p")  # kernel/: stage 1, 2, ...


def last_stage() -> int:
    """The highest stage whose folder is in this tree, as the Makefile has it."""
    return sum(any((ROOT / "kernel" / name).glob("*.c")) for name in LAYERS)


def environment() -> dict[str, str]:
    """Ours without what an outer make has put there: for another make."""
    outer = "MAKEFLAGS MFLAGS MAKELEVEL STAGE DEBUG SAN KTEST CC CPUS MEM APPEND T "
    outer += "LAB SUBMISSION LUX9_SECRET"
    return {k: v for k, v in os.environ.items() if k not in outer.split()}


def _make_alone(name: str, words: list[str], root: Path) -> None:
    """Run make with these words while no other worker makes what has that name."""
    command = ["make", "-s", "say=", "-j2", "-C", str(root), *words]
    (root / "build").mkdir(exist_ok=True)
    with (root / "build" / f".lock-{name}").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = subprocess.run(
            command, env=environment(), capture_output=True, encoding="utf-8"
        )
    if run.returncode != 0:
        said = run.stdout + run.stderr
        raise RuntimeError(f"{' '.join(command)} failed:\n{said}")


def make_for_host(target: str) -> Path:
    """Build what runs on the host itself, under sanitizers; its folder."""
    _make_alone("host", [target], ROOT)
    return ROOT / "build" / "host"


@dataclass(frozen=True)
class Variant:
    """One way to build Lux9; the fields are the Makefile's variables."""

    stage: int = field(default_factory=last_stage)
    debug: bool = False
    san: str = ""  # ubsan, kasan
    cc: str = ""  # "": make's choice; clang
    ktest: bool = True  # with the test functions and test programs inside

    @property
    def name(self) -> str:
        """The folder under build/, as the Makefile names it."""
        parts = [f"s{self.stage}"] + ["debug"] * self.debug + ["ktest"] * self.ktest
        return "-".join(parts + [self.san] * bool(self.san) + [self.cc] * bool(self.cc))

    @property
    def make_variables(self) -> list[str]:
        """What to give make to build this one."""
        words = [f"STAGE={self.stage}"] + ["KTEST=1"] * self.ktest
        words += ["DEBUG=1"] * self.debug + [f"SAN={self.san}"] * bool(self.san)
        return words + [f"CC={self.cc}"] * bool(self.cc)

    @property
    def dir(self) -> Path:
        """Where the build is."""
        return ROOT / "build" / self.name

    @property
    def kernel(self) -> Path:
        """The kernel's ELF."""
        return self.dir / "lux9.elf"

    @property
    def archive(self) -> Path:
        """The boot archive with the user programs (stage 3)."""
        return self.dir / "boot.tar"

    @property
    def iso(self) -> Path:
        """The disc that GRUB starts."""
        return self.dir / "lux9.iso"

    def make(self, *targets: str, root: Path = ROOT) -> None:
        """Have make bring this build up to date; quick if it already is.

        Two workers that want the same build take turns.
        """
        _make_alone(self.name, [*self.make_variables, *targets], root)


# The builds in which all guest tests run; the first is each test's home.
ALL = {
    "": Variant(),
    "debug": Variant(debug=True),
    "ubsan": Variant(san="ubsan"),
    "kasan": Variant(san="kasan"),
    "clang": Variant(cc="clang"),
}
