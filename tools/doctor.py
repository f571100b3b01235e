#!/usr/bin/env python3
"""Say which tools this system lacks to build, run and test Lux9; install them.

    doctor.py             list every tool: found, wanted, and what mends it
    doctor.py --install   install what is missing (Debian and Ubuntu; elsewhere
                          print the command); says nothing if all is there
    doctor.py --install book   the same for what only `make book` needs, or
                               class: `make class`
    doctor.py --quick     exit status 1 if something is missing, no output

Only the standard library, any Python from 3.8.  A tool is found by running
it, a set of files by one of the places where distributions put it.
"""

from __future__ import annotations

import glob
import os
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
    find: str  # "cmd a b": first of these commands; "py m"; "file g1 g2"
    apt: str
    dnf: str
    pacman: str
    brew: str
    needed: bool = True
    part: str = ""  # "book", "class": wanted only there


GRUB_PC = "/usr/lib/grub/i386-pc /usr/share/grub2/i386-pc"
GRUB_EFI = "/usr/lib/grub/x86_64-efi /usr/share/grub2/x86_64-efi"
OVMF = (
    "/usr/share/ovmf/OVMF.fd /usr/share/qemu/OVMF.fd /usr/share/edk2/ovmf/OVMF*.fd "
    "/usr/share/edk2*/x64/OVMF*.fd"
)
CROSS = os.environ.get("CROSS", "")
APT = shutil.which("apt-get") is not None  # not every system has diod

# fmt: off
TOOLS = [
    Tool("make", "runs everything", "4.0", "cmd make gmake", "make", "make", "make", "make"),
    Tool("compiler", "gcc or clang", "10", f"cmd {CROSS}gcc x86_64-elf-gcc x86_64-linux-gnu-gcc clang", "gcc", "gcc", "gcc", "x86_64-elf-gcc"),
    Tool("linker", "binutils", "2.35", f"cmd {CROSS}ld x86_64-elf-ld ld", "binutils", "binutils", "binutils", "x86_64-elf-binutils"),
    Tool("libc headers", "host-side unit tests", "", "file /usr/include/stdio.h /usr/include/*/stdio.h /Library/Developer/CommandLineTools", "libc6-dev", "glibc-devel", "glibc", "gcc"),
    Tool("nasm", "assembler", "2.14", "cmd nasm", "nasm", "nasm", "nasm", "nasm"),
    Tool("qemu-system-x86_64", "the PC", "6.0", "cmd qemu-system-x86_64", "qemu-system-x86", "qemu-system-x86", "qemu-system-x86", "qemu"),
    Tool("qemu-img", "make replay", "6.0", "cmd qemu-img", "qemu-utils", "qemu-img", "qemu-img", "qemu"),
    Tool("grub-mkrescue", "makes the ISO", "2.04", "cmd grub-mkrescue grub2-mkrescue i686-elf-grub-mkrescue", "grub-common", "grub2-tools-extra", "grub", "i686-elf-grub"),
    Tool("GRUB for BIOS", "starts the ISO", "", "file " + GRUB_PC, "grub-pc-bin", "grub2-pc-modules", "grub", "i686-elf-grub"),
    Tool("GRUB for UEFI", "UEFI=1", "", "file " + GRUB_EFI, "grub-efi-amd64-bin", "grub2-efi-x64-modules", "grub", "i686-elf-grub"),
    Tool("xorriso", "writes the ISO", "1.4", "cmd xorriso", "xorriso", "xorriso", "libisoburn", "xorriso"),
    Tool("mformat", "UEFI part of the ISO", "4.0", "cmd mformat", "mtools", "mtools", "mtools", "mtools"),
    Tool("UEFI firmware", "UEFI=1", "", "file " + OVMF, "ovmf", "edk2-ovmf", "edk2-ovmf", "qemu"),
    Tool("gdb", "make gdb, make replay", "10", "cmd gdb x86_64-elf-gdb", "gdb", "gdb", "gdb", "x86_64-elf-gdb"),
    Tool("python3", "tests and tools", "3.9", "cmd python3", "python3", "python3", "python", "python"),
    Tool("pytest", "make test", "7.0", "py pytest", "python3-pytest", "python3-pytest", "python-pytest", "pytest"),
    Tool("pytest-xdist", "tests in parallel", "", "py xdist", "python3-pytest-xdist", "python3-pytest-xdist", "python-pytest-xdist", "", False),
    Tool("clang", "CC=clang, its tests", "13", "cmd clang", "clang", "clang", "clang", "llvm", False),
    Tool("libFuzzer", "make fuzz, its test", "", "file /usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-x86_64.a /usr/lib*/clang/*/lib/*/libclang_rt.fuzzer*", "libclang-rt-14-dev", "compiler-rt", "compiler-rt", "llvm", False),
    Tool("clang-format", "make check", "14", "cmd clang-format-14 clang-format", "clang-format-14", "clang-tools-extra", "clang", "clang-format", False),
    Tool("diod", "make qemu SHARE=, its tests", "", "cmd diod /usr/sbin/diod", "diod", "diod", "", "", APT),
    Tool("mkdocs", "make book", "1.4", "cmd mkdocs", "mkdocs", "mkdocs", "mkdocs", "mkdocs", False, "book"),
    Tool("mkdocs-material", "make book: its theme", "", "file /usr/share/mkdocs/themes/material /usr/lib/python3*/*-packages/material", "mkdocs-material", "mkdocs-material", "mkdocs-material", "", False, "book"),
    Tool("sim_c", "make class: similar pairs", "", "cmd sim_c", "similarity-tester", "", "", "", False, "class"),
]
# fmt: on


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


