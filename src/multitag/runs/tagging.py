"""The run folder of a span tagger: as that of a classifier, with a decoder in place of the decision."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load_file

from multitag.checkpoints import atomic_save
from multitag.config import Component
from multitag.decisions import CALIBRATIONS
from multitag.errors import ConfigError, DataError, RunError
from multitag.runs.artifacts import read_config, require_whole, write_run
from multitag.runs.files import read_json, require_format
from multitag.runs.folder import CONFIG, DECISION, HELD_OUT, LABELS, PREPROCESS, write_json, write_text
from multitag.runs.networks import load_networks, save_networks
from multitag.spans import SPAN_DECODERS
from multitag.spans.kept import KeptTexts
from multitag.tagging import Tagging
from multitag.types import LabelSpace


def save_tagging(
    tagging: Tagging,
    folder: str | Path,
    *,
    metrics: Mapping[str, Any] | None = None,
    history: Sequence[Mapping[str, Any]] | None = None,
) -> None:
    """Write a fitted span tagger in place of a run that the folder may hold.

    Of texts that the decoder was fitted on, it keeps where words stand, not the words.

    Raises:
        RunError: The folder cannot be written.
    """

    def write(path: Path) -> None:
        write_text(path / CONFIG, tagging.config.dump())
        write_json(path / LABELS, list(tagging.space.names))
        held = {} if tagging.held_out is None else tagging.held_out.arrays(tagging.space)
        rows = {"trained_on": tagging.trained_on, **held}
        atomic_save({key: torch.from_numpy(value.copy()) for key, value in rows.items()}, path / HELD_OUT)
        save_decoder(tagging, path)
        save_networks(tagging.networks, path)

    write_run(folder, write, metrics=metrics, history=history)


def save_decoder(tagging: Tagging, folder: Path) -> None:
    """Write calibration and decoder alone: the decoder can be changed after training.

    What stands here counts; the configuration's own section is that of the training.
    """
    section = tagging.config.decoder
    if section is None:
        raise ValueError("a span tagger's configuration has no [decoder]")
    decoder = {"name": section.name, "options": section.options, "state": tagging.decoder.state()}
    write_json(folder / DECISION, {"calibration": tagging.calibration.state(), "decoder": decoder})


def load_tagging(folder: str | Path) -> Tagging:
    """Read a run folder back; the same rows get the same spans.

    Raises:
        RunError: The folder is missing, cut short or damaged, of a newer format or of another task, or a frozen encoder
            is not there or differs.
    """
    path = Path(folder)
    require_whole(path)
    require_format(path / PREPROCESS)
    try:
        config = read_config(path)
        if config.task != "spans" or config.decoder is None:
            raise RunError(f"the run in {path} gives label sets, not spans. Fix: Classifier.load")
        space = LabelSpace(tuple(read_json(path / LABELS)))
        saved = read_json(path / DECISION)
        calibration, decoder, state = config.calibration, config.decoder, saved["decoder"]
        if "state" in state:  # else of a run whose decoder is that of its training
            resolved = SPAN_DECODERS.resolve(state["name"], state["options"])
            decoder, state = Component.model_validate({"name": state["name"], **resolved}), state["state"]
        try:
            held = load_file(path / HELD_OUT)
        except SafetensorError as error:
            raise RunError(f"{path / HELD_OUT} is damaged: {error}") from error
        tagging = Tagging(
            config.model_copy(update={"decoder": decoder}),
            space,
            load_networks(path, config, space, {}),
            CALIBRATIONS.build(calibration.name, calibration.options).load_state(saved["calibration"]),
            SPAN_DECODERS.build(decoder.name, decoder.options, space).load_state(state),
            held["trained_on"].astype(np.int64),
            KeptTexts.from_arrays(held, space),
        )
        tagging.decoder.apply(tagging.kept(1))  # of as many labels as the model, or an error now
    except (KeyError, IndexError, TypeError, AttributeError, ValueError, ConfigError, DataError) as error:
        raise RunError(f"the run in {path} is damaged: {type(error).__name__}: {error}") from error
    return tagging
