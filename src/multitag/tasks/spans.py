"""Spans: logits for each token and label."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from multitag.spans.alignment import Scheme, locate, token_targets
from multitag.tasks.base import Logits, Targets
from multitag.tasks.labels import LabelTask
from multitag.tasks.pieces import Pieces
from multitag.types import LabelSpace, Sample


class SpanTask:
    """Which words of a text carry which labels of a space.

    Args:
        space: The labels.
        pieces: Where the encoder's tokens stand.
        scheme: What the model says of each token.
    """

    def __init__(self, space: LabelSpace, pieces: Pieces, scheme: Scheme) -> None:
        self.space = space
        self.pieces = pieces
        self.scheme: Scheme = scheme
        self._tokens = LabelTask(space)

    def targets(self, samples: Sequence[Sample]) -> Targets:
        """(N, T, K) or (N, T, 2K) of rows that fit the encoder: 1, 0, and NaN where a token is not real or the row's
        spans are not known."""
        located = locate(self.pieces.tokenizer, [sample.text or "" for sample in samples], limit=self.pieces.limit)
        longest = max([1, *(len(tokens.real) for tokens in located)])
        outputs = len(self.space) * (2 if self.scheme == "begin_inside" else 1)
        targets = np.full((len(samples), longest, outputs), np.nan, np.float32)
        for row, (sample, tokens) in enumerate(zip(samples, located, strict=True)):
            if sample.spans is not None:
                targets[row, : len(tokens.real)] = token_targets(tokens, sample.spans, self.space, self.scheme)
        return targets

    def examples(self, targets: Targets) -> Targets:
        """(M, K) or (M, 2K): the real tokens alone."""
        return np.asarray(targets[~np.isnan(targets).all(axis=-1)])

    def score(self, logits: Logits, targets: Targets, monitor: str) -> float:
        """The score of label sets, each real token being a row: ``"loss"`` and ``"calibrated_loss"`` above all.

        Epochs are compared by them; what spans are worth, the decoder is fitted on afterwards.
        """
        width = min(logits.shape[1], targets.shape[1])
        real = np.logical_not(np.isnan(targets).all(axis=-1))
        return self._tokens.score(logits[:, :width][real[:, :width]], targets[:, :width][real[:, :width]], monitor)
