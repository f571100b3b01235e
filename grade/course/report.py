"""Scores as people and other programs want them: text, HTML, JSON, XML, CSV.

All of it is made from the score alone, so that the same score gives the same
bytes.  Nothing is told by colour alone.
"""

from __future__ import annotations

import csv
import html
import io
import json
import re
import xml.etree.ElementTree as xml
from pathlib import Path
from typing import Any

from grade.course.score import Row, Score, StepScore

MAX_SHOWN = 2  # failures of a step that the terminal shows
STATES = {"pass": "passed", "fail": "FAILED", "infrastructure": "NOT RUN"}


def anchor(title: str) -> str:
    """The link target that Markdown makes of a heading."""
    return re.sub(r"\s", "-", re.sub(r"[^\w\s-]", "", title.lower()).strip())


def paragraph(score: Score, step: StepScore) -> str:
    """The handout's paragraph about a step."""
    title = f"Step {step.step.id}: {step.step.title}"
    if step.step.id.startswith("C"):
        title = "Challenges"
    return f"{score.rubric.folder}/README.md#{anchor(title)}"


def commands(score: Score, row: Row) -> list[tuple[str, str]]:
    """What to type to see a failure again."""
    id_ = row["id"]
    again = f"make grade LAB={score.rubric.lab} T='{id_}'"
    if "::" in id_:
        return [("again", again), ("all of it", f"make test T='{id_.split('::')[1]}'")]
    back = f"make replay T='{id_}'"
    back += "  (forwards only: several CPUs)" if row["cpus"] > 1 else ""
    return [("again", again), ("in GDB", f"make gdb T='{id_}'"), ("backwards", back)]


def machine(row: Row) -> str:
    """The machine of a run in words."""
    if "cpus" not in row:
        return "a test from outside"
    cpus = "1 CPU" if row["cpus"] == 1 else f"{row['cpus']} CPUs"
    shift = "" if row["shift"] == 5 else f", shift {row['shift']}"
    return f"{cpus}, {row['mem']}, seed {row['seed']}{shift}"


# ---- terminal ----


def _table(score: Score) -> list[str]:
    width = max([len(s.step.title) for s in score.steps + score.challenges] + [5])
    lines = [f"{'step':5} {'':{width}}   tests    points"]
    for step in score.steps:
        mark = "ok" if step.whole else ""
        count = f"{step.passed}/{step.runs}"
        points = f"{step.points:3} / {step.step.points:<3}"
        lines.append(
            f"{step.step.id:5} {step.step.title:{width}} {count:>7}  {points}  {mark}"
        )
    lines.append(f"{'':5} {'':{width}} {'':7}  {score.points:3} / 100")
    for step in score.challenges:
        count = f"{step.passed}/{step.runs}"
        mark = "ok" if step.whole else "challenge, no points"
        lines.append(f"{step.step.id:5} {step.step.title:{width}} {count:>7}  {mark}")
    open_ = [s.step.id for s in score.challenges if not s.whole]
    if open_ and all(step.whole for step in score.steps):
        lines += ["", f"What a challenge wants: make grade LAB={score.rubric.lab} "]
        lines[-1] += f"T={open_[0]}"
    return [line.rstrip() for line in lines]


def _points_of_some(score: Score) -> list[str]:
    """The points of each step of which some tests were run, if all of them were."""
    lines = []
    for step in score.steps:
        ids = [i for name in step.step.tests for i in score.runs.get(name, [])]
        ran = [id_ for id_ in ids if id_ in score.rows]
        said = f"step {step.step.id}: {step.passed} of {len(ran)} tests passed"
        if len(ran) == len(ids):
            points = f"{step.points} of {step.step.points} points"
            lines += [f"{said}, {points}"] * bool(ids)
        elif ran:
            whole = f"make grade LAB={score.rubric.lab} T={step.step.id}"
            lines.append(f"{said}; it has {len(ids)}, for points run {whole}")
    return lines


def _failure(score: Score, step: StepScore, row: Row) -> list[str]:
    """A failure in lines, the most telling first."""
    lines = [
        f"{STATES[row['verdict']]}: {row['id']} (step {step.step.id}; {machine(row)})"
    ]
    if row.get("doc") and row["doc"] != row.get("expected"):
        lines.append(f"  {row['doc']}")
    if row["verdict"] == "infrastructure":
        return lines + ["  this host could not run it: " + " ".join(row["wrong"])]
    lines += [f"  expected  {row['expected']}", f"  got       {row['got']}"]
    first = row["wrong"][0] if row["wrong"] else ""
    lines += [f"  first     {first}"] if first and first != row["got"] else []
    lines += [f"  at the end: {row['end']}"] if row.get("end") else []
    lines += [f"  where     {line}" for line in row.get("stack", [])[:8]]
    lines.append(f"  read      {paragraph(score, step)}")
    return lines + [f"  {what:9} {words}" for what, words in commands(score, row)]


