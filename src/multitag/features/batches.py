"""The prepared inputs of a chunk cut into batches of like length."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from multitag.encoders import Inputs

_MASK = "attention_mask"


def batches(inputs: Inputs, size: int) -> Iterator[tuple[Tensor, Inputs]]:
    """The rows of a chunk, in batches.

    Texts are ordered by their numbers of tokens and padded to the longest of their batch, not of the chunk: most of
    what an encoder would compute of short ones is of padding otherwise.

    Args:
        inputs: What an encoder's `prepare` gave: tensors (B, ...), with an attention mask (B, T) that is 0 where
            tensors of T columns are padded on the right, or without one.
        size: Rows in a batch, at most.

    Yields:
        The rows' places in the chunk, and their inputs.
    """
    rows = len(next(iter(inputs.values())))
    if rows <= size:
        yield torch.arange(rows), inputs
        return
    mask = inputs.get(_MASK)
    order = torch.arange(rows) if mask is None else mask.sum(1).argsort(stable=True)
    for places in torch.split(order, size):
        batch = {key: tensor[places] for key, tensor in inputs.items()}
        if mask is not None:
            longest = int(batch[_MASK].sum(1).max())
            batch = {key: t[:, :longest] if t.shape == batch[_MASK].shape else t for key, t in batch.items()}
        yield places, batch
