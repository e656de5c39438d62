"""Logits of rows, batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from multitag.features.feeder import Feeder
from multitag.memory import keep_freed
from multitag.model import Model
from multitag.progress import Progress, silent
from multitag.tasks.base import Logits

BATCH_ROWS = 256
LIVE_BATCH_ROWS, UPPER_BATCH_ROWS = 32, 64
"""Where encoders run on files, and where their upper parts run on stored states."""
FEW_ROWS = 8
"""On features of so few rows one thread is faster: several wait for each other longer than they compute."""


def predict_logits(model: Model, feeder: Feeder, labels: int, *, progress: Progress = silent) -> Logits:
    """The model's logits for the feeder's rows, in their order; batches change nothing but the speed.

    Encoders that train compute as of `Model.quick`: that is more than twice as fast, and logits differ by some
    hundredths at most.

    (N, K), or of a model of tokens (N, T, K), NaN after the last token of a batch.

    Args:
        model: The model; its mode is left as it was.
        feeder: N rows.
        labels: K.
        progress: Told about rows done.
    """
    if len(model.encoders):  # without them little is freed, and a service holds no more than it must
        keep_freed()
    size = batch_rows(model, feeder)
    device = next(model.parameters()).device
    parts: list[tuple[Sequence[int], Logits]] = []
    training, threads = model.training, torch.get_num_threads()
    model.eval()
    if not len(model.encoders) and len(feeder) <= FEW_ROWS:
        torch.set_num_threads(1)
    try:
        with torch.inference_mode(), model.quick(), progress("predicting", len(feeder)) as advance:
            for start in range(0, len(feeder), size):
                rows = range(start, min(start + size, len(feeder)))
                parts.append((rows, model(feeder.batch(rows).to(device)).float().cpu().numpy()))
                advance(len(rows))
    finally:
        model.train(training)
        torch.set_num_threads(threads)
    return gathered(len(feeder), labels, parts)


def batch_rows(model: Model, feeder: Feeder) -> int:
    """How many rows go through the model at once."""
    if not len(model.encoders):
        return BATCH_ROWS
    upper = all(feeder.slots[name].lower is not None for name in model.encoders)
    return UPPER_BATCH_ROWS if upper else LIVE_BATCH_ROWS


def gathered(rows: int, labels: int, parts: Iterable[tuple[Sequence[int] | npt.NDArray[Any], Logits]]) -> Logits:
    """Logits (N, K) of rows out of those of parts of them; (N, T, K) with the most tokens of any part, NaN beyond.

    Args:
        rows: N.
        labels: K, where there is no part.
        parts: The places of rows, and their logits.
    """
    given = list(parts)
    if all(logits.ndim == 2 for _, logits in given):
        whole: Logits = np.zeros((rows, labels), np.float32)
        for places, logits in given:
            whole[places] = logits
        return whole
    longest = max(logits.shape[1] for _, logits in given)
    whole = np.full((rows, longest, given[0][1].shape[2]), np.nan, np.float32)
    for places, logits in given:
        whole[places, : logits.shape[1]] = logits
    return whole
