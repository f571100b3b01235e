"""Source files as the course sees them: items at the top level, and their tags.

C is not parsed, only told apart: comments, strings and preprocessor lines are
blanked out, so that braces, semicolons and names can be trusted; what is left
falls into items (functions, variables, types).  NASM is read by lines: an item
is a label with the local labels below it, or a macro.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

TAG = re.compile(r"^[ \t]*[*;/]*[ \t]*Lab (\d+\.\d+)\s*(?:\*/)?\s*\Z", re.M)
_TOKEN = re.compile(
    r"(?P<comment>/\*.*?\*/|//[^\n]*)"
    r"|(?P<string>\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*')"
    r"|(?P<directive>(?<![^\n])[ \t]*#(?:/\*.*?\*/|\\\n|[^\n])*)",
    re.S,
)
_BRACKET = re.compile(r"[][(){};]")
_FUNCTION = re.compile(r"[^=]*\)\s*\Z")
_ATTRIBUTE = re.compile(r"__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)")
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass
class Item:
    """One thing at the top level of a file, text[start:end] of it."""

    path: str  # from the tree's root
    kind: str  # function, macro, variable, prototype, enum, other
    names: list[str]
    start: int  # of its comment, or of itself
    head: int  # of itself
    body: int  # of what a cut replaces: from behind `{` or the label's colon
    end: int  # C: behind `}` or `;`; NASM: where the body ends
    step: str = ""  # "2.1", by the last line of its comment
    static: bool = False
    data: bool = False  # NASM: no code but data
    parameters: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Its name, as a person would call it."""
        return self.names[0] if self.names else ""


def blanked(text: str, directives: bool = True) -> str:
    """The C text with comments, strings and directives as spaces."""

    def blank(match: re.Match[str]) -> str:
        if match.lastgroup == "directive" and not directives:
            inner = _TOKEN.sub(blank, match[0].lstrip(" \t#"))
            return inner.rjust(len(match[0]))
        return re.sub(r"[^\n]", " ", match[0])

    return _TOKEN.sub(blank, text)


def words(text: str) -> list[str]:
    """The identifiers in a blanked text."""
    return _WORD.findall(text)


def _matching(text: str, close: int) -> int:
    """Where the parenthesis opens that closes at `close`."""
    depth = 0
    for at in range(close, -1, -1):
        depth += (text[at] == ")") - (text[at] == "(")
        if depth == 0:
            return at
    return 0


def _split(text: str, separator: str = ",") -> list[str]:
    """Split at separators outside of any bracket."""
    parts, depth = [""], 0
    for char in text:
        depth += (char in "([{") - (char in ")]}")
        if char == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += char
    return parts


def _declared(declarator: str) -> str:
    """The name that `const char *x[3]` or `void (*f)(int)` declares."""
    pointer = re.search(r"\(\s*\*+\s*(\w+)", declarator)
    if pointer:
        return pointer[1]
    plain = re.sub(r"\[[^]]*\]", "", declarator)
    found = words(plain)
    return found[-1] if found else ""


def _function(head: str) -> tuple[str, list[str]]:
    """Name and parameters of the function whose head this is."""
    close = head.rfind(")")
    opening = _matching(head, close)
    name = re.search(r"(\w+)\s*\Z", head[:opening])
    parameters = [_declared(part) for part in _split(head[opening + 1 : close])]
    parameters = [p for p in parameters if p not in ("", "void")]
    return (name[1] if name else ""), parameters


def _ends(code: str) -> list[tuple[int, int, int]]:
    """(start, body or 0, end) of each item in blanked C."""
    found, depth, start, body = [], 0, 0, 0
    function = False
    for match in _BRACKET.finditer(code):
        at, char = match.start(), match[0]
        if char == "{" and depth == 0:
            function = _FUNCTION.match(code[start:at]) is not None
            body = at + 1
        depth += (char in "({[") - (char in ")}]")
        if depth == 0 and (char == ";" or (char == "}" and function)):
            start += len(code[start:at]) - len(code[start:at].lstrip())
            found.append((start, body if function else 0, at + 1))
            start, body, function = at + 1, 0, False
    return found


def _comment_before(text: str, head: int, comments: dict[int, int]) -> int:
    """Where the comment starts that stands directly above head; else head.

    `comments` has the start of each comment by its end.
    """
    above = text[:head].rstrip(" \t")
    start = comments.get(len(above) - 1) if above.endswith("*/\n") else None
    if start is None or text[text.rfind("\n", 0, start) + 1 : start].strip():
        return head
    return start


def _describe(item: Item, head: str) -> None:
    """Find out kind and names of what has this head: the item without a body."""
    shape = re.sub(r"\[[^]]*\]", "", head)
    if item.body:
        item.kind = "function"
        name, item.parameters = _function(head)
        item.names = [name]
    elif re.match(r"\s*(?:typedef|extern|struct \w+ *(?:\{|$)|union)", head):
        pass
    elif re.match(r"\s*enum\b[^=;(]*\{", head):
        item.kind = "enum"
        inside = head[head.index("{") + 1 : head.rindex("}")]
        constants = [part.split("=")[0].strip() for part in _split(inside)]
        item.names = [c for c in constants if c]
        item.names += re.findall(r"enum\s+(\w+)", head[: head.index("{")])
    elif re.match(r"[^(=]*\(\s*[^*\s]", shape):
        item.kind, item.names = "prototype", [_function(head)[0]]
    else:
        item.kind = "variable"
        parts = [part.split("=")[0] for part in _split(head)]
        parts = [re.sub(r"\{.*\}", "", part, flags=re.S) for part in parts]
        item.names = [_declared(part) for part in parts]


