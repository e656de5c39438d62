import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multitag.decisions.cuts import above, best_cut, between, f1, rank
from multitag.decisions.macro_cut import best_macro_cut


def slow_f1(scores, positive, threshold, sure_hits=0, sure_misses=0):
    taken = scores >= threshold
    hits = (taken & positive).sum() + sure_hits
    size = taken.sum() + positive.sum() + 2 * sure_hits + sure_misses
    return 2 * hits / size if size else 1.0


def every_cut(scores):
    return [*np.unique(scores), 2.0]


lists = st.lists(st.tuples(st.integers(0, 8), st.booleans()), min_size=1, max_size=25)
counts = st.integers(0, 3)


@settings(deadline=None, max_examples=200)
@given(cells=lists, hits=counts, misses=counts, dtype=st.sampled_from([np.float32, np.float64]))
def test_best_cut_is_the_best_of_all_cuts(cells, hits, misses, dtype):
    scores = np.array([score / 8 for score, _ in cells], dtype)
    positive = np.array([there for _, there in cells])
    threshold = best_cut(rank(scores, positive, sure_hits=hits, sure_misses=misses))
    best = max(slow_f1(scores, positive, cut, hits, misses) for cut in every_cut(scores))
    assert slow_f1(scores, positive, threshold, hits, misses) == best


@settings(deadline=None, max_examples=200)
@given(labels=st.lists(st.tuples(lists, counts, counts), min_size=1, max_size=4))
def test_best_macro_cut_is_the_best_of_all_cuts(labels):
    parts = [
        (np.array([s / 8 for s, _ in cells]), np.array([y for _, y in cells]), hits, misses)
        for cells, hits, misses in labels
    ]
    threshold = best_macro_cut([rank(s, y, sure_hits=h, sure_misses=m) for s, y, h, m in parts])

    def macro(cut):
        return np.mean([slow_f1(s, y, cut, h, m) for s, y, h, m in parts])

    assert macro(threshold) == pytest.approx(max(map(macro, [i / 8 for i in range(9)] + [2.0])), abs=1e-12)


def test_best_macro_cut_looks_everywhere_when_there_are_more_cuts_than_parts(monkeypatch):
    from multitag.decisions import macro_cut

    rng = np.random.default_rng(0)
    scores = rng.random((4, 800))
    positive = rng.random((4, 800)) < scores * [[0.1], [0.3], [0.5], [0.9]]
    monkeypatch.setattr(macro_cut, "_PARTS", 5)
    threshold = best_macro_cut([rank(s, y) for s, y in zip(scores, positive, strict=True)])

    def macro(cut):
        return np.mean([slow_f1(s, y, cut) for s, y in zip(scores, positive, strict=True)])

    assert macro(threshold) == pytest.approx(max(map(macro, every_cut(scores))), abs=1e-12)


def test_by_hand():
    scores, positive = np.array([0.9, 0.8, 0.6, 0.4, 0.1]), np.array([True, False, True, False, False])
    # Cuts under .9, .8, .6, .4, .1: 2/3, 2/4, 4/5, 4/6, 4/7.
    assert best_cut(rank(scores, positive)) == pytest.approx(0.5)
    assert best_cut(rank(scores, np.zeros(5, bool))) == pytest.approx(0.95)
    assert best_cut(rank(scores, np.ones(5, bool))) == pytest.approx(0.05)
    assert best_cut(rank(np.zeros(0), np.zeros(0, bool))) == 0.5


def test_the_highest_of_equal_cuts():
    # Under .9: 2 / (3 + 1) = 1/2; under .4: 6 / (3 + 9) = 1/2.
    scores = np.array([0.9, 0.8, 0.7, 0.65, 0.6, 0.55, 0.5, 0.45, 0.4])
    positive = np.isin(scores, [0.9, 0.45, 0.4])
    assert best_cut(rank(scores, positive)) == pytest.approx(0.85)


def test_neighbouring_numbers_are_told_apart():
    low = np.float64(0.3)
    high = np.nextafter(low, 1)
    assert low < between(low, high) <= high
    assert above(1.0) > 1
    assert 0.8 < above(0.8) < 1


def test_f1_of_two_empty_sets_is_one():
    assert f1(np.array([0.0, 1.0, 0.0]), np.array([0.0, 3.0, 2.0])).tolist() == [1, 2 / 3, 0]
