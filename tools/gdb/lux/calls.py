"""lux bt: the calls of any process, in the kernel and in its program.

A process that sleeps has its kernel stack at p->ksp, as x86_64/switch.asm
left it; the program's registers are in p->tf.  From there both stacks are
read by frame pointers.  What runs on a CPU is asked of GDB instead, which
knows better in the first and last instructions of a function.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import gdb

from lux import kernel, processes, programs, walk
from lux.command import LuxCommand

MAX_CALLS = 40
SAVED_RBP = 40  # x86_64/switch.asm draws what is on a stack at ksp
UPPER_HALF = 1 << 63
SYSCALL, PUSH_RBP, MOV_RBP_RSP = b"\x0f\x05", b"\x55", b"\x48\x89\xe5"


def describe(pc: int, look: int | None = None) -> str:
    """A kernel address as function+offset and its line in the source.

    A return address may be the first of the next function: `look` is then
    the address before it."""
    look = pc if look is None else look
    blocks = functions(look)
    if blocks:
        name, start = str(blocks[-1].function), blocks[-1].start
    else:
        symbol = gdb.execute(f"info symbol {look:#x}", to_string=True)
        words = symbol.split()
        if symbol.startswith("No symbol"):
            return f"{pc:#018x} ?"
        name = words[0]
        offset = int(words[2]) if words[1:2] == ["+"] else 0
        start = look - offset
    inlined = f" ({blocks[0].function})" if len(blocks) > 1 else ""
    line = gdb.find_pc_line(look)
    place = f"  {line.symtab.filename}:{line.line}" if line.symtab else ""
    return f"{pc:#018x} {name}+{pc - start:#x}{inlined}{place}"


def functions(pc: int) -> list[gdb.Block]:
    """The function at pc, last; before it those inlined there, inmost first."""
    block, found = gdb.block_for_pc(pc), []
    while block is not None and not block.is_static:
        if block.function is not None:
            found.append(block)
        block = block.superblock
    return found


def kernel_calls(pc: int, frame: int) -> Iterator[str]:
    """Calls on a kernel stack, by frame pointers, until one makes no sense."""
    yield describe(pc)
    for _ in range(MAX_CALLS):
        if frame < UPPER_HALF or frame % 8:
            return
        try:
            caller, ret = kernel.read_word(frame), kernel.read_word(frame + 8)
        except gdb.MemoryError:
            return
        if ret < UPPER_HALF:
            return
        yield describe(ret, ret - 1)
        if caller <= frame:
            return
        frame = caller


def gdb_calls(thread: gdb.InferiorThread) -> Iterator[str]:
    """Calls of what a CPU runs in the kernel, as GDB unwinds them."""
    thread.switch()
    frame, first = gdb.newest_frame(), True
    for _ in range(MAX_CALLS):
        if frame is None or frame.pc() < UPPER_HALF:
            return
        if frame.type() != gdb.INLINE_FRAME:
            yield describe(frame.pc(), frame.pc() - (not first))
            first = False
        try:
            frame = frame.older()
        except gdb.error:
            return


def user_calls(p: gdb.Value, pc: int, frame: int, sp: int) -> Iterator[str]:
    """Calls on a program's stack, by frame pointers, all of it suspect."""
    root = processes.space_root(p["space"])
    shown = [pc, *hidden_caller(root, pc, sp)]
    while len(shown) < MAX_CALLS and 0 < frame < UPPER_HALF and frame % 8 == 0:
        try:
            data = walk.read_in(root, frame, 16)
        except gdb.MemoryError:
            break
        caller = int.from_bytes(data[:8], "little")
        ret = int.from_bytes(data[8:], "little")
        if ret == 0:
            break
        shown.append(ret)
        if caller <= frame:
            break
        frame = caller
    look = [pc, *(ret - 1 for ret in shown[1:])]
    names = programs.lines(kernel.text(p["name"]), look)
    yield from (f"{at:#018x} {name}" for at, name in zip(shown, names))


def hidden_caller(root: int, pc: int, sp: int) -> list[int]:
    """Who called a function that has no frame (the stub of a system call) or
    has not made it yet, as its next or last instruction tells."""
    try:
        code = walk.read_in(root, pc - 2, 5)
        for at, instruction in ((sp, SYSCALL), (sp, PUSH_RBP), (sp + 8, MOV_RBP_RSP)):
            if code.startswith(instruction, 0 if instruction == SYSCALL else 2):
                return [int.from_bytes(walk.read_in(root, at, 8), "little")]
    except gdb.MemoryError:
        pass
    return []


def running_thread(p: gdb.Value) -> gdb.InferiorThread | None:
    """The CPU that runs a process right now."""
    for i in range(kernel.cpu_count()):
        cpu = kernel.value(f"cpus[{i}]")
        if int(cpu["proc"]) == int(p):
            return kernel.cpu_thread(cpu)
    return None


def both_stacks(p: gdb.Value) -> tuple[list[str], list[str]]:
    """A process's calls in the kernel, and in its program."""
    thread = running_thread(p)
    user = [int(p["tf"][name]) for name in ("rip", "rbp", "rsp")]
    if thread is not None and kernel.register("rip", thread) < UPPER_HALF:
        user = [kernel.register(name) for name in ("rip", "rbp", "rsp")]
        return [], list(user_calls(p, *user))
    if thread is not None:
        calls = list(gdb_calls(thread))
    else:
        rbp_at = int(p["ksp"]) + SAVED_RBP
        rbp, ret = kernel.read_word(rbp_at), kernel.read_word(rbp_at + 8)
        calls = list(kernel_calls(ret, rbp))
    in_program = int(p["space"]) != 0 and user[0] != 0
    return calls, list(user_calls(p, *user)) if in_program else []


class Bt(LuxCommand):
    """The calls of a process, in the kernel and in its program: lux bt PID|all.

    Works for processes that sleep, are ready, or run on another CPU.  The
    program's functions come from its ELF in the build folder."""

    word = "bt"
    stage = 3

    def run(self, words: list[str]) -> Iterable[str]:
        """A head and two stacks for each process asked for."""
        if len(words) != 1:
            raise ValueError("of which process? lux bt PID, or lux bt all")
        if words == ["all"]:
            chosen = list(processes.every())
        else:
            chosen = [processes.find(words[0])]
        for p in chosen:
            why = processes.where(p)
            yield f"{processes.label(p)}: {processes.state(p)}{why and ', ' + why}"
            try:
                in_kernel, in_program = both_stacks(p)
            except gdb.error as error:
                yield f"  its stacks cannot be read: {error}"
                continue
            lines = [("kernel", in_kernel), ("program", in_program)]
            for kind, calls in lines:
                if calls:
                    yield f"  {kind}"
                yield from (f"    #{n:<2} {call}" for n, call in enumerate(calls))
