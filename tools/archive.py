#!/usr/bin/env python3
"""Pack the boot archive: ustar, the same bytes whatever packs it and whenever.

    archive.py ARCHIVE ROOT NAME...

Names are files and folders below ROOT; all that a folder holds goes in.  Of a
file's facts only its name and whether it may be run are kept.
"""

from __future__ import annotations

import os
import sys
import tarfile
from pathlib import Path


def plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    """A member without what differs between hosts and times."""
    info.uid = info.gid = info.mtime = 0
    info.uname = info.gname = ""
    info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
    return info


def main() -> int:
    """Write the archive that the arguments describe."""
    place, root, *names = sys.argv[1:]
    whole = [Path(root, name) for name in names]
    whole += [path for top in whole if top.is_dir() for path in top.rglob("*")]
    found = sorted({path.relative_to(root).as_posix() for path in whole})
    with tarfile.open(place, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name in found:
            tar.add(os.path.join(root, name), name, recursive=False, filter=plain)
    return 0


if __name__ == "__main__":
    sys.exit(main())
