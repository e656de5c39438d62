"""The benchmarks of scores: their arithmetic, and the quick form as it is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.types import Sample
from training_support import quick, scenes

ROOT = Path(__file__).parents[1]


def test_the_quick_form_measures_three_systems(tmp_path: Path) -> None:
    out = tmp_path / "found.json"
    command = [sys.executable, "-W", "ignore", "benchmarks/accuracy.py", "--quick", "--out", str(out)]
    ran = subprocess.run(command, cwd=ROOT, env={**os.environ, "MULTITAG_STORE": str(tmp_path / "store")}, check=True)
    assert ran.returncode == 0
    found = json.loads(out.read_text())
    assert found["data"] == "openclipart"
    assert [row["system"] for row in found["rows"]] == [
        "TF-IDF + logistic regression (scikit-learn)",
        "multitag",
        "preset fast",
    ]
    for row in found["rows"]:
        low, high = row["samples_f1_interval_of_first_seed"]
        assert 0 < low <= row["samples_f1"] <= high < 1
    assert {key for key in found["rows"][2] if "missing" in key} == {
        f"{share} {what} missing" for share in ("every", "half") for what in ("image", "text")
    }


def test_a_run_that_was_trained_elsewhere_is_scored_as_one_that_is_trained_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks import accuracy

    rows, new = scenes(40), scenes(20, start=40)
    config = quick().model_copy(update={"preset": "fast"})
    monkeypatch.setattr(accuracy, "configure", lambda **options: config)
    here, cost = accuracy.ours(rows, new, 0, both=True)
    Classifier(config).fit(rows, out=tmp_path / "run")
    found, its = accuracy.of_run(tmp_path / "run", "fast", rows, new)
    assert {key: score.value for key, score in found.metrics.items()} == {
        key: score.value for key, score in here.metrics.items()
    }
    assert its.keys() == cost.keys()
    assert {key: its[key] for key in cost if key != "seconds"} == {key: cost[key] for key in cost if key != "seconds"}
    for preset, other in (("best", rows), ("fast", [*rows[:-1], Sample("x", text="a new row", labels=("sea",))])):
        with pytest.raises(SystemExit, match=f"no run of these rows with --preset {preset}: its preset is fast"):
            accuracy.of_run(tmp_path / "run", preset, other, new)


def test_each_row_is_answered_once_by_what_was_fitted_on_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT))
    from benchmarks.crossval import answered

    truth = (np.random.default_rng(0).random((9, 2)) < 0.5).astype(float)
    parts = [([n for n in range(9) if n % 3 != part], [n for n in range(9) if n % 3 == part]) for part in range(3)]
    seen = []

    def answer(fitted_on: list[int], asked: list[int]) -> tuple[np.ndarray, np.ndarray]:
        assert not set(fitted_on) & set(asked)
        seen.extend(asked)
        return truth[asked] > 0, np.asarray(asked, float)[:, None] / 10 + np.zeros((1, 2))

    found, _ = answered(answer, parts, truth)
    assert sorted(seen) == list(range(9))
    assert np.array_equal(found.predicted, truth > 0)
    assert np.array_equal(found.probabilities[:, 0], np.arange(9) / 10)
