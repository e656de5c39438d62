"""Binary cross-entropy with a weight for each side."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field
from torch import Tensor
from torch.nn.functional import softplus

from multitag.losses.base import Labels, Loss, Smoothing

Weight = Annotated[float, Field(gt=0)]


class WeightedBCE(Loss):
    """-[w+ y log p + w- (1 - y) log(1 - p)]: a missed label and a false one cost what they are said to.

    The weights are not divided by their sum: twice both is twice the loss.

    Args:
        positive: w+, for labels that are there. The default makes a missed label cost two false ones.
        negative: w-, for labels that are not.
        smoothing: As of `Loss`.
    """

    def __init__(self, *, positive: Weight = 2.0, negative: Weight = 1.0, smoothing: Smoothing = 0.0) -> None:
        super().__init__(smoothing=smoothing)
        self.positive, self.negative = positive, negative

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Of the logits' shape."""
        there, absent = labels.soft * softplus(-logits), (1 - labels.soft) * softplus(logits)
        return self.positive * there + self.negative * absent
