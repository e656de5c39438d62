"""The encoders of a model, each with what the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import torch

from multitag.config import Config, Runtime
from multitag.data.images import MAX_PIXELS, load_image
from multitag.encoders import ENCODERS, Encoder, Inputs
from multitag.errors import ConfigError
from multitag.features.runtime import Run, in_onnx, in_torch, onnx_installed
from multitag.types import Encoded, Sample


@dataclass
class Slot:
    """One encoder of a model.

    Attributes:
        name: Its name in the configuration.
        encoder: The encoder, loaded.
        frozen: Whether it stays as it is; the others train with the model.
        max_pixels: Pictures with more are refused.
        onnx: Whether a frozen encoder may run through ONNX Runtime.
    """

    name: str
    encoder: Encoder
    frozen: bool
    max_pixels: int = MAX_PIXELS
    onnx: bool = False
    _runs: dict[bool, Run] = field(default_factory=dict)

    @property
    def stored(self) -> bool:
        """Whether its output is kept in the feature store."""
        return self.frozen and self.encoder.storable

    @cached_property
    def fingerprint(self) -> str:
        """The encoder's fingerprint, computed once."""
        return self.encoder.fingerprint()

    def run(self, inputs: Inputs, folder: Path, *, tokens: bool, device: torch.device) -> Encoded:
        """What a frozen encoder says of prepared inputs, by the fastest way there is on the device.

        Args:
            inputs: What the encoder's `prepare` gave.
            folder: Where exported networks are kept.
            tokens: Whether tokens are wanted too.
            device: Where torch runs; ONNX Runtime serves the processor only.
        """
        if device.type != "cpu":
            moved = {key: tensor.to(device) for key, tensor in inputs.items()}
            return in_torch(self.encoder.to(device), tokens=tokens)(moved)
        if tokens not in self._runs:
            if self.onnx:
                sample = {key: torch.cat([t, t])[:4] for key, t in inputs.items()}
                run = in_onnx(self.encoder, self.fingerprint, sample, folder, tokens=tokens)
            else:
                run = in_torch(self.encoder, tokens=tokens)
            self._runs[tokens] = run
        return self._runs[tokens](inputs)

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
    frozen = config.encoders[name].frozen
    onnx = frozen and encoder.storable and wants_onnx(config.store.runtime)
    slot = Slot(name, encoder, frozen, config.data.max_pixels, onnx)
    if slot.frozen:
        encoder.eval().requires_grad_(False)
        # The fingerprint is of the weights as they came, before they are rewritten to run faster.
        if not encoder.learns:
            _ = slot.fingerprint
        encoder.optimize()
    return slot


def wants_onnx(runtime: Runtime) -> bool:
    """Whether frozen encoders run through ONNX Runtime under the setting `runtime`.

    Raises:
        ConfigError: It was asked for and is not installed.
    """
    if runtime == "onnx" and not onnx_installed():
        raise ConfigError("[store] runtime = 'onnx' needs a package. Fix: pip install 'multitag[onnx]'")
    return runtime != "torch" and onnx_installed()


def learn(slots: Mapping[str, Slot], samples: Sequence[Sample]) -> None:
    """Let the encoders that learn from the training rows (a vocabulary) do so."""
    for slot in slots.values():
        if slot.encoder.learns:
            slot.encoder.fit(slot.items([row for row in samples if slot.has(row)]))
