"""Averaged weights by hand, and what becomes of them."""

from __future__ import annotations

import math
import signal
from pathlib import Path

import pytest
import torch
from torch import nn

from multitag.classifier import Classifier
from multitag.inference import predict_logits
from multitag.training import run
from multitag.training.averaging import Average
from training_support import quick, scenes


def one(value: float) -> nn.Linear:
    layer = nn.Linear(1, 1, bias=False)
    return put(layer, value)


def put(layer: nn.Linear, value: float) -> nn.Linear:
    with torch.no_grad():
        layer.weight.fill_(value)
    return layer


def test_the_average_by_hand() -> None:
    """d is 1/10, 2/11, 3/12, then at most 0.25."""
    layer = one(1.0)
    average = Average(layer, 0.25)
    expected = 1.0
    for step, value in enumerate([2.0, 4.0, -1.0, 5.0, 5.0]):
        average.update(put(layer, value), step)
        kept = [1 / 10, 2 / 11, 3 / 12, 0.25, 0.25][step]
        expected = kept * expected + (1 - kept) * value
        assert average.values["weight"].item() == pytest.approx(expected)
    assert layer.weight.item() == 5.0
    average.start(layer)
    assert average.values["weight"].item() == 5.0


def test_statistics_are_averaged_counters_copied_and_fixed_weights_left_out() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    model[0].weight.requires_grad_(False)
    average = Average(model, 0.5)
    assert set(average.values) == {
        "0.bias",
        "1.weight",
        "1.bias",
        "1.running_mean",
        "1.running_var",
        "1.num_batches_tracked",
    }
    before = model[1].running_mean.clone()
    model(torch.randn(8, 2))
    average.update(model, 0)
    torch.testing.assert_close(average.values["1.running_mean"], 0.1 * before + 0.9 * model[1].running_mean)
    assert average.values["1.num_batches_tracked"] == 1


def test_the_model_has_its_own_weights_again_whatever_happens() -> None:
    layer = one(1.0)
    average = Average(layer, 0.9)
    put(layer, 3.0)
    with average.applied(layer):
        assert layer.weight.item() == 1.0
    assert layer.weight.item() == 3.0
    with pytest.raises(KeyboardInterrupt), average.applied(layer):
        signal.raise_signal(signal.SIGINT)
    assert layer.weight.item() == 3.0
    assert average.values["weight"].item() == 1.0


def test_validation_the_best_epoch_and_the_final_model_have_the_averaged_weights(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A training of one step: after it the average is 0.1 of the start and 0.9 of the weights stepped to."""
    seen = []

    def watched(model: nn.Module, *rest: object, **options: object) -> object:
        seen.append({key: value.clone() for key, value in model.state_dict().items()})
        return predict_logits(model, *rest, **options)

    monkeypatch.setattr(run, "predict_logits", watched)
    train = {"epochs": 1, "batch_size": 64, "warmup": 0.0, "schedule": "constant"}
    start = Classifier(quick(train={**train, "lr": 1e-12})).fit(scenes()).pipeline_.scorer.each[0].model.state_dict()
    plain = Classifier(quick(train=train)).fit(scenes()).pipeline_.scorer.each[0].model.state_dict()
    averaged = (
        Classifier(quick(train={**train, "ema": 0.999})).fit(scenes()).pipeline_.scorer.each[0].model.state_dict()
    )
    moved = 0
    for key, value in averaged.items():
        torch.testing.assert_close(value, 0.1 * start[key] + 0.9 * plain[key])
        torch.testing.assert_close(seen[-1][key], value)
        moved += not torch.equal(value, plain[key])
    assert moved


def test_averaged_weights_are_saved(tmp_path: Path) -> None:
    classifier = Classifier(quick(train={"ema": 0.9})).fit(scenes(), out=tmp_path / "run")
    rows = scenes(7, start=100)
    again = Classifier.load(tmp_path / "run").predict_proba(rows).values
    assert (classifier.predict_proba(rows).values == again).all()
    assert not math.isnan(again.sum())
