"""The labs of a tree: their folders and what their rubrics say."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

try:
    import tomllib
except ImportError:  # Python before 3.11
    import tomli as tomllib  # type: ignore[no-redef]

NAMES = {1: "01-boot", 2: "02-mmu", 3: "03-sched", 4: "04-9p"}
LAYERS = {1: "boot", 2: "mmu", 3: "sched", 4: "9p"}
# Where a lab's steps may be, besides its layer of the kernel.
PROGRAMS = {4: ("user/lib/9p/", "user/servers/")}


@dataclass
class Lab:
    """One lab; without a rubric it still has its number and its folder."""

    number: int
    folder: Path  # labs/02-mmu, from the tree's root
    rubric: dict[str, Any] = field(default_factory=dict)

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The rubric's steps, in order."""
        return list(self.rubric.get("steps", []))

    @property
    def title(self) -> str:
        """What the lab is called."""
        return str(self.rubric.get("title", self.folder.name))

    @property
    def keep(self) -> set[str]:
        """Static names that a handout keeps although only a solution used them."""
        return set(self.rubric.get("keep", []))

    @property
    def tests(self) -> list[str]:
        """The tests of all its steps and challenges, each once."""
        parts = self.steps + list(self.rubric.get("challenges", []))
        return list(dict.fromkeys(t for part in parts for t in part.get("tests", [])))

    def needing(self, step: str) -> set[str]:
        """The step and those that cannot pass without it."""
        found = {step}
        while True:
            more = {s["id"] for s in self.steps if found & set(s.get("needs", []))}
            if more <= found:
                return found
            found |= more


def load(root: Path, number: int) -> Lab:
    """The lab of that number in the tree."""
    folders = sorted((root / "labs").glob(f"{number:02}-*"))
    folder = Path("labs") / (folders[0].name if folders else NAMES[number])
    rubric = root / folder / "rubric.toml"
    if not rubric.exists():
        return Lab(number, folder)
    return Lab(number, folder, tomllib.loads(rubric.read_text(encoding="utf-8")))


def numbers(root: Path) -> list[int]:
    """The labs that this tree has a folder for."""
    found = [re.match(r"(\d\d)-", p.name) for p in (root / "labs").glob("[0-9]*-*")]
    return sorted(int(match[1]) for match in found if match)


def hints(root: Path, lab: Lab) -> dict[str, list[str]]:
    """The hints of each step."""
    path = root / lab.folder / "hints.toml"
    if not path.exists():
        return {}
    known = tomllib.loads(path.read_text(encoding="utf-8"))
    return {str(k): list(v) for k, v in known.get("hints", known).items()}
