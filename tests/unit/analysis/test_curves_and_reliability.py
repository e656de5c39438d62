"""Precision-recall and reliability curves: by hand, as scikit-learn has them, and thinned without losing the ends."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_curve

from multitag.analysis.curves import precision_recall
from multitag.analysis.reliability import reliability
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers


def answers(rows: int = 300, labels: int = 3, seed: int = 0, digits: int | None = None) -> Answers:
    rng = np.random.default_rng(seed)
    gold = (rng.random((rows, labels)) < 0.3).astype(np.float32)
    probabilities = np.clip(0.4 * gold + 0.6 * rng.random((rows, labels)), 0, 1)
    if digits is not None:
        probabilities = probabilities.round(digits)
    gold[rng.random((rows, labels)) < 0.1] = np.nan
    return Answers(gold, probabilities >= 0.5, probabilities)


def test_a_curve_by_hand() -> None:
    gold = np.array([[1.0], [0.0], [1.0], [0.0], [np.nan]])
    probabilities = np.array([[0.9], [0.8], [0.8], [0.1], [0.95]])
    pooled, only = precision_recall(Answers(gold, probabilities >= 0.5, probabilities), ["a"])
    assert only.thresholds == (0.9, 0.8, 0.1)
    assert only.precision == pytest.approx((1.0, 2 / 3, 2 / 4))
    assert only.recall == (0.5, 1.0, 1.0)
    assert only.average_precision == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert (only.label, only.support) == ("a", 2)
    assert (pooled.label, pooled.precision, pooled.recall) == ("", only.precision, only.recall)


@pytest.mark.parametrize("digits", [None, 2])
def test_curves_are_scikit_learns(digits: int | None) -> None:
    made = answers(digits=digits)
    for k, curve in enumerate(precision_recall(made, list("abc"), points=10_000)[1:]):
        there = made.known[:, k]
        gold, said = made.gold[there, k], np.asarray(made.probabilities)[there, k]
        precision, recall, thresholds = precision_recall_curve(gold, said, drop_intermediate=False)
        np.testing.assert_allclose(curve.precision, precision[-2::-1])
        np.testing.assert_allclose(curve.recall, recall[-2::-1])
        np.testing.assert_allclose(curve.thresholds, thresholds[::-1])
        assert curve.average_precision == pytest.approx(average_precision_score(gold, said))


def test_a_thinned_curve_keeps_its_ends_its_points_and_its_area() -> None:
    made = answers(3000)
    for whole, thin in zip(
        precision_recall(made, list("abc"), points=10_000), precision_recall(made, list("abc"), points=50), strict=True
    ):
        assert len(thin.recall) <= 50
        assert (thin.recall[0], thin.recall[-1]) == (whole.recall[0], 1.0)
        points = set(zip(whole.recall, whole.precision, whole.thresholds, strict=True))
        assert set(zip(thin.recall, thin.precision, thin.thresholds, strict=True)) <= points
        assert max(np.diff(thin.recall)) < 0.05
        assert thin.average_precision == whole.average_precision


def test_a_label_that_no_row_has_has_no_curve() -> None:
    made = Answers(np.zeros((4, 2)), np.zeros((4, 2), bool), np.full((4, 2), 0.2))
    for curve in precision_recall(made, ["a", "b"]):
        assert (curve.support, curve.recall, curve.average_precision) == (0, (), None)


def test_reliability_by_hand() -> None:
    gold = np.array([[1.0], [0.0], [1.0], [np.nan], [0.0]])
    probabilities = np.array([[0.5], [0.4], [1.0], [0.45], [0.0]])
    pooled, only = reliability(Answers(gold, probabilities >= 0.5, probabilities), ["a"], bins=2)
    assert only.said == pytest.approx((0.3, 1.0))
    assert only.found == pytest.approx((1 / 3, 1.0))
    assert only.counts == (3, 1)
    assert only.ece == pytest.approx(3 / 4 * (1 / 3 - 0.3))
    assert (pooled.said, pooled.ece) == (only.said, only.ece)


def test_the_pooled_curves_error_is_the_metric() -> None:
    made = answers()
    assert reliability(made, list("abc"))[0].ece == pytest.approx(METRICS.get("ece")(made))


def test_nothing_known_gives_no_bins() -> None:
    made = Answers(np.full((2, 1), np.nan), np.zeros((2, 1), bool), np.zeros((2, 1)))
    assert [(curve.counts, curve.ece) for curve in reliability(made, ["a"])] == [((), None)] * 2
