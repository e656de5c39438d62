"""Recall, the share of gold labels that were found, averaged in three ways."""

from __future__ import annotations

from multitag.metrics.answers import Answers
from multitag.metrics.metric import Scores, metric
from multitag.metrics.sums import Counts, divide, mean_over_labels, weighted_mean
from multitag.types import FloatArray


@metric()
def samples_recall(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over rows of the share of its gold labels that were predicted.

    A row that has no label counts 1: nothing was missed. Unknown labels do not count; a row with none known
    is left out.
    """
    scores = divide(answers.hits.sum(axis=1), answers.positive.sum(axis=1))
    return weighted_mean(scores, answers.known_rows, weights)


@metric()
def micro_recall(answers: Answers, weights: FloatArray | None) -> Scores:
    """The share of all gold labels that were predicted, over all rows and labels together.

    1 if no row has a label. NaN where no gold is known.
    """
    counts = Counts.pooled(answers, weights)
    return mean_over_labels(divide(counts.hits, counts.positive), counts.known > 0)


@metric()
def macro_recall(answers: Answers, weights: FloatArray | None) -> Scores:
    """Mean over labels of each label's recall.

    A label that no row has counts 1: nothing was missed. A label whose gold is nowhere known is left out.
    """
    counts = Counts.by_label(answers, weights)
    return mean_over_labels(divide(counts.hits, counts.positive), counts.known > 0)
