import numpy as np
import pytest
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

from multitag.errors import DataError
from multitag.metrics.answers import Answers
from multitag.metrics.per_label import LabelScore, per_label


def test_by_hand():
    gold = np.array([[1, 0], [1, 0], [0, 0], [np.nan, 0]])
    probabilities = np.array([[0.9, 0.1], [0.2, 0.1], [0.6, 0.1], [0.7, 0.1]])
    got = per_label(Answers(gold, probabilities > 0.5, probabilities), ["cat", "dog"])
    assert got == [
        LabelScore("cat", 2, 2, 1, 0.5, 0.5, 0.5, pytest.approx((1 + 2 / 3) / 2)),
        LabelScore("dog", 0, 0, 0, 1.0, 1.0, 1.0, None),
    ]


def test_equals_scikit_learn():
    rng = np.random.default_rng(0)
    gold = (rng.random((80, 4)) < 0.4).astype(float)
    probabilities = np.round(np.clip(gold / 3 + rng.random((80, 4)) * 0.7, 0, 1), 1)
    predicted = probabilities > 0.5
    got = per_label(Answers(gold, predicted, probabilities), list("abcd"))
    expected = precision_recall_fscore_support(gold.astype(int), predicted, average=None, zero_division=1)
    assert np.allclose([[s.precision, s.recall, s.f1, s.support] for s in got], np.transpose(expected), atol=1e-12)
    ranked = average_precision_score(gold, probabilities, average=None)
    assert np.allclose([s.average_precision for s in got], ranked, atol=1e-12)


def test_without_probabilities_there_is_no_ranking():
    assert per_label(Answers(np.ones((2, 1)), np.ones((2, 1), bool)), ["a"])[0].average_precision is None


def test_names_must_fit():
    with pytest.raises(DataError, match="2 label names for 1 labels"):
        per_label(Answers(np.ones((2, 1)), np.ones((2, 1), bool)), ["a", "b"])
