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
from multitag.decisions import CALIBRATIONS
from multitag.errors import DataError, RunError
from multitag.runs.artifacts import read_config, require_whole, write_run
from multitag.runs.files import read_json, require_format
from multitag.runs.folder import CONFIG, DECISION, HELD_OUT, LABELS, PREPROCESS, write_json, write_text
from multitag.runs.networks import load_networks, save_networks
from multitag.spans import SPAN_DECODERS
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

    Texts that the decoder was fitted on are not kept, so it cannot be fitted anew.

    Raises:
        RunError: The folder cannot be written.
    """

    def write(path: Path) -> None:
        write_text(path / CONFIG, tagging.config.dump())
        write_json(path / LABELS, list(tagging.space.names))
        atomic_save({"trained_on": torch.from_numpy(tagging.trained_on)}, path / HELD_OUT)
        state = {"calibration": tagging.calibration.state(), "decoder": tagging.decoder.state()}
        write_json(path / DECISION, state)
        save_networks(tagging.networks, path)

    write_run(folder, write, metrics=metrics, history=history)


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
        section = config.calibration
        return Tagging(
            config,
            space,
            load_networks(path, config, space, {}),
            CALIBRATIONS.build(section.name, section.options).load_state(saved["calibration"]),
            SPAN_DECODERS.build(config.decoder.name, config.decoder.options, space).load_state(saved["decoder"]),
            load_file(path / HELD_OUT)["trained_on"].astype(np.int64),
        )
    except (KeyError, TypeError, AttributeError, ValueError, DataError, SafetensorError) as error:
        raise RunError(f"the run in {path} is damaged: {type(error).__name__}: {error}") from error
