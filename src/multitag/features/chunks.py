"""What an encoder reads of rows, cut into chunks that are encoded together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.types import Sample

CHUNK = {"image": 16, "text": 256}
BATCH = {"image": 16, "text": 32}
"""Rows of a chunk that go through the encoder at once. A chunk's texts are ordered by their tokens, which are known
only when they are cut: so chunks of them are larger."""
_LARGER = 8
"""How much larger both are on an accelerator."""


@dataclass(frozen=True)
class Chunk:
    """Distinct pictures or texts that are encoded together.

    Attributes:
        samples: A row that has each.
        contents: Their hashes.
    """

    samples: list[Sample]
    contents: list[str]

    def __len__(self) -> int:
        return len(self.contents)

    def take(self, places: Sequence[int]) -> Chunk:
        """A part of it."""
        return Chunk([self.samples[place] for place in places], [self.contents[place] for place in places])


def contents_of(slot: Slot, rows: Rows) -> list[str | None]:
    """The hash of what the encoder reads of each row; `None` for a row that has nothing for it."""
    if slot.encoder.modality == "image":
        return rows.hashes
    return [
        hashlib.sha256((sample.text or "").encode()).hexdigest() if slot.has(sample) else None
        for sample in rows.samples
    ]


def cut(slot: Slot, rows: Rows, device: torch.device | None = None) -> list[Chunk]:
    """All distinct pictures or texts of the rows in chunks, texts of like length together.

    What is stored already is cut with the rest: the chunks depend on the rows, and on whether an accelerator encodes
    them, alone. What an encoder says of a text differs in the last digits with what it is padded to, so processes
    that share the work, and one that goes on where another was killed, must find the very same chunks.
    """
    found: dict[str, Sample] = {}
    for sample, content in zip(rows.samples, contents_of(slot, rows), strict=True):
        if content is not None:
            found.setdefault(content, sample)
    items = list(found.items())
    if slot.encoder.modality == "text":
        items.sort(key=lambda item: slot.encoder.sort_key(item[1].text))  # stable: ties keep their order
    size = CHUNK[slot.encoder.modality] * _times(device)
    pieces = [items[start : start + size] for start in range(0, len(items), size)]
    return [Chunk([sample for _, sample in piece], [content for content, _ in piece]) for piece in pieces]


def batch_size(slot: Slot, device: torch.device | None = None) -> int:
    """How many rows go through the encoder at once."""
    return BATCH[slot.encoder.modality] * _times(device)


def _times(device: torch.device | None) -> int:
    return 1 if device is None or device.type == "cpu" else _LARGER
