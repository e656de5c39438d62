"""The encoders of a model, each with what the rest needs to know of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock

import torch

from multitag.config import Config, Precision, Runtime
from multitag.data.images import MAX_PIXELS, load_image
from multitag.encoders import ENCODERS, Encoder, Inputs
from multitag.errors import ConfigError
from multitag.features.reduced import Crew, fingerprint_of, in_openvino
from multitag.features.runtime import Run, in_onnx, in_torch, onnx_installed
from multitag.types import Encoded, Sample

_STARTING = Lock()
"""Held while an encoder's runtime starts: one at a time, whichever slot it is of."""


@dataclass
class Slot:
    """One encoder of a model.

    Attributes:
        name: Its name in the configuration.
        encoder: The encoder, loaded.
        frozen: Whether it stays as it is; the others train with the model.
        max_pixels: Pictures with more are refused.
        onnx: Whether a frozen encoder may run through ONNX Runtime.
        precision: What a frozen encoder computes in.
        openvino: Whether it runs through OpenVINO on a processor; fewer bits always do.
    """

    name: str
    encoder: Encoder
    frozen: bool
    max_pixels: int = MAX_PIXELS
    onnx: bool = False
    precision: Precision = "float32"
    openvino: bool = False
    _runs: dict[tuple[bool, int, int], Run] = field(default_factory=dict)

    @property
    def stored(self) -> bool:
        """Whether its output is kept in the feature store."""
        return self.frozen and self.encoder.storable

    @cached_property
    def fingerprint(self) -> str:
        """The fingerprint of the encoder and its precision, computed once."""
        return fingerprint_of(self._exact, self.precision)

    @cached_property
    def _exact(self) -> str:
        return self.encoder.fingerprint()

    def run(
        self,
        inputs: Inputs,
        folder: Path,
        *,
        tokens: bool,
        device: torch.device,
        threads: int | None = None,
        at_once: int = 1,
    ) -> Encoded:
        """What a frozen encoder says of prepared inputs, by the fastest way there is on the device.

        Args:
            inputs: What the encoder's `prepare` gave.
            folder: Where exported networks are kept.
            tokens: Whether tokens are wanted too.
            device: Where torch runs; ONNX Runtime and OpenVINO serve the processor only.
            threads: How many a runtime computes with for one call; as many as torch has where it is not said.
            at_once: How many calls there are at a time, from as many threads.

        Raises:
            ConfigError: The encoder cannot run in the precision that was asked for.
        """
        if device.type != "cpu":
            return self._on_device(inputs, tokens=tokens, device=device)
        each = threads or torch.get_num_threads()
        key = (tokens, each, at_once)
        with _STARTING:
            if key not in self._runs:
                self._runs[key] = self._start(inputs, folder, tokens=tokens, threads=each, at_once=at_once)
        return self._runs[key](inputs)

    def _start(self, inputs: Inputs, folder: Path, *, tokens: bool, threads: int, at_once: int) -> Run:
        sample = {key: torch.cat([t, t])[:4] for key, t in inputs.items()}
        if self.openvino:
            crew = Crew(threads, at_once)
            return in_openvino(self.encoder, self._exact, sample, folder, self.precision, crew, tokens=tokens)
        if self.onnx:
            return in_onnx(self.encoder, self._exact, sample, folder, tokens=tokens, threads=threads)
        return in_torch(self.encoder, tokens=tokens)

    def _on_device(self, inputs: Inputs, *, tokens: bool, device: torch.device) -> Encoded:
        if self.precision == "int8":
            raise ConfigError(
                f"[store] precision = 'int8' is for processors, and the encoder '{self.name}' runs on {device.type}. "
                "Fix: --set store.precision=bfloat16"
            )
        if device.type == "cuda":  # from pinned memory the copy does not wait for what the device still computes
            inputs = {key: tensor.contiguous().pin_memory() for key, tensor in inputs.items()}
        moved = {key: tensor.to(device, non_blocking=True) for key, tensor in inputs.items()}
        with torch.autocast(device.type, torch.bfloat16, enabled=self.precision == "bfloat16"):
            return in_torch(self.encoder.to(device), tokens=tokens)(moved)

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
    frozen, store = config.encoders[name].frozen, config.store
    if not (frozen and encoder.storable):
        slot = Slot(name, encoder, frozen, config.data.max_pixels)
    else:
        onnx, openvino = wants_onnx(store.runtime), store.runtime == "openvino" or store.precision != "float32"
        slot = Slot(name, encoder, frozen, config.data.max_pixels, onnx, store.precision, openvino)
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
