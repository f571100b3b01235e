#!/usr/bin/env python3
"""Run QEMU with a directory of this host behind its third serial port.

    share.py DIR QEMU-COMMAND ...

The directory is served by diod, a 9P2000.L server of Debian's, over a socket
pair whose other end is the port.  In Lux9, hostfs makes 9P2000 of it and
mounts it on /n/host.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

PORT = "isa-serial,chardev=share,iobase=0x3e8,irq=5"


def diod(directory: Path, sock: socket.socket) -> subprocess.Popen[bytes]:
    """The server, which ends when the other end of the socket is closed."""
    program = shutil.which("diod") or "/usr/sbin/diod"
    if not Path(program).exists():
        sys.exit("SHARE needs diod: apt-get install diod")
    fd = str(sock.fileno())
    command = [program, "-f", "-n", "-N", "-L", "stderr"]
    command += ["-e", "ctl", "-e", str(directory)]
    command += ["-u", str(os.getuid())] if os.getuid() else []
    return subprocess.Popen(
        [*command, "--rfdno", fd, "--wfdno", fd], pass_fds=[sock.fileno()]
    )


def main() -> int:
    """Start both; QEMU's status."""
    if len(sys.argv) < 3 or not Path(sys.argv[1]).is_dir():
        sys.exit(__doc__)
    directory = Path(sys.argv[1]).resolve()
    ours, theirs = socket.socketpair()
    server = diod(directory, theirs)
    theirs.close()
    command = [*sys.argv[2:], "-device", PORT]
    command += ["-chardev", f"socket,id=share,fd={ours.fileno()}"]
    try:
        return subprocess.run(command, pass_fds=[ours.fileno()]).returncode
    finally:
        ours.close()
        server.kill()  # QEMU has ended: nobody is served any more
        server.wait()


if __name__ == "__main__":
    sys.exit(main())
