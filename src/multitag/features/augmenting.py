"""From the settings of augmentation to what changes training rows."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from multitag.augment import AUGMENTATIONS
from multitag.augment.augmenter import Augmenter
from multitag.config import AugmentConfig


def make_augmenter(settings: AugmentConfig, targets: npt.NDArray[np.float32], seed: int) -> Augmenter | None:
    """What changes the training rows with targets (N, K); `None` where the settings change nothing."""
    if not settings.steps and not settings.rare:
        return None
    steps = [AUGMENTATIONS.build(step.name, step.options) for step in settings.steps]
    return Augmenter.of(steps, targets, rare=settings.rare, seed=seed)
