"""Precision, the share of predicted labels that are right, averaged in three ways."""

from __future__ import annotations

from multitag.metrics.answers import Answers
from multitag.metrics.metric import Scores, metric
from multitag.metrics.sums import Counts, divide, mean_over_labels, weighted_mean
from multitag.types import FloatArray


@metric()
def samples_precision(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over rows of the share of its predicted labels that are right.

    A row that predicts nothing counts 1: nothing false was said. Unknown labels do not count; a row with none
    known is left out.
    """
    scores = divide(answers.hits.sum(axis=1), answers.claimed.sum(axis=1))
    return weighted_mean(scores, answers.known_rows, weights)


@metric()
def micro_precision(answers: Answers, weights: FloatArray | None) -> Scores:
    """The share of all predicted labels that are right, over all rows and labels together.

    1 if nothing is predicted. NaN where no gold is known.
    """
    counts = Counts.pooled(answers, weights)
    return mean_over_labels(divide(counts.hits, counts.claimed), counts.known > 0)


@metric()
def macro_precision(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over labels of each label's precision.

    A label that is never predicted counts 1: nothing false was said. A label whose gold is nowhere known is
    left out.
    """
    counts = Counts.by_label(answers, weights)
    return mean_over_labels(divide(counts.hits, counts.claimed), counts.known > 0)
