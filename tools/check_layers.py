#!/usr/bin/env python3
"""Kernel folders include only their own headers and those of lower layers.

That nothing calls upward either is shown by `make STAGE=1` and `STAGE=2`:
they link without the layers above.  Headers begin with #pragma once, and
user programs see of the kernel only include/lux and what the library shares.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
LAYERS = ["boot", "mmu", "sched", "9p", "exchange", "sip"]
INCLUDE = re.compile(r'^\s*[#%]\s*include\s+"([^"]+)"', re.M)


def upward(source: Path, layer: int) -> list[str]:
    """The includes of a kernel file that name a higher layer."""
    found = []
    for name in INCLUDE.findall(source.read_text(encoding="utf-8")):
        folder = name.split("/")[0]
        if folder in LAYERS and LAYERS.index(folder) > layer:
            found.append(f"{source.relative_to(ROOT)}: includes upward: {name}")
        elif "/" in name and not (ROOT / "kernel" / name).exists():
            found.append(f"{source.relative_to(ROOT)}: no such header: {name}")
    return found


def main() -> int:
    """Print every include that goes upward; status 1 if there is one."""
    wrong: list[str] = []
    for layer, folder in enumerate(LAYERS):
        for source in sorted((ROOT / "kernel" / folder).rglob("*.*")):
            wrong += upward(source, layer)
    for header in sorted(ROOT.glob("kernel/**/*.h")) + sorted(ROOT.glob("user/**/*.h")):
        if "#pragma once" not in header.read_text(encoding="utf-8"):
            wrong.append(f"{header.relative_to(ROOT)}: lacks #pragma once")
    for source in sorted((ROOT / "user").rglob("*.[ch]")):
        for name in INCLUDE.findall(source.read_text(encoding="utf-8")):
            if name.split("/")[0] in LAYERS and name != "boot/format.h":
                wrong.append(f"{source.relative_to(ROOT)}: kernel header: {name}")
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
