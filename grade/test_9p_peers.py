"""Lux9 and others: its name space for a client outside, a host's files in it.

The clients are grade/p9.py, which shares no code with Lux9, and Linux's
kernel, the one published client of plain 9P2000 that Debian has: in a guest,
by TCP, with the command that the README shows.  The server
of the host's files is diod, Debian's server of 9P2000.L.
"""

from __future__ import annotations

import random
import re
import shutil
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Callable

import pytest

from grade import p9
from grade.harness import Machine, Variant
from grade.harness.build import ROOT
from grade.harness.linux import linux
from grade.harness.serve import COM2, COM3, PROMPT, machine_with_port, serving
from grade.p9 import DMDIR, ORCLOSE, ORDWR, OTRUNC, OWRITE, Client, Error9, Stat
from grade.test_9p_host import refuse, servers

__all__ = ["servers"]  # a fixture of that file, used here too
DIOD = shutil.which("diod") or shutil.which("/usr/sbin/diod")
HAS_SERVERS = (ROOT / "user/servers").exists()
needs_diod = pytest.mark.skipif(DIOD is None, reason="diod is not installed")

pytestmark = pytest.mark.skipif(not HAS_SERVERS, reason="no stage 4 in this tree")


@pytest.fixture(scope="module")
def variant(build: Callable[..., Variant]) -> Variant:
    """Stage 4 as users build it."""
    return build(Variant(stage=4, ktest=False))


def diod(directory: Path, sock: socket.socket) -> subprocess.Popen[bytes]:
    """diod, serving the directory to the other end of the socket."""
    fd = str(sock.fileno())
    assert DIOD is not None
    command = [DIOD, "-f", "-n", "-N", "-L", "stderr", "-e", "ctl", "-e"]
    return subprocess.Popen(
        [*command, str(directory), "--rfdno", fd, "--wfdno", fd],
        pass_fds=[sock.fileno()],
        stderr=subprocess.DEVNULL,
    )


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A directory to share, with a few files."""
    folder = tmp_path / "shared"
    (folder / "sub").mkdir(parents=True)
    (folder / "note").write_text("from the host\n", encoding="utf-8")
    (folder / "sub" / "big").write_bytes(random.Random(5).randbytes(50_000))
    return folder


# ---- make qemu SERVE= ----


@pytest.fixture
def served(
    variant: Variant, tmp_path: Path
) -> Iterator[tuple[Machine, Callable[[], Client]]]:
    """A machine with a second serial port, and how to reach it."""
    path = tmp_path / "9p"
    machine = serving(variant, path)
    socks: list[socket.socket] = []

    def connect() -> Client:
        for sock in socks:
            sock.close()
        socks.append(socket.socket(socket.AF_UNIX))
        socks[-1].connect(str(path))
        client = Client(socks[-1], timeout=60)
        client.version_on_line(8192)
        client.attach("visitor")
        return client

    yield machine, connect
    for sock in socks:
        sock.close()


def test_serve(served: tuple[Machine, Callable[[], Client]]) -> None:
    """A client of the host walks, reads, makes, renames and removes."""
    machine, connect = served
    lux = connect()
    assert {"bin", "dev", "proc", "tmp"} <= set(lux.names())
    assert b"Lux9" in lux.get("etc/motd")
    assert lux.get("bin/true")[:4] == b"\x7fELF"
    assert "1" in lux.names("proc")
    data = random.Random(9).randbytes(20_000)
    lux.put("tmp/gift", data)
    assert lux.get("tmp/gift") == data
    lux.wstat(lux.walk("tmp/gift"), Stat(name="present"))
    assert lux.names("tmp") == ["present"]
    assert "20000" in machine.command_line("wc -c /tmp/present", PROMPT)
    machine.command_line("echo from inside > /tmp/answer", PROMPT)
    assert lux.get("tmp/answer") == b"from inside\n"
    lux.remove(lux.walk("tmp/present"))
    assert "present" not in machine.command_line("ls /tmp", PROMPT)
    with pytest.raises(Error9, match="file does not exist"):
        lux.get("tmp/none")


LINUX = """
ifconfig lo 127.0.0.1 up && ifconfig eth0 10.0.2.15 up || echo no net
{mount} || echo no mount
ls /lux
cat /lux/etc/motd
echo written by Linux > /lux/tmp/a && mv /lux/tmp/a /lux/tmp/b
head -c 20000 /bin/busybox > /part
cp /part /lux/tmp/big && cmp /part /lux/tmp/big && echo the same
cat /lux/tmp/none
rm /lux/tmp/big
mkdir /lux/tmp/many
i=0
while [ $i -lt 175 ]; do mkdir /lux/tmp/many/directory-$i; i=$((i+1)); done
echo found $(find /lux/tmp/many -type d | wc -l) directories
echo found $(find /lux/dev /lux/bin | wc -l) files
rmdir /lux/tmp/many
mkdir /lux/tmp/many
mkdir "$(printf '/lux/tmp/a\\tb')"
mkdir /lux/tmp/a/b/c
cat /lux/tmp
touch -t 202601021504 /lux/tmp/b && echo touched
touch -t 200102030405 /part && chmod 640 /part
cp -p /part /lux/tmp/kept && ls -l --full-time /lux/tmp/kept
umount /lux
"""


def free_port() -> int:
    """A port of 127.0.0.1 that is free."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def shown_mount(port: int) -> str:
    """The README's command, for a port, an address and a place in the guest."""
    text = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    if "make qemu SERVE=" not in text:
        pytest.skip("a handout's README shows no mount")
    found = re.search(
        r"`sudo (mount -t 9p [^`]*)port=5640([^`]*) 127.0.0.1 /mnt`", text
    )
    assert found, "the README shows no `sudo mount -t 9p ... 127.0.0.1 /mnt`"
    return f"{found[1]}port={port}{found[2]} 10.0.2.2 /lux"


