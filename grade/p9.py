"""A small 9P2000 client, written from section 5 of Plan 9's manual.

It shares no code with Lux9, so that a mistake in Lux9's codec shows.  It can
also say what no honest client says: send() takes any bytes.
"""

from __future__ import annotations

import itertools
import select
import socket
import struct
from dataclasses import dataclass, field
from typing import Any

VERSION = "9P2000"
NOTAG, NOFID = 0xFFFF, 0xFFFFFFFF
OREAD, OWRITE, ORDWR, OEXEC, OTRUNC, ORCLOSE = 0, 1, 2, 3, 0x10, 0x40
DMDIR, DMAPPEND, DMEXCL, DMTMP = 1 << 31, 1 << 30, 1 << 29, 1 << 26
QTDIR, QTAPPEND, QTEXCL = 0x80, 0x40, 0x20

_NAMES = "version auth attach error flush walk open create read write clunk remove stat wstat"
T = {name: 100 + 2 * i for i, name in enumerate(_NAMES.split())}
_KIND = {number: "T" + name for name, number in T.items()}
_KIND |= {number + 1: "R" + name for name, number in T.items()}


class Hangup(Exception):
    """The server ended the connection."""


class Error9(Exception):
    """The server answered Rerror; str() is its text."""


@dataclass(frozen=True)
class Qid:
    """A server's own name for a file."""

    type: int
    vers: int
    path: int


def s(text: str | bytes) -> bytes:
    """A string as it travels."""
    raw = text.encode() if isinstance(text, str) else text
    return struct.pack("<H", len(raw)) + raw


def frame(kind: int, tag: int, body: bytes = b"") -> bytes:
    """A whole message."""
    return struct.pack("<IBH", 7 + len(body), kind, tag) + body


