"""What a fitted run says of the rows of a training, and the targets that come of it (distillation)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multitag.features.rows import Rows
from multitag.fitting.copies import row_keys
from multitag.pipeline import Keys
from multitag.tasks.base import Targets


@dataclass(frozen=True, eq=False)
class Teaching:
    """A teacher's answers (Hinton, Vinyals and Dean 2015), by what rows show.

    Attributes:
        keys: (R,), of `row_keys`, sorted, each once.
        probabilities: (R, K), calibrated.
        trained_on: The keys of all rows that the teacher was trained on, with labels or pseudo-labels.
        pseudo_labelled: Those of rows that had no labels: the teacher's, and the student's.
        pool: Rows without labels that the student learns from too.
    """

    keys: Keys
    probabilities: Targets
    trained_on: Keys
    pseudo_labelled: Keys
    pool: Rows | None = None

    def of(self, rows: Rows) -> Targets:
        """The probabilities (N, K) of the rows.

        Raises:
            KeyError: The teacher was not asked about one of them.
        """
        own = row_keys(rows)
        places = np.searchsorted(self.keys, own).clip(max=len(self.keys) - 1)
        if not np.array_equal(self.keys[places], own):
            raise KeyError("the teacher was not asked about all rows")
        found: Targets = self.probabilities[places]
        return found


def softened(gold: Targets, probabilities: Targets, *, weight: float, smoothing: float = 0.0) -> Targets:
    """Targets (N, K): weight x probability + (1 - weight) x label; the probability alone where the label is not known.

    Only the labels are smoothed: y becomes y (1 - e) + e / 2 first. The teacher's probabilities are no hard labels
    that would want it.

    Args:
        gold: (N, K), 1 has the label, 0 has not, NaN not known.
        probabilities: (N, K), the teacher's.
        weight: Of the probabilities, from 0 to 1.
        smoothing: The loss's own e.
    """
    smoothed = gold * (1 - smoothing) + smoothing / 2
    mixture = weight * probabilities + (1 - weight) * smoothed
    return np.where(np.isnan(gold), probabilities, mixture).astype(np.float32)
