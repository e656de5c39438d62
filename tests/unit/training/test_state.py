"""What a training is resumed from."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from torch import nn

from multitag.classifier import Classifier
from multitag.optim import OptimizerName, ScheduleName
from multitag.training import Checkpointing, Interrupted, make_accelerator
from multitag.training.averaging import Average
from multitag.training.state import State
from multitag.training.steps import Stepper
from training_support import contents, quick, scenes


def state_of(layer: nn.Linear, *, keep: Checkpointing | None = None) -> State:
    optimizer = torch.optim.SGD(layer.parameters(), lr=1.0, momentum=0.5)
    return State(layer, optimizer, Average(layer, 0.5), make_accelerator(), keep)


def stepped(state: State) -> None:
    for parameter in state.model.parameters():
        parameter.grad = torch.ones_like(parameter)
    state.optimizer.step()
    assert state.average is not None
    state.average.update(state.model, 0)


def test_a_stage_begins_from_the_best_weights_and_remembers_nothing_else() -> None:
    layer = nn.Linear(2, 2)
    state = state_of(layer)
    state.best = {key: value.clone() for key, value in layer.state_dict().items()}
    stepped(state)
    state.begin_stage()
    assert state.average is not None
    assert not state.optimizer.state
    for key, value in layer.state_dict().items():
        assert torch.equal(value, state.best[key])
        assert torch.equal(state.average.values[key], state.best[key])


def test_the_file_brings_back_weights_best_moments_and_average(tmp_path: Path) -> None:
    keep = Checkpointing(tmp_path / "it.safetensors", "me", resume=True)
    before, after = state_of(nn.Linear(2, 2), keep=keep), state_of(nn.Linear(2, 2), keep=keep)
    before.best = {key: value + 1 for key, value in before.model.state_dict().items()}
    before.standing.useful = [3, 0]
    before.standing.stage = 2
    stepped(before)
    before.save()
    assert not keep.path.exists(), "it is not yet time"
    before.save(force=True)
    after.resume()
    assert after.standing == before.standing
    assert before.average is not None
    assert after.average is not None
    for mine, theirs in (
        (after.model.state_dict(), before.model.state_dict()),
        (after.best, before.best),
        (after.average.values, before.average.values),
    ):
        assert mine.keys() == theirs.keys()
        assert all(torch.equal(mine[key], theirs[key]) for key in theirs)
    stepped(before)
    stepped(after)
    for key, value in before.model.state_dict().items():
        assert torch.equal(after.model.state_dict()[key], value), "the momentum was lost"


DEVICES = [
    *({"optimizer": name, "momentum": 0.9} for name in get_args(OptimizerName)),
    {"optimizer": "sgd", "momentum": 0.0},
    *({"schedule": name, "step_epochs": 1} for name in get_args(ScheduleName)),
    {"ema": 0.9},
    {"validate_every": 3},
]


@pytest.mark.parametrize("train", DEVICES, ids=lambda train: "-".join(map(str, train.values())))
def test_interrupted_and_resumed_is_bit_for_bit_the_same(
    train: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, step, calls = quick(head={"name": "mlp"}, train={"epochs": 3, **train}), Stepper.step, []
    Classifier(config).fit(scenes(), out=tmp_path / "whole")

    def counted(self: Stepper, *args: Any, **options: Any) -> float:
        calls.append(1)
        if len(calls) == 7:  # of 5 an epoch
            signal.raise_signal(signal.SIGINT)
        return step(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "step", counted)
        with pytest.raises(Interrupted):
            Classifier(config).fit(scenes(), out=tmp_path / "run")
    Classifier(config).fit(scenes(), out=tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
