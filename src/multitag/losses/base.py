"""What every loss is: terms of elements or of rows, and one masked mean over the real ones."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Annotated, ClassVar, Literal, NamedTuple

import torch
from pydantic import Field
from torch import Tensor, nn

from multitag.errors import NotFittedError

Smoothing = Annotated[float, Field(ge=0, lt=1)]


class Labels(NamedTuple):
    """The targets as the terms of a loss read them, all of the logits' shape.

    Attributes:
        soft: After label smoothing, never NaN.
        hard: As given, 0 or 1 (or between, where they were soft already); 0 where not known.
        known: True where the target is known and no padding.
    """

    soft: Tensor
    hard: Tensor
    known: Tensor


class Loss(nn.Module, ABC):
    """Base of all losses: a mean over what is known, so that neither batch size nor padding changes its scale.

    Args:
        smoothing: Label smoothing for several labels, e: a target y becomes y (1 - e) + e / 2 (not e / K, which is for
            one label of K). Thresholds and calibration are fitted afterwards, so nothing else need change.

    Attributes:
        unit: What the loss is a mean of. ``"element"``: of every known label of every row. ``"row"``: of every row
            with a known label, whose labels the term joins. ``"batch"``: its terms join rows too, so it is the one
            kind whose value depends on which rows come together, and on how many; padding and unknown labels still
            change nothing.
        takes_shares: Whether a target may lie between 0 and 1, as the probability that the label is there.
    """

    unit: ClassVar[Literal["element", "row", "batch"]] = "element"
    takes_shares: ClassVar[bool] = True

    def __init__(self, *, smoothing: Smoothing = 0.0) -> None:
        super().__init__()
        self.smoothing = smoothing

    def fit(self, targets: Tensor) -> None:
        """Learn from the targets of the training rows what the loss must know of them: nothing, for most.

        The same targets give the same loss, so a resumed training fits it anew.

        Args:
            targets: (N, K); NaN where not known.
        """

    @abstractmethod
    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """The loss of each element, or of each row where the unit is not the element.

        Args:
            logits: Any shape whose last dimension is K, at least float32; 0 where the label is not known.
            labels: Of the same shape.

        Returns:
            The shape of the logits, or that without its last dimension. What stands at uncounted places is left out,
            but must be finite, as must its gradient.
        """

    def counted(self, labels: Labels) -> Tensor:
        """Which terms the mean is over: booleans of the shape of the terms."""
        return labels.known if self.unit == "element" else labels.known.any(-1)

    def size(self, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """How many terms the mean over these targets is of, for weighing the means of several parts of a batch.

        Args:
            targets: As of `forward`.
            weights: As of `forward`; with them, the sum of the terms' weights.
        """
        counted = self.counted(self._labels(targets, torch.float32))
        return counted.sum() if weights is None else (counted * _spread(weights, counted)).sum()

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The mean of the counted terms; 0 where there is none.

        Args:
            logits: (B, K), or (B, T, K).
            targets: Of the same shape; NaN marks an element that is not known or is padding.
            weights: (B,), at least 0: how much each row's terms count in the mean. All 1 are the same as none.

        Raises:
            NotFittedError: The loss learns from the training targets and has not seen them.
        """
        # At least float32, where sums do not overflow. Zeros at unknown elements before and after: neither an
        # infinite logit nor an infinite term there may become NaN, in the gradient as little as in the value.
        wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
        labels = self._labels(targets, wide.dtype)
        counted = self.counted(labels)
        terms = self.terms(torch.where(labels.known, wide, 0.0), labels)
        real = torch.where(counted, terms, 0.0)
        if weights is None:
            return real.sum() / counted.sum().clamp_min(1)
        weights = _spread(weights.to(wide.dtype), counted)
        whole = (counted * weights).sum()
        return (real * weights).sum() / torch.where(whole > 0, whole, 1.0)

    def _labels(self, targets: Tensor, dtype: torch.dtype) -> Labels:
        hard = torch.nan_to_num(targets).to(dtype)
        return Labels(hard * (1 - self.smoothing) + self.smoothing / 2, hard, ~torch.isnan(targets))


def _spread(weights: Tensor, terms: Tensor) -> Tensor:
    """Weights (B,) of rows in a shape that multiplies terms (B, ...)."""
    return weights.reshape(-1, *[1] * (terms.dim() - 1))


def require_fitted(learned: Tensor, name: str) -> Tensor:
    """What a loss has learned of the training targets.

    Raises:
        NotFittedError: Nothing yet.
    """
    if learned.numel() == 0:
        raise NotFittedError(
            f"loss '{name}' learns from the training targets how common each label is, and has not seen any. "
            f"Fix: loss.fit(targets) with the targets (N, K) of the training rows"
        )
    return learned
