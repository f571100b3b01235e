"""Groups with members: what a file of users permits, on ramfs."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path

import pytest

from grade.harness.build import ROOT
from grade.p9 import DMDIR, OREAD, ORDWR, OWRITE, Client, Stat
from grade.test_9p_host import HAS_SERVERS, Start, other, refuse, servers, start

__all__ = ["servers", "start"]
pytestmark = pytest.mark.skipif(not HAS_SERVERS, reason="no stage 4 in this tree")

USERS = """\
# the members of each group
1:glenda:glenda:
2:lab:boss:glenda,bob
3:club::bob,eve
4:mine:glenda:
"""


@pytest.fixture
def users(tmp_path: Path) -> Path:
    """A file of users."""
    path = tmp_path / "users"
    path.write_text(USERS, encoding="utf-8")
    return path


def ramfs(start: Start, users: Path) -> Client:
    """An empty ramfs with this file, attached as glenda."""
    fs = start("ramfs", "-g", str(users))
    fs.version()
    fs.attach()
    return fs


@pytest.fixture
def fs(start: Start, users: Path) -> Client:
    """The same with USERS."""
    return ramfs(start, users)


def make(fs: Client, path: str, gid: str, mode: int) -> None:
    """A file of glenda's in this group."""
    fs.put(path, b"data")
    fs.wstat(fs.walk(path), Stat(gid=gid))
    fs.wstat(fs.walk(path), Stat(mode=mode))


@pytest.mark.parametrize("mode", [OREAD, OWRITE, ORDWR])
def test_group_members(fs: Client, mode: int) -> None:
    """Members may do what the group may, and other users may not."""
    make(fs, "f", "lab", 0o060)
    for member in ("bob", "lab"):
        user = other(fs, member)
        user.clunk(user.open("f", mode))
    for stranger in ("eve", "boss", "none", "bo", "glenda,bob", ""):
        refuse("permission denied", other(fs, stranger).open, "f", mode)


def test_group_directory(fs: Client) -> None:
    """In a group's directory its members make files, which are the group's."""
    fs.mkdir("d", 0o777)
    fs.wstat(fs.walk("d"), Stat(gid="lab", mode=DMDIR | 0o770))
    bob = other(fs, "bob")
    bob.put("d/f", b"bob's", 0o660)
    assert (bob.stat(bob.walk("d/f")).uid, bob.stat(bob.walk("d/f")).gid) == (
        "bob",
        "lab",
    )
    assert fs.get("d/f") == b"bob's"
    refuse("permission denied", other(fs, "eve").names, "d")
    refuse("", other(fs, "eve").get, "d/f")


def test_owner_first(fs: Client) -> None:
    """The owner has the owner's and the group's rights, a member the group's."""
    make(fs, "f", "lab", 0o420)
    fs.clunk(fs.open("f", ORDWR))
    refuse("permission denied", other(fs, "bob").open, "f", OREAD)
    other(fs, "bob").open("f", OWRITE)


def test_owner_changes_group(fs: Client) -> None:
    """The owner gives a file to groups that he is in, and to no other."""
    fs.put("f", b"")
    fid = fs.walk("f")
    for gid in ("lab", "glenda"):
        fs.wstat(fid, Stat(gid=gid))
        assert fs.stat(fid).gid == gid
    fs.wstat(fid, Stat(gid="lab"))
    for gid in ("club", "mine", "boss", "none", "nobody"):
        refuse("permission denied", fs.wstat, fid, Stat(gid=gid))
    assert fs.stat(fid).gid == "lab"


def test_member_changes_no_group(fs: Client) -> None:
    """A member who is neither owner nor leader changes neither group nor mode."""
    make(fs, "f", "lab", 0o666)
    bob = other(fs, "bob")
    for change in (Stat(gid="bob"), Stat(gid="club"), Stat(mode=0o600), Stat(mtime=1)):
        refuse("permission denied", bob.wstat, bob.walk("f"), change)


