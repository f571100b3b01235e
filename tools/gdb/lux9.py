"""Lux9's commands for GDB: `make gdb` loads this file.

By hand: gdb -x tools/gdb/lux9.py build/s3/lux9.elf.  `help lux` lists the
commands.  They know the kernel by its own debugging information: names of
variables and members, but no offset and no number of an enumeration.
"""

import pathlib
import sys

import gdb

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

# Each module defines the commands about one subject.
from lux import calls, command, console, cpus, early, files  # noqa: E402
from lux import locks, memory, processes, programs, ring  # noqa: E402
from lux import runq, traps, walk  # noqa: E402, F401

subjects = [cpus, processes, calls, programs, runq, locks, walk, memory, ring]
command.define(*subjects, files, early, console)
console.Watch().start()
gdb.execute("set print pretty on")
