"""One loss of tokens and rows."""

from __future__ import annotations

import torch
from torch import Tensor

from multitag.config import Config
from multitag.losses import LOSSES, Loss
from multitag.losses.base import Labels
from multitag.spans.row_answers import RowAnswers
from multitag.tasks.base import Targets, Task
from multitag.tasks.spans import SpanTask


class JointLoss(Loss):
    """L = L_tokens + w L_rows, each a mean of its own, so that long texts do not drown the rows.

    Args:
        tokens: The loss of tokens, fitted.
        rows: That of rows, fitted.
        beside: Where the answers of rows stand.
        weight: w.
    """

    def __init__(self, tokens: Loss, rows: Loss, beside: RowAnswers, weight: float, /) -> None:
        super().__init__()
        self.tokens, self.rows, self.beside, self.weight = tokens, rows, beside, weight

    def terms(self, logits: Tensor, labels: Labels) -> Tensor:
        """Those of tokens."""
        return self.tokens.terms(logits, labels)

    def size(self, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """That of tokens."""
        return self.tokens.size(self.beside.split(targets)[1], weights)

    def forward(self, logits: Tensor, targets: Tensor, weights: Tensor | None = None) -> Tensor:
        """The sum of both means.

        Args:
            logits: (B, R + T, O).
            targets: Of the same shape, NaN where not known.
            weights: As of `Loss.forward`.
        """
        (row, token), (row_gold, token_gold) = self.beside.split(logits), self.beside.split(targets)
        whole: Tensor = self.tokens(token, token_gold, weights) + self.weight * self.rows(row, row_gold, weights)
        return whole


def make_loss(config: Config, task: Task, targets: Targets) -> Loss:
    """The loss of a configuration, fitted on the targets of the training rows."""
    loss = _fitted(config, task.examples(targets))
    beside = task.beside if isinstance(task, SpanTask) else None
    if beside is None or config.joint is None:
        return loss
    return JointLoss(loss, _fitted(config, beside.split(targets)[0]), beside, config.joint.weight)


def _fitted(config: Config, examples: Targets) -> Loss:
    loss: Loss = LOSSES.build(config.loss.name, config.loss.options)
    loss.fit(torch.from_numpy(examples.copy()))
    return loss
