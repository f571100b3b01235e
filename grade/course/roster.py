"""Names of students: from a roster, and from the files that were handed in.

A roster is a table as a registrar or a spreadsheet writes it (CSV, also with
semicolons or tabs; UTF-8 with or without a byte-order mark, UTF-16, or the old
encodings of Western Europe).  The first cell of each line is a student.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from pathlib import Path

HEADINGS = ("student", "name", "id", "sid", "user", "username", "login", "email")
ENDING = re.compile(r"\.(zip|tar|tgz|tbz2?|txz|gz|bz2|xz|7z|rar)$", re.I)


class RosterError(ValueError):
    """A roster that cannot be read; the text says why."""


def harmless(name: str) -> str:
    """A student's name that is harmless as a folder's, the same on each host."""
    plain = re.sub(r"[^\w@+.-]", "_", unicodedata.normalize("NFC", name.strip()))
    return re.sub(r"^\.+", "_", plain) or "_"


def student_of(path: Path) -> str:
    """A student's name from a file's, without an archive's endings."""
    name = path.name
    while not path.is_dir() and ENDING.search(name):
        name = ENDING.sub("", name)
    return harmless(name)


def _text(data: bytes) -> str:
    """A table's text; no bytes are wrong in the last encoding."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return data.decode("utf-16", "replace")
    for encoding in ("utf-8-sig", "cp1252"):
        try:
            return data.decode(encoding)
        except UnicodeDecodeError:
            pass
    return data.decode("latin-1")


def read_roster(path: Path) -> list[str]:
    """The students of a roster, each once; RosterError if it cannot be read."""
    try:
        lines = _text(path.read_bytes()).splitlines()
    except OSError as error:
        why = f"{path}: cannot be read ({error.strerror})"
        raise RosterError(f"{why}; ROSTER= is a CSV file, a student a line") from error
    if any("\0" in line for line in lines):
        raise RosterError(f"{path}: not a text file; ROSTER= is a CSV file")
    marks = re.findall(r"[,;\t]", "".join(lines[:1]))
    cells = [
        row[0].strip()
        for row in csv.reader(lines, delimiter=marks[0] if marks else ",")
        if row
    ]
    names = [cell for cell in cells if cell]
    if names and names[0].lower() in HEADINGS:
        del names[0]
    return list(dict.fromkeys(map(harmless, names)))
