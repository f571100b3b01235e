"""The kernel as GDB sees it: what runs, its variables, its memory.

Everything here reads; nothing changes the machine.  What is read may be half
built or broken, because that is when one looks: pointers are checked by
trying, lists have an end, and a text that is none is shown as it is.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import gdb

LIST_MAX = 20000  # longest list that is believed
PAGING = 1 << 31  # CR0.PG
DIRECT_BASE = 0xFFFF800000000000  # boot/boot.h: all RAM is mapped from here
STAGES = {2: "mmu_init", 3: "sched_init", 4: "files_init"}
STAGE_BRINGS = {1: "traps", 2: "page frames", 3: "processes", 4: "files"}


class Unready(Exception):
    """The kernel has not come so far; the text says how far it is."""


def register(name: str, thread: gdb.InferiorThread | None = None) -> int:
    """A register of a CPU (default: of the selected one), flags and all."""
    if thread is not None:
        thread.switch()
    return int(gdb.newest_frame().read_register(name)) & (1 << 64) - 1


def no_machine() -> str:
    """Why there is nothing to look at."""
    if os.environ.get("LUX9_CONSOLE"):  # inside make gdb
        return "the machine has ended; `lux log` shows its console"
    return "no machine is attached: `make gdb` does that"


@contextmanager
def kernel_view() -> Iterator[None]:
    """Look through a CPU whose page tables show the kernel; then go back."""
    thread = gdb.selected_thread()
    if thread is None:
        raise Unready(no_machine())
    frame = gdb.selected_frame()
    others = sorted(gdb.selected_inferior().threads(), key=lambda t: t.num)
    try:
        if not any(shows_kernel(candidate) for candidate in (thread, *others)):
            raise Unready("the kernel has not started yet: `continue` first")
        yield
    finally:
        thread.switch()
        if frame.is_valid():
            frame.select()


def shows_kernel(thread: gdb.InferiorThread) -> bool:
    """Whether that CPU has paging on and the kernel mapped; selects it."""
    try:
        if not register("cr0", thread) & PAGING:
            return False
        value("bootinfo.loader").fetch_lazy()
        return True
    except gdb.error:
        return False


def stage() -> int:
    """How many layers this kernel has."""
    return max([1] + [n for n, name in STAGES.items() if has(name)])


def need(wanted: int) -> None:
    """Unready unless the layers up to `wanted` are there and have started."""
    if stage() < wanted:
        raise Unready(
            f"this is a kernel of stage {stage()}: {STAGE_BRINGS[wanted]} "
            f"come with stage {wanted}"
        )
    begun = {2: "kernel_root", 3: "cpus[0].proc"}.get(wanted)
    if begun is not None and int(value(begun)) == 0:
        raise Unready(f"{STAGE_BRINGS[wanted]} have not started yet: `continue` first")


def has(name: str) -> bool:
    """Whether the kernel has a function or variable of that name."""
    return gdb.lookup_global_symbol(name) is not None


def value(expression: str) -> gdb.Value:
    """A kernel variable, and what follows it: "ram.free", "cpus[1].proc".

    It is found as a global one, whatever the selected frame's function calls
    by that name."""
    name = re.match(r"\w+", expression)[0]
    symbol = gdb.lookup_global_symbol(name)
    if symbol is None:
        raise gdb.error(f"this kernel has no variable {name}")
    gdb.set_convenience_variable("lux_variable", symbol.value().address)
    return gdb.parse_and_eval(f"(*$lux_variable){expression[len(name):]}")


def static(file: str, name: str) -> gdb.Value:
    """A static variable of one kernel source file."""
    return gdb.parse_and_eval(f"'{file}'::{name}")


def text(chars: gdb.Value) -> str:
    """A C string or character array; "?" if the memory cannot be read."""
    try:
        if chars.type.code == gdb.TYPE_CODE_PTR and int(chars) == 0:
            return ""
        raw = chars.string("latin-1", length=-1)
    except gdb.error:
        return "?"
    return re.sub(r"[^ -~]", ".", raw.split("\0")[0])[:80]


def enum_name(type_name: str, number: int, prefix: str = "") -> str:
    """The name of an enumerator, less its prefix, in lower case."""
    for field in gdb.lookup_type(f"enum {type_name}").fields():
        if field.enumval == number:
            return field.name.removeprefix(prefix).lower()
    return f"{type_name} {number}?"


def container(node: gdb.Value, type_name: str, member: str) -> gdb.Value:
    """The structure that holds a list or heap node, as a pointer to it."""
    kind = gdb.lookup_type(type_name)
    offset = 0
    for name in member.split("."):
        field = next(f for f in kind.fields() if f.name == name)
        offset, kind = offset + field.bitpos // 8, field.type
    address = int(node.address if node.type.code == gdb.TYPE_CODE_STRUCT else node)
    pointer = gdb.lookup_type(type_name).pointer()
    return gdb.Value(address - offset).cast(pointer)


def members(head: gdb.Value, type_name: str, member: str) -> Iterator[gdb.Value]:
    """What is on a struct list, in order; stops where it makes no sense."""
    first, node = int(head.address), head["next"]
    for _ in range(LIST_MAX):
        if int(node) in (0, first):
            return
        yield container(node, type_name, member)
        node = node["next"]


def heap(node: gdb.Value) -> Iterator[gdb.Value]:
    """The nodes of a struct heap, from its root, in order of their keys."""
    todo, found = [node], []
    while todo and len(found) < LIST_MAX:
        at = todo.pop()
        while int(at) != 0 and len(found) < LIST_MAX:
            found.append(at)
            todo.append(at["child"])
            at = at["next"]
    yield from sorted(found, key=lambda n: int(n["key"]))


def read_bytes(address: int, length: int) -> bytes:
    """Memory at a virtual address, as the selected CPU sees it."""
    return bytes(gdb.selected_inferior().read_memory(address, length))


def read_word(address: int) -> int:
    """Eight bytes of memory as a number."""
    return int.from_bytes(read_bytes(address, 8), "little")


def cpu_thread(cpu: gdb.Value) -> gdb.InferiorThread | None:
    """GDB's thread for a struct cpu: QEMU counts CPUs as their APIC ids do."""
    for thread in gdb.selected_inferior().threads():
        if thread.num == int(cpu["apic_id"]) + 1:
            return thread
    return None


def cpu_count() -> int:
    """CPUs that run, as far as that is believable."""
    limit = value("cpus").type.range()[1] + 1
    return max(1, min(limit, int(value("ncpu"))))


def tsc_now() -> int:
    """An estimate of the time-stamp counter: the latest a CPU has written."""
    procs = [value(f"cpus[{i}].proc") for i in range(cpu_count())]
    return max([int(p["ran_from"]) for p in procs if int(p)] + [0])
