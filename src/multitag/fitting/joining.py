"""The members of an ensemble joined: the combiner, a calibration and a decision fitted on rows that none has seen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import numpy as np

from multitag.combined import Combined, calibrated
from multitag.combiners import COMBINERS, Combiner
from multitag.config import Config
from multitag.config.base import Component
from multitag.config.ensemble import EnsembleConfig
from multitag.errors import ConfigError
from multitag.features.rows import Rows
from multitag.fitting.copies import row_keys
from multitag.fitting.fitter import Fitter
from multitag.fitting.label_checks import always_labelled
from multitag.fitting.outcome import Outcome
from multitag.fitting.shifting import complete_rows, left_rows
from multitag.fitting.sides import Places, Sides
from multitag.pipeline import HeldOut, Pipeline
from multitag.tasks.base import Logits, Targets
from multitag.types import BoolArray, Modality


def joined(fitter: Fitter, sides: Sides, outcomes: Mapping[str, Outcome]) -> Outcome:
    """The members so far as one, with the combiner, a calibration and a decision fitted.

    That is on the rows which each has answered: where a member was trained in some folds alone, their rows.
    """
    places = _answered_by_all(outcomes.values())
    outcomes, sides = {name: outcome.only(places, sides) for name, outcome in outcomes.items()}, sides.only(places)
    config, space = _of(fitter.config, list(outcomes)), fitter.space
    with fitter.clock.time("deciding"):
        gold = space.encode(sides.chosen.samples)
        scorer = _combined(section_of(config).combiner, sides.chosen, gold, outcomes)
        said = scorer.join([outcome.chosen for outcome in outcomes.values()], sides.chosen)
        held_out = HeldOut(said, gold, always_labelled(sides.every.samples), row_keys(sides.chosen))
        keys = np.unique(np.concatenate([outcome.pipeline.trained_on for outcome in outcomes.values()]))
        pseudo_keys = np.unique(np.concatenate([outcome.pipeline.pseudo_labelled for outcome in outcomes.values()]))
        pipeline = Pipeline.fitted(config, space, scorer, held_out, keys, pseudo_keys)
        without = {
            modality: scorer.join(answers, sides.chosen.without(modality))
            for modality, answers in _taken_away(outcomes).items()
        }
    return Outcome(
        pipeline,
        networks=scorer.networks,
        chosen=said,
        scored=scorer.join([outcome.scored for outcome in outcomes.values()], sides.held),
        history=[row for outcome in outcomes.values() for row in outcome.history],
        without=without,
        members={name: (outcome.pipeline, outcome.scored) for name, outcome in outcomes.items()},
        generations={
            f"{name}, {role}": generation
            for name, outcome in outcomes.items()
            for role, generation in outcome.generations.items()
        },
        places=places,
    )


def _answered_by_all(outcomes: Iterable[Outcome]) -> Places | None:
    """The rows that each has answered out of fold; `None` for all."""
    given = [outcome.places for outcome in outcomes if outcome.places is not None]
    return reduce(np.intersect1d, given) if given else None


def _of(config: Config, names: Sequence[str]) -> Config:
    """The ensemble's configuration with these members alone.

    A combiner whose options are of another number of members, such as weights, is the mean then.
    """
    section = section_of(config)
    if len(names) == len(section.members):
        return config
    combiner = section.combiner
    try:
        COMBINERS.build(combiner.name, combiner.options, len(names))
    except ConfigError:
        combiner = Component.model_validate({"name": "mean", **COMBINERS.resolve("mean", {})})
    members = {name: section.members[name] for name in names}
    return config.model_copy(update={"ensemble": EnsembleConfig(combiner=combiner, members=members)})


def _combined(component: Component, rows: Rows, gold: Targets, outcomes: Mapping[str, Outcome]) -> Combined:
    """The members with their combiners fitted: one for rows that have all, and one for those that lack something.

    The latter are fitted on all rows with the picture, or the text, taken away: such a row is worth as much as one that
    never had it, and there are more of them.
    """
    pipelines = {name: outcome.pipeline for name, outcome in outcomes.items()}

    def fitted(answers: Sequence[Logits], places: BoolArray) -> Combiner:
        combiner: Combiner = COMBINERS.build(component.name, component.options, len(outcomes))
        return combiner.fit(calibrated(pipelines.values(), answers)[:, places], gold[places])

    without: dict[Modality, Combiner] = {}
    for modality, answers in _taken_away(outcomes).items() if COMBINERS.get(component.name).by_modality else ():
        left = left_rows(rows, modality, gold)
        if left is not None:
            without[modality] = fitted(answers, left)
    whole = complete_rows(rows, gold) if without else np.ones(len(rows), bool)
    return Combined(pipelines, fitted([outcome.chosen for outcome in outcomes.values()], whole), without)


def _taken_away(outcomes: Mapping[str, Outcome]) -> dict[Modality, list[Logits]]:
    """What each member says of the rows without their pictures, and without their texts, where all were asked."""
    asked = set.intersection(*(set(outcome.without) for outcome in outcomes.values()))
    return {modality: [outcome.without[modality] for outcome in outcomes.values()] for modality in sorted(asked)}


def section_of(config: Config) -> EnsembleConfig:
    """The [ensemble] section, which is there."""
    if config.ensemble is None:
        raise ValueError("the configuration has no [ensemble]")
    return config.ensemble
