#!/usr/bin/env python3
"""Run Lux9 in QEMU as `make qemu` and its kin ask; make's variables are checked here.

    qemu.py terminal|window ISO         boot the disc
    qemu.py direct KERNEL [ARCHIVE]     start the kernel without GRUB

CPUS, MEM, UEFI, OVMF, APPEND, SERVE, SHARE, QEMU and QEMU_FLAGS (more arguments,
which win) come by the environment, as any bytes.  A mistake is one line and changes nothing.  With PRINT=1 the command
is printed and not run.
"""

from __future__ import annotations

import glob
import os
import re
import shlex
import shutil
import stat
import subprocess
import sys
from pathlib import Path

# the UEFI firmware where distributions put it: Debian, Fedora, Arch, Homebrew
OVMF = (
    "/usr/share/OVMF/OVMF_CODE.fd",
    "/usr/share/ovmf/OVMF.fd",
    "/usr/share/OVMF/OVMF_CODE_4M.fd",
    "/usr/share/edk2/ovmf/OVMF_CODE.fd",
    "/usr/share/edk2/x64/OVMF_CODE.4m.fd",
    "/usr/share/edk2-ovmf/x64/OVMF_CODE.fd",
    "/opt/homebrew/share/qemu/edk2-x86_64-code.fd",
    "/usr/local/share/qemu/edk2-x86_64-code.fd",
)
LINE_LIMIT = 4095  # bytes of the kernel's command line (boot/boot.h: MAX_CMDLINE)
SOCKET_LIMIT = 100  # bytes of a Unix socket's path, in every system


class Mistake(ValueError):
    """A variable that cannot be used; the text is the line to print."""


def value(name: str, otherwise: str = "") -> str:
    """A variable, or what it is without a value."""
    return os.environ.get(name) or otherwise


def option(text: str) -> str:
    """A path inside one of QEMU's options, where a comma ends unless doubled."""
    return text.replace(",", ",,")


def firmware() -> list[str]:
    """QEMU's arguments for UEFI."""
    if not value("UEFI"):
        return []
    chosen = value("OVMF")
    if chosen and not Path(chosen).is_file():
        raise Mistake(f"OVMF: no such file ({chosen}); name the UEFI firmware")
    found = chosen or next(filter(None, map(glob.glob, OVMF)), [""])[0]
    if not found:
        raise Mistake("UEFI: no firmware found; see `make doctor`, or set OVMF=file")
    return ["-drive", f"if=pflash,format=raw,readonly=on,file={option(found)}"]


def serial(serve: str) -> list[str]:
    """QEMU's arguments for the port behind SERVE."""
    if not serve:
        return []
    more = "server=on,wait=off"
    if re.fullmatch(r"[0-9]+", serve):
        if not 0 < int(serve) < 65536:
            raise Mistake(f"SERVE: no such port ({serve}); it is 1 to 65535")
        line = f"socket,id=serve,host=127.0.0.1,port={serve},nodelay=on,{more}"
        return ["-chardev", line, "-serial", "chardev:serve"]
    path = Path(serve)
    use = "use a path that does not exist yet, or a port"
    if len(os.fsencode(serve)) > SOCKET_LIMIT:
        raise Mistake(f"SERVE: longer than {SOCKET_LIMIT} bytes ({serve}); {use}")
    if not path.parent.is_dir():
        raise Mistake(f"SERVE: there is no such folder ({path.parent}); {use}")
    if os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
        raise Mistake(f"SERVE: this file exists and is no socket ({serve}); {use}")
    line = f"socket,id=serve,path={option(serve)},{more}"
    return ["-chardev", line, "-serial", "chardev:serve"]


def shared(directory: str) -> list[str]:
    """The command before QEMU's that serves the directory SHARE."""
    if not directory:
        return []
    place = Path(directory)
    if not place.is_dir():
        why = "not a directory" if place.exists() else "no such directory"
        raise Mistake(f"SHARE: {why} ({directory}); name one of this machine's")
    script = Path(__file__).with_name("share.py")
    if not script.exists():
        raise Mistake(f"SHARE: needs stage 4 ({directory}); this tree has less")
    if not shutil.which("diod") and not Path("/usr/sbin/diod").exists():
        raise Mistake(f"SHARE: needs diod ({directory}); see `make doctor`")
    return [sys.executable, str(script), directory]


def append() -> str:
    """The kernel's command line.

    QEMU lets a longer one run over what the kernel has to read beside it.
    """
    text = value("APPEND")
    size = len(os.fsencode(text))
    if size > LINE_LIMIT:
        raise Mistake(f"APPEND: too long ({size} bytes); at most {LINE_LIMIT} fit")
    return text


def command(how: str, files: list[str]) -> list[str]:
    """The whole command."""
    line = append()
    words = [*shared(value("SHARE")), *shlex.split(value("QEMU", "qemu-system-x86_64"))]
    words += ["-M", "q35", "-cpu", "max", "-m", value("MEM", "512")]
    words += ["-smp", value("CPUS", "1"), *firmware()]
    words += ["-device", "isa-debug-exit,iobase=0xf4,iosize=4"]
    words += shlex.split(value("QEMU_FLAGS"))
    words += ["-display", "none"] if how != "window" else []
    words += ["-serial", "mon:stdio", *serial(value("SERVE"))]
    if how != "direct":
        return [*words, "-cdrom", files[0]]
    words += ["-kernel", files[0], "-append", line]
    return words + [word for file in files[1:] for word in ("-initrd", file)]


def main() -> int:
    """Start it; QEMU's status."""
    how, *files = sys.argv[1:] or ["help"]
    if how not in ("terminal", "window", "direct") or not files:
        print(__doc__)
        return 2
    try:
        words = command(how, files)
    except Mistake as mistake:
        print(mistake, file=sys.stderr)
        return 2
    print(shlex.join(words), flush=True)
    if value("PRINT"):
        return 0
    try:
        os.execvp(words[0], words)
    except OSError as error:
        print(f"{words[0]}: cannot be run ({error.strerror}); see `make doctor`")
        return 1


if __name__ == "__main__":
    sys.exit(main())
