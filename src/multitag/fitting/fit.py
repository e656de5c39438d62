"""From labelled rows to a fitted pipeline: split, encode, train, calibrate, decide, score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from multitag.config import Config
from multitag.data.table import Table
from multitag.deadline import Deadline
from multitag.evaluation import Evaluation, evaluate
from multitag.features.rows import Check, check_rows
from multitag.features.units import settle_precision
from multitag.fitting.begun import begin_in, interruptible
from multitag.fitting.clock import Clock
from multitag.fitting.data_facts import data_facts
from multitag.fitting.ensembling import train_ensemble
from multitag.fitting.fitter import Fitter
from multitag.fitting.label_checks import label_space
from multitag.fitting.outcome import Outcome
from multitag.fitting.plan import Plan
from multitag.fitting.planner import Planner, Tell
from multitag.fitting.pseudo_labels import PseudoCounts
from multitag.fitting.self_training import train_generations
from multitag.fitting.shifting import taken_away
from multitag.fitting.sides import Scored, Sides, take_sides
from multitag.fitting.size_limit import require_size
from multitag.fitting.standing import standing_run
from multitag.fitting.suited import suited
from multitag.fitting.teacher import Asked, Teacher
from multitag.networks import open_store
from multitag.pipeline import Pipeline
from multitag.progress import Progress, silent
from multitag.sizes import Size, measure
from multitag.types import Modality

_ROUNDS_SO_FAR = 200
"""Of the bootstrap, for the members so far: their scores are soon replaced."""


@dataclass(frozen=True)
class Fitted:
    """A fitted pipeline and how it came about.

    Attributes:
        pipeline: The model with all it needs.
        evaluation: Scores of the rows that `scored_on` names; a little too good, unless these chose nothing.
        history: A row for each epoch.
        scored_on: Which rows these are.
        networks: How many networks were trained and are kept.
        rows: Numbers of rows: training, validation, left out for want of labels, with a picture lost.
        seconds: Time by stage: checking, encoding, training, testing (predicting the held-out rows, from stored
            features where encoders are frozen), teaching (predicting rows without labels, or a fitted run's
            answers), deciding.
        size: Parameters and megabytes, trained and frozen.
        data: The tables' names, and how often each label, a picture and a text are there.
        notes: What a user should look at.
        lacking: Of a model that reads both, scores of the rows that calibration is fitted on and that have both, with
            their pictures, or their texts, taken away.
        members: Of an ensemble, the scores of each member on its own, of the same rows.
        generations: Where students were trained, the scores of the teacher and of each, of the same rows.
        taught: How many pseudo-labels each student was taught.
        plan: What a time limit made of it, and which members are still to come where it is not done.
        teacher: Of the fitted run that taught it, where one did, what it is known again by, and how it answered rows.
    """

    pipeline: Pipeline
    evaluation: Evaluation
    history: list[dict[str, Any]]
    scored_on: Scored
    networks: int
    rows: dict[str, int]
    seconds: dict[str, float]
    size: Size
    data: dict[str, Any]
    notes: tuple[str, ...] = ()
    lacking: dict[Modality, Evaluation] = field(default_factory=dict)
    members: dict[str, Evaluation] = field(default_factory=dict)
    generations: dict[str, Evaluation] = field(default_factory=dict)
    taught: dict[str, PseudoCounts] = field(default_factory=dict)
    plan: Plan = field(default_factory=Plan)
    teacher: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json; the decision that the scores are of included."""
        found = {
            "decision": self.pipeline.config.decision.name,
            "scored_on": self.scored_on,
            "networks": self.networks,
            "validation": self.evaluation.to_dict(),
            "rows": self.rows,
            "seconds": {stage: round(value, 2) for stage, value in self.seconds.items()},
            "size": self.size.to_dict(),
            "data": self.data,
            "notes": list(self.notes),
        }
        if self.plan:
            found["plan"] = self.plan.to_dict()
        if self.teacher is not None:
            found["teacher"] = self.teacher
        if self.lacking:
            found["lacking"] = {
                modality: {"rows": evaluation.rows, "metrics": _values(evaluation)}
                for modality, evaluation in self.lacking.items()
            }
        if self.members:
            found["members"] = {name: _values(evaluation) for name, evaluation in self.members.items()}
        if self.generations:
            found["generations"] = {
                role: {"metrics": _values(evaluation)}
                | ({"pseudo_labels": self.taught[role].to_dict()} if role in self.taught else {})
                for role, evaluation in self.generations.items()
            }
        return found


def _values(evaluation: Evaluation) -> dict[str, float | None]:
    """The value of each metric."""
    return {metric: score["value"] for metric, score in evaluation.to_dict()["metrics"].items()}


