"""Thresholds against the best of all thresholds, found by trying each."""

import itertools

import numpy as np
import pytest

from multitag.decisions.ascent import coordinate_ascent
from multitag.decisions.global_threshold import GlobalThreshold
from multitag.decisions.per_label import PerLabelThresholds
from multitag.decisions.top_k import TopK
from multitag.errors import ConfigError, DataError
from multitag.gold import Gold

METRICS = ["samples_f1", "micro_f1", "macro_f1"]


def one_f1(gold, taken):
    size = gold.sum() + taken.sum()
    return 2 * (gold & taken).sum() / size if size else 1.0


def slow_score(metric, gold, taken):
    """The metric by its definition, over known cells."""
    known, positive = ~np.isnan(gold), gold == 1
    if metric == "micro_f1":
        return one_f1(positive[known], taken[known])
    if metric == "macro_f1":
        return slow_score_rows(positive.T, taken.T, known.T)
    return slow_score_rows(positive, taken, known)


def slow_score_rows(positive, taken, known):
    return np.mean([one_f1(p[k], t[k]) for p, t, k in zip(positive, taken, known, strict=True) if k.any()])


def take(probs, thresholds, never_empty):
    taken = probs >= thresholds
    if never_empty:
        for row in np.flatnonzero(~taken.any(axis=1)):
            taken[row, probs[row].argmax()] = True
    return taken


def random_data(seed, rows=25, labels=4, unknown=0.1, step=10):
    rng = np.random.default_rng(seed)
    gold = (rng.random((rows, labels)) < [0.6, 0.3, 0.2, 0.1][:labels]).astype(float)
    probs = np.round(np.clip(0.3 * gold + 0.7 * rng.random((rows, labels)), 0, 1) * step) / step
    gold[rng.random(gold.shape) < unknown] = np.nan
    gold[0] = np.nan
    return probs, gold


