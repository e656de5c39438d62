"""How fast a training goes on this machine, measured over a few of its own steps."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch

from multitag.augment.augmenter import Augmenter
from multitag.checkpoints import Standing
from multitag.config import TrainConfig
from multitag.features.feeder import Feeder
from multitag.inference import batch_rows
from multitag.losses import Loss
from multitag.model import Model
from multitag.progress import silent
from multitag.tasks.base import Task
from multitag.training.epochs import is_due
from multitag.training.run import Run

MOST, LEAST = 20, 2
"""Steps that are timed, after a first one that is not: it makes room and looks for the fastest kernels."""


class Pace(NamedTuple):
    """Seconds that parts of a training take.

    Attributes:
        epoch: An epoch; of scoring what falls to one.
        scoring: Scoring the held-out rows, of that.
    """

    epoch: float
    scoring: float


def measure_pace(
    model: Model,
    loss: Loss,
    task: Task,
    rows: Feeder,
    valid: Feeder,
    settings: TrainConfig,
    *,
    seed: int,
    augmenter: Augmenter | None = None,
    seconds: float = 1.0,
) -> Pace:
    """The pace of `train` with the same arguments; the model has moved afterwards and is of no further use.

    Args:
        model: A model as it is before training.
        loss: What is minimised.
        task: Scores the held-out rows.
        rows: The training rows.
        valid: The held-out rows.
        settings: Those of the training; of stages the last one is timed, where most trains.
        seed: Of order and dropout.
        augmenter: What is done to the rows.
        seconds: About how long to look, for steps and for scoring; two steps at least.
    """
    with torch.random.fork_rng():
        run = Run(model, loss, task, rows, valid, settings, seed, augmenter, None, silent, lambda row: None)
        run.state.standing.stage = len(run.stages) - 1
        run.stepper.model.train()
        run.stages.open(run.state.standing.stage)
        order = torch.randperm(run.length, generator=torch.Generator().manual_seed(seed)).tolist()
        size, times = settings.batch_size, list[float]()
        for number in range(min(MOST, run.steps) + 1):
            started = time.monotonic()
            # Each draws what it drops anew: an encoder does not run in a step that drops its modality.
            run.state.standing.step = number % run.steps
            start = run.state.standing.step * size
            run.take_step(order[start : start + size])
            times.append(time.monotonic() - started)
            if number >= LEAST and sum(times) > seconds:
                break
        timed = times[1:]
        scoring = _scoring(run, valid, seconds)
        lengths, every = run.stages.lengths, settings.validate_every
        scored = sum(is_due(epoch, length, every) for length in lengths for epoch in range(length))
        epoch = run.steps * sum(timed) / len(timed) + scoring * scored / sum(lengths)
        if epoch * (LEAST + 1) > seconds:
            return Pace(epoch, scoring)
        run.state.standing = Standing()
        started = time.monotonic()
        for count in range(1, MOST + 1):  # short epochs as they are, with all that is done between steps
            run.epoch(lambda rows: None)
            if run.state.standing.finished or (count >= LEAST and time.monotonic() - started > seconds):
                break
        return Pace((time.monotonic() - started) / count, scoring)


def _scoring(run: Run, valid: Feeder, seconds: float) -> float:
    """Seconds of scoring all held-out rows: measured on all where that is quick, else on one batch of them."""
    size = min(len(valid), batch_rows(run.bare, valid))
    device = next(run.bare.parameters()).device
    run.bare.eval()
    started = time.monotonic()
    with torch.inference_mode(), run.bare.quick():
        run.bare(valid.batch(range(size)).to(device)).float().cpu()
    whole = (time.monotonic() - started) * len(valid) / max(1, size)
    if whole > seconds:
        return whole
    started = time.monotonic()
    run.score({})
    return time.monotonic() - started
