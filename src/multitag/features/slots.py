"""The encoders of a model, each with what the rest needs to know of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import Any

import torch

from multitag.config import Config, Precision, StoreConfig
from multitag.data.images import MAX_PIXELS, load_image
from multitag.encoders import ENCODERS, Encoder, Inputs
from multitag.encoders.base import states_in
from multitag.errors import ConfigError
from multitag.features.compiled import in_compiled
from multitag.features.reduced import LEAST, Crew, fingerprint_of, in_openvino
from multitag.features.runtime import Engine, Run, in_onnx, in_torch, onnx_installed
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
        engine: What runs a frozen encoder; on an accelerator it is torch, compiled or as it comes.
        precision: What a frozen encoder computes in.
        lower: The part of an encoder that trains which stays as it is and is stored, where there is one. Networks,
            folds and members share it. A frozen encoder that has one runs on what is stored of it.
    """

    name: str
    encoder: Encoder
    frozen: bool
    max_pixels: int = MAX_PIXELS
    engine: Engine = "torch"
    precision: Precision = "float32"
    lower: Slot | None = None
    _runs: dict[tuple[object, ...], Run] = field(default_factory=dict)

    @property
    def stored(self) -> bool:
        """Whether its output is kept in the feature store."""
        return self.frozen and self.encoder.storable

    @property
    def kept(self) -> Slot | None:
        """What the feature store keeps of it: itself where it is frozen, else its lower part, or nothing."""
        return self if self.stored else self.lower

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
        sample = _sample(inputs)
        if self.engine == "openvino":
            crew = Crew(threads, at_once)
            return in_openvino(
                self.encoder, self._exact, sample, folder, self.precision, crew, tokens=tokens, prepare=self._prepare
            )
        if self.engine == "onnx":
            return in_onnx(self.encoder, self._exact, sample, folder, tokens=tokens, threads=threads)
        return self._in_torch(sample, "cpu", tokens=tokens)

    def _prepare(self, items: Sequence[Any]) -> Inputs:
        """Pictures or texts as the encoder takes them: through its lower part, where it has one."""
        if self.lower is None:
            return self.encoder.prepare(items)
        below = self.lower.encoder
        with torch.inference_mode():
            return states_in(below(below.prepare(items), tokens=True))

    def _in_torch(self, sample: Inputs, device: str, *, tokens: bool) -> Run:
        def run(inputs: Inputs) -> Encoded:
            with torch.autocast(device, torch.bfloat16, enabled=self.precision == "bfloat16"):
                return own(inputs)

        own = in_torch(self.encoder, tokens=tokens)
        if self.engine == "compiled":
            with torch.autocast(device, torch.bfloat16, enabled=self.precision == "bfloat16"):
                own = in_compiled(self.encoder, sample, tokens=tokens, least=LEAST[self.precision])
        return run

    def _on_device(self, inputs: Inputs, *, tokens: bool, device: torch.device) -> Encoded:
        if self.precision == "int8":
            raise ConfigError(
                f"[store] precision = 'int8' is for processors, and the encoder '{self.name}' runs on {device.type}. "
                "Fix: --set store.precision=bfloat16"
            )
        if device.type == "cuda":  # from pinned memory the copy does not wait for what the device still computes
            inputs = {key: tensor.contiguous().pin_memory() for key, tensor in inputs.items()}
        moved = {key: tensor.to(device, non_blocking=True) for key, tensor in inputs.items()}
        self.encoder.to(device)
        with _STARTING:
            if (tokens, device) not in self._runs:
                self._runs[tokens, device] = self._in_torch(_sample(moved), device.type, tokens=tokens)
        return self._runs[tokens, device](moved)

    def has(self, sample: Sample) -> bool:
        """Whether a row has what this encoder reads; a text of white space only says nothing."""
        return sample.has(self.encoder.modality)

    def items(self, samples: Sequence[Sample]) -> list[object]:
        """What the encoder's `prepare` takes, for rows that have it: pictures decoded, texts as they stand."""
        if self.encoder.modality == "image":
            return [load_image(s.image, max_pixels=self.max_pixels) for s in samples if s.image is not None]
        return [s.text for s in samples]


