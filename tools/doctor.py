#!/usr/bin/env python3
"""Say which tools this system lacks to build, run and test Lux9; install them.

    doctor.py             list every tool: found, wanted, and what mends it
    doctor.py --install   install what is missing (Debian and Ubuntu; elsewhere
                          print the command); says nothing if all is there
    doctor.py --install book   the same for what only `make book` needs, or
                               class: `make class`; cluster: CLUSTER=slurm
    doctor.py --install for qemu-direct   the same, if something is missing
                               that this goal of make cannot do without
    doctor.py --quick     exit status 1 if something is missing, no output

Only the standard library, any Python from 3.8.  A tool is found by running
it, a set of files by one of the places where distributions put it.  On a host
that is no x86-64 (arm64: Apple silicon, a Raspberry Pi) compiler and linker are
cross tools, and GRUB's modules come from the packages of the other architecture.
"""

from __future__ import annotations

import glob
import os
import platform
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple


class Tool(NamedTuple):
    """One thing that is needed: how to find it and which package brings it."""

    name: str
    why: str
    least: str  # lowest version known to work; "": any
    find: str  # "cmd a b": first of these commands; "py m"; "file g1 g2";
    # "x86 a b": first of these commands that is for x86-64
    apt: str
    dnf: str
    pacman: str
    brew: str
    needed: bool = True
    part: str = ""  # one of PARTS: wanted only there


GRUB_PC = "/usr/lib/grub/i386-pc /usr/share/grub2/i386-pc"
GRUB_EFI = "/usr/lib/grub/x86_64-efi /usr/share/grub2/x86_64-efi"
OVMF = (
    "/usr/share/ovmf/OVMF.fd /usr/share/qemu/OVMF.fd /usr/share/edk2/ovmf/OVMF*.fd "
    "/usr/share/edk2*/x64/OVMF*.fd /opt/homebrew/share/qemu/edk2-x86_64-code.fd "
    "/usr/local/share/qemu/edk2-x86_64-code.fd"
)
CROSS = os.environ.get("CROSS", "")
FONT = (
    "/usr/share/grub/unicode.pf2 /boot/grub/fonts/unicode.pf2 "
    f"/usr/share/grub2/unicode.pf2 {os.environ.get('FONT', '')}"
)
MACHINE = platform.machine().lower()
# Debian's names on hosts that are no x86-64; amd64 must be added there
APT_ELSEWHERE = {
    "gcc": "gcc-x86-64-linux-gnu",
    "binutils": "binutils-x86-64-linux-gnu",
    "gdb": "gdb-multiarch",
    "grub-pc-bin": "grub-pc-bin:amd64",
    "grub-efi-amd64-bin": "grub-efi-amd64-bin:amd64",
}
APT = shutil.which("apt-get") is not None  # not every system has diod

