"""The members of an ensemble trained on the same rows, and a combiner fitted on what they say of rows not seen."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from multitag.combined import networks_of
from multitag.config import EnsembleConfig
from multitag.deadline import OutOfTime
from multitag.errors import DataError
from multitag.fitting.copies import are_copies
from multitag.fitting.fitter import Fitter
from multitag.fitting.folding import member_fitter
from multitag.fitting.joining import joined, section_of
from multitag.fitting.label_checks import listed, require_same_labels
from multitag.fitting.limits.planner import Planner
from multitag.fitting.out_of_fold import OnEpoch, part_of
from multitag.fitting.outcome import Outcome
from multitag.fitting.shifting import joined_by_modality
from multitag.fitting.sides import Sides
from multitag.fitting.size_limit import require_size
from multitag.fitting.teachers.self_training import train_generations
from multitag.interrupts import uninterrupted
from multitag.pipeline import Pipeline
from multitag.progress import Progress
from multitag.runs.artifacts import load_run

SoFar = Callable[[Outcome, tuple[str, ...]], None]
"""Given the ensemble of the members so far, and the names of those to come."""


def train_ensemble(
    fitter: Fitter,
    sides: Sides,
    *,
    planner: Planner,
    so_far: SoFar | None = None,
    progress: Progress,
    on_epoch: OnEpoch,
) -> Outcome:
    """Train the members of an ensemble, and fit the combiner, a calibration and a decision on rows that none has seen.

    All members see the same rows and held-out rows. Where there are folds, a member may have a number of its own: each
    row that the combiner is fitted on was seen by no network whose logits of it are used, however many there are.

    Args:
        fitter: Of the ensemble's configuration.
        sides: The rows.
        planner: Decides what there is time for.
        so_far: Called after each member but the last.
        progress: Told about each stage, which member it is of included.
        on_epoch: Called with the history row of each epoch.

    Raises:
        DataError: There are too few rows, or a fitted run was trained on some of them.
        RunError: A member's run cannot be read, or knows other labels.
        Interrupted: Ctrl-C; the message says in which member.
    """
    config = fitter.config
    section = section_of(config)
    members = config.members
    given = {name: _open(name, section, fitter, sides) for name, member in members.items() if member is None}
    fitters = {name: member_fitter(fitter, name, member) for name, member in members.items() if member is not None}
    fitted = [network for pipeline in given.values() for network in networks_of(pipeline)]
    require_size(config.train.max_size, fitters, fitted, sides.learned)
    outcomes: dict[str, Outcome] = {}
    names = list(members)
    for number, name in enumerate(names, 1):
        found, later = None, [fitters[other].config for other in names[number:] if other in fitters]
        with part_of(name, progress) as told:
            if name in given:
                found = _answers(given[name], fitter, sides, told)
            elif (planned := planner.member(name, fitters[name], sides, told, to_come=later)) is not None:
                found = _trained(name, planned, sides, planner, told, on_epoch)
        if found is None:
            continue
        outcomes[name] = found
        to_come = tuple(names[number:])
        if so_far is not None and to_come:
            with uninterrupted():
                so_far(joined(fitter, sides, outcomes), to_come)
    return joined(fitter, sides, outcomes)


def _trained(
    name: str, fitter: Fitter, sides: Sides, planner: Planner, progress: Progress, on_epoch: OnEpoch
) -> Outcome | None:
    """A member's networks; `None` where they were not done in time."""
    try:
        with planner.timed(name):
            found = train_generations(
                fitter, sides, progress=progress, on_epoch=lambda row: on_epoch({"member": name, **row})
            )
    except OutOfTime:
        return None
    return replace(found, history=[{"member": name, **row} for row in found.history])


def _open(name: str, section: EnsembleConfig, fitter: Fitter, sides: Sides) -> Pipeline:
    """A fitted run that knows the labels asked for and was trained on none of the rows to be fitted on or scored."""
    folder = Path(section.members[name]["run"])
    pipeline = load_run(folder)
    require_same_labels(f"the member '{name}' ({folder})", pipeline.space, fitter.space, fix="leave the member out")
    rows = sides.chosen + sides.held
    keys = np.concatenate([pipeline.trained_on, pipeline.pseudo_labelled])
    seen = are_copies(rows, keys, pictures=pipeline.config.reads_pictures)
    if seen.any():
        first = [sample.source or sample.id for sample, was in zip(rows.samples, seen, strict=True) if was]
        first = list(dict.fromkeys(first))
        raise DataError(
            f"the member '{name}' ({folder}) was trained on {len(first)} of these rows ({listed(first, most=5)}): it "
            f"would seem better than it is. Fix: give rows that it has not seen, or train the member with the others"
        )
    return pipeline


def _answers(pipeline: Pipeline, fitter: Fitter, sides: Sides, progress: Progress) -> Outcome:
    """What a fitted run says of the rows."""
    with fitter.clock.time("testing"):
        chosen = pipeline.logits(sides.chosen, progress=progress)
        scored = chosen if sides.held is sides.chosen else pipeline.logits(sides.held, progress=progress)
        without = {
            modality: pipeline.logits(sides.chosen.without(modality), progress=progress)
            for modality in (fitter.without if joined_by_modality(fitter.config) else ())
        }
    return Outcome(pipeline, networks_of(pipeline), chosen, scored, [], without=without)
