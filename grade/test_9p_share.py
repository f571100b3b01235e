"""hostfs with many requests at a time: a slow file of the host delays no other request.

The host's server is diod, which stalls where Linux does (a FIFO that is not
opened for writing), or a small one in here, which stalls where it is told to
and shows what it was asked.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from grade.harness import Machine, Variant
from grade.harness.build import ROOT
from grade.harness.serve import COM3, PROMPT, machine_with_port
from grade.p9 import Body, Client, Error9, frame, s
from grade.test_9p_peers import diod, needs_diod, pytestmark, shared, variant
from grade.test_9p_host import servers

__all__ = ["pytestmark", "servers", "shared", "variant"]

CTRL_C = "\x03"
RLERROR, TVERSION, TFLUSH, RREAD = 7, 100, 108, 117
FILES = {"exports": b"/stub\n", "note": b"from the host\n", "wait": b"at last\n"}


class Slow(threading.Thread):
    """A server of 9P2000.L: a directory whose file `wait` waits to be read."""

    def __init__(self, sock: socket.socket) -> None:
        super().__init__(daemon=True)
        self.sock = sock
        self.names: dict[int, str] = {}  # by fid; "" is the root
        self.stalled: list[tuple[int, bytes]] = []  # tags of reads, and answers
        self.flushed: list[int] = []  # tags that were given up

    def qid(self, name: str) -> bytes:
        path = list(FILES).index(name) + 2 if name else 1
        return struct.pack("<BIQ", 0 if name else 0x80, 0, path)

    def say(self, kind: int, tag: int, body: bytes = b"") -> None:
        self.sock.sendall(frame(kind, tag, body))

    def release(self) -> None:
        """Answer all reads that wait."""
        while self.stalled:
            self.say(RREAD, *self.stalled.pop(0))

    def run(self) -> None:
        with contextlib.suppress(ConnectionError), self.sock.makefile("rb") as stream:
            while head := stream.read(7):
                size, kind, tag = struct.unpack("<IBH", head)
                body = self.answer(kind, tag, Body(stream.read(size - 7)))
                if isinstance(body, bytes):
                    self.say(kind + 1, tag, body)
                elif body:
                    self.say(RLERROR, tag, struct.pack("<I", body))

    def answer(self, kind: int, tag: int, body: Body) -> bytes | int:
        """The answer's fields; or Linux's error; 0: none now."""
        if kind == TVERSION:
            return struct.pack("<I", body.num(4)) + s(body.str())
        if kind == TFLUSH:
            old = body.num(2)
            self.flushed.append(old)
            self.stalled = [entry for entry in self.stalled if entry[0] != old]
            return b""
        fid = body.num(4)
        name = self.names.setdefault(fid, "")
        match kind:
            case 104:  # Tattach
                return self.qid("")
            case 110:  # Twalk
                return self.walk(name, body.num(4), body)
            case 24:  # Tgetattr
                mode, size = 0o100644 if name else 0o40755, len(FILES.get(name, b""))
                facts = struct.pack("<III15Q", mode, 0, 0, 1, 0, size, *[0] * 12)
                return struct.pack("<Q", 0x7FF) + self.qid(name) + facts
            case 12:  # Tlopen
                return self.qid(name) + bytes(4)
            case 40:  # Treaddir
                return self.entries(body.num(8))
            case 116:  # Tread
                return self.read(name, tag, body.num(8))
            case 120:  # Tclunk
                return b""
        return 95

    def walk(self, name: str, new: int, body: Body) -> bytes | int:
        """Names from a file on, to the fid `new`."""
        steps = [body.str() for _ in range(body.num(2))]
        if any(step not in FILES for step in steps):
            return 2
        self.names[new] = steps[-1] if steps else name
        return struct.pack("<H", len(steps)) + b"".join(map(self.qid, steps))

    def entries(self, start: int) -> bytes:
        """The directory, from one of its entries on."""
        raw = b"".join(
            self.qid(name) + struct.pack("<QB", at + 1, 0) + s(name)
            for at, name in enumerate(FILES)
            if at >= start
        )
        return struct.pack("<I", len(raw)) + raw

    def read(self, name: str, tag: int, offset: int) -> bytes | int:
        """What is there; of `wait` only when it is released."""
        data = FILES[name][offset:]
        answer = struct.pack("<I", len(data)) + data
        if name != "wait" or not data:
            return answer
        self.stalled.append((tag, answer))
        return 0


def wait_for(what: Callable[[], object]) -> None:
    """Wait until it is so, or fail after some seconds."""
    for _ in range(1000):
        if what():
            return
        time.sleep(0.01)
    raise AssertionError("it never came")


# ---- as a program of the host ----


@pytest.fixture
def slow(servers: None) -> Iterator[tuple[Slow, Client]]:
    """hostfs as a program of the host, under ASan, between Slow and a client."""
    link, far = socket.socketpair()
    ours, theirs = socket.socketpair()
    server = Slow(far)
    server.start()
    program = subprocess.Popen(
        [str(ROOT / "build/host/hostfs"), "-i", f"/fd/{link.fileno()}"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        pass_fds=[link.fileno()],
        encoding="utf-8",
        restore_signals=False,  # a write to a client that is gone is no signal
    )
    theirs.close()
    client = Client(ours)
    client.version()
    client.attach()
    yield server, client
    ours.close()
    server.release()
    _, errors = program.communicate(timeout=30)
    link.close()
    far.close()
    assert program.returncode == 0 and not errors, errors


def read_of(client: Client, fid: int, tag: int) -> None:
    """Ask for the file's first bytes, and do not wait."""
    client.ask("read", struct.pack("<IQI", fid, 0, 100), tag)


