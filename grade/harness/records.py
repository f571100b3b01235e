"""Records: what a kernel under test says on the debug port.

A frame is "\\x1eLUX9 <type> <len> <key>\\n", then len bytes, then "\\n".  The
length rules: bytes that look like a frame inside another frame are only its
data, so a program that may write a record cannot forge a second one.

The key is on the kernel's command line, another one in every run, so that
code that writes frames of its own to the port writes stray bytes.  Records of
type error count without it: a forger gains nothing by those.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_HEAD = re.compile(rb"\x1eLUX9 ([a-z][a-z_0-9]{0,31}) ([0-9]{1,8})(?: (\w{1,16}))?\n")


@dataclass(frozen=True)
class Record:
    """One record: its type (a word) and its data."""

    type: str
    data: bytes

    @property
    def text(self) -> str:
        """The data as text; other bytes are shown escaped."""
        return self.data.decode("utf-8", "backslashreplace")

    def __str__(self) -> str:
        return f"{self.type}: {self.text}"


def parse_records(raw: bytes, key: str = "") -> tuple[list[Record], bytes]:
    """Split raw into records and the bytes that belong to none (a fault).

    With a key, only frames that have it are records.
    """
    records: list[Record] = []
    stray = b""
    at = 0
    while at < len(raw):
        head = _HEAD.match(raw, at)
        if head is not None and (
            not key or head[3] == key.encode() or (head[1] == b"error" and not head[3])
        ):
            start, length = head.end(), int(head[2])
            end = start + length
            if raw[end : end + 1] == b"\n":
                records.append(Record(head[1].decode(), raw[start:end]))
                at = end + 1
                continue
        following = raw.find(b"\x1e", at + 1)
        following = len(raw) if following < 0 else following
        stray += raw[at:following]
        at = following
    return records, stray
