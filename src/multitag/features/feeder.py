"""Batches of rows for the model: stored features looked up, other inputs prepared."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from multitag.augment.augmenter import Draw
from multitag.encoders import Encoder, Inputs
from multitag.encoders.base import states_in
from multitag.features.chunks import contents_of
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.features.sparse import sparse_rows
from multitag.features.states import padded_tokens
from multitag.features.store import FeatureStore
from multitag.features.targets import KeptTargets
from multitag.types import Batch, Encoded

IN_MEMORY_BYTES = 4 << 30
"""Features of more bytes than this are read from the store, or computed, batch by batch."""


class Feeder:
    """N rows, served as batches in any order.

    Every stored feature must be in the store already (`fill`).

    Args:
        rows: The rows.
        slots: The model's encoders.
        store: The feature store.
        targets: (N, K), NaN where a label is not known, or `None`; of tokens (N, T, K).
        weights: (N,), how much each row counts in the loss, or `None` where all count alike.
        tokens: The encoders whose tokens the model reads.
    """

    def __init__(
        self,
        rows: Rows,
        slots: Mapping[str, Slot],
        store: FeatureStore,
        *,
        targets: KeptTargets | npt.NDArray[np.float32] | None = None,
        weights: npt.NDArray[np.float32] | None = None,
        tokens: Collection[str] = (),
    ) -> None:
        self.samples = samples = rows.samples
        self.slots = slots
        self.store = store
        self.tokens = frozenset(tokens)
        self.targets = torch.from_numpy(targets) if isinstance(targets, np.ndarray) else targets
        self.weights = None if weights is None else torch.from_numpy(weights)
        self.present = {
            name: torch.tensor([slot.has(sample) for sample in samples], dtype=torch.bool)
            for name, slot in slots.items()
        }
        self._kept = {name: kept for name, slot in slots.items() if (kept := slot.kept) is not None}
        self._contents = {name: contents_of(slot, rows) for name, slot in self._kept.items()}
        self._matrix = {
            name: self._look_up(name, range(len(samples)))
            for name in self._contents
            if len(samples) * self._kept[name].encoder.width * 4 <= IN_MEMORY_BYTES
        }
        self._sparse = {
            name: found
            for name, slot in slots.items()
            if slot.frozen and not slot.stored
            if (found := sparse_rows(slot, samples, most_bytes=IN_MEMORY_BYTES)) is not None
        }

    def __len__(self) -> int:
        return len(self.samples)

    def batch(self, rows: Sequence[int], draw: Draw | None = None) -> Batch:
        """The rows as one batch on the CPU.

        Args:
            rows: Which, in this order.
            draw: How they are changed for encoders that train, while training.
        """
        index = torch.as_tensor(rows, dtype=torch.long)
        present = {name: here[index] for name, here in self.present.items()}
        encoded, inputs = {}, {}
        for name, slot in self.slots.items():
            if slot.stored:
                encoded[name] = self._stored(name, index, tokens=name in self.tokens)
                continue
            if name in self._sparse:
                encoded[name] = Encoded(self._sparse[name].dense(index))
                continue
            here = [place for place, row in enumerate(rows) if self.present[name][row]]
            if slot.lower is not None:
                states = self._states(name, index[here]) if here else {}
                inputs[name] = (
                    draw.states(slot.encoder.modality, states, here) if draw is not None and states else states
                )
                continue
            items = slot.items([self.samples[rows[place]] for place in here])
            if draw is not None and not slot.frozen:
                items = draw.items(slot.encoder.modality, items, here)
            prepared = slot.encoder.prepare(items) if items else {}
            if slot.frozen:
                encoded[name] = _scattered(slot, prepared, present[name], tokens=name in self.tokens)
            else:
                inputs[name] = prepared
        targets = None if self.targets is None else self.targets[index]
        weights = None if self.weights is None else self.weights[index]
        batch = Batch(len(rows), encoded, inputs, present, targets, weights)
        return batch if draw is None else draw.batch(batch, list(inputs))

    def pooled(self, name: str, rows: Sequence[int]) -> Tensor:
        """The stored pooled vectors of the encoder `name` for `rows` that have its modality: (n, D)."""
        return self._stored(name, torch.as_tensor(rows, dtype=torch.long), tokens=False).pooled

    def _stored(self, name: str, index: Tensor, *, tokens: bool) -> Encoded:
        matrix = self._matrix.get(name)
        pooled = self._look_up(name, index.tolist()) if matrix is None else matrix.index_select(0, index)
        if not tokens:
            return Encoded(pooled)
        return padded_tokens(
            self.store,
            self._kept[name],
            pooled,
            [self._contents[name][row] for row in index.tolist()],
        )

    def _states(self, name: str, index: Tensor) -> Inputs:
        """What the lower part of an encoder says of rows that have its modality, as its upper part takes it."""
        return states_in(self._stored(name, index, tokens=True))

    def _look_up(self, name: str, rows: Sequence[int]) -> Tensor:
        """Pooled vectors (n, D) from the store, zeros for rows without the modality."""
        slot = self._kept[name]
        contents = self._contents[name]
        here = [(place, found) for place, row in enumerate(rows) if (found := contents[row]) is not None]
        pooled = torch.zeros(len(rows), slot.encoder.width)
        if here:
            vectors = self.store.pooled(slot.fingerprint, [found for _, found in here], slot.encoder.width)
            pooled[[place for place, _ in here]] = torch.from_numpy(vectors)
        return pooled


def _scattered(slot: Slot, inputs: dict[str, Tensor], present: Tensor, *, tokens: bool) -> Encoded:
    """A frozen encoder run on the rows that have its modality, zeros elsewhere."""
    pooled = torch.zeros(len(present), slot.encoder.width)
    if not inputs:
        return nothing_encoded(pooled, slot.encoder, tokens=tokens)
    with torch.no_grad():
        encoded = slot.encoder(inputs, tokens=tokens)
    pooled[present] = encoded.pooled
    return scatter_tokens(Encoded(pooled, encoded.tokens, encoded.mask), present)


def nothing_encoded(pooled: Tensor, encoder: Encoder, *, tokens: bool) -> Encoded:
    """A batch in which no row has the encoder's modality: `pooled` (B, D) are zeros, tokens one zero a row."""
    if not tokens:
        return Encoded(pooled)
    rows, device = len(pooled), pooled.device
    states = torch.zeros(rows, 1, encoder.token_width or 1, device=device)
    return Encoded(pooled, states, torch.ones(rows, 1, dtype=torch.bool, device=device))


def scatter_tokens(encoded: Encoded, present: Tensor) -> Encoded:
    """Tokens of the present rows spread over the whole batch; absent rows get one zero token."""
    if encoded.tokens is None or encoded.mask is None:
        return Encoded(encoded.pooled)
    if bool(present.all()):  # no copy of a grid's tokens, forth and back
        return encoded
    size = (len(present), *encoded.tokens.shape[1:])
    tokens = encoded.tokens.new_zeros(size)
    mask = encoded.mask.new_zeros(size[:2])
    mask[:, 0] = True
    tokens[present], mask[present] = encoded.tokens, encoded.mask
    return Encoded(encoded.pooled, tokens, mask)