def _failure_text(score: Score, step: StepScore, row: Row) -> str:
    return "\n".join(_failure(score, step, row))


def _run_text(score: Score, step: StepScore, row: Row) -> str:
    """A failure with what the machine printed."""
    lines = _failure(score, step, row)
    console = [f"    {line}" for line in row.get("console", [])]
    return "\n".join(lines + (["  console, last lines:", *console] if console else []))


def unwritten(row: Row) -> str:
    """What a test met that is not written yet; "" if it met something else."""
    found = re.match(r"error: (step \S+ is not written yet.*)", row.get("got", ""))
    return found[1] if found else ""


def _unwritten(score: Score) -> list[str]:
    """Each unwritten step once, with the steps whose tests met it."""
    met: dict[str, list[str]] = {}
    for step in score.steps + score.challenges:
        for row in score.failures(step):
            steps = met.setdefault(unwritten(row), [])
            steps += [step.step.id] * (step.step.id not in steps)
    met.pop("", None)
    lines = []
    for what, steps in met.items():
        lines += [what, f"  tests that wait for it: of step {', '.join(steps)}"]
    return lines + [""] * bool(lines)


def alike(row: Row) -> tuple[str, str]:
    """What variants of one test have in common that fail in the same way."""
    first = row["wrong"][0] if row["wrong"] else row.get("got", "")
    return row["id"].split("-")[0], re.sub(r"0x[0-9a-f]+|\d+", "0", first)


def _groups(rows: list[Row]) -> list[list[Row]]:
    """Failures, with variants of one test that say the same in one group."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault(alike(row), []).append(row)
    return list(groups.values())


def _same(group: list[Row]) -> list[str]:
    """The variants that failed like the first of a group, in a line."""
    others = " ".join(row["id"] for row in group[1:])
    return [f"  the same  {others}"] * bool(others)


def terminal(score: Score, every: bool = False) -> str:
    """The whole report for a terminal.

    A challenge's failures are shown only if `every` is set: a person asked for
    these tests.  Nobody has to take up a challenge.
    """
    partial = every and len(score.rows) < sum(map(len, score.runs.values()))
    lines = [f"Lab {score.rubric.lab}: {score.rubric.title}", ""]
    lines += [f"taken: {score.took}"] * bool(score.took)
    lines += [f"note: {note}" for note in score.notes]
    if score.refused:
        lines += [f"Not graded: {score.refused}", ""]
    if score.unbuilt:
        lines += ["It does not build:", *(f"  {line}" for line in score.unbuilt), ""]
    shown: set[str] = set()
    for step in score.steps + score.challenges:
        failed = [row for row in score.failures(step) if row["id"] not in shown]
        failed = [row for row in failed if len(score.rows) == 1 or not unwritten(row)]
        if step.step.id.startswith("C") and not every:
            failed = []
        groups = _groups(failed)
        for group in groups if every else groups[:MAX_SHOWN]:
            shown.update(row["id"] for row in group)
            text = _run_text if len(score.rows) == 1 else _failure_text
            lines.append(text(score, step, group[0]))
            lines += [*_same(group), ""]
        more = len(groups) - MAX_SHOWN
        if more > 0 and not every:
            lines += [f"... and {more} more of step {step.step.id}", ""]
    lines += [] if len(score.rows) == 1 else _unwritten(score)
    if partial:
        good = [id_ for id_, row in score.rows.items() if row["verdict"] == "pass"]
        lines += [f"passed: {id_}" for id_ in sorted(good)]
        lines += _points_of_some(score)
    else:
        lines += _table(score)
    if score.infrastructure:
        count = len(score.infrastructure)
        lines.append(f"INCOMPLETE: this host could not run {count} tests; grade again")
    return "\n".join(lines) + "\n"


# ---- for programs ----


def gradescope(score: Score) -> str:
    """Gradescope's results.json: an entry for each step."""
    tests: list[Row] = []
    for step in score.steps + score.challenges:
        failed = score.failures(step)
        text = "\n\n".join(
            "\n".join([_run_text(score, step, group[0]), *_same(group)])
            for group in _groups(failed)
        )
        tests.append(
            {
                "name": step.step.title,
                "number": step.step.id,
                "score": step.points,
                "max_score": step.step.points,
                "status": "passed" if step.whole else "failed",
                "output": text or f"{step.passed} of {step.runs} tests passed",
                "visibility": "visible",
            }
        )
    out: dict[str, Any] = {
        "score": score.points,
        "output": terminal(score),
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": tests,
        "extra_data": {"digests": score.digests},
    }
    return json.dumps(out, indent=1, sort_keys=True) + "\n"


