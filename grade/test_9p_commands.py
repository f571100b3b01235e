"""The commands that put name spaces together: srv, mount, unmount, bind, ns."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Callable

import pytest

from grade.harness import Machine, Setup, Variant
from grade.harness.build import ROOT

PROMPT = "lux9% $"
HAS_SERVERS = (ROOT / "user/servers").exists()
Say = Callable[[str], str]

pytestmark = pytest.mark.skipif(not HAS_SERVERS, reason="no stage 4 in this tree")


@pytest.fixture(scope="module")
def machine(build: Callable[..., Variant]) -> Iterator[Machine]:
    """One machine for all tests of this file."""
    variant = build(Variant(stage=4, ktest=False))
    setup = Setup(
        kernel=variant.kernel, initrd=variant.archive, terminal=True, limit=30
    )
    running = Machine(setup)
    running.expect(PROMPT)
    yield running
    running.close()


@pytest.fixture
def say(machine: Machine) -> Say:
    """Type a line; what it prints."""
    return lambda line: machine.command_line(line, PROMPT)


def test_ramfs_posted(say: Say) -> None:
    """A server is posted, mounted, used, unmounted, and mounted again."""
    assert say("ramfs -s one") == ""
    assert "one" in say("ls /srv")
    assert say("mount -c /srv/one /mnt") == ""
    say("echo kept > /mnt/x")
    assert say("unmount /mnt") == ""
    assert say("ls /mnt") == ""
    assert say("mount /srv/one /mnt") == ""
    assert say("cat /mnt/x") == "kept\n"
    assert "forbids creation" in say("echo y > /mnt/y")
    say("unmount /mnt; rm /srv/one")


def test_bind_union(say: Say) -> None:
    """Before and after decide which of two files of one name is seen."""
    say("mkdir /tmp/a; mkdir /tmp/b; echo a > /tmp/a/f; echo b > /tmp/b/f")
    say("echo g > /tmp/b/g")
    assert say("bind /tmp/a /mnt") == ""
    assert say("bind -a /tmp/b /mnt") == ""
    assert say("cat /mnt/f /mnt/g") == "a\ng\n"
    assert say("unmount /tmp/b /mnt") == ""
    assert "does not exist" in say("cat /mnt/g")
    assert say("bind -b -c /tmp/b /mnt") == ""
    assert say("cat /mnt/f") == "b\n"
    say("echo new > /mnt/new")
    assert say("cat /tmp/b/new") == "new\n"
    say("unmount /mnt")


def test_ns_can_be_run(say: Say) -> None:
    """ns prints the commands that made the name space, whatever the names."""
    say("mkdir '/tmp/it''s #1; echo no'")
    say("bind -a '/tmp/it''s #1; echo no' /mnt")
    lines = say("ns").splitlines()
    assert "bind '#p' /proc" in lines
    made = "bind -a '/tmp/it''s #1; echo no' /mnt"
    assert made in lines
    say("unmount /mnt")
    assert made not in say("ns")
    say(made)
    assert say("ns").splitlines() == lines
    assert say("ns 1").splitlines() == lines
    assert "no such process" in say("ns 4444") or "not exist" in say("ns 4444")
    say("unmount /mnt; rm '/tmp/it''s #1; echo no'")


def test_srv_program(say: Say) -> None:
    """srv starts a server of 9P on a pipe, posts the pipe and mounts it."""
    assert say("srv -e two 'ramfs -i -k 200' /mnt") == ""
    say("echo x > /mnt/x")
    assert say("cat /mnt/x") == "x\n"
    assert say("unmount /mnt; rm /srv/two") == ""


def test_exportfs(say: Say) -> None:
    """A part of the name space is offered and seen elsewhere."""
    say("mkdir /tmp/part; echo inner > /tmp/part/f")
    assert say("exportfs -s out /tmp/part") == ""
    assert say("mount -c /srv/out /mnt") == ""
    assert say("cat /mnt/f") == "inner\n"
    say("cp /bin/echo /mnt/echo")
    assert say("/tmp/part/echo it runs") == "it runs\n"
    assert say("/mnt/echo here too") == "here too\n"
    say("unmount /mnt; rm /srv/out")


@pytest.mark.parametrize(
    ("line", "error"),
    [
        ("mount /srv/none /mnt", "does not exist"),
        ("mount /dev/null /mnt", ""),
        ("bind /none /mnt", "does not exist"),
        ("bind -a -b /tmp /mnt", "usage"),
        ("bind /bin/ls /mnt", "mount"),
        ("unmount /mnt", "not mounted"),
        ("srv x", "usage"),
        ("srv x /none", "does not exist"),
        ("ramfs -m /none", "does not exist"),
        ("exportfs /none", "does not exist"),
    ],
)
def test_errors(say: Say, line: str, error: str) -> None:
    """What cannot be done is said, and the shell goes on."""
    said = say(line)
    assert said and error in said
    assert say("echo on") == "on\n"