# fmt: off
TOOLS = [
    Tool("make", "runs everything", "4.0", "cmd make gmake", "make", "make", "make", "make"),
    Tool("compiler", "gcc or clang", "10", f"x86 {CROSS}gcc x86_64-elf-gcc x86_64-linux-gnu-gcc clang", "gcc", "gcc", "gcc", "x86_64-elf-gcc"),
    Tool("linker", "binutils", "2.35", f"x86 {CROSS}ld x86_64-elf-ld x86_64-linux-gnu-ld ld.lld", "binutils", "binutils", "binutils", "x86_64-elf-binutils"),
    Tool("host compiler", "host-side unit tests", "", "cmd cc gcc clang", "cc", "gcc", "gcc", "gcc"),
    Tool("libc headers", "host-side unit tests", "", "file /usr/include/stdio.h /usr/include/*/stdio.h /Library/Developer/CommandLineTools", "libc6-dev", "glibc-devel", "glibc", "gcc"),
    Tool("nasm", "assembler", "2.14", "cmd nasm", "nasm", "nasm", "nasm", "nasm"),
    Tool("qemu-system-x86_64", "the PC", "6.0", "cmd qemu-system-x86_64", "qemu-system-x86", "qemu-system-x86", "qemu-system-x86", "qemu"),
    Tool("qemu-img", "make replay", "6.0", "cmd qemu-img", "qemu-utils", "qemu-img", "qemu-img", "qemu"),
    Tool("screen font", "text on a screen of pixels", "", "file " + FONT, "grub-common", "grub2-common", "grub", "i686-elf-grub"),
    Tool("grub-mkrescue", "makes the ISO", "2.04", "cmd grub-mkrescue grub2-mkrescue i686-elf-grub-mkrescue", "grub-common", "grub2-tools-extra", "grub", "i686-elf-grub"),
    Tool("GRUB for BIOS", "starts the ISO", "", "file " + GRUB_PC, "grub-pc-bin", "grub2-pc-modules", "grub", "i686-elf-grub"),
    Tool("GRUB for UEFI", "UEFI=1", "", "file " + GRUB_EFI, "grub-efi-amd64-bin", "grub2-efi-x64-modules", "grub", "i686-elf-grub"),
    Tool("xorriso", "writes the ISO", "1.4", "cmd xorriso", "xorriso", "xorriso", "libisoburn", "xorriso"),
    Tool("mformat", "UEFI part of the ISO", "4.0", "cmd mformat", "mtools", "mtools", "mtools", "mtools"),
    Tool("UEFI firmware", "UEFI=1", "", "file " + OVMF, "ovmf", "edk2-ovmf", "edk2-ovmf", "qemu"),
    Tool("gdb", "make gdb, make replay", "10", "x86 gdb gdb-multiarch x86_64-elf-gdb", "gdb", "gdb", "gdb", "x86_64-elf-gdb"),
    Tool("python3", "tests and tools", "3.9", "cmd python3", "python3", "python3", "python", "python"),
    Tool("pytest", "make test", "7.0", "py pytest", "python3-pytest", "python3-pytest", "python-pytest", "pytest"),
    Tool("pytest-xdist", "tests in parallel", "", "py xdist", "python3-pytest-xdist", "python3-pytest-xdist", "python-pytest-xdist", "", False),
    Tool("clang", "CC=clang, its tests", "13", "cmd clang", "clang", "clang", "clang", "llvm", False),
    Tool("libFuzzer", "make fuzz, its test", "", "file /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a /usr/lib*/clang/*/lib/*/libclang_rt.fuzzer*", "libclang-rt-14-dev", "compiler-rt", "compiler-rt", "llvm", False),
    Tool("clang-format", "make check", "14", "cmd clang-format-14 clang-format", "clang-format-14", "clang-tools-extra", "clang", "clang-format", False),
    Tool("diod", "make qemu SHARE=, its tests", "", "cmd diod /usr/sbin/diod", "diod", "diod", "", "", APT),
    Tool("mkdocs", "make book", "1.4", "cmd mkdocs", "mkdocs", "mkdocs", "mkdocs", "mkdocs", False, "book"),
    Tool("mkdocs-material", "make book: its theme", "", "file /usr/share/mkdocs/themes/material /usr/lib/python3*/*-packages/material", "mkdocs-material", "mkdocs-material", "mkdocs-material", "", False, "book"),
    Tool("sim_c", "make class: similar pairs", "", "cmd sim_c", "similarity-tester", "", "", "", False, "class"),
    Tool("sbatch", "make class CLUSTER=slurm", "", "cmd sbatch", "slurm-client", "slurm", "", "", False, "cluster"),
    Tool("slurmctld", "its test: a cluster of one", "", "cmd slurmctld /usr/sbin/slurmctld", "slurmctld", "slurm-slurmctld", "", "", False, "cluster"),
    Tool("slurmd", "its test", "", "cmd slurmd /usr/sbin/slurmd", "slurmd", "slurm-slurmd", "", "", False, "cluster"),
    Tool("munged", "its test", "", "cmd munged /usr/sbin/munged", "munge", "munge", "munge", "", False, "cluster"),
]
# fmt: on

# what is wanted only by a goal of make
PARTS = {
    "book": "make book",
    "class": "make class",
    "cluster": "make class CLUSTER=slurm",
}

# what a goal cannot do without; one that is not here: all that is needed
BUILD = ("make", "compiler", "linker", "nasm", "python3", "screen font")
DIRECT = (*BUILD, "qemu-system-x86_64")
ISO = (*DIRECT, "grub-mkrescue", "GRUB for BIOS", "xorriso", "mformat")
GOALS = {
    "qemu-direct": DIRECT,
    "qemu": ISO,
    "qemu-window": ISO,
    "iso": ISO[len(BUILD) :],
}


