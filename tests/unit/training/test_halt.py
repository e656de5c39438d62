"""A training that ends at a moment, whatever is left to do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.deadline import Deadline, OutOfTime
from multitag.fitting.fitter import Fitter
from multitag.training.run import Halt, Run
from training_support import quick, scenes

CONFIG = quick(train={"epochs": 6, "batch_size": 20, "patience": 6, "monitor": "last"})
"""About 34 rows to train on: two steps an epoch."""


class Ticks:
    """A clock that a step of the training sets on by one."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, step = 0.0, Run.take_step

        def ticking(run: Run, chosen: list[int]) -> float:
            self.now += 1
            return step(run, chosen)

        monkeypatch.setattr(Run, "take_step", ticking)

    def __call__(self) -> float:
        return self.now


def trained(monkeypatch: pytest.MonkeyPatch, enough: int, soft: float, last: float | None = None) -> Any:
    """What a training leaves that must end after so many steps."""
    clock = Ticks(monkeypatch)

    class Steps:
        """Gives the limit."""

        def next(self, lengths: Any) -> Halt:
            assert lengths == (6,)
            return Halt(Deadline.after(soft, clock), enough, None if last is None else Deadline.after(last, clock))

    init = Fitter.__init__
    monkeypatch.setattr(Fitter, "__init__", lambda self, *a, **k: init(self, *a, **{**k, "limit": Steps()}))
    return Classifier(CONFIG).fit(scenes()).fitted_


def epochs(fitted: Any) -> list[int]:
    return [row["epoch"] for row in fitted.history]


def test_it_stops_with_the_epochs_that_are_done(monkeypatch: pytest.MonkeyPatch) -> None:
    fitted = trained(monkeypatch, 1, soft=5)  # in the middle of the third epoch
    assert epochs(fitted) == [1, 2]
    shorter = Classifier(CONFIG)  # the weights are those of the second epoch, under the same schedule
    seen: list[dict[str, Any]] = []
    monkeypatch.undo()
    shorter.fit(scenes(), on_epoch=seen.append)
    assert [row["train_loss"] for row in fitted.history] == [row["train_loss"] for row in seen[:2]]
    assert not np.array_equal(shorter.pipeline_.held_out.logits, fitted.pipeline.held_out.logits)


def test_an_epoch_is_trained_in_any_case(monkeypatch: pytest.MonkeyPatch) -> None:
    assert epochs(trained(monkeypatch, 1, soft=0)) == [1]


def test_it_goes_on_until_enough_is_trained(monkeypatch: pytest.MonkeyPatch) -> None:
    assert epochs(trained(monkeypatch, 4, soft=3, last=100)) == [1, 2, 3, 4]


def test_it_is_dropped_where_there_is_no_time_for_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OutOfTime, match="no time is left in epoch 4 of 6"):
        trained(monkeypatch, 4, soft=3, last=7)


def test_time_that_is_not_over_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    assert epochs(trained(monkeypatch, 1, soft=100)) == [1, 2, 3, 4, 5, 6]
