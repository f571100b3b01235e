"""What a student handed in, taken apart with tongs.

    collect(source, rubric, root) -> Submission

A source is an archive (tar, plain or compressed, or zip), a folder, or a
revision of a git repository (`REVISION` or `REPOSITORY@REVISION`).  All three
are streams of members (grade/course/members.py), and one search finds the
lab's files in them: at the top, in a folder, or in an archive that lies in
there.  Only the rubric's files are taken, as bytes: nothing is unpacked,
nothing is run.  A dishonest submission is refused with a reason.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from grade.course import members as sources_of
from grade.course.members import Member, shown
from grade.course.rubric import Rubric
from grade.course.sources import Refused

FILE = 512 << 10  # bytes of one source file
INNER = 8  # archives inside a submission
ARCHIVES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip")


@dataclass
class Submission:
    """The files of a rubric as they were handed in."""

    files: dict[str, bytes]
    missing: list[str] = field(default_factory=list)  # the starter's are used
    took: str = ""  # which files from where, in words

    def put(self, tree: Path) -> None:
        """Replace the files of a pristine tree."""
        for name, data in self.files.items():
            place = tree / name
            place.unlink(missing_ok=True)
            place.write_bytes(data)


@dataclass
class Search:
    """What a stream of members has shown of a rubric's files."""

    rubric: Rubric
    trees: dict[str, dict[str, bytes]] = field(default_factory=dict)  # by folder
    blocked: dict[str, str] = field(default_factory=dict)  # the same: no plain file
    inner: list[tuple[str, bytes]] = field(default_factory=list)  # archives in it
    where: str = ""  # the folder that was chosen

    def look(self, members: Iterator[Member]) -> None:
        """Note what these members have to do with the rubric's files."""
        for member in sources_of.plain(members):
            if member.kind == "file":
                self._file(member)
            elif member.kind != "folder":
                self._obstacle(member)

    def _file(self, member: Member) -> None:
        name = member.name
        for wanted in self.rubric.files:
            if name != wanted and not name.endswith("/" + wanted):
                continue
            below = self.trees.setdefault(name[: -len(wanted)], {})
            if wanted in below:
                raise Refused(f"{shown(name)}: is there twice")
            below[wanted] = _content(member)
        last = name.rsplit("/", 1)[-1]
        if last.lower().endswith(ARCHIVES) and not last.startswith("."):
            self._archive(member)

    def _archive(self, member: Member) -> None:
        room = sources_of.PACKED - sum(len(data) for _, data in self.inner)
        if not self.trees and len(self.inner) <= INNER and member.size <= room:
            self.inner.append((member.name, member.read(room)))

    def _obstacle(self, member: Member) -> None:
        """Note a link where a wanted file or a folder on the way to it would be."""
        parts = member.name.split("/")
        for wanted in self.rubric.files:
            way = wanted.split("/")
            for n in range(1, min(len(way), len(parts)) + 1):
                if parts[-n:] == way[:n]:
                    top = "".join(part + "/" for part in parts[:-n])
                    why = f"{shown(member.name)}: is {member.kind}"
                    self.blocked.setdefault(top, why + "; hand in plain files only")

    def files(self) -> dict[str, bytes]:
        """The files that lie least deep, all below one folder."""
        if not self.trees and self.blocked:
            raise Refused(min(self.blocked.values(), key=len))
        if not self.trees:
            return self._from_inner()
        depth = min(top.count("/") for top in self.trees)
        tops = sorted(top for top in self.trees if top.count("/") == depth)
        if len(tops) > 1:
            raise Refused(f"it has several trees: {', '.join(map(shown, tops[:3]))}")
        self.where = tops[0]
        if self.where in self.blocked:
            raise Refused(self.blocked[self.where])
        return self.trees[self.where]

    def _from_inner(self) -> dict[str, bytes]:
        """The files of the one archive inside that has some."""
        if len(self.inner) > INNER:
            raise Refused(f"it has more than {INNER} archives; hand in one")
        found, trouble = {}, None
        for name, data in self.inner:
            search = Search(self.rubric)
            try:
                search.look(sources_of.archive_members(io.BytesIO(data)))
                search.inner.clear()  # an archive in an archive is deep enough
                files = search.files()
            except Refused as why:
                trouble = trouble or Refused(f"{shown(name)}: {why}")
                continue
            if files:
                found[f"{name}: {search.where}".rstrip(": ")] = files
        if len(found) > 1:
            names = ", ".join(map(shown, sorted(found)[:3]))
            raise Refused(f"it has several archives with the lab's files: {names}")
        for self.where, files in found.items():
            return files
        if trouble:
            raise trouble
        return {}


def _content(member: Member) -> bytes:
    """A source file's bytes; Refused if they are too many or no text."""
    name = shown(member.name)
    if member.size > FILE:
        raise Refused(f"{name}: is larger than {FILE >> 10} KiB")
    data = member.read(FILE + 1)
    if len(data) > FILE:
        raise Refused(f"{name}: is larger than {FILE >> 10} KiB")
    if b"\0" in data:
        raise Refused(f"{name}: is no text, it has NUL bytes")
    return data


def _search(source: str, rubric: Rubric, root: Path) -> tuple[Search, dict[str, bytes]]:
    """Search an archive, a folder or a revision, whichever the source is."""
    path = Path(source)
    repository, _, revision = source.rpartition("@")
    search = Search(rubric)
    if path.is_symlink():
        raise Refused("it is a link")
    if path.is_dir():
        search.look(sources_of.folder_members(path))
    elif path.is_file():
        if path.stat().st_size > sources_of.PACKED:
            raise Refused(f"it is larger than {sources_of.PACKED >> 20} MiB")
        with path.open("rb") as file:
            search.look(sources_of.archive_members(file))
    elif path.exists():
        raise Refused("it is no file")
    elif repository and Path(repository).is_dir():
        search.look(sources_of.revision_members(Path(repository), revision))
    elif source.startswith((".", "/")) or source.lower().endswith((*ARCHIVES, ".gz")):
        raise Refused("there is no such file")
    else:
        search.look(sources_of.revision_members(root, source))
    return search, search.files()


def collect(source: str, rubric: Rubric, root: Path) -> Submission:
    """Take the rubric's files out of what was handed in; Refused says why not."""
    try:
        search, files = _search(source, rubric, root)
    except OSError as error:
        raise Refused(f"it cannot be read: {error.strerror or error}") from error
    missing = [name for name in rubric.files if name not in files]
    if not files:
        raise Refused(f"it has none of the lab's files, such as {rubric.files[0]}")
    name = PurePosixPath(source).name or source
    took = f"{len(files)} of {len(rubric.files)} files from "
    took += f"{shown(search.where)} in {shown(name)}" if search.where else shown(name)
    return Submission(files, missing, took)


def pack(tree: Path, rubric: Rubric, place: Path) -> None:
    """Write the lab's files of a tree as an archive to hand in."""
    with place.open("wb") as raw, gzip.GzipFile("", "wb", 9, raw, 0) as packed:
        with tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar:
            for name in rubric.files:
                info = tarfile.TarInfo(name)
                data = (tree / name).read_bytes()
                info.size, info.mode = len(data), 0o644
                tar.addfile(info, io.BytesIO(data))
