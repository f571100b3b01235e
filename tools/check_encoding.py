#!/usr/bin/env python3
"""Python names the encoding of every text that it reads, writes or hears.

Without one it is the locale's: ASCII in a bare container, where a tool then
stumbles over the first letter of a name.
"""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

ROOT = Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()
FOLDERS = ("tools", "grade", "labs", "docs")
TEXT_MODE = re.compile(r"[rwax]\+?t?")
BYTES = ("os", "gzip", "bz2", "lzma", "tarfile", "zipfile")  # not their open
METHODS = {"read_text": 0, "write_text": 1}  # where the encoding stands


def _text_mode(call: ast.Call, position: int) -> bool:
    """Whether a call of open is certainly for text."""
    modes = [word.value for word in call.keywords if word.arg == "mode"]
    modes += call.args[position : position + 1]
    if not modes:
        return not call.args[1:] and (position == 1 or not call.args)
    mode = modes[0].value if isinstance(modes[0], ast.Constant) else None
    return isinstance(mode, str) and TEXT_MODE.fullmatch(mode) is not None


def nameless(call: ast.Call) -> bool:
    """Whether this call makes text of bytes by the locale's encoding."""
    named = {word.arg for word in call.keywords}
    function = call.func
    if "encoding" in named:
        return False
    if isinstance(function, ast.Name):
        return function.id == "open" and _text_mode(call, 1)
    if not isinstance(function, ast.Attribute):
        return False
    if function.attr in METHODS:
        return len(call.args) <= METHODS[function.attr]
    if function.attr in ("run", "Popen", "check_output"):
        return bool(named & {"text", "universal_newlines", "errors"})
    module = function.value.id if isinstance(function.value, ast.Name) else ""
    if function.attr == "open" and module not in BYTES:
        return _text_mode(call, 0)
    return False


def main() -> int:
    """Print the calls without an encoding; status 1 if there are any."""
    found = 0
    for path in sorted(p for f in FOLDERS for p in (ROOT / f).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and nameless(node):
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                print(f'{place}: text without encoding="utf-8"')
                found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
