"""What every encoder is: pictures or texts in, an `Encoded` out, and a fingerprint of all that decides the numbers."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from multitag.types import Encoded, Modality

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # ships no types

Inputs = dict[str, Tensor]
"""What `Encoder.prepare` makes of a batch of pictures or texts: tensors whose first dimension is the row."""

FORMAT_VERSION = 1
"""Raised when a change to the code changes what encoders compute, so that stored features are not reused."""


class Encoder(nn.Module, ABC):
    """Base of all encoders.

    Attributes:
        modality: ``"image"`` (items are upright RGB Pillow pictures) or ``"text"`` (items are strings).
        width: D, the size of the pooled vector.
        token_width: The size of a token, or `None` for an encoder without tokens.
        storable: False for an encoder whose output is cheaper to compute than to store.
        learns: True for an encoder that learns from the training rows (a vocabulary) before it can be used.
        from_scratch: True for an encoder without pretrained weights: frozen it would say nothing.
        standardized: False for an encoder whose numbers have a scale that means something, and must keep it.
    """

    modality: ClassVar[Modality]
    storable: ClassVar[bool] = True
    learns: bool = False
    from_scratch: bool = False
    standardized: ClassVar[bool] = True
    width: int
    token_width: int | None

    @abstractmethod
    def load(self) -> None:
        """Build the network with its pretrained weights; sets `width` and `token_width`.

        Raises:
            WeightsError: The weights cannot be had.
        """

    @abstractmethod
    def restore(self, assets: dict[str, Any]) -> None:
        """Build the network from a run's `assets`, its weights to be filled in by the run; sets the widths."""

    @abstractmethod
    def assets(self) -> dict[str, Any]:
        """What `restore` needs, JSON only: a configuration, a tokenizer, a learned vocabulary."""

    @abstractmethod
    def prepare(self, items: Sequence[Any]) -> Inputs:
        """Pictures or texts as tensors, all rows padded alike. Needs no gradient and no device."""

    @abstractmethod
    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """Encode a prepared batch.

        Args:
            inputs: What `prepare` returned, moved to the encoder's device.
            tokens: Also give the tokens and their mask.

        Returns:
            pooled (B, D); tokens (B, T, D') and mask (B, T) where asked for.
        """

    @abstractmethod
    def identity(self) -> dict[str, Any]:
        """All that decides the numbers besides the code: options, weights' hash, preprocessing. JSON only."""

    def fit(self, items: Sequence[Any]) -> None:
        """Learn from the training rows what `prepare` needs, where `learns` says so."""

    def sparse(self, items: Sequence[Any]) -> csr_matrix | None:
        """The pooled vectors (n, D) of items, for an encoder whose vectors are mostly zeros and that has no tokens.

        They must be what `forward` says of the same items. Frozen, it is asked once a row rather than in every epoch.
        `None` for any other encoder.
        """
        return None

    def sort_key(self, item: Any) -> int:
        """Items of like key are cheap to encode together (the length of a text); 0 where it does not matter."""
        return 0

    def lower(self) -> Encoder | None:
        """The part that stays as it is while the rest trains, as an encoder of its own, loaded; `None` without one.

        It is frozen and its output stored. Where there is one, `forward` takes what it says of the rows:
        "states" (n, T, C), its tokens; "mask" (n, T), which of them are real; "pooled" (n, D), its pooled vectors.
        An encoder that is frozen whole may have one too: both parts' output is stored.

        Raises:
            WeightsError: The weights cannot be had.
        """
        return None

    def optimize(self) -> None:
        """Called once on an encoder that stays frozen: may rewrite the module to run faster, with equal results."""

    def settle(self) -> None:
        """Called once on an encoder whose training is over: folds what only the training needed into its weights."""

    def fingerprint(self) -> str:
        """64 hex digits that change whenever the encoder's numbers could: class, identity, format version."""
        whole = {"class": type(self).__name__, "version": FORMAT_VERSION, **self.identity()}
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()


def states_in(encoded: Encoded) -> Inputs:
    """What a lower part said, as its upper part takes it."""
    pooled, states, mask = encoded
    if states is None or mask is None:
        raise AssertionError("a lower part has tokens")
    return {"pooled": pooled, "states": states, "mask": mask}


def weights_hash(module: nn.Module) -> str:
    """SHA-256 over the names, shapes, types and bytes of a module's weights, whatever file they came from."""
    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        digest.update(f"{name}{tuple(tensor.shape)}{tensor.dtype}".encode())
        digest.update(memoryview(tensor.detach().cpu().contiguous().view(-1).view(torch.uint8).numpy()))
    return digest.hexdigest()
