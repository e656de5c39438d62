"""Runs that were never trained: made-up answers to made-up rows, for what only looks at answers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from multitag.config import Config
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.fitting.answering import Answered
from multitag.pipeline import HeldOut, Pipeline
from multitag.types import LabelSpace, Sample

WORDS = [
    "a",
    "small",
    "old",
    "boat",
    "on",
    "the",
    "blue",
    "sea",
    "two",
    "birds",
    "fly",
    "over",
    "trees",
    "where",
    "children",
    "play",
    "with",
    "dogs",
    "and",
    "horses",
]


def made_rows(rows: int, labels: int, *, pictures: list[Path] | None = None, seed: int = 0) -> list[Sample]:
    """Rows with a caption, or a picture, or both; a few labels are unknown."""
    rng = np.random.default_rng(seed)
    rates = 0.5 / np.arange(1, labels + 1) ** 0.7
    names = [f"label {k}" for k in range(labels)]
    samples = []
    for n in range(rows):
        has = rng.random(labels) < rates
        has[rng.integers(labels)] |= not has.any()
        unknown = (names[-1],) if n % 17 == 3 and not has[-1] else ()
        text = None if pictures and n % 9 == 4 else " ".join(rng.choice(WORDS, rng.integers(3, 15)))
        image = None if not pictures or n % 7 == 2 else pictures[n % len(pictures)]
        labelled = tuple(names[k] for k in np.flatnonzero(has))
        samples.append(Sample(f"row {n}", image=image, text=text, labels=labelled, unknown=unknown, group="ab"[n % 2]))
    return samples


def made_run(
    samples: list[Sample],
    labels: int,
    *,
    sharp: float = 2.0,
    seed: int = 1,
    decision: str = "global_threshold",
    **options: Any,
) -> tuple[Pipeline, Answered]:
    """A run of a calibration that changes nothing, whose logits are gold and noise; the sharper the better it is."""
    rng = np.random.default_rng(seed)
    space = LabelSpace(tuple(f"label {k}" for k in range(labels)))
    gold = space.encode(samples)
    logits = (rng.normal(size=gold.shape) * 1.6 + sharp * (np.nan_to_num(gold) * 2 - 1)).astype(np.float32)
    config = Config.parse({"decision": {"name": decision, **options}, "calibration": {"name": "none"}}).resolved()
    calibration = CALIBRATIONS.build("none", {})
    calibration.fit(logits, gold)
    held_out = HeldOut(logits, gold, always_labelled=True)
    rule = DECISIONS.build(decision, options)
    rule.fit(calibration.apply(logits), gold, always_labelled=True)
    pipeline = Pipeline(config, space, None, held_out, calibration, rule, np.zeros(0, np.int64))  # type: ignore[arg-type]
    predictions = pipeline.decide(tuple(sample.id for sample in samples), logits)
    return pipeline, Answered(predictions, samples, np.ones(len(samples), bool), 0, ())
