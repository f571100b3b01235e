"""The book builds, and every link in it leads somewhere."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from urllib.parse import unquote

import pytest

from grade.harness import ROOT

pytestmark = pytest.mark.skipif(
    shutil.which("mkdocs") is None, reason="the book's tools are not installed"
)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The book, as `make book` builds it, in a folder of its own."""
    place = tmp_path_factory.mktemp("book")
    words = ["mkdocs", "build", "--quiet", "--strict", "--site-dir", str(place)]
    run = subprocess.run(words, cwd=ROOT, capture_output=True, encoding="utf-8")
    assert run.returncode == 0, run.stdout + run.stderr
    return place


def test_every_page_is_there(site: Path) -> None:
    """Each chapter, each lab and the README is a page of the book."""
    sources = [ROOT / "README.md", *ROOT.glob("docs/*.md"), *ROOT.glob("labs/*/*.md")]
    for source in sources:
        name = {"README": "index"}.get(source.stem, source.stem) + ".html"
        page = site / source.parent.relative_to(ROOT) / name
        assert page.exists(), f"{source.relative_to(ROOT)} is not in the contents"
    assert not list(site.rglob("instructor*")), "answers are not for everybody"


def ids_of(page: Path) -> set[str]:
    """The anchors of a page."""
    return set(re.findall(r'\bid="([^"]+)"', page.read_text(encoding="utf-8")))


def test_links_and_anchors(site: Path) -> None:
    """A link in the text of a page leads to a page, and to an anchor that it has."""
    lost = []
    for page in site.rglob("*.html"):
        if page.name == "404.html":
            continue
        text = re.search(
            r"<article(.*?)</article>", page.read_text(encoding="utf-8"), re.S
        )
        for link in re.findall(r'href="([^":]+)"', text[1] if text else ""):
            path, _, anchor = unquote(link).partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists():
                lost.append(f"{page.relative_to(site)}: no page {link}")
            elif anchor and anchor not in ids_of(target):
                lost.append(f"{page.relative_to(site)}: no anchor {link}")
    assert not lost, "\n".join(lost)


def test_lists_are_lists(site: Path) -> None:
    """No list or table of a page came out as a paragraph that begins with - or |."""
    for page in site.rglob("*.html"):
        lines = re.findall(r"^(?:<p>)?(?:- |\* |\d\. |\|).*$", prose(page), re.M)
        assert not lines, f"{page.relative_to(site)}: {lines[:3]}"


def prose(page: Path) -> str:
    """A page's HTML without its code."""
    return re.sub(r"<pre.*?</pre>", "", page.read_text(encoding="utf-8"), flags=re.S)


def test_hints_are_folded() -> None:
    """A step's hints stand at its end, each to be opened alone."""
    text = "### Step 2.1: Frames\n\nDo it.\n\n### Step 2.2: Walk\n\nGo.\n"
    code = "import sys; sys.path.insert(0, 'tools'); import book; "
    code += f"print(book.with_hints({text!r}, {{'2.1': ['Look_.', 'Act.\\n`a_b`']}}))"
    run = subprocess.run(
        ["/usr/bin/python3", "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    hints = (
        '??? tip "Hint 1"\n\n    Look\\_.\n\n??? tip "Hint 2"\n\n    Act.\n    `a_b`\n'
    )
    assert run.stdout.count("??? tip") == 2, run.stderr
    assert f"Do it.\n\n{hints}\n### Step 2.2" in run.stdout


def test_figures_are_drawn(tmp_path: Path) -> None:
    """Every figure is what its source draws, and a page shows it under its number."""
    run = subprocess.run(
        ["/usr/bin/python3", "tools/figure.py", "--check"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert run.returncode == 0, f"not as drawn; `make figures`: {run.stdout}"
    shown = set()
    for chapter in sorted(ROOT.glob("docs/0*.md")):
        text = chapter.read_text(encoding="utf-8")
        figures = re.findall(r"^!\[Figure (\d+)\.(\d+): .+\]\((.+)\)$", text, re.M)
        wanted = [
            (f"{int(chapter.name[:2])}", str(n)) for n in range(1, len(figures) + 1)
        ]
        assert [(a, b) for a, b, _ in figures] == wanted, f"{chapter.name}: numbers"
        shown |= {(chapter.parent / path).resolve() for _, _, path in figures}
    lost = set((ROOT / "docs").rglob("*.svg")) - shown
    assert not lost, f"shown on no page: {lost}"


def test_listings_come_from_the_tree(site: Path) -> None:
    """A listing in a page is the definition as the tree has it, and only that."""
    code = "import sys; sys.path.insert(0, 'tools'); import book; "
    code += "text = open('kernel/sched/list.h').read(); "
    code += "print(book.definition(text, 'list')); "
    code += "text = open('kernel/boot/x86_64/trap_entry.asm').read(); "
    code += "print(book.definition(text, 'trap_return')); "
    code += "print(book.definition(open('kernel/sched/sleep.c').read(), 'wakeup'))"
    run = subprocess.run(
        ["/usr/bin/python3", "-c", code],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
    )
    assert run.stdout.startswith("struct list {\n"), run.stderr
    assert "\ntrap_return:\n" in run.stdout and "iretq" in run.stdout
    assert run.stdout.endswith("    spin_unlock(&q->lock);\n}\n")
    assert '"listing")' not in "".join(
        p.read_text(encoding="utf-8") for p in site.rglob("*.html")
    )