def junit(score: Score) -> str:
    """JUnit XML: a suite for each step."""
    suites = xml.Element("testsuites", name=f"lab {score.rubric.lab}")
    for step in score.steps + score.challenges:
        suite = xml.SubElement(
            suites, "testsuite", name=f"{step.step.id} {step.step.title}"
        )
        ids = [id_ for name in step.step.tests for id_ in score.runs.get(name, [])]
        bad = {row["id"]: row for row in score.failures(step)}
        kinds = [row["verdict"] for row in bad.values()]
        suite.set("tests", str(len(ids)))
        suite.set("failures", str(kinds.count("fail")))
        suite.set("errors", str(kinds.count("infrastructure")))
        suite.set("skipped", str(len([i for i in ids if i not in score.rows])))
        for id_ in ids:
            case = xml.SubElement(
                suite, "testcase", name=id_, classname=f"lab{score.rubric.lab}"
            )
            if id_ not in score.rows:
                why = (
                    score.refused or "it does not build" if score.unbuilt else "not run"
                )
                xml.SubElement(case, "skipped", message=score.refused or why)
            elif id_ in bad:
                kind = "failure" if bad[id_]["verdict"] == "fail" else "error"
                said = " ".join(bad[id_]["wrong"][:1])
                xml.SubElement(case, kind, message=said).text = _run_text(
                    score, step, bad[id_]
                )
    xml.indent(suites)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        + xml.tostring(suites, "unicode")
        + "\n"
    )


def table(score: Score) -> str:
    """CSV: a line for each run."""
    out = io.StringIO()
    write = csv.writer(out, lineterminator="\n").writerow
    write(["step", "test", "run", "verdict", "expected", "got"])
    for step in score.steps + score.challenges:
        for name in step.step.tests:
            for id_ in score.runs.get(name, []):
                row = score.rows.get(id_, {})
                said = [row.get(key, "") for key in ("expected", "got")]
                write(
                    [
                        step.step.id,
                        name,
                        id_,
                        row.get("verdict", "not run"),
                        *map(safe, said),
                    ]
                )
    return out.getvalue()


