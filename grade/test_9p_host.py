"""ramfs, and with it lib9p, by section 5 of the manual, message by message.

The server runs here on the host under ASan, UBSan and LSan; what speaks to it
is grade/p9.py, which shares no code with it.  Every test also proves that the
server ends cleanly when its client leaves.
"""

from __future__ import annotations

import random
import socket
import struct
import subprocess
import time
from collections.abc import Iterator
from typing import Callable

import pytest

from grade import p9
from grade.harness.build import ROOT, make_for_host
from grade.p9 import (
    DMAPPEND,
    DMDIR,
    DMEXCL,
    DMTMP,
    NOFID,
    NOTAG,
    ORCLOSE,
    ORDWR,
    OREAD,
    OEXEC,
    OTRUNC,
    OWRITE,
    QTAPPEND,
    QTDIR,
    QTEXCL,
    Client,
    Error9,
    Hangup,
    Qid,
    Stat,
)

HAS_SERVERS = (ROOT / "user/servers").exists()

pytestmark = pytest.mark.skipif(not HAS_SERVERS, reason="no stage 4 in this tree")

Start = Callable[..., Client]


@pytest.fixture(scope="session")
def servers() -> None:
    """The servers are built."""
    make_for_host("host-servers")


@pytest.fixture
def start(servers: None) -> Iterator[Start]:
    """start(program, words...): a server, and a client without a session."""
    running: list[tuple[subprocess.Popen[str], socket.socket]] = []

    def launch(program: str = "ramfs", *words: str) -> Client:
        ours, theirs = socket.socketpair()
        process = subprocess.Popen(
            [str(ROOT / "build" / "host" / program), "-i", *words],
            stdin=theirs,
            stdout=theirs,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )
        theirs.close()
        running.append((process, ours))
        return Client(ours)

    yield launch
    for process, ours in running:
        ours.close()
        _, errors = process.communicate(timeout=30)
        assert process.returncode == 0 and not errors, errors


@pytest.fixture
def raw(start: Start) -> Client:
    """A connection to an empty ramfs, before the first message."""
    return start()


@pytest.fixture
def fs(raw: Client) -> Client:
    """An empty ramfs, attached as glenda."""
    raw.version()
    raw.attach()
    return raw


def refuse(text: str, call: Callable[..., object], *args: object) -> None:
    """The call fails with an error that says text."""
    with pytest.raises(Error9, match=text):
        call(*args)


def other(fs: Client, user: str) -> Client:
    """The same connection in the name of another user."""
    also = Client(fs.sock)
    also.msize, also.tags, also.fids = fs.msize, fs.tags, fs.fids
    also.attach(user)
    return also


# ---- version ----


def test_version_smaller_msize_wins(raw: Client) -> None:
    """The smaller of the two message sizes is agreed, whichever side names it."""
    assert raw.version(8192).msize == 8192
    assert raw.version(1 << 30).msize < 1 << 20
    assert raw.version(0xFFFFFFFF).version == "9P2000"


def test_version_floor(raw: Client) -> None:
    """A message size that no session could live with is refused."""
    for msize in (0, 7, 255):
        refuse("message size", raw.version, msize)
    refuse("session", raw.attach)
    assert raw.version(256).msize == 256


@pytest.mark.parametrize("asked", ["9P2000.u", "9P2000.L", "9P2000.x1"])
def test_version_extension(raw: Client, asked: str) -> None:
    """An extension that the server lacks gets plain 9P2000."""
    assert raw.version(8192, asked).version == "9P2000"


@pytest.mark.parametrize("asked", ["", "9P1999", "9P20000", "Styx", "9p2000"])
def test_version_unknown(raw: Client, asked: str) -> None:
    """An unknown version gets "unknown", and the client may try again."""
    assert raw.version(8192, asked).version == "unknown"
    refuse("session", raw.attach)
    raw.version()
    raw.attach()


def test_version_comes_first(raw: Client) -> None:
    """Nothing is done before the first Tversion."""
    refuse("session", raw.attach)
    refuse("session", raw.clunk, 1)
    refuse("session", raw.flush, 3)
    refuse("session", raw.rpc, "stat", struct.pack("<I", 1))


def test_version_resets(fs: Client) -> None:
    """A new Tversion clunks every fid, with ORCLOSE's removal."""
    fs.create("gone", mode=ORDWR | ORCLOSE)
    kept = fs.create("kept")
    root = fs.root
    fs.version()
    refuse("unknown fid", fs.stat, kept)
    refuse("unknown fid", fs.stat, root)
    fs.attach(fid=root)
    assert fs.names() == ["kept"]


# ---- auth, attach ----


def test_auth_not_required(fs: Client) -> None:
    """Tauth is refused, and its afid stays free."""
    body = struct.pack("<I", 7) + p9.s("glenda") + p9.s("")
    refuse("authentication not required", fs.rpc, "auth", body)
    refuse("unknown fid", fs.stat, 7)
    fs.attach(fid=7)


def test_attach_root(fs: Client) -> None:
    """The root is a directory called /, its own parent."""
    stat = fs.stat(fs.root)
    assert (stat.name, stat.qid.type) == ("/", QTDIR)
    up = fs.walk("..")
    assert fs.stat(up).qid == stat.qid


def test_attach_fid_in_use(fs: Client) -> None:
    """A fid in use is refused and not touched."""
    fid = fs.create("file")
    root = fs.root
    refuse("fid in use", fs.attach, "eve", "", fid)
    assert fs.stat(fid).name == "file"
    assert fs.root == root


def test_attach_nofid(fs: Client) -> None:
    """NOFID names no fid, in Tattach as in Twalk."""
    refuse("fid", fs.attach, "eve", "", NOFID)
    refuse("fid", fs.twalk, fs.root, NOFID)
    refuse("unknown fid", fs.stat, NOFID)


def test_attach_afid(fs: Client) -> None:
    """There is no authentication, so no afid is good."""
    refuse("authentication", fs.attach, "eve", "", 5, 17)
    refuse("unknown fid", fs.stat, 5)


def test_attach_twice(fs: Client) -> None:
    """Several attaches are independent: each user has its own rights."""
    fs.put("mine", b"x", 0o600)
    eve = other(fs, "eve")
    refuse("permission denied", eve.get, "mine")
    eve.clunk(eve.root)
    assert fs.get("mine") == b"x"


def test_attach_names(fs: Client) -> None:
    """An unknown tree, and a name longer than any user's, are refused."""
    refuse("No such device or address", fs.attach, "glenda", "other")
    refuse("too long", fs.attach, "g" * 100)
    fs.attach("")


# ---- frames and malformed messages ----


def test_frames_byte_by_byte(raw: Client) -> None:
    """A message may arrive in single bytes."""
    for byte in p9.frame(100, NOTAG, struct.pack("<I", 8192) + p9.s("9P2000")):
        raw.send(bytes([byte]))
        time.sleep(0.002)
    assert raw.reply().version == "9P2000"