def test_linux_mounts(variant: Variant, tmp_path: Path) -> None:
    """Linux mounts Lux9's name space as the README shows, and lives in it."""
    port = free_port()
    script = LINUX.format(mount=shown_mount(port))
    kernel = linux(script, tmp_path / "initrd")
    if kernel is None:
        pytest.skip("no Debian, or its packages cannot be had")
    line = f"host=127.0.0.1,port={port},nodelay=on,server=on,wait=off"
    machine = machine_with_port(variant, COM2, line, host_limit=320)
    words = ["timeout", "-k", "2", "300", "qemu-system-x86_64", "-M", "q35"]
    words += ["-m", "256", "-nodefaults", "-display", "none", "-no-reboot"]
    words += ["-kernel", str(kernel), "-initrd", str(tmp_path / "initrd")]
    words += ["-append", "console=ttyS0 quiet panic=-1 no_timer_check"]
    words += ["-serial", "stdio", "-nic", "user,model=e1000"]
    run = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8"
    )
    said = run.stdout.replace("\r", "")
    assert "Linux is done" in said, said[-3000:] + run.stderr
    assert "no mount" not in said and "Welcome to Lux9" in said, said[-3000:]
    assert {"bin", "dev", "proc", "tmp"} <= set(said.split()), said[-3000:]
    assert "the same" in said, said[-3000:]
    assert "can't open '/lux/tmp/none': No such file or directory" in said, said[-3000:]
    assert "found 176 directories" in said, said[-3000:]
    found = re.search(r"found (\d+) files", said)
    assert found and int(found[1]) > 80, said[-3000:]
    for text in (
        "rmdir: '/lux/tmp/many': Directory not empty",
        "mkdir: can't create directory '/lux/tmp/many': File exists",
        "mkdir: can't create directory '/lux/tmp/a\tb': Invalid argument",
        "read error: Is a directory",
        "touched",
    ):
        assert text in said, said[-3000:]
    assert re.search(r"-rw-r----- .* 20000 2001-02-03 04:05:00 ", said), said[-3000:]
    assert "nknown error" not in said and " 526" not in said, said[-3000:]
    shown = machine.command_line("cat /tmp/b; ls /tmp", PROMPT)
    assert shown.split() == ["written", "by", "Linux", "b", "kept", "many/"]


