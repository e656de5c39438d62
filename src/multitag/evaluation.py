"""What a model is worth on rows with known labels: every metric with its interval, and a table per label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import Interval, bootstrap
from multitag.metrics.per_label import LabelScore, per_label
from multitag.types import LabelSpace, Predictions, Sample


@dataclass(frozen=True)
class Evaluation:
    """Scores of predictions.

    Attributes:
        rows: Rows scored: those whose labels are known.
        metrics: Each registered metric with its bootstrap interval.
        labels: A row for each label.
        unseen: Labels of these rows that the model never saw: it cannot predict them, and they count as missed.
        empty: Rows for which no label was predicted.
    """

    rows: int
    metrics: dict[str, Interval]
    labels: list[LabelScore]
    unseen: tuple[str, ...] = ()
    empty: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, NaN as `None`."""
        return {
            "rows": self.rows,
            "metrics": {name: plain(asdict(interval)) for name, interval in self.metrics.items()},
            "labels": [plain(asdict(label)) for label in self.labels],
            "unseen": list(self.unseen),
            "empty": self.empty,
        }


def plain(values: dict[str, Any]) -> dict[str, Any]:
    """Values for JSON, NaN as `None`."""
    return {key: None if isinstance(v, float) and np.isnan(v) else v for key, v in values.items()}


def evaluate(predictions: Predictions, samples: Sequence[Sample], *, rounds: int = 1000, seed: int = 0) -> Evaluation:
    """Score predictions against the samples' labels.

    Labels that the samples have and the model does not know are added, never predicted: hiding them would flatter.

    Args:
        predictions: Of these samples, in their order.
        samples: The rows; those without known labels are left out.
        rounds: Bootstrap rounds for the 95 % intervals.
        seed: Of the bootstrap.
    """
    space = predictions.space
    known = set(space.names)
    having = [replace(sample, unknown=()) for sample in samples]  # a label that no row has cannot be missed
    unseen = tuple(name for name in LabelSpace.from_samples(having).names if name not in known)
    whole = LabelSpace(space.names + unseen)
    gold = whole.encode(samples)
    extra = np.zeros((len(samples), len(unseen)))
    answers = Answers(
        gold,
        np.hstack([predictions.values, extra.astype(bool)]),
        np.hstack([predictions.probabilities, extra]),
    )
    scored = answers.known_rows
    return Evaluation(
        rows=int(scored.sum()),
        metrics=bootstrap(answers, METRICS.names(), rounds=rounds, seed=seed),
        labels=per_label(answers, whole.names),
        unseen=unseen,
        empty=int((~predictions.values[scored].any(1)).sum()),
    )
