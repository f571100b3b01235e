"""The texts of Rerrors, and what published clients make of them.

Linux's v9fs has a fixed table from texts to numbers (net/9p/error.c there).
LINUX are those of its texts that Lux9 says.
"""

from __future__ import annotations

import re

import pytest

from grade.harness.build import ROOT

LINUX = set(
    """
    Argument list too long|Bad address|Bad file descriptor|Broken pipe
    Cannot allocate memory|Connection timed out|Device or resource busy
    File name too long|File too large|Function not implemented|Illegal seek
    Interrupted system call|Invalid argument|Is a directory|Message too long
    No buffer space available|No such device|No such device or address
    Operation not permitted|Protocol not supported
    Resource temporarily unavailable|Too many open files|bad offset in directory read
    bad use of fid|bogus wstat buffer|directory is not empty
    exclusive use file already open|file already exists|file already open for I/O
    file does not exist|file has been removed|file system is full|i/o error
    illegal mode|illegal offset|not a directory|permission denied|protocol botch
    wstat prohibited
    """.replace(
        "\n    ", "|"
    )
    .strip(" |\n")
    .split("|")
)

# No request of a client leads to them: exec, wait, mem_map, sched_group, bind,
# mount, unmount; E_REMOTE stands for another server's text.
NEVER_SENT = set(
    """E_BADEXEC E_NOCHILD E_INUSE E_MAXGROUP E_REMOTE E_MOUNT E_UNMOUNT
    E_UNION E_MAXUNION E_MAXBIND""".split()
)

pytestmark = pytest.mark.skipif(
    not (ROOT / "user/servers").exists(), reason="no stage 4 in this tree"
)


def rows(name: str, macro: str) -> dict[str, str]:
    """The rows of a .def file: the name of each, and its last argument."""
    text = (ROOT / "kernel/include/lux" / name).read_text(encoding="utf-8")
    return dict(re.findall(rf'^{macro}\((\w+),.*"(.*)"\)$', text, re.M))


def test_linux_knows_errors() -> None:
    """Each error that a server can send has a text that Linux knows."""
    own, wire = rows("err.def", "ERR"), rows("err9p.def", "WIRE")
    assert len(own) > 40 and wire.keys() <= own.keys()
    assert not NEVER_SENT & wire.keys()
    unknown = {
        name: text
        for name, text in (own | wire).items()
        if text not in LINUX and name not in NEVER_SENT
    }
    assert not unknown, "add a row to err9p.def, or to NEVER_SENT here"


def test_texts_are_told_apart() -> None:
    """A text leads back to one error, and where several send it to the general one."""
    own, wire = rows("err.def", "ERR"), rows("err9p.def", "WIRE")
    assert len(set(own.values())) == len(own)
    general = {"file system is full": "E_FULL"}  # err.def comes first
    shared = set(own.values()) & set(wire.values())
    assert all(own[general[text]] == text for text in shared)
    first: dict[str, str] = {}
    for name, text in wire.items():
        first.setdefault(text, name)
    assert first["Invalid argument"] == "E_BADARG"
    assert first["Cannot allocate memory"] == "E_NOMEM"
