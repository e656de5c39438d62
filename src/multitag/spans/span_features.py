"""What a span is like as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from multitag.spans.base import Scored
from multitag.spans.units import Floats
from multitag.types import Span

NAMES = (
    "highest",  # logit of the likeliest word, counted from the label's threshold
    "mean",
    "lowest",
    "words",  # log of their number
    "share",  # of the text's words
    "start",  # where it stands, 0 to 1
    "others",  # log of 1 + how many other spans of the label there are in the text
    "rivals",  # the highest probability of another label within it
    "common",  # how many spans of the label there were, on a log scale, 0 for the average
)
WIDTH = len(NAMES)
_EDGE = 1e-4


class SpanFeatures(NamedTuple):
    """Spans of one text, and what each is like.

    Attributes:
        spans: S spans.
        values: (S, WIDTH), in the order of `NAMES`.
    """

    spans: tuple[Span, ...]
    values: Floats


def features(
    spans: tuple[Span, ...], row: Scored, thresholds: Floats, names: Sequence[str], common: Floats
) -> SpanFeatures:
    """What the spans of a text are like, told by numbers alone: no word of the text is read.

    Args:
        spans: S spans that begin and end with units.
        row: The text's units and their scores (U, K).
        thresholds: (K,), of the labels.
        names: The labels.
        common: (K,), how common they are.
    """
    place = {name: k for k, name in enumerate(names)}
    values = np.zeros((len(spans), WIDTH))
    total = len(row.units.starts)
    for number, span in enumerate(spans):
        k = place[span.label]
        first = int(np.searchsorted(row.units.starts, span.start))
        last = int(np.searchsorted(row.units.stops, span.stop)) + 1
        own = _logit(row.scores[first:last, k]) - _logit(thresholds[k])
        rivals = np.delete(row.scores[first:last], k, axis=1)
        others = sum(other.label == span.label for other in spans) - 1
        values[number] = (
            own.max(),
            own.mean(),
            own.min(),
            np.log(last - first),
            (last - first) / total,
            first / total,
            np.log1p(others),
            rivals.max(initial=0.0),
            common[k],
        )
    return SpanFeatures(spans, values)


def _logit(p: Floats) -> Floats:
    safe = np.clip(p, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(safe / (1 - safe)))
