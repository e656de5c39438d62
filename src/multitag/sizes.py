"""How large a model is: parameters and megabytes, what is trained and what is frozen."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor, nn

from multitag.networks import Network


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


def measure(networks: Iterable[Network]) -> Size:
    """The size of all networks together, and of the frozen encoders they need, each counted once."""
    every = list(networks)
    trained = [tensor for network in every for tensor in network.model.state_dict().values()]
    frozen = [tensor for encoder in frozen_encoders(every).values() for tensor in encoder.state_dict().values()]
    return Size(_count(trained), megabytes(weight_bytes(trained)), _count(frozen), megabytes(weight_bytes(frozen)))


def frozen_encoders(networks: Iterable[Network]) -> dict[str, nn.Module]:
    """The frozen encoders, and frozen parts of others, by fingerprint: what several networks share is there once."""
    parts = [part for network in networks for slot in network.slots.values() for part in (slot, slot.lower)]
    return {part.fingerprint: part.encoder for part in parts if part is not None and part.frozen}


def _count(tensors: Iterable[Tensor]) -> int:
    return sum(tensor.numel() for tensor in tensors)


def weight_bytes(tensors: Iterable[Tensor]) -> int:
    """Bytes of weights as they lie on disk."""
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def megabytes(size: int) -> float:
    """Millions of bytes."""
    return round(size / 1e6, 3)
