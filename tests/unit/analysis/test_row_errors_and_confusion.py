"""What is missed and what is said instead: by hand, and against a plain loop."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.analysis.confusion import Swap, confusion
from multitag.analysis.row_errors import row_errors, rows_to_look_at
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers

NAMES = ("a", "b", "c")
GOLD = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 1], [1, 0, np.nan], [0, 0, 0]], np.float32)
SAID = np.array([[0, 1, 0], [1, 0, 1], [0, 0, 1], [0, 0, 1], [0, 1, 0]], bool)
BY_HAND = Answers(GOLD, SAID, np.where(SAID, 0.8, 0.3))


def drawn(rows: int = 200, labels: int = 4, seed: int = 1) -> Answers:
    rng = np.random.default_rng(seed)
    gold = (rng.random((rows, labels)) < 0.4).astype(np.float32)
    gold[rng.random((rows, labels)) < 0.1] = np.nan
    probabilities = rng.random((rows, labels))
    return Answers(gold, probabilities > 0.6, probabilities)


def test_confusion_by_hand() -> None:
    found = confusion(BY_HAND, NAMES)
    assert found.pairs.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0]]
    assert found.nothing.tolist() == [1, 0, 0]  # the fourth row misses a; whether c is wrong is not known
    assert found.alone.tolist() == [0, 1, 0]
    assert found.hits.tolist() == [1, 0, 1]
    assert found.support.tolist() == [3, 1, 1]
    assert found.swaps() == [Swap("a", "b", 1, 1 / 3), Swap("b", "c", 1, 1.0)]
    assert found.swaps(most=1) == [Swap("a", "b", 1, 1 / 3)]


def test_confusion_is_that_of_a_plain_loop() -> None:
    made = drawn()
    found = confusion(made, list("abcd"))
    pairs = np.zeros((4, 4), int)
    for gold, said in zip(made.gold, made.predicted, strict=True):
        for i in range(4):
            for j in range(4):
                pairs[i, j] += gold[i] == 1 and not said[i] and gold[j] == 0 and said[j]
    assert found.pairs.tolist() == pairs.tolist()
    swaps = found.swaps(most=99)
    assert [swap.rows for swap in swaps] == sorted(pairs[pairs > 0].tolist(), reverse=True)


def test_row_errors_by_hand() -> None:
    found = row_errors(BY_HAND)
    assert found.f1.tolist() == pytest.approx([0, 0.5, 1, 0, 0])
    assert found.missed.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 0], [1, 0, 0], [0, 0, 0]]
    assert found.extra.tolist() == [[0, 1, 0], [0, 0, 1], [0, 0, 0], [0, 0, 0], [0, 1, 0]]
    assert found.wrong.tolist() == [True, True, False, True, True]
    assert found.loss[0] == pytest.approx(-(np.log(0.3) + np.log(0.2) + np.log(0.7)) / 3)
    assert found.loss[3] == pytest.approx(-(np.log(0.3) + np.log(0.7)) / 2)


def test_row_f1_averages_to_the_metric() -> None:
    made = drawn()
    assert row_errors(made).f1[made.known_rows].mean() == pytest.approx(METRICS.get("samples_f1")(made))


def test_a_row_that_is_surely_wrong_costs_much_and_not_everything() -> None:
    found = row_errors(Answers(np.array([[1.0], [np.nan]]), np.zeros((2, 1), bool), np.zeros((2, 1))))
    assert found.loss.tolist() == pytest.approx([np.log(1e7), 0])


def test_every_label_and_kind_of_error_finds_its_worst_rows() -> None:
    errors = row_errors(drawn())
    places = rows_to_look_at(errors, each=2, overall=3)
    assert (np.diff(errors.loss[places]) <= 0).all()
    assert errors.wrong[places].all()
    order = np.argsort(-errors.loss)
    for kind in (errors.missed, errors.extra):
        for k in range(4):
            worst = [row for row in order if kind[row, k]][:2]
            assert set(worst) <= set(places)
    assert set(np.argsort(-np.where(errors.wrong, errors.loss, -1))[:3]) <= set(places)
    assert errors.f1[places].min() == errors.f1.min()
    assert len(rows_to_look_at(errors, most=5)) == 5


def test_where_all_is_right_there_is_nothing_to_look_at() -> None:
    gold = np.eye(3, dtype=np.float32)
    assert len(rows_to_look_at(row_errors(Answers(gold, gold == 1, gold)))) == 0
