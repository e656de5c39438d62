"""Two outputs a label: a span begins here, and this is in a span."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from multitag.saved_state import saved
from multitag.spans.alignment import Scheme
from multitag.spans.base import Bridge, Scored, Shortest, SpanDecoder, Strength, spans_by_label
from multitag.spans.curve import Target
from multitag.spans.thresholds import Thresholds, best_common, fitted
from multitag.spans.units import Gaps, Pool, Unit, Units
from multitag.types import LabelSpace, Span

_NEVER = 2.0
_CHOICES = (*(n / 10 for n in range(1, 10)), _NEVER)


class BeginInside(SpanDecoder):
    """Cuts a span in two where another of the same label is likely to begin, so that neighbours stay apart.

    The model says of each token that it is in a span, and that one begins with it. Words of the first kind make spans
    as with a threshold on its own; a word whose second probability reaches the threshold `cut_` starts a new one.
    `cut_` is the best of .1, .2, ... .9 and never, each with the threshold that is best beside it.

    Args:
        thresholds: One threshold for all labels, or one for each, as in `per_label`.
        shrinkage: How strongly the thresholds of labels are drawn to the common one.
        target: The score that is to be best: the task's own with partial matches, or that of exact matches.
        unit: As of `SpanDecoder`.
        pool: As of `SpanDecoder`.
        gaps: As of `SpanDecoder`.
        bridge: As of `SpanDecoder`.
        shortest: As of `SpanDecoder`.
    """

    scheme: ClassVar[Scheme] = "begin_inside"
    cut_: float

    def __init__(
        self,
        space: LabelSpace,
        /,
        *,
        thresholds: Thresholds = "per_label",
        shrinkage: Strength = 0.0,
        target: Target = "partial_f1",
        unit: Unit = "word",
        pool: Pool = "max",
        gaps: Gaps = "lines",
        bridge: Bridge = 0,
        shortest: Shortest = 1,
    ) -> None:
        super().__init__(space, unit=unit, pool=pool, gaps=gaps, bridge=bridge, shortest=shortest)
        self.thresholds: Thresholds = thresholds
        self.target: Target = target
        self.shrinkage = shrinkage

    def _fit(self, texts: Sequence[Units], gold: Sequence[Sequence[Span]]) -> None:
        tried = []
        for cut in _CHOICES:
            curves = self._curves(self._cut(texts, cut), gold, self.target)
            _, score = best_common(curves)
            # Of equals the one that cuts least.
            tried.append((round(score, 12), cut, curves))
        _, self.cut_, curves = max(tried, key=lambda found: found[:2])
        self.thresholds_ = fitted(curves, self.thresholds, spans_by_label(gold, self.space), self.shrinkage)

    def _scored(self, texts: Sequence[Units]) -> list[Scored]:
        return self._cut(texts, self.cut_)

    def _cut(self, texts: Sequence[Units], cut: float) -> list[Scored]:
        count = len(self.space)
        return [
            Scored(units, units.values[:, count:], units.blocked[:, None] | (units.values[:, :count] >= cut))
            for units in texts
        ]

    def _state(self) -> dict[str, Any]:
        return {"cut": self.cut_}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.cut_ = float(saved(state, "cut"))
