"""Whether probabilities mean what they say: how often the label is there, by what the model said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from multitag.metrics.answers import Answers
from multitag.metrics.reliability import BINS
from multitag.types import BoolArray, FloatArray


@dataclass(frozen=True)
class Reliability:
    """Label decisions in bins of equal width by their probability; bins that hold none are left out.

    Attributes:
        label: Whose; ``""`` for all label decisions pooled.
        said: Mean probability in each bin.
        found: Share of positives in each bin.
        counts: Decisions in each bin.
        ece: Mean over decisions of the gap between the two, as the metric `ece` has it; `None` without any decision.
    """

    label: str
    said: tuple[float, ...]
    found: tuple[float, ...]
    counts: tuple[int, ...]
    ece: float | None


def reliability(answers: Answers, names: Sequence[str], *, bins: int = BINS) -> list[Reliability]:
    """The pooled curve, then that of each label; cells whose gold is not known are not there.

    Args:
        answers: Gold and probabilities (N, K).
        names: The K labels.
        bins: How many; a bin holds its upper end, the first also 0.
    """
    probabilities = np.asarray(answers.probabilities, np.float64)
    known, positive = answers.known, answers.positive
    curves = [_curve("", probabilities[known], positive[known], bins)]
    for k, name in enumerate(names):
        there = known[:, k]
        curves.append(_curve(name, probabilities[there, k], positive[there, k], bins))
    return curves


def _curve(label: str, probabilities: FloatArray, positive: BoolArray, bins: int) -> Reliability:
    places = np.clip(np.ceil(probabilities * bins).astype(np.int64) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    there = counts > 0
    said = np.bincount(places, weights=probabilities, minlength=bins)[there] / counts[there]
    found = np.bincount(places, weights=positive, minlength=bins)[there] / counts[there]
    ece = float(np.abs(said - found) @ counts[there] / counts.sum()) if len(probabilities) else None
    return Reliability(label, tuple(said.tolist()), tuple(found.tolist()), tuple(counts[there].tolist()), ece)
