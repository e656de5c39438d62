import numpy as np
import pytest
from sklearn.metrics import average_precision_score, f1_score

from multitag.errors import ConfigError, DataError
from multitag.metrics import METRICS
from multitag.metrics import bootstrap as module
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import bootstrap, paired_bootstrap, resample_weights


def some_answers(seed=0, rows=200, labels=5, noise=0.35):
    rng = np.random.default_rng(seed)
    gold = (rng.random((rows, labels)) < 0.3).astype(float)
    probabilities = np.clip(gold * 0.5 + 0.25 + noise * rng.normal(size=gold.shape), 0, 1)
    return Answers(gold, probabilities > 0.5, probabilities)


def test_each_round_equals_scikit_learn_on_the_drawn_rows():
    answers = some_answers()
    weights = np.concatenate(list(resample_weights(200, 20, seed=3)))
    scored = {name: METRICS.get(name)(answers, weights) for name in ("samples_f1", "macro_f1", "map")}
    for index, row in enumerate(weights.astype(int)):
        drawn = np.repeat(np.arange(200), row)
        gold, predicted = answers.gold[drawn].astype(int), answers.predicted[drawn]
        expected = {
            "samples_f1": f1_score(gold, predicted, average="samples", zero_division=1),
            "macro_f1": f1_score(gold, predicted, average="macro", zero_division=1),
            "map": average_precision_score(gold, answers.probabilities[drawn], average="macro"),
        }
        for name, value in expected.items():
            assert scored[name][index] == pytest.approx(value, abs=1e-12)


def test_a_round_draws_as_many_rows_as_there_are():
    weights = np.concatenate(list(resample_weights(50, 300, seed=0)))
    assert weights.shape == (300, 50)
    assert (weights.sum(axis=1) == 50).all()
    # How often one row is drawn is binomial with variance 1 - 1/N.
    assert weights.var() == pytest.approx(0.98, abs=0.05)


def test_blocks_of_rounds_change_nothing(monkeypatch):
    whole = np.concatenate(list(resample_weights(40, 10, seed=1)))
    monkeypatch.setattr(module, "_CELLS", 100)
    blocks = list(resample_weights(40, 10, seed=1))
    assert [len(block) for block in blocks] == [2] * 5
    assert np.array_equal(np.concatenate(blocks), whole)


def test_interval_is_the_percentiles_of_the_rounds():
    answers = some_answers()
    got = bootstrap(answers, ["macro_f1", "brier"], rounds=100, level=0.8, seed=5)
    weights = np.concatenate(list(resample_weights(200, 100, seed=5)))
    assert list(got) == ["macro_f1", "brier"]
    for name, interval in got.items():
        low, high = np.quantile(METRICS.get(name)(answers, weights), [0.1, 0.9])
        assert interval.value == METRICS.get(name)(answers)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=1e-12)
        assert interval.low < interval.value < interval.high


def test_interval_of_a_mean_has_the_width_that_theory_gives():
    hits = np.arange(400) < 280
    answers = Answers(np.ones((400, 1)), hits[:, None])
    interval = bootstrap(answers, ["label_accuracy"], rounds=4000)["label_accuracy"]
    deviation = np.sqrt(0.7 * 0.3 / 400)
    assert interval.low == pytest.approx(0.7 - 1.96 * deviation, abs=0.005)
    assert interval.high == pytest.approx(0.7 + 1.96 * deviation, abs=0.005)


def test_rounds_without_a_metric_are_left_out():
    gold = np.zeros((6, 1))
    gold[0] = 1
    interval = bootstrap(Answers(gold, gold == 1, gold), ["map"], rounds=200)["map"]
    assert (interval.value, interval.low, interval.high) == (1, 1, 1)


def test_pairs_see_a_small_steady_gain_that_single_intervals_hide():
    rng = np.random.default_rng(0)
    gold = np.ones((300, 1))
    right = rng.random(300) < 0.6
    better = right.copy()
    better[np.flatnonzero(~right)[:12]] = True
    first, second = Answers(gold, better[:, None]), Answers(gold, right[:, None])
    alone = [bootstrap(a, ["label_accuracy"])["label_accuracy"] for a in (first, second)]
    assert alone[0].low < alone[1].high
    pair = paired_bootstrap(first, second, ["label_accuracy"])["label_accuracy"]
    assert pair.value == pytest.approx(12 / 300)
    assert 0 < pair.low < pair.value < pair.high
    assert pair.p < 0.01


def test_a_system_does_not_differ_from_itself():
    pair = paired_bootstrap(some_answers(), some_answers(), ["samples_f1"], rounds=50)["samples_f1"]
    assert (pair.value, pair.low, pair.high, pair.p) == (0, 0, 0, 1)


def test_swapping_the_systems_turns_the_sign_only():
    a, b = some_answers(noise=0.3), some_answers(noise=0.4)
    assert np.array_equal(a.gold, b.gold)
    there = paired_bootstrap(a, b, ["micro_f1"], rounds=200)["micro_f1"]
    back = paired_bootstrap(b, a, ["micro_f1"], rounds=200)["micro_f1"]
    assert there.value == -back.value
    assert (there.low, there.high) == pytest.approx((-back.high, -back.low), abs=1e-12)
    assert there.p == back.p


def test_p_counts_the_rounds_on_the_rarer_side_twice():
    first = some_answers()
    jitter = 0.2 * np.random.default_rng(9).normal(size=first.gold.shape)
    second = Answers(first.gold, first.probabilities + jitter > 0.5)
    weights = np.concatenate(list(resample_weights(200, 400, seed=0)))
    gaps = METRICS.get("micro_f1")(first, weights) - METRICS.get("micro_f1")(second, weights)
    rarer = min((gaps <= 0).sum(), (gaps >= 0).sum())
    assert 0 < rarer < 190
    pair = paired_bootstrap(first, second, ["micro_f1"], rounds=400)["micro_f1"]
    assert pair.p == pytest.approx(2 * (rarer + 1) / 401)


def test_different_gold_is_refused():
    with pytest.raises(DataError, match="gold labels differ"):
        paired_bootstrap(some_answers(0), some_answers(1), ["micro_f1"])


def test_wrong_options_are_named():
    with pytest.raises(ConfigError, match="rounds = 0"):
        bootstrap(some_answers(), ["micro_f1"], rounds=0)
    with pytest.raises(ConfigError, match="level = 95"):
        bootstrap(some_answers(), ["micro_f1"], level=95)
    with pytest.raises(ConfigError, match=r"metric 'f1_micro' does not exist"):
        bootstrap(some_answers(), ["f1_micro"])
