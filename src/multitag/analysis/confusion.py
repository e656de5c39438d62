"""What is predicted instead of what: labels missed and labels wrongly predicted in the same row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from multitag.metrics.answers import Answers

Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Swap:
    """A pair of labels: one missed where the other is wrongly predicted.

    Attributes:
        missed: The gold label that is not predicted.
        instead: The label that is predicted and not gold.
        rows: In how many rows both happen.
        share: Of all rows that have `missed`.
    """

    missed: str
    instead: str
    rows: int
    share: float


@dataclass(frozen=True, eq=False)
class Confusion:
    """Errors by pairs of labels.

    A row in which two labels are missed and one is wrongly predicted counts in two pairs: several labels have no
    one-to-one confusion, and none is made up here.

    Attributes:
        names: The K labels.
        pairs: (K, K), rows in which label i is missed and label j wrongly predicted.
        nothing: (K,), rows in which label i is missed and no label is wrongly predicted.
        alone: (K,), rows in which label j is wrongly predicted and none is missed.
        hits: (K,), rows in which label i is rightly predicted.
        support: (K,), rows that have label i.
    """

    names: tuple[str, ...]
    pairs: Counts
    nothing: Counts
    alone: Counts
    hits: Counts
    support: Counts

    def swaps(self, most: int = 30) -> list[Swap]:
        """The commonest pairs, the commonest first."""
        order = np.argsort(-self.pairs, axis=None, kind="stable")[:most]
        found = []
        for i, j in zip(*np.unravel_index(order, self.pairs.shape), strict=True):
            rows = int(self.pairs[i, j])
            if rows:
                found.append(Swap(self.names[i], self.names[j], rows, rows / int(self.support[i])))
        return found


def confusion(answers: Answers, names: Sequence[str]) -> Confusion:
    """Count the pairs; cells whose gold is not known are neither missed nor wrong."""
    missed = answers.positive & ~answers.predicted
    extra = answers.claimed & ~answers.positive
    # float32 counts exactly up to 16 million rows, and multiplies a hundred times faster than integers.
    pairs = (missed.T.astype(np.float32) @ extra.astype(np.float32)).astype(np.int64)
    return Confusion(
        tuple(names),
        pairs,
        nothing=missed[~extra.any(1)].sum(0),
        alone=extra[~missed.any(1)].sum(0),
        hits=answers.hits.sum(0),
        support=answers.positive.sum(0),
    )
