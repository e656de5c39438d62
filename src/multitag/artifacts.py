"""The run folder: everything a trained model is, as TOML, JSON and safetensors. Reading it never runs code."""

from __future__ import annotations

import json
import os
import platform
import time
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays
from safetensors.torch import load_file

import multitag
from multitag.checkpoints import atomic_save
from multitag.config import Config
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.encoders import ENCODERS, Encoder
from multitag.errors import RunError, WeightsError
from multitag.features.slots import Slot, make_slot
from multitag.model import build_model
from multitag.pipeline import HeldOut, Pipeline
from multitag.types import LabelSpace

FORMAT_VERSION = 1
CONFIG, LABELS, MODEL, DECISION = "config.toml", "labels.json", "model.safetensors", "decision.json"
PREPROCESS, HISTORY, METRICS, ENVIRONMENT = (
    "preprocess.json",
    "history.jsonl",
    "metrics.json",
    "environment.json",
)
HELD_OUT = "held_out.safetensors"
NEEDED = (CONFIG, LABELS, PREPROCESS, HELD_OUT, DECISION, MODEL)
CHECKPOINTS = "checkpoints"


def write_text(path: Path, text: str) -> None:
    """Write a file in one step: a killed process leaves the old one or the new one, whole."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    with open(temporary, "w", encoding="utf-8", newline="\n") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())
    os.replace(temporary, path)


def write_json(path: Path, value: Any) -> None:
    """Write JSON in one step; floats keep every digit."""
    write_text(path, json.dumps(value, ensure_ascii=False, indent=1, allow_nan=False) + "\n")


def save_run(
    pipeline: Pipeline,
    folder: str | Path,
    *,
    metrics: Mapping[str, Any] | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write a fitted pipeline; the weights come last, so that a folder with weights is a whole one.

    Args:
        pipeline: What to write.
        folder: Where; made where it is not there.
        metrics: What was measured on the validation rows, with times and sizes.
        history: A row for each epoch.
    """
    path = Path(folder)
    path.mkdir(parents=True, exist_ok=True)
    write_text(path / CONFIG, pipeline.config.dump())
    write_json(path / LABELS, list(pipeline.space.names))
    write_json(path / ENVIRONMENT, environment())
    write_json(
        path / PREPROCESS,
        {
            "format": FORMAT_VERSION,
            "encoders": {name: _encoder_entry(slot) for name, slot in pipeline.slots.items()},
        },
    )
    atomic_save(
        {
            "logits": torch.from_numpy(pipeline.held_out.logits),
            "gold": torch.from_numpy(pipeline.held_out.gold),
        },
        path / HELD_OUT,
    )
    save_decision(pipeline, path)
    if metrics is not None:
        write_json(path / METRICS, metrics)
    if history is not None:
        write_text(path / HISTORY, "".join(json.dumps(row) + "\n" for row in history))
    atomic_save(pipeline.model.state_dict(), path / MODEL)


def save_decision(pipeline: Pipeline, folder: Path) -> None:
    """Write calibration and decision alone: they can be changed after training."""
    config = pipeline.config
    write_json(
        folder / DECISION,
        {
            "always_labelled": pipeline.held_out.always_labelled,
            "calibration": {
                "name": config.calibration.name,
                "options": config.calibration.options,
                "state": pipeline.calibration.state(),
            },
            "decision": {
                "name": config.decision.name,
                "options": config.decision.options,
                "state": pipeline.decision.state(),
            },
        },
    )


def _encoder_entry(slot: Slot) -> dict[str, Any]:
    own = slot.encoder.learns or not slot.frozen
    return {
        "fingerprint": slot.fingerprint if slot.frozen else None,
        "assets": slot.encoder.assets() if own else None,
    }


def load_run(folder: str | Path) -> Pipeline:
    """Read a run folder back; the same rows get the same probabilities.

    Raises:
        RunError: The folder is missing or cut short, of a newer format, or a frozen encoder is not there or differs.
    """
    path = Path(folder)
    _require_whole(path)
    config = Config.read(path / CONFIG)
    space = LabelSpace(tuple(_read_json(path / LABELS)))
    preprocess = _read_json(path / PREPROCESS)
    if preprocess.get("format", 0) > FORMAT_VERSION:
        raise RunError(
            f"{path} was written by a newer multitag (format {preprocess['format']}, this one reads up to "
            f"{FORMAT_VERSION}). Fix: upgrade multitag"
        )
    slots = {name: _restore_slot(path, name, config, preprocess["encoders"][name]) for name in config.encoders}
    with torch.random.fork_rng():
        model = build_model(config, slots, len(space))
    try:
        model.load_state_dict(load_file(path / MODEL))
        held = load_arrays(path / HELD_OUT)
    except (SafetensorError, RuntimeError) as error:
        raise RunError(f"the weights in {path} are damaged or of another model: {error}") from error
    saved = _read_json(path / DECISION)
    calibration = CALIBRATIONS.build(saved["calibration"]["name"], saved["calibration"]["options"])
    decision = DECISIONS.build(saved["decision"]["name"], saved["decision"]["options"])
    held_out = HeldOut(held["logits"].astype(np.float32), held["gold"].astype(np.float32), saved["always_labelled"])
    return Pipeline(
        config,
        space,
        slots,
        model.eval(),
        held_out,
        calibration.load_state(saved["calibration"]["state"]),
        decision.load_state(saved["decision"]["state"]),
    )


def _require_whole(path: Path) -> None:
    if not path.is_dir():
        raise RunError(f"the run folder {path} does not exist")
    lacking = [name for name in NEEDED if not (path / name).is_file()]
    if not lacking:
        return
    if (path / CHECKPOINTS).is_dir():
        raise RunError(f"{path} holds a training that did not finish. Fix: run it again with --resume")
    raise RunError(
        f"{path} is not a whole run folder: it lacks {', '.join(lacking)}. "
        f"Fix: give the folder that 'multitag train --out' wrote"
    )


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
            f"{path} needs the frozen encoder '{name}' ({section.name}), which is not on this machine: {error}"
        ) from error
    slot = make_slot(name, encoder, config)
    if slot.fingerprint != entry["fingerprint"]:
        raise RunError(
            f"{path} was trained with another encoder '{name}' ({section.name}) than the one on this machine: "
            f"fingerprint {entry['fingerprint'][:12]}..., here {slot.fingerprint[:12]}.... "
            f"Fix: install the weights it was trained with; see {path / ENVIRONMENT} for the versions"
        )
    return slot


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise RunError(f"{path} is damaged: {error}") from error


def environment() -> dict[str, Any]:
    """What a run was made with: versions, machine, time."""
    packages = ("torch", "transformers", "numpy", "scikit-learn", "pillow", "accelerate", "safetensors")
    return {
        "multitag": multitag.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": {name: metadata.version(name) for name in packages},
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