def build_slots(config: Config, lowers: MutableMapping[str, Slot] | None = None) -> dict[str, Slot]:
    """The encoders of a configuration, their pretrained weights loaded.

    Args:
        config: All settings.
        lowers: Lower parts that are loaded already, by `lower_key`; those loaded here are added.

    Raises:
        WeightsError: Some weights cannot be had.
    """
    slots = {}
    for name, section in config.encoders.items():
        encoder: Encoder = ENCODERS.build(section.name, section.options)
        encoder.load()
        key = lower_key(name, config)
        slots[name] = make_slot(name, encoder, config, None if lowers is None else lowers.get(key))
        if lowers is not None and (lower := slots[name].lower) is not None:
            lowers[key] = lower
    return slots


def lower_key(name: str, config: Config) -> str:
    """What a loaded lower part is known by: all that decides which it is, before anything is loaded."""
    store = config.store.model_dump(mode="json")
    return json.dumps(["lower", name, config.encoders[name].model_dump(mode="json"), store, config.data.max_pixels])


def make_slot(name: str, encoder: Encoder, config: Config, lower: Slot | None = None) -> Slot:
    """A loaded encoder in its slot, made ready to be used frozen or trained.

    Args:
        name: Its name in the configuration.
        encoder: The encoder.
        config: All settings.
        lower: Its lower part, where that is loaded already; else it is loaded, if there is one.

    Raises:
        WeightsError: The lower part's weights cannot be had.
    """
    lower = lower or make_lower(name, encoder, config)
    if config.encoders[name].frozen:
        return _frozen(name, encoder, config, lower)
    return Slot(name, encoder, frozen=False, max_pixels=config.data.max_pixels, lower=lower)


def make_lower(name: str, encoder: Encoder, config: Config) -> Slot | None:
    """The lower part of an encoder that trains, in a slot of its own; `None` where all of it trains.

    Raises:
        WeightsError: Its weights cannot be had.
    """
    with torch.random.fork_rng():  # whether it is there already must not decide what others start from
        lower = encoder.lower()
    return None if lower is None else _frozen(name, lower, config)


def _frozen(name: str, encoder: Encoder, config: Config, lower: Slot | None = None) -> Slot:
    store = config.store
    if encoder.storable:
        slot = Slot(name, encoder, True, config.data.max_pixels, engine_of(store), store.precision, lower)
    else:
        slot = Slot(name, encoder, True, config.data.max_pixels)
    encoder.eval().requires_grad_(False)
    # The fingerprint is of the weights as they came, before they are rewritten to run faster.
    if not encoder.learns:
        _ = slot.fingerprint
    encoder.optimize()
    return slot


def engine_of(store: StoreConfig) -> Engine:
    """What runs frozen encoders on a processor, by the settings and by what is installed.

    Raises:
        ConfigError: ONNX Runtime was asked for and is not installed.
    """
    if store.runtime == "compiled" and store.precision != "int8":
        return "compiled"
    if store.runtime == "openvino" or store.precision != "float32":
        return "openvino"
    if store.runtime == "onnx" and not onnx_installed():
        raise ConfigError("[store] runtime = 'onnx' needs a package. Fix: pip install 'multitag[onnx]'")
    return "onnx" if store.runtime != "torch" and onnx_installed() else "torch"


def _sample(inputs: Inputs) -> Inputs:
    """Four rows, or two where there is one, to start an engine with."""
    return {key: torch.cat([t, t])[:4] for key, t in inputs.items()}


def learn(slots: Mapping[str, Slot], samples: Sequence[Sample]) -> None:
    """Let the encoders that learn from the training rows (a vocabulary) do so."""
    for slot in slots.values():
        if slot.encoder.learns:
            slot.encoder.fit(slot.items([row for row in samples if slot.has(row)]))
