"""What a student handed in, taken apart with tongs.

    collect(source, rubric, root) -> Submission

A source is an archive (tar, plain or compressed, or zip), a folder, or a
revision of a git repository (`REVISION` or `REPOSITORY@REVISION`).  Only the
rubric's files are taken, as bytes: nothing is unpacked, nothing else is read,
nothing is run.  A dishonest submission is refused with a reason.
"""

from __future__ import annotations

import gzip
import io
import stat
import subprocess
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from grade.course.rubric import Rubric
from grade.course.sources import Refused

MEMBERS = 20_000  # in an archive
PACKED = 64 << 20  # bytes of an archive
UNPACKED = 256 << 20  # bytes that come out of it
FILE = 512 << 10  # bytes of one source file
GIT = ["git", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null"]

MAGIC = {
    b"PK\x03\x04": "zip",
    b"PK\x05\x06": "zip",
    b"\x1f\x8b": "gz",
    b"BZh": "bz2",
    b"\xfd7zXZ\x00": "xz",
}


@dataclass
class Submission:
    """The files of a rubric as they were handed in."""

    files: dict[str, bytes]
    missing: list[str] = field(default_factory=list)  # the starter's are used

    def put(self, tree: Path) -> None:
        """Replace the files of a pristine tree."""
        for name, data in self.files.items():
            place = tree / name
            place.unlink(missing_ok=True)
            place.write_bytes(data)


class Member(NamedTuple):
    """One thing in an archive."""

    name: str
    size: int
    kind: str  # file, folder, or what it is that it must not be
    read: Callable[[], bytes]


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


def _tar_members(path: Path, packing: str) -> Iterator[Member]:
    """The members of a tar archive, unpacked as a stream."""
    import bz2
    import lzma

    openers: dict[str, Callable[..., IO[bytes]]] = {
        "gz": gzip.open,  # type: ignore[dict-item]
        "bz2": bz2.open,  # type: ignore[dict-item]
        "xz": lzma.open,  # type: ignore[dict-item]
        "": open,
    }
    with openers[packing](path, "rb") as raw:
        stream = io.BufferedReader(Bounded(raw))
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for info in tar:
                kind = "file" if info.isreg() else "folder" if info.isdir() else ""
                if not kind:
                    kind = "a link" if info.islnk() or info.issym() else "a device"
                if info.issparse():
                    kind = "a sparse file"

                def read(info: tarfile.TarInfo = info) -> bytes:
                    file = tar.extractfile(info)
                    return file.read(FILE + 1) if file else b""

                yield Member(info.name, info.size, kind, read)


def _zip_members(path: Path) -> Iterator[Member]:
    """The members of a zip archive."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
        if sum(info.file_size for info in infos) > UNPACKED:
            raise Refused(f"it unpacks to more than {UNPACKED >> 20} MiB")
        for info in infos:
            kind = _kind_of_mode(info.external_attr >> 16)
            kind = "folder" if info.is_dir() else kind
            if info.flag_bits & 1:
                raise Refused(f"{info.filename}: is encrypted")

            def read(info: zipfile.ZipInfo = info) -> bytes:
                with archive.open(info) as file:
                    return file.read(FILE + 1)

            yield Member(info.filename, info.file_size, kind, read)


def _checked(members: Iterator[Member]) -> Iterator[Member]:
    """The members, until one must not be."""
    count = 0
    for member in members:
        count += 1
        name = member.name
        parts = PurePosixPath(name.replace("\\", "/")).parts
        shown = name[:120].encode("unicode_escape").decode()
        if count > MEMBERS:
            raise Refused(f"it has more than {MEMBERS} members")
        if name.startswith(("/", "\\")) or name[1:3] in (":\\", ":/"):
            raise Refused(f"{shown}: has an absolute path")
        if ".." in parts:
            raise Refused(f"{shown}: leads out of the archive")
        if member.kind not in ("file", "folder"):
            raise Refused(f"{shown}: is {member.kind}; hand in plain files only")
        yield member


def _prefix(path: str, wanted: str) -> str | None:
    """What stands before a wanted file's name in a path; None: it is not that."""
    path = str(PurePosixPath(path))
    if path == wanted:
        return ""
    return path[: -len(wanted)] if path.endswith("/" + wanted) else None


def _pick(members: Iterator[Member], rubric: Rubric) -> dict[str, bytes]:
    """The wanted files: those that lie least deep, all below one folder."""
    found: dict[str, dict[str, bytes]] = {}
    for member in _checked(members):
        if member.kind != "file":
            continue
        for wanted in rubric.files:
            prefix = _prefix(member.name, wanted)
            if prefix is None:
                continue
            below = found.setdefault(prefix, {})
            if wanted in below:
                raise Refused(f"{member.name}: is there twice")
            below[wanted] = _content(member.name, member.size, member.read)
    if not found:
        return {}
    depth = min(prefix.count("/") for prefix in found)
    tops = [prefix for prefix in found if prefix.count("/") == depth]
    if len(tops) > 1:
        raise Refused(f"it has several trees: {', '.join(sorted(tops)[:3])}")
    return found[tops[0]]


def _content(name: str, size: int, read: Callable[[], bytes]) -> bytes:
    """A source file's bytes; Refused if they are too many or no text."""
    if size > FILE:
        raise Refused(f"{name}: is larger than {FILE >> 10} KiB")
    data = read()
    if len(data) > FILE:
        raise Refused(f"{name}: is larger than {FILE >> 10} KiB")
    if b"\0" in data:
        raise Refused(f"{name}: is no text, it has NUL bytes")
    return data


def _from_archive(path: Path, rubric: Rubric) -> dict[str, bytes]:
    """The wanted files of an archive."""
    if path.stat().st_size > PACKED:
        raise Refused(f"it is larger than {PACKED >> 20} MiB")
    with path.open("rb") as file:
        head = file.read(512)
    packing = next(
        (kind for magic, kind in MAGIC.items() if head.startswith(magic)), ""
    )
    if not packing and head[257:262] != b"ustar":
        raise Refused("it is no archive: neither tar nor zip, whatever its name says")
    try:
        if packing == "zip":
            return _pick(_zip_members(path), rubric)
        return _pick(_tar_members(path, packing), rubric)
    except Refused:
        raise
    except Exception as error:  # the libraries have many ways to stumble
        raise Refused(
            f"it is a broken archive: {error or type(error).__name__}"
        ) from error


def _from_folder(folder: Path, rubric: Rubric) -> dict[str, bytes]:
    """The wanted files of a folder; a link on the way to one is refused."""
    found = {}
    for name in rubric.files:
        place = folder
        for part in PurePosixPath(name).parts:
            place = place / part
            if place.is_symlink():
                raise Refused(f"{place.relative_to(folder)}: is a link")
        if not place.exists():
            continue
        if not place.is_file():
            raise Refused(f"{name}: is no plain file")
        with place.open("rb") as file:
            found[name] = _content(
                name, place.stat().st_size, lambda: file.read(FILE + 1)
            )
    return found


def _git(repository: Path, *words: str) -> bytes:
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


def _from_git(repository: Path, revision: str, rubric: Rubric) -> dict[str, bytes]:
    """The wanted files of a revision; nothing is checked out."""
    commit = _git(
        repository, "rev-parse", "--verify", "--end-of-options", revision + "^{commit}"
    )
    commit_id = commit.decode().strip()
    found = {}
    listed = _git(repository, "ls-tree", "-rlz", commit_id, "--", *rubric.files)
    for line in filter(None, listed.decode(errors="replace").split("\0")):
        facts, name = line.split("\t", 1)
        mode, kind, blob, size = facts.split()
        if kind != "blob" or mode == "120000":
            raise Refused(
                f"{name}: is a link" if kind == "blob" else f"{name}: is no file"
            )
        found[name] = _content(
            name, int(size), lambda: _git(repository, "cat-file", "blob", blob)
        )
    return found


def collect(source: str, rubric: Rubric, root: Path) -> Submission:
    """Take the rubric's files out of what was handed in; Refused says why not."""
    path = Path(source)
    repository, _, revision = source.rpartition("@")
    if path.is_symlink():
        raise Refused("it is a link")
    if path.is_dir():
        files = _from_folder(path, rubric)
    elif path.is_file():
        files = _from_archive(path, rubric)
    elif path.exists():
        raise Refused("it is no file")
    elif repository and Path(repository).is_dir():
        files = _from_git(Path(repository), revision, rubric)
    elif source.startswith((".", "/")) or path.suffix in (
        ".gz",
        ".tar",
        ".zip",
        ".tgz",
    ):
        raise Refused("there is no such file")
    else:
        files = _from_git(root, source, rubric)
    missing = [name for name in rubric.files if name not in files]
    if len(missing) == len(rubric.files):
        raise Refused(f"it has none of the lab's files, such as {rubric.files[0]}")
    return Submission(files, missing)


def pack(tree: Path, rubric: Rubric, place: Path) -> None:
    """Write the lab's files of a tree as an archive to hand in."""
    with place.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name in rubric.files:
                info = tarfile.TarInfo(name)
                data = (tree / name).read_bytes()
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))
