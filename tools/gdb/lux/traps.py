"""How GDB's `backtrace` gets from a trap's handler to what was interrupted.

The stubs in assembly have no unwind tables; GDB's own guess at them finds the
wrong caller.  But when a handler runs, a struct trapframe lies where the stub
called it: all registers of the caller are in there.
"""

import gdb
from gdb.unwinder import Unwinder, register_unwinder

# the instructions with the trap frame at rsp: first label, label after the last
SPANS = [
    ("trap_common.dispatch", "trap_return.kernel"),
    ("trap_any_gs.dispatch", "trap_any_gs.kernel_gs"),
]
SAVED = "rax rbx rcx rdx rsi rdi rbp r8 r9 r10 r11 r12 r13 r14 r15 rip rsp".split()


class FrameId:
    """What tells a stub's frame from others: where it lies, and its code."""

    def __init__(self, sp: gdb.Value, pc: gdb.Value) -> None:
        self.sp = sp
        self.pc = pc


def address(label: str) -> int:
    return int(gdb.parse_and_eval(f"(unsigned long)&'{label}'"))


class TrapUnwinder(Unwinder):
    def __init__(self) -> None:
        super().__init__("trap frames")

    def __call__(self, pending: gdb.PendingFrame) -> gdb.UnwindInfo | None:
        pc, sp = pending.read_register("rip"), pending.read_register("rsp")
        try:
            inside = any(address(a) <= int(pc) <= address(b) for a, b in SPANS)
            frame = sp.cast(gdb.lookup_type("struct trapframe").pointer())
        except gdb.error:  # another program's symbols
            return None
        if not inside:
            return None
        unwind = pending.create_unwind_info(FrameId(sp, pc))
        for name in SAVED:
            unwind.add_saved_register(name, frame[name])
        return unwind


register_unwinder(None, TrapUnwinder(), replace=True)
