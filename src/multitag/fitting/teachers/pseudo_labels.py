"""From a teacher's probabilities to labels for rows that have none: yes, no, and not known in between."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.config import PseudoConfig
from multitag.features.rows import Rows
from multitag.tasks.base import Targets
from multitag.types import LabelSpace


def pseudo_targets(probabilities: npt.NDArray[np.floating[Any]], settings: PseudoConfig) -> Targets:
    """Targets (N, K): 1 where a calibrated probability is `high` or more, 0 where `low` or less, NaN between."""
    between = np.where(probabilities <= settings.low, 0.0, np.nan)
    return np.where(probabilities >= settings.high, 1.0, between).astype(np.float32)


def pseudo_labelled(rows: Rows, targets: Targets, space: LabelSpace) -> Rows:
    """The rows with targets (N, K) as their labels; those without a single one that is known are left out."""
    known = ~np.isnan(targets)
    places = np.flatnonzero(known.any(axis=1)).tolist()
    yes, unknown = space.decode(targets[places] == 1), space.decode(~known[places])
    taken = rows.take(places)
    samples = [
        replace(sample, labels=labels, unknown=not_known)
        for sample, labels, not_known in zip(taken.samples, yes, unknown, strict=True)
    ]
    return Rows(samples, taken.hashes)


@dataclass(frozen=True)
class PseudoCounts:
    """How many pseudo-labels there are; where folds were taught, each by its own teacher, their mean.

    Attributes:
        rows: Rows with at least one label that was taught.
        positive: For each label, how many rows were taught to have it.
        negative: Likewise, not to have it.
        unknown: Likewise, not taught anything of it.
    """

    rows: float
    positive: dict[str, float]
    negative: dict[str, float]
    unknown: dict[str, float]

    @classmethod
    def of(cls, taught: Collection[Rows], space: LabelSpace, pool: int) -> PseudoCounts:
        """Count the pseudo-labels that networks were taught.

        Args:
            taught: For each part, its pseudo-labelled rows.
            space: The labels.
            pool: How many rows without labels there were.
        """
        targets = [space.encode(rows.samples) for rows in taught]
        positive = np.mean([(each == 1).sum(axis=0) for each in targets], axis=0)
        negative = np.mean([(each == 0).sum(axis=0) for each in targets], axis=0)
        return cls(
            _rounded(np.mean([len(rows) for rows in taught])),
            *(
                {name: _rounded(n) for name, n in zip(space.names, every, strict=True)}
                for every in (positive, negative, pool - positive - negative)
            ),
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values: the rows, and the three numbers of each label."""
        labels = {
            name: {"positive": n, "negative": self.negative[name], "unknown": self.unknown[name]}
            for name, n in self.positive.items()
        }
        return {"rows": self.rows, "labels": labels}


def _rounded(value: Any) -> float:
    """To a tenth; a whole number as one."""
    tenth = round(float(value), 1)
    return int(tenth) if tenth.is_integer() else tenth
