"""One threshold for the tokens of all labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multitag.spans.base import Bridge, Shortest, SpanDecoder, Threshold
from multitag.spans.curve import Target
from multitag.spans.thresholds import best_common
from multitag.spans.units import Gaps, Pool, Unit, Units
from multitag.types import LabelSpace, Span


class GlobalSpanThreshold(SpanDecoder):
    """Takes every word whose probability reaches one threshold, given or put where the span F1 over all texts is best.

    The optimum is exact over all possible thresholds, with words, gaps and shortest spans as they will be. Seed 002
    tags with a threshold of .4.

    Args:
        threshold: ``"fitted"``, or a fixed one. Beside one, `target` says nothing.
        target: The score that is to be best: the task's own with partial matches, or that of exact matches.
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
        threshold: Threshold = "fitted",
        target: Target = "partial_f1",
        unit: Unit = "word",
        pool: Pool = "max",
        gaps: Gaps = "lines",
        bridge: Bridge = 0,
        shortest: Shortest = 1,
    ) -> None:
        super().__init__(space, unit=unit, pool=pool, gaps=gaps, bridge=bridge, shortest=shortest)
        self.threshold = threshold
        self.target: Target = target

    def _fit(self, texts: Sequence[Units], gold: Sequence[Sequence[Span]]) -> None:
        if self.threshold != "fitted":
            self.thresholds_ = np.full(len(self.space), float(self.threshold))
            return
        common, _ = best_common(self._curves(self._scored(texts), gold, self.target))
        self.thresholds_ = np.full(len(self.space), common)
