"""What the labs' warm-ups share: asking questions, and checking the answers."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence

# what is asked, the right number, and where to look again
Question = tuple[str, int] | tuple[str, int, str]


def is_number(text: str, number: int) -> bool:
    """Whether a word is that number, decimal or 0x."""
    try:
        return int(text, 0) == number
    except ValueError:
        return False


def run(usage: str | None, questions: Callable[[str], Sequence[Question]]) -> int:
    """Ask who is named first on the command line, or check what follows.

    Status 1 if an answer is wrong or missing, 2 for words that fit nothing.
    """
    words = sys.argv[1:]
    asked = questions(words[0]) if words else ()
    if not 0 < len(words) <= len(asked) + 1:
        print(usage)
        return 2
    given = words[1:]
    status = 0
    for number, (text, answer, *hint) in enumerate(asked, 1):
        if not given:
            print(f"{number}. {text}")
        elif number <= len(given) and is_number(given[number - 1], answer):
            print(f"{number}. right")
        else:
            print(f"{number}. no: {hint[0] if hint else 'look again'}")
            status = 1
    return status
