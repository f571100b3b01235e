"""QMP: the control connection to a running QEMU, and nothing about Lux9."""

from __future__ import annotations

import json
import select
import socket
import time
from typing import Any


class Closed(Exception):
    """QEMU ended (or was killed) and the connection with it."""


class Qmp:
    """A QMP session over a connected socket; events are kept in order."""

    def __init__(self, sock: socket.socket, deadline: float) -> None:
        """Greet QEMU; `deadline` (time.monotonic) bounds every wait."""
        self.sock = sock
        self.deadline = deadline
        self.events: list[dict[str, Any]] = []
        self._pending = b""
        self._read()  # greeting
        self.command("qmp_capabilities")

    def _read(self, deadline: float | None = None) -> dict[str, Any] | None:
        """The next message, or None if an earlier deadline of ours passed."""
        limit = self.deadline if deadline is None else min(deadline, self.deadline)
        while b"\n" not in self._pending:
            wait = limit - time.monotonic()
            if wait <= 0 or not select.select([self.sock], [], [], wait)[0]:
                if limit == self.deadline:
                    raise TimeoutError("QEMU did not answer in time")
                return None
            try:
                data = self.sock.recv(65536)
            except ConnectionError:
                data = b""
            if not data:
                raise Closed
            self._pending += data
        line, self._pending = self._pending.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def command(self, name: str, **arguments: Any) -> Any:
        """Run a QMP command and return its answer; RuntimeError if refused."""
        line = json.dumps({"execute": name, "arguments": arguments}) + "\n"
        try:
            self.sock.sendall(line.encode())
        except OSError as error:
            raise Closed from error
        while True:
            message = self._read()
            assert message is not None
            if "return" in message:
                return message["return"]
            if "error" in message:
                raise RuntimeError(f"{name}: {message['error']['desc']}")
            if "event" in message:
                self.events.append(message)

    def hmp(self, line: str) -> str:
        """Run a command of the human monitor and return what it prints."""
        answer = self.command("human-monitor-command", **{"command-line": line})
        return str(answer).replace("\r\n", "\n")

    def received(self) -> bool:
        """Whether a message is here already, so that no socket will tell."""
        return bool(self.events) or b"\n" in self._pending

    def next_event(self, wait: float | None = None) -> dict[str, Any] | None:
        """The next event; None after `wait` seconds of host time without one."""
        if self.events:
            return self.events.pop(0)
        deadline = None if wait is None else time.monotonic() + wait
        while True:
            message = self._read(deadline)
            if message is None or "event" in message:
                return message
