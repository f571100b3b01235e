#!/usr/bin/env python3
"""Measure the rows of the speed table and keep them in docs/bench.tsv.

The unit is the guest instruction: one CPU, 512 MiB, `-icount shift=0`, where
the TSC advances one an instruction and a run repeats exactly.  Prints each
row beside the one that was stored, and stores the new ones.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from grade.harness.build import Variant, last_stage  # noqa: E402
from grade.harness.machine import Result, Setup, run  # noqa: E402

TABLE = ROOT / "docs" / "bench.tsv"
HEADER = ("operation", "instructions", "cr3_loads", "kernel_entries")
LIMITS = {  # the design's upper bounds, instructions
    "syscall_null": 150,
    "ipc_roundtrip": 1_200,
    "fault_zero": 1_200,
    "fork_exit_wait": 60_000,
    "fork_exec_wait": 150_000,
    "boot_prompt": 40_000_000,
}
if last_stage() >= 4:
    LIMITS |= {
        "pipe_1_roundtrip": 3_100,
        "pipe_64k": 25_000,
        "9p_read_4k": 6_500,
        "9p_read_64k": 35_000,
        "9p_open_close": 21_000,
    }

Rows = dict[str, tuple[str, str, str]]


def boot(variant: Variant, cmdline: str, limit: int) -> Result:
    """Run one machine as the table says."""
    setup = Setup(
        kernel=variant.kernel,
        initrd=variant.archive,
        cmdline=f"records {cmdline}".strip(),
        mem="512M",
        shift=0,
        limit=limit,
    )
    return run(setup)


def measure_programs(variant: Variant) -> Rows:
    """What the program bench reports."""
    result = boot(variant, "init=bin/bench", 30)
    words = [text.split() for text in result.of("user")]
    rows = {w[1]: (w[2], w[3], w[4]) for w in words if w[0] == "bench"}
    if result.end != "exit" or result.status != 0 or not rows:
        sys.exit(f"bench: the program failed\n{result.report()}")
    return rows


def measure_boot(variant: Variant) -> Rows:
    """From the kernel's first instruction to the shell's first prompt."""
    result = boot(variant, "", 2)
    start = result.of("start")
    text = "\n".join(result.of("user"))
    prompt = re.search(r"info prompt tsc=(\d+) cr3=(\d+) entries=(\d+)", text)
    if not start or prompt is None:
        sys.exit(f"bench: no prompt\n{result.report()}")
    insns = int(prompt[1]) - int(start[0])
    return {"boot_prompt": (str(insns), prompt[2], prompt[3])}


def read_table(path: Path) -> Rows:
    """The stored rows; none if there is no file yet."""
    if not path.exists():
        return {}
    lines = [
        line.split("\t") for line in path.read_text(encoding="utf-8").splitlines()[1:]
    ]
    return {words[0]: (words[1], words[2], words[3]) for words in lines}


def write_table(path: Path, rows: Rows) -> None:
    """Store rows, one a line, under the header."""
    lines = ["\t".join(HEADER)]
    lines += ["\t".join((name, *values)) for name, values in rows.items()]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def show(rows: Rows, last: Rows) -> None:
    """Print rows with their bounds and the difference from the last ones."""
    print(f"{'operation':16} {'insns':>10} {'last':>10} {'change':>8} ", end="")
    print(f"{'at most':>10} {'cr3':>6} {'entries':>8}")
    for name, (insns, cr3, entries) in rows.items():
        old = last[name][0] if name in last else ""
        change = f"{100 * (int(insns) / int(old) - 1):+.1f} %" if old else "new"
        bound = LIMITS.get(name)
        over = "  over its bound" if bound and int(insns) > bound else ""
        print(f"{name:16} {insns:>10} {old:>10} {change:>8} ", end="")
        print(f"{bound or '':>10} {cr3:>6} {entries:>8}{over}")


def main() -> None:
    """Measure, compare, store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dry", action="store_true", help="store nothing")
    options = parser.parse_args()
    variant = Variant(ktest=False)
    variant.make("all")
    measured = {**measure_programs(variant), **measure_boot(variant)}
    names = [name for name in LIMITS if name in measured]
    rows = {name: measured[name] for name in names}
    rows |= {name: row for name, row in measured.items() if name not in rows}
    show(rows, read_table(TABLE))
    if not options.dry:
        write_table(TABLE, rows)


if __name__ == "__main__":
    main()
