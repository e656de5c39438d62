"""Networks in a run folder: their weights, and what their encoders need to be built again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from multitag.checkpoints import atomic_save
from multitag.config import Config
from multitag.encoders import ENCODERS, Encoder
from multitag.errors import RunError, WeightsError
from multitag.features.slots import Slot, make_lower, make_slot
from multitag.lacking import Shift
from multitag.model import build_model
from multitag.networks import Network, Networks, best_device
from multitag.runs.files import FORMAT_VERSION, read_json
from multitag.runs.folder import CONFIG, ENVIRONMENT, MODEL, PREPROCESS, write_json
from multitag.types import MODALITIES, LabelSpace, Modality

Shared = dict[str, Slot]
"""Frozen encoders that are loaded already, by name and fingerprint."""


def save_networks(networks: Networks, path: Path) -> None:
    """Write all networks into a folder: one file of weights, ``"0."`` before the names of the first one's.

    Raises:
        RunError: The folder cannot be written.
    """
    entries = [
        {"encoders": {name: _encoder_entry(slot) for name, slot in network.slots.items()}} for network in networks.each
    ]
    without = {modality: shift.state() for modality, shift in networks.without.items()}
    values = {"format": FORMAT_VERSION, "networks": entries} | ({"without": without} if without else {})
    write_json(path / PREPROCESS, values)
    atomic_save(nn.ModuleList(network.model for network in networks.each).state_dict(), path / MODEL)


def _encoder_entry(slot: Slot) -> dict[str, Any]:
    own = slot.encoder.learns or not slot.frozen
    frozen = slot if slot.frozen else slot.lower
    return {
        "fingerprint": None if frozen is None else frozen.fingerprint,
        "assets": slot.encoder.assets() if own else None,
    }


def load_networks(path: Path, config: Config, space: LabelSpace, shared: Shared) -> Networks:
    """Read networks back.

    Args:
        path: The run folder.
        config: What they were made by.
        space: The labels.
        shared: Frozen encoders that are loaded already; those loaded here are added.

    Raises:
        RunError: A file is damaged, or a frozen encoder is not there or differs.
    """
    preprocess = read_json(path / PREPROCESS)
    networks = [_untrained(path, config, space, entry["encoders"], shared) for entry in preprocess["networks"]]
    whole = nn.ModuleList(network.model for network in networks)
    try:
        whole.load_state_dict(load_file(path / MODEL))
    except (SafetensorError, RuntimeError) as error:
        raise RunError(
            f"the weights in {path / MODEL} are damaged or of another model: {error}. "
            "Fix: copy the run's folder again, or train again"
        ) from error
    whole.eval().to(best_device())
    shifts: dict[Modality, Any] = preprocess.get("without", {})
    if set(shifts) - MODALITIES:
        raise ValueError(f"rows without {', '.join(sorted(set(shifts) - MODALITIES))}")
    without = {modality: Shift.of_state(state, len(space)) for modality, state in shifts.items()}
    return Networks(config, len(space), tuple(networks), without)


def _untrained(path: Path, config: Config, space: LabelSpace, entries: Mapping[str, Any], shared: Shared) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        slots = {name: _slot(path, name, config, entries[name], shared) for name in config.encoders}
        return Network(slots, build_model(config, slots, len(space)))


def _slot(path: Path, name: str, config: Config, entry: Mapping[str, Any], shared: Shared) -> Slot:
    section = config.encoders[name]
    encoder: Encoder = ENCODERS.build(section.name, section.options)

    def frozen(load: Callable[[], Slot | None]) -> Slot | None:
        key = f"{name} {entry['fingerprint']}"
        if key not in shared:
            slot = _as_it_was(path, name, config, entry["fingerprint"], load)
            if slot is None:
                return None
            shared[key] = slot
        return shared[key]

    if entry["assets"] is None:
        if (slot := frozen(lambda: _loaded(encoder, name, config))) is None:
            raise RunError(f"{path / PREPROCESS} is damaged: it has nothing on the encoder '{name}'")
        return slot
    encoder.restore(entry["assets"])
    return make_slot(
        name, encoder, config, None if section.frozen else frozen(lambda: make_lower(name, encoder, config))
    )


def _loaded(encoder: Encoder, name: str, config: Config) -> Slot:
    encoder.load()
    return make_slot(name, encoder, config)


def _as_it_was(
    path: Path, name: str, config: Config, fingerprint: str | None, load: Callable[[], Slot | None]
) -> Slot | None:
    """A frozen encoder, or the frozen part of one that trained, whose weights are not in the run.

    Args:
        path: The run folder.
        name: The encoder's.
        config: All settings.
        fingerprint: What it must have; `None` where there must be no such part.
        load: Finds its weights on this machine.

    Raises:
        RunError: They are not there, or others.
    """
    section = config.encoders[name]
    try:
        slot = load()
    except WeightsError as error:
        raise RunError(
            f"{path} needs the frozen encoder '{name}' ({section.name}), whose weights are not on this machine: "
            f"{error}\nThe weights must be the very same; where they are found is [encoders.{name}] in {path / CONFIG}"
        ) from error
    here = None if slot is None else slot.fingerprint
    if here != fingerprint:
        raise RunError(
            f"{path} was trained with another encoder '{name}' ({section.name}) than the one on this machine: "
            f"fingerprint {_short(fingerprint)}, here {_short(here)}. "
            f"Fix: install the weights it was trained with; see {path / ENVIRONMENT} for the versions"
        )
    return slot


def _short(fingerprint: str | None) -> str:
    return "none" if fingerprint is None else f"{fingerprint[:12]}..."
