"""What each common threshold is worth on the scored rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multitag.analysis.threshold_grid import STEPS, ThresholdGrid
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers

SWEPT = ("samples_f1", "micro_f1", "macro_f1", "micro_precision", "micro_recall")


@dataclass(frozen=True)
class Sweep:
    """Scores by threshold.

    Attributes:
        thresholds: (T,), rising.
        scores: By metric, (T,).
    """

    thresholds: tuple[float, ...]
    scores: dict[str, tuple[float, ...]]


def sweep(grid: ThresholdGrid, *, step: int = 20) -> Sweep:
    """Scores under one threshold for all labels, the never-empty rule as the run has it.

    It is of the rows that scores are given of: good to look at, not to choose a threshold by.

    Args:
        grid: The answers.
        step: Between two thresholds, in steps of the grid.
    """
    gold = np.where(grid.known, grid.positive.astype(np.float32), np.nan)
    places = range(step, STEPS, step)
    scores: dict[str, list[float]] = {name: [] for name in SWEPT}
    for place in places:
        answers = Answers(gold, grid.decide([place] * len(grid.names), never_empty=grid.never_empty))
        for name, values in scores.items():
            values.append(METRICS.get(name)(answers))
    return Sweep(tuple(place / STEPS for place in places), {name: tuple(found) for name, found in scores.items()})
