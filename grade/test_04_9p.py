"""Lab 4 from outside: this host is a client of the guest's name space."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Callable

from grade.harness import Variant
from grade.harness.serve import PROMPT, serving
from grade.p9 import OREAD, OWRITE, Client


def write(client: Client, path: str, text: str) -> None:
    """One message, as `echo text > path` would send it there."""
    fid = client.open(path, OWRITE)
    assert client.write(fid, text.encode()) == len(text)
    client.clunk(fid)


def read(client: Client, path: str) -> str:
    """What a file says."""
    fid = client.open(path, OREAD)
    text = client.read(fid, 0, 100).decode()
    client.clunk(fid)
    return text


def test_host_counts(build: Callable[..., Variant], tmp_path: Path) -> None:
    """Guest and host count in one file of tally, each through its own kernel."""
    variant = build(Variant(stage=4, ktest=False))
    place = tmp_path / "s"
    machine = serving(variant, place)
    for line in ("tally", "echo 5 > /mnt/apples"):
        machine.command_line(line, PROMPT)
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(str(place))
        client = Client(sock)
        client.version()
        client.attach()
        assert read(client, "mnt/apples") == "5\n"
        write(client, "mnt/apples", "-7")
        assert read(client, "mnt/apples") == "-2\n"
        machine.send("cat /mnt/apples\n")
        machine.expect("(?m)^-2\r?\n")
        machine.expect(PROMPT)
        machine.command_line("echo 12 > /mnt/apples", PROMPT)
        assert read(client, "mnt/apples") == "10\n"