def fit(
    config: Config,
    table: Table,
    valid: Table | None = None,
    pool: Table | None = None,
    *,
    teacher: Path | None = None,
    folder: Path | None = None,
    resume: bool = False,
    check: Check = check_rows,
    rounds: int = 1000,
    deadline: Deadline | None = None,
    progress: Progress = silent,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    on_plan: Tell = lambda line: None,
) -> Fitted:
    """Fit a pipeline.

    Args:
        config: All settings.
        table: Labelled rows.
        valid: Rows to choose epoch, calibration and decision by; a share of the table's rows by default.
        pool: Rows without labels for students to learn from, as the [pseudo] section says, or from the teacher.
        teacher: The folder of a fitted run to learn from, as the [teacher] section says.
        folder: The run folder, where checkpoints go while it trains.
        resume: Go on from the checkpoints in `folder`.
        check: Looks at the pictures; another one where they are known already.
        rounds: Bootstrap rounds for the intervals of the scores.
        deadline: When it must be done; the configuration's time limit from now on by default.
        progress: Told about each stage.
        on_epoch: Called with the history row of each epoch.
        on_plan: Told what a time limit decides, a line each.

    Raises:
        DataError: Rows or pictures cannot be used, or there are too few to hold any out.
        RunError: The teacher cannot be read, or knows other labels than the rows.
        WeightsError: An encoder's weights cannot be had.
        Interrupted: Ctrl-C; the message says what was kept.
    """
    clock = Clock()
    if deadline is None and config.train.time_limit is not None:
        deadline = Deadline.after(config.train.time_limit)
    with interruptible(clock, folder):
        planner = Planner(deadline, folder, resume=resume, tell=on_plan)
        asked = config
        samples = table.samples if valid is None else [*table.samples, *valid.samples]
        config, notes = suited(config, samples)
        space = label_space(config, table, valid)
        master = None if teacher is None else Teacher.open(teacher, space)
        labelled = sum(sample.labels is not None for sample in table.samples)
        config = settle_precision(config.settled(labelled if valid is None else 0))
        with clock.time("checking"):
            sides = take_sides(config, space, table, valid, pool, check=check, progress=planner.watching(progress))
        begin_in(folder, asked, resume=resume)
        planner.expect(len(sides.held) * len(space), rounds)
        with open_store(config) as store:
            fitter = Fitter(config, space, store, folder, resume, clock, without=taken_away(config))
            if config.ensemble is None:
                require_size(config.train.max_size, {"": fitter}, (), sides.learned)
            told = Told(
                clock, data_facts(space, sides, table, valid, pool), (*notes, *sides.notes), rounds, planner.plan
            )
            if master is not None and config.heeds_teacher:
                with clock.time("teaching"):
                    watching = planner.watching(progress)
                    heard = master.ask(sides, config, folder, held_apart=valid is not None, progress=watching)
                del master  # its networks are not needed any more
                fitter, told = replace(fitter, teaching=heard.teaching), told.taught_by(heard)
            fitter, sides = planner.begin(fitter, sides, progress)
            if config.ensemble is None:
                with planner.timed(""):
                    outcome = train_generations(planner.single(fitter), sides, progress=progress, on_epoch=on_epoch)
            else:
                keep = standing_run(folder, planner, lambda found, names: told.fitted(found, sides, config.seed, names))
                outcome = train_ensemble(
                    fitter, sides, planner=planner, so_far=keep, progress=progress, on_epoch=on_epoch
                )
        return told.fitted(outcome, sides, config.seed)


@dataclass(frozen=True)
class Told:
    """What is said of a training beside its outcome: `Fitted` tells of each."""

    clock: Clock
    data: dict[str, Any]
    notes: tuple[str, ...]
    rounds: int
    plan: Plan
    teacher: dict[str, Any] | None = None

    def taught_by(self, asked: Asked) -> Told:
        """What is said where a fitted run teaches."""
        return replace(self, teacher=asked.facts, notes=(*self.notes, *asked.notes))

    def fitted(self, outcome: Outcome, sides: Sides, seed: int, to_come: tuple[str, ...] = ()) -> Fitted:
        """The outcome scored; `to_come` are the members that are not trained yet."""
        with self.clock.time("deciding"):
            rounds = min(self.rounds, _ROUNDS_SO_FAR) if to_come else self.rounds
            ids, held = tuple(sample.id for sample in sides.held.samples), sides.held.samples
            evaluation = evaluate(outcome.pipeline.decide(ids, outcome.scored), held, rounds=rounds, seed=seed)
            lacking = _lacking(outcome, sides)
            members = {
                name: evaluate(pipeline.decide(ids, logits), held, rounds=1)
                for name, (pipeline, logits) in outcome.members.items()
            }
            generations = {
                role: evaluate(generation.pipeline.decide(ids, generation.scored), held, rounds=1)
                for role, generation in outcome.generations.items()
            }
            taught = {role: each.counts for role, each in outcome.generations.items() if each.counts is not None}
        return Fitted(
            outcome.pipeline,
            evaluation,
            outcome.history,
            scored_on=sides.scored,
            networks=len(outcome.networks),
            rows=sides.counts,
            seconds=dict(self.clock.seconds),
            size=measure(outcome.networks),
            data=self.data,
            notes=tuple(dict.fromkeys([*self.notes, *_untaught(taught)])),
            lacking=lacking,
            members=members,
            generations=generations,
            taught=taught,
            plan=replace(self.plan, to_come=to_come),
            teacher=self.teacher,
        )


def _lacking(outcome: Outcome, sides: Sides) -> dict[Modality, Evaluation]:
    """Scores of the rows that have a picture and a text with either taken away."""
    rows = sides.chosen
    both = np.flatnonzero(rows.have("image") & rows.have("text"))
    samples = [rows.samples[place] for place in both]
    if all(sample.labels is None for sample in samples):
        return {}
    ids = tuple(sample.id for sample in samples)
    return {
        modality: evaluate(outcome.pipeline.decide(ids, logits[both]), samples, rounds=1)
        for modality, logits in outcome.without.items()
    }


def _untaught(taught: dict[str, PseudoCounts]) -> list[str]:
    """A note on each student that had nothing more to learn than its teacher."""
    return [
        f"{role}: the teacher is sure of no label of any row without labels, so there was nothing more to learn. "
        f"Fix: bring pseudo.high and pseudo.low closer together"
        for role, counts in taught.items()
        if not counts.rows
    ]
