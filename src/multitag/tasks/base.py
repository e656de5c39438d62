"""What the training loop asks of a task, whatever its answers are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from multitag.types import LabelSpace, Sample

Logits = npt.NDArray[np.float32]
Targets = npt.NDArray[np.float32]


class Task(Protocol):
    """Targets to train on, and a score to choose the best epoch by."""

    space: LabelSpace

    def targets(self, samples: Sequence[Sample]) -> Targets:
        """What the model should say of the samples, NaN where it is not known."""
        ...

    def examples(self, targets: Targets) -> Targets:
        """Targets of any shape as (M, K): what losses learn from how common labels are."""
        ...

    def score(self, logits: Logits, targets: Targets, monitor: str, samples: Sequence[Sample] = ()) -> float:
        """The metric `monitor` of held-out rows; greater is better, so errors come negated.

        Args:
            logits: What the model says of the rows.
            targets: Theirs.
            monitor: The metric's name.
            samples: The rows, where the answers are parts of them.
        """
        ...
