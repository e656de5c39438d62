"""The run folder: everything a trained model is, as TOML, JSON and safetensors. Reading it never runs code."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file as load_arrays

from multitag.checkpoints import atomic_save
from multitag.combined import Combined
from multitag.combiners import COMBINERS, Combiner
from multitag.config import Component, Config
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.decisions.base import Decision
from multitag.decisions.calibration import Calibration
from multitag.errors import ConfigError, DataError, RunError
from multitag.networks import Networks
from multitag.pipeline import NO_KEYS, HeldOut, Pipeline, Scorer, decided
from multitag.runs.card import model_card
from multitag.runs.files import FORMAT_VERSION, environment, json_line, read_json, require_format
from multitag.runs.folder import (
    CARD,
    COMBINER,
    CONFIG,
    DECISION,
    ENVIRONMENT,
    HELD_OUT,
    HISTORY,
    LABELS,
    MEMBERS,
    METRICS,
    PREPROCESS,
    is_started,
    lacking,
    replace_run,
    write_json,
    write_text,
)
from multitag.runs.networks import Shared, load_networks, save_networks
from multitag.types import MODALITIES, LabelSpace, Modality

_LAST = "store"
"""The section that a configuration ends with."""


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

    write_run(folder, lambda path: _write(pipeline, path), metrics=metrics, history=history)


def write_run(
    folder: str | Path,
    inner: Callable[[Path], None],
    *,
    metrics: Mapping[str, Any] | None,
    history: Sequence[Mapping[str, Any]] | None,
) -> None:
    """Write a run, its model card included, in place of one that the folder may hold, which stays until it is complete.

    Args:
        folder: Where; made where it is not there.
        inner: Writes the model into a folder that it is given.
        metrics: As of `save_run`.
        history: As of `save_run`.

    Raises:
        RunError: The folder cannot be written.
    """

    def write(path: Path) -> None:
        inner(path)
        made_with = environment()
        write_json(path / ENVIRONMENT, made_with)
        if metrics is not None:
            write_json(path / METRICS, metrics)
        if history is not None:
            write_text(path / HISTORY, "".join(json_line(row) for row in history))
        config, labels = Config.read(path / CONFIG), read_json(path / LABELS)
        write_text(path / CARD, model_card(Path(folder).resolve().name, config, labels, metrics, made_with))

    replace_run(Path(folder), write)


def _write(pipeline: Pipeline, path: Path) -> None:
    write_text(path / CONFIG, pipeline.config.dump())
    write_json(path / LABELS, list(pipeline.space.names))
    held, trained_on = pipeline.held_out, torch.from_numpy(pipeline.trained_on)
    rows = {"logits": torch.from_numpy(held.logits), "gold": torch.from_numpy(held.gold), "trained_on": trained_on}
    if len(held.rows):
        rows["held_rows"] = torch.from_numpy(held.rows)
    if len(pipeline.pseudo_labelled):
        rows["pseudo_labelled"] = torch.from_numpy(pipeline.pseudo_labelled)
    atomic_save(rows, path / HELD_OUT)
    save_decision(pipeline, path)
    if isinstance(pipeline.scorer, Combined):
        _write_members(pipeline.scorer, path)
    elif isinstance(pipeline.scorer, Networks):
        save_networks(pipeline.scorer, path)
    else:
        raise TypeError(f"a {type(pipeline.scorer).__name__} cannot be written to a run folder")


def _write_members(scorer: Combined, path: Path) -> None:
    """Each member is a run folder of its own, which any command can open."""
    for name, member in scorer.members.items():
        folder = path / MEMBERS / name
        folder.mkdir(parents=True)
        _write(member, folder)
    write_json(path / PREPROCESS, {"format": FORMAT_VERSION, "members": list(scorer.members)})
    without = {modality: combiner.state() for modality, combiner in scorer.without.items()}
    write_json(path / COMBINER, scorer.combiner.state() | ({"without": without} if without else {}))


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


def load_run(folder: str | Path) -> Pipeline:
    """Read a run folder back; the same rows get the same probabilities.

    Raises:
        RunError: The folder is missing, cut short or damaged, of a newer format, or a frozen encoder is not there or
            differs.
    """
    path = Path(folder)
    require_whole(path)
    require_format(path / PREPROCESS)
    try:
        return _assemble(path, {})
    except (KeyError, TypeError, AttributeError, ValueError, DataError) as error:
        raise RunError(f"the run in {path} is damaged: {type(error).__name__}: {error}") from error


def _assemble(path: Path, shared: Shared) -> Pipeline:
    config = read_config(path)
    if config.task != "labels":
        raise RunError(f"the run in {path} gives {config.task}, not label sets. Fix: SpanTagger.load")
    space = LabelSpace(tuple(read_json(path / LABELS)))
    scorer: Scorer
    if config.ensemble is None:
        scorer = load_networks(path, config, space, shared)
    else:
        scorer = _load_members(path, config.ensemble.combiner, space, shared)
    try:
        held = load_arrays(path / HELD_OUT)
    except SafetensorError as error:
        raise RunError(f"{path / HELD_OUT} is damaged: {error}") from error
    saved = read_json(path / DECISION)
    logits, gold = held["logits"].astype(np.float32), held["gold"].astype(np.float32)
    if logits.shape != gold.shape or logits.shape[1:] != (len(space),):
        raise RunError(f"{path / HELD_OUT} is not of the {len(space)} labels in {path / LABELS}")
    calibration: Calibration = _fitted(CALIBRATIONS, saved["calibration"])
    decision: Decision = _fitted(DECISIONS, saved["decision"])
    decision.apply(calibration.apply(logits[:1]))  # of as many labels as the model, or an error now
    config = decided(config, saved["decision"]["name"], saved["decision"]["options"])
    held_rows = held.get("held_rows", NO_KEYS).astype(np.int64)
    if len(held_rows) not in (0, len(logits)):
        raise RunError(f"{path / HELD_OUT} is damaged: {len(held_rows)} keys of {len(logits)} rows")
    held_out = HeldOut(logits, gold, bool(saved["always_labelled"]), held_rows)
    pseudo_labelled = held.get("pseudo_labelled", NO_KEYS).astype(np.int64)
    trained_on = held["trained_on"].astype(np.int64)
    return Pipeline(config, space, scorer, held_out, calibration, decision, trained_on, pseudo_labelled)


def _load_members(path: Path, section: Component, space: LabelSpace, shared: Shared) -> Combined:
    names = read_json(path / PREPROCESS)["members"]
    members = {name: _assemble(path / MEMBERS / name, shared) for name in names}
    if any(member.space != space for member in members.values()):
        raise RunError(f"the members in {path / MEMBERS} do not all know the labels in {path / LABELS}")
    saved = read_json(path / COMBINER)
    without: dict[Modality, Any] = saved.get("without", {})
    if set(without) - MODALITIES:
        raise ValueError(f"rows without {', '.join(sorted(set(without) - MODALITIES))}")

    def combiner(state: Mapping[str, Any]) -> Combiner:
        built: Combiner = COMBINERS.build(section.name, section.options, len(members))
        return built.load_state(state)

    return Combined(members, combiner(saved), {modality: combiner(state) for modality, state in without.items()})


def _fitted(registry: Any, saved: Mapping[str, Any]) -> Any:
    return registry.build(saved["name"], saved["options"]).load_state(saved["state"])


def require_whole(path: Path) -> None:
    """Refuse a folder that is no whole run.

    Raises:
        RunError: It is not there, or lacks files.
    """
    if not path.is_dir():
        raise RunError(f"the run folder {path} does not exist")
    missing = lacking(path)
    if not missing:
        return
    if is_started(path):
        raise RunError(f"{path} holds a training that did not finish. Fix: run it again with --resume")
    raise RunError(
        f"{path} is not a whole run folder: it lacks {', '.join(missing)}. "
        f"Fix: give the folder that 'multitag train --out' wrote"
    )


def read_config(path: Path) -> Config:
    """The configuration; a store that is not on this machine is replaced by the usual one."""
    try:
        config = Config.read(path / CONFIG)
    except ConfigError as error:
        raise RunError(f"{path / CONFIG} is damaged: {error}") from error
    if _LAST not in tomllib.loads((path / CONFIG).read_text("utf-8")):  # half a TOML file may well be one
        raise RunError(f"{path / CONFIG} is damaged: its end is missing, where [{_LAST}] is")
    if config.store.path == "auto" or Path(config.store.path).is_dir():
        return config
    return config.model_copy(update={"store": config.store.model_copy(update={"path": "auto"})})
