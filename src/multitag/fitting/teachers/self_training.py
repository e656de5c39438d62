"""Teacher and student: networks trained again on more rows, which those before them have labelled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from multitag.config import PseudoConfig
from multitag.decisions import CALIBRATIONS
from multitag.decisions.calibration import Calibration
from multitag.features.rows import Rows
from multitag.fitting.copies import kept_keys
from multitag.fitting.fitter import Fitter
from multitag.fitting.folding import make_folds
from multitag.fitting.out_of_fold import OnEpoch, part_of
from multitag.fitting.outcome import Generation, Outcome, train_all
from multitag.fitting.sides import Sides
from multitag.fitting.teachers.lessons import Lessons, Taught
from multitag.fitting.teachers.pseudo_labels import PseudoCounts, pseudo_labelled, pseudo_targets
from multitag.lacking import shifted
from multitag.networks import Networks
from multitag.pipeline import NO_KEYS
from multitag.progress import Progress
from multitag.tasks.base import Logits

MAIN = "main"


def train_generations(fitter: Fitter, sides: Sides, *, progress: Progress, on_epoch: OnEpoch) -> Outcome:
    """Train networks, and where there are rows without labels, students of them (self-training; Lee 2013).

    The first teacher is trained on the labelled rows. What its calibrated probabilities are sure of becomes the labels
    of the rows without any, and a student is trained on both, from fresh weights and the same seeds. With more rounds
    the student is the next teacher. The last student is what stays.

    Nothing that a row is scored or judged by may come back to it as a label. So copies of labelled rows are in no pool
    (`take_sides`), and each fold has a teacher of its own, the networks that were not trained on its held-out rows
    either: the average of all folds has learned the labels of every row. Its calibration is fitted on the rows outside
    the fold, each predicted out of fold. (Calibration, like the epoch of a network, is chosen by held-out rows where
    there are no folds.)

    Args:
        fitter: Trains the networks.
        sides: The rows.
        progress: Told about each stage, which generation it is of included.
        on_epoch: Called with the history row of each epoch.

    Raises:
        DataError: There are too few rows for so many folds.
        Interrupted: Ctrl-C; the message says in which generation.
    """
    if sides.pool is None or fitter.teaching is not None:  # a fitted run answers the pool itself
        return train_all(fitter, sides, progress=progress, on_epoch=on_epoch)
    settings = fitter.config.pseudo or PseudoConfig()
    generations, keys, history = dict[str, Generation](), [NO_KEYS], list[dict[str, Any]]()

    def train(role: str, lessons: Lessons, counts: PseudoCounts | None = None) -> Outcome:
        own_fitter = replace(fitter, prefix=f"{fitter.prefix}{role}-", lessons=lessons)
        with part_of(role, progress) as told:
            found = train_all(own_fitter, sides, progress=told, on_epoch=lambda row: on_epoch({"role": role, **row}))
        history.extend({"role": role, **row} for row in found.history)
        generations[role] = Generation(found.pipeline, found.scored, counts)
        return found

    lessons = Lessons(sides.pool)
    outcome = train("teacher", lessons)
    for number in range(1, settings.rounds + 1):
        rows = _labelled(fitter, sides, sides.pool, outcome, lessons.answers, settings)
        kept = [rows[MAIN]] if MAIN in rows else list(rows.values())
        counts = PseudoCounts.of(kept, fitter.space, len(sides.pool))
        # Rows that count nothing are left out: the student is then the teacher, bit for bit.
        taught = {part: Taught(own, settings.weight) for part, own in rows.items() if len(own) and settings.weight}
        keys += [kept_keys(own.rows) for own in taught.values()]
        lessons = Lessons(sides.pool, taught, asked=number < settings.rounds)
        outcome = train("student" if settings.rounds == 1 else f"student{number}", lessons, counts)
    pipeline = replace(outcome.pipeline, pseudo_labelled=np.unique(np.concatenate(keys)))
    return replace(outcome, pipeline=pipeline, history=history, generations=generations)


def _labelled(
    fitter: Fitter,
    sides: Sides,
    pool: Rows,
    outcome: Outcome,
    answers: Mapping[str, Logits],
    settings: PseudoConfig,
) -> dict[str, Rows]:
    """For each part, the pool with the labels that the part's own teacher is sure of.

    Rows that lack a picture, or a text, are answered as by the whole teacher: two numbers a label that it has learned
    of such rows, fold or not.
    """
    found = {}
    scorer = outcome.pipeline.scorer
    shifts = scorer.without if isinstance(scorer, Networks) else {}
    with fitter.clock.time("deciding"):
        for part, calibration in _calibrations(fitter, sides, outcome, list(answers)).items():
            targets = pseudo_targets(calibration.apply(shifted(answers[part], pool, shifts)), settings)
            found[part] = pseudo_labelled(pool, targets, fitter.space)
    return found


def _calibrations(fitter: Fitter, sides: Sides, outcome: Outcome, parts: list[str]) -> dict[str, Calibration]:
    """The main part's is the model's own; a fold's is fitted without the rows that are held out of it."""
    found: dict[str, Calibration] = {MAIN: outcome.pipeline.calibration} if MAIN in parts else {}
    in_folds = [part for part in parts if part != MAIN]
    if not in_folds:
        return found
    section, gold = fitter.config.calibration, fitter.space.encode(sides.chosen.samples)
    for part, fold in zip(in_folds, make_folds(fitter, sides.every, len(in_folds)), strict=True):
        outside = fold.train_indices
        calibration: Calibration = CALIBRATIONS.build(section.name, section.options)
        found[part] = calibration.fit(outcome.chosen[outside], gold[outside])
    return found
