"""What a fit leaves: the pipeline, its scores on rows it was not trained on, and how it came about."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar

import numpy as np

from multitag.evaluation import Evaluation, evaluate
from multitag.fitting.clock import Clock
from multitag.fitting.limits.plan import Plan
from multitag.fitting.outcome import Outcome
from multitag.fitting.sides import Scored, Sides
from multitag.fitting.teachers.pseudo_labels import PseudoCounts
from multitag.fitting.teachers.teacher import Asked
from multitag.pipeline import Pipeline
from multitag.sizes import Size, measure
from multitag.types import Modality

_ROUNDS_SO_FAR = 200
"""Of the bootstrap, for the members so far: their scores are soon replaced."""


class _Scores(Protocol):
    def to_dict(self) -> dict[str, Any]: ...


P = TypeVar("P")
E = TypeVar("E", bound=_Scores)


@dataclass(frozen=True)
class FittedModel(Generic[P, E]):
    """A fitted model and how it came about, whatever its task.

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
        plan: What a time limit made of it, and which members are still to come where it is not done.
    """

    pipeline: P
    evaluation: E
    history: list[dict[str, Any]]
    scored_on: Scored
    networks: int
    rows: dict[str, int]
    seconds: dict[str, float]
    size: Size
    data: dict[str, Any]
    notes: tuple[str, ...] = ()
    plan: Plan = field(default_factory=Plan)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json."""
        return {
            "scored_on": self.scored_on,
            "networks": self.networks,
            "validation": self.evaluation.to_dict(),
            "rows": self.rows,
            "seconds": {stage: round(value, 2) for stage, value in self.seconds.items()},
            "size": self.size.to_dict(),
            "data": self.data,
            "notes": list(self.notes),
            **({"plan": self.plan.to_dict()} if self.plan else {}),
        }


@dataclass(frozen=True)
class Fitted(FittedModel[Pipeline, Evaluation]):
    """A fitted pipeline and how it came about.

    Attributes:
        lacking: Of a model that reads both, scores of the rows that calibration is fitted on and that have both, with
            their pictures, or their texts, taken away.
        members: Of an ensemble, the scores of each member on its own, of the same rows.
        generations: Where students were trained, the scores of the teacher and of each, of the same rows.
        taught: How many pseudo-labels each student was taught.
        teacher: Of the fitted run that taught it, where one did, what it is known again by, and how it answered rows.
    """

    lacking: dict[Modality, Evaluation] = field(default_factory=dict)
    members: dict[str, Evaluation] = field(default_factory=dict)
    generations: dict[str, Evaluation] = field(default_factory=dict)
    taught: dict[str, PseudoCounts] = field(default_factory=dict)
    teacher: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json; the decision that the scores are of included."""
        found = {"decision": self.pipeline.config.decision.name, **super().to_dict()}
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
        sides = sides.only(outcome.places)
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


def _values(evaluation: Evaluation) -> dict[str, float | None]:
    """The value of each metric."""
    return {metric: score["value"] for metric, score in evaluation.to_dict()["metrics"].items()}
