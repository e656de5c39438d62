"""What every metric reads: the gold labels, the predicted labels, and the probabilities behind them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from multitag.errors import DataError
from multitag.types import BoolArray, FloatArray


@dataclass(frozen=True, eq=False)
class Answers:
    """Gold and predicted labels of the same rows.

    Attributes:
        gold: (N, K), 1 has the label, 0 has not, NaN not known. At least one row and one label.
        predicted: (N, K) boolean.
        probabilities: (N, K) in [0, 1], or `None` where nobody has them; `map`, `brier` and `ece` need them.

    Raises:
        DataError: A shape differs, gold holds something else than 0, 1 and NaN, predicted is not boolean, or
            the probabilities are not in [0, 1].
    """

    gold: FloatArray
    predicted: BoolArray
    probabilities: FloatArray | None = None

    def __post_init__(self) -> None:
        gold = np.asarray(self.gold)
        if gold.ndim != 2 or 0 in gold.shape:
            raise DataError(
                f"gold labels must have the shape (rows, labels), at least one of each; got {gold.shape}. "
                "Fix: for a single label, pass gold.reshape(-1, 1)."
            )
        if not np.issubdtype(gold.dtype, np.floating):
            gold = gold.astype(np.float32)
        wrong = (gold != 0) & (gold != 1) & ~np.isnan(gold)
        if wrong.any():
            row, label = np.argwhere(wrong)[0]
            raise DataError(
                f"gold[{row}, {label}] is {gold[row, label]}; accepted: 1 (has the label), 0 (has not), "
                "NaN (not known)."
            )
        predicted = np.asarray(self.predicted)
        if predicted.dtype != np.bool_:
            raise DataError(
                f"predicted labels must be boolean; got {predicted.dtype}. "
                "Fix: apply a decision, e.g. probabilities >= 0.5, and pass the probabilities on their own."
            )
        _same_shape("predicted labels", predicted.shape, gold.shape)
        object.__setattr__(self, "gold", gold)
        object.__setattr__(self, "predicted", predicted)
        if self.probabilities is not None:
            probabilities = np.asarray(self.probabilities)
            _same_shape("probabilities", probabilities.shape, gold.shape)
            if not (probabilities.min() >= 0 and probabilities.max() <= 1):
                raise DataError(
                    "probabilities must be numbers in [0, 1]; "
                    f"got {probabilities.min()} to {probabilities.max()}. "
                    "Fix: apply a calibration to the logits first."
                )
            object.__setattr__(self, "probabilities", probabilities)

    def same_gold(self, other: Answers) -> bool:
        """Whether the other answers are to the same rows: their gold labels are equal, unknown ones too."""
        return np.array_equal(self.gold, other.gold, equal_nan=True)

    @cached_property
    def known(self) -> BoolArray:
        """(N, K), True where gold is known."""
        return ~np.isnan(self.gold)

    @cached_property
    def known_rows(self) -> BoolArray:
        """(N,), True where at least one of a row's labels is known."""
        return np.asarray(self.known.any(axis=1))

    @cached_property
    def positive(self) -> BoolArray:
        """(N, K), True where gold has the label."""
        return np.asarray(self.gold == 1)

    @cached_property
    def claimed(self) -> BoolArray:
        """(N, K), True where the label is predicted and gold is known."""
        return np.asarray(self.predicted & self.known)

    @cached_property
    def hits(self) -> BoolArray:
        """(N, K), True where the label is predicted and gold has it."""
        return np.asarray(self.predicted & self.positive)


def _same_shape(what: str, shape: tuple[int, ...], gold: tuple[int, ...]) -> None:
    if shape != gold:
        raise DataError(f"{what} have the shape {shape}, but gold labels have {gold}; they must be equal.")
