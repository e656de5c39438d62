"""Rows whose features are made up, so that no encoder is needed: a store of any size in seconds."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from multitag.encoders import Encoder, Inputs
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.features.store import FeatureStore
from multitag.types import Encoded, Modality, Sample

AT_ONCE = 1024


class MadeUp(Encoder):
    """Stands for an encoder of some width whose output is in the store already."""

    modality: ClassVar[Modality] = "image"

    def __init__(self, name: str, width: int) -> None:
        super().__init__()
        self.name, self.width, self.token_width = name, width, None

    def load(self) -> None:
        """Nothing."""

    def restore(self, assets: dict[str, Any]) -> None:
        """Nothing."""

    def assets(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def identity(self) -> dict[str, Any]:
        """Its name."""
        return {"name": self.name, "width": self.width}

    def prepare(self, items: Sequence[Any]) -> Inputs:
        """Nobody may ask."""
        raise AssertionError("the features are in the store")

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """Nobody may ask."""
        raise AssertionError("the features are in the store")


def slots_of(widths: dict[str, int]) -> dict[str, Slot]:
    """Encoders that are never run."""
    return {name: Slot(name, MadeUp(name, width), frozen=True) for name, width in widths.items()}


def rows_of(count: int) -> Rows:
    """Rows with a picture each, of which only the hash is ever asked for."""
    samples = [Sample(id=str(row), image=Path(f"{row}.jpg")) for row in range(count)]
    return Rows(samples, [hashlib.sha256(str(row).encode()).hexdigest() for row in range(count)])


def write_features(store: FeatureStore, slots: dict[str, Slot], rows: Rows) -> None:
    """Gaussian features of every row, the same for the same row."""
    for slot in slots.values():
        for start in range(0, len(rows), AT_ONCE):
            contents = [content for content in rows.hashes[start : start + AT_ONCE] if content is not None]
            generator = np.random.default_rng(start)
            vectors = generator.standard_normal((len(contents), slot.encoder.width), np.float32)
            store.put(slot.fingerprint, contents, vectors)


def targets_of(rows: int, labels: int) -> npt.NDArray[np.float32]:
    """Gold labels, about three a row."""
    generator = np.random.default_rng(1)
    gold = np.zeros((rows, labels), np.float32)
    gold[np.arange(rows)[:, None], generator.integers(0, labels, (rows, 3))] = 1
    return gold
