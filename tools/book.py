"""The book's pages: MkDocs calls the functions on_... (see mkdocs.yml).

The pages are the tree's own Markdown files, none copied.  Each keeps its path
in the tree, so that a link works the same in the book, in an editor and on a
site that shows the repository.  What mkdocs.yml lists and this tree has not
(a handout lacks the later chapters) is left out.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent


def pages_of(entry: Any) -> list[Any]:
    """An entry of the contents with its patterns replaced by this tree's files."""
    if isinstance(entry, dict):
        ((title, below),) = entry.items()
        if isinstance(below, str):
            return [entry] if (ROOT / below).exists() else []
        found = [page for part in below for page in pages_of(part)]
        return [{title: found}] if found else []
    return [path.relative_to(ROOT).as_posix() for path in sorted(ROOT.glob(entry))]


def named_in(entries: Any) -> list[str]:
    """The paths of all pages in the contents."""
    if isinstance(entries, str):
        return [entries]
    if isinstance(entries, dict):
        entries = list(entries.values())
    return [path for entry in entries for path in named_in(entry)]


def on_config(config: Any) -> Any:
    """Contents: what this tree has of mkdocs.yml's."""
    config["nav"] = [page for entry in config["nav"] for page in pages_of(entry)]
    return config


def on_files(files: Files, config: Any) -> Files:
    """The pages of the contents and docs/'s other files, by their paths in the tree."""
    docs = Path(config["docs_dir"])
    paths = named_in(config["nav"])
    for file in files:
        path = Path(file.abs_src_path)
        if docs in path.parents and path.suffix != ".md":
            paths.append(path.relative_to(ROOT).as_posix())
    theme = [file for file in files if docs not in Path(file.abs_src_path).parents]
    pages = [File(path, str(ROOT), config["site_dir"], False) for path in paths]
    return Files(theme + pages)


def hints_of(lab: Path) -> dict[str, list[str]]:
    """The hints of a lab by step; none if it has no file of them."""
    path = lab / "hints.toml"
    if not path.exists():
        return {}
    steps = tomllib.loads(path.read_text())
    steps = steps.get("hints", steps)
    return {step: list(hints) for step, hints in steps.items()}


def plain(hint: str) -> str:
    """A hint, written for the terminal, so that Markdown leaves its C alone."""
    parts = re.split(r"(`[^`\n]+`)", hint.strip())
    parts[::2] = [re.sub(r"([\\*_<\[#])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts)


def with_hints(text: str, hints: dict[str, list[str]]) -> str:
    """A lab's text with the hints of each step, folded, at the step's end."""
    parts = re.split(r"^(?=#{2,3} )", text, flags=re.M)
    for number, part in enumerate(parts):
        step = re.match(r"### Step (\d+\.\d+)", part)
        for n, hint in enumerate(hints.get(step[1], []) if step else [], 1):
            body = "\n".join(f"    {line}" for line in plain(hint).splitlines())
            part = f'{part.rstrip()}\n\n??? tip "Hint {n}"\n\n{body}\n\n'
        parts[number] = part
    return "".join(parts)


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Fold the hints into a lab's page; let Markdown work in folded HTML."""
    path = ROOT / page.file.src_uri
    if path.parent.parent.name == "labs":
        markdown = with_hints(markdown, hints_of(path.parent))
    return re.sub(r"<details>", '<details markdown="1">', markdown)
