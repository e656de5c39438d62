"""Thresholds on a grid: the same label sets as the decisions give, at every step, and a payload that holds them."""

from __future__ import annotations

import base64

import numpy as np
import pytest

from multitag.analysis.threshold_grid import NEVER, STEPS, ThresholdGrid, levels_of, step_of
from multitag.analysis.threshold_sweep import sweep
from multitag.decisions.global_threshold import GlobalThreshold
from multitag.decisions.per_label import PerLabelThresholds
from multitag.evaluation import Scored, answers_of, evaluate
from multitag.types import LabelSpace, Predictions, Sample


def scored(rows: int = 300, seed: int = 0, digits: int | None = 3, more: tuple[str, ...] = ()) -> Scored:
    rng = np.random.default_rng(seed)
    probabilities = rng.random((rows, 4)) ** 2
    if digits is not None:
        probabilities = probabilities.round(digits)  # many exactly on the grid
    space = LabelSpace(tuple("abcd"))
    samples = []
    for n in range(rows):
        labels = (*(name for name in space.names if rng.random() < 0.3), *(more if n % 7 == 0 else ()))
        unknown = ("d",) if n % 11 == 0 and "d" not in labels else ()
        samples.append(Sample(str(n), text="t", labels=None if n % 13 == 5 else labels, unknown=unknown))
    made = Predictions(tuple(s.id for s in samples), space, probabilities > 0.5, probabilities)
    return answers_of(made, samples)


@pytest.mark.parametrize("never_empty", [True, False])
@pytest.mark.parametrize("digits", [1, 3, None])
def test_every_step_decides_as_the_decision_does(never_empty: bool, digits: int | None) -> None:
    made = scored(digits=digits)
    grid = ThresholdGrid.of(made, never_empty=never_empty)
    rows = made.answers.known_rows
    for step in (0, 1, 100, 299, 300, 301, 437, 570, 999, 1000):
        rule = GlobalThreshold(threshold=float(f"0.{step:03d}") if step < 1000 else 1.0)
        rule.load_state({"never_empty": never_empty, "threshold": rule.threshold})
        expected = rule.apply(made.probabilities[rows])
        assert np.array_equal(grid.decide([step] * 4, never_empty=never_empty), expected), step


def test_each_label_may_have_a_threshold_of_its_own() -> None:
    made = scored()
    grid = ThresholdGrid.of(made, never_empty=True)
    rule = PerLabelThresholds()
    rule.load_state({"never_empty": True, "thresholds": [0.1, 0.25, 0.7, 0.003]})
    expected = rule.apply(made.probabilities[made.answers.known_rows])
    assert np.array_equal(grid.decide([100, 250, 700, 3], never_empty=True), expected)


def test_levels_by_hand_and_just_beside_each_step() -> None:
    assert levels_of(np.array([0.0, 0.0005, 0.001, 0.2999999, 0.3, 0.9999, 1.0])).tolist() == [
        0,
        0,
        1,
        299,
        300,
        999,
        1000,
    ]
    for step in range(1, STEPS):
        threshold = float(f"0.{step:03d}")
        beside = np.array([np.nextafter(threshold, 0), threshold, np.nextafter(threshold, 1)])
        assert (levels_of(beside) >= step).tolist() == [False, True, True]
    assert [step_of(value) for value in (0, 0.4371, 0.4379, 1, 1.2)] == [0, 437, 438, 1000, 1000]


def test_labels_that_the_model_does_not_know_are_never_taken() -> None:
    grid = ThresholdGrid.of(scored(more=("new",)), never_empty=True)
    assert grid.names == (*"abcd", "new")
    assert (grid.levels[:, 4] == NEVER).all()
    assert not grid.decide([0] * 5, never_empty=True)[:, 4].any()
    assert grid.likeliest.max() < 4
    assert grid.positive[:, 4].any()


def test_the_payload_holds_it_all() -> None:
    grid = ThresholdGrid.of(scored(rows=61, more=("new",)), never_empty=False)
    held = grid.payload()
    shape = (held["rows"], len(held["labels"]))
    assert shape == grid.levels.shape
    assert np.array_equal(np.frombuffer(base64.b64decode(held["levels"]), "<i2").reshape(shape), grid.levels)
    assert np.array_equal(np.frombuffer(base64.b64decode(held["likeliest"]), "<i4"), grid.likeliest)
    for name in ("positive", "known", "predicted"):
        bits = np.unpackbits(np.frombuffer(base64.b64decode(held[name]), np.uint8))[: shape[0] * shape[1]]
        assert np.array_equal(bits.reshape(shape).astype(bool), getattr(grid, name)), name


def test_of_too_many_cells_rows_are_drawn_and_said() -> None:
    made = scored()
    grid = ThresholdGrid.of(made, never_empty=True, most_cells=100)
    assert (len(grid.levels), grid.of_rows) == (25, int(made.answers.known_rows.sum()))
    again = ThresholdGrid.of(made, never_empty=True, most_cells=100)
    assert np.array_equal(grid.levels, again.levels)
    whole = ThresholdGrid.of(made, never_empty=True)
    assert len(whole.levels) == whole.of_rows
    assert set(map(bytes, grid.levels)) <= set(map(bytes, whole.levels))


def test_a_sweep_has_the_commands_scores() -> None:
    made = scored(more=("new",))
    found = sweep(ThresholdGrid.of(made, never_empty=True), step=250)
    assert found.thresholds == (0.25, 0.5, 0.75)
    for place, threshold in enumerate(found.thresholds):
        rule = GlobalThreshold(threshold=threshold)
        rule.load_state({"never_empty": True, "threshold": threshold})
        probabilities = made.probabilities[:, :4]
        told = Predictions(
            tuple(s.id for s in made.samples), LabelSpace(tuple("abcd")), rule.apply(probabilities), probabilities
        )
        expected = evaluate(told, made.samples, rounds=1).metrics
        for name, values in found.scores.items():
            assert values[place] == pytest.approx(expected[name].value), name
