"""A small Linux out of Debian's packages: a 9P client that is not ours.

Its kernel's v9fs is the one published client of plain 9P2000 that Debian has.
`linux()` downloads the packages linux-image and busybox-static (once, into
build/linux/; nothing is installed), and makes an initial RAM disc with
busybox, the modules for 9P and a network card, and a script.
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

from grade.harness.build import ROOT

FOLDER = ROOT / "build" / "linux"
MODULES = "netfs fscache 9pnet 9pnet_fd 9p e1000".split()  # after what they need
FILES = ["vmlinuz", "busybox", *(f"{name}.ko" for name in MODULES)]

START = """#!/bin/busybox sh
/bin/busybox mkdir -p /proc /dev /lux
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t devtmpfs dev /dev
for module in {modules}; do insmod /$module.ko || echo no $module; done
{script}
echo "Linux is done"
poweroff -f
"""


def _entry(name: str, mode: int, data: bytes) -> bytes:
    """One file of a cpio archive, in the format that Linux unpacks: "newc"."""
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
    head = "070701" + "".join(f"{field:08x}" for field in fields)
    packed = head.encode() + name.encode() + b"\0"
    packed += b"\0" * (-len(packed) % 4) + data
    return packed + b"\0" * (-len(packed) % 4)


def _download() -> None:
    """The kernel, its modules and busybox, out of packages of this Debian."""
    words = ["apt-cache", "depends", "linux-image-amd64"]
    shown = subprocess.run(
        words, capture_output=True, encoding="utf-8", check=True
    ).stdout
    image = next(w for w in shown.split() if w.startswith("linux-image-6"))
    packages = FOLDER / "packages"
    packages.mkdir(parents=True, exist_ok=True)
    words = ["apt-get", "-q", "download", image, "busybox-static"]
    subprocess.run(words, cwd=packages, capture_output=True, check=True, timeout=300)
    for package in packages.glob("*.deb"):
        words = ["dpkg-deb", "-x", str(package), str(packages / "root")]
        subprocess.run(words, check=True, timeout=120)
    root = packages / "root"
    wanted = [next(root.glob("**/bin/busybox")), next(root.glob("boot/vmlinuz-*"))]
    wanted += [next(root.glob(f"**/{name}.ko")) for name in MODULES]
    for path in wanted:
        shutil.copy(path, FOLDER / path.name.split("-")[0])
    shutil.rmtree(packages)


def linux(script: str, initrd: Path) -> Path | None:
    """Linux's kernel, and in initrd what runs the script; None: not to be had.

    The script is a shell's; /lux is an empty directory to mount on.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        return None
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / ".lock").open("w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not all((FOLDER / name).exists() for name in FILES):
            try:
                _download()
            except (subprocess.SubprocessError, StopIteration):
                return None
    start = START.format(modules=" ".join(MODULES), script=script)
    parts = [_entry(name, 0o40755, b"") for name in ("bin", "dev")]
    parts.append(_entry("init", 0o100755, start.encode()))
    parts.append(_entry("bin/busybox", 0o100755, (FOLDER / "busybox").read_bytes()))
    for name in MODULES:
        parts.append(
            _entry(f"{name}.ko", 0o100644, (FOLDER / f"{name}.ko").read_bytes())
        )
    initrd.write_bytes(b"".join([*parts, _entry("TRAILER!!!", 0, b"")]))
    return FOLDER / "vmlinuz"
