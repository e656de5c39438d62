"""Average precision: how well a label's probabilities rank the rows that have it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multitag.metrics.answers import Answers
from multitag.metrics.metric import Scores, metric
from multitag.metrics.sums import mean_over_labels
from multitag.types import FloatArray

_TINY = np.finfo(np.float64).tiny


@metric(needs_probabilities=True)
def mean_average_precision(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over labels of the average precision of each label's ranking, mAP.

    Average precision is sum_n (R_n - R_{n-1}) P_n over the distinct probabilities in falling order, without
    interpolation, as scikit-learn has it. A label that no row has is left out: no ranking can find what is
    not there.
    """
    scores = average_precisions(answers, weights)
    there = ~np.isnan(scores)
    return mean_over_labels(scores, there)


def average_precisions(answers: Answers, weights: FloatArray | None = None) -> Scores:
    """Average precision of each label, (R, K); NaN for a label without positives.

    Each label is sorted once. Precision is read only where a positive stands, so between two such places one
    weighted count (`bincount`) is enough, however many rounds there are.
    """
    probabilities = np.asarray(answers.probabilities)
    columns = [
        _one_label(probabilities[:, k], answers.positive[:, k], answers.known[:, k], weights)
        for k in range(probabilities.shape[1])
    ]
    return np.stack(columns, axis=1)


def _one_label(
    scores: FloatArray,
    positive: npt.NDArray[np.bool_],
    known: npt.NDArray[np.bool_],
    weights: FloatArray | None,
) -> Scores:
    rounds = 1 if weights is None else len(weights)
    steps = np.unique(scores[positive])
    if not len(steps):
        return np.full(rounds, np.nan)
    # Place 0 is the highest probability that a positive has; a row counts from the first place not above its
    # own.
    places = np.searchsorted(-steps[::-1], -scores, side="left")
    places[~known] = len(steps)
    positives = np.flatnonzero(positive)
    their_places = places[positives]
    result = np.empty(rounds)
    for index in range(rounds):
        row = None if weights is None else weights[index]
        everyone = np.bincount(places, row, minlength=len(steps))[: len(steps)].cumsum()
        found = np.bincount(their_places, None if row is None else row[positives], minlength=len(steps))
        total = found.sum()
        # Where nobody is counted no positive is either: the quotient is 0 there.
        result[index] = found @ (found.cumsum() / np.maximum(everyone, _TINY)) / total if total else np.nan
    return result
