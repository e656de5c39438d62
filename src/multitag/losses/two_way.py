"""Two-way multi-label loss."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

from multitag.errors import ConfigError
from multitag.losses.base import Labels, Loss

Temperature = Annotated[float, Field(gt=0)]
FLOOR = -1e30
"""Stands for the logarithm of nothing: finite, so that a row without negatives has a gradient, 0, and not NaN."""


class TwoWay(Loss):
    """softplus(highest negative - lowest positive), softly, along each row and along each label (Kobayashi 2023, CVPR).

    In each row with a label: softplus(T- log sum over negatives of e^(z/T-) + T+ log sum over positives of e^(-z/T+)),
    and the mean over these rows. The same down the batch for each label that a row has, and the mean over these labels.
    The loss is the sum of both. Rows without a label and labels without a row teach it only the other way.

    The second half joins the rows of a batch: its sums grow with the batch, so batch size is one of its settings, and
    several processes that share a batch give only nearly what one gives. There is no label smoothing: a target is a
    side here, not a probability. Its logits rank; keep a calibration.

    Args:
        positive_temperature: T+; the higher, the more positives beside the lowest one count.
        negative_temperature: T-; as T+, of the negatives beside the highest one.
    """

    unit: ClassVar[Literal["element", "row", "batch"]] = "batch"
    takes_shares: ClassVar[bool] = False

    def __init__(self, *, positive_temperature: Temperature = 4.0, negative_temperature: Temperature = 1.0) -> None:
        super().__init__()
        self.positive_temperature, self.negative_temperature = positive_temperature, negative_temperature

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """As of `Loss`: the mean over rows, or tokens, plus the mean over labels.

        Raises:
            ConfigError: Rows have weights: its sums down the batch join them, and leave none to weigh.
        """
        if weights is not None:
            raise ConfigError("the loss 'two_way' joins the rows of a batch and cannot weigh them. Fix: another loss")
        logits, targets = logits.flatten(0, -2), targets.flatten(0, -2)
        return super().forward(logits, targets) + super().forward(logits.T, targets.T)

    def counted(self, labels: Labels) -> Tensor:
        """Rows that have a label."""
        return _positive(labels).any(-1)

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape without the labels' dimension."""
        positive = _positive(labels)
        lowest = _soft_maximum(-logits, positive, self.positive_temperature)
        highest = _soft_maximum(logits, labels.known & ~positive, self.negative_temperature)
        return softplus(highest + lowest)


def _positive(labels: Labels) -> Tensor:
    """Where the label is there; a target that was soft already is rounded."""
    return labels.known & (labels.hard > 0.5)


def _soft_maximum(values: Tensor, among: Tensor, temperature: float) -> Tensor:
    """T log sum e^(value / T) over the last dimension."""
    return temperature * torch.where(among, values / temperature, FLOOR).logsumexp(-1)
