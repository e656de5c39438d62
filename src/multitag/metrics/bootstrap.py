"""How sure a score is: percentile intervals from rows drawn again and again, for one system or for two.

Rows drawn with repetition are nothing but row weights, so a round costs a matrix product's row, not a
scoring.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.errors import ConfigError, DataError
from multitag.metrics import METRICS
from multitag.metrics.metric import A, Metric
from multitag.registry import Registry

_CELLS = 8_000_000
"""The most weights held at once, 64 MB."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A score on all rows, and the ends between which it lies in `level` of the rounds."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """How much the first system scores above the second, its interval, and the two-sided p of none."""

    value: float
    low: float
    high: float
    p: float


def resample_weights(rows: int, rounds: int, seed: int) -> Iterator[npt.NDArray[np.float64]]:
    """Row weights of `rounds` bootstrap rounds, in blocks (R, N) of at most 64 MB.

    How often each row is drawn when N rows are drawn with repetition. Depends on rows, rounds and seed only:
    a larger number of rounds starts with the same ones.
    """
    generator = np.random.default_rng(seed)
    step = max(1, _CELLS // rows)
    for start in range(0, rounds, step):
        block = np.empty((min(step, rounds - start), rows))
        for line in block:
            line[:] = np.bincount(generator.integers(0, rows, rows), minlength=rows)
        yield block


def bootstrap(
    answers: A,
    metrics: Sequence[str],
    *,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    registry: Registry = METRICS,
) -> dict[str, Interval]:
    """Percentile bootstrap intervals over rows (Efron & Tibshirani 1993, chapter 13).

    Args:
        answers: Gold and predicted labels of N rows, or spans.
        metrics: Names from the registry.
        rounds: How often N rows are drawn.
        level: The share of rounds inside the interval.
        seed: Same seed, same interval.
        registry: `METRICS` for labels, `SPAN_METRICS` for spans.

    Returns:
        An interval for each metric, in their order. Rounds in which a metric is not defined are left out.

    Raises:
        ConfigError: No such metric, no rounds, or a level outside (0, 1).
        DataError: A metric needs probabilities that the answers do not have.
    """
    chosen = _chosen(metrics, rounds, level, registry)
    drawn = _rounds(answers, chosen, rounds, seed)
    return {name: Interval(f(answers), *_ends(drawn[name], level)) for name, f in chosen.items()}


def paired_bootstrap(
    first: A,
    second: A,
    metrics: Sequence[str],
    *,
    rounds: int = 1000,
    level: float = 0.95,
    seed: int = 0,
    registry: Registry = METRICS,
) -> dict[str, Difference]:
    """Whether two systems differ on the same rows: first minus second, both scored on the same drawn rows.

    p is two-sided, twice the smaller share of rounds on either side of zero (a round at zero counts on both),
    with one added to both counts so that it is never 0 (Davison & Hinkley 1997).

    Args:
        first: Answers of the one system.
        second: Answers of the other, to the same rows with the same gold labels.
        metrics: Names from the registry.
        rounds: How often N rows are drawn.
        level: The share of rounds inside the interval.
        seed: Same seed, same result.
        registry: `METRICS` for labels, `SPAN_METRICS` for spans.

    Raises:
        ConfigError: No such metric, no rounds, or a level outside (0, 1).
        DataError: The gold labels differ, or probabilities are missing.
    """
    if not first.same_gold(second):
        raise DataError(
            "a paired comparison needs both systems' answers to the same rows, and their gold labels differ. "
            "Fix: bring both to the same rows in the same order."
        )
    chosen = _chosen(metrics, rounds, level, registry)
    ours = _rounds(first, chosen, rounds, seed)
    theirs = _rounds(second, chosen, rounds, seed)
    result = {}
    for name, f in chosen.items():
        gaps = ours[name] - theirs[name]
        gaps = gaps[~np.isnan(gaps)]
        side = min((gaps <= 0).sum(), (gaps >= 0).sum())
        p = min(1.0, 2 * (1 + int(side)) / (1 + len(gaps)))
        result[name] = Difference(f(first) - f(second), *_ends(gaps, level), p)
    return result


def _chosen(metrics: Sequence[str], rounds: int, level: float, registry: Registry) -> dict[str, Metric[Any]]:
    if rounds < 1:
        raise ConfigError(f"bootstrap rounds = {rounds}; accepted: 1 or more, 1000 for a 95 % interval.")
    if not 0 < level < 1:
        raise ConfigError(f"bootstrap level = {level}; accepted: a share between 0 and 1, such as 0.95.")
    return {name: registry.get(name) for name in metrics}


def _rounds(answers: A, metrics: dict[str, Metric[Any]], rounds: int, seed: int) -> dict[str, npt.NDArray[np.float64]]:
    parts: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in metrics}
    for weights in resample_weights(len(answers.gold), rounds, seed):
        for name, f in metrics.items():
            parts[name].append(f(answers, weights))
    return {name: np.concatenate(part) for name, part in parts.items()}


def _ends(values: npt.NDArray[np.float64], level: float) -> tuple[float, float]:
    values = values[~np.isnan(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
