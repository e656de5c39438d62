"""Logits of rows, batch by batch."""

from __future__ import annotations

import numpy as np
import torch

from multitag.features.feeder import Feeder
from multitag.model import Model
from multitag.progress import Progress, silent
from multitag.tasks.base import Logits

BATCH_ROWS = 256
LIVE_BATCH_ROWS = 32


def predict_logits(model: Model, feeder: Feeder, labels: int, *, progress: Progress = silent) -> Logits:
    """The model's logits (N, K) for the feeder's rows, in their order; batches change nothing but the speed.

    Args:
        model: The model; its mode is left as it was.
        feeder: N rows.
        labels: K.
        progress: Told about rows done.
    """
    size = LIVE_BATCH_ROWS if len(model.encoders) else BATCH_ROWS
    device = next(model.parameters()).device
    logits = np.empty((len(feeder), labels), np.float32)
    training = model.training
    model.eval()
    try:
        with torch.inference_mode(), progress("predicting", len(feeder)) as advance:
            for start in range(0, len(feeder), size):
                rows = range(start, min(start + size, len(feeder)))
                logits[start : rows.stop] = model(feeder.batch(rows).to(device)).float().cpu().numpy()
                advance(len(rows))
    finally:
        model.train(training)
    return logits
