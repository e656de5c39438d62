"""Tokens out of the store: padded, and as the upper part of an encoder takes those of its lower part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from multitag.encoders.base import Inputs, states_in
from multitag.features.slots import Slot
from multitag.features.store import FeatureStore
from multitag.types import Encoded


def stored_states(store: FeatureStore, lower: Slot, contents: Sequence[str]) -> Inputs:
    """What a lower part said of pictures or texts: "pooled" (n, D), "states" (n, T, C) and their "mask" (n, T).

    Raises:
        MultitagError: The store lacks some of it.
    """
    pooled = torch.from_numpy(store.pooled(lower.fingerprint, contents, lower.encoder.width))
    return states_in(padded_tokens(store, lower, pooled, contents))


def padded_tokens(store: FeatureStore, slot: Slot, pooled: Tensor, contents: Sequence[str | None]) -> Encoded:
    """Stored tokens, padded to the longest row; a row without content has one zero token."""
    rows = iter(store.tokens(slot.fingerprint, [content for content in contents if content is not None]))
    real = [None if content is None else next(rows) for content in contents]
    longest = max([1, *(len(row) for row in real if row is not None)])
    tokens = torch.zeros(len(contents), longest, slot.encoder.token_width or 1)
    mask = torch.zeros(len(contents), longest, dtype=torch.bool)
    mask[:, 0] = True
    for place, row in enumerate(real):
        if row is not None:
            tokens[place, : len(row)] = torch.from_numpy(row.astype(np.float32))
            mask[place, : len(row)] = True
    return Encoded(pooled, tokens, mask)
