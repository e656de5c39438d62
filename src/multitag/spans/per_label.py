"""One threshold for the tokens of each label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import numpy as np
from pydantic import Field

from multitag.spans.base import Bridge, Shortest, SpanDecoder, Strength, spans_by_label
from multitag.spans.curve import Target
from multitag.spans.thresholds import best_common, best_for_each, shrunk
from multitag.spans.units import Gaps, Pool, Unit, Units
from multitag.types import LabelSpace, Span


class PerLabelSpanThresholds(SpanDecoder):
    """Takes every word whose probability reaches its label's own threshold, put where span F1 over all texts is best.

    Coordinate ascent with exact steps from the best common threshold. Where thresholds of labels with few spans fit
    noise, a label with fewer than `min_spans` keeps the common threshold t, and the others are drawn to it: logit t_k
    becomes (n_k logit t_k + c logit t) / (n_k + c), with n_k gold spans and c `shrinkage`.

    Unlike label sets, spans want neither: a label that is never right is best never given. On the 687 memes of
    SemEval-2021 task 6 (out of fold, frozen MiniLM; fitted on half, scored on the other) c = 0 has .373, 5 .367, 20
    .357, one threshold for all .299; fitted on 70 memes .336, .322, .311 and .303.

    Args:
        target: The score that is to be best: the task's own with partial matches, or that of exact matches.
        min_spans: A label with fewer gold spans keeps the common threshold.
        shrinkage: How strongly the others are drawn to it; 0 not at all.
        unit: As of `SpanDecoder`.
        pool: As of `SpanDecoder`.
        gaps: As of `SpanDecoder`.
        bridge: As of `SpanDecoder`.
        shortest: As of `SpanDecoder`.
    """

    def __init__(
        self,
        space: LabelSpace,
        /,
        *,
        target: Target = "partial_f1",
        min_spans: Annotated[int, Field(ge=0)] = 0,
        shrinkage: Strength = 0.0,
        unit: Unit = "word",
        pool: Pool = "max",
        gaps: Gaps = "lines",
        bridge: Bridge = 0,
        shortest: Shortest = 1,
    ) -> None:
        super().__init__(space, unit=unit, pool=pool, gaps=gaps, bridge=bridge, shortest=shortest)
        self.target: Target = target
        self.min_spans = min_spans
        self.shrinkage = shrinkage

    def _fit(self, texts: Sequence[Units], gold: Sequence[Sequence[Span]]) -> None:
        curves = self._curves(self._scored(texts), gold, self.target)
        support = spans_by_label(gold, self.space)
        own = np.flatnonzero(support >= self.min_spans)
        common, _ = best_common(curves)
        thresholds = best_for_each(curves, common, own.tolist())
        thresholds[own] = shrunk(thresholds[own], common, support[own], self.shrinkage)
        self.thresholds_ = thresholds