def test_serve_long_names(served: tuple[Machine, Callable[[], Client]]) -> None:
    """Names of 255 bytes and paths beyond 256 bytes are as good as others."""
    _, connect = served
    lux = connect()
    for name in ("n" * 254, "m" * 255):
        lux.put("tmp/" + name, b"long")
        assert lux.get("tmp/" + name) == b"long"
        assert lux.stat(lux.walk("tmp/" + name)).name == name
    refuse("File name too long", lux.create, "tmp/" + "x" * 256)
    refuse("File name too long", lux.walk, "x" * 256, lux.walk("tmp"))
    at = lux.walk("tmp")
    for level in range(30):
        fid = lux.walk(fid=at)
        lux.tcreate(fid, f"directory-{level:08}", DMDIR | 0o777, 0)
        lux.clunk(fid)
        at = lux.walk(f"directory-{level:08}", at)
    lux.tcreate(lux.walk(fid=at), "deep", 0o666)
    assert [
        entry.name for entry in p9.entries(lux.read(lux.open_fid(lux.walk(fid=at))))
    ] == ["deep"]
    lux.wstat(lux.walk("tmp/directory-00000000"), Stat(name="renamed"))
    up = lux.walk("../directory-00000029/deep", at)
    assert lux.stat(up).name == "deep"


def test_serve_same_file(served: tuple[Machine, Callable[[], Client]]) -> None:
    """A fid stays with its file, whatever gets its name; the root is "/"."""
    machine, connect = served
    lux = connect()
    assert lux.stat(lux.root).name == "/"
    lux.wstat(lux.walk("dev/null"), Stat())  # fsync
    refuse("permission denied", lux.wstat, lux.root, Stat(name="other"))
    lux.put("tmp/f", b"first")
    old, reads = lux.walk("tmp/f"), lux.open("tmp/f")
    qid = lux.stat(old).qid
    machine.command_line("rm /tmp/f; echo second > /tmp/f", PROMPT)
    assert lux.get("tmp/f") == b"second\n"
    assert lux.read(reads) == b"first"
    assert lux.stat(old).qid == qid != lux.stat(lux.walk("tmp/f")).qid
    lux.topen(old)
    assert lux.read(old) == b"first"
    refuse("file does not exist", lux.remove, old)
    assert lux.get("tmp/f") == b"second\n"
    lux.mkdir("tmp/d")
    inside = lux.walk("tmp/d")
    machine.command_line("mv /tmp/d /tmp/e", PROMPT)
    lux.clunk(lux.create_in(inside, "made"))
    assert "made" in machine.command_line("ls /tmp/e", PROMPT)


def test_serve_as_linux(served: tuple[Machine, Callable[[], Client]]) -> None:
    """Directories of devices and of servers, read as v9fs does, lose nothing."""
    machine, connect = served
    machine.command_line("bind -a /tmp /bin; bind -a /dev /bin", PROMPT)
    lux = connect()
    for n in range(40):
        lux.put(f"tmp/file-with-a-long-name-{n}", b"")
    for path in ("dev", "proc", "tmp", "bin", "env", ""):
        want = [entry.name for entry in lux.ls(path)]
        lux.version(512)
        lux.attach()
        assert [entry.name for entry in lux.ls_as_linux(path)] == want, path
        lux.version(8192)
        lux.attach()
    assert len(lux.ls_as_linux("bin")) > 120


def test_serve_qids(served: tuple[Machine, Callable[[], Client]]) -> None:
    """Files of different devices have different qid.paths."""
    _, connect = served
    lux = connect()
    found = [entry for name in ("", "dev", "env", "bin") for entry in lux.ls(name)]
    assert len({entry.qid.path for entry in found}) == len(found) > 50