def test_slow_read(slow: tuple[Slow, Client]) -> None:
    """While reads wait at the host, others are answered; then they are, too."""
    server, client = slow
    fids = [client.open("wait") for _ in range(10)]
    for tag, fid in enumerate(fids):
        read_of(client, fid, 500 + tag)
    wait_for(lambda: len(server.stalled) == 10)
    assert len({tag for tag, _ in server.stalled}) == 10
    for _ in range(20):
        assert client.get("note") == b"from the host\n"
    assert sorted(client.names()) == sorted(FILES)
    server.stalled.reverse()
    server.release()
    replies = [client.reply() for _ in fids]
    assert {reply.tag for reply in replies} == set(range(500, 510))
    assert all(reply.data == b"at last\n" for reply in replies)


def test_client_goes(slow: tuple[Slow, Client]) -> None:
    """The client goes while reads wait: hostfs ends when they do."""
    server, client = slow
    for tag in range(3):
        read_of(client, client.open("wait"), 500 + tag)
    wait_for(lambda: len(server.stalled) == 3)


def test_lies(slow: tuple[Slow, Client]) -> None:
    """A host's server that answers a question not asked is of no use any more."""
    server, client = slow
    read_of(client, client.open("wait"), 500)
    wait_for(lambda: server.stalled)
    server.say(RREAD, 77, bytes(4))
    assert client.reply().ename
    with pytest.raises(Error9):
        client.stat(client.root)


# ---- in Lux9 ----


@pytest.fixture
def sharing(
    variant: Variant, tmp_path: Path
) -> Iterator[Callable[[Callable[[socket.socket], None]], Machine]]:
    """start(serve): a machine whose third port is served by serve(socket)."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "link"))
    listener.listen()

    def start(serve: Callable[[socket.socket], None]) -> Machine:
        thread = threading.Thread(
            target=lambda: serve(listener.accept()[0]), daemon=True
        )
        thread.start()
        line = f"path={tmp_path / 'link'}"
        machine = machine_with_port(variant, COM3, line)
        for _ in range(20):
            if "note" in machine.command_line("ls /n/host", PROMPT):
                return machine
            machine.command_line("sleep 0.2", PROMPT)
        raise AssertionError("nothing at /n/host")

    yield start
    listener.close()


def check_others(machine: Machine) -> None:
    """Another file can be read."""
    assert "from the host" in machine.command_line("cat /n/host/note", PROMPT)


def test_share_slow_read(sharing: Callable[..., Machine]) -> None:
    """A read that waits at the host delays no other, and ^C and kill end it."""
    servers: list[Slow] = []

    def serve(sock: socket.socket) -> None:
        servers.append(Slow(sock))
        servers[0].run()

    machine = sharing(serve)
    server = servers[0]
    shown = machine.command_line("cat /n/host/wait > /tmp/a &", PROMPT)
    wait_for(lambda: len(server.stalled) == 1)
    check_others(machine)
    machine.send("cat /n/host/wait\n")
    wait_for(lambda: len(server.stalled) == 2)
    tag = server.stalled[1][0]
    machine.send(CTRL_C)
    machine.expect(PROMPT)
    wait_for(lambda: server.flushed == [tag])
    check_others(machine)
    server.release()
    machine.command_line("sleep 0.5", PROMPT)
    assert "at last" in machine.command_line("cat /tmp/a", PROMPT), shown
    machine.command_line("cat /n/host/wait &", PROMPT)
    wait_for(lambda: len(server.stalled) == 1)
    tag = server.stalled[0][0]
    machine.command_line("kill $apid", PROMPT)
    wait_for(lambda: server.flushed[1:] == [tag])
    check_others(machine)


@needs_diod
def test_share_fifo(sharing: Callable[..., Machine], shared: Path) -> None:
    """A FIFO of the host without a writer can be waited for, and left."""
    servers: list[subprocess.Popen[bytes]] = []
    os.mkfifo(shared / "fifo")

    def serve(sock: socket.socket) -> None:
        servers.append(diod(shared, sock))
        sock.close()

    machine = sharing(serve)
    try:
        machine.command_line("cat /n/host/fifo &", PROMPT)
        check_others(machine)
        machine.command_line("kill $apid", PROMPT)
        check_others(machine)
        with contextlib.suppress(OSError):  # ENXIO: diod has given up, too
            os.close(os.open(shared / "fifo", os.O_WRONLY | os.O_NONBLOCK))
        check_others(machine)
    finally:
        for server in servers:
            server.kill()  # it would wait for the other end
            server.wait()
