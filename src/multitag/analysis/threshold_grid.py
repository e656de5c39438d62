"""Answers as a page needs them to decide anew under any thresholds, exactly as the command does, in two bytes a cell.

Thresholds move in steps of a thousandth. Of a probability only the highest step that it reaches is kept: whether it
reaches a threshold on the grid follows from that without rounding, so every count is the command's own.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.evaluation import Scored
from multitag.types import BoolArray

STEPS = 1000
"""Thresholds are j / 1000."""
MOST_CELLS = 4_000_000
"""Of more cells than this, rows are drawn: a page holds 11 MB of them."""
NEVER = -1
"""The level of a label that the model does not know: no threshold takes it, not even 0."""


@dataclass(frozen=True, eq=False)
class ThresholdGrid:
    """Answers of N rows for K labels, on the grid.

    Attributes:
        names: The K labels.
        levels: (N, K), the highest step that the probability reaches, `NEVER` for a label the model does not know.
        likeliest: (N,), the label with the highest probability, the first of equals: for a row that would be empty.
        positive: (N, K), gold has the label.
        known: (N, K), gold is known.
        predicted: (N, K), what the run's own decision says.
        never_empty: Whether that decision gives every row a label.
        of_rows: How many rows there are; where N is smaller, these were drawn from them.
    """

    names: tuple[str, ...]
    levels: npt.NDArray[np.int16]
    likeliest: npt.NDArray[np.int32]
    positive: BoolArray
    known: BoolArray
    predicted: BoolArray
    never_empty: bool
    of_rows: int

    @classmethod
    def of(cls, scored: Scored, *, never_empty: bool, most_cells: int = MOST_CELLS, seed: int = 0) -> ThresholdGrid:
        """The rows of which anything is known.

        Args:
            scored: Answers.
            never_empty: Whether the run's decision gives every row a label.
            most_cells: The most rows times labels; of more, rows are drawn.
            seed: Of the draw.
        """
        answers = scored.answers
        rows = np.flatnonzero(answers.known_rows)
        total, most = len(rows), max(1, most_cells // len(scored.names))
        if total > most:
            rows = np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))
        probabilities = scored.probabilities[rows]
        levels = levels_of(probabilities)
        model = len(scored.names) - len(scored.unseen)
        levels[:, model:] = NEVER
        return cls(
            scored.names,
            levels,
            probabilities[:, :model].argmax(axis=1).astype(np.int32),
            answers.positive[rows],
            answers.known[rows],
            answers.predicted[rows],
            never_empty,
            total,
        )

    def decide(self, thresholds: Sequence[int], *, never_empty: bool) -> BoolArray:
        """Label sets (N, K) under a threshold for each label, in steps: what the page's own code does."""
        chosen = np.asarray((self.levels != NEVER) & (self.levels >= np.asarray(thresholds)))
        if never_empty:
            empty = np.flatnonzero(~chosen.any(axis=1))
            chosen[empty, self.likeliest[empty]] = True
        return chosen

    def payload(self) -> dict[str, Any]:
        """Values for JSON: arrays row by row, little-endian, masks as bits, highest first, in base 64."""
        return {
            "labels": list(self.names),
            "rows": len(self.levels),
            "of_rows": self.of_rows,
            "steps": STEPS,
            "never_empty": self.never_empty,
            "levels": _text(self.levels.astype("<i2")),
            "likeliest": _text(self.likeliest.astype("<i4")),
            "positive": _text(np.packbits(self.positive)),
            "known": _text(np.packbits(self.known)),
            "predicted": _text(np.packbits(self.predicted)),
        }


def levels_of(probabilities: npt.NDArray[np.float64]) -> npt.NDArray[np.int16]:
    """The largest j with j / 1000 <= p, for each probability."""
    grid = np.arange(STEPS + 1) / STEPS  # each the float nearest to j / 1000, which is what "0.437" is read as
    return (np.searchsorted(grid, probabilities, side="right") - 1).astype(np.int16)


def step_of(threshold: float) -> int:
    """The step nearest to a threshold."""
    return int(np.clip(round(threshold * STEPS), 0, STEPS))


def _text(values: npt.NDArray[Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
