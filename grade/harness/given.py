"""How much time the host has given to the CPUs of a machine.

On a busy host a virtual CPU that could run often waits for a real one.  That
time must not count against a kernel: eight CPUs on two cores, beside other
work, may wait for nineteen seconds of twenty.
"""

from __future__ import annotations

import time
from pathlib import Path


class GivenTime:
    """The time since the start less the time that a thread waited for a CPU.

    Linux counts the waiting (schedstat in proc(5)); on a host that does not,
    all time is given.
    """

    def __init__(self, threads: list[int]) -> None:
        """Begin at 0 for these threads, of any process."""
        self.start = time.monotonic()
        self.waited = {thread: self._waited(thread) for thread in threads}

    @staticmethod
    def _waited(thread: int) -> float:
        """Seconds that a thread, which may have ended, has waited in its life."""
        try:
            text = Path(f"/proc/{thread}/task/{thread}/schedstat").read_text(
                encoding="utf-8"
            )
        except OSError:
            return 0.0
        return int(text.split()[1]) / 1e9

    def seconds(self) -> float:
        """The time given to the thread that was given least."""
        longest = max(self._waited(t) - before for t, before in self.waited.items())
        return time.monotonic() - self.start - max(0.0, longest)
