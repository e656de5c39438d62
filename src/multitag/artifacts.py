"""The run folder: everything a trained model is, as TOML, JSON and safetensors. Reading it never runs code."""

from __future__ import annotations

import json
import math
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
from multitag.decisions.base import Decision
from multitag.decisions.calibration import Calibration
from multitag.encoders import ENCODERS, Encoder
from multitag.errors import ConfigError, DataError, RunError, WeightsError
from multitag.features.slots import Slot, make_slot
from multitag.model import build_model
from multitag.pipeline import HeldOut, Pipeline, best_device, decided
from multitag.run_folder import (
    CONFIG,
    DECISION,
    ENVIRONMENT,
    HELD_OUT,
    HISTORY,
    LABELS,
    METRICS,
    MODEL,
    NEEDED,
    PREPROCESS,
    is_started,
    replace_run,
    write_json,
    write_text,
)
from multitag.types import LabelSpace

FORMAT_VERSION = 1


def save_run(
    pipeline: Pipeline,
    folder: str | Path,
    *,
    metrics: Mapping[str, Any] | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write a fitted pipeline in place of a run that the folder may hold, which stays until the new one is complete.

    Args:
        pipeline: What to write.
        folder: Where; made where it is not there.
        metrics: What was measured on the validation rows, with times and sizes.
        history: A row for each epoch.

    Raises:
        RunError: The folder cannot be written.
    """
    entries = {name: _encoder_entry(slot) for name, slot in pipeline.slots.items()}
    held = pipeline.held_out

    def write(path: Path) -> None:
        write_text(path / CONFIG, pipeline.config.dump())
        write_json(path / LABELS, list(pipeline.space.names))
        write_json(path / ENVIRONMENT, environment())
        write_json(path / PREPROCESS, {"format": FORMAT_VERSION, "encoders": entries})
        atomic_save({"logits": torch.from_numpy(held.logits), "gold": torch.from_numpy(held.gold)}, path / HELD_OUT)
        save_decision(pipeline, path)
        if metrics is not None:
            write_json(path / METRICS, metrics)
        if history is not None:
            write_text(path / HISTORY, "".join(json.dumps(_strict(row), allow_nan=False) + "\n" for row in history))
        atomic_save(pipeline.model.state_dict(), path / MODEL)

    replace_run(Path(folder), write)


def save_decision(pipeline: Pipeline, folder: Path) -> None:
    """Write calibration and decision alone: they can be changed after training.

    What stands here counts; the configuration's own sections are those of the training.
    """
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


def _strict(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row for JSON, which has no NaN."""
    return {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in row.items()}


def _encoder_entry(slot: Slot) -> dict[str, Any]:
    own = slot.encoder.learns or not slot.frozen
    return {
        "fingerprint": slot.fingerprint if slot.frozen else None,
        "assets": slot.encoder.assets() if own else None,
    }


def load_run(folder: str | Path) -> Pipeline:
    """Read a run folder back; the same rows get the same probabilities.

    Raises:
        RunError: The folder is missing, cut short or damaged, of a newer format, or a frozen encoder is not there or
            differs.
    """
    path = Path(folder)
    _require_whole(path)
    preprocess = _read_json(path / PREPROCESS)
    _require_format(path, preprocess)
    try:
        return _assemble(path, preprocess)
    except (KeyError, TypeError, AttributeError, ValueError, DataError) as error:
        raise RunError(f"the run in {path} is damaged: {type(error).__name__}: {error}") from error


def _assemble(path: Path, preprocess: Mapping[str, Any]) -> Pipeline:
    config = _read_config(path)
    space = LabelSpace(tuple(_read_json(path / LABELS)))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        slots = {name: _restore_slot(path, name, config, preprocess["encoders"][name]) for name in config.encoders}
        model = build_model(config, slots, len(space))
    try:
        model.load_state_dict(load_file(path / MODEL))
    except (SafetensorError, RuntimeError) as error:
        raise RunError(f"the weights in {path / MODEL} are damaged or of another model: {error}") from error
    try:
        held = load_arrays(path / HELD_OUT)
    except SafetensorError as error:
        raise RunError(f"{path / HELD_OUT} is damaged: {error}") from error
    saved = _read_json(path / DECISION)
    logits, gold = held["logits"].astype(np.float32), held["gold"].astype(np.float32)
    if logits.shape != gold.shape or logits.shape[1:] != (len(space),):
        raise RunError(f"{path / HELD_OUT} is not of the {len(space)} labels in {path / LABELS}")
    calibration: Calibration = _fitted(CALIBRATIONS, saved["calibration"])
    decision: Decision = _fitted(DECISIONS, saved["decision"])
    decision.apply(calibration.apply(logits[:1]))  # of as many labels as the model, or an error now
    config = decided(config, saved["decision"]["name"], saved["decision"]["options"])
    held_out = HeldOut(logits, gold, bool(saved["always_labelled"]))
    return Pipeline(config, space, slots, model.eval().to(best_device()), held_out, calibration, decision)


def _fitted(registry: Any, saved: Mapping[str, Any]) -> Any:
    return registry.build(saved["name"], saved["options"]).load_state(saved["state"])


def _require_whole(path: Path) -> None:
    if not path.is_dir():
        raise RunError(f"the run folder {path} does not exist")
    lacking = [name for name in NEEDED if not (path / name).is_file()]
    if not lacking:
        return
    if is_started(path):
        raise RunError(f"{path} holds a training that did not finish. Fix: run it again with --resume")
    raise RunError(
        f"{path} is not a whole run folder: it lacks {', '.join(lacking)}. "
        f"Fix: give the folder that 'multitag train --out' wrote"
    )


def _require_format(path: Path, preprocess: Any) -> None:
    version = preprocess.get("format") if isinstance(preprocess, dict) else None
    if not isinstance(version, int):
        raise RunError(f"{path / PREPROCESS} is damaged: it does not say of which format it is")
    if version > FORMAT_VERSION:
        raise RunError(
            f"{path} was written by a newer multitag (format {version}, this one reads up to {FORMAT_VERSION}). "
            f"Fix: upgrade multitag"
        )


def _read_config(path: Path) -> Config:
    """The configuration; a store that is not on this machine is replaced by the usual one."""
    try:
        config = Config.read(path / CONFIG)
    except ConfigError as error:
        raise RunError(f"{path / CONFIG} is damaged: {error}") from error
    if config.store.path == "auto" or Path(config.store.path).is_dir():
        return config
    return config.model_copy(update={"store": config.store.model_copy(update={"path": "auto"})})


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


def read_record(folder: str | Path) -> tuple[dict[str, Any] | None, list[dict[str, Any]] | None]:
    """The metrics and the history of a run; `None` for what the folder does not hold.

    Raises:
        RunError: A file is damaged.
    """
    path = Path(folder)
    metrics = _read_json(path / METRICS) if (path / METRICS).is_file() else None
    if not (path / HISTORY).is_file():
        return metrics, None
    try:
        return metrics, [json.loads(line) for line in (path / HISTORY).read_text("utf-8").splitlines() if line]
    except ValueError as error:
        raise RunError(f"{path / HISTORY} is damaged: {error}") from error


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
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
