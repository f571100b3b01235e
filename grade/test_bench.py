"""The speed table: its rows keep to their bounds and repeat exactly."""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any, Callable

import pytest

from grade.harness import ROOT, Variant


@pytest.fixture(scope="module")
def bench() -> ModuleType:
    """tools/bench.py as a module."""
    place = ROOT / "tools" / "bench.py"
    spec = importlib.util.spec_from_file_location("bench", place)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_rows(bench: Any, build: Callable[..., Variant]) -> None:
    """Every row is measured, within its bound, and the same the second time."""
    variant = build(Variant(ktest=False))
    rows = {**bench.measure_programs(variant), **bench.measure_boot(variant)}
    assert set(bench.LIMITS) <= set(rows)
    over = {
        name: f"{rows[name][0]}, at most {bound}"
        for name, bound in bench.LIMITS.items()
        if int(rows[name][0]) > bound
    }
    assert over == {}
    assert float(rows["ipc_roundtrip"][1]) == 2, "CR3 loads of a round trip"
    again = {**bench.measure_programs(variant), **bench.measure_boot(variant)}
    assert again == rows


def test_table_is_kept(bench: Any, tmp_path: Any) -> None:
    """A stored table reads back as it was, tab-separated under its header."""
    rows = {"a": ("1", "2", "3"), "b_c": ("40", "0.5", "6")}
    bench.write_table(tmp_path / "t.tsv", rows)
    text = (tmp_path / "t.tsv").read_text(encoding="utf-8")
    assert text.startswith("operation\tinstructions\tcr3_loads\tkernel_entries\n")
    assert bench.read_table(tmp_path / "t.tsv") == rows
