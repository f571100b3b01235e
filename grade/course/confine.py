"""Run a command where it can reach nothing but one tree and the tools.

    python3 grade/course/confine.py TREE COMMAND ...
    python3 grade/course/confine.py --how       says how far it can go here

Linux namespaces, if this user may make them: no network, no other process,
read-only tools, no home, no /etc; only TREE can be written, and a /tmp that
goes away.  Root becomes nobody.  Where there are no namespaces (macOS, some
containers) the limits on files and memory are all that is left, and grade/
README.md says what then still guards the host.

Imported by nothing, and imports nothing of the tree: it runs as root.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
import tempfile

NOBODY = 65534
NEWNS, NEWUTS, NEWIPC = 0x20000, 0x4000000, 0x8000000  # clone(2)
NEWUSER, NEWPID, NEWNET = 0x10000000, 0x20000000, 0x40000000
RDONLY, NOSUID, NODEV, REMOUNT, BIND = 1, 2, 4, 32, 4096  # mount(2)
REC, PRIVATE, DETACH = 16384, 1 << 18, 2
PDEATHSIG, NO_NEW_PRIVS = 1, 38  # prctl(2)

TOOLS = "/usr /bin /sbin /lib /lib32 /lib64 /libx32 /opt".split()
CONFIG = "/etc/ld.so.cache /etc/alternatives".split()
DEVICES = "null zero full random urandom".split()
FILE_LIMIT = 256 << 20  # bytes in any file that is written


def libc() -> ctypes.CDLL:
    """The C library, with errno kept."""
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: object) -> None:
    """A call of the C library; OSError if it fails."""
    if getattr(libc(), name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(
    source: str, target: str, kind: str | None, flags: int, data: str = ""
) -> None:
    """mount(2)."""
    words = [source.encode(), target.encode(), kind.encode() if kind else None]
    call("mount", *words, ctypes.c_ulong(flags), data.encode() or None)


def bind(path: str, root: str, read_only: bool = True) -> None:
    """Show a file or folder of the host at the same place below root."""
    target = root + path
    if os.path.islink(path):
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.symlink(os.readlink(path), target)
        return
    if os.path.isdir(path):
        os.makedirs(target, exist_ok=True)
    else:
        os.makedirs(os.path.dirname(target), exist_ok=True)
        open(target, "w", encoding="utf-8").close()
    mount(path, target, None, BIND | REC)
    if read_only:
        mount("none", target, None, REMOUNT | BIND | RDONLY | NOSUID | NODEV)


def unshare() -> None:
    """Namespaces of our own; as another user than root only with a user's."""
    flags = NEWNS | NEWUTS | NEWIPC | NEWPID | NEWNET
    if os.geteuid() == 0:
        call("unshare", flags)
        return
    uid, gid = os.geteuid(), os.getegid()
    call("unshare", flags | NEWUSER)
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w", encoding="utf-8") as file:
            file.write(text)


def enter(tree: str, root: str) -> None:
    """Make the small world at root and go there; in the new process 1."""
    mount("none", "/", None, REC | PRIVATE)
    mount("none", root, "tmpfs", NOSUID | NODEV, "size=512m,mode=755")
    for folder in ("/tmp", "/dev/shm"):
        os.makedirs(root + folder, exist_ok=True)
        os.chmod(root + folder, 0o1777)
    for path in TOOLS + CONFIG + [f"/dev/{name}" for name in DEVICES]:
        if os.path.lexists(path):
            bind(path, root, read_only=not path.startswith("/dev"))
    os.makedirs(root + "/proc", exist_ok=True)
    try:
        mount("proc", root + "/proc", "proc", NOSUID | NODEV)
    except OSError:
        pass  # nothing needs it
    bind(tree, root, read_only=False)
    os.chroot(root)


def drop() -> None:
    """No privileges, no cores, no huge files; end with the parent."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
    call("prctl", NO_NEW_PRIVS, 1, 0, 0, 0)
    call("prctl", PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (FILE_LIMIT, FILE_LIMIT))


def confined(tree: str, command: list[str]) -> int:
    """Run the command in namespaces; its exit status.  OSError: none to be had."""
    unshare()
    root = tempfile.mkdtemp(prefix="lux9-root-")
    child = os.fork()
    if child == 0:
        try:
            enter(tree, root)
            drop()
            os.chdir(tree)
            os.execvp(command[0], command)
        except OSError as error:
            print(f"confine: {error}", file=sys.stderr)
            os._exit(125)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: os.kill(child, signal.SIGKILL))
    status = os.waitpid(child, 0)[1]
    libc().umount2(root.encode(), DETACH)
    os.rmdir(root)
    return os.waitstatus_to_exitcode(status)


def possible() -> bool:
    """Whether namespaces can be made here: tried, in a child."""
    if sys.platform != "linux":
        return False
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
        try:
            os._exit(confined("/usr/share", ["true"]) != 0)
        except OSError:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


def main(words: list[str]) -> int:
    """Do what the words say."""
    if words == ["--how"]:
        user = "nobody" if os.geteuid() == 0 else "you"
        print(f"namespaces, as {user}" if possible() else f"limits only, as {user}")
        return 0
    tree, *command = words
    tree = os.path.realpath(tree)
    if sys.platform == "linux":
        call("prctl", PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if possible():
            return abs(confined(tree, command))
        drop()
    os.chdir(tree)
    os.execvp(command[0], command)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
