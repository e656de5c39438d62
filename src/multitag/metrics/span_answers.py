"""What every metric of spans reads: the gold spans and the predicted spans of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from multitag.errors import DataError, faults_message
from multitag.intervals import merged
from multitag.types import Span

Sums = npt.NDArray[np.float64]
PRECISE, RECALLED, GIVEN, GOLD, HITS = range(5)
"""What is summed over rows for each label, the last dimension of `SpanAnswers.sums`."""


@dataclass(frozen=True, eq=False)
class SpanAnswers:
    """Gold and predicted spans of N rows.

    Attributes:
        gold: The spans of each row; `None` where they are not known: such a row is left out.
        predicted: Those that a model gives; overlapping ones of one label are merged, as the task's scorer does.
        names: The labels there are.

    Raises:
        DataError: Numbers of rows differ, there is no row, or a span is empty or of another label.
    """

    gold: Sequence[Sequence[Span] | None]
    predicted: Sequence[Sequence[Span]]
    names: Sequence[str]

    def __post_init__(self) -> None:
        if len(self.gold) != len(self.predicted) or not len(self.gold):
            raise DataError(
                f"predicted spans of {len(self.predicted)} rows, gold spans of {len(self.gold)}; "
                "they must be of the same rows, at least one."
            )
        known = set(self.names)
        faults = [
            f"row {row}, {what}: {span}"
            for what, rows in (("gold", self.gold), ("predicted", self.predicted))
            for row, spans in enumerate(rows)
            for span in spans or ()
            if span.label not in known or not 0 <= span.start < span.stop
        ]
        if faults:
            title = f"{len(faults)} spans are empty, or of none of the {len(known)} labels"
            raise DataError(faults_message(title, faults, fix="Fix: give all labels' names, those of gold too."))
        object.__setattr__(self, "predicted", tuple(merged(spans) for spans in self.predicted))

    @property
    def probabilities(self) -> None:
        """No metric of spans needs any."""

    def same_gold(self, other: SpanAnswers) -> bool:
        """Whether the other answers are to the same rows: their gold spans are equal, in any order."""
        return _as_sets(self.gold) == _as_sets(other.gold)

    @cached_property
    def known(self) -> npt.NDArray[np.bool_]:
        """(N,), True where a row's spans are known."""
        return np.array([spans is not None for spans in self.gold])

    @cached_property
    def sums(self) -> Sums:
        """(N, K, 5): numerator of precision, numerator of recall, predicted, gold and exactly matched spans.

        With pairs of a predicted s and a gold t of one label in one row: sum |s ^ t| / |s|, sum |s ^ t| / |t|.
        """
        index = {name: k for k, name in enumerate(self.names)}
        sums: Sums = np.zeros((len(self.gold), len(self.names), 5))
        for row, (gold, predicted) in enumerate(zip(self.gold, self.predicted, strict=True)):
            if gold is None:
                continue
            for t in gold:
                sums[row, index[t.label], GOLD] += 1
            for s in predicted:
                cell = sums[row, index[s.label]]
                cell[GIVEN] += 1
                cell[HITS] += s in gold
                for t in gold:
                    shared = min(s.stop, t.stop) - max(s.start, t.start)
                    if t.label == s.label and shared > 0:
                        cell[PRECISE] += shared / (s.stop - s.start)
                        cell[RECALLED] += shared / (t.stop - t.start)
        return sums


def _as_sets(rows: Sequence[Sequence[Span] | None]) -> list[frozenset[Span] | None]:
    return [None if spans is None else frozenset(spans) for spans in rows]