def test_serve_blocked_read(served: tuple[Machine, Callable[[], Client]]) -> None:
    """A read that waits blocks nothing else, and can be flushed."""
    _, connect = served
    lux = connect()
    cons = lux.open("dev/cons")
    tag = lux.ask("read", struct.pack("<IQI", cons, 0, 100), 700)
    for _ in range(10):
        assert lux.get("dev/time")
    assert lux.silent(0.1)
    lux.ask("flush", struct.pack("<H", tag), 701)
    reply = lux.reply()
    if reply.tag == tag:
        assert reply.ename == "Interrupted system call"
        reply = lux.reply()
    assert (reply.kind, reply.tag) == ("Rflush", 701)
    lux.clunk(cons)


def test_serve_burst(served: tuple[Machine, Callable[[], Client]]) -> None:
    """More bytes at once than the port's ring holds: none is lost."""
    _, connect = served
    lux = connect()
    fid, data = lux.create("tmp/burst"), random.Random(4).randbytes(48_000)
    pieces = [data[at : at + 8000] for at in range(0, len(data), 8000)]
    for n, piece in enumerate(pieces):
        lux.ask("write", struct.pack("<IQI", fid, 8000 * n, len(piece)) + piece, n)
    assert {lux.reply().tag for _ in pieces} == set(range(len(pieces)))
    assert lux.get("tmp/burst") == data


def test_serve_next_client(served: tuple[Machine, Callable[[], Client]]) -> None:
    """After one client comes another, even after one that broke the rules."""
    machine, connect = served
    connect().open("dev/cons")
    rude = connect()
    rude.send(struct.pack("<I", 3) + b"garbage" * 20)
    machine.command_line("sleep 1", PROMPT)
    lux = connect()
    assert "tmp" in lux.names()


def big_write(lux: Client) -> bytes:
    """A Twrite of 5,000 bytes to a new file."""
    fid = (
        lux.create("tmp/half")
        if not lux.exists("tmp/half")
        else lux.open("tmp/half", OWRITE)
    )
    body = struct.pack("<IQI", fid, 0, 5000) + b"x" * 5000
    return p9.frame(p9.T["write"], 77, body)


@pytest.mark.parametrize("missing", [4990, 4000, 15, 12, 1])
def test_serve_dead_in_message(
    served: tuple[Machine, Callable[[], Client]], missing: int
) -> None:
    """A client that dies in a message blocks no later one, at once or not."""
    machine, connect = served
    first = connect()
    first.send(big_write(first)[:-missing])
    lux = connect()  # its Tversion follows what is there of the Twrite
    assert lux.names("tmp") == ["half"]
    lux.put("tmp/good", b"good")
    lux.send(big_write(lux)[:-missing] if missing > 15 else b"\x50\0")
    machine.command_line("sleep 9", PROMPT)  # beyond the limit of a silence
    lux = connect()
    assert lux.get("tmp/good") == b"good"


def test_serve_slow_client(served: tuple[Machine, Callable[[], Client]]) -> None:
    """A message that arrives slowly is no dead client's."""
    machine, connect = served
    lux = connect()
    raw = big_write(lux)
    for at in range(0, len(raw), 1500):
        lux.send(raw[at : at + 1500])
        machine.command_line("sleep 1.5", PROMPT)
    assert lux.reply().count == 5000
    machine.command_line("sleep 9", PROMPT)  # between messages all may rest
    assert lux.get("tmp/half") == b"x" * 5000


def test_serve_flags(variant: Variant) -> None:
    """SERVE is a port if it is a number, else a path."""

    def command(serve: str) -> str:
        words = ["make", "-s", "PRINT=1", "qemu-direct", f"SERVE={serve}"]
        run = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8")
        return run.stdout

    assert "socket,id=serve,host=127.0.0.1,port=5640," in command("5640")
    assert "socket,id=serve,path=/tmp/lux9.9p," in command("/tmp/lux9.9p")


