"""Trials in Optuna's storage: drawn, told of, gone on with after an interruption."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from multitag.config import Config
from multitag.config.changes import changed_values
from multitag.errors import ConfigError, MultitagError
from multitag.metrics import METRICS
from multitag.runs.claim import deciding
from multitag.studies.dimension import Dimension
from multitag.workers import Failure

if TYPE_CHECKING:
    import optuna

Pruner = Literal["median", "hyperband", "none"]
OUTCOME, CHANGES, RESULT, WHY = "outcome", "changes", "result", "why"
STORAGE = "study.db"


class Search:
    """A search in a folder: the same configuration, rows, metric and space go on where they were.

    Args:
        config: The configuration that trials change.
        space: What they change.
        metric: What they are scored by.
        pruner: How bad trials are stopped early.
        content: A hash of the rows.
        folder: Where the storage lies.

    Raises:
        ConfigError: The `tune` extra is not installed.
    """

    study: optuna.Study
    _asked: dict[int, optuna.Trial]

    def __init__(
        self, config: Config, space: Sequence[Dimension], metric: str, pruner: Pruner, content: str, folder: Path
    ) -> None:
        self.config, self.space, self.metric = config, space, metric
        optuna = load_optuna()
        said = [deciding(config), [[d.name, str(d.values)] for d in space], metric, content]
        name = hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]
        storage = optuna.storages.RDBStorage(f"sqlite:///{(folder / STORAGE).resolve()}")
        direction = "maximize" if METRICS.get(metric).greater_is_better else "minimize"
        self.study = optuna.create_study(
            storage=storage, study_name=name, direction=direction, load_if_exists=True, pruner=_pruner(pruner)
        )
        # A search that goes on must not draw the very numbers that it began with.
        self.study.sampler = optuna.samplers.TPESampler(seed=config.seed + len(self.study.trials))
        self._asked = {}
        self._begin()

    def _begin(self) -> None:
        """Try the configuration as it stands first; give trials that a killed process left another chance."""
        from optuna.trial import TrialState

        if not self.study.trials:
            base = self._base()
            if base:
                self.study.enqueue_trial(base)
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            self.study.tell(trial.number, state=TrialState.FAIL)
            if trial.params:
                self.study.enqueue_trial(trial.params)

    def _base(self) -> dict[str, Any]:
        """The settings of the configuration as it stands, as far as the search has them."""
        values = self.config.values()
        found: dict[str, Any] = {}
        for dimension in self.space:
            section, _, option = dimension.key.rpartition(".")
            table: Any = values
            for part in section.split("."):
                table = table.get(part, {})
            chosen = dimension.only is None or table.get("name") == dimension.only
            if chosen and option in table and dimension.values.holds(table[option]):
                found[dimension.name] = dimension.stored(table[option])
        return found

    @property
    def finished(self) -> int:
        """How many trials have come to an end of their own."""
        return sum(OUTCOME in trial.user_attrs for trial in self.study.get_trials(deepcopy=False))

    def ask(self) -> tuple[int, Config] | None:
        """The next trial's number and configuration; `None` where its settings do not go together."""
        trial = self.study.ask()
        changes = self._draw(trial)
        trial.set_user_attr(CHANGES, changes)
        self._asked[trial.number] = trial
        try:
            return trial.number, self.config.changed(changes)
        except ConfigError as error:
            self.tell(trial.number, Failure(str(error)))
            return None

    def _draw(self, trial: optuna.Trial) -> list[str]:
        changes: list[str] = []
        for dimension in self.space:
            section = dimension.key.rpartition(".")[0]
            if dimension.only is not None:
                chosen = changed_values(self.config.values(), changes)
                if chosen[section]["name"] != dimension.only:
                    continue
            changes.append(f"{dimension.key}={dimension.draw(trial)}")
        return changes

    def report(self, number: int, step: int, score: float) -> bool:
        """Take down an epoch's score; whether the trial should stop."""
        trial = self._asked[number]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a step that was told already is not told again
            trial.report(score, step)
        return bool(trial.should_prune())

    def tell(self, number: int, result: dict[str, Any] | Failure | None) -> None:
        """Take down what became of a trial: its result, a failure, or `None` where it was stopped."""
        from optuna.trial import TrialState

        trial = self._asked.pop(number)
        if isinstance(result, Failure):
            trial.set_user_attr(WHY, result.why)
            state, value, outcome = TrialState.FAIL, None, "failed"
        elif result is None:
            state, value, outcome = TrialState.PRUNED, None, "stopped"
        else:
            trial.set_user_attr(RESULT, result)
            state, value, outcome = TrialState.COMPLETE, result["value"], "finished"
        trial.set_user_attr(OUTCOME, outcome)
        self.study.tell(trial, value, state=state)

    def best(self) -> optuna.trial.FrozenTrial:
        """The best finished trial.

        Raises:
            MultitagError: None is finished.
        """
        try:
            return self.study.best_trial
        except ValueError as error:
            reasons = [t.user_attrs.get(WHY) for t in self.study.get_trials(deepcopy=False)]
            said = next((why for why in reasons if why), "all were stopped")
            raise MultitagError(f"no trial came to an end; the first reason: {said}") from error

    def importance(self) -> dict[str, float]:
        """How much each setting decides the score, in sum 1; empty where too few trials tell."""
        optuna = load_optuna()
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                found = optuna.importance.get_param_importances(self.study)
        except (ValueError, RuntimeError):
            return {}
        return {name: float(value) for name, value in found.items()}


def _pruner(name: Pruner) -> optuna.pruners.BasePruner:
    pruners = load_optuna().pruners
    if name == "none":
        return pruners.NopPruner()
    if name == "hyperband":
        return pruners.HyperbandPruner(min_resource=3)
    return pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=2, n_min_trials=3)


def load_optuna() -> Any:
    """Optuna, quiet.

    Raises:
        ConfigError: It is not installed.
    """
    try:
        import optuna
    except ImportError as error:
        raise ConfigError("tuning needs a package. Fix: pip install 'multitag[tune]'") from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