def test_leader(fs: Client) -> None:
    """A leader changes mode and time, and the group to another that he leads."""
    make(fs, "f", "lab", 0o600)
    boss = other(fs, "boss")
    fid = boss.walk("f")
    boss.wstat(fid, Stat(mode=0o640))
    boss.wstat(fid, Stat(mtime=77))
    refuse("permission denied", boss.wstat, fid, Stat(gid="club"))
    refuse("permission denied", boss.wstat, fid, Stat(gid="mine"))
    refuse("permission denied", boss.wstat, fid, Stat(length=0))
    boss.wstat(fid, Stat(gid="boss"))
    stat = fs.stat(fs.walk("f"))
    assert (stat.gid, stat.mode, stat.mtime) == ("boss", 0o640, 77)


def test_no_leader(fs: Client) -> None:
    """A group without a leader is led by each of its members."""
    eve = other(fs, "eve")
    eve.put("f", b"")
    eve.wstat(eve.walk("f"), Stat(gid="club"))
    bob = other(fs, "bob")
    bob.wstat(bob.walk("f"), Stat(mode=0o600))
    refuse("permission denied", fs.wstat, fs.walk("f"), Stat(mode=0o666))


def test_named_leader_only(fs: Client) -> None:
    """A user with a group's name does not lead it if another user does."""
    make(fs, "f", "lab", 0o666)
    lab = other(fs, "lab")
    refuse("permission denied", lab.wstat, lab.walk("f"), Stat(mode=0o600))


def test_nothing_by_halves(fs: Client) -> None:
    """A refused group leaves all else as it was."""
    make(fs, "f", "lab", 0o644)
    fid = fs.walk("f")
    before = fs.stat(fid)
    refuse("denied", fs.wstat, fid, Stat(gid="club", mode=0o600, name="g", length=1))
    assert fs.stat(fid) == before


@pytest.mark.parametrize("there", [False, True])
def test_no_file(start: Start, tmp_path: Path, there: bool) -> None:
    """Without lines each user is the only member of its group, and leads it."""
    if there:
        (tmp_path / "users").write_text("", encoding="utf-8")
    fs = ramfs(start, tmp_path / "users")
    fs.put("f", b"data", 0o660)
    fs.wstat(fs.walk("f"), Stat(gid="glenda"))
    refuse("permission denied", other(fs, "bob").open, "f")
    refuse("permission denied", fs.wstat, fs.walk("f"), Stat(gid="lab"))
    fs.mkdir("d", 0o777)
    lab = other(fs, "lab")
    lab.put("d/f", b"data")
    lab.wstat(lab.walk("d/f"), Stat(gid="lab", mode=0o640))


WRONG = {
    "no colons": "not id:name:leader:members",
    "5:two:lines": "not id:name:leader:members",
    "5:a:b:c:d": "not id:name:leader:members",
    ":a:b:c": "not id:name:leader:members",
    "5::b:c": "bad name",
    "5:a,b::c": "bad name",
    f"5:{'n' * 32}::": "bad name",
    f"5:a:{'n' * 32}:": "bad leader",
    "5:a:b,c:": "bad leader",
    "5:a::b,,c": "bad members",
    "5:a::,b": "bad members",
    "5:a::b,": "bad members",
    "5:lab::eve": "this name was there before",
    "5:a\0:b:c": "not id:name:leader:members",
}


@pytest.mark.parametrize("line", WRONG)
def test_wrong_line(servers: None, users: Path, line: str) -> None:
    """A line that is wrong is named, with its number; the others count."""
    last = "9:last:glenda:bob"  # with no newline behind it
    users.write_text(f"{USERS}{line}\n{last}", encoding="utf-8")
    ours, theirs = socket.socketpair()
    process = subprocess.Popen(
        [str(ROOT / "build/host/ramfs"), "-i", "-g", str(users)],
        stdin=theirs,
        stdout=theirs,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    theirs.close()
    fs = Client(ours)
    fs.version()
    fs.attach()
    make(fs, "f", "lab", 0o060)
    other(fs, "bob").open("f")
    refuse("permission denied", other(fs, "eve").open, "f")
    bob = other(fs, "bob")
    bob.put("g", b"")
    bob.wstat(bob.walk("g"), Stat(gid="last"))
    ours.close()
    _, errors = process.communicate(timeout=30)
    assert errors == f"{users}:6: {WRONG[line]}\n"
    assert process.returncode == 0
