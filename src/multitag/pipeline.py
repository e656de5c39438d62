"""A fitted model with all that turns rows into label sets: what gives logits, calibration, decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from multitag.config import Config, DecisionConfig
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.decisions.base import Decision
from multitag.decisions.calibration import Calibration
from multitag.features.rows import Rows
from multitag.progress import Progress, silent
from multitag.tasks.base import Logits, Targets
from multitag.types import LabelSpace, Predictions

Keys = npt.NDArray[np.int64]
"""Hashes of what rows show, 8 bytes each."""
NO_KEYS: Keys = np.zeros(0, np.int64)
_SURE = 1e-12


class Scorer(Protocol):
    """Whatever gives logits: the networks of one configuration, or the members of an ensemble."""

    def logits(self, rows: Rows, *, progress: Progress = silent) -> Logits:
        """Logits (N, K) of the rows, in their order."""
        ...


@dataclass(frozen=True)
class HeldOut:
    """Rows that the model was not trained on, kept so that calibration and decision can be fitted anew.

    Attributes:
        logits: (N, K).
        gold: (N, K), NaN where a label is not known.
        always_labelled: Whether every training row whose labels are known has one.
        rows: (N,), the key of what each row shows, by which it is known again in a table; none in older runs.
    """

    logits: Logits
    gold: Targets
    always_labelled: bool
    rows: Keys = field(default_factory=NO_KEYS.copy)


@dataclass
class Pipeline:
    """Rows in, predictions out.

    Attributes:
        config: What it was made by.
        space: The labels.
        scorer: Rows to logits.
        held_out: What calibration and decision are fitted on.
        calibration: Logits to probabilities.
        decision: Probabilities to label sets.
        trained_on: Of the labelled rows that any of its networks was trained on, the keys of what they show; where a
            fitted run taught it, those of all rows that the teacher was trained on too.
        pseudo_labelled: Likewise, of rows that had no labels and were given some by a teacher.
    """

    config: Config
    space: LabelSpace
    scorer: Scorer
    held_out: HeldOut
    calibration: Calibration
    decision: Decision
    trained_on: Keys
    pseudo_labelled: Keys = field(default_factory=NO_KEYS.copy)

    @classmethod
    def fitted(
        cls,
        config: Config,
        space: LabelSpace,
        scorer: Scorer,
        held_out: HeldOut,
        trained_on: Keys,
        pseudo_labelled: Keys = NO_KEYS,
    ) -> Pipeline:
        """A pipeline whose calibration and decision are fitted on held-out rows."""
        calibration: Calibration = CALIBRATIONS.build(config.calibration.name, config.calibration.options)
        probabilities = calibration.fit(held_out.logits, held_out.gold).apply(held_out.logits)
        decision = fit_decision(config.decision.name, config.decision.options, probabilities, held_out)
        return cls(config, space, scorer, held_out, calibration, decision, trained_on, pseudo_labelled)

    def logits(self, rows: Rows, *, progress: Progress = silent) -> Logits:
        """Logits (N, K), not yet calibrated."""
        return self.scorer.logits(rows, progress=progress)

    def predict(self, rows: Rows, *, progress: Progress = silent) -> Predictions:
        """Label sets of the rows, in their order, and the probabilities behind them."""
        return self.decide(tuple(s.id for s in rows.samples), self.logits(rows, progress=progress))

    def decide(self, ids: tuple[str, ...], logits: Logits) -> Predictions:
        """Label sets from logits (N, K)."""
        probabilities = self.calibration.apply(logits)
        return Predictions(ids, self.space, self.decision.apply(probabilities), probabilities)

    def calibrated(self, logits: Logits) -> Logits:
        """The logits (N, K) of the calibrated probabilities: on one scale with those of other pipelines."""
        p = np.clip(self.calibration.apply(logits), _SURE, 1 - _SURE)
        return (np.log(p) - np.log1p(-p)).astype(np.float32)

    def with_decision(self, name: str, options: Mapping[str, Any]) -> Pipeline:
        """The same model under another decision, fitted on the same held-out rows.

        Raises:
            ConfigError: No such decision, or wrong options.
        """
        decision = fit_decision(name, options, self.calibration.apply(self.held_out.logits), self.held_out)
        return replace(self, config=decided(self.config, name, options), decision=decision)


def decided(config: Config, name: str, options: Mapping[str, Any]) -> Config:
    """A configuration with another decision, fitted on the rows that it names already.

    Raises:
        ConfigError: No such decision, or wrong options.
    """
    old, resolved = config.decision, DECISIONS.resolve(name, options)
    section = DecisionConfig.model_validate({"name": name, "fit_on": old.fit_on, "folds": old.folds, **resolved})
    return config.model_copy(update={"decision": section})


def fit_decision(
    name: str, options: Mapping[str, Any], probabilities: npt.NDArray[np.float64], held_out: HeldOut
) -> Decision:
    """The decision `name`, fitted on held-out rows; never-empty is learned from the training rows."""
    decision: Decision = DECISIONS.build(name, options)
    return decision.fit(probabilities, held_out.gold, always_labelled=held_out.always_labelled)
