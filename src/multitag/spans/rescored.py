"""A second look at each span: what it is like as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import numpy as np
from pydantic import Field

from multitag.saved_state import saved
from multitag.spans.base import Bridge, Scored, Shortest, SpanDecoder, Strength, spans_by_label
from multitag.spans.curve import Target
from multitag.spans.falling import Judge
from multitag.spans.span_features import WIDTH, SpanFeatures, features
from multitag.spans.thresholds import fitted
from multitag.spans.units import Floats, Gaps, Pool, Unit, Units
from multitag.types import LabelSpace, Span

_PARTS = 5


class Rescored(SpanDecoder):
    """Decodes as `per_label` does, looks at each span as a whole, and keeps those likely to be right.

    A logistic regression over a span's features (`multitag.spans.span_features`: the highest, mean and lowest
    probability of its words beside their threshold, how long it is, where it stands, the same label elsewhere, how
    common the label is) says which share of the span gold spans cover. It is fitted on the spans found in the held-out
    texts; the least score of a span that is kept is put where span F1 is best, each span scored by a regression that
    did not see its text.

    Args:
        target: The score that is to be best: the task's own with partial matches, or that of exact matches.
        strength: C of the regression, as of scikit-learn's: less draws the weights to 0.
        shrinkage: How far labels' thresholds are drawn to the common one, as of `per_label`.
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
        strength: Annotated[float, Field(gt=0)] = 0.1,
        shrinkage: Strength = 0.0,
        unit: Unit = "word",
        pool: Pool = "max",
        gaps: Gaps = "lines",
        bridge: Bridge = 0,
        shortest: Shortest = 1,
    ) -> None:
        super().__init__(space, unit=unit, pool=pool, gaps=gaps, bridge=bridge, shortest=shortest)
        self.target: Target = target
        self.strength = strength
        self.shrinkage = shrinkage

    def _fit(self, texts: Sequence[Units], gold: Sequence[Sequence[Span]]) -> None:
        scored = self._scored(texts)
        support = spans_by_label(gold, self.space)
        curves = self._curves(scored, gold, self.target)
        self.thresholds_ = fitted(curves, "per_label", support, self.shrinkage)
        self.common_ = np.log1p(support) - np.log1p(support.mean())
        self.weights_, self.least_ = np.zeros(WIDTH + 1), 0.0
        found = [self._found(row) for row in scored]
        worth = np.array(
            [self._worth(span, spans) for each, spans in zip(found, gold, strict=True) for span in each.spans]
        ).reshape(-1, 3)
        values = np.concatenate([np.zeros((0, WIDTH)), *(each.values for each in found)])
        part = np.concatenate([np.full(len(each.spans), row % _PARTS) for row, each in enumerate(found)])
        shares = np.clip(worth[:, 0], 0, 1)
        if not 0 < shares.sum() < len(shares):
            return
        unseen = np.zeros(len(shares))
        for number in range(_PARTS):
            inside = part == number
            unseen[inside] = _said(values[inside], self._regression(values[~inside], shares[~inside]))
        self.weights_ = self._regression(values, shares)
        self.least_ = _best_least(unseen, worth, int(support.sum()))

    def _worth(self, span: Span, gold: Sequence[Span]) -> tuple[float, float, int]:
        own = [(other.start, other.stop) for other in gold if other.label == span.label]
        return Judge(own, self.target, self.shortest).score(span.start, span.stop)

    def _regression(self, values: Floats, shares: Floats) -> Floats:
        """(WIDTH + 1,), the last one the offset. A span that is half right counts half as right, half as wrong."""
        if not 0 < shares.sum() < len(shares):
            return np.zeros(WIDTH + 1)
        from sklearn.linear_model import LogisticRegression  # half a second, which predicting does without

        model = LogisticRegression(C=self.strength, max_iter=1000)
        model.fit(
            np.concatenate([values, values]),
            np.repeat([1, 0], len(values)),
            sample_weight=np.concatenate([shares, 1 - shares]),
        )
        return np.concatenate([model.coef_[0], model.intercept_])

    def _found(self, row: Scored) -> SpanFeatures:
        return features(super()._spans(row), row, self.thresholds_, self.space.names, self.common_)

    def _spans(self, row: Scored) -> tuple[Span, ...]:
        found = self._found(row)
        kept = _said(found.values, self.weights_) >= self.least_
        return tuple(span for span, stays in zip(found.spans, kept, strict=True) if stays)

    def _state(self) -> dict[str, Any]:
        return {"weights": self.weights_.tolist(), "least": self.least_, "common": self.common_.tolist()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.weights_ = np.asarray(saved(state, "weights"), np.float64)
        self.common_ = np.asarray(saved(state, "common"), np.float64)
        self.least_ = float(saved(state, "least"))


def _said(values: Floats, weights: Floats) -> Floats:
    return np.asarray(1 / (1 + np.exp(-(values @ weights[:-1] + weights[-1]))))


def _best_least(scores: Floats, worth: Floats, gold: int) -> float:
    """The lowest score to keep at which span F1 is best; 0, all, where nothing is better."""
    order = np.argsort(-scores, kind="stable")
    precise, recalled, given = np.cumsum(worth[order], axis=0).T
    precision, recall = precise / np.maximum(given, 1), recalled / max(gold, 1)
    f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-12)
    f1[:-1][scores[order][1:] == scores[order][:-1]] = -1  # spans of one score stay or go together
    best = len(f1) - 1 - int(np.argmax(f1[::-1] >= f1.max() - 1e-12))
    if best == len(f1) - 1:
        return 0.0
    return float((scores[order[best]] + scores[order[best + 1]]) / 2)