def version_of(command: str) -> str:
    """The first thing in `command --version` that looks like a version."""
    try:
        run = subprocess.run(
            [command, "--version"], capture_output=True, encoding="utf-8", timeout=5
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"\b(\d+\.\d+(\.\d+)*)", run.stdout + run.stderr)
    return match[1] if match else ""


def pythons() -> list[str]:
    """The Pythons that `make test` would try, in its order."""
    both = [shutil.which("python3") or "", "/usr/bin/python3"]
    return list(dict.fromkeys(p for p in both if p and os.path.exists(p)))


def python_module(module: str, quick: bool) -> tuple[bool, str]:
    """Whether some Python of ours has the module, and its version."""
    how = f"import importlib.util as u, sys; sys.exit(not u.find_spec('{module}'))"
    if not quick:
        package = {"xdist": "pytest-xdist"}.get(module, module)
        how = f"from importlib import metadata as m; print(m.version('{package}'))"
    for python in pythons():
        run = subprocess.run([python, "-c", how], capture_output=True, encoding="utf-8")
        if run.returncode == 0:
            return True, run.stdout.strip()
    return False, ""


def for_x86(path: str) -> bool:
    """Whether a compiler, linker or debugger is for x86-64."""
    name = os.path.basename(path)
    if "clang" in name or "lld" in name:
        return True
    how, mark = ["-dumpmachine"], "x86_64"
    if name.endswith("ld"):
        how, mark = ["-V"], "elf_x86_64"
    if "gdb" in name:
        how = ["-nx", "-batch", "-ex", "set architecture i386:x86-64"]
        how, mark = [*how, "-ex", "show architecture"], "i386:x86-64"
    try:
        run = subprocess.run([path, *how], capture_output=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    said = run.stdout if "gdb" in name else run.stdout + run.stderr
    return mark.encode() in said


def look(tool: Tool, quick: bool = False) -> tuple[bool, str]:
    """Whether the tool is there and new enough, and what was found."""
    kind, *names = tool.find.split()
    if kind == "py":
        here, version = python_module(names[0], quick)
    elif kind == "file":
        return any(glob.glob(name) for name in names), ""
    elif kind == "x86":
        path = next(filter(for_x86, filter(None, map(shutil.which, names))), None)
        here, version = path is not None, ""
        if path and not quick:
            version = version_of(path)
    else:
        path = next(filter(None, map(shutil.which, names)), None)
        here, version = path is not None, ""
        if path and not quick:
            version = version_of(path)
    if here and version and tool.least and key(version) < key(tool.least):
        return False, version
    return here, version


def key(version: str) -> list[int]:
    """A version as numbers that compare."""
    return [int(part) for part in re.findall(r"\d+", version)]


def system() -> str:
    """The package manager of this system: apt, dnf, pacman, brew or ""."""
    if sys.platform == "darwin":
        return "brew"
    try:
        with open("/etc/os-release", encoding="utf-8") as file:
            words = set(re.findall(r"^ID(?:_LIKE)?=(.*)$", file.read(), re.M))
    except OSError:
        return ""
    named = " ".join(words).replace('"', "").split()
    for manager, ids in {
        "apt": ("debian", "ubuntu"),
        "dnf": ("fedora", "rhel"),
        "pacman": ("arch",),
    }.items():
        if any(name in ids for name in named):
            return manager
    return ""


def packages(missing: list[Tool], manager: str, machine: str = MACHINE) -> list[str]:
    """The packages that bring the missing tools, each once."""
    names = [getattr(tool, manager) for tool in missing]
    if manager == "apt":
        if machine not in ("x86_64", "amd64"):
            names = [APT_ELSEWHERE.get(name, name) for name in names]
        names = ["gcc" if name == "cc" else name for name in names]
    return list(dict.fromkeys(name for name in names if name))


def command_for(
    missing: list[Tool], manager: str | None = None, machine: str = MACHINE
) -> str:
    """The command that mends it here, or a pointer to the container."""
    manager = system() if manager is None else manager
    if not manager:
        return "open this folder in its dev container: .devcontainer/devcontainer.json"
    sudo = "sudo " if hasattr(os, "geteuid") and os.geteuid() != 0 else ""
    start = {
        "apt": f"{sudo}apt-get install -y --no-install-recommends",
        "dnf": f"{sudo}dnf install -y",
        "pacman": f"{sudo}pacman -S --needed",
        "brew": "brew install",
    }[manager]
    names = packages(missing, manager, machine)
    if any(name.endswith(":amd64") for name in names):
        first = f"{sudo}dpkg --add-architecture amd64 && {sudo}apt-get update"
        start = f"{first} && {start}"
    return " ".join([start] + names)


def show() -> int:
    """Print the list; status 1 if something needed is missing."""
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(look, TOOLS))
    for tool, (here, version) in zip(TOOLS, found):
        state = "ok" if here else "MISSING" if tool.needed else "missing"
        if not here and version:
            state = "TOO OLD" if tool.needed else "too old"
        wanted = f">= {tool.least}" if tool.least else ""
        print(f"{state:8} {tool.name:20} {version:12} {wanted:9} {tool.why}")
    missing = [tool for tool, (here, _) in zip(TOOLS, found) if not here]
    for part in sorted({tool.part for tool in missing if tool.part}):
        print(f"\n`tools/install.sh {part}` installs what only `{PARTS[part]}` needs.")
    missing = [tool for tool in missing if not tool.part]
    if not missing:
        print("\nAll there: `make qemu` starts Lux9, `make test` tests it.")
        return 0
    print(f"\nThis mends it:\n    {command_for(missing)}")
    return 1 if any(tool.needed for tool in missing) else 0


