"""Texts and labels as one batch of chains: a chain for each label of each text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from multitag.spans.chains import Links
from multitag.spans.units import Units

_EDGE = 1e-6
_BLOCKS = 6
PARTS = 8
"""Numbers to a label: scale and offset of the emission, then start (in), moves (out-out, out-in, in-out, in-in), end
(in)."""


def neutral() -> Tensor:
    """Probabilities as they are, no links."""
    return torch.tensor([1.0] + [0.0] * (PARTS - 1), dtype=torch.float64)


def chains(weights: Tensor, logits: Tensor, mask: Tensor) -> tuple[Tensor, Tensor, Links]:
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


def by_length(logits: Tensor, mask: Tensor, tags: Tensor) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """The texts in blocks of like length, so that little is padding; those without a unit have no chain."""
    lengths = mask.sum(1)
    order = torch.argsort(lengths, stable=True)
    order = order[lengths[order] > 0]
    for rows in order.chunk(_BLOCKS):
        if len(rows):
            longest = int(lengths[rows].max())
            yield logits[rows, :longest], mask[rows, :longest], tags[rows, :longest]


def batched(texts: Sequence[Units]) -> tuple[Tensor, Tensor]:
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
