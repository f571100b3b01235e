"""A machine of stage 4 with more serial ports, for what goes on over them."""

from __future__ import annotations

from pathlib import Path

from grade.harness.build import Variant
from grade.harness.machine import Machine, Setup

PROMPT = "lux9% $"
COM2 = "iobase=0x2f8,irq=3"  # make qemu SERVE=
COM3 = "iobase=0x3e8,irq=5"  # make qemu SHARE=


def machine_with_port(
    variant: Variant, port: str, line: str, host_limit: float = 150
) -> Machine:
    """One at its prompt, whose port's line is a socket.

    port is COM2 or COM3, line the socket as QEMU names it: "path=..." of one
    that listens, with ",server=on,wait=off" one that QEMU makes.  Its limit is
    the host's clock.  Of guest time the watchdog knows no more than half a
    minute: then the machine stands still until somebody waits for it, who here
    may be waiting for its answer on that line.
    """
    machine = Machine(
        Setup(
            kernel=variant.kernel,
            initrd=variant.archive,
            terminal=True,
            shift=None,
            limit=None,
            host_limit=host_limit,
            extra=(
                *("-chardev", f"socket,id=line,{line}"),
                *("-device", f"isa-serial,chardev=line,{port}"),
            ),
        )
    )
    machine.expect(PROMPT)
    return machine


def serving(variant: Variant, place: Path) -> Machine:
    """One that offers its name space at a Unix socket."""
    return machine_with_port(variant, COM2, f"path={place},server=on,wait=off")
