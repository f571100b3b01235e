"""Files: lux chan, lux ns, lux 9p."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import gdb

from lux import kernel, processes
from lux.command import LuxCommand, table

MODES = {0: "r", 1: "w", 2: "rw"}


def path_of(path: gdb.Value) -> str:
    """The name by which a channel was reached."""
    names: list[str] = []
    for _ in range(64):
        if int(path) == 0:
            break
        start = path["name"].address.cast(gdb.lookup_type("char").pointer())
        names.append(kernel.text(start))
        path = path["up"]
    if not names:
        return "?"
    root = names.pop()
    below = "/".join(reversed([name for name in names if name]))
    return f"{root.rstrip('/')}/{below}" if below else root


def qid_of(qid: gdb.Value) -> str:
    """A qid as Plan 9 shows it: path.version and letters."""
    kinds = "".join(c for i, c in enumerate("daxmAt") if int(qid["type"]) & 0x80 >> i)
    return f"{int(qid['path']):x}.{int(qid['vers'])}{kinds}"


def device(c: gdb.Value) -> str:
    """A channel's device and which instance: "#M 3"."""
    if int(c["dev"]) == 0:
        return "-"
    return f"#{chr(int(c['dev']['letter']))} {int(c['devno'])}"


def files_of(word: str) -> gdb.Value:
    """What a process has of files; LookupError if it has none."""
    p = processes.find(word)
    if int(p["files"]) == 0 or int(p["files"]["fds"]) == 0:
        raise LookupError(f"process {word} has no files")
    return p["files"]


class Chan(LuxCommand):
    """Show the open files of a process: lux chan PID.

    Descriptor, how it is open, device, qid, offset, references to the channel,
    and the path; then its root and current directory."""

    word = "chan"
    stage = 4

    def run(self, words: list[str]) -> Iterable[str]:
        """One line a channel."""
        if len(words) != 1:
            raise ValueError("usage: lux chan PID")
        files = files_of(words[0])
        rows: list[list[object]] = ["FD MODE DEV QID OFFSET REFS PATH".split()]
        fds = files["fds"]
        for fd in range(int(fds["room"])):
            if int(fds["fd"][fd]) != 0:
                rows.append(self.row(str(fd), fds["fd"][fd]))
        rows += [self.row(name, files[name]) for name in ("root", "dot")]
        return table(rows, "r   rr")

    @staticmethod
    def row(fd: str, c: gdb.Value) -> list[object]:
        """The cells about one channel."""
        mode = MODES.get(int(c["mode"]), "-")
        cells = [fd, mode, device(c), qid_of(c["qid"]), int(c["offset"])]
        return cells + [int(c["ref"]), path_of(c["path"])]


class Ns(LuxCommand):
    """Show a process's name space: lux ns PID.

    One line for each place and each directory bound there, in the order in
    which they were bound; several make a union, searched from the top."""

    word = "ns"
    stage = 4

    def run(self, words: list[str]) -> Iterable[str]:
        """One line a bound directory."""
        if len(words) != 1:
            raise ValueError("usage: lux ns PID")
        rows: list[list[object]] = ["PLACE FILE IS DEV FILE REFS".split()]
        for place in sorted(places(files_of(words[0])["ns"]), key=serial):
            rows += self.rows(place)
        return table(rows)

    @staticmethod
    def rows(place: gdb.Value) -> Iterator[list[object]]:
        """The cells about what is bound at one place."""
        at, join = place["from"], place["join"]
        for i in range(int(join["n"])):
            to = join["part"][i]["to"]
            what = [path_of(to["path"]), device(to), qid_of(to["qid"]), int(to["ref"])]
            head = [path_of(at["path"]), f"{device(at)} {qid_of(at['qid'])}"]
            yield (head if i == 0 else ["", ""]) + what


def serial(place: gdb.Value) -> int:
    """When a place was bound."""
    return int(place["serial"])


def places(ns: gdb.Value) -> Iterator[gdb.Value]:
    """All places of a name space where something is bound."""
    for bucket in range(ns["hash"].type.range()[1] + 1):
        place = ns["hash"][bucket]
        for _ in range(kernel.LIST_MAX):
            if int(place) == 0:
                break
            yield place
            place = place["next"]


def message(kind: int) -> str:
    """The name of a message: "Twalk"."""
    return kernel.enum_name("fcall_type", kind).capitalize()


class NineP(LuxCommand):
    """Show 9P connections and the messages in flight: lux 9p.

    For each connection the stream it runs on, message size, fids and tags in
    use, who reads it, and why it is broken if it is; then its requests: who
    waits for the answer ("-": abandoned), and what was asked."""

    word = "9p"
    stage = 4

    def run(self, words: list[str]) -> Iterable[str]:
        """A paragraph for each connection."""
        found = False
        for conn in kernel.members(kernel.value("conns"), "struct conn", "link"):
            found = True
            yield self.headline(conn)
            yield from self.requests(conn)
        if not found:
            yield "no 9P connection"

    @staticmethod
    def headline(conn: gdb.Value) -> str:
        """What there is to say of the connection itself."""
        reader = conn["reader"]
        text = f"#M {int(conn['number'])} on {path_of(conn['chan']['path'])}"
        text += f": msize {int(conn['msize'])}, {int(conn['fids']['used'])} fids, "
        text += f"{int(conn['tags']['used'])} tags"
        if int(reader):
            text += f", read by {processes.label(reader)}"
        if int(conn["broken"]):
            why = kernel.text(conn["why"]) or "the server is gone"
            text += f"; broken: {why}"
        return text

    @staticmethod
    def requests(conn: gdb.Value) -> list[str]:
        """The requests that have no answer yet."""
        rows: list[list[object]] = []
        for name in ("waiting", "abandoned"):
            for r in kernel.members(conn[name], "struct request", "link"):
                waiter = processes.label(r["waiter"]) if int(r["waiter"]) else "-"
                fid = int(r["fid"]["number"]) if int(r["fid"]) else "-"
                asked = [message(int(r["type"])), f"fid {fid}"]
                if int(r["newfid"]):
                    asked.append(f"newfid {int(r['newfid']['number'])}")
                if int(r["asked"]):
                    asked.append(f"count {int(r['asked'])}")
                if int(r["flushes"]):
                    asked.append(f"oldtag {int(r['flushes']['tag'])}")
                rows.append(["  tag", int(r["tag"]), waiter, " ".join(asked)])
        return table(rows, " r") if rows else []
