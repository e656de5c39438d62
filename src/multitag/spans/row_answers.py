"""What a model says of whole rows beside what it says of their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn.functional import pad

Floats = npt.NDArray[np.float64]
Some = TypeVar("Some", Tensor, npt.NDArray[np.float32])


@dataclass(frozen=True)
class RowAnswers:
    """Where the answers of rows (N, K') stand: before those of their tokens (N, T, O), in one array (N, R + T, O).

    The loop, the books and the averages then see one array, as they do without. R is the least number of places that
    hold K' numbers.

    Attributes:
        labels: K'.
        outputs: O.
    """

    labels: int
    outputs: int

    @property
    def places(self) -> int:
        """R."""
        return -(-self.labels // self.outputs)

    def joined(self, rows: Tensor, tokens: Tensor, *, fill: float = 0.0) -> Tensor:
        """(N, K') and (N, T, O) to (N, R + T, O); `fill` where there is nothing to say."""
        spare = self.places * self.outputs - self.labels
        front = pad(rows, (0, spare), value=fill).view(len(rows), self.places, self.outputs)
        return torch.cat([front.to(tokens.dtype), tokens], 1)

    def split(self, both: Some) -> tuple[Some, Some]:
        """(N, R + T, O) to (N, K') and (N, T, O)."""
        front = both[:, : self.places].reshape(len(both), self.places * self.outputs)
        return front[:, : self.labels], both[:, self.places :]


def gated(tokens: Any, rows: Any, strength: float) -> npt.NDArray[np.float32]:
    """Logits (N, T, O) of p q^g: what is said of a token counts less where the row is not thought to have the label.

    Args:
        tokens: Logits of p, (N, T, O), NaN where there is no token; O is K, or 2K.
        rows: Logits of q, (N, K): the row has a span of the label.
        strength: g, 0 to 1; 0 leaves all as it is.
    """
    if strength == 0:
        return np.asarray(tokens, np.float32)
    q = np.tile(rows, (1, tokens.shape[2] // rows.shape[1])).astype(np.float64)
    with np.errstate(invalid="ignore"):  # NaN stays NaN
        log_p = -np.logaddexp(0, -tokens.astype(np.float64)) - strength * np.logaddexp(0, -q)[:, None]
    # p q^g is below 1 but may round to it; log(1 - p q^g) is taken where it loses nothing.
    log_p = np.minimum(log_p, -1e-12)
    return np.asarray(log_p - np.log(-np.expm1(log_p)), np.float32)