def c_items(text: str, path: str = "") -> list[Item]:
    """The items of a C file, in order."""
    code = blanked(text)
    tokens = _TOKEN.finditer(text)
    comments = {m.end(): m.start() for m in tokens if m.lastgroup == "comment"}
    items = []
    for head, body, end in _ends(code):
        start = _comment_before(text, head, comments)
        before = code[head : body - 1] if body else code[head:end].rstrip(";")
        before = _ATTRIBUTE.sub("", before)
        tag = TAG.search(text[start:head]) if start < head else None
        item = Item(path, "other", [], start, head, body, end)
        item.static = "static" in words(before)
        item.step = tag[1] if tag else ""
        _describe(item, before)
        items.append(item)
    return items


_LABEL = re.compile(r"^([A-Za-z_?][\w$#@~.?]*):")
_MACRO = re.compile(r"^%macro\s+(\w+)")
_HARD = re.compile(r"^\s*(?:section|\[section|%i?macro|%endmacro|%rep|%endrep)\b")
_SOFT = re.compile(
    r"^(?:\s*$|;|\s*(?:global|extern|align|bits|%assign|%define)\b|\w+\s+equ\b)"
)
_DATA = re.compile(
    r"^\s*(?:\.?\w+:)?\s*(?:times\b.*?\b)?(?:$|;|d[bwdqto]\b|res[bwdqto]\b|align\b)"
)


def _asm_comment(lines: list[str], at: int) -> int:
    """The first line of the comment above the label in line `at`."""
    top = at
    while top and re.match(r"\s*(?:global|align|bits)\b", lines[top - 1]):
        top -= 1
    first = top
    while first and lines[first - 1].startswith(";"):
        first -= 1
    return first if first < top else at


def _asm_end(lines: list[str], at: int) -> int:
    """The line behind the body of the label or macro in line `at`.

    What stands above the next label and belongs to that is not the body's.
    """
    last = at + 1
    while last < len(lines) and not (
        _LABEL.match(lines[last]) or _HARD.match(lines[last])
    ):
        last += 1
    macro = lines[at].startswith("%")
    while not macro and last > at + 1 and _SOFT.match(lines[last - 1]):
        last -= 1
    return last


def _asm_item(lines: list[str], offsets: list[int], at: int, match: re.Match) -> Item:
    """The label or macro in line `at`; a macro's own labels are no body."""
    macro, first, last = (
        lines[at][0] == "%",
        _asm_comment(lines, at),
        _asm_end(lines, at),
    )
    body = offsets[at] + match.end()
    if macro:
        inside = at + 1
        while re.match(r"[\w%.]+:\s*$", lines[inside]):
            inside += 1
        body = offsets[inside]
    else:
        inside = at
    code = [lines[at][match.end() :]] * (not macro) + lines[max(inside, at + 1) : last]
    comment = "".join(line for line in lines[first:at] if line.startswith(";"))
    tag = TAG.search(comment)
    return Item(
        path="",
        kind="macro" if macro else "function",
        names=[match[1]],
        start=offsets[first],
        head=offsets[at],
        body=body,
        end=offsets[last],
        step=tag[1] if tag else "",
        data=all(_DATA.match(line) for line in code),
    )


def asm_items(text: str, path: str = "") -> list[Item]:
    """The labels and macros of a NASM file, in order."""
    lines = text.splitlines(keepends=True)
    offsets = [0]
    for line in lines:
        offsets.append(offsets[-1] + len(line))
    items = []
    for at, line in enumerate(lines):
        match = _LABEL.match(line) or _MACRO.match(line)
        if match:
            items.append(_asm_item(lines, offsets, at, match))
            items[-1].path = path
    return items


def items_of(text: str, path: str) -> list[Item]:
    """The items of a source file of either language."""
    return asm_items(text, path) if path.endswith(".asm") else c_items(text, path)


def steps_in(root: Path) -> dict[str, list[Item]]:
    """The tagged items of a tree, by step, in the order of the steps."""
    found: dict[str, list[Item]] = {}
    for folder in ("kernel", "user"):
        for source in sorted((root / folder).rglob("*.*")):
            if source.suffix in (".c", ".h", ".asm"):
                path = source.relative_to(root).as_posix()
                text = source.read_text(encoding="utf-8")
                if "Lab " in text:
                    for item in items_of(text, path):
                        if item.step:
                            found.setdefault(item.step, []).append(item)
    return dict(sorted(found.items(), key=lambda pair: step_key(pair[0])))


def step_key(step: str) -> tuple[int, ...]:
    """Steps in their order: 2.9 before 2.10."""
    return tuple(int(number) for number in step.split("."))