@pytest.mark.parametrize("never_empty", ["yes", "no"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(12))
def test_global_threshold_is_the_best_of_all(metric, never_empty, seed):
    probs, gold = random_data(seed, step=[10, 1000][seed % 2])
    decision = GlobalThreshold(metric=metric, never_empty=never_empty).fit(probs, gold)
    yes = never_empty == "yes"
    assert np.array_equal(decision.apply(probs), take(probs, decision.threshold_, yes))
    best = max(slow_score(metric, gold, take(probs, cut, yes)) for cut in [*np.unique(probs), 2.0])
    assert slow_score(metric, gold, decision.apply(probs)) == pytest.approx(best, abs=1e-12)


def test_global_threshold_by_hand():
    probs = np.array([[0.9, 0.2], [0.4, 0.8], [0.3, 0.1]])
    gold = np.array([[1.0, 0.0], [1.0, 1.0], [0.0, 0.0]])
    # Entering .9, .8, .4: row 1 is 1, row 2 is 2/3 and then 1, row 3 stays 1 (empty); then only losses.
    assert GlobalThreshold(never_empty="no").fit(probs, gold).threshold_ == pytest.approx(0.35)


@pytest.mark.parametrize("threshold", [0, 0.25, 0.5, 0.75, 1])
def test_a_given_threshold_stays_whatever_the_rows_say(threshold):
    probs, gold = random_data(0)
    decision = GlobalThreshold(threshold=threshold, never_empty="no").fit(probs, gold)
    assert decision.state() == {"never_empty": False, "threshold": threshold}
    assert np.array_equal(decision.apply(probs), probs >= threshold)
    filled = GlobalThreshold(threshold=threshold, never_empty="yes").fit(probs, gold)
    assert np.array_equal(filled.apply(probs), take(probs, threshold, True))


@pytest.mark.parametrize("threshold", [-0.1, 1.5, float("nan"), True, "half", None])
def test_a_threshold_that_is_none_is_refused(threshold):
    with pytest.raises(ConfigError, match=r"'threshold' = .*; accepted: 'fitted', or a number from 0 to 1"):
        GlobalThreshold(threshold=threshold)


def test_global_threshold_in_float32_parts_exactly_what_it_was_fitted_on():
    probs = np.array([[0.3], [np.nextafter(np.float32(0.3), np.float32(1))]], np.float32)
    decision = GlobalThreshold(metric="micro_f1", never_empty="no").fit(probs, np.array([[0.0], [1.0]]))
    assert decision.apply(probs).tolist() == [[False], [True]]


@pytest.mark.parametrize("seed", range(6))
def test_per_label_macro_is_the_best_of_each_label(seed):
    probs, gold = random_data(seed)
    decision = PerLabelThresholds(min_positives=0, shrinkage=0, never_empty="no").fit(probs, gold)
    for k in range(4):
        score = slow_score("micro_f1", gold[:, [k]], probs[:, [k]] >= decision.thresholds_[k])
        cuts = [*np.unique(probs[:, k]), 2.0]
        best = max(slow_score("micro_f1", gold[:, [k]], probs[:, [k]] >= cut) for cut in cuts)
        assert score == pytest.approx(best, abs=1e-12)


@pytest.mark.parametrize("never_empty", ["yes", "no"])
@pytest.mark.parametrize("metric", ["samples_f1", "micro_f1"])
@pytest.mark.parametrize("seed", range(6))
def test_per_label_ascent_ends_where_no_single_move_helps(metric, never_empty, seed):
    probs, gold = random_data(seed)
    yes = never_empty == "yes"
    options = {"metric": metric, "never_empty": never_empty}
    decision = PerLabelThresholds(min_positives=0, shrinkage=0, **options).fit(probs, gold)
    reached = slow_score(metric, gold, decision.apply(probs))
    common = GlobalThreshold(**options).fit(probs, gold)
    assert reached >= slow_score(metric, gold, common.apply(probs)) - 1e-12
    for k in range(4):
        for cut in [*np.unique(probs[:, k]), 2.0]:
            moved = decision.thresholds_.copy()
            moved[k] = cut
            assert slow_score(metric, gold, take(probs, moved, yes)) <= reached + 1e-12


@pytest.mark.parametrize("metric", ["samples_f1", "micro_f1"])
def test_per_label_ascent_goes_round_until_nothing_moves(metric):
    options = {"metric": metric, "min_positives": 0, "shrinkage": 0, "never_empty": "no"}
    for seed in range(20):
        rng = np.random.default_rng(seed)
        gold = (rng.random((60, 8)) < 0.3).astype(float)
        probs = np.clip(0.2 * gold + 0.8 * rng.random((60, 8)), 0, 1) ** np.arange(1, 9)
        thresholds = PerLabelThresholds(**options).fit(probs, gold).thresholds_
        truth = Gold(gold == 1, ~np.isnan(gold))
        again = coordinate_ascent(probs, truth, thresholds, np.arange(8), metric, never_empty=False)
        assert np.array_equal(again, thresholds)


def test_per_label_ascent_gains_where_labels_need_different_cuts():
    probs = np.array([[0.9, 0.30], [0.8, 0.32], [0.7, 0.10], [0.6, 0.12]])
    gold = np.array([[1.0, 1.0], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    decision = PerLabelThresholds(metric="samples_f1", min_positives=0, shrinkage=0, never_empty="no")
    assert np.array_equal(decision.fit(probs, gold).apply(probs), gold == 1)


def test_rare_labels_keep_the_common_threshold():
    probs, gold = random_data(3, rows=200)
    support = (gold == 1).sum(axis=0)
    least = int(np.sort(support)[1]) + 1
    decision = PerLabelThresholds(min_positives=least, shrinkage=0, never_empty="no").fit(probs, gold)
    common = GlobalThreshold(metric="macro_f1", never_empty="no").fit(probs, gold).threshold_
    own = PerLabelThresholds(min_positives=0, shrinkage=0, never_empty="no").fit(probs, gold).thresholds_
    rare = support < least
    assert rare.sum() == 2
    assert (decision.thresholds_[rare] == common).all()
    assert np.array_equal(decision.thresholds_[~rare], own[~rare])


def test_shrinkage_is_a_weighted_mean_of_logits():
    probs, gold = random_data(5, rows=200)
    options = {"min_positives": 0, "never_empty": "no"}
    own = PerLabelThresholds(shrinkage=0, **options).fit(probs, gold).thresholds_
    common = GlobalThreshold(metric="macro_f1", never_empty="no").fit(probs, gold).threshold_
    shrunk = PerLabelThresholds(shrinkage=30, **options).fit(probs, gold).thresholds_
    n = (gold == 1).sum(axis=0)
    logit = lambda p: np.log(p / (1 - p))  # noqa: E731
    assert np.allclose(logit(shrunk), (n * logit(own) + 30 * logit(common)) / (n + 30), atol=1e-9)
    assert (np.abs(shrunk - own) > 1e-6).any()


def test_a_label_known_nowhere_keeps_the_common_threshold():
    probs, gold = random_data(1, rows=60)
    gold[:, 2] = np.nan
    for metric in METRICS:
        decision = PerLabelThresholds(metric=metric, min_positives=0, shrinkage=0, never_empty="no")
        common = GlobalThreshold(metric=metric, never_empty="no").fit(probs, gold).threshold_
        assert decision.fit(probs, gold).thresholds_[2] == common


@pytest.mark.parametrize("never_empty", ["yes", "no"])
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("seed", range(4))
def test_top_k_learns_the_best_k(metric, never_empty, seed):
    probs, gold = random_data(seed)
    decision = TopK(metric=metric, never_empty=never_empty).fit(probs, gold)

    def score(k):
        taken = np.zeros(probs.shape, bool)
        for row, p in zip(taken, probs, strict=True):
            row[sorted(range(4), key=lambda j: (-p[j], j))[:k]] = True
        return slow_score(metric, gold, taken)

    allowed = range(1 if never_empty == "yes" else 0, 5)
    assert score(decision.k_) == pytest.approx(max(map(score, allowed)), abs=1e-12)
    assert (decision.apply(probs).sum(axis=1) == decision.k_).all()


def test_top_k_given_is_taken_and_the_first_of_equals_wins():
    probs = np.array([[0.2, 0.5, 0.5, 0.5]])
    decision = TopK(k=2).fit(probs, np.ones((1, 4)))
    assert decision.apply(probs).tolist() == [[False, True, True, False]]
    assert TopK(k=9).fit(probs, np.ones((1, 4))).apply(probs).all()


def test_top_k_may_learn_none():
    probs, gold = np.full((3, 2), 0.5), np.zeros((3, 2))
    assert TopK(never_empty="no").fit(probs, gold).k_ == 0
    assert TopK(never_empty="yes").fit(probs, gold).k_ == 1


def test_blocks_of_rows_change_nothing(monkeypatch):
    from multitag.decisions import sweep

    probs, gold = random_data(7, rows=90, step=1000)
    whole = GlobalThreshold(never_empty="no").fit(probs, gold).threshold_
    monkeypatch.setattr(sweep, "_CELLS", 40)
    assert GlobalThreshold(never_empty="no").fit(probs, gold).threshold_ == whole


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: TopK(k=0), "option 'k' = 0; accepted: 1 or more"),
        (lambda: GlobalThreshold(metric="f1"), "'metric' = 'f1'; accepted: 'samples_f1'"),
        (
            lambda: GlobalThreshold(never_empty="maybe"),
            "'never_empty' = 'maybe'; accepted: 'auto', 'yes', 'no'",
        ),
        (lambda: PerLabelThresholds(min_positives=-1), "'min_positives' = -1; accepted: 0 or more"),
        (lambda: PerLabelThresholds(shrinkage=float("nan")), "'shrinkage' = nan; accepted: 0 or more"),
    ],
)
def test_wrong_options_are_named(make, words):
    with pytest.raises(ConfigError, match=words):
        make()


def test_another_number_of_labels_is_refused():
    decision = PerLabelThresholds().fit(np.full((2, 3), 0.5), np.ones((2, 3)))
    with pytest.raises(DataError, match="probabilities of 2 labels, but thresholds were fitted for 3"):
        decision.apply(np.full((1, 2), 0.5))


def test_all_subsets_of_two_thresholds_confirm_the_ascent_on_a_small_case():
    probs, gold = random_data(2, rows=12, labels=2, unknown=0)
    gold[0] = [1, 0]
    cuts = [[*np.unique(probs[:, k]), 2.0] for k in range(2)]
    best = max(slow_score("samples_f1", gold, take(probs, np.array(pair), False)) for pair in itertools.product(*cuts))
    options = {"metric": "samples_f1", "min_positives": 0, "shrinkage": 0, "never_empty": "no"}
    decision = PerLabelThresholds(**options).fit(probs, gold)
    assert slow_score("samples_f1", gold, decision.apply(probs)) == pytest.approx(best, abs=1e-12)
