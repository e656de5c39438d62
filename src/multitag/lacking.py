"""Rows that lack a picture, or a text, and what is made of what a model says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from multitag.features.rows import Rows
from multitag.saved_state import saved
from multitag.tasks.base import Logits
from multitag.types import BoolArray, Modality

_OTHER: dict[Modality, Modality] = {"image": "text", "text": "image"}


def lacks_only(rows: Rows, modality: Modality) -> BoolArray:
    """(N,), which rows lack the modality and have the other."""
    return ~rows.have(modality) & rows.have(_OTHER[modality])


@dataclass(frozen=True)
class Shift:
    """A straight line for each label, from logits to logits.

    A model that reads pictures and texts is surer, or less sure, of all rows that lack one, and of some labels more
    than of others. Its own calibration, fitted on rows that mostly have both, does not know of it. Shifted, the logits
    of such rows mean what those of other rows do.

    Attributes:
        slopes: (K,).
        offsets: (K,).
    """

    slopes: npt.NDArray[np.float64]
    offsets: npt.NDArray[np.float64]

    def apply(self, logits: Logits) -> Logits:
        """The logits (N, K) shifted."""
        shifted: Logits = (self.slopes * logits + self.offsets).astype(np.float32)
        return shifted

    def state(self) -> dict[str, Any]:
        """Values that JSON holds exactly."""
        return {"slopes": self.slopes.tolist(), "offsets": self.offsets.tolist()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any], labels: int) -> Self:
        """What `state` gave.

        Raises:
            RunError: It is cut short.
            ValueError: It is of another number of labels.
        """
        slopes, offsets = (np.asarray(saved(state, key), np.float64) for key in ("slopes", "offsets"))
        if slopes.shape != (labels,) or offsets.shape != (labels,):
            raise ValueError(f"shifts of {slopes.shape} and {offsets.shape}, and {labels} labels")
        return cls(slopes, offsets)


def shifted(logits: Logits, rows: Rows, shifts: Mapping[Modality, Shift]) -> Logits:
    """The logits (N, K) with those of rows that lack a picture, or a text, shifted."""
    for modality, shift in shifts.items():
        lacking = lacks_only(rows, modality)
        if lacking.any():
            logits = logits.copy()
            logits[lacking] = shift.apply(logits[lacking])
    return logits
