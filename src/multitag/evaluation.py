"""What a model is worth on rows with known labels: every metric with its interval, and a table per label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt

from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import Interval, bootstrap
from multitag.metrics.per_label import LabelScore, per_label
from multitag.metrics.span_scores import SpanLabelScore
from multitag.types import LabelSpace, Predictions, Sample

Line = TypeVar("Line", bound=LabelScore | SpanLabelScore)


@dataclass(frozen=True)
class Scores(Generic[Line]):
    """What a model is worth on some rows.

    Attributes:
        rows: Rows scored: those whose labels or spans are known.
        metrics: Each registered metric with its bootstrap interval over rows.
        labels: A line for each label.
        unseen: Labels of these rows that the model never saw: it cannot predict them, and they count as missed.
        empty: Rows for which no label, or no span, was predicted.
    """

    rows: int
    metrics: dict[str, Interval]
    labels: list[Line]
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


@dataclass(frozen=True)
class Evaluation(Scores[LabelScore]):
    """Scores of label sets."""


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
    return evaluation_of(answers_of(predictions, samples), rounds=rounds, seed=seed)


def evaluation_of(scored: Scored, *, rounds: int = 1000, seed: int = 0) -> Evaluation:
    """Score answers; arguments as of `evaluate`."""
    answers, rows = scored.answers, scored.answers.known_rows
    return Evaluation(
        rows=int(rows.sum()),
        metrics=bootstrap(answers, METRICS.names(), rounds=rounds, seed=seed),
        labels=per_label(answers, scored.names),
        unseen=scored.unseen,
        empty=int((~answers.predicted[rows].any(1)).sum()),
    )


@dataclass(frozen=True, eq=False)
class Scored:
    """Predictions beside the gold labels of the same N rows, over all labels that either knows.

    Attributes:
        samples: The rows.
        names: The K labels: the model's, then those it never saw.
        unseen: Labels of the rows that the model never saw.
        answers: Gold, predicted and probabilities, each (N, K); a label never seen is not predicted, at 0.
    """

    samples: tuple[Sample, ...]
    names: tuple[str, ...]
    unseen: tuple[str, ...]
    answers: Answers

    @property
    def probabilities(self) -> npt.NDArray[np.float64]:
        """(N, K), never `None`."""
        return np.asarray(self.answers.probabilities, np.float64)


def answers_of(predictions: Predictions, samples: Sequence[Sample]) -> Scored:
    """Predictions and the samples' labels as metrics read them.

    Args:
        predictions: Of these samples, in their order.
        samples: The rows; nothing is known of those without labels.
    """
    space = predictions.space
    known = set(space.names)
    having = [replace(sample, unknown=()) for sample in samples]  # a label that no row has cannot be missed
    unseen = tuple(name for name in LabelSpace.from_samples(having).names if name not in known)
    whole = LabelSpace(space.names + unseen)
    extra = np.zeros((len(samples), len(unseen)))
    answers = Answers(
        whole.encode(samples),
        np.hstack([predictions.values, extra.astype(bool)]),
        np.hstack([predictions.probabilities, extra]),
    )
    return Scored(tuple(samples), whole.names, unseen, answers)