def safe(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t") else cell


# ---- HTML ----

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto;
  padding: 0 1rem; color: #1a1a1a; background: #fff; }
h1, h2 { line-height: 1.2; } h2 { margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; margin: 1rem 0; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ccc;
  vertical-align: top; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
.bar { display: inline-block; height: .8rem; background: #2a5db0; vertical-align: middle; }
.rest { display: inline-block; height: .8rem; vertical-align: middle;
  background: repeating-linear-gradient(45deg, #ddd 0 3px, #fff 3px 6px); }
details { border: 1px solid #999; border-radius: 4px; padding: .4rem .8rem; margin: .6rem 0; }
summary { cursor: pointer; } summary b { margin-right: .5rem; }
pre { background: #f4f4f4; padding: .6rem; overflow-x: auto; font-size: .85rem; }
dt { font-weight: 600; } dd { margin: 0 0 .4rem 1rem; overflow-wrap: anywhere; }
.total { font-size: 1.6rem; font-weight: 700; } .note { border-left: 4px solid #666;
  padding-left: .8rem; } code { overflow-wrap: anywhere; }
@media (prefers-color-scheme: dark) { body { background: #161616; color: #eee; }
  pre { background: #262626; } .bar { background: #8ab4f8; }
  .rest { background: repeating-linear-gradient(45deg, #444 0 3px, #161616 3px 6px); }
  a { color: #8ab4f8; } }
@media print { details { break-inside: avoid; } }
"""


def escape(text: object) -> str:
    """Text for HTML."""
    return html.escape(str(text))


def bar(part: float, width: float = 8.0) -> str:
    """A bar filled to that part; what it says stands beside it in digits."""
    full, rest = width * part, width * (1 - part)
    return (
        f'<span class="bar" style="width:{full:.2f}rem"></span>'
        f'<span class="rest" style="width:{rest:.2f}rem"></span>'
    )


def page(title: str, body: list[str]) -> str:
    """A whole HTML page that needs no other file."""
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            *body,
            "</body></html>",
            "",
        ]
    )


def _html_failure(
    score: Score, step: StepScore, row: Row, others: list[str]
) -> list[str]:
    state = STATES[row["verdict"]]
    lines = [
        f"<details><summary><b>{state}</b> <code>{escape(row['id'])}</code> "
        f"{escape(row.get('doc', ''))}</summary><dl>"
    ]
    facts = [("expected", row.get("expected")), ("got", row.get("got"))]
    facts += [
        ("first difference", (row.get("wrong") or [""])[0]),
        ("at the end", row.get("end")),
    ]
    facts += [("machine", machine(row)), ("test", row.get("source"))]
    facts += [("the same", " ".join(others))]
    lines += [f"<dt>{what}</dt><dd>{escape(text)}</dd>" for what, text in facts if text]
    link = paragraph(score, step)
    lines.append(f"<dt>read</dt><dd><code>{escape(link)}</code></dd>")
    for what, words in commands(score, row):
        lines.append(f"<dt>{what}</dt><dd><code>{escape(words)}</code></dd>")
    lines.append("</dl>")
    for what in ("stack", "console", "records"):
        if row.get(what):
            text = escape("\n".join(row[what]))
            lines.append(f"<p>{what}</p><pre>{text}</pre>")
    return lines + ["</details>"]


def web(score: Score) -> str:
    """The report as a page for the student."""
    title = f"Lab {score.rubric.lab}: {score.rubric.title}"
    body = [f"<h1>{escape(title)}</h1>"]
    if score.student:
        body.append(f"<p>Handed in by <b>{escape(score.student)}</b></p>")
    if score.infrastructure:
        body.append(
            '<p class="note"><b>Incomplete:</b> the grading host could not run '
            f"{len(score.infrastructure)} tests. These are no verdict about your work.</p>"
        )
    total = sum(map(len, score.runs.values()))
    if 0 < len(score.rows) < total:
        what = f"{len(score.rows)} of {total} tests were asked for; points need all"
        body.append(f'<p class="note">{what}</p>')
    else:
        body.append(f'<p class="total">{score.points} of 100 points</p>')
    body += [f'<p class="note">Taken: {escape(score.took)}</p>'] * bool(score.took)
    body += [f'<p class="note">{escape(note)}</p>' for note in score.notes]
    if score.refused:
        body.append(f'<p class="note"><b>Not graded:</b> {escape(score.refused)}</p>')
    if score.unbuilt:
        text = escape("\n".join(score.unbuilt))
        body.append(f"<p><b>It does not build:</b></p><pre>{text}</pre>")
    body.append(
        "<table><caption>Points by step</caption><thead><tr><th>step</th><th></th>"
    )
    body.append(
        '<th class="n">tests passed</th><th></th><th class="n">points</th></tr></thead>'
    )
    for step in score.steps + score.challenges:
        part = step.passed / step.runs if step.runs else 0
        points = (
            f"{step.points} of {step.step.points}" if step.step.points else "challenge"
        )
        body.append(
            f"<tr><td>{escape(step.step.id)}</td><td>{escape(step.step.title)}</td>"
            f'<td class="n">{step.passed} of {step.runs}</td><td>{bar(part)}</td>'
            f'<td class="n">{points}</td></tr>'
        )
    body.append("</table>")
    for step in score.steps + score.challenges:
        failed = score.failures(step)
        if failed:
            body.append(
                f"<h2>Step {escape(step.step.id)}: {escape(step.step.title)}</h2>"
            )
        waits: dict[str, list[str]] = {}
        for row in failed:
            if what := unwritten(row):
                waits.setdefault(what, []).append(row["id"])
        for group in _groups([row for row in failed if not unwritten(row)]):
            others = [row["id"] for row in group[1:]]
            body += _html_failure(score, step, group[0], others)
        for what, ids in waits.items():
            body.append(f"<p>{escape(what)}. Tests that wait for it:")
            body.append(f"<code>{escape(' '.join(ids))}</code></p>")
    body.append("<h2>What this rests on</h2><dl>")
    for what, digest in sorted(score.digests.items()):
        body.append(f"<dt>{escape(what)}</dt><dd><code>{escape(digest)}</code></dd>")
    return page(title, body + ["</dl>"])


def write_all(score: Score, place: Path) -> None:
    """All reports into a folder."""
    place.mkdir(parents=True, exist_ok=True)
    reports = {
        "score.json": score.to_json(),
        "junit.xml": junit(score),
        "report.html": web(score),
        "runs.csv": table(score),
        "report.txt": terminal(score, every=True),
    }
    if not score.infrastructure:  # no file there is no score there, not a 0
        reports["results.json"] = gradescope(score)
    else:
        (place / "results.json").unlink(missing_ok=True)
    for name, text in reports.items():
        (place / name).write_text(text, encoding="utf-8")
