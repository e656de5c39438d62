"""What a search found: the best configuration, all trials, which settings matter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multitag.config import Config
from multitag.evaluation import Evaluation
from multitag.studies.dimension import Dimension


@dataclass(frozen=True)
class Tried:
    """A trial.

    Attributes:
        number: From 0.
        outcome: ``"finished"``, ``"stopped"`` early, or ``"failed"``.
        value: Its score; `None` where it did not finish.
        changes: Its settings, ``"key=value"``.
        result: All scores, seconds and so on of a finished one.
        why: Why it failed.
    """

    number: int
    outcome: str
    value: float | None
    changes: tuple[str, ...]
    result: Mapping[str, Any]
    why: str = ""


@dataclass(frozen=True)
class Tuning:
    """A finished search.

    Attributes:
        metric: What trials are scored by.
        config: The best configuration, complete, with a header that says where it comes from.
        best: The best trial.
        trials: All of them, in their order.
        space: What was searched.
        importance: How much each setting decides the score, in sum 1.
        scored_on: Which rows trials are scored on.
        test: The best configuration on rows that no trial saw, where they were given.
        notes: What a user should look at.
    """

    metric: str
    config: Config
    best: Tried
    trials: tuple[Tried, ...]
    space: tuple[Dimension, ...]
    importance: Mapping[str, float]
    scored_on: str
    test: Evaluation | None = None
    notes: tuple[str, ...] = ()

    def ranked(self, *, up: bool) -> Sequence[Tried]:
        """Finished trials, best first."""
        done = [trial for trial in self.trials if trial.value is not None]
        return sorted(done, key=lambda trial: trial.value or 0.0, reverse=up)

    def count(self, outcome: str) -> int:
        """How many trials ended so."""
        return sum(trial.outcome == outcome for trial in self.trials)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "metric": self.metric,
            "best": _plain(self.best),
            "scored_on": self.scored_on,
            "space": {dimension.name: str(dimension.values) for dimension in self.space},
            "importance": dict(self.importance),
            "trials": [_plain(trial) for trial in self.trials],
            "test": None if self.test is None else self.test.to_dict(),
            "notes": list(self.notes),
        }


def _plain(trial: Tried) -> dict[str, Any]:
    names = ("number", "outcome", "value", "changes", "result", "why")
    values = {name: getattr(trial, name) for name in names}
    return {**values, "changes": list(trial.changes), "result": dict(trial.result)}
