"""What a span tagger is worth on rows with known spans: every metric with its interval, and a line for each label."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from multitag.evaluation import Scores
from multitag.metrics import SPAN_METRICS
from multitag.metrics.bootstrap import bootstrap
from multitag.metrics.span_answers import GIVEN, GOLD, PRECISE, RECALLED, SpanAnswers
from multitag.metrics.span_scores import SpanLabelScore, spans_per_label
from multitag.types import LabelSpace, Sample, Span, SpanPredictions


@dataclass(frozen=True)
class ScoredText:
    """A text with known spans and those predicted.

    Attributes:
        id: What names the row.
        text: The text.
        gold: Its spans.
        predicted: Those predicted.
        wrong: The share of all spans, gold and predicted, that the other side does not have; a span that is partly
            matched counts in part. 0 where there is none.
    """

    id: str
    text: str
    gold: tuple[Span, ...]
    predicted: tuple[Span, ...]
    wrong: float


@dataclass(frozen=True)
class SpanEvaluation(Scores[SpanLabelScore]):
    """Scores of spans.

    Attributes:
        texts: Each row scored.
    """

    texts: tuple[ScoredText, ...] = ()

    def worst(self, count: int) -> list[ScoredText]:
        """The texts with the largest share of wrong spans, and of those with as large a one, with the most spans."""
        wrong = [text for text in self.texts if text.wrong > 0]
        return sorted(wrong, key=lambda text: (-text.wrong, -len(text.gold) - len(text.predicted)))[:count]


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
        texts=tuple(_scored(predictions, samples, answers)),
    )


def _scored(predictions: SpanPredictions, samples: Sequence[Sample], answers: SpanAnswers) -> Iterator[ScoredText]:
    totals = answers.sums[:, :, [GIVEN, GOLD]].sum((1, 2))
    matched = np.minimum(answers.sums[:, :, [PRECISE, RECALLED]], answers.sums[:, :, [GIVEN, GOLD]]).sum((1, 2))
    for row, (sample, spans) in enumerate(zip(samples, predictions.spans, strict=True)):
        if sample.spans is not None:
            wrong = 1 - float(matched[row] / totals[row]) if totals[row] else 0.0
            yield ScoredText(sample.id, sample.text or "", sample.spans, spans, wrong)
