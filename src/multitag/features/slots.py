"""The encoders of a model, each with what the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from multitag.config import Config
from multitag.data.images import load_image
from multitag.encoders import ENCODERS, Encoder
from multitag.types import Sample


@dataclass
class Slot:
    """One encoder of a model.

    Attributes:
        name: Its name in the configuration.
        encoder: The encoder, loaded.
        frozen: Whether it stays as it is; the others train with the model.
    """

    name: str
    encoder: Encoder
    frozen: bool
    max_pixels: int = field(default=89_000_000)

    @property
    def stored(self) -> bool:
        """Whether its output is kept in the feature store."""
        return self.frozen and self.encoder.storable

    @cached_property
    def fingerprint(self) -> str:
        """The encoder's fingerprint, computed once."""
        return self.encoder.fingerprint()

    def has(self, sample: Sample) -> bool:
        """Whether a row has what this encoder reads; a text of white space only says nothing."""
        if self.encoder.modality == "image":
            return sample.image is not None
        return sample.text is not None and bool(sample.text.strip())

    def items(self, samples: Sequence[Sample]) -> list[object]:
        """What the encoder's `prepare` takes, for rows that have it: pictures decoded, texts as they stand."""
        if self.encoder.modality == "image":
            return [load_image(s.image, max_pixels=self.max_pixels) for s in samples if s.image is not None]
        return [s.text for s in samples]


def build_slots(config: Config) -> dict[str, Slot]:
    """The encoders of a configuration, their pretrained weights loaded.

    Raises:
        WeightsError: Some weights cannot be had.
    """
    slots = {}
    for name, section in config.encoders.items():
        encoder: Encoder = ENCODERS.build(section.name, section.options)
        encoder.load()
        slots[name] = make_slot(name, encoder, config)
    return slots


def make_slot(name: str, encoder: Encoder, config: Config) -> Slot:
    """A loaded encoder in its slot, made ready to be used frozen or trained."""
    slot = Slot(name, encoder, config.encoders[name].frozen, config.data.max_pixels)
    if slot.frozen:
        encoder.eval().requires_grad_(False)
        # The fingerprint is of the weights as they came, before they are rewritten to run faster.
        if not encoder.learns:
            _ = slot.fingerprint
        encoder.optimize()
    return slot


def learn(slots: Mapping[str, Slot], samples: Sequence[Sample]) -> None:
    """Let the encoders that learn from the training rows (a vocabulary) do so."""
    for slot in slots.values():
        if slot.encoder.learns:
            slot.encoder.fit(slot.items([row for row in samples if slot.has(row)]))
