"""QEMU's GDB stub, spoken to directly: breakpoints, registers, memory.

The GDB remote protocol (GDB manual, appendix E) in the few packets that tests
need.  A whole GDB takes a hundred times as long to start.
"""

from __future__ import annotations

import socket
from pathlib import Path

# order of the registers in QEMU's `g` packet, 8 bytes each
REGISTERS = "rax rbx rcx rdx rsi rdi rbp rsp r8 r9 r10 r11 r12 r13 r14 r15 rip".split()


class Stub:
    """A connection to the stub; the machine is stopped while it is open."""

    def __init__(self, path: Path, timeout: float) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(timeout)
        self.sock.connect(str(path))
        self._pending = b""
        self.ask("?")

    def _send(self, packet: str) -> None:
        data = packet.encode()
        self.sock.sendall(b"+$" + data + b"#%02x" % (sum(data) & 255))

    def _receive(self) -> str:
        while b"#" not in self._pending[:-2]:
            data = self.sock.recv(65536)
            if not data:
                raise ConnectionError("QEMU closed its GDB stub")
            self._pending += data
        packet, rest = self._pending.split(b"#", 1)
        self._pending = rest[2:]
        return packet[packet.index(b"$") + 1 :].decode()

    def ask(self, packet: str) -> str:
        """Send a packet and return the answer; RuntimeError for an error."""
        self._send(packet)
        answer = self._receive()
        if answer.startswith("E"):
            raise RuntimeError(f"GDB stub: {packet[:40]} gives {answer}")
        return answer

    def read(self, address: int, length: int) -> bytes:
        """Memory at a virtual address of the stopped CPU."""
        data = b""
        while len(data) < length:
            size = min(length - len(data), 1024)
            data += bytes.fromhex(self.ask(f"m{address + len(data):x},{size:x}"))
        return data

    def write(self, address: int, data: bytes) -> None:
        """Change memory at a virtual address of the stopped CPU."""
        self.ask(f"M{address:x},{len(data):x}:{data.hex()}")

    def registers(self) -> dict[str, int]:
        """The general registers and rip of the stopped CPU."""
        raw = bytes.fromhex(self.ask("g"))
        return {
            name: int.from_bytes(raw[i * 8 : i * 8 + 8], "little")
            for i, name in enumerate(REGISTERS)
        }

    def set_register(self, name: str, value: int) -> None:
        """Change one register of the stopped CPU."""
        raw = bytearray.fromhex(self.ask("g"))
        at = REGISTERS.index(name) * 8
        raw[at : at + 8] = value.to_bytes(8, "little")
        self.ask("G" + raw.hex())

    def run_to(self, address: int) -> None:
        """Let the machine run until a CPU is about to execute address."""
        self.ask(f"Z1,{address:x},1")
        self.ask("c")
        self.ask(f"z1,{address:x},1")

    def step_to(self, address: int) -> None:
        """Like run_to, for a CPU that is at that address now: the next time."""
        self.ask("s")
        self.run_to(address)

    def call(self, function: int, *arguments: int) -> None:
        """Have the stopped CPU, at a function's start, call another one first."""
        before = self.ask("g")
        registers = self.registers()
        stack = registers["rsp"] - 8
        self.write(stack, registers["rip"].to_bytes(8, "little"))
        for name, value in zip("rdi rsi rdx rcx".split(), arguments):
            self.set_register(name, value)
        self.set_register("rsp", stack)
        self.set_register("rip", function)
        self.step_to(registers["rip"])
        self.ask("G" + before)

    def close(self) -> None:
        """Detach; the machine runs on."""
        self._send("D;1")
        self._receive()
        self.sock.close()
