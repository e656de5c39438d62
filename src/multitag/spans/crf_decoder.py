"""A chain for each label over what the model says of each word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from multitag.saved_state import saved
from multitag.spans.alignment import Tokens, token_targets
from multitag.spans.base import Bridge, Scored, Shortest, SpanDecoder, Strength, spans_by_label
from multitag.spans.chains import best_path, log_likelihood, marginals
from multitag.spans.curve import Target
from multitag.spans.label_chains import PARTS, batched, by_length, chains, neutral
from multitag.spans.thresholds import Thresholds, fitted
from multitag.spans.units import Floats, Gaps, Pool, Unit, Units
from multitag.types import LabelSpace, Span

_STEPS = 60
_ROWS = 512
"""Texts padded together."""


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
        logits, mask = batched(texts)
        tags = torch.zeros_like(logits, dtype=torch.int64)
        for row, (units, spans) in enumerate(zip(texts, gold, strict=True)):
            places = np.stack([units.starts, units.stops], axis=1)
            inside = token_targets(Tokens(places, np.ones(len(places), bool)), spans, self.space)
            tags[row, : len(places)] = torch.from_numpy(inside).long()
        blocks = list(by_length(logits, mask, tags))
        common = neutral().requires_grad_()
        own = torch.zeros(len(self.space), PARTS, dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.LBFGS([common, own], max_iter=_STEPS, line_search_fn="strong_wolfe")

        def step() -> Tensor:
            optimizer.zero_grad()
            cost = self.penalty * own.square().sum() + 1e-3 * (common - neutral()).square().sum()
            for some_logits, some_mask, some_tags in blocks:
                emissions, there, links = chains(common + own, some_logits, some_mask)
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
        logits, mask = batched(texts)
        scores = torch.zeros_like(logits)
        some = mask.any(1)
        if some.any():
            every = chains(torch.from_numpy(self.weights_), logits[some], mask[some])
            found = best_path(*every).double() if self.path == "viterbi" else marginals(*every)[:, :, 1]
            scores[some] = found.reshape(-1, len(self.space), found.shape[1]).mT
        return [
            Scored(units, row[: len(units.starts)].numpy(), np.broadcast_to(units.blocked[:, None], units.values.shape))
            for units, row in zip(texts, scores, strict=True)
        ]

    def _state(self) -> dict[str, Any]:
        return {"weights": self.weights_.tolist()}

    def _load_state(self, state: Mapping[str, Any]) -> None:
        self.weights_ = np.asarray(saved(state, "weights"), np.float64)