class Body:
    """Reads fields off a message; asks too much: the message is too short."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, n: int) -> bytes:
        """The next n bytes."""
        assert self.at + n <= len(self.raw), "message too short"
        self.at += n
        return self.raw[self.at - n : self.at]

    def num(self, n: int) -> int:
        """The next number of n bytes."""
        return int.from_bytes(self.take(n), "little")

    def str(self) -> str:
        """The next string."""
        return self.take(self.num(2)).decode()

    def qid(self) -> Qid:
        """The next qid."""
        return Qid(self.num(1), self.num(4), self.num(8))

    def end(self) -> None:
        """Nothing may be left."""
        assert self.at == len(self.raw), "bytes after the last field"


@dataclass
class Stat:
    """A directory entry; its defaults say "don't touch"."""

    type: int = 0xFFFF
    dev: int = 0xFFFFFFFF
    qid: Qid = Qid(0xFF, 0xFFFFFFFF, 0xFFFFFFFFFFFFFFFF)
    mode: int = 0xFFFFFFFF
    atime: int = 0xFFFFFFFF
    mtime: int = 0xFFFFFFFF
    length: int = 0xFFFFFFFFFFFFFFFF
    name: str = ""
    uid: str = ""
    gid: str = ""
    muid: str = ""

    def pack(self) -> bytes:
        """The entry as it travels, its own size in front."""
        body = struct.pack(
            "<HIBIQ", self.type, self.dev, self.qid.type, self.qid.vers, self.qid.path
        )
        body += struct.pack("<IIIQ", self.mode, self.atime, self.mtime, self.length)
        body += s(self.name) + s(self.uid) + s(self.gid) + s(self.muid)
        return struct.pack("<H", len(body)) + body

    @classmethod
    def unpack(cls, body: Body) -> Stat:
        """The entry that comes next in body."""
        inner = Body(body.take(body.num(2)))
        stat = cls(
            inner.num(2),
            inner.num(4),
            inner.qid(),
            inner.num(4),
            inner.num(4),
            inner.num(4),
            inner.num(8),
            inner.str(),
            inner.str(),
            inner.str(),
            inner.str(),
        )
        inner.end()
        return stat


def entries(raw: bytes) -> list[Stat]:
    """The entries of a piece of a directory; they must be whole."""
    body, found = Body(raw), []
    while body.at < len(raw):
        found.append(Stat.unpack(body))
    return found


@dataclass
class Reply:
    """An R-message: its kind ("Rwalk"), its tag, its fields."""

    kind: str
    tag: int
    fields: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        try:
            return self.fields[name]
        except KeyError:
            raise AttributeError(f"{self.kind} has no {name}") from None


def parse(raw: bytes) -> Reply:
    """The R-message that raw is, every byte of it."""
    body = Body(raw)
    size, kind, tag = body.num(4), body.num(1), body.num(2)
    assert size == len(raw) and kind in _KIND, f"odd message {raw[:32]!r}"
    reply = Reply(_KIND[kind], tag)
    match reply.kind:
        case "Rversion":
            reply.fields = {"msize": body.num(4), "version": body.str()}
        case "Rauth" | "Rattach":
            reply.fields = {"qid": body.qid()}
        case "Rerror":
            reply.fields = {"ename": body.str()}
        case "Rwalk":
            reply.fields = {"qids": [body.qid() for _ in range(body.num(2))]}
        case "Ropen" | "Rcreate":
            reply.fields = {"qid": body.qid(), "iounit": body.num(4)}
        case "Rread":
            reply.fields = {"data": body.take(body.num(4))}
        case "Rwrite":
            reply.fields = {"count": body.num(4)}
        case "Rstat":
            inner = Body(body.take(body.num(2)))
            reply.fields = {"stat": Stat.unpack(inner)}
            inner.end()
        case "Rflush" | "Rclunk" | "Rremove" | "Rwstat":
            pass
        case other:
            raise AssertionError(f"the server sent {other}")
    body.end()
    return reply


class Client:
    """One connection: whole operations, or single messages by tag."""

    def __init__(self, sock: socket.socket, timeout: float = 20.0) -> None:
        self.sock, self.timeout, self.have = sock, timeout, b""
        self.tags, self.fids = itertools.count(1), itertools.count(100)
        self.msize, self.root = 0, NOFID

    # ---- messages ----

    def send(self, raw: bytes) -> None:
        """Any bytes at all."""
        self.sock.sendall(raw)

    def ask(self, name: str, body: bytes = b"", tag: int | None = None) -> int:
        """Send a T-message; its tag."""
        tag = next(self.tags) % NOTAG if tag is None else tag
        self.send(frame(T[name], tag, body))
        return tag

    def _fill(self, n: int, timeout: float) -> None:
        while len(self.have) < n:
            if not select.select([self.sock], [], [], timeout)[0]:
                raise TimeoutError("no answer")
            try:
                piece = self.sock.recv(1 << 16)
            except ConnectionError:
                piece = b""
            if not piece:
                raise Hangup
            self.have += piece

    def reply(self, timeout: float | None = None) -> Reply:
        """The next R-message."""
        timeout = self.timeout if timeout is None else timeout
        self._fill(4, timeout)
        size = int.from_bytes(self.have[:4], "little")
        self._fill(size, timeout)
        raw, self.have = self.have[:size], self.have[size:]
        return parse(raw)

    def silent(self, seconds: float = 0.2) -> bool:
        """Does the server say nothing for so long?"""
        return not self.have and not select.select([self.sock], [], [], seconds)[0]

    def rpc(self, name: str, body: bytes = b"", tag: int | None = None) -> Reply:
        """Ask and wait for the answer.  Error9 if it is one."""
        tag = self.ask(name, body, tag)
        reply = self.reply()
        assert reply.tag == tag, f"tag {reply.tag} answers {tag}"
        if reply.kind == "Rerror":
            raise Error9(reply.ename)
        assert reply.kind == "R" + name, f"{reply.kind} answers T{name}"
        return reply

    # ---- operations ----

    def version(self, msize: int = 65536, version: str = VERSION) -> Reply:
        """Tversion."""
        reply = self.rpc("version", struct.pack("<I", msize) + s(version), NOTAG)
        self.msize = reply.msize
        return reply

    def version_on_line(self, msize: int) -> None:
        """Tversion on a line on which answers to an earlier client may come first."""
        self.ask("version", struct.pack("<I", msize) + s(VERSION), NOTAG)
        reply = self.reply()
        while reply.tag != NOTAG:
            reply = self.reply()
        self.msize = reply.msize

    def attach(
        self,
        user: str = "glenda",
        aname: str = "",
        fid: int | None = None,
        afid: int = NOFID,
    ) -> int:
        """Tattach; the root's fid, which later paths begin at."""
        fid = next(self.fids) if fid is None else fid
        self.rpc("attach", struct.pack("<II", fid, afid) + s(user) + s(aname))
        self.root = fid
        return fid

    def twalk(self, fid: int, newfid: int, *names: str | bytes) -> Reply:
        """Twalk, as it is."""
        body = struct.pack("<IIH", fid, newfid, len(names))
        return self.rpc("walk", body + b"".join(map(s, names)))

    def walk(self, path: str = "", fid: int | None = None) -> int:
        """A new fid for the path from fid (the root); Error9 if part is missing."""
        names, newfid = [n for n in path.split("/") if n], next(self.fids)
        at = self.root if fid is None else fid
        for i in range(0, max(1, len(names)), 16):
            reply = self.twalk(at, newfid, *names[i : i + 16])
            if len(reply.qids) != len(names[i : i + 16]):
                raise Error9("file does not exist")
            at = newfid
        return newfid

    def topen(self, fid: int, mode: int = OREAD) -> Reply:
        """Topen."""
        return self.rpc("open", struct.pack("<IB", fid, mode))

    def open(self, path: str, mode: int = OREAD) -> int:
        """A fid for the path, open."""
        fid = self.walk(path)
        self.topen(fid, mode)
        return fid

    def tcreate(
        self, fid: int, name: str | bytes, perm: int = 0o666, mode: int = ORDWR
    ) -> Reply:
        """Tcreate."""
        return self.rpc(
            "create", struct.pack("<I", fid) + s(name) + struct.pack("<IB", perm, mode)
        )

    def create(self, path: str, perm: int = 0o666, mode: int | None = None) -> int:
        """A fid for the new file, open."""
        where, _, name = path.rpartition("/")
        fid = self.walk(where)
        default = OREAD if perm & DMDIR else ORDWR
        self.tcreate(fid, name, perm, default if mode is None else mode)
        return fid

    def read(self, fid: int, offset: int = 0, count: int = 8192) -> bytes:
        """Tread."""
        body = struct.pack("<IQI", fid, offset, count)
        data: bytes = self.rpc("read", body).data
        return data

    def write(self, fid: int, data: bytes, offset: int = 0) -> int:
        """Twrite; how many bytes were taken."""
        body = struct.pack("<IQI", fid, offset, len(data))
        count: int = self.rpc("write", body + data).count
        return count

    def stat(self, fid: int) -> Stat:
        """Tstat."""
        stat: Stat = self.rpc("stat", struct.pack("<I", fid)).stat
        return stat

    def wstat(self, fid: int, stat: Stat) -> None:
        """Twstat."""
        packed = stat.pack()
        self.rpc("wstat", struct.pack("<IH", fid, len(packed)) + packed)

    def clunk(self, fid: int) -> None:
        """Tclunk."""
        self.rpc("clunk", struct.pack("<I", fid))

    def remove(self, fid: int) -> None:
        """Tremove."""
        self.rpc("remove", struct.pack("<I", fid))

    def flush(self, oldtag: int) -> Reply:
        """Tflush."""
        return self.rpc("flush", struct.pack("<H", oldtag))

    # ---- files ----

    def get(self, path: str) -> bytes:
        """All of a file."""
        fid, data = self.open(path), b""
        while piece := self.read(fid, len(data), self.msize - 24):
            data += piece
        self.clunk(fid)
        return data

    def put(self, path: str, data: bytes, perm: int = 0o666) -> None:
        """A new file with these bytes."""
        fid, at = self.create(path, perm), 0
        while at < len(data):
            at += self.write(fid, data[at : at + self.msize - 24], at)
        self.clunk(fid)

    def mkdir(self, path: str, perm: int = 0o777) -> None:
        """A new directory."""
        self.clunk(self.create(path, DMDIR | perm))

    def open_fid(self, fid: int, mode: int = OREAD) -> int:
        """fid itself, open."""
        self.topen(fid, mode)
        return fid

    def create_in(self, fid: int, name: str) -> int:
        """A fid for a new file in the directory that fid stands for, open."""
        made = self.walk(fid=fid)
        self.tcreate(made, name)
        return made

    def ls_as_linux(self, path: str = "") -> list[Stat]:
        """A directory's entries, read as Linux's v9fs does: each read is repeated
        with the count that is left, until the answer has no byte."""
        fid, at, found, room = self.open(path), 0, b"", self.msize - 24
        while True:
            begun = at
            while piece := self.read(fid, at, room - (at - begun)):
                found, at = found + piece, at + len(piece)
            if at == begun:
                self.clunk(fid)
                return entries(found)

    def ls(self, path: str = "", count: int = 8192) -> list[Stat]:
        """The entries of a directory, in the server's order."""
        fid, found, at = self.open(path), [], 0
        while piece := self.read(fid, at, count):
            found += entries(piece)
            at += len(piece)
        self.clunk(fid)
        return found

    def names(self, path: str = "") -> list[str]:
        """The names in a directory, in the server's order."""
        return [entry.name for entry in self.ls(path)]

    def exists(self, path: str) -> bool:
        """Can the path be walked?"""
        try:
            self.clunk(self.walk(path))
        except Error9:
            return False
        return True
