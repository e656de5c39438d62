"""Tests between configurations, on numbers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import t as student

from multitag.metrics.answers import Answers
from multitag.studies.paired import Drawn, compare, draw, holm


def answers(right: np.ndarray) -> Answers:
    """One label that every row has, predicted or not: samples F1 of a row is 1 or 0."""
    gold = np.ones((len(right), 1), np.float32)
    return Answers(gold, right.astype(bool)[:, None], right.astype(float)[:, None])


def test_holm_by_hand():
    # sorted .01 .02 .03 .04: times 4, 3, 2, 1 is .04 .06 .06 .04, and none below the one before
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.5, 0.9]) == pytest.approx([1.0, 1.0])
    assert holm([]) == []


def test_rows_alone_decide_with_one_seed():
    """10 of 100 rows are right in the first only: a mean difference of .1 with variance .09 / 100."""
    first, second = np.ones(100), np.r_[np.zeros(10), np.ones(90)]
    found = compare(*(draw([answers(x)], "samples_f1", same_rows=True, rounds=4000) for x in (first, second)))
    error = np.sqrt(0.1 * 0.9 / 100)
    assert found.value == pytest.approx(0.1)
    assert (found.high - found.low) / 2 == pytest.approx(1.984 * error, rel=0.05)  # t of 99 degrees of freedom
    assert found.p == pytest.approx(2 * student.sf(0.1 / error, 99), rel=0.5)


def test_the_same_answers_do_not_differ():
    drawn = draw([answers(np.r_[1, 0, 1])] * 2, "samples_f1", same_rows=True)
    found = compare(drawn, drawn)
    assert (found.value, found.low, found.high, found.p) == (0, 0, 0, 1)


def test_seeds_decide_where_rows_are_many():
    """No noise from rows: what is left is Student's paired t over three seeds, two degrees of freedom."""
    first = Drawn(np.array([0.80, 0.82, 0.84]), np.tile([0.80, 0.82, 0.84], (500, 1)), 100_000)
    second = Drawn(np.array([0.79, 0.80, 0.81]), np.tile([0.79, 0.80, 0.81], (500, 1)), 100_000)
    found = compare(first, second)
    # differences .01 .02 .03: mean .02, deviation .01, t = .02 / (.01 / sqrt 3) = 3.464, p = .0742 with 2 degrees
    assert found.value == pytest.approx(0.02)
    assert found.p == pytest.approx(0.0742, abs=1e-4)
    assert found.low == pytest.approx(0.02 - 4.3027 * 0.01 / np.sqrt(3), abs=1e-5)


def test_what_rows_make_of_the_differences_between_seeds_is_not_counted_twice():
    """Seeds that are scored on rows of their own and differ as much as rows let them: rows alone explain it."""
    random = np.random.default_rng(0)
    rounds = 0.01 * random.standard_normal((4000, 3)) + 0.02
    first = Drawn(np.array([0.02, 0.011, 0.029]), rounds, 50_000)
    second = Drawn(np.zeros(3), np.zeros((4000, 3)), 50_000)
    found = compare(first, second)
    assert (found.high - found.low) / 2 == pytest.approx(1.96 * 0.01 / np.sqrt(3), rel=0.05)


def test_rows_are_drawn_alike_for_all_and_anew_for_other_rows():
    right = np.random.default_rng(1).random((2, 60)) > 0.4
    same = draw([answers(right[0])] * 2, "samples_f1", same_rows=True, rounds=50)
    own = draw([answers(right[0])] * 2, "samples_f1", same_rows=False, rounds=50)
    assert (same.rounds[:, 0] == same.rounds[:, 1]).all()
    assert (own.rounds[:, 0] != own.rounds[:, 1]).any()
    assert (own.rounds[:, 0] == same.rounds[:, 0]).all()


def test_chance_is_seldom_called_a_difference():
    """Two configurations that are the same but for seeds and rows: p is below .05 about one time in twenty."""
    random, false, times = np.random.default_rng(3), 0, 200
    for _ in range(times):
        hard = random.random(150)
        shift = random.normal(0, 0.03, (2, 3))  # what a seed does to all rows
        right = random.random((2, 3, 150)) + shift[..., None] > 0.6 * hard
        drawn = [draw([answers(r) for r in side], "samples_f1", same_rows=True, rounds=200) for side in right]
        false += compare(*drawn).p < 0.05
    assert false / times < 0.1


def test_metrics_that_are_no_mean_of_rows_are_drawn_whole():
    random = np.random.default_rng(2)
    gold = (random.random((80, 3)) < 0.3).astype(np.float32)
    good = Answers(gold, gold.astype(bool), gold.astype(float))
    guess = random.random((80, 3)) < 0.3
    poor = Answers(gold, guess, guess.astype(float))
    found = compare(*(draw([each], "macro_f1", same_rows=True, rounds=300) for each in (good, poor)))
    assert found.value > 0.4
    assert found.p < 1e-4
