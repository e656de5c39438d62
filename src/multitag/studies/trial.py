"""One trial of a search: train, tell each epoch's score, give the score of rows that were not trained on."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from multitag.config import Config
from multitag.config.train import LAST
from multitag.fitting.fit import fit
from multitag.metrics import METRICS
from multitag.studies.material import Material, Part
from multitag.workers import Ask

_BETWEEN = 1000
"""Steps from one network's first epoch to the next network's: networks of one fold are compared with each other."""


@dataclass(frozen=True)
class TrialJob:
    """What a worker is to try.

    Attributes:
        number: The trial's.
        config: All settings.
        metric: The score wanted.
        by_epochs: Whether steps count epochs, whatever network they are of.
    """

    number: int
    config: Config
    metric: str
    by_epochs: bool


class Stopped(Exception):
    """The trial is worse than others were at the same point."""


def run_trial(material: Material, job: TrialJob, ask: Ask) -> dict[str, Any] | None:
    """Train and score; `None` for a trial that was stopped early.

    Raises:
        MultitagError: The training diverged, or the settings do not go together.
    """
    up = METRICS.get(job.metric).greater_is_better
    networks: dict[tuple[Any, Any], int] = {}
    epochs = 0

    def on_epoch(row: dict[str, Any]) -> None:
        nonlocal epochs
        epochs += 1
        score = epoch_score(row, job.config.train.monitor)
        network = networks.setdefault((row.get("member"), row.get("model")), len(networks))
        step = epochs if job.by_epochs else network * _BETWEEN + row["epoch"]
        if score is not None and ask((step, score if up else -score)):
            raise Stopped

    reading = material.reading(job.config)
    train = material.train(job.config, Part())
    try:
        fitted = fit(job.config, train, reading.valid, check=material.check, rounds=1, on_epoch=on_epoch)
    except Stopped:
        return None
    values = {name: interval.value for name, interval in fitted.evaluation.metrics.items()}
    return {
        "value": values[job.metric],
        "scores": {name: None if math.isnan(value) else value for name, value in values.items()},
        "scored_on": fitted.scored_on,
        "rows": fitted.rows["valid"],
        "epochs": epochs,
        "training_seconds": fitted.seconds.get("training", 0.0),
        "megabytes": fitted.size.trained_megabytes + fitted.size.frozen_megabytes,
    }


def epoch_score(row: dict[str, Any], monitor: str) -> float | None:
    """What an epoch is compared by, greater for better ones; `None` where it is not defined."""
    name = "loss" if monitor == LAST else monitor
    value = row.get(f"valid_{name}")
    if value is None or math.isnan(value):
        return None
    lower = name in ("loss", "calibrated_loss") or (name in METRICS.table and not METRICS.get(name).greater_is_better)
    return -float(value) if lower else float(value)