# ---- hostfs, a translator ----


@pytest.fixture
def hostfs(shared: Path, servers: None) -> Iterator[Client]:
    """hostfs as a program of the host, under ASan, between diod and a client."""
    link, far = socket.socketpair()
    ours, theirs = socket.socketpair()
    server = diod(shared, far)
    program = subprocess.Popen(
        [str(ROOT / "build/host/hostfs"), "-i", f"/fd/{link.fileno()}"],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        pass_fds=[link.fileno()],
        encoding="utf-8",
    )
    for sock in (far, theirs):
        sock.close()
    client = Client(ours)
    client.version()
    client.attach()
    yield client
    ours.close()
    _, errors = program.communicate(timeout=30)
    link.close()
    server.kill()  # it would wait for the other end
    server.wait()
    assert program.returncode == 0 and not errors, errors


@needs_diod
def test_hostfs_reads(hostfs: Client, shared: Path) -> None:
    """Files and directories are as the host has them."""
    assert hostfs.get("note") == b"from the host\n"
    assert hostfs.get("sub/big") == (shared / "sub/big").read_bytes()
    assert sorted(hostfs.names()) == ["note", "sub"]
    entry = {e.name: e for e in hostfs.ls()}
    assert entry["note"] == hostfs.stat(hostfs.walk("note"))
    assert entry["note"].length == 14 and entry["note"].mode == 0o644
    assert entry["sub"].mode & DMDIR and entry["sub"].length == 0
    up = hostfs.walk("sub/../sub/..")
    assert hostfs.stat(up).qid == hostfs.stat(hostfs.root).qid


@needs_diod
def test_hostfs_writes(hostfs: Client, shared: Path) -> None:
    """What is made, written and emptied here is so on the host."""
    data = random.Random(6).randbytes(70_000)
    hostfs.put("new", data, 0o640)
    assert (shared / "new").read_bytes() == data
    hostfs.mkdir("dir", 0o755)
    hostfs.put("dir/inner", b"x")
    assert (shared / "dir/inner").read_text(encoding="utf-8") == "x"
    hostfs.clunk(hostfs.open("new", OWRITE | OTRUNC))
    assert (shared / "new").stat().st_size == 0
    fid = hostfs.create("temporary", mode=ORDWR | ORCLOSE)
    assert (shared / "temporary").exists()
    hostfs.clunk(fid)
    assert not (shared / "temporary").exists()


@needs_diod
def test_hostfs_changes(hostfs: Client, shared: Path) -> None:
    """Rename, length, mode, time and removal arrive."""
    fid = hostfs.walk("note")
    hostfs.wstat(fid, Stat(name="memo"))
    assert not (shared / "note").exists()
    hostfs.wstat(fid, Stat(length=4, mode=0o600, mtime=1_000_000_000))
    stat = (shared / "memo").stat()
    assert (stat.st_size, stat.st_mode & 0o777) == (4, 0o600)
    assert stat.st_mtime == 1_000_000_000
    refuse("exists", hostfs.wstat, fid, Stat(name="sub"))
    hostfs.remove(fid)
    assert not (shared / "memo").exists()
    refuse("not empty", hostfs.remove, hostfs.walk("sub"))
    hostfs.remove(hostfs.walk("sub/big"))
    hostfs.remove(hostfs.walk("sub"))
    assert list(shared.iterdir()) == []


@needs_diod
def test_hostfs_errors(hostfs: Client, shared: Path) -> None:
    """The host's errors arrive as the usual strings."""
    refuse("file does not exist", hostfs.get, "none")
    refuse("file already exists", hostfs.create, "note")
    refuse("not a directory", hostfs.twalk, hostfs.walk("note"), 900, "x")
    refuse("File name too long", hostfs.create, "n" * 256)
    refuse("Invalid argument", hostfs.create, "a\nb")
    assert sorted(p.name for p in shared.iterdir()) == ["note", "sub"]


