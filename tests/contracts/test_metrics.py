"""What holds for every registered metric."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.metrics.metric import Metric

pytestmark = pytest.mark.parametrize("name", METRICS.names())


def random_answers(seed, rows=40, labels=4, unknown=0.15):
    rng = np.random.default_rng(seed)
    gold = (rng.random((rows, labels)) < 0.3).astype(float)
    gold[rng.random(gold.shape) < unknown] = np.nan
    probabilities = np.round(rng.random(gold.shape), 1)
    return Answers(gold, probabilities > 0.6, probabilities)


def take(answers, rows, labels=slice(None)):
    parts = (answers.gold, answers.predicted, answers.probabilities)
    return Answers(*(part[rows][:, labels] for part in parts))


def test_says_what_it_is(name):
    metric = METRICS.get(name)
    assert isinstance(metric, Metric)
    assert METRICS.summary(name).endswith(".")
    assert METRICS.options(name) == {}


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**20))
def test_whole_weights_equal_repeated_rows(name, seed):
    answers = random_answers(seed)
    weights = np.random.default_rng(seed).integers(0, 3, (5, 40))
    weights[0] = 1
    weights[1, 3:] = 0
    weights[1, :3] = 2
    expected = [METRICS.get(name)(take(answers, np.repeat(np.arange(40), row))) for row in weights]
    got = METRICS.get(name)(answers, weights.astype(float))
    assert got.shape == (5,)
    assert np.allclose(got, expected, rtol=0, atol=1e-12, equal_nan=True)


def test_only_the_proportion_of_weights_counts(name):
    answers, weights = random_answers(0), np.random.default_rng(0).random((3, 40))
    metric = METRICS.get(name)
    assert np.allclose(metric(answers, weights), metric(answers, 7.5 * weights), rtol=0, atol=1e-12)


def test_order_of_rows_and_labels_changes_nothing(name):
    answers = random_answers(1)
    rng = np.random.default_rng(0)
    moved = take(answers, rng.permutation(40), rng.permutation(4))
    assert METRICS.get(name)(moved) == pytest.approx(METRICS.get(name)(answers), abs=1e-12)


def test_what_is_predicted_for_unknown_cells_changes_nothing(name):
    answers = random_answers(2)
    unknown = ~answers.known
    other = Answers(
        answers.gold,
        answers.predicted ^ unknown,
        np.where(unknown, 1 - answers.probabilities, answers.probabilities),
    )
    assert unknown.any()
    assert METRICS.get(name)(other) == pytest.approx(METRICS.get(name)(answers), abs=1e-12)


def test_right_answers_are_the_best_and_wrong_ones_the_worst(name):
    metric = METRICS.get(name)
    gold = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, 0.0]])
    right = metric(Answers(gold, gold == 1, gold))
    wrong = metric(Answers(gold, gold == 0, 1 - gold))
    if metric.greater_is_better:
        assert right == 1
        assert wrong < right
    else:
        assert right == 0
        assert wrong == 1


def test_between_zero_and_one_and_a_plain_float(name):
    value = METRICS.get(name)(random_answers(3))
    assert type(value) is float
    assert 0 < value < 1


def test_blocks_of_rows_change_nothing(name, monkeypatch):
    from multitag.metrics import sums

    answers, weights = random_answers(4), np.random.default_rng(4).integers(0, 4, (3, 40)).astype(float)
    whole = METRICS.get(name)(answers, weights)
    monkeypatch.setattr(sums, "_CELLS", 30)
    assert np.allclose(METRICS.get(name)(answers, weights), whole, rtol=0, atol=1e-12)


def test_gold_in_float32_scores_the_same(name):
    answers = random_answers(5)
    narrow = Answers(answers.gold.astype(np.float32), answers.predicted, answers.probabilities)
    assert METRICS.get(name)(narrow) == METRICS.get(name)(answers)
