import numpy as np
import pytest

from multitag.errors import DataError
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers

GOLD = np.array([[1.0, 0.0], [0.0, np.nan]])
PREDICTED = np.array([[True, True], [False, True]])


def test_masks_leave_out_what_is_not_known():
    answers = Answers(GOLD, PREDICTED)
    assert answers.known.tolist() == [[True, True], [True, False]]
    assert answers.positive.tolist() == [[True, False], [False, False]]
    assert answers.claimed.tolist() == [[True, True], [False, False]]
    assert answers.hits.tolist() == [[True, False], [False, False]]
    assert Answers(np.array([[np.nan], [0.0]]), np.ones((2, 1), bool)).known_rows.tolist() == [False, True]


def test_whole_numbers_are_gold_too():
    assert METRICS.get("samples_f1")(Answers(np.array([[1, 0]]), np.array([[True, False]]))) == 1


@pytest.mark.parametrize(
    ("gold", "predicted", "probabilities", "words"),
    [
        (np.zeros(3), np.zeros(3, bool), None, r"shape \(rows, labels\).*\(3,\).*reshape"),
        (np.zeros((0, 3)), np.zeros((0, 3), bool), None, r"at least one of each.*\(0, 3\)"),
        (np.array([[0.0, 0.5]]), np.zeros((1, 2), bool), None, r"gold\[0, 1\] is 0.5"),
        (np.zeros((1, 2)), np.zeros((1, 2)), None, "must be boolean; got float64"),
        (np.zeros((1, 2)), np.zeros((2, 1), bool), None, r"predicted labels have the shape \(2, 1\)"),
        (
            np.zeros((1, 2)),
            np.zeros((1, 2), bool),
            np.zeros((1, 3)),
            r"probabilities have the shape \(1, 3\)",
        ),
        (np.zeros((1, 2)), np.zeros((1, 2), bool), np.array([[0.0, 1.5]]), r"in \[0, 1\]; got 0.0 to 1.5"),
        (np.zeros((1, 2)), np.zeros((1, 2), bool), np.array([[0.0, np.nan]]), r"in \[0, 1\]"),
    ],
)
def test_what_cannot_be_scored_is_refused_by_name(gold, predicted, probabilities, words):
    with pytest.raises(DataError, match=words):
        Answers(gold, predicted, probabilities)


@pytest.mark.parametrize("name", ["map", "brier", "ece"])
def test_missing_probabilities_are_named(name):
    with pytest.raises(DataError, match="needs probabilities"):
        METRICS.get(name)(Answers(GOLD, PREDICTED))


@pytest.mark.parametrize("weights", [np.ones(2), np.ones((2, 3))])
def test_weights_that_do_not_fit_the_rows_are_refused(weights):
    with pytest.raises(DataError, match=r"\(rounds, 2\)"):
        METRICS.get("micro_f1")(Answers(GOLD, PREDICTED), weights)