@needs_diod
def test_hostfs_long_directory(hostfs: Client, shared: Path) -> None:
    """A directory of many files, in pieces of any size."""
    want = {f"file-{n}" for n in range(300)} | {"note", "sub"}
    for name in want - {"note", "sub"}:
        (shared / name).write_text(name, encoding="utf-8")
    for count in (200, 8192):
        names = [entry.name for entry in hostfs.ls("", count)]
        assert len(names) == len(want) and set(names) == want


@needs_diod
def test_hostfs_long_names(hostfs: Client, shared: Path) -> None:
    """Names of 255 bytes, and paths of 1,000."""
    hostfs.put("n" * 255, b"long")
    assert (shared / ("n" * 255)).read_bytes() == b"long" == hostfs.get("n" * 255)
    path = ""
    for level in range(40):
        path += f"/directory-{level:014}"
        hostfs.mkdir(path, 0o755)
    hostfs.put(path + "/file", b"deep")
    assert (shared / path[1:] / "file").read_bytes() == b"deep"
    assert [entry.name for entry in hostfs.ls(path)] == ["file"]
    assert hostfs.stat(hostfs.walk("..", hostfs.walk(path))).mode & DMDIR
    hostfs.wstat(hostfs.walk(path + "/file"), Stat(name="m" * 255))
    assert (shared / path[1:] / ("m" * 255)).exists()


@needs_diod
def test_hostfs_as_linux(hostfs: Client, shared: Path) -> None:
    """A directory read as v9fs does, and times set as touch and cp -p do."""
    want = {f"file-number-{n}" for n in range(200)} | {"note", "sub"}
    for name in want - {"note", "sub"}:
        (shared / name).write_text(name, encoding="utf-8")
    hostfs.version(8192)
    hostfs.attach()
    names = [entry.name for entry in hostfs.ls_as_linux()]
    assert len(names) == len(want) and set(names) == want
    hostfs.wstat(hostfs.walk("note"), Stat(atime=1_100_000_000, mtime=1_200_000_000))
    stat = (shared / "note").stat()
    assert (stat.st_atime, stat.st_mtime) == (1_100_000_000, 1_200_000_000)


@needs_diod
def test_hostfs_removed_while_open(hostfs: Client, shared: Path) -> None:
    """An open file that is removed can be read and written on.  (diod looks at a
    file by its name: nothing else works.)"""
    fid = hostfs.open("note", ORDWR)
    hostfs.remove(hostfs.walk("note"))
    assert not (shared / "note").exists()
    assert hostfs.read(fid) == b"from the host\n"
    assert hostfs.write(fid, b"still") == 5
    assert hostfs.read(fid) == b"stillthe host\n"


# ---- make qemu SHARE= ----


@needs_diod
def test_share(variant: Variant, shared: Path, tmp_path: Path) -> None:
    """A directory of the host is at /n/host, for reading and writing."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "link"))
    listener.listen()
    servers: list[subprocess.Popen[bytes]] = []

    def serve() -> None:
        sock, _ = listener.accept()
        servers.append(diod(shared, sock))
        sock.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    machine = machine_with_port(variant, COM3, f"path={tmp_path / 'link'}")
    try:
        for _ in range(20):
            if "note" in machine.command_line("ls /n/host", PROMPT):
                break
            machine.command_line("sleep 0.2", PROMPT)
        assert "from the host" in machine.command_line("cat /n/host/note", PROMPT)
        assert "50000" in machine.command_line("wc -c /n/host/sub/big", PROMPT)
        machine.command_line("cp /bin/true /n/host/true", PROMPT)
        assert (shared / "true").read_bytes()[:4] == b"\x7fELF"
        assert machine.command_line("/n/host/true", PROMPT) == ""
        machine.command_line("rm /n/host/note", PROMPT)
        assert not (shared / "note").exists()
    finally:
        listener.close()
        for server in servers:
            server.kill()  # it would wait for the other end
            server.wait()
