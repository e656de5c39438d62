"""The deletion test with a model that is known: log-odds are sums over words."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.explain.check import Checked
from multitag.explain.deletion import Deletion, delete
from multitag.explain.occlusion import occlude
from multitag.explain.scoring import probability
from multitag.explain.text import CutText
from multitag.types import Sample

WEIGHTS = {"dog": (2.0, 0.0, -1.0), "runs": (0.5, 0.0, 0.0), "boat": (0.0, 3.0, 0.0), "the": (0.0, 0.0, 0.0)}
ROW = Sample("r", text="the dog runs the boat")
CUT = CutText.of(ROW.text or "")


def score(samples, total):
    """Three labels: (-1, -2, 0) and what each word adds."""
    rows = [np.array([-1.0, -2.0, 0.0]) + sum(np.array(WEIGHTS[w]) for w in s.text.split()) for s in samples]
    assert len(rows) == total
    return np.array(rows)


WHOLE = np.array([1.5, 1.0, -1.0])


def test_of_an_additive_model_a_word_is_worth_its_weight():
    expected = [WEIGHTS[word] for word in ("the", "dog", "runs", "the", "boat")]
    np.testing.assert_allclose(occlude(score, ROW, CUT, WHOLE), expected)


def test_what_is_worth_most_is_taken_away():
    places = [2, 0]
    worth = occlude(score, ROW, CUT, WHOLE)[:, places]
    rng = np.random.default_rng(0)
    tests = delete(score, ROW, CUT, worth, WHOLE, places, share=0.4, rounds=4000, rng=rng)
    second = tests[1]
    assert (second.parts, second.deleted) == (5, 2)
    assert second.before == pytest.approx(probability(1.5))
    assert second.top == pytest.approx(probability(-1.0))  # without "dog" and "runs"
    # Of the 10 pairs of words: dog and runs 1, dog and another 3, runs and another 3, neither 3.
    expected = (probability(-1.0) + 3 * probability(-0.5) + 3 * probability(1.0) + 3 * probability(1.5)) / 10
    assert second.random == pytest.approx(float(expected), abs=0.01)
    assert second.passed
    # Nothing speaks for the third label: two words that are worth nothing go, and draws may take the one against it.
    assert tests[0].top == tests[0].before == pytest.approx(probability(-1.0))
    assert tests[0].random == pytest.approx(float(0.6 * probability(-1.0) + 0.4 * probability(0.0)), abs=0.01)


def test_at_least_one_part_goes_and_one_stays():
    def deleted(words: str, share: float) -> int:
        row = Sample("r", text=words)
        cut = CutText.of(words)
        worth = np.zeros((len(cut.parts), 1))
        [test] = delete(score, row, cut, worth, WHOLE, [0], share=share, rounds=1, rng=np.random.default_rng(0))
        return test.deleted

    assert deleted("dog runs boat", 0.1) == 1
    assert deleted("dog runs boat", 1.0) == 2


def test_one_part_alone_cannot_be_tested():
    row = Sample("r", text="dog")
    rng = np.random.default_rng(0)
    assert delete(score, row, CutText.of("dog"), np.ones((1, 1)), WHOLE, [0], share=0.2, rounds=3, rng=rng) == []


def test_many_tests_by_hand():
    won = Deletion(10, 2, 0.9, 0.3, (0.8, 0.6))
    lost = Deletion(10, 2, 0.5, 0.5, (0.4,))
    checked = Checked.of([[won, lost], [won]])
    assert (checked.rows, checked.pairs) == (2, 3)
    assert checked.before == pytest.approx((0.9 + 0.5 + 0.9) / 3)
    assert checked.top == pytest.approx((0.3 + 0.5 + 0.3) / 3)
    assert checked.random == pytest.approx((0.7 + 0.4 + 0.7) / 3)
    assert checked.difference == pytest.approx((0.4 - 0.1 + 0.4) / 3)
    assert checked.passed == pytest.approx(2 / 3)
    # Rows are drawn whole: the first twice gives 0.15, the second twice 0.4.
    assert (checked.low, checked.high) == (pytest.approx(0.15), pytest.approx(0.4))
