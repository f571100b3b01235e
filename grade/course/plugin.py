"""For pytest: each outcome as a line of JSON in the file LUX9_OUTCOMES."""

from __future__ import annotations

import json
import os
from typing import Any


def pytest_runtest_logreport(report: Any) -> None:
    """Note a failure in any phase, or the pass of the test itself."""
    if report.when != "call" and not report.failed and not report.skipped:
        return
    text = report.longreprtext if report.failed else ""
    if isinstance(report.longrepr, tuple):
        text = str(report.longrepr[2])
    ends = getattr(report, "ends", [])  # conftest.py: how its machines ended
    line = {"id": report.nodeid, "outcome": report.outcome, "text": text, "ends": ends}
    with open(os.environ["LUX9_OUTCOMES"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
