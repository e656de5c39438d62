"""A chain for each label over what the model says of each word."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from multitag.spans.alignment import Tokens, token_targets
from multitag.spans.base import Bridge, Scored, Shortest, SpanDecoder, Strength, saved, spans_by_label
from multitag.spans.chains import Links, best_path, log_likelihood, marginals
from multitag.spans.curve import Target
from multitag.spans.thresholds import Thresholds, fitted
from multitag.spans.units import Floats, Gaps, Pool, Unit, Units
from multitag.types import LabelSpace, Span

_EDGE = 1e-6
_STEPS = 60
_ROWS = 512
"""Texts padded together."""
_BLOCKS = 6
_PARTS = 8
"""Numbers to a label: scale and offset of the emission, then start (in), moves (out-out, out-in, in-out, in-in), end
(in)."""


class CrfDecoder(SpanDecoder):
    """A linear-chain CRF of two tags, out and in, for each label: a word's neighbours have a say in whether it is in.

    The emission of "in" is ``a logit(p) + b``. Its a and b and the scores of start, moves and end are fitted by
    maximum likelihood on the given texts, a common set for all labels and each label's deviation from it, which is held
    small: labels have few spans. The model itself stays as it is. ``"marginals"`` then lays the threshold that is best
    for span F1 on the probability of "in" over all chains; ``"viterbi"`` takes the likeliest chain.

    Args:
        path: How spans are read off the chains.
        thresholds: One threshold for the marginals of all labels, or one for each, as in `per_label`.
        shrinkage: How strongly the thresholds of labels are drawn to the common one.
        penalty: Times the squared deviations is what they cost beside the log-likelihood of all chains.
        target: The score that is to be best: the task's own with partial matches, or that of exact matches.
        unit: As of `SpanDecoder`.
        pool: As of `SpanDecoder`.
        gaps: As of `SpanDecoder`.
        bridge: As of `SpanDecoder`.
        shortest: As of `SpanDecoder`.

    Attributes:
        weights_: (K, 8), scale, offset, start, four moves, end.
    """

    weights_: Floats

    def __init__(
        self,
        space: LabelSpace,
        /,
        *,
        path: Literal["marginals", "viterbi"] = "marginals",
        thresholds: Thresholds = "per_label",
        shrinkage: Strength = 0.0,
        penalty: Strength = 1.0,
        target: Target = "partial_f1",
        unit: Unit = "word",
        pool: Pool = "max",
        gaps: Gaps = "lines",
        bridge: Bridge = 0,
        shortest: Shortest = 1,
    ) -> None:
        super().__init__(space, unit=unit, pool=pool, gaps=gaps, bridge=bridge, shortest=shortest)
        self.path = path
        self.thresholds: Thresholds = thresholds
        self.shrinkage = shrinkage
        self.penalty = penalty
        self.target: Target = target

    def _fit(self, texts: Sequence[Units], gold: Sequence[Sequence[Span]]) -> None:
        self.weights_ = self._likeliest(texts, gold)
        if self.path == "viterbi":
            self.thresholds_ = np.full(len(self.space), 0.5)
            return
        curves = self._curves(self._scored(texts), gold, self.target)
        self.thresholds_ = fitted(curves, self.thresholds, spans_by_label(gold, self.space), self.shrinkage)

    def _likeliest(self, texts: Sequence[Units], gold: Sequence[Sequence[Span]]) -> Floats:
        logits, mask = _batched(texts)
        tags = torch.zeros_like(logits, dtype=torch.int64)
        for row, (units, spans) in enumerate(zip(texts, gold, strict=True)):
            places = np.stack([units.starts, units.stops], axis=1)
            inside = token_targets(Tokens(places, np.ones(len(places), bool)), spans, self.space)
            tags[row, : len(places)] = torch.from_numpy(inside).long()
        blocks = list(_by_length(logits, mask, tags))
        common = _neutral().requires_grad_()
        own = torch.zeros(len(self.space), _PARTS, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([common, own], max_iter=_STEPS, line_search_fn="strong_wolfe")

        def step() -> Tensor:
            optimizer.zero_grad()
            cost = self.penalty * own.square().sum() + 1e-3 * (common - _neutral()).square().sum()
            for some_logits, some_mask, some_tags in blocks:
                emissions, there, links = _chains(common + own, some_logits, some_mask)
                cost = cost - log_likelihood(emissions, there, links, some_tags.mT.flatten(0, 1)).sum()
            cost.backward()  # type: ignore[no-untyped-call]
            return cost

        with torch.enable_grad():
            optimizer.step(step)  # type: ignore[no-untyped-call]
        fitted: Floats = (common + own).detach().numpy()
        return fitted

    def _scored(self, texts: Sequence[Units]) -> list[Scored]:
        blocks = [texts[start : start + _ROWS] for start in range(0, len(texts), _ROWS)]
        return [scored for block in blocks for scored in self._scored_block(block)]

    def _scored_block(self, texts: Sequence[Units]) -> list[Scored]:
        logits, mask = _batched(texts)
        scores = torch.zeros_like(logits)
        some = mask.any(1)
        if some.any():
            chains = _chains(torch.from_numpy(self.weights_), logits[some], mask[some])
            found = best_path(*chains).double() if self.path == "viterbi" else marginals(*chains)[:, :, 1]
            scores[some] = found.reshape(-1, len(self.space), found.shape[1]).mT
        return [
            Scored(units, row[: len(units.starts)].numpy(), np.broadcast_to(units.blocked[:, None], units.values.shape))
            for units, row in zip(texts, scores, strict=True)
        ]

    def _state(self) -> dict[str, Any]:
        return {"weights": self.weights_.tolist()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.weights_ = np.asarray(saved(state, "weights"), np.float64)


def _neutral() -> Tensor:
    """Probabilities as they are, no links."""
    return torch.tensor([1.0] + [0.0] * (_PARTS - 1), dtype=torch.float64)


def _chains(weights: Tensor, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Links]:
    """Emissions (N K, T, 2), mask (N K, T) and links of all texts and labels, the labels of a text together.

    Args:
        weights: (K, 8).
        logits: (N, T, K).
        mask: (N, T).
    """
    texts, labels = len(logits), len(weights)
    inside = (logits * weights[:, 0] + weights[:, 1]).mT.flatten(0, 1)
    zero = torch.zeros_like(weights[:, 0])
    parts = (
        torch.stack([zero, weights[:, 2]], -1),
        weights[:, 3:7].reshape(-1, 2, 2),
        torch.stack([zero, weights[:, 7]], -1),
    )
    links = Links(*(part.repeat(texts, *[1] * (part.ndim - 1)) for part in parts))
    return torch.stack([torch.zeros_like(inside), inside], -1), mask.repeat_interleave(labels, 0), links


def _by_length(logits: Tensor, mask: Tensor, tags: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The texts in blocks of like length, so that little is padding; those without a unit have no chain."""
    lengths = mask.sum(1)
    order = torch.argsort(lengths, stable=True)
    order = order[lengths[order] > 0]
    for rows in order.chunk(_BLOCKS):
        if len(rows):
            longest = int(lengths[rows].max())
            yield logits[rows, :longest], mask[rows, :longest], tags[rows, :longest]


def _batched(texts: Sequence[Units]) -> tuple[Tensor, Tensor]:
    """Logits (N, U, K) and the mask (N, U) of texts padded to the longest."""
    longest = max(1, *(len(units.starts) for units in texts)) if texts else 1
    width = texts[0].values.shape[1]
    logits = torch.zeros(len(texts), longest, width, dtype=torch.float64)
    mask = torch.zeros(len(texts), longest, dtype=torch.bool)
    for row, units in enumerate(texts):
        safe = np.clip(units.values, _EDGE, 1 - _EDGE)
        logits[row, : len(safe)] = torch.from_numpy(np.log(safe / (1 - safe)))
        mask[row, : len(safe)] = True
    return logits, mask