def apt_install(names: list[str]) -> int:
    """Install Debian packages, asking first if a person is there to ask."""
    sudo = [] if os.geteuid() == 0 else ["sudo"]
    print(f"Lux9 needs these packages: {' '.join(names)}", flush=True)
    if sys.stdin.isatty() and not os.environ.get("CI"):
        if input("Install them with apt-get? [Y/n] ").strip().lower() not in ("", "y"):
            return 1
    quiet = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]
    if any(name.endswith(":amd64") for name in names):
        run_quietly(sudo + ["dpkg", "--add-architecture", "amd64"])
    run_quietly(sudo + quiet + ["update"])
    install = [*sudo, *quiet, "install", "-y", "--no-install-recommends"]
    if run_quietly(install + names) == 0:
        return 0
    # one package that does not exist here must not stop the others
    return max(run_quietly([*install, name]) for name in names)


def run_quietly(words: list[str]) -> int:
    """Run a command that must not ask; its status."""
    return subprocess.run(words, stdin=subprocess.DEVNULL).returncode


def install(part: str = "", goal: str = "") -> int:
    """Install what is needed and missing; status 1 if some still is.

    With a goal of make, only if that cannot do without.
    """
    tools = [tool for tool in TOOLS if tool.part == part]
    wanted = GOALS.get(goal, [tool.name for tool in tools])
    if goal and not [t for t in lacking(tools) if t.name in wanted and t.needed]:
        return 0
    missing = lacking(tools)
    needed = [tool for tool in missing if tool.needed or part]
    if system() == "apt" and needed:
        apt_install(packages(missing, "apt"))
        needed = [tool for tool in lacking(tools) if tool.needed or part]
    needed = [tool for tool in needed if tool.name in wanted]
    if needed:
        print(f"Missing: {', '.join(tool.name for tool in needed)}", file=sys.stderr)
        print(f"Run:  {command_for(needed)}", file=sys.stderr)
        return 1
    return 0


def lacking(tools: list[Tool]) -> list[Tool]:
    """Those that are not here."""
    return [tool for tool in tools if not look(tool, quick=True)[0]]


def main() -> int:
    """Do what the arguments ask for."""
    if sys.argv[1:2] == ["--install"] and sys.argv[2:] in ([], *([p] for p in PARTS)):
        return install(*sys.argv[2:])
    if sys.argv[1:3] == ["--install", "for"] and len(sys.argv) == 4:
        return install(goal=sys.argv[3])
    if sys.argv[1:] == ["--quick"]:
        return int(any(t.needed and not look(t, quick=True)[0] for t in TOOLS))
    if sys.argv[1:]:
        print(__doc__)
        return 2
    return show()


if __name__ == "__main__":
    sys.exit(main())
