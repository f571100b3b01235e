#!/usr/bin/env python3
"""Cut steps of the labs out of a tree: python3 -m tools.course.cut TREE STEP...

The body of each function tagged with one of the steps becomes a call of
lab_todo; static functions, variables and enums that nobody refers to after
that go too, because they were part of the solution.  `--list` prints the
tags of a tree instead.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

from tools.course.source import Item, blanked, items_of, steps_in, words

UNUSED = "[[maybe_unused]] "


def _todo_c(item: Item) -> str:
    """What a C function has for a body until its step is written."""
    unused = ", ".join(f"(void){name}" for name in item.parameters)
    lines = textwrap.wrap(unused + ";", 72) if unused else []
    indented = "".join(f"    {line}\n" for line in lines)
    return f'\n{indented}    lab_todo("{item.step}");\n}}'


def _todo_asm(item: Item) -> str:
    """The same in NASM: data are gone, code says which step it is."""
    first = "        " if item.kind == "macro" else "\n        "
    if item.data:  # in a comment, so that a search for what is missing finds it
        first += "; "
    return f'{first}LAB_TODO "{item.step}", "{item.path}:{item.name}"\n'


def cut_bodies(text: str, path: str, steps: set[str]) -> str:
    """The file's text with the bodies of these steps replaced."""
    for item in reversed(items_of(text, path)):
        if item.step not in steps or not item.body:
            continue
        if path.endswith(".asm"):
            new = _todo_asm(item)
        else:
            new = _todo_c(item)
        text = text[: item.body] + new + text[item.end :]
    return text


def _references(text: str, items: list[Item]) -> dict[str, int]:
    """How often each name occurs outside the items that declare it."""
    code = blanked(text, directives=False)
    count: dict[str, int] = {}
    for name in words(code):
        count[name] = count.get(name, 0) + 1
    for item in items:
        own = words(code[item.head : item.end])
        for name in set(item.names):
            count[name] = count.get(name, 0) - own.count(name)
    return count


def _private(item: Item) -> bool:
    """Whether nobody outside the file can refer to it."""
    return item.kind == "enum" or item.static


def remove_unused(before: str, after: str, path: str, keep: set[str]) -> str:
    """`after` without what only the cut bodies referred to in `before`.

    What belongs to a step itself, or is to be kept, is marked as unused.
    """
    used = _references(before, items_of(before, path))
    while True:
        items = items_of(after, path)
        now = _references(after, items)
        lonely = [
            item
            for item in items
            if item.names
            and _private(item)
            and not any(now.get(name, 0) > 0 for name in item.names)
            and any(used.get(name, 0) > 0 for name in item.names)
            and not after.startswith(UNUSED, item.head)
        ]
        if not lonely:
            return after
        item = lonely[-1]
        if item.name not in keep and not item.step:
            after = _without(after, item)
        elif item.kind == "enum":
            used = {n: c for n, c in used.items() if n not in item.names}
        else:
            after = after[: item.head] + UNUSED + after[item.head :]


def _without(text: str, item: Item) -> str:
    """The text without this item, its comment, and the gap it leaves."""
    line_end = text.find("\n", item.end)
    rest = text[item.end : line_end]
    end = line_end if re.fullmatch(r"[ \t]*(/\*.*\*/)?", rest) else item.end
    above, below = text[: item.start].rstrip(), text[end:].lstrip("\n")
    gap = "\n\n"
    if re.match(r"static\b[^\n]*;", below) and above.endswith(";"):
        gap = text[len(above) : item.start] or gap
    return above + gap + below if below else above + "\n"


def cut_text(text: str, path: str, steps: set[str], keep: set[str]) -> str:
    """One file's text after these steps are cut."""
    after = cut_bodies(text, path, steps)
    if after == text or path.endswith(".asm"):
        return after
    return remove_unused(text, after, path, keep)


def cut_tree(root: Path, steps: set[str], keep: set[str] = frozenset()) -> list[str]:
    """Cut these steps in the tree; returns the files that changed."""
    changed = []
    tagged = steps_in(root)
    for path in sorted({i.path for step in steps for i in tagged.get(step, [])}):
        text = (root / path).read_text(encoding="utf-8")
        (root / path).write_text(cut_text(text, path, steps, keep), encoding="utf-8")
        changed.append(path)
    return changed


def main(arguments: list[str]) -> int:
    """Cut, or list; status 1 if a step has no tag in the tree."""
    if len(arguments) == 2 and arguments[0] == "--list":
        for step, items in steps_in(Path(arguments[1])).items():
            for item in items:
                print(f"{step:5} {item.path}:{item.name}")
        return 0
    if len(arguments) < 2:
        print(__doc__)
        return 2
    root, steps = Path(arguments[0]), set(arguments[1:])
    missing = steps - set(steps_in(root))
    for step in sorted(missing):
        print(f"no function in {root} has the tag Lab {step}", file=sys.stderr)
    print("\n".join(cut_tree(root, steps - missing)))
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