def look(tool: Tool, quick: bool = False) -> tuple[bool, str]:
    """Whether the tool is there and new enough, and what was found."""
    kind, *names = tool.find.split()
    if kind == "py":
        here, version = python_module(names[0], quick)
    elif kind == "file":
        return any(glob.glob(name) for name in names), ""
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


def packages(missing: list[Tool], manager: str) -> list[str]:
    """The packages that bring the missing tools, each once."""
    names = [getattr(tool, manager) for tool in missing]
    return list(dict.fromkeys(name for name in names if name))


def command_for(missing: list[Tool]) -> str:
    """The command that mends it here, or a pointer to the container."""
    manager = system()
    if not manager:
        return "open this folder in its dev container: .devcontainer/devcontainer.json"
    sudo = "sudo " if hasattr(os, "geteuid") and os.geteuid() != 0 else ""
    start = {
        "apt": f"{sudo}apt-get install -y --no-install-recommends",
        "dnf": f"{sudo}dnf install -y",
        "pacman": f"{sudo}pacman -S --needed",
        "brew": "brew install",
    }[manager]
    return " ".join([start] + packages(missing, manager))


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
        print(f"\n`tools/install.sh {part}` installs what only `make {part}` needs.")
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
    subprocess.run(sudo + quiet + ["update"], stdin=subprocess.DEVNULL)
    install = ["install", "-y", "--no-install-recommends"] + names
    run = subprocess.run(sudo + quiet + install, stdin=subprocess.DEVNULL)
    return run.returncode


def install(part: str = "") -> int:
    """Install what is needed and missing; status 1 if some still is."""
    tools = [tool for tool in TOOLS if tool.part == part]
    missing = lacking(tools)
    needed = [tool for tool in missing if tool.needed or part]
    if system() == "apt" and needed:
        status = apt_install(packages(missing, "apt"))
        if status != 0:  # an optional package may not exist in this release
            apt_install(packages(needed, "apt"))
        needed = [tool for tool in lacking(tools) if tool.needed or part]
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
    if sys.argv[1:2] == ["--install"] and sys.argv[2:] in ([], ["book"], ["class"]):
        return install(*sys.argv[2:])
    if sys.argv[1:] == ["--quick"]:
        return int(any(t.needed and not look(t, quick=True)[0] for t in TOOLS))
    if sys.argv[1:]:
        print(__doc__)
        return 2
    return show()


if __name__ == "__main__":
    sys.exit(main())
