"""Whether two configurations differ: both scored on the same rows, under the same seeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import Difference, resample_weights
from multitag.metrics.metric import Metric

Scores = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Drawn:
    """A configuration's scores, one a seed, and what they become when rows are drawn again.

    Attributes:
        values: (S,), on all rows.
        rounds: (R, S), on the rows of each round: the same ones for every configuration of the study.
        rows: How many rows there are, of the seed with fewest.
    """

    values: Scores
    rounds: Scores
    rows: int


def draw(answers: Sequence[Answers], metric: str, *, same_rows: bool, rounds: int = 1000, seed: int = 0) -> Drawn:
    """Score a configuration on all rows, and on rows drawn with repetition.

    Args:
        answers: Of each seed.
        metric: A metric's name.
        same_rows: Whether all seeds are scored on the same rows; then they are drawn the same too.
        rounds: How often rows are drawn.
        seed: Same seed, same draws.

    Raises:
        ConfigError: No such metric.
    """
    f: Metric[Any] = METRICS.get(metric)
    drawn = [
        np.concatenate([f(a, w) for w in resample_weights(len(a.gold), rounds, seed if same_rows else seed + number)])
        for number, a in enumerate(answers)
    ]
    return Drawn(np.array([f(a) for a in answers]), np.stack(drawn, axis=1), min(len(a.gold) for a in answers))


def compare(first: Drawn, second: Drawn, *, level: float = 0.95) -> Difference:
    """How much the first scores above the second, its interval, and the two-sided p of no difference.

    Rows and seeds both are samples: other rows, or other seeds, would have given another difference. The variance of
    the mean difference over seeds is the sum of two parts:

    - from the rows: that of the paired bootstrap, the same rows drawn for both (Efron & Tibshirani 1993);
    - from the seeds: the variance of the differences between seeds, less what rows make of it (within a seed, the
      bootstrap variance around the mean of the seeds), never below 0, over the number of seeds.

    The difference over its standard error is looked up in Student's t. Its degrees of freedom are Satterthwaite's
    (1946): near the number of rows where rows decide, near the number of seeds less one where seeds do: three seeds
    that disagree prove little, however many rows there are. With one seed, only rows count.
    """
    from scipy.stats import t as student  # type: ignore[import-untyped]  # ships no types

    gaps, d = first.rounds - second.rounds, first.values - second.values
    gaps = gaps[~np.isnan(gaps).any(axis=1)]
    value, seeds = float(d.mean()), len(d)
    if len(gaps) < 2 or np.isnan(value):
        return Difference(value, float("nan"), float("nan"), 1.0)
    mean = gaps.mean(axis=1)
    of_rows, of_seeds = float(mean.var(ddof=1)), 0.0
    if seeds > 1:
        within = float((gaps - mean[:, None]).var(axis=0, ddof=1).sum()) / (seeds - 1)
        of_seeds = max(0.0, float(d.var(ddof=1)) - within) / seeds
    variance = of_rows + of_seeds
    if variance == 0:  # the same answers to every row
        return Difference(value, value, value, 1.0 if value == 0 else 0.0)
    freedom = variance**2 / (of_rows**2 / max(1, first.rows - 1) + of_seeds**2 / max(1, seeds - 1))
    error = variance**0.5
    reach = float(student.ppf((1 + level) / 2, freedom)) * error
    return Difference(value, value - reach, value + reach, float(2 * student.sf(abs(value) / error, freedom)))


def holm(p: Sequence[float]) -> list[float]:
    """p-values of several comparisons, corrected so that the chance of any false one stays what it says.

    Holm 1979: the smallest times their number m, the next times m - 1, and so on, never below the one before,
    at most 1.
    """
    adjusted, worst = [0.0] * len(p), 0.0
    for rank, place in enumerate(sorted(range(len(p)), key=lambda place: p[place])):
        worst = max(worst, min(1.0, (len(p) - rank) * p[place]))
        adjusted[place] = worst
    return adjusted
