"""Encoders of a few numbers that anybody can reckon with, for tests of what stands around encoders."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from torch import nn

from multitag.encoders import Encoder, Inputs
from multitag.features.environment import reading
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.fusions import Fusion
from multitag.layers import masked_mean
from multitag.types import Encoded, Modality, Sample, Width


class Words(Encoder):
    """A text's words as tokens: the place in the alphabet of each of the first two letters; pooled, their mean."""

    modality: ClassVar[Modality] = "text"

    def __init__(self, *, storable: bool = True) -> None:
        super().__init__()
        self.storable = storable
        self.width = self.token_width = 2
        self.scale = nn.Parameter(torch.ones(2))
        self.calls = 0

    def load(self) -> None: ...

    def restore(self, assets: dict[str, Any]) -> None: ...

    def assets(self) -> dict[str, Any]:
        return {}

    def identity(self) -> dict[str, Any]:
        return {"scale": self.scale.tolist()}

    def sort_key(self, item: str) -> int:
        return len(item)

    def prepare(self, items: Sequence[str]) -> Inputs:
        words = [[[ord(word[0]) - 96, ord(word[1]) - 96] for word in text.split()] for text in items]
        longest = max(map(len, words))
        tokens = torch.zeros(len(words), longest, 2)
        mask = torch.zeros(len(words), longest, dtype=torch.bool)
        for row, found in enumerate(words):
            tokens[row, : len(found)] = torch.tensor(found, dtype=torch.float32)
            mask[row, : len(found)] = True
        return {"tokens": tokens, "mask": mask}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        self.calls += len(inputs["mask"])
        states, mask = inputs["tokens"] * self.scale, inputs["mask"]
        pooled = (states * mask.unsqueeze(-1)).sum(1) / mask.sum(1, keepdim=True)
        return Encoded(pooled, states, mask) if tokens else Encoded(pooled)


class Padded(Words):
    """Words whose numbers depend on what they are encoded with, as the last digits of real ones do.

    Pooled and tokens both bear how many texts there are and how long the longest is. `heard` is called with the number
    of texts before they are encoded.
    """

    heard: Callable[[int], None] = staticmethod(lambda texts: None)

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        rows, longest = inputs["mask"].shape
        self.heard(rows)
        pooled, states, mask = super().forward(inputs, tokens=True)
        bears = torch.tensor([rows / 64, longest / 64])
        return Encoded(pooled + bears, states + bears, mask) if tokens else Encoded(pooled + bears)


class Colours(Encoder):
    """A picture's mean red, green and blue; no tokens."""

    modality: ClassVar[Modality] = "image"

    def __init__(self, *, storable: bool = True) -> None:
        super().__init__()
        self.storable = storable
        self.width, self.token_width = 3, None
        self.scale = nn.Parameter(torch.ones(3))
        self.calls = 0

    def load(self) -> None: ...

    def restore(self, assets: dict[str, Any]) -> None: ...

    def assets(self) -> dict[str, Any]:
        return {}

    def identity(self) -> dict[str, Any]:
        return {"scale": self.scale.tolist()}

    def prepare(self, items: Sequence[Any]) -> Inputs:
        return {"means": torch.tensor(np.stack([np.asarray(p, np.float32).mean((0, 1)) for p in items]))}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        self.calls += len(inputs["means"])
        return Encoded(inputs["means"] * self.scale)


class Patches(Colours):
    """A picture's mean red, green and blue; tokens, the means of its four quarters, row by row."""

    def __init__(self, *, storable: bool = True) -> None:
        super().__init__(storable=storable)
        self.token_width = 3

    def prepare(self, items: Sequence[Any]) -> Inputs:
        quarters = []
        for picture in items:
            pixels = np.asarray(picture, np.float32)
            halves = [half for rows in np.array_split(pixels, 2) for half in np.array_split(rows, 2, axis=1)]
            quarters.append([half.mean((0, 1)) for half in halves])
        return {**super().prepare(items), "quarters": torch.tensor(np.array(quarters))}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        pooled, states = super().forward(inputs).pooled, inputs["quarters"] * self.scale
        return Encoded(pooled, states, torch.ones(states.shape[:2], dtype=torch.bool)) if tokens else Encoded(pooled)


class MeanOfTokens(Fusion):
    """Each encoder's mean token, joined: a fusion that reads tokens."""

    needs = "tokens"

    def __init__(self, widths: Mapping[str, Width], /) -> None:
        super().__init__(widths)
        self.branches = {"joined": Width(sum(width.tokens for width in widths.values()))}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        means = [masked_mean(encoded[name].tokens, encoded[name].mask) for name in self.widths]
        return {"joined": Encoded(torch.cat(means, dim=-1))}


def slot(encoder: Encoder, *, frozen: bool = True) -> Slot:
    """An encoder in its slot."""
    if frozen:
        encoder.eval().requires_grad_(False)
    return Slot(encoder.modality, encoder, frozen)


def rows_of(samples: Sequence[Sample]) -> Rows:
    """Rows whose pictures are known by their number."""
    return Rows(list(samples), [None if s.image is None else f"{number:064x}" for number, s in enumerate(samples)])


def entries(store: Path) -> dict[bytes, bytes]:
    """All that a feature store holds."""
    with reading(store) as transaction:
        return {bytes(key): bytes(value) for key, value in transaction.cursor()}
