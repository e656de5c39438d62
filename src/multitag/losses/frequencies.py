"""How common each label is among training rows."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


class Frequencies(NamedTuple):
    """Counts of each label.

    Attributes:
        positives: (K,) rows that have the label, at least 1: a label that no row has must not weigh infinitely.
        rows: (K,) rows where it is known, at least as many.
    """

    positives: Tensor
    rows: Tensor


def label_frequencies(targets: Tensor) -> Frequencies:
    """Count the labels of (N, K) targets, NaN where not known; in float64, whatever the targets' type."""
    rows = (~torch.isnan(targets)).sum(0).double()
    positives = torch.nan_to_num(targets).double().sum(0).clamp_min(1)
    return Frequencies(positives, torch.maximum(rows, positives))
