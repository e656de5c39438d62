"""What one generation of networks learns from the one before, and what it says for the next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from multitag.features.rows import Rows
from multitag.tasks.base import Logits


class Taught(NamedTuple):
    """Rows that a network is trained on beside the labelled ones.

    Attributes:
        rows: Rows with pseudo-labels.
        weight: How much each counts, where a labelled row counts 1.
    """

    rows: Rows
    weight: float

    def weights(self, labelled: int) -> npt.NDArray[np.float32] | None:
        """How much each row counts, after so many labelled ones; `None` where all count alike."""
        if self.weight == 1:
            return None
        own = np.full(len(self.rows), self.weight, np.float32)
        return np.concatenate([np.ones(labelled, np.float32), own])


@dataclass(frozen=True)
class Lessons:
    """The rows without labels in one generation of networks: the first teacher's, or a student's.

    A part is what is trained on the same rows: ``"main"``, or a fold. A part's pseudo-labels are those of the same
    part's teacher: what is held out of a fold was held out of the fold's teacher too.

    Attributes:
        pool: The rows.
        taught: For each part, what it is taught; nothing for the first teacher.
        asked: Whether the next generation wants to know what this one says of the pool.
        answers: For each part, the logits (P, K) of its networks; filled as they are trained.
    """

    pool: Rows
    taught: Mapping[str, Taught] = field(default_factory=dict)
    asked: bool = True
    answers: dict[str, Logits] = field(default_factory=dict)
