"""What is wrong in each row: its loss, its F1, the labels missed and wrongly predicted; and which rows to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from multitag.metrics.answers import Answers
from multitag.metrics.sums import divide
from multitag.types import BoolArray

_SURE = 1e-7
"""Probabilities nearer to 0 and 1 cost as much as this one, 16 nats: one cell should not hide all others."""


@dataclass(frozen=True, eq=False)
class RowErrors:
    """The errors of N rows.

    Attributes:
        loss: (N,), mean binary cross-entropy over a row's known labels, in nats; 0 for a row with none.
        f1: (N,), 2 |Y ^ P| / (|Y| + |P|) over a row's known labels, 1 where both are empty.
        missed: (N, K), gold and not predicted.
        extra: (N, K), predicted and known not to be gold.
    """

    loss: npt.NDArray[np.float64]
    f1: npt.NDArray[np.float64]
    missed: BoolArray
    extra: BoolArray

    @property
    def wrong(self) -> BoolArray:
        """(N,), rows with any error."""
        return np.asarray((self.missed | self.extra).any(axis=1))


def row_errors(answers: Answers) -> RowErrors:
    """The errors of each row, under the probabilities and the decision that the answers hold."""
    probabilities = np.clip(np.asarray(answers.probabilities, np.float64), _SURE, 1 - _SURE)
    surprise = -np.log(np.where(answers.positive, probabilities, 1 - probabilities))
    known = answers.known.sum(axis=1)
    loss = divide(np.where(answers.known, surprise, 0.0).sum(axis=1), known, empty=0.0)
    sizes = answers.positive.sum(axis=1) + answers.claimed.sum(axis=1)
    return RowErrors(
        loss=loss,
        f1=divide(2 * answers.hits.sum(axis=1), sizes),
        missed=answers.positive & ~answers.predicted,
        extra=answers.claimed & ~answers.positive,
    )


def rows_to_look_at(errors: RowErrors, *, each: int = 8, overall: int = 40, most: int = 400) -> npt.NDArray[np.intp]:
    """The rows that a page shows, the highest loss first, so that every filter of it finds some.

    Of the rows with an error: those with the highest loss, those with the lowest F1, and for each label those with the
    highest loss among the rows that miss it and among those that wrongly have it.

    Args:
        errors: Of all rows.
        each: How many for each label and kind of error.
        overall: How many by loss, and as many by F1.
        most: How many in all; those with the lowest loss are dropped first.

    Returns:
        Places of rows.
    """
    order = np.argsort(-errors.loss, kind="stable")
    wrong = order[errors.wrong[order]]
    by_f1 = wrong[np.argsort(errors.f1[wrong], kind="stable")]
    chosen = [wrong[:overall], by_f1[:overall]]
    for kind in (errors.missed, errors.extra):
        chosen += [order[kind[order, k]][:each] for k in range(kind.shape[1])]
    taken = np.isin(order, np.concatenate(chosen))
    return order[taken][:most]
