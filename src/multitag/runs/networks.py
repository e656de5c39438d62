"""Networks in a run folder: their weights, and what their encoders need to be built again."""

from __future__ import annotations

from collections.abc import Mapping
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
from multitag.features.slots import Slot, make_slot
from multitag.model import build_model
from multitag.networks import Network, Networks, best_device
from multitag.runs.files import FORMAT_VERSION, read_json
from multitag.runs.folder import CONFIG, ENVIRONMENT, MODEL, PREPROCESS, write_json
from multitag.types import LabelSpace

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
    write_json(path / PREPROCESS, {"format": FORMAT_VERSION, "networks": entries})
    atomic_save(nn.ModuleList(network.model for network in networks.each).state_dict(), path / MODEL)


def _encoder_entry(slot: Slot) -> dict[str, Any]:
    own = slot.encoder.learns or not slot.frozen
    return {
        "fingerprint": slot.fingerprint if slot.frozen else None,
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
    return Networks(config, len(space), tuple(networks))


def _untrained(path: Path, config: Config, space: LabelSpace, entries: Mapping[str, Any], shared: Shared) -> Network:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        slots = {name: _slot(path, name, config, entries[name], shared) for name in config.encoders}
        return Network(slots, build_model(config, slots, len(space)))


def _slot(path: Path, name: str, config: Config, entry: Mapping[str, Any], shared: Shared) -> Slot:
    if entry["assets"] is not None:
        return _restore_slot(path, name, config, entry)
    key = f"{name} {entry['fingerprint']}"
    if key not in shared:
        shared[key] = _restore_slot(path, name, config, entry)
    return shared[key]


def _restore_slot(path: Path, name: str, config: Config, entry: Mapping[str, Any]) -> Slot:
    section = config.encoders[name]
    encoder: Encoder = ENCODERS.build(section.name, section.options)
    if entry["assets"] is not None:
        encoder.restore(entry["assets"])
        return make_slot(name, encoder, config)
    try:
        encoder.load()
    except WeightsError as error:
        raise RunError(
            f"{path} needs the frozen encoder '{name}' ({section.name}), whose weights are not on this machine: "
            f"{error}\nThe weights must be the very same; where they are found is [encoders.{name}] in {path / CONFIG}"
        ) from error
    slot = make_slot(name, encoder, config)
    if slot.fingerprint != entry["fingerprint"]:
        raise RunError(
            f"{path} was trained with another encoder '{name}' ({section.name}) than the one on this machine: "
            f"fingerprint {entry['fingerprint'][:12]}..., here {slot.fingerprint[:12]}.... "
            f"Fix: install the weights it was trained with; see {path / ENVIRONMENT} for the versions"
        )
    return slot
