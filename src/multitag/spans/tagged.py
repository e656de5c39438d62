"""What decoders read: a text, where its tokens stand, and what the model says of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.errors import DataError
from multitag.spans.alignment import Offsets, Tokens


@dataclass(frozen=True, slots=True, eq=False)
class TaggedText:
    """A text and the probabilities of its tokens.

    Attributes:
        text: All of it.
        offsets: (T, 2), characters of its tokens, half-open, in order; none is empty.
        values: (T, K) in [0, 1], that a token is in a span of label k; or (T, 2K), first that one begins with it.

    Raises:
        DataError: Shapes differ, or values are NaN or outside [0, 1].
    """

    text: str
    offsets: Offsets
    values: npt.NDArray[np.float64]

    def __post_init__(self) -> None:
        values = np.asarray(self.values, np.float64)
        if values.ndim != 2 or np.shape(self.offsets) != (len(values), 2):
            raise DataError(
                f"token probabilities must have the shape (tokens, outputs), with offsets (tokens, 2); got "
                f"{values.shape} and {np.shape(self.offsets)}."
            )
        if values.size and not (values.min() >= 0 and values.max() <= 1):
            raise DataError(
                "token probabilities must be numbers in [0, 1]. "
                "Fix: take the sigmoid of the logits first, and look for NaN in the model's outputs."
            )
        object.__setattr__(self, "values", values)

    @classmethod
    def of(cls, text: str, tokens: Tokens, values: npt.NDArray[Any]) -> TaggedText:
        """Of what a model says of every token that it sees: (T, K), or longer where it was padded; special tokens and
        padding are left out."""
        return cls(text, tokens.offsets[tokens.real], values[: len(tokens.real)][tokens.real])
