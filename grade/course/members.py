"""What is in a submission, member by member: archive, folder, git revision.

Each of the three becomes a stream of Members, which grade/course/submission.py
searches.  Nothing is unpacked, checked out or run; no link is followed.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import os
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from grade.course.sources import Refused

MEMBERS = 20_000  # in an archive, a folder or a revision
PACKED = 64 << 20  # bytes of an archive
UNPACKED = 256 << 20  # bytes that come out of it
GIT = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]

MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}
OPENERS: dict[str, Callable[..., IO[bytes]]] = {
    "gz": gzip.open,  # type: ignore[dict-item]
    "bz2": bz2.open,  # type: ignore[dict-item]
    "xz": lzma.open,  # type: ignore[dict-item]
}


class Member(NamedTuple):
    """One thing in a submission."""

    name: str
    size: int
    kind: str  # file, folder, or what it is that it must not be
    read: Callable[[int], bytes]  # so many bytes at most


def shown(name: str) -> str:
    """A member's name for a message: printable, not endless."""
    plain = (c if c.isprintable() else ascii(c)[1:-1] for c in name[:120])
    return "".join(plain)


class Bounded(io.RawIOBase):
    """A stream that ends with Refused when too much comes out of it."""

    def __init__(self, source: IO[bytes]) -> None:
        """Read from source."""
        self.source, self.left = source, UNPACKED

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        """As RawIOBase has it."""
        data = self.source.read(len(buffer))
        self.left -= len(data)
        if self.left < 0:
            raise Refused(f"it unpacks to more than {UNPACKED >> 20} MiB")
        buffer[: len(data)] = data
        return len(data)


def _kind_of_mode(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) or stat.S_IFMT(mode) == 0 else "a device"


def _tar_members(raw: IO[bytes]) -> Iterator[Member]:
    """The members of a tar archive, unpacked as a stream."""
    stream = io.BufferedReader(Bounded(raw))
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for info in tar:
            kind = "file" if info.isreg() else "folder" if info.isdir() else ""
            if not kind:
                kind = "a link" if info.issym() else "a device"
                kind = "a hard link" if info.islnk() else kind
            if info.issparse():
                kind = "a sparse file"

            def read(limit: int, info: tarfile.TarInfo = info) -> bytes:
                file = tar.extractfile(info)
                return file.read(limit) if file else b""

            yield Member(info.name, info.size, kind, read)


def _zip_members(raw: IO[bytes]) -> Iterator[Member]:
    """The members of a zip archive."""
    with zipfile.ZipFile(raw) as archive:
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > UNPACKED:
            raise Refused(f"it unpacks to more than {UNPACKED >> 20} MiB")
        for info in infos:
            kind = _kind_of_mode(info.external_attr >> 16)
            kind = "folder" if info.is_dir() else kind
            if info.flag_bits & 1:
                raise Refused(f"{shown(info.filename)}: is encrypted")

            def read(limit: int, info: zipfile.ZipInfo = info) -> bytes:
                with archive.open(info) as file:
                    return file.read(limit)

            yield Member(info.filename, info.file_size, kind, read)


def _checked(members: Iterator[Member]) -> Iterator[Member]:
    """An archive's members, until one cannot be in an honest archive."""
    for member in members:
        name = member.name
        if name.startswith(("/", "\\")) or name[1:3] in (":\\", ":/"):
            raise Refused(f"{shown(name)}: has an absolute path")
        if ".." in name.replace("\\", "/").split("/"):
            raise Refused(f"{shown(name)}: leads out of the archive")
        if member.kind not in ("file", "folder", "a link"):
            raise Refused(f"{shown(name)}: is {member.kind}; hand in plain files only")
        yield member


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    """Turn what the libraries raise, in many ways, into Refused."""
    try:
        yield
    except Refused:
        raise
    except Exception as error:
        raise Refused(
            f"it is a broken archive: {error or type(error).__name__}"
        ) from error


def _guarded(read: Callable[[int], bytes]) -> Callable[[int], bytes]:
    """The same, for the bytes of a member."""

    def guarded(limit: int) -> bytes:
        with _whole():
            return read(limit)

    return guarded


def archive_members(raw: IO[bytes]) -> Iterator[Member]:
    """The members of an archive; Refused if it is none, or broken."""
    head = raw.read(512)
    raw.seek(0)
    packing = next(
        (kind for magic, kind in MAGIC.items() if head.startswith(magic)), ""
    )
    if not packing and head[257:262] != b"ustar":
        raise Refused("it is no archive: neither tar nor zip, whatever its name says")
    with _whole():
        if packing == "zip":
            members = _zip_members(raw)
        else:
            opened = OPENERS[packing](raw, "rb") if packing else raw
            members = _tar_members(opened)
        for member in _checked(members):
            yield member._replace(read=_guarded(member.read))


def folder_members(folder: Path) -> Iterator[Member]:
    """The files of a folder, without version control and what make has built."""
    waiting = [folder]
    while waiting:
        here = waiting.pop(0)
        with os.scandir(here) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
        tree = any(entry.name == "Makefile" for entry in found)
        for entry in found:
            path = Path(entry.path)
            if entry.is_dir(follow_symlinks=False):
                if entry.name != ".git" and not (tree and entry.name == "build"):
                    waiting.append(path)
                continue
            status = entry.stat(follow_symlinks=False)

            def read(limit: int, path: Path = path) -> bytes:
                flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
                with open(os.open(path, flags), "rb") as file:
                    return file.read(limit)

            name = path.relative_to(folder).as_posix()
            yield Member(name, status.st_size, _kind_of_mode(status.st_mode), read)


def git(repository: Path, *words: str) -> bytes:
    run = subprocess.run(
        [*GIT, "-C", str(repository), *words],
        capture_output=True,
        stdin=subprocess.DEVNULL,
        env={"PATH": "/usr/local/bin:/usr/bin:/bin", "GIT_CONFIG_NOSYSTEM": "1"}
        | {"GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "safe.directory"}
        | {"GIT_CONFIG_VALUE_0": "*", "HOME": "/nonexistent"},
    )
    if run.returncode != 0:
        why = run.stderr.decode(errors="replace").strip().splitlines()
        raise Refused(why[0] if why else "git cannot read it")
    return run.stdout


def revision_members(repository: Path, revision: str) -> Iterator[Member]:
    """The files of a git revision; nothing is checked out."""
    words = ["rev-parse", "--verify", "--end-of-options", revision + "^{commit}"]
    commit = git(repository, *words).decode().strip()
    listed = git(repository, "ls-tree", "-rlz", commit)
    for line in filter(None, listed.decode(errors="surrogateescape").split("\0")):
        facts, name = line.split("\t", 1)
        mode, kind, blob, size = facts.split()
        kind = _kind_of_mode(int(mode, 8)) if kind == "blob" else "a submodule"

        def read(limit: int, blob: str = blob) -> bytes:
            return git(repository, "cat-file", "blob", blob)[:limit]

        yield Member(name, int(size) if size != "-" else 0, kind, read)


def plain(members: Iterator[Member]) -> Iterator[Member]:
    """The members with plain names, as long as they are not too many.

    Some programs of Windows write kernel\\boot\\x.c.
    """
    for count, member in enumerate(members, 1):
        if count > MEMBERS:
            raise Refused(f"it has more than {MEMBERS} members")
        path = PurePosixPath(member.name.replace("\\", "/"))
        yield member._replace(name=str(path))