def test_frames_together(fs: Client) -> None:
    """Many messages may arrive at once, the last of them in two pieces."""
    clone = [
        p9.frame(110, n, struct.pack("<IIH", fs.root, 500 + n, 0)) for n in range(3000)
    ]
    stream = b"".join(clone)
    fs.send(stream[:-5])
    assert [fs.reply().tag for _ in range(2999)] == list(range(2999))
    fs.send(stream[-5:])
    assert fs.reply().tag == 2999


def test_frames_large_and_small(fs: Client) -> None:
    """Large writes and small messages mix in one stream."""
    fid = fs.create("file")
    data = random.Random(1).randbytes(60000)
    stream = b""
    for n in range(6):
        stream += p9.frame(
            118, 2 * n, struct.pack("<IQI", fid, n * 60000, 60000) + data
        )
        stream += p9.frame(124, 2 * n + 1, struct.pack("<I", fid))
    fs.send(stream)
    assert [fs.reply().tag for _ in range(12)] == list(range(12))
    fs.clunk(fid)
    assert fs.get("file") == data * 6


@pytest.mark.parametrize("size", [0, 1, 6, 65537, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
def test_size_unbelievable(fs: Client, size: int) -> None:
    """A size below the header's or above msize ends the connection."""
    fs.send(struct.pack("<I", size) + b"\x7c\x01\x00" + b"x" * 100)
    with pytest.raises(Hangup):
        fs.reply()


def test_size_msize_exactly(fs: Client) -> None:
    """A message of exactly msize bytes is served; one more byte is too many."""
    fid = fs.create("file")
    most = fs.msize - 23
    assert fs.write(fid, b"m" * most) == most
    fs.send(struct.pack("<I", fs.msize + 1))
    with pytest.raises(Hangup):
        fs.reply()


@pytest.mark.parametrize("kind", [0, 99, 106, 128, 255] + list(range(101, 128, 2)))
def test_type_unknown(fs: Client, kind: int) -> None:
    """Unknown types, Terror and R-messages get an error, no more."""
    fs.send(p9.frame(kind, 9, b""))
    reply = fs.reply()
    assert (reply.kind, reply.tag) == ("Rerror", 9)
    assert fs.names() == []


BODIES = {
    "version": struct.pack("<I", 8192) + p9.s("9P2000"),
    "auth": struct.pack("<I", 1) + p9.s("u") + p9.s("a"),
    "attach": struct.pack("<II", 1, NOFID) + p9.s("u") + p9.s(""),
    "flush": struct.pack("<H", 1),
    "walk": struct.pack("<IIH", 1, 2, 2) + p9.s("a") + p9.s("b"),
    "open": struct.pack("<IB", 1, 0),
    "create": struct.pack("<I", 1) + p9.s("name") + struct.pack("<IB", 0, 0),
    "read": struct.pack("<IQI", 1, 0, 10),
    "write": struct.pack("<IQI", 1, 0, 3) + b"abc",
    "clunk": struct.pack("<I", 1),
    "remove": struct.pack("<I", 1),
    "stat": struct.pack("<I", 1),
    "wstat": struct.pack("<IH", 1, len(Stat().pack())) + Stat().pack(),
}


@pytest.mark.parametrize("name", BODIES)
def test_short_and_long(fs: Client, name: str) -> None:
    """Every message that ends early, or has bytes left, gets an error."""
    body = BODIES[name]
    for cut in range(len(body)):
        refuse("", fs.rpc, name, body[:cut])
    refuse("", fs.rpc, name, body + b"\0")
    assert fs.names() == []


@pytest.mark.parametrize(
    "bad", [b"", b"a/b", b"a\0b", b"\xff", b"\xc0\xaf", b"\xed\xa0\x80"]
)
def test_names_malformed(fs: Client, bad: bytes) -> None:
    """Names are not empty, hold no / or NUL, and are UTF-8."""
    refuse("", fs.tcreate, fs.walk(), bad)
    refuse("", fs.twalk, fs.root, 900, bad)
    refuse("unknown fid", fs.stat, 900)
    assert fs.names() == []


def test_garbage(start: Start) -> None:
    """Random bodies of every type neither crash nor stop the server."""
    rng = random.Random(42)
    fs = start()
    fs.version(8192)
    fs.attach(fid=1)
    for n in range(3000):
        kind = rng.choice(list(p9.T.values())[1:])
        fs.send(p9.frame(kind, n, rng.randbytes(rng.randrange(60))))
        assert fs.reply().tag == n
    fs.version()


def test_mutations(start: Start) -> None:
    """Good messages with a few bytes changed are answered, one each."""
    rng = random.Random(7)
    fs = start()
    fs.version(8192)
    fs.attach(fid=1)
    for n in range(4000):
        name = rng.choice([name for name in BODIES if name != "version"])
        body = bytearray(BODIES[name])
        for _ in range(rng.randrange(4)):
            body[rng.randrange(len(body))] = rng.choice(
                [0, 1, 2, 255, rng.randrange(256)]
            )
        fs.send(p9.frame(p9.T[name], n, bytes(body)))
        assert fs.reply().tag == n


# ---- walk ----


def tree(fs: Client) -> None:
    """a/b/c/file"""
    for path in ("a", "a/b", "a/b/c"):
        fs.mkdir(path)
    fs.put("a/b/c/file", b"deep")


def test_walk_clone(fs: Client) -> None:
    """No names: the new fid stands for the same file, of either kind."""
    fs.put("file", b"x")
    file = fs.walk("file")
    for fid in (fs.root, file):
        reply = fs.twalk(fid, 900)
        assert reply.qids == []
        assert fs.stat(900) == fs.stat(fid)
        fs.clunk(900)


def test_walk_onto_itself(fs: Client) -> None:
    """newfid may be fid: without names nothing changes, with names it moves."""
    tree(fs)
    fid = fs.walk("a")
    fs.twalk(fid, fid)
    assert fs.stat(fid).name == "a"
    fs.twalk(fid, fid, "b", "c")
    assert fs.stat(fid).name == "c"
    refuse("does not exist", fs.twalk, fid, fid, "none")
    assert len(fs.twalk(fid, fid, "..", "none").qids) == 1
    assert fs.stat(fid).name == "c"


def test_walk_partial(fs: Client) -> None:
    """A later name fails: the qids so far, and no new fid."""
    tree(fs)
    reply = fs.twalk(fs.root, 900, "a", "b", "none", "c")
    assert reply.qids == [fs.stat(fs.walk("a")).qid, fs.stat(fs.walk("a/b")).qid]
    refuse("unknown fid", fs.stat, 900)


def test_walk_first_fails(fs: Client) -> None:
    """The first name fails: an error, and no new fid."""
    refuse("file does not exist", fs.twalk, fs.root, 900, "none")
    refuse("unknown fid", fs.stat, 900)


def test_walk_sixteen(fs: Client) -> None:
    """Sixteen names are walked, seventeen are an error."""
    path = ""
    for n in range(17):
        path += f"/d{n}"
        fs.mkdir(path)
    names = path.split("/")[1:]
    assert len(fs.twalk(fs.root, 900, *names[:16]).qids) == 16
    assert fs.stat(900).name == "d15"
    refuse("", fs.twalk, fs.root, 901, *names)
    refuse("unknown fid", fs.stat, 901)


def test_walk_newfid_in_use(fs: Client) -> None:
    """newfid is in use: an error, and it stays what it was."""
    tree(fs)
    fid = fs.walk("a")
    refuse("fid in use", fs.twalk, fs.root, fid, "a", "b")
    assert fs.stat(fid).name == "a"


def test_walk_from_open(fs: Client) -> None:
    """An open fid cannot be walked, not even cloned."""
    fs.mkdir("d")
    fid = fs.open("d")
    refuse("open", fs.twalk, fid, 900, "..")
    refuse("open", fs.twalk, fid, 900)
    refuse("open", fs.twalk, fid, fid)


def test_walk_dotdot(fs: Client) -> None:
    """.. is the parent, anywhere in a walk; the root's is the root."""
    tree(fs)
    fid = fs.walk("a/../a/b/../../../../a/b/c/..")
    assert fs.stat(fid).name == "b"


def test_walk_dot(fs: Client) -> None:
    """The name . is none in 9P."""
    refuse("", fs.twalk, fs.root, 900, ".")


def test_walk_through_file(fs: Client) -> None:
    """A plain file is no directory: .. cannot be walked from it either."""
    tree(fs)
    reply = fs.twalk(fs.root, 900, "a", "b", "c", "file", "..")
    assert len(reply.qids) == 4
    file = fs.walk("a/b/c/file")
    refuse("not a directory", fs.twalk, file, 900, "..")


def test_walk_permission(fs: Client) -> None:
    """Each directory passed must be executable by the user."""
    fs.mkdir("shut", 0o700)
    fs.mkdir("shut/in")
    eve = other(fs, "eve")
    assert len(eve.twalk(eve.root, 900, "shut", "in").qids) == 1
    assert eve.twalk(eve.root, 900, "shut").qids
    refuse("permission denied", eve.twalk, 900, 901, "in")
    refuse("permission denied", eve.twalk, 900, 901, "..")


def test_walk_unknown_fid(fs: Client) -> None:
    """An unknown fid is an error."""
    refuse("unknown fid", fs.twalk, 4242, 900)


# ---- open ----

GRANTS = {
    OREAD: 4,
    OWRITE: 2,
    ORDWR: 6,
    OEXEC: 1,
    OREAD | OTRUNC: 6,
    OWRITE | OTRUNC: 2,
    OEXEC | OTRUNC: 3,
}


@pytest.mark.parametrize("mode", GRANTS)
@pytest.mark.parametrize("who", ["owner", "group", "other"])
def test_open_permission(fs: Client, mode: int, who: str) -> None:
    """Each mode needs just its bits, from the class that the user is in."""
    shift = {"owner": 6, "group": 3, "other": 0}[who]
    fs.put("f", b"data")
    fid = fs.walk("f")
    user = fs
    if who == "group":
        # the file's group is its directory's: make one of lab's
        lab = other(fs, "lab")
        lab.mkdir("lab")
        lab.wstat(lab.walk("lab"), Stat(gid="lab", mode=DMDIR | 0o777))
        fs.put("lab/f", b"data")
        fid, user = fs.walk("lab/f"), lab
    elif who == "other":
        user = other(fs, "eve")
    path = "lab/f" if who == "group" else "f"
    for bits in range(8):
        fs.wstat(fid, Stat(mode=bits << shift))
        if GRANTS[mode] & ~bits == 0:
            user.clunk(user.open(path, mode))
        else:
            refuse("permission denied", user.open, path, mode)


def test_open_none(fs: Client) -> None:
    """The user none has no rights but everybody's."""
    none = other(fs, "none")
    none.put("f", b"x", 0o600)
    refuse("permission denied", none.get, "f")


def test_open_twice(fs: Client) -> None:
    """An open fid cannot be opened again, nor created from."""
    fs.mkdir("d")
    fid = fs.open("d")
    refuse("open", fs.topen, fid)
    refuse("open", fs.tcreate, fid, "x")
    assert fs.names("d") == []


@pytest.mark.parametrize(
    "mode", [OWRITE, ORDWR, OEXEC, OTRUNC, ORCLOSE, OWRITE | OTRUNC]
)
def test_open_directory(fs: Client, mode: int) -> None:
    """A directory is only opened for reading."""
    fs.mkdir("d")
    refuse("directory", fs.open, "d", mode)
    fs.clunk(fs.open("d"))


@pytest.mark.parametrize("mode", [4, 8, 0x80])
def test_open_bad_bits(fs: Client, mode: int) -> None:
    """Mode bits that open(5) does not know are refused."""
    fs.put("f", b"x")
    refuse("mode", fs.open, "f", mode)


def test_open_truncates(fs: Client) -> None:
    """OTRUNC empties the file and makes a new version."""
    fs.put("f", b"data")
    before = fs.stat(fs.walk("f")).qid
    after = fs.topen(fs.walk("f"), OWRITE | OTRUNC).qid
    assert after.path == before.path and after.vers != before.vers
    assert fs.get("f") == b""


def test_open_append_not_truncated(fs: Client) -> None:
    """An append-only file stays as it is under OTRUNC."""
    fs.put("log", b"one", DMAPPEND | 0o666)
    fs.clunk(fs.open("log", OWRITE | OTRUNC))
    assert fs.get("log") == b"one"


def test_open_rclose(fs: Client) -> None:
    """ORCLOSE removes the file at clunk, and not before."""
    fs.put("f", b"x")
    fid = fs.open("f", OREAD | ORCLOSE)
    assert fs.exists("f")
    fs.clunk(fid)
    assert not fs.exists("f")


def test_open_rclose_permission(fs: Client) -> None:
    """ORCLOSE needs write permission in the directory."""
    fs.mkdir("d", 0o755)
    fs.put("d/f", b"x", 0o666)
    eve = other(fs, "eve")
    refuse("permission denied", eve.open, "d/f", OREAD | ORCLOSE)
    eve.clunk(eve.open("d/f", OREAD))


def test_open_exclusive(fs: Client) -> None:
    """An exclusive-use file is open once at a time."""
    fid = fs.create("lock", DMEXCL | 0o666)
    refuse("exclusive", fs.open, "lock")
    second = fs.walk("lock")
    fs.clunk(fid)
    assert fs.topen(second).qid.type == QTEXCL
    refuse("exclusive", fs.open, "lock")


def test_open_iounit(fs: Client) -> None:
    """iounit is 0 or fits into a message."""
    fs.version(8192)
    fs.attach()
    fid = fs.walk()
    assert fs.tcreate(fid, "f").iounit <= 8192 - 24
    assert fs.topen(fs.walk("f")).iounit <= 8192 - 24


# ---- create ----


def test_create_opens(fs: Client) -> None:
    """The fid moves to the new file, open; the qid says which."""
    fid = fs.walk()
    reply = fs.tcreate(fid, "f", 0o640, ORDWR)
    stat = fs.stat(fid)
    assert stat.qid == reply.qid and stat.name == "f" and stat.length == 0
    assert (stat.uid, stat.muid, stat.mode) == ("glenda", "glenda", 0o640)
    assert fs.write(fid, b"abc") == 3
    assert fs.read(fid) == b"abc"


@pytest.mark.parametrize("dirmode", [0o777, 0o755, 0o700, 0o311, 0o2 | 0o711])
def test_create_masks(fs: Client, dirmode: int) -> None:
    """open(5): perm & (~0666 | dir & 0666), for directories 0777."""
    fs.mkdir("d")
    fs.wstat(fs.walk("d"), Stat(mode=DMDIR | dirmode))
    for perm in (0o777, 0o666, 0o123):
        fid = fs.create(f"d/f{perm:o}", perm)
        assert fs.stat(fid).mode == perm & (~0o666 | dirmode & 0o666)
        fid = fs.create(f"d/d{perm:o}", DMDIR | perm)
        assert fs.stat(fid).mode == DMDIR | perm & (~0o777 | dirmode & 0o777)


def test_create_group(fs: Client) -> None:
    """The owner is the user, the group the directory's."""
    lab = other(fs, "lab")
    lab.mkdir("lab")
    lab.wstat(lab.walk("lab"), Stat(gid="lab"))
    stat = fs.stat(fs.create("lab/f"))
    assert (stat.uid, stat.gid) == ("glenda", "lab")


def test_create_exists(fs: Client) -> None:
    """An existing name is refused, and the file not touched."""
    fs.put("f", b"x")
    fid = fs.walk()
    refuse("file already exists", fs.tcreate, fid, "f")
    assert fs.stat(fid).name == "/" and fs.get("f") == b"x"


@pytest.mark.parametrize("name", [".", "..", "n" * 256, "n" * 5000])
def test_create_bad_name(fs: Client, name: str) -> None:
    """The names . and .. and very long ones are refused."""
    refuse("", fs.tcreate, fs.walk(), name)
    assert fs.names() == []


def test_create_permission(fs: Client) -> None:
    """The directory must be writable; what it makes need not be."""
    fs.mkdir("d", 0o755)
    eve = other(fs, "eve")
    refuse("permission denied", eve.create, "d/f")
    fid = fs.create("d/f", 0o000, ORDWR)
    assert fs.write(fid, b"still") == 5
    refuse("permission denied", fs.open, "d/f")


def test_create_in_file(fs: Client) -> None:
    """A file is not a directory to create in."""
    fs.put("f", b"")
    refuse("not a directory", fs.tcreate, fs.walk("f"), "x")


@pytest.mark.parametrize("mode", [OWRITE, ORDWR, OTRUNC])
def test_create_directory_mode(fs: Client, mode: int) -> None:
    """A directory is only created for reading."""
    refuse("directory", fs.create, "d", DMDIR | 0o777, mode)
    assert fs.names() == []


def test_create_kinds(fs: Client) -> None:
    """The special bits show in the mode and in the qid."""
    for name, bit in (("a", DMAPPEND), ("e", DMEXCL), ("t", DMTMP)):
        stat = fs.stat(fs.create(name, bit | 0o600))
        assert stat.mode == bit | 0o600 and stat.qid.type == bit >> 24
    assert QTAPPEND | QTEXCL == (DMAPPEND | DMEXCL) >> 24
    refuse("", fs.create, "auth", 1 << 27 | 0o600)


def test_create_rclose(fs: Client) -> None:
    """A file created with ORCLOSE goes with its fid."""
    fs.clunk(fs.create("f", mode=ORDWR | ORCLOSE))
    assert fs.names() == []


# ---- read and write ----


def test_read_whole(fs: Client) -> None:
    """What was written is read, in any pieces and order."""
    rng = random.Random(3)
    model = bytearray(200000)
    fid = fs.create("f")
    fs.write(fid, b"\0", len(model) - 1)
    for _ in range(300):
        at, n = rng.randrange(len(model)), rng.randrange(1, 9000)
        data = rng.randbytes(min(n, len(model) - at))
        assert fs.write(fid, data, at) == len(data)
        model[at : at + len(data)] = data
    for _ in range(300):
        at, n = rng.randrange(len(model)), rng.randrange(1, 9000)
        assert fs.read(fid, at, n) == bytes(model[at : at + n])
    assert fs.get("f") == bytes(model)


def test_read_past_end(fs: Client) -> None:
    """Beyond the end there are no bytes, and that is not an error."""
    fs.put("f", b"12345")
    fid = fs.open("f")
    assert fs.read(fid, 3, 100) == b"45"
    assert fs.read(fid, 5, 100) == b"" and fs.read(fid, 1 << 62, 100) == b""
    assert fs.read(fid, 2, 0) == b""


@pytest.mark.parametrize(
    "offset", [1 << 63, (1 << 63) - 1, (1 << 64) - 1, (1 << 64) - 8]
)
def test_offset_wraps(fs: Client, offset: int) -> None:
    """Offsets whose sum with the count passes 2^63 are errors."""
    fid = fs.create("f")
    refuse("offset", fs.read, fid, offset, 8)
    refuse("offset", fs.write, fid, b"12345678", offset)
    assert fs.stat(fid).length == 0


@pytest.mark.parametrize("count", [65535, 65536 - 11, 1 << 31, 0xFFFFFFFF])
def test_read_count_cut(fs: Client, count: int) -> None:
    """A count that msize cannot carry is cut, for files and directories."""
    fs.put("f", b"x" * 100000)
    fid = fs.open("f")
    data = fs.read(fid, 0, count)
    assert fs.msize - 24 <= len(data) <= fs.msize - 11
    for n in range(1000):
        fs.clunk(fs.create(f"file-with-a-longer-name-{n}"))
    listed = fs.read(fs.open(""), 0, count)
    assert 0 < len(listed) <= fs.msize - 11
    p9.entries(listed)


def test_write_gap(fs: Client) -> None:
    """What lies between the end and a write reads as zeros."""
    fs.put("f", b"a" * 10)
    fid = fs.open("f", ORDWR)
    fs.wstat(fid, Stat(length=2))
    fs.write(fid, b"z", 20)
    assert fs.get("f") == b"aa" + bytes(18) + b"z"


def test_write_nothing(fs: Client) -> None:
    """A write of no bytes changes nothing, not even the version."""
    fid = fs.create("f")
    before = fs.stat(fid)
    assert fs.write(fid, b"", 1000) == 0
    assert fs.stat(fid) == before


def test_write_append(fs: Client) -> None:
    """Writes to an append-only file go to its end, whatever the offset."""
    fid = fs.create("log", DMAPPEND | 0o666)
    again = fs.open("log", OWRITE)
    fs.write(fid, b"one ", 0)
    fs.write(again, b"two ", 1 << 40)
    fs.write(fid, b"three", 2)
    assert fs.get("log") == b"one two three"


def test_version_of_qid(fs: Client) -> None:
    """qid.vers changes with content, qid.path never."""
    fid = fs.create("f")
    seen = {fs.stat(fid).qid}
    for n in range(5):
        fs.write(fid, b"x", n)
        seen.add(fs.stat(fid).qid)
    fs.wstat(fid, Stat(length=1))
    seen.add(fs.stat(fid).qid)
    assert len(seen) == 7 and len({qid.path for qid in seen}) == 1
    assert fs.stat(fid).muid == "glenda"


def test_io_wrong_fid(fs: Client) -> None:
    """A fid not open, or opened the other way, neither reads nor writes."""
    fs.put("f", b"data")
    shut = fs.walk("f")
    refuse("bad use of fid", fs.read, shut)
    refuse("bad use of fid", fs.write, shut, b"x")
    refuse("bad use of fid", fs.write, fs.open("f", OREAD), b"x")
    refuse("bad use of fid", fs.read, fs.open("f", OWRITE))
    refuse("", fs.write, fs.open(""), b"x")
    refuse("unknown fid", fs.read, 4242)
    refuse("unknown fid", fs.write, 4242, b"x")
    assert fs.get("f") == b"data"


def test_exec_reads(fs: Client) -> None:
    """OEXEC reads and does not write."""
    fs.put("f", b"#!", 0o777)
    fid = fs.open("f", OEXEC)
    assert fs.read(fid) == b"#!"
    refuse("bad use of fid", fs.write, fid, b"x")


# ---- directories ----


def test_directory_reads(fs: Client) -> None:
    """Whole entries only, each once, equal to what Tstat says."""
    want = [f"name{n}" for n in range(200)]
    for name in want:
        fs.put(name, name.encode())
    for count in (100, 500, 8192):
        found = fs.ls("", count)
        assert [entry.name for entry in found] == want
    assert found[7] == fs.stat(fs.walk("name7"))


def test_directory_small_count(fs: Client) -> None:
    """A count too small for one entry is an error, and loses none."""
    fs.put("file-with-a-name", b"")
    fid = fs.open("")
    refuse("", fs.read, fid, 0, 20)
    assert [e.name for e in p9.entries(fs.read(fid, 0))] == ["file-with-a-name"]


def test_directory_as_linux(fs: Client) -> None:
    """Where the next entry does not fit into the count left, 0 bytes come."""
    want = [f"directory-{n}" for n in range(175)]
    for name in want:
        fs.mkdir(name)
    fs.version(8192)
    fs.attach()
    assert [entry.name for entry in fs.ls_as_linux()] == want
    fid = fs.open("")
    first = fs.read(fid, 0, 200)
    assert fs.read(fid, len(first), 20) == b"" == fs.read(fid, len(first), 0)
    assert fs.read(fid, len(first), 200) != b""


def test_directory_message_too_small(fs: Client) -> None:
    """An entry that no message of the session could hold is an error."""
    fs.clunk(fs.create("short"))
    fs.clunk(fs.create("n" * 250))
    fs.version(256)
    fs.attach()
    fid = fs.open("")
    first = fs.read(fid, 0, 232)
    assert [e.name for e in p9.entries(first)] == ["short"]
    assert fs.read(fid, len(first), 232 - len(first)) == b""
    refuse("does not fit", fs.read, fid, len(first), 232)


def test_directory_offset(fs: Client) -> None:
    """A directory is read on from the last read, or from the start again."""
    for n in range(10):
        fs.clunk(fs.create(f"f{n}"))
    fid = fs.open("")
    first = fs.read(fid, 0, 200)
    for offset in (1, len(first) - 1, len(first) + 1, 1 << 40):
        refuse("directory", fs.read, fid, offset, 200)
    second = fs.read(fid, len(first), 200)
    assert fs.read(fid, 0, 200) == first
    assert fs.read(fid, len(first), 200) == second != first


def test_directory_of_two(fs: Client) -> None:
    """Two fids read one directory independently."""
    for n in range(20):
        fs.clunk(fs.create(f"f{n}"))
    one, two = fs.open(""), fs.open("")
    a = fs.read(one, 0, 300)
    assert fs.read(two, 0, 300) == a
    b = fs.read(one, len(a), 300)
    assert fs.read(two, len(a), 300) == b


def test_directory_emptied(fs: Client) -> None:
    """A directory may be read while what was read is removed."""
    want = {f"f{n}" for n in range(100)}
    for name in want:
        fs.clunk(fs.create(name))
    fid, at, seen = fs.open(""), 0, set()
    while piece := fs.read(fid, at, 400):
        at += len(piece)
        for entry in p9.entries(piece):
            seen.add(entry.name)
            fs.remove(fs.walk(entry.name))
    assert seen == want and fs.names() == []


def test_directory_grows(fs: Client) -> None:
    """A file made behind the reader still comes."""
    fs.clunk(fs.create("a"))
    fid = fs.open("")
    piece = fs.read(fid, 0)
    fs.clunk(fs.create("b"))
    assert [e.name for e in p9.entries(fs.read(fid, len(piece)))] == ["b"]


def test_directory_empty(fs: Client) -> None:
    """An empty directory has no bytes."""
    assert fs.read(fs.open(""), 0, 10) == b""


# ---- stat and wstat ----


def test_wstat_rename(fs: Client) -> None:
    """A new name: found by it, not by the old; same qid.path."""
    fs.put("old", b"x")
    fid = fs.walk("old")
    qid = fs.stat(fid).qid
    fs.wstat(fid, Stat(name="new"))
    assert not fs.exists("old") and fs.get("new") == b"x"
    assert fs.stat(fid).name == "new" and fs.stat(fid).qid == qid
    assert fs.names() == ["new"]


def test_wstat_rename_clash(fs: Client) -> None:
    """A name in use is refused; its own is not."""
    fs.put("a", b"1")
    fs.put("b", b"2")
    refuse("exists", fs.wstat, fs.walk("a"), Stat(name="b"))
    fs.wstat(fs.walk("a"), Stat(name="a"))
    assert fs.get("a") == b"1" and fs.get("b") == b"2"


@pytest.mark.parametrize("name", ["a\nb", "\x01", "\x7f", "a\u0085"], ids=ascii)
def test_control_characters(fs: Client, name: str) -> None:
    """No file gets a name with a control character: intro(5)."""
    fs.put("f", b"")
    refuse("Invalid argument", fs.create, name)
    refuse("Invalid argument", fs.walk, name)
    refuse("Invalid argument", fs.wstat, fs.walk("f"), Stat(name=name))
    assert fs.names() == ["f"]


@pytest.mark.parametrize("name", [".", "..", "a/b", "n" * 256])
def test_wstat_rename_bad(fs: Client, name: str) -> None:
    """A name that Tcreate would refuse is refused here too."""
    fs.put("f", b"")
    refuse("", fs.wstat, fs.walk("f"), Stat(name=name))
    assert fs.names() == ["f"]


def test_wstat_rename_permission(fs: Client) -> None:
    """Renaming needs write permission in the directory; the root stays."""
    fs.mkdir("d", 0o755)
    fs.put("d/f", b"")
    eve = other(fs, "eve")
    refuse("permission denied", eve.wstat, eve.walk("d/f"), Stat(name="g"))
    refuse("permission denied", fs.wstat, fs.root, Stat(name="root"))


def test_wstat_length(fs: Client) -> None:
    """Length cuts and grows, and needs write permission."""
    fs.put("f", b"abcdef", 0o644)
    fid = fs.walk("f")
    fs.wstat(fid, Stat(length=3))
    assert fs.get("f") == b"abc"
    fs.wstat(fid, Stat(length=5))
    assert fs.get("f") == b"abc\0\0"
    eve = other(fs, "eve")
    refuse("permission denied", eve.wstat, eve.walk("f"), Stat(length=0))


def test_wstat_length_extremes(fs: Client) -> None:
    """Impossible lengths are errors; a directory's is 0."""
    fs.put("f", b"abc")
    fid = fs.walk("f")
    for length in (1 << 63, (1 << 64) - 2, 1 << 62, 1 << 40):
        refuse("", fs.wstat, fid, Stat(length=length))
    assert fs.get("f") == b"abc"
    fs.mkdir("d")
    refuse("directory", fs.wstat, fs.walk("d"), Stat(length=1))
    fs.wstat(fs.walk("d"), Stat(length=0))


def test_wstat_mode(fs: Client) -> None:
    """Mode and mtime are the owner's to change."""
    fs.put("f", b"")
    fid = fs.walk("f")
    fs.wstat(fid, Stat(mode=0o600, mtime=1234))
    assert (fs.stat(fid).mode, fs.stat(fid).mtime) == (0o600, 1234)
    eve = other(fs, "eve")
    refuse("permission denied", eve.wstat, eve.walk("f"), Stat(mode=0o666))
    refuse("permission denied", eve.wstat, eve.walk("f"), Stat(mtime=1))
    fs.wstat(fid, Stat(mode=DMAPPEND | 0o600))
    assert fs.stat(fid).qid.type == QTAPPEND


def test_wstat_times(fs: Client) -> None:
    """The owner sets both times, as Linux's touch and cp -p do; others none."""
    fs.put("f", b"")
    fid = fs.walk("f")
    fs.wstat(fid, Stat(atime=1111, mtime=2222))
    assert (fs.stat(fid).atime, fs.stat(fid).mtime) == (1111, 2222)
    eve = other(fs, "eve")
    refuse("permission denied", eve.wstat, eve.walk("f"), Stat(atime=7))
    refuse("permission denied", eve.wstat, eve.walk("f"), Stat(atime=7, mtime=7))
    assert (fs.stat(fid).atime, fs.stat(fid).mtime) == (1111, 2222)


def test_wstat_dmdir(fs: Client) -> None:
    """A file never becomes a directory, nor the other way."""
    fs.put("f", b"")
    fs.mkdir("d")
    refuse("", fs.wstat, fs.walk("f"), Stat(mode=DMDIR | 0o666))
    refuse("", fs.wstat, fs.walk("d"), Stat(mode=0o777))
    assert fs.stat(fs.walk("d")).mode == DMDIR | 0o777


def test_wstat_gid(fs: Client) -> None:
    """A group is changed by the owner, to one it is in."""
    fs.put("f", b"")
    fid = fs.walk("f")
    refuse("permission denied", fs.wstat, fid, Stat(gid="eve"))
    fs.wstat(fid, Stat(gid="glenda"))
    assert fs.stat(fid).gid == "glenda"
    eve = other(fs, "eve")
    refuse("permission denied", eve.wstat, eve.walk("f"), Stat(gid="eve"))


@pytest.mark.parametrize(
    "change",
    [
        {"type": 7},
        {"dev": 7},
        {"uid": "eve"},
        {"muid": "eve"},
        {"qid": Qid(0xFF, 0xFFFFFFFF, 77)},
        {"qid": Qid(0xFF, 77, (1 << 64) - 1)},
        {"qid": Qid(1, 0xFFFFFFFF, (1 << 64) - 1)},
    ],
    ids=str,
)
def test_wstat_never(fs: Client, change: dict[str, object]) -> None:
    """type, dev, qid, uid and muid cannot be changed."""
    fs.put("f", b"x")
    before = fs.stat(fs.walk("f"))
    refuse("", fs.wstat, fs.walk("f"), Stat(**change))  # type: ignore[arg-type]
    assert fs.stat(fs.walk("f")) == before


@pytest.mark.parametrize(
    "bad",
    [
        {"uid": "eve"},
        {"name": "taken"},
        {"length": 1 << 50},
        {"mode": DMDIR | 0o777},
        {"gid": "eve"},
    ],
    ids=str,
)
def test_wstat_all_or_nothing(fs: Client, bad: dict[str, object]) -> None:
    """One field that is refused: no other is changed."""
    fs.put("taken", b"")
    fs.put("f", b"data")
    before = fs.stat(fs.walk("f"))
    good = {"name": "g", "length": 2, "mode": 0o600, "mtime": 99, "gid": "glenda"}
    refuse("", fs.wstat, fs.walk("f"), Stat(**{**good, **bad}))  # type: ignore[arg-type]
    assert fs.stat(fs.walk("f")) == before and fs.get("f") == b"data"
    fs.wstat(fs.walk("f"), Stat(**good))  # type: ignore[arg-type]
    assert fs.get("g") == b"da"


def test_wstat_sync(fs: Client) -> None:
    """Nothing but "don't touch" is permitted to anyone and changes nothing."""
    fs.put("f", b"x", 0o600)
    before = fs.stat(fs.walk("f"))
    eve = other(fs, "eve")
    eve.wstat(eve.walk("f"), Stat())
    assert fs.stat(fs.walk("f")) == before


def test_wstat_as_read(fs: Client) -> None:
    """A whole entry as Tstat gave it, with another name, is a rename."""
    fs.put("f", b"x")
    stat = fs.stat(fs.walk("f"))
    stat.name = "g"
    fs.wstat(fs.walk("f"), stat)
    assert fs.names() == ["g"]


def test_wstat_sizes(fs: Client) -> None:
    """Both size fields of a Twstat must fit."""
    fid = fs.walk()
    packed = Stat().pack()
    for outer, inner in ((0, 0), (-1, 0), (1, 0), (0, -1), (0, 1), (-1, -1), (1, 1)):
        body = struct.pack("<IH", fid, len(packed) + outer)
        body += struct.pack("<H", len(packed) - 2 + inner) + packed[2:]
        if (outer, inner) == (0, 0):
            fs.rpc("wstat", body)
        else:
            refuse("", fs.rpc, "wstat", body)


# ---- clunk, remove ----


def test_clunk(fs: Client) -> None:
    """The fid is free for another file; a second clunk is an error."""
    fid = fs.walk()
    fs.clunk(fid)
    refuse("unknown fid", fs.clunk, fid)
    fs.twalk(fs.root, fid)


def test_remove(fs: Client) -> None:
    """The file is gone, and so is the fid."""
    fs.put("f", b"x")
    fid = fs.walk("f")
    fs.remove(fid)
    assert not fs.exists("f")
    refuse("unknown fid", fs.stat, fid)


def test_remove_refused_clunks(fs: Client) -> None:
    """The fid is clunked also when the file stays."""
    fs.mkdir("d", 0o755)
    fs.mkdir("d/e")
    fs.put("d/e/f", b"")
    eve = other(fs, "eve")
    for client, path, why in (
        (eve, "d/e", "permission denied"),
        (fs, "d/e", "not empty"),
        (fs, "", "permission denied"),
    ):
        fid = client.walk(path)
        refuse(why, client.remove, fid)
        refuse("unknown fid", client.stat, fid)
    assert fs.names("d/e") == ["f"]


def test_removed_file(fs: Client) -> None:
    """A removed file has no name, but lives until its last fid is clunked."""
    fs.put("f", b"data")
    shut, reads, writes = fs.walk("f"), fs.open("f"), fs.open("f", OWRITE)
    also = fs.walk("f")
    qid = fs.stat(shut).qid
    fs.remove(fs.walk("f"))
    assert not fs.exists("f") and fs.names() == []
    assert fs.read(reads) == b"data"
    assert fs.write(writes, b"more", 4) == 4
    fs.topen(shut, ORDWR | OTRUNC)
    assert fs.read(reads) == b""
    fs.write(shut, b"new")
    fs.wstat(shut, Stat(length=2))
    fs.put("f", b"another")
    assert fs.read(reads) == b"ne"
    assert fs.stat(reads).length == 2 and fs.stat(reads).qid.path == qid.path
    gone = "file does not exist"
    refuse(gone, fs.wstat, reads, Stat(name="back"))
    refuse(gone, fs.topen, also, OREAD | ORCLOSE)
    refuse(gone, fs.remove, writes)
    for fid in (shut, reads, also):
        fs.clunk(fid)
    assert fs.get("f") == b"another"


def test_removed_file_pays(start: Start) -> None:
    """The memory of a removed file is free when its last fid is clunked."""
    fs = start("ramfs", "-k", "256")
    fs.version()
    fs.attach()
    fid = fs.create("big")
    for at in range(0, 120_000, 10_000):
        fs.write(fid, b"x" * 10_000, at)
    fs.remove(fs.walk("big"))
    refuse("full", fs.put, "second", b"y" * 120_000)
    fs.clunk(fid)
    fs.put("third", b"z" * 120_000)
    assert fs.get("third") == b"z" * 120_000


def test_removed_directory(fs: Client) -> None:
    """A removed directory is empty, and one neither walks nor creates there."""
    fs.mkdir("d")
    shut, reads = fs.walk("d"), fs.open("d")
    fs.remove(fs.walk("d"))
    refuse("does not exist", fs.twalk, shut, 900, "..")
    refuse("does not exist", fs.twalk, shut, 900, "x")
    refuse("does not exist", fs.tcreate, shut, "x")
    assert fs.read(reads) == b""
    fs.twalk(shut, 900)


def test_qid_path_never_again(fs: Client) -> None:
    """A removed file's qid.path is not given to another."""
    seen = set()
    for _ in range(200):
        fid = fs.create("f")
        path = fs.stat(fid).qid.path
        assert path not in seen
        seen.add(path)
        fs.remove(fid)


def test_remove_then_rclose(fs: Client) -> None:
    """A file removed by hand is not removed again, nor its successor."""
    fid = fs.create("f", mode=ORDWR | ORCLOSE)
    fs.remove(fs.walk("f"))
    fs.put("f", b"new")
    fs.clunk(fid)
    assert fs.get("f") == b"new"


# ---- flush and tags ----


def test_flush_unknown(fs: Client) -> None:
    """Flushing what is unknown, finished or oneself is answered at once."""
    assert fs.flush(4000).kind == "Rflush"
    tag = fs.ask("stat", struct.pack("<I", fs.root))
    fs.reply()
    assert fs.flush(tag).kind == "Rflush"
    assert fs.rpc("flush", struct.pack("<H", 77), 77).tag == 77


def test_tags_again(fs: Client) -> None:
    """A tag may be used again right after its answer; any number will do."""
    for tag in [0, 1, 0xFFFE, 0xFFFE, 7, 7, 7]:
        assert fs.rpc("stat", struct.pack("<I", fs.root), tag).tag == tag


# ---- requests in flight: grade/host/slow.c ----


@pytest.fixture
def slow(start: Start) -> Iterator[Client]:
    """A server whose reads of `wait` wait for a byte written to `go`."""
    client = start("slow")
    client.version()
    client.attach()
    yield client


def wait_read(slow: Client, fid: int, tag: int) -> int:
    """Ask for a read that will wait; its tag."""
    return slow.ask("read", struct.pack("<IQI", fid, 0, 100), tag)


def go(slow: Client, fid: int, count: int = 1) -> None:
    """Let so many waiting reads go, and do not wait for the answer."""
    slow.ask("write", struct.pack("<IQI", fid, 0, count) + b"g" * count, 999)


def test_blocked_blocks_nothing(slow: Client) -> None:
    """A read that waits keeps neither its own fid's nor other requests."""
    wait, writer = slow.open("wait"), slow.open("go", OWRITE)
    wait_read(slow, wait, 700)
    for _ in range(50):
        assert slow.read(slow.open("fast")) == b"data"
        assert slow.stat(wait).name == "wait"
    assert slow.silent(0.05)
    go(slow, writer)
    assert {slow.reply().tag, slow.reply().tag} == {700, 999}


def test_answers_in_any_order(slow: Client) -> None:
    """Many waiting reads, each answered once."""
    wait, writer = slow.open("wait"), slow.open("go", OWRITE)
    for tag in range(500, 540):
        wait_read(slow, wait, tag)
    assert slow.silent(0.05)
    go(slow, writer, 40)
    tags = [slow.reply().tag for _ in range(41)]
    assert sorted(tags) == [*range(500, 540), 999]


def test_flush_pending(slow: Client) -> None:
    """A flushed request: its answer and then Rflush, or Rflush alone."""
    wait = slow.open("wait")
    for tag in range(100, 150):
        wait_read(slow, wait, tag)
        slow.ask("flush", struct.pack("<H", tag), 600)
        reply = slow.reply()
        if reply.tag == tag:
            assert reply.kind == "Rerror" and reply.ename == "Interrupted system call"
            reply = slow.reply()
        assert (reply.kind, reply.tag) == ("Rflush", 600)
    assert slow.silent(0.05)


def test_flush_race(slow: Client) -> None:
    """Flush and answer meet at any moment: never the answer after Rflush."""
    for n in range(100):
        wait, writer = slow.open("wait"), slow.open("go", OWRITE)
        wait_read(slow, wait, 700)
        go(slow, writer)
        time.sleep(n * 0.0001)
        slow.ask("flush", struct.pack("<H", 700), 701)
        order: list[int] = []
        while 701 not in order or 999 not in order:
            order.append(slow.reply().tag)
        assert order.index(700) < order.index(701)
        if slow.version().msize:  # a byte may be left in go
            slow.attach()
    assert slow.silent(0.05)


def test_flush_in_order(slow: Client) -> None:
    """Several flushes of one request are answered in order, also a flush's."""
    slow.ask("open", struct.pack("<IB", slow.walk("open"), 0), 700)
    time.sleep(0.05)
    for tag in (801, 802, 803):
        slow.ask("flush", struct.pack("<H", 700), tag)
    slow.ask("flush", struct.pack("<H", 802), 804)
    assert slow.silent(0.05)
    writer = slow.walk("go")
    slow.topen(writer, OWRITE)
    go(slow, writer)
    tags = [slow.reply().tag for _ in range(6)]
    tags.remove(999)
    assert tags[0] == 700
    assert [tag for tag in tags if tag in (801, 802, 803)] == [801, 802, 803]
    assert tags.index(804) > tags.index(802)


def test_tag_in_use(slow: Client) -> None:
    """A tag that still waits for its answer cannot be used again."""
    wait, writer = slow.open("wait"), slow.open("go", OWRITE)
    wait_read(slow, wait, 700)
    refuse("tag in use", slow.rpc, "stat", struct.pack("<I", wait), 700)
    go(slow, writer)
    assert {slow.reply().tag, slow.reply().tag} == {700, 999}
    assert slow.rpc("stat", struct.pack("<I", wait), 700).tag == 700


def test_version_drops_pending(slow: Client) -> None:
    """A new session: what waited in the old one is never answered."""
    wait = slow.open("wait")
    for tag in range(500, 520):
        wait_read(slow, wait, tag)
    slow.ask("flush", struct.pack("<H", 500), 600)
    slow.ask("version", struct.pack("<I", 8192) + p9.s("9P2000"), NOTAG)
    seen = [slow.reply()]
    while seen[-1].kind != "Rversion":
        seen.append(slow.reply())
    assert slow.silent(0.05)
    slow.attach(fid=1)
    assert slow.rpc("stat", struct.pack("<I", 1), 501).tag == 501


def test_clunk_while_waiting(slow: Client) -> None:
    """A fid may be clunked while a read on it waits; the number is free."""
    wait, writer = slow.open("wait"), slow.open("go", OWRITE)
    wait_read(slow, wait, 700)
    time.sleep(0.05)
    slow.clunk(wait)
    slow.twalk(slow.root, wait, "fast")
    go(slow, writer)
    assert {slow.reply().tag, slow.reply().tag} == {700, 999}
    assert slow.stat(wait).name == "fast"


def test_busy_fid(slow: Client) -> None:
    """While a fid is being opened nothing else is done with it."""
    fid, writer = slow.walk("open"), slow.open("go", OWRITE)
    slow.ask("open", struct.pack("<IB", fid, 0), 700)
    time.sleep(0.05)
    refuse("busy", slow.stat, fid)
    refuse("busy", slow.topen, fid)
    refuse("busy", slow.twalk, fid, fid)
    go(slow, writer)
    assert {slow.reply().tag, slow.reply().tag} == {700, 999}
    assert slow.stat(fid).name == "open"


def test_too_many_requests(start: Start) -> None:
    """More requests at a time than the server takes: an error, no hang."""
    slow = start("slow", "-p", "8")
    slow.version()
    slow.attach()
    wait = slow.open("wait")
    for tag in range(500, 520):
        wait_read(slow, wait, tag)
    refused = [slow.reply() for _ in range(12)]
    assert {reply.tag for reply in refused} == set(range(508, 520))
    assert {reply.ename for reply in refused} == {"too many requests"}
    for tag in range(500, 508):
        slow.ask("flush", struct.pack("<H", tag), tag + 100)
    tags = {slow.reply().tag for _ in range(16)}
    assert tags == {*range(500, 508), *range(600, 608)}


def test_hangup_while_waiting(slow: Client) -> None:
    """The client leaves while its requests wait: the server ends."""
    wait = slow.open("wait")
    for tag in range(500, 520):
        wait_read(slow, wait, tag)
    time.sleep(0.02)


def test_client_that_does_not_read(start: Start) -> None:
    """A client that takes no answers stalls itself and can go on later."""
    fs = start()
    fs.version()
    fs.attach()
    fs.put("f", b"x" * 60000)
    fid = fs.open("f")
    read = [p9.frame(116, n, struct.pack("<IQI", fid, 0, 60000)) for n in range(200)]
    fs.send(b"".join(read))
    time.sleep(0.2)
    assert [len(fs.reply().data) for _ in range(200)] == [60000] * 200


# ---- limits ----


def test_memory_limit(start: Start) -> None:
    """A full ramfs says so, loses nothing, and removing makes room."""
    fs = start("ramfs", "-k", "256")
    fs.version()
    fs.attach()
    fid, at = fs.create("big"), 0
    with pytest.raises(Error9, match="full"):
        while True:
            at += fs.write(fid, bytes(range(256)) * 16, at)
    assert 100_000 < at < 256 * 1024
    assert fs.get("big") == (bytes(range(256)) * 1024)[:at]
    with pytest.raises(Error9, match="full"):
        for n in range(10000):
            fs.clunk(fs.create(f"file{n}"))
    fs.remove(fid)
    assert len(fs.names()) > 0
    fs.put("again", b"x" * 50000)
    assert len(fs.get("again")) == 50000


def test_memory_returns(start: Start) -> None:
    """What is removed can be used again, any number of times."""
    fs = start("ramfs", "-k", "100")
    fs.version()
    fs.attach()
    for n in range(50):
        fs.put(f"f{n}", b"x" * 60000)
        fid = fs.walk(f"f{n}")
        fs.wstat(fid, Stat(name="other"))
        fs.remove(fid)
    for n in range(50):
        fs.clunk(fs.create("f", mode=ORDWR | ORCLOSE))


def test_many_fids(fs: Client) -> None:
    """100,000 fids, and the last is as good as the first."""
    count, step = 100_000, 5000
    for begin in range(0, count, step):
        fs.send(
            b"".join(
                p9.frame(110, n % 60000, struct.pack("<IIH", fs.root, 1000 + n, 0))
                for n in range(begin, begin + step)
            )
        )
        for _ in range(step):
            assert fs.reply().kind == "Rwalk"
    assert fs.stat(1000).qid == fs.stat(1000 + count - 1).qid


def test_msize_smallest(raw: Client) -> None:
    """At the smallest message size everything still works, in small pieces."""
    raw.version(256)
    raw.attach()
    raw.mkdir("d")
    raw.put("d/f", bytes(range(256)) * 20)
    assert raw.get("d/f") == bytes(range(256)) * 20
    raw.clunk(raw.create("n" * 150))
    assert sorted(e.name for e in raw.ls("", 245)) == ["d", "n" * 150]
    raw.wstat(raw.walk("d/f"), Stat(name="g"))


def test_stat_too_large(raw: Client) -> None:
    """An entry that msize cannot carry is an error, not a broken message."""
    raw.version()
    raw.attach()
    raw.clunk(raw.create("n" * 250))
    raw.version(256)
    raw.attach(fid=1)
    refuse("", raw.read, raw.open(""), 0, 245)


def test_client_leaves(start: Start) -> None:
    """A client that leaves in the middle of a message, with fids open."""
    fs = start()
    fs.version()
    fs.attach()
    fs.create("a", mode=ORDWR | ORCLOSE)
    fs.open("")
    fs.send(p9.frame(118, 1, b"x" * 100)[:50])
