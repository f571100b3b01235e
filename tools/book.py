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

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
LISTING = re.compile(r'^\[`([\w./-]+):(\w+)`\]\([^) ]+ "listing"\)$', re.M)
FIGURE = re.compile(r"^!\[(Figure [\w.]+: [^\]]+)\]\((figures/[\w-]+\.svg)\)$", re.M)


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
    steps = tomllib.loads(path.read_text(encoding="utf-8"))
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


def definition(text: str, name: str) -> str:
    """The C function, structure, enum or assembly label of that name, without its comment."""
    c = rf"^[a-z][^\n;]*\n{name}\([^;{{]*\n\{{\n.*?^\}}|^(?:struct|enum) {name} \{{\n.*?^\}}[^\n]*;"
    assembly = rf"^{name}:\n.*?(?=\n\n|\Z)"
    found = re.search(f"{c}|{assembly}", text, re.M | re.S)
    if found is None:
        raise PluginError(f"no definition of {name}")
    return found[0]


def listing(match: re.Match[str]) -> str:
    """A definition out of the tree, as it is now."""
    source, name = match[1], match[2]
    body = definition((ROOT / source).read_text(encoding="utf-8"), name)
    language = "nasm" if source.endswith(".asm") else "c"
    return f'``` {{ .{language} title="{source}" }}\n{body}\n```'


def figure(match: re.Match[str]) -> str:
    """A figure as part of the page, so that it takes the page's colours."""
    drawing = (ROOT / "docs" / match[2]).read_text(encoding="utf-8")
    ident = re.sub(r"\W", "-", match[1].split(":")[0].lower())
    drawing = re.sub(r"<style>.*?</style>\n", "", drawing, flags=re.S)
    drawing = drawing.replace("<svg ", f'<svg role="img" aria-label="{match[1]}" ', 1)
    drawing = drawing.replace('id="head"', f'id="{ident}-head"')
    drawing = drawing.replace("url(#head)", f"url(#{ident}-head)")
    return f'<figure id="{ident}">{drawing}<figcaption>{match[1]}</figcaption></figure>'


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Insert listings and figures; fold hints; let Markdown work in folded HTML."""
    path = ROOT / page.file.src_uri
    markdown = FIGURE.sub(figure, LISTING.sub(listing, markdown))
    if path.parent.parent.name == "labs":
        markdown = with_hints(markdown, hints_of(path.parent))
    return re.sub(r"<details>", '<details markdown="1">', markdown)
