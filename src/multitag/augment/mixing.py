"""Rows of a batch mixed in pairs: pixels by mixup or cutmix; stored features, targets and weights by the share."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from multitag.augment.base import BatchAugmentation
from multitag.types import Batch, Encoded


def mixed(batch: Batch, how: BatchAugmentation, trained: Collection[str], random: np.random.Generator) -> Batch:
    """A batch whose rows are mixed with partners, with chance `how.p`.

    Args:
        batch: The batch; it stays as it is.
        how: Mixup or cutmix.
        trained: The encoders whose inputs are pixels (n, C, H, W) of the rows that have a picture, or the stored maps
            "states" (n, H * W, C) of a lower part with its "pooled" vectors and a "mask".
        random: The generator.
    """
    if random.random() >= how.p:
        return batch
    drawn = float(random.beta(how.alpha, how.alpha))
    partner = partners(batch, random)
    place = int(random.integers(2**32))
    inputs, shares = dict(batch.inputs), []
    for name in trained:
        here = batch.present[name]
        if not inputs.get(name):
            continue
        # Partners have the same modalities, so that a partner's picture is there; its number among those there:
        number = torch.cumsum(here, 0) - 1
        others = number[partner[here]]
        # The same part of the picture for every encoder; its area in whole pixels may differ a little.
        if "states" in inputs[name]:
            inputs[name], kept = _states(inputs[name], how, others, drawn, np.random.default_rng(place))
            shares.append(kept)
            continue
        mixed_inputs = {}
        for key, pixels in inputs[name].items():
            mixed_inputs[key], kept = how.pixels(pixels, others, drawn, np.random.default_rng(place))
            shares.append(kept)
        inputs[name] = mixed_inputs
    share = sum(shares) / len(shares) if shares else drawn
    encoded = {name: _encoded(part, partner, share) for name, part in batch.encoded.items()}
    targets, weights = (
        None if given is None else share * given + (1 - share) * given[partner]
        for given in (batch.targets, batch.weights)
    )
    return replace(batch, encoded=encoded, inputs=inputs, targets=targets, weights=weights)


def partners(batch: Batch, random: np.random.Generator) -> Tensor:
    """(B,): a row for each row, in random order among the rows that have the same modalities."""
    pattern = torch.stack([batch.present[name] for name in sorted(batch.present)], dim=1).numpy()
    partner = np.arange(batch.size)
    for kind in np.unique(pattern, axis=0):
        rows = np.flatnonzero((pattern == kind).all(1))
        partner[rows] = random.permutation(rows)
    return torch.from_numpy(partner)


def _states(
    inputs: dict[str, Tensor], how: BatchAugmentation, partner: Tensor, share: float, random: np.random.Generator
) -> tuple[dict[str, Tensor], float]:
    """Square maps mixed as pictures are, by places for pixels; pooled vectors by the share that stayed."""
    side = math.isqrt(inputs["states"].shape[1])
    maps = inputs["states"].reshape(len(partner), side, side, -1).permute(0, 3, 1, 2)
    changed, kept = how.pixels(maps, partner, share, random)
    pooled = kept * inputs["pooled"] + (1 - kept) * inputs["pooled"][partner]
    return {**inputs, "states": changed.permute(0, 2, 3, 1).flatten(1, 2), "pooled": pooled}, kept


def _encoded(encoded: Encoded, partner: Tensor, share: float) -> Encoded:
    """Pooled vectors mixed; tokens mixed where both rows have one, else the one there is."""
    pooled = share * encoded.pooled + (1 - share) * encoded.pooled[partner]
    if encoded.tokens is None or encoded.mask is None:
        return encoded._replace(pooled=pooled)
    own, other = encoded.mask, encoded.mask[partner]
    weight = torch.where(own & other, share, own.float()).unsqueeze(-1).to(encoded.tokens.dtype)
    tokens = weight * encoded.tokens + (1 - weight) * encoded.tokens[partner]
    both = own | other
    return Encoded(pooled, tokens * both.unsqueeze(-1), both)
