"""A program that owns the terminal, as one started by a shell does.

Ctrl-C is GDB's: it stops the machine.  The terminal sends it to all processes
of its foreground group, and make and Python would end by it.  So the program
gets a group of its own, and the terminal, until it ends.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def unmoved() -> Iterator[None]:
    """Ctrl-C, and the loss of the terminal, change nothing here meanwhile.

    A handler, and not SIG_IGN, which a program started here would inherit.
    """
    signals = (signal.SIGINT, signal.SIGTTOU)
    before = [signal.signal(number, lambda *_: None) for number in signals]
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTOU})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        for number, handler in zip(signals, before):
            signal.signal(number, handler)


def owns_terminal() -> bool:
    """Whether standard input is a terminal that listens to this process."""
    try:
        return sys.stdin.isatty() and os.tcgetpgrp(0) == os.getpgrp()
    except (OSError, ValueError):
        return False


def run_in_foreground(words: list[str], **more: Any) -> int:
    """Run a program with the terminal; its exit status."""
    with unmoved():
        if not owns_terminal():
            return subprocess.run(words, **more).returncode

        def begin() -> None:
            os.setpgid(0, 0)
            os.tcsetpgrp(0, os.getpid())
            signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTTOU})

        program = subprocess.Popen(words, preexec_fn=begin, **more)
        try:
            return _wait(program)
        finally:
            os.tcsetpgrp(0, os.getpgrp())


def _wait(program: subprocess.Popen[bytes]) -> int:
    """Wait for its end; when Ctrl-Z stops it, this whole job stops with it."""
    while True:
        status = os.waitpid(program.pid, os.WUNTRACED)[1]
        if not os.WIFSTOPPED(status):
            program.returncode = os.waitstatus_to_exitcode(status)
            return program.returncode
        os.tcsetpgrp(0, os.getpgrp())
        os.kill(0, signal.SIGTSTP)  # the shell sees the job stop, and goes on
        os.tcsetpgrp(0, program.pid)
        os.killpg(program.pid, signal.SIGCONT)
