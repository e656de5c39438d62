"""How sure each label's F1 is."""

from __future__ import annotations

import numpy as np

from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import Interval, resample_weights
from multitag.metrics.metric import Scores
from multitag.metrics.sums import Counts, divide


def label_f1_intervals(answers: Answers, *, rounds: int = 1000, level: float = 0.95, seed: int = 0) -> list[Interval]:
    """Percentile bootstrap intervals over rows of each label's F1, all labels from the same drawn rows.

    Args:
        answers: Gold and predicted labels (N, K).
        rounds: How often N rows are drawn.
        level: The share of rounds inside the interval.
        seed: Same seed, same intervals.
    """
    value = _f1(Counts.by_label(answers, None))[0]
    drawn = np.concatenate(
        [_f1(Counts.by_label(answers, weights)) for weights in resample_weights(len(answers.gold), rounds, seed)]
    )
    low, high = np.quantile(drawn, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return [Interval(*ends) for ends in zip(value.tolist(), low.tolist(), high.tolist(), strict=True)]


def _f1(counts: Counts) -> Scores:
    return divide(2 * counts.hits, counts.positive + counts.claimed)
