"""The shape that all metrics share: a pure function of answers and row weights."""

from __future__ import annotations

from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Any, Generic, Protocol, Self, TypeVar, overload

import numpy as np
import numpy.typing as npt

from multitag.errors import DataError
from multitag.types import FloatArray


class Rows(Protocol):
    """Gold and predicted answers of N rows, whatever answers are."""

    @property
    def gold(self) -> Sized:
        """N gold answers."""

    @property
    def probabilities(self) -> Any:
        """What the predicted answers were decided from, or `None`."""

    def same_gold(self, other: Self) -> bool:
        """Whether the other system's answers are to the same rows."""


A = TypeVar("A", bound=Rows)
Scores = npt.NDArray[np.float64]
Compute = Callable[[A, FloatArray | None], Scores]
"""Scores (R,) under the row weights (R, N); `None` means one round in which every row counts once."""


@dataclass(frozen=True, eq=False)
class Metric(Generic[A]):
    """A metric as a function: one number for the answers, or one for each round of row weights.

    Attributes:
        compute: Scores (R,) under row weights (R, N), (1,) under none.
        greater_is_better: False for errors such as `brier`.
        needs_probabilities: True where labels alone do not do.
    """

    compute: Compute[A]
    greater_is_better: bool = True
    needs_probabilities: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "__doc__", self.compute.__doc__)
        object.__setattr__(self, "__name__", self.compute.__name__)

    @overload
    def __call__(self, answers: A, weights: None = None) -> float: ...

    @overload
    def __call__(self, answers: A, weights: FloatArray) -> Scores: ...

    def __call__(self, answers: A, weights: FloatArray | None = None) -> float | Scores:
        """The score of the answers, or one for each round.

        Args:
            answers: Gold and predicted answers of N rows.
            weights: (R, N), how often each row counts in each of R rounds; whole numbers equal repeated rows.

        Returns:
            A float without weights, else an array (R,). NaN where nothing is known to score on.

        Raises:
            DataError: The weights do not fit the rows, or probabilities are needed and not there.
        """
        if self.needs_probabilities and answers.probabilities is None:
            raise DataError(
                f"metric '{self.compute.__name__}' needs probabilities, and the answers have none. "
                "Fix: pass them, Answers(gold, predicted, probabilities)."
            )
        if weights is None:
            return float(self.compute(answers, None)[0])
        if weights.ndim != 2 or weights.shape[1] != len(answers.gold):
            raise DataError(
                f"row weights must have the shape (rounds, {len(answers.gold)}), a column for each row; "
                f"got {weights.shape}."
            )
        return self.compute(answers, weights)


def metric(*, greater_is_better: bool = True, needs_probabilities: bool = False) -> Callable[[Compute[A]], Metric[A]]:
    """Makes a `Metric` of the function below it."""

    def wrap(compute: Compute[A]) -> Metric[A]:
        return Metric(compute, greater_is_better, needs_probabilities)

    return wrap
