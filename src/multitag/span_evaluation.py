"""What a span tagger is worth on rows with known spans: every metric with its interval, and a line for each label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from multitag.evaluation import plain
from multitag.metrics import SPAN_METRICS
from multitag.metrics.bootstrap import Interval, bootstrap
from multitag.metrics.span_answers import SpanAnswers
from multitag.metrics.span_scores import SpanLabelScore, spans_per_label
from multitag.types import LabelSpace, Sample, SpanPredictions


@dataclass(frozen=True)
class SpanEvaluation:
    """Scores of spans.

    Attributes:
        rows: Rows scored: those whose spans are known.
        metrics: Each registered span metric with its bootstrap interval over rows.
        labels: A line for each label.
        unseen: Labels of these rows that the model never saw: it cannot predict them, and they count as missed.
        empty: Rows for which no span was predicted.
    """

    rows: int
    metrics: dict[str, Interval]
    labels: list[SpanLabelScore]
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


def evaluate_spans(
    predictions: SpanPredictions, samples: Sequence[Sample], *, rounds: int = 1000, seed: int = 0
) -> SpanEvaluation:
    """Score spans against those of the samples.

    Args:
        predictions: Of these samples, in their order.
        samples: The rows; those without known spans are left out.
        rounds: Bootstrap rounds for the 95 % intervals.
        seed: Of the bootstrap.
    """
    names = predictions.space.names
    unseen = tuple(name for name in LabelSpace.from_spans(samples).names if name not in names)
    answers = SpanAnswers([sample.spans for sample in samples], predictions.spans, names + unseen)
    known = [spans for sample, spans in zip(samples, predictions.spans, strict=True) if sample.spans is not None]
    return SpanEvaluation(
        rows=len(known),
        metrics=bootstrap(answers, SPAN_METRICS.names(), rounds=rounds, seed=seed, registry=SPAN_METRICS),
        labels=spans_per_label(answers),
        unseen=unseen,
        empty=sum(not spans for spans in known),
    )
