"""How large a model is: parameters and megabytes, what is trained and what is frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from multitag.features.slots import Slot
from multitag.model import Model


@dataclass(frozen=True)
class Size:
    """Parameters, and megabytes (10^6 bytes) of weights as they lie on disk.

    Attributes:
        trained_parameters: What the run folder holds.
        trained_megabytes: Likewise.
        frozen_parameters: The frozen encoders'.
        frozen_megabytes: Likewise.
    """

    trained_parameters: int
    trained_megabytes: float
    frozen_parameters: int
    frozen_megabytes: float

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)


def measure(model: Model, slots: Mapping[str, Slot]) -> Size:
    """The size of a model and of the frozen encoders it needs."""
    trained = list(model.state_dict().values())
    frozen = [t for slot in slots.values() if slot.frozen for t in slot.encoder.state_dict().values()]
    return Size(_count(trained), _megabytes(trained), _count(frozen), _megabytes(frozen))


def _count(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


def _megabytes(tensors: Iterable[Tensor]) -> float:
    return round(sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 1e6, 3)
