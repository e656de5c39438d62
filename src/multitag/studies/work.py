"""One run of an ablation: train, predict the scored rows, keep what came out."""

from __future__ import annotations

import hashlib
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path

from multitag.config import Config
from multitag.evaluation import answers_of
from multitag.fitting.fit import fit
from multitag.metrics import METRICS
from multitag.runs.claim import deciding
from multitag.studies.material import Material, Part
from multitag.studies.records import FORMAT, Record, save_record
from multitag.workers import Ask


@dataclass(frozen=True)
class Job:
    """What a worker is to run.

    Attributes:
        key: Names the record.
        config: All settings, the run's seed included.
        part: Its rows.
    """

    key: str
    config: Config
    part: Part


@dataclass(frozen=True)
class Shared:
    """What all runs of a study share.

    Attributes:
        material: The rows.
        folder: Where records go.
    """

    material: Material
    folder: Path


def job_of(config: Config, part: Part, material: Material) -> Job:
    """A run, named by a hash of all that decides its result: configuration and seed, rows, the form of the record."""
    said = json.dumps([FORMAT, deciding(config), material.content(config, part)], sort_keys=True)
    return Job(hashlib.sha256(said.encode()).hexdigest()[:24], config, part)


def run(shared: Shared, job: Job, ask: Ask) -> str:
    """Do a run and save its record; its key.

    Testing is timed from stored features, where encoders are frozen: those that train run with it.

    Raises:
        MultitagError: The training diverged, or the rows cannot be used.
    """
    material, config = shared.material, job.config
    reading = material.reading(config)
    fitted = fit(config, material.train(config, job.part), reading.valid, check=material.check, rounds=1)
    samples = material.test(config, job.part)
    rows = material.check(samples, config)
    started = time.perf_counter()
    predictions = fitted.pipeline.predict(rows)
    seconds = time.perf_counter() - started
    answers = answers_of(predictions, samples).answers
    scores = {name: float(METRICS.get(name)(answers)) for name in METRICS.names()}
    size = fitted.size
    record = Record(
        key=job.key,
        seed=config.seed,
        scores={name: None if math.isnan(value) else value for name, value in scores.items()},
        costs={
            "training_seconds": fitted.seconds.get("training", 0.0),
            "testing_seconds": seconds,
            "megabytes": size.trained_megabytes + size.frozen_megabytes,
            "trained_megabytes": size.trained_megabytes,
        },
        rows={"train": fitted.rows["train"], "valid": fitted.rows["valid"], "test": len(samples)},
        epochs=len(fitted.history),
        ids=predictions.ids,
        answers=answers,
    )
    save_record(record, shared.folder)
    return job.key
