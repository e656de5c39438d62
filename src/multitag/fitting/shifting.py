"""How logits of rows that lack a picture, or a text, are to be shifted, learned on rows that have it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from multitag.combiners import COMBINERS
from multitag.config import Config
from multitag.decisions import CALIBRATIONS
from multitag.decisions.calibration import Calibration
from multitag.features.rows import Rows
from multitag.lacking import Shift
from multitag.tasks.base import Logits, Targets
from multitag.types import MODALITIES, BoolArray, Modality

LEAST_ROWS = 50
"""On fewer rows that have a picture, or a text, nothing is learned of rows that have nothing else."""
_Line = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def taken_away(config: Config) -> tuple[Modality, ...]:
    """What networks are asked to do without: what rows to be labelled may lack, where anything can be learned of it.

    Nothing where only one of pictures and texts is read, or where answers are neither calibrated nor stacked.
    """
    learns = joined_by_modality(config) or config.calibration.name != "none"
    return ("image", "text") if learns and config.task == "labels" and config.modalities == MODALITIES else ()


def joined_by_modality(config: Config) -> bool:
    """Whether it is an ensemble with a combiner of its own for rows that lack something."""
    return config.ensemble is not None and bool(COMBINERS.get(config.ensemble.combiner.name).by_modality)


def left_rows(rows: Rows, modality: Modality, gold: Targets) -> BoolArray | None:
    """(N,), which rows have something left where the modality is taken away; `None` where they are too few."""
    left = rows.have("text" if modality == "image" else "image")
    return left if _labelled(left, gold) >= LEAST_ROWS else None


def complete_rows(rows: Rows, gold: Targets) -> BoolArray:
    """(N,), which rows have both; all, where those are too few."""
    complete = rows.have("image") & rows.have("text")
    return complete if _labelled(complete, gold) >= LEAST_ROWS else np.ones(len(rows), bool)


def fit_shifts(
    config: Config, rows: Rows, gold: Targets, known: Logits, without: Mapping[Modality, Logits]
) -> dict[Modality, Shift]:
    """The shifts after which rows that lack something are as well calibrated as complete ones.

    Each is the line of the calibration fitted on the rows with it taken away, followed by the inverse of that of
    complete rows.

    Args:
        config: Says which calibration.
        rows: N rows.
        gold: (N, K).
        known: Logits (N, K), none by a network that was trained on the row.
        without: Likewise, of the rows with their pictures, or texts, taken away.
    """
    read = config.modalities  # what a model does not read, it does not miss
    if config.calibration.name == "none" or not read & set(without):
        return {}
    own = complete_rows(rows, gold)
    slopes, offsets = _line(config, known[own], gold[own])
    found = {}
    for modality, logits in without.items():
        left = None if modality not in read else left_rows(rows, modality, gold)
        if left is not None:
            slope, offset = _line(config, logits[left], gold[left])
            found[modality] = Shift(slope / slopes, (offset - offsets) / slopes)
    return found


def _labelled(rows: BoolArray, gold: Targets) -> int:
    return int((rows & ~np.isnan(gold).all(axis=1)).sum())


def _line(config: Config, logits: Logits, gold: Targets) -> _Line:
    """Slopes and offsets (K,) of a calibration fitted on the logits."""
    calibration: Calibration = CALIBRATIONS.build(config.calibration.name, config.calibration.options)
    return calibration.fit(logits, gold).line(logits.shape[1])
