"""A fitted model with all that turns rows into label sets: encoders, store, calibration, decision."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from multitag.config import Config, DecisionConfig
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.decisions.base import Decision
from multitag.decisions.calibration import Calibration
from multitag.features.feeder import Feeder
from multitag.features.fill import fill
from multitag.features.rows import Rows
from multitag.features.slots import Slot
from multitag.features.store import FeatureStore, default_store_path
from multitag.inference import predict_logits
from multitag.model import Model
from multitag.progress import Progress, silent
from multitag.tasks.base import Logits, Targets
from multitag.types import LabelSpace, Predictions


@dataclass(frozen=True)
class HeldOut:
    """Rows that the model was not trained on, kept so that calibration and decision can be fitted anew.

    Attributes:
        logits: (N, K).
        gold: (N, K), NaN where a label is not known.
        always_labelled: Whether every training row whose labels are known has one.
    """

    logits: Logits
    gold: Targets
    always_labelled: bool


@dataclass
class Pipeline:
    """Rows in, predictions out.

    Attributes:
        config: What it was made by.
        space: The labels.
        slots: The encoders.
        model: The trained model.
        held_out: What calibration and decision are fitted on.
        calibration: Logits to probabilities.
        decision: Probabilities to label sets.
    """

    config: Config
    space: LabelSpace
    slots: Mapping[str, Slot]
    model: Model
    held_out: HeldOut
    calibration: Calibration
    decision: Decision

    def logits(self, rows: Rows, *, progress: Progress = silent) -> Logits:
        """The model's logits (N, K); what frozen encoders say comes from the store, or goes there."""
        with open_store(self.config) as store:
            feeder = feed(rows, self.slots, store, self.model, progress=progress)
            return predict_logits(self.model, feeder, len(self.space), progress=progress)

    def predict(self, rows: Rows, *, progress: Progress = silent) -> Predictions:
        """Label sets of the rows, in their order, and the probabilities behind them."""
        return self.decide(tuple(s.id for s in rows.samples), self.logits(rows, progress=progress))

    def decide(self, ids: tuple[str, ...], logits: Logits) -> Predictions:
        """Label sets from logits (N, K)."""
        probabilities = self.calibration.apply(logits)
        return Predictions(ids, self.space, self.decision.apply(probabilities), probabilities)

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


def fit_calibration(config: Config, held_out: HeldOut) -> Calibration:
    """The configuration's calibration, fitted on held-out rows."""
    calibration: Calibration = CALIBRATIONS.build(config.calibration.name, config.calibration.options)
    return calibration.fit(held_out.logits, held_out.gold)


def best_device() -> torch.device:
    """Where a model runs: this machine's accelerator, if it has one."""
    found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
    return torch.device("cpu") if found is None else found


def open_store(config: Config) -> FeatureStore:
    """The feature store that a configuration names."""
    chosen = config.store.path
    return FeatureStore(default_store_path() if chosen == "auto" else chosen)


def feed(
    rows: Rows,
    slots: Mapping[str, Slot],
    store: FeatureStore,
    model: Model,
    *,
    targets: Targets | None = None,
    progress: Progress = silent,
) -> Feeder:
    """Encode what the store lacks of the rows, on the model's device, and serve them as batches."""
    device = next(model.parameters()).device
    for slot in slots.values():
        slot.encoder.to(device)
    fill(store, slots, rows, tokens=model.needs_tokens, device=device, progress=progress)
    return Feeder(rows, slots, store, targets=targets, tokens=model.needs_tokens)
