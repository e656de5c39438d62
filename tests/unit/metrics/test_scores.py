"""Every metric against numbers worked out by hand, and against scikit-learn on random answers."""

import warnings
from itertools import pairwise

import numpy as np
import pytest
from sklearn import metrics as sk

from multitag.metrics import METRICS
from multitag.metrics.answers import Answers

NAN = np.nan


def random_answers(seed, rows=60, labels=7):
    """Answers with empty rows, tied probabilities, a label nobody has, and one neither had nor predicted."""
    rng = np.random.default_rng(seed)
    gold = (rng.random((rows, labels)) < 0.3).astype(float)
    probabilities = np.round(np.clip(0.5 * gold + 0.6 * rng.random((rows, labels)), 0, 1), 1)
    predicted = probabilities > 0.55
    gold[:3] = 0
    predicted[2:5] = False
    gold[:, 0] = 0
    gold[:, 1] = 0
    predicted[:, 1] = False
    return Answers(gold, predicted, probabilities)


def scikit(name, gold, predicted, probabilities):
    """The same metric from scikit-learn (or, for ece, from its definition)."""
    averaged = {
        f"{average}_{kind}": (function, average)
        for average in ("samples", "micro", "macro", "weighted")
        for kind, function in {
            "f1": sk.f1_score,
            "precision": sk.precision_score,
            "recall": sk.recall_score,
        }.items()
    }
    if name in averaged:
        function, average = averaged[name]
        return function(gold, predicted, average=average, zero_division=1)
    if name == "map":
        there = gold.any(axis=0)
        return sk.average_precision_score(gold[:, there], probabilities[:, there], average="macro")
    if name == "label_accuracy":
        return 1 - sk.hamming_loss(gold, predicted)
    if name == "subset_accuracy":
        return sk.accuracy_score(gold, predicted)
    if name == "brier":
        return sk.brier_score_loss(gold.ravel(), probabilities.ravel())
    if name == "ece":
        edges = np.linspace(0, 1, 16)
        total = 0.0
        for low, high in pairwise(edges):
            inside = (probabilities > low) & (probabilities <= high) | ((low == 0) & (probabilities == 0))
            if inside.any():
                total += inside.mean() * abs(probabilities[inside].mean() - gold[inside].mean())
        return total
    raise AssertionError(f"no reference for {name}")


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("name", METRICS.names())
def test_equals_scikit_learn(name, seed):
    answers = random_answers(seed)
    expected = scikit(name, answers.gold.astype(int), answers.predicted, answers.probabilities)
    assert METRICS.get(name)(answers) == pytest.approx(expected, abs=1e-12)


GOLD = np.array([[1, 1, 0], [0, 0, 0], [1, 0, NAN], [NAN, NAN, NAN]])
PREDICTED = np.array([[1, 0, 1], [0, 0, 0], [1, 0, 1], [1, 1, 1]], bool)
PROBABILITIES = np.array([[0.9, 0.4, 0.6], [0.9, 0.1, 0.2], [0.8, 0.3, 0.9], [0.9, 0.9, 0.9]])

# Known cells by label: a is 1 1 | 0 0 | 1 1 (gold, predicted), b is 1 0 | 0 0 | 0 0, c is 0 1 | 0 0.
BY_HAND = {
    "samples_f1": (2 / 4 + 1 + 1) / 3,
    "micro_f1": 2 * 2 / (3 + 3),
    "macro_f1": (1 + 0 + 0) / 3,
    "weighted_f1": (2 * 1 + 1 * 0 + 0) / 3,
    "samples_precision": (1 / 2 + 1 + 1) / 3,
    "micro_precision": 2 / 3,
    "macro_precision": (1 + 1 + 0) / 3,
    "samples_recall": (1 / 2 + 1 + 1) / 3,
    "micro_recall": 2 / 3,
    "macro_recall": (1 + 0 + 1) / 3,
    # a ranks 1, 0 together, then 1: (1/2) (1/2) + (1/2) (2/3); b ranks its only positive first; c has none.
    "map": ((1 / 4 + 1 / 3) + 1) / 2,
    "label_accuracy": 6 / 8,
    "subset_accuracy": 2 / 3,
    "brier": (0.01 + 0.36 + 0.36 + 0.81 + 0.01 + 0.04 + 0.04 + 0.09) / 8,
    # Bins of 1/15: .9 and .9 share one (gaps -.1 + .9); .4 (-.6), .6 (.6), .1, .2, .8 (-.2), .3 stand alone.
    "ece": (0.8 + 0.6 + 0.6 + 0.1 + 0.2 + 0.2 + 0.3) / 8,
}


@pytest.mark.parametrize("name", METRICS.names())
def test_by_hand_with_unknown_labels(name):
    answers = Answers(GOLD, PREDICTED, PROBABILITIES)
    assert METRICS.get(name)(answers) == pytest.approx(BY_HAND[name], abs=1e-12)


def test_a_label_neither_had_nor_predicted_counts_one_in_macro_f1():
    gold = np.array([[1.0, 0.0], [0.0, 0.0]])
    predicted = np.array([[False, False], [True, False]])
    assert METRICS.get("macro_f1")(Answers(gold, predicted)) == 0.5
    assert METRICS.get("weighted_f1")(Answers(gold, predicted)) == 0.0


def test_a_label_known_nowhere_is_left_out_of_macro_f1():
    gold = np.array([[1.0, NAN], [1.0, NAN]])
    predicted = np.array([[True, True], [False, False]])
    assert METRICS.get("macro_f1")(Answers(gold, predicted)) == pytest.approx(2 / 3)


@pytest.mark.parametrize("name", METRICS.names())
def test_nothing_known_is_nan_and_warns_of_nothing(name):
    answers = Answers(np.full((2, 3), NAN), np.ones((2, 3), bool), np.full((2, 3), 0.5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(METRICS.get(name)(answers))


def test_a_bin_of_ece_holds_its_upper_end():
    # .2 is the end of the third bin, in which .19 lies too: one gap of -.8 + .19, not two.
    answers = Answers(np.array([[1.0], [0.0]]), np.zeros((2, 1), bool), np.array([[0.2], [0.19]]))
    assert METRICS.get("ece")(answers) == pytest.approx(0.61 / 2)


def test_all_empty_is_full_agreement():
    answers = Answers(np.zeros((2, 3)), np.zeros((2, 3), bool))
    assert METRICS.get("samples_f1")(answers) == 1
    assert METRICS.get("micro_f1")(answers) == 1
    assert METRICS.get("macro_f1")(answers) == 1
    assert METRICS.get("weighted_f1")(answers) == 1
