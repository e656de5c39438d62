"""The deletion test over many rows: are the explanations of this model worth reading?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from multitag.classifier import Classifier
from multitag.explain.deletion import Deletion
from multitag.explain.masks import Floats
from multitag.explain.row import How, explained
from multitag.explain.scoring import opened
from multitag.metrics.bootstrap import resample_weights
from multitag.progress import Progress, silent
from multitag.types import Modality, Sample

BOOTSTRAP = 1000


@dataclass(frozen=True)
class Checked:
    """The mean deletion test of one side of rows, over all pairs of a row and one of its labels.

    Attributes:
        rows: Rows that have the side.
        pairs: Rows times their labels.
        before: The labels' mean probability.
        top: Their mean probability without the parts that are worth most.
        random: Likewise, without as many parts drawn at random.
        passed: The share of the pairs where `top` is below `random`.
        difference: The mean of `random` less `top`: what the explanation knows.
        low: Of the 95 % interval of `difference`, by a bootstrap over rows.
        high: Likewise.
    """

    rows: int
    pairs: int
    before: float
    top: float
    random: float
    passed: float
    difference: float
    low: float
    high: float

    @classmethod
    def of(cls, tests: Sequence[Sequence[Deletion]], seed: int = 0) -> Checked:
        """The mean of the tests of several rows, a sequence each."""
        flat = [test for row in tests for test in row]
        gains = [np.array([test.random - test.top for test in row]) for row in tests]
        low, high = _interval(gains, seed)
        return cls(
            len(tests),
            len(flat),
            float(np.mean([test.before for test in flat])),
            float(np.mean([test.top for test in flat])),
            float(np.mean([test.random for test in flat])),
            float(np.mean([test.passed for test in flat])),
            float(np.concatenate(gains).mean()),
            low,
            high,
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)


def check(
    classifier: Classifier, samples: Sequence[Sample], how: How | None = None, *, progress: Progress = silent
) -> dict[Modality, Checked]:
    """The deletion test of the picture and of the text over rows, a side that no row has left out.

    Args:
        classifier: A fitted model, or an ensemble.
        samples: The rows.
        how: How they are explained.
        progress: Told about rows done.

    Raises:
        ConfigError: There is no such label.
        DataError: A row has nothing that the model reads, or its picture cannot be used.
    """
    chosen = how or How()
    tests: dict[Modality, list[list[Deletion]]] = {"image": [], "text": []}
    with opened(classifier.pipeline_) as score, progress("explaining", len(samples)) as advance:
        for sample in samples:
            found = explained(classifier, score, sample, chosen)
            for modality, rows in tests.items():
                sides = [label.sides[modality] for label in found.labels if modality in label.sides]
                own = [side.deletion for side in sides if side.deletion is not None]
                rows.extend([own] if own else [])
            advance(1)
    return {modality: Checked.of(rows, chosen.seed) for modality, rows in tests.items() if rows}


def _interval(gains: Sequence[Floats], seed: int) -> tuple[float, float]:
    """The 95 % interval of the mean over all pairs; rows are drawn, with all their pairs."""
    sums, sizes = np.array([row.sum() for row in gains]), np.array([len(row) for row in gains])
    weights = np.concatenate(list(resample_weights(len(gains), BOOTSTRAP, seed)))
    means = (weights @ sums) / (weights @ sizes)
    low, high = np.quantile(means, (0.025, 0.975))
    return float(low), float(high)
