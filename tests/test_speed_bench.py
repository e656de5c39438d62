"""The benchmark of speed: its arithmetic, and a run of its quickest part."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    """A list of what each timed run takes, from the left."""
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.speed import measure

    seconds: list[float] = []
    monkeypatch.setattr(measure, "timed", lambda work: seconds.pop(0))
    yield seconds
    assert not seconds


def nothing() -> None:
    """No work."""


def test_a_ratio_is_the_median_of_ratios_run_by_run(clock: list[float]) -> None:
    from benchmarks.speed.measure import compare

    clock[:] = [2.0, 3.0, 1.0, 4.0, 4.0, 8.0]  # ours and the other by turns: 1.5, 4, 2
    found = compare("x", nothing, nothing, beside_name="y", at_least=2.0, runs=3)
    assert (found.ratio, found.spread, found.ours, found.beside, found.met) == (2.0, (1.5, 4.0), 2.0, 4.0, True)


def test_less_work_beside_counts_in_proportion(clock: list[float]) -> None:
    from benchmarks.speed.measure import compare

    clock[:] = [2.0, 0.3]
    found = compare("x", nothing, nothing, beside_name="y", at_least=2.0, runs=1, scale=10)
    assert found.ratio == pytest.approx(1.5)
    assert found.beside == pytest.approx(3.0)
    assert not found.met


def test_a_time_is_met_by_its_median(clock: list[float]) -> None:
    from benchmarks.speed.measure import within

    clock[:] = [9.0, 1.0, 2.0]
    found = within("x", nothing, seconds=2.0, runs=3)
    assert (found.ours, found.spread, found.met, found.ratio) == (2.0, (1.0, 9.0), True, None)


def test_what_did_not_run_is_neither_met_nor_missed(clock: list[float]) -> None:
    from benchmarks.speed.measure import skipped

    found = skipped("x", "there is no GPU here").to_dict()
    assert (found["ours"], found["met"], found["note"]) == (None, None, "did not run: there is no GPU here")


def test_a_part_runs_and_writes_a_row_a_figure(tmp_path: Path) -> None:
    out = tmp_path / "results.json"
    command = [sys.executable, "-m", "benchmarks.speed", "--only", "starting", "--runs", "1", "--out", str(out)]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    figures = json.loads(out.read_text())["figures"]
    assert len(figures) == len(said.splitlines()) == 3
    for figure in figures:
        assert {"name", "ours", "beside", "ratio", "goal", "met", "spread", "commit"} <= set(figure)
    assert [figure["name"] for figure in figures] == ["an empty Python", "multitag --help", "import multitag"]
