"""Expected-F1 sets against the sum over all label sets that may be true."""

import itertools

import numpy as np
import pytest

from multitag.decisions import expected_f1 as module
from multitag.decisions.expectation import expected_f1_of_top
from multitag.decisions.expected_f1 import ExpectedF1, best_sizes, size_bounds
from multitag.errors import ConfigError


def slow_expected(p, taken):
    """Expected F1 of a set, summed over all 2^K sets of true labels."""
    total = 0.0
    for truth in map(np.array, itertools.product([False, True], repeat=len(p))):
        size = truth.sum() + taken.sum()
        total += np.where(truth, p, 1 - p).prod() * (2 * (truth & taken).sum() / size if size else 1.0)
    return total


@pytest.mark.parametrize("labels", range(1, 7))
def test_the_expectation_equals_the_sum_over_all_label_sets(labels):
    rng = np.random.default_rng(labels)
    falling = -np.sort(-rng.random((labels, 5)), axis=0)
    falling[:, 0] = 0
    falling[:, 1] = 1
    got = expected_f1_of_top(falling, most=labels, count=labels)
    for row in range(5):
        for k in range(labels + 1):
            taken = np.arange(labels) < k
            assert got[k, row] == pytest.approx(slow_expected(falling[:, row], taken), abs=1e-12)


@pytest.mark.parametrize("never_empty", ["yes", "no"])
@pytest.mark.parametrize("labels", [1, 3, 6])
def test_the_set_is_the_best_of_all_sets(labels, never_empty):
    rng = np.random.default_rng(labels)
    probs = rng.beta(0.3, 0.6, (12, labels))
    chosen = ExpectedF1(never_empty=never_empty).fit(probs, np.ones_like(probs)).apply(probs)
    for p, taken in zip(probs, chosen, strict=True):
        sets = [np.array(s) for s in itertools.product([False, True], repeat=labels)]
        if never_empty == "yes":
            sets = sets[1:]
        best = max(slow_expected(p, s) for s in sets)
        assert slow_expected(p, taken) == pytest.approx(best, abs=1e-12)


def test_by_hand():
    # E_0 = .5 * .6 = .3; E_1 = .5 (.6 * 1 + .4 * 2/3) = .4333; E_2 = .2 * 1 + .5 * 2/3 = .5333.
    falling = np.array([[0.5], [0.4]])
    expected = [0.3, 0.5 * (0.6 + 0.4 * 2 / 3), 0.2 + 0.5 * 2 / 3]
    assert expected_f1_of_top(falling, most=2, count=2)[:, 0] == pytest.approx(expected, abs=1e-15)
    assert best_sizes(falling.T).tolist() == [2]


def test_cutting_short_is_below_by_at_most_what_was_left_out():
    rng = np.random.default_rng(0)
    falling = -np.sort(-rng.beta(0.2, 2, (40, 30)), axis=0)
    exact = expected_f1_of_top(falling, most=40, count=40)
    for most, count in [(40, 6), (10, 6), (10, 40), (3, 5)]:
        short = expected_f1_of_top(falling, most=most, count=count)
        spread = np.ones((1, 30))
        for p in falling:
            more, none = spread * p, np.zeros((1, 30))
            spread = np.vstack([spread - more, none]) + np.vstack([none, more])
        left_out = spread[count + 1 :].sum(axis=0)
        lost = exact[: most + 1] - short
        assert (lost > -1e-12).all()
        assert (lost <= left_out + 1e-12).all()
        assert count == 40 or left_out.max() > 1e-4


@pytest.mark.parametrize("shape", [(0.1, 5.0), (0.5, 0.5), (2.0, 2.0), (0.05, 50.0)])
@pytest.mark.parametrize("labels", [3, 18, 60])
def test_bounds_and_tails_lose_nothing(shape, labels):
    falling = -np.sort(-np.random.default_rng(0).beta(*shape, (200, labels)), axis=1)
    exact = expected_f1_of_top(falling.T.copy(), most=labels, count=labels)
    for tail in (0.0, 1e-12):
        for least in (0, 1):
            sizes = best_sizes(falling, least=least, tail=tail)
            assert sizes.min() >= least
            got = np.take_along_axis(exact, sizes[None], axis=0)[0]
            assert np.allclose(got, exact[least:].max(axis=0), rtol=0, atol=3e-12)


@pytest.mark.parametrize("shape", [(0.1, 5.0), (0.5, 0.5), (2.0, 2.0), (0.3, 1.0)])
def test_expected_f1_lies_within_its_bounds(shape):
    falling = -np.sort(-np.random.default_rng(0).beta(*shape, (500, 12)), axis=1)
    exact = expected_f1_of_top(falling.T.copy(), most=12, count=12)[1:].T
    lower, upper = size_bounds(falling)
    assert (lower <= exact + 1e-12).all()
    assert (exact <= upper + 1e-12).all()
    assert (module._largest_useful(falling) > exact.argmax(axis=1)).all()


def test_bounds_cut_sets_off_and_tails_cut_counts_off():
    falling = -np.sort(-np.random.default_rng(0).beta(0.05, 20, (50, 300)), axis=1)
    assert module._largest_useful(falling).max() < 100
    assert module._largest_count(falling.sum(axis=1), 300, 1e-12).max() < 100
    assert (module._largest_count(falling.sum(axis=1), 300, 0.0) == 300).all()


def test_few_sure_labels_are_taken_and_nothing_else():
    probs = np.array([[0.99, 0.01, 0.98, 0.02], [0.0, 0.0, 0.0, 0.0], [0.3, 0.3, 0.3, 0.3]])
    decision = ExpectedF1(never_empty="no").fit(probs, np.zeros_like(probs))
    # The last row: nothing is right with .7^4 = .24, all four are expected to score more.
    assert decision.apply(probs).tolist() == [[True, False, True, False], [False] * 4, [True] * 4]
    filled = ExpectedF1(never_empty="yes").fit(probs, np.zeros_like(probs)).apply(probs)
    assert filled[1].tolist() == [True, False, False, False]


def test_blocks_of_rows_change_nothing(monkeypatch):
    probs = np.random.default_rng(1).beta(0.3, 1, (300, 12))
    decision = ExpectedF1(never_empty="no").fit(probs, probs > 0.5)
    whole = decision.apply(probs)
    monkeypatch.setattr(module, "_CELLS", 100)
    assert np.array_equal(decision.apply(probs), whole)


@pytest.mark.parametrize("tail", [-0.1, 1.0, float("nan")])
def test_a_tail_must_be_a_probability(tail):
    with pytest.raises(ConfigError, match="'tail'"):
        ExpectedF1(tail=tail)
