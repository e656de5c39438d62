"""What all span decoders share: units, the order of fit and apply, and the saved state."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Self

import numpy as np
from pydantic import Field

from multitag.errors import DataError, NotFittedError, RunError, faults_message
from multitag.saved_state import saved
from multitag.spans.alignment import Scheme
from multitag.spans.curve import Curve, Target
from multitag.spans.falling import Judge, falling
from multitag.spans.tagged import TaggedText
from multitag.spans.units import Floats, Gaps, Pool, Unit, Units, find_runs, units_of
from multitag.types import BoolArray, LabelSpace, Span

Threshold = Literal["fitted"] | Annotated[float, Field(ge=0, le=1)]
Bridge = Annotated[int, Field(ge=0)]
Shortest = Annotated[int, Field(ge=1)]
Strength = Annotated[float, Field(ge=0)]


class Scored(NamedTuple):
    """The units of one text as thresholds are laid on them.

    Attributes:
        units: The units.
        scores: (U, K), of each unit and label.
        blocked: (U, K), True where no span of the label goes from the unit before on into this one.
    """

    units: Units
    scores: Floats
    blocked: BoolArray


class SpanDecoder(ABC):
    """Turns probabilities of tokens into spans, text by text: overlapping ones of different labels, never two of one.

    A unit whose score reaches its label's threshold is active, and active units next to each other are one span.

    Args:
        space: The labels.
        unit: What is taken whole: tokens, or whole words (a span then never ends within one).
        pool: How the probabilities of a word's tokens become the word's: their highest, or their mean.
        gaps: Across which white space a span goes on: line breaks too, spaces only, or none.
        bridge: How many units below the threshold a span goes across.
        shortest: Spans of fewer characters are dropped.

    Attributes:
        scheme: What the model must say of each token.
        thresholds_: (K,), a unit is active where ``score >= thresholds_[k]``.
    """

    scheme: ClassVar[Scheme] = "inside"
    thresholds_: Floats

    def __init__(
        self,
        space: LabelSpace,
        /,
        *,
        unit: Unit = "word",
        pool: Pool = "max",
        gaps: Gaps = "lines",
        bridge: Bridge = 0,
        shortest: Shortest = 1,
    ) -> None:
        self.space = space
        self.unit: Unit = unit
        self.pool: Pool = pool
        self.gaps: Gaps = gaps
        self.bridge = bridge
        self.shortest = shortest

    def fit(self, rows: Sequence[TaggedText], gold: Sequence[Sequence[Span] | None]) -> Self:
        """Learns the decision from texts that the model was not trained on.

        Args:
            rows: The texts and their tokens' probabilities.
            gold: The spans of each; `None` where they are not known: such a text is left out. Spans of labels outside
                of the space are left out.

        Raises:
            DataError: Numbers of rows or outputs differ, or no text's spans are known.
        """
        if len(rows) != len(gold):
            raise DataError(f"{len(rows)} texts, but the spans of {len(gold)}; give one list of spans for each text.")
        known = [(row, spans) for row, spans in zip(rows, gold, strict=True) if spans is not None]
        if not known:
            raise DataError("there is no text with known spans to fit on. Fix: give rows whose spans are known.")
        texts = self._units([row for row, _ in known])
        self._fit(texts, [spans for _, spans in known])
        return self

    def apply(self, rows: Sequence[TaggedText]) -> list[tuple[Span, ...]]:
        """The spans of each text, in the order of the text.

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called.
            DataError: The probabilities are of another number of outputs.
        """
        self._check_fitted()
        return [self._spans(scored) for scored in self._scored(self._units(rows))]

    def state(self) -> dict[str, Any]:
        """All that was fitted, as values that JSON holds exactly.

        Raises:
            NotFittedError: Neither `fit` nor `load_state` was called.
        """
        self._check_fitted()
        return {"labels": list(self.space.names), "thresholds": self.thresholds_.tolist(), **self._state()}

    def load_state(self, state: Mapping[str, Any]) -> Self:
        """Takes over what `state` gave.

        Raises:
            RunError: The state is of another decoder, of other labels, or cut short.
        """
        names = tuple(saved(state, "labels"))
        if names != self.space.names:
            raise RunError(
                f"the saved state is of the labels {', '.join(names)}, not of {', '.join(self.space.names)}. "
                "Fix: fit again."
            )
        thresholds = np.asarray(saved(state, "thresholds"), np.float64)
        self._load_state(state)
        self.thresholds_ = thresholds
        return self

    def _check_fitted(self) -> None:
        if not hasattr(self, "thresholds_"):
            raise NotFittedError(
                f"this {type(self).__name__} is not fitted. Fix: call fit(rows, gold) or load_state(state) first."
            )

    def _units(self, rows: Sequence[TaggedText]) -> list[Units]:
        wanted = len(self.space) * (2 if self.scheme == "begin_inside" else 1)
        faults = [f"text {n}: {row.values.shape[1]}" for n, row in enumerate(rows) if row.values.shape[1] != wanted]
        if faults:
            title = f"{type(self).__name__} of {len(self.space)} labels reads {wanted} outputs a token"
            raise DataError(faults_message(title, faults, limit=5))
        return [units_of(row, unit=self.unit, pool=self.pool, gaps=self.gaps) for row in rows]

    def _curves(self, scored: Sequence[Scored], gold: Sequence[Sequence[Span]], target: Target) -> list[Curve]:
        """Each label's sums over all texts, under every threshold."""
        places = [list(zip(row.units.starts.tolist(), row.units.stops.tolist(), strict=True)) for row in scored]
        curves = []
        for k, name in enumerate(self.space.names):
            events = []
            total = 0
            for row, own, spans in zip(scored, places, gold, strict=True):
                ranges = [(span.start, span.stop) for span in spans if span.label == name]
                total += len(ranges)
                walls = np.cumsum(row.blocked[:, k])
                judge = Judge(ranges, target, self.shortest)
                events.append(falling(row.scores[:, k], own, walls, self.bridge, judge))
            curves.append(Curve.of(events, total))
        return curves

    def _spans(self, row: Scored) -> tuple[Span, ...]:
        active = row.scores >= self.thresholds_
        found = [
            Span(start, stop, name)
            for k, name in enumerate(self.space.names)
            for first, last in find_runs(active[:, k], row.blocked[:, k], self.bridge)
            if (stop := int(row.units.stops[last])) - (start := int(row.units.starts[first])) >= self.shortest
        ]
        return tuple(sorted(found, key=lambda span: (span.start, span.stop, self.space.names.index(span.label))))

    def _scored(self, texts: Sequence[Units]) -> list[Scored]:
        """What thresholds are laid on: the probabilities as they are, unless a decoder knows better."""
        return [
            Scored(units, units.values, np.broadcast_to(units.blocked[:, None], units.values.shape)) for units in texts
        ]

    @abstractmethod
    def _fit(self, texts: Sequence[Units], gold: Sequence[Sequence[Span]]) -> None: ...

    def _state(self) -> dict[str, Any]:
        return {}

    def _load_state(self, state: Mapping[str, Any]) -> None:  # noqa: B027 - most have thresholds only
        ...


def spans_by_label(gold: Sequence[Sequence[Span]], space: LabelSpace) -> Any:
    """(K,), how many gold spans each label has."""
    counts = dict.fromkeys(space.names, 0)
    for spans in gold:
        for span in spans:
            if span.label in counts:
                counts[span.label] += 1
    return np.array(list(counts.values()), np.int64)
