"""Builds this tree and runs a lab's tests in it: a line of JSON for each.

    python3 -m grade.course.worker LAB [JOBS [ID ...]]

score.py starts it, confined if the tree holds a stranger's code, and reads
its lines.  What it says depends on the tree alone: no times, no places.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import repeat
from pathlib import Path
from typing import Any

from grade.course import sources
from grade.course.rubric import Rubric, for_lab, is_pytest, resolve
from grade.harness import ROOT, HostFailure, Result, Variant, run
from grade.harness.guest import UNWRITTEN, GuestTest, home_tests

SHOWN = 30  # lines of console, and records, that a report keeps
LINE = 400  # characters of a line that it keeps
PYTEST_LIMIT = 600  # seconds of host time

Row = dict[str, Any]


def clean(text: str, lines: int = SHOWN) -> list[str]:
    """The last lines of a text, without what differs from run to run."""
    text = re.sub(r"/\S*?/lux9-\w+", "(place)", text).replace(f"{ROOT}/", "")
    text = re.sub(r"\b0x7[0-9a-f]{11}\b", "0x7..", text)
    text = re.sub(r"\b\d+\.\d+ ?s(ec\w*)? of host time", "host time", text)
    text = re.sub(r"[^\n\t -~\u00a0-\uffff]", ".", text.replace("\r", ""))
    return [line[:LINE] for line in text.rstrip().splitlines()[-lines:]]


# what a complaint without values of its own would rather have seen
EXPECTED = (
    (r"panic: ", "no panic"),
    (r"over its limit of (\S+ s) ", "an end of the test before its limit"),
    (r"endless output", "output that ends"),
    (r"(?:triple fault|halted|the machine was|QEMU itself)", "the test's own end"),
    (r"bytes on the debug port", "records alone on the debug port"),
)


# FILE:LINE: round 7: a < 10 * B: got 900 (0x384), want < 500 (0x1f4)
COMPARED = re.compile(
    r"(?:check failed|the test says): [^:]+:\d+: (?:round (\d+): )?"
    r"(.* (==|[<>!]=?) (.+?)): got (.+), want (?:[<>!]=? )?(-?\d+) \(0x\w+\)$"
)


def values(wrong: str) -> tuple[str, str]:
    """What the first complaint expected and what it got."""
    line = wrong.splitlines()[0] if wrong else ""
    if match := COMPARED.match(line):
        want = f"{match[2]} ({match[6]})" if match[4] != match[6] else match[2]
        return want, match[5] + (f" in round {match[1]}" if match[1] else "")
    if match := re.search(r"got (.+?), want (.+)$", line):
        return match[2], match[1]
    if match := re.search(r"^expected (?:the |a )?(.+), got (.+)$", line):
        return match[1], match[2]
    if match := re.match(
        r"(?:check failed|the test says): [^:]+:\d+: (?:round (\d+): )?"
        r"(.*?)(?:: last error:(.*))?$",
        line,
    ):
        got = "false" + (f" in round {match[1]}" if match[1] else "")
        return match[2], got + (f"; last error:{match[3]}" if match[3] else "")
    for pattern, expected in EXPECTED:
        if re.match(pattern, line):
            return expected, line
    return "", line


def asserted(lines: list[str], text: str) -> tuple[str, str]:
    """The same for a pytest function, from the lines of its assertion.

    A message of its own says it; a bare comparison has its values in the first
    line, and the function's own expression above that in pytest's text.
    """
    expected, got = values(lines[0])
    bare = re.match(r"assert (.+?) (==|!=|<=|>=|<|>|in|not in) (.+)$", lines[0])
    if expected or not bare:
        return expected, got
    left, right = number(bare[1]), number(bare[3])
    source = re.search(r"^[> ] +assert (.+)$", text, re.M)
    what = source[1] if source else f"{bare[2]} {right}"
    if re.fullmatch(r"-?\w+", right) and not what.endswith(right):
        what += f" ({right})"
    return what, left


def number(text: str) -> str:
    """A number as a person reads it: a negative one of 32 or 64 bits, too."""
    if re.fullmatch(r"\d+", text):
        for bits in (32, 64):
            less = int(text) - (1 << bits)
            if -4096 <= less < 0:
                return f"{less} ({text} without a sign)"
    return text


def stack_of(result: Result) -> list[str]:
    """Where the kernel was: at its panic, or when it was stopped."""
    for text in result.of("panic"):
        if len(text.splitlines()) > 1:
            return clean("\n".join(text.splitlines()[1:]))
    return clean(result.where) if result.where else []


def story_of(test: GuestTest, wrong: str, result: Result) -> Row:
    """All that a report says about a failed guest test."""
    expected, got = values(wrong)
    said = [f"{record.type}: {record.text.strip()}" for record in result.records]
    said = [line for line in said if not line.startswith(("start:", "trace"))]
    return {
        "wrong": clean(wrong),
        "expected": (expected or test.doc or "a pass")[:LINE],
        "got": got[:LINE],
        "end": result.story()[:LINE],
        "stack": stack_of(result),
        "console": clean(result.tail(SHOWN)),
        "records": [line for text in said[-SHOWN:] for line in clean(text, 4)],
    }


def about(test: GuestTest) -> Row:
    """What a report says about a guest test whatever its outcome."""
    return {
        "id": test.id,
        "doc": test.doc if test.doc[:1].isalnum() else "",
        "source": str(test.source.relative_to(ROOT)),
        "cpus": test.cpus,
        "mem": test.mem,
        "seed": test.seed,
        "shift": test.shift,
    }


def run_guest(test: GuestTest) -> Row:
    """Run a guest test once; a host in trouble gets a second chance."""
    for last in (False, True):
        try:
            result = run(test.setup())
            wrong = test.judge(result)
        except (HostFailure, OSError) as error:
            if last:
                return {"verdict": "infrastructure", "wrong": clean(str(error))}
            continue
        if not wrong:
            return {"verdict": "pass"}
        return {"verdict": "fail", **story_of(test, wrong, result)}
    raise AssertionError


def verdict_of(rows: list[Row], text: str) -> Row:
    """One verdict from the outcomes of a pytest function."""
    failed = [row for row in rows if row["outcome"] != "passed"]
    if not rows:
        return {
            "verdict": "infrastructure",
            "wrong": clean(text or "pytest ran nothing"),
        }
    if not failed:
        return {"verdict": "pass"}
    if any(row["text"].startswith("infrastructure error") for row in failed):
        return {"verdict": "infrastructure", "wrong": clean(failed[0]["text"])}
    if any(row["outcome"] == "skipped" for row in failed):
        text = f"skipped on this host: {failed[0]['text']}"
        return {"verdict": "infrastructure", "wrong": clean(text)}
    wrong = re.findall(r"^E +(.*)$", failed[0]["text"], re.M) or clean(
        failed[0]["text"]
    )
    if todo := UNWRITTEN.search(failed[0]["text"]):
        wrong.insert(0, f"error: {todo[0]}")
    wrong[0] = wrong[0].removeprefix("AssertionError: ")
    expected, got = asserted(wrong, failed[0]["text"])
    case = re.search(r"\[(.*)\]$", failed[0].get("id", ""))
    end = f"{len(rows) - len(failed)} of {len(rows)} cases passed"
    end += f"; first failure: case {case[1]}" if case else ""
    stories = [s for s in failed[0].get("ends", []) if "the test stopped" not in s]
    return {
        "verdict": "fail",
        "wrong": [line[:LINE] for line in clean("\n".join(wrong))],
        "expected": expected[:LINE],
        "got": got[:LINE],
        "end": "; ".join([end, *clean("\n".join(stories))]),
    }


def run_pytest(name: str) -> Row:
    """Run a pytest function of grade/ in a process of its own."""
    with tempfile.TemporaryDirectory(prefix="lux9-") as place:
        out = Path(place) / "outcomes"
        words = [sys.executable, "-m", "pytest", "-q", "-p", "grade.course.plugin"]
        words += ["-p", "no:xdist", "-p", "no:cacheprovider", f"--basetemp={place}/t"]
        run_ = subprocess.run(
            [*words, f"grade/{name}"],
            cwd=ROOT,
            env=dict(os.environ, LUX9_OUTCOMES=str(out)),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=PYTEST_LIMIT,
        )
        lines = out.read_text(encoding="utf-8").splitlines() if out.exists() else []
    return verdict_of([json.loads(line) for line in lines], run_.stdout + run_.stderr)


def run_any(test: GuestTest | str) -> Row:
    """Run one test of either kind."""
    if isinstance(test, GuestTest):
        return {**about(test), **run_guest(test)}
    row: Row = {"id": test, "source": f"grade/{test.split('::')[0]}", "doc": ""}
    try:
        row = {**row, "doc": docstring(test), **run_pytest(test)}
    except (subprocess.TimeoutExpired, OSError) as error:
        return {**row, "verdict": "infrastructure", "wrong": clean(str(error))}
    if row["verdict"] == "fail":
        row["expected"] = row["expected"] or row["doc"][:LINE] or "a pass"
    return row


def docstring(test: str) -> str:
    """The sentence of a pytest function."""
    file, name = test.split("::", 1)
    text = (ROOT / "grade" / file).read_text(encoding="utf-8")
    form = rf'^def {re.escape(name.split("[")[0])}\(.*?:\n    """(.*?)"""'
    match = re.search(form, text, re.M | re.S)
    return " ".join(match[1].split()) if match else ""


Runs = dict[str, list[str]]


def chosen(rubric: Rubric, only: list[str]) -> tuple[list[GuestTest | str], Runs]:
    """The tests to run, slow ones first, and for all names their runs' ids.

    A name stands for all runs that the rubric means by it; `=name`, as a person
    types it, for the one run with that id, if there is one.
    """
    every = {test.id: test for test in home_tests()}
    runs = resolve(rubric, every.values(), ROOT)
    ids = list(dict.fromkeys(id_ for ids in runs.values() for id_ in ids))
    if only:
        named: set[str] = set()
        for word in only:
            name = word.lstrip("=")
            exact = word.startswith("=") and name in ids
            named.update([name] if exact else runs.get(name, [name]))
        ids = [id_ for id_ in ids if id_ in named]
    tests: list[GuestTest | str] = [
        id_ if is_pytest(id_) else every[id_] for id_ in ids
    ]
    return sorted(tests, key=lambda t: (not isinstance(t, str), _cost(t))), runs


def _cost(test: GuestTest | str) -> int:
    return 0 if isinstance(test, str) else -test.cpus * test.limit


def build(rubric: Rubric, tests: list[GuestTest | str]) -> None:
    """Build what the tests need; Refused or RuntimeError says why not."""
    guest = [test for test in tests if isinstance(test, GuestTest)]
    variants = list(dict.fromkeys(test.variant for test in guest))
    for name in rubric.files:
        sources.check_text(
            name, (ROOT / name).read_text(errors="replace", encoding="utf-8")
        )
    # score.py:grade_tree says when the code is ours
    asked = [] if os.environ.get("LUX9_OWN") else rubric.files
    for variant in variants or [replace(Variant(), stage=rubric.stage)]:
        with ThreadPoolExecutor(2) as pool:
            for _ in pool.map(sources.check_reads, asked, repeat(variant)):
                pass
        make(variant)
        for name in rubric.files:
            sources.check_object(name, variant)


def make(variant: Variant) -> None:
    """Have make build a variant within a compiler's limits."""
    words = ["make", "-s", "-k", "say=", "-j2", *variant.make_variables]
    done = subprocess.run(
        sources.limited(words),
        cwd=ROOT,
        env=sources.environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
    )
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)


def say(row: Row) -> None:
    """One line for the process that started this one."""
    print(json.dumps(row, sort_keys=True), flush=True)


def main(words: list[str]) -> int:
    """Build, run, tell."""
    lab, jobs, *only = words + ["2"] * (len(words) < 2)
    rubric = for_lab(ROOT, int(lab))
    tests, runs = chosen(rubric, only)
    try:
        build(rubric, tests)
    except sources.Refused as why:
        say({"refused": str(why), "runs": runs})
        return 0
    except RuntimeError as error:
        say({"unbuilt": clean(str(error)), "runs": runs})
        return 0
    say({"built": len(tests), "runs": runs})
    if int(jobs) < 2:
        for test in tests:
            say(run_any(test))
        return 0
    with multiprocessing.get_context("fork").Pool(int(jobs)) as pool:
        for row in pool.imap_unordered(run_any, tests):
            say(row)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
