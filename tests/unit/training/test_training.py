"""The loop: repeatable, masked, clipped, scheduled, stopped in time, at any precision."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from multitag.classifier import Classifier
from multitag.config import TrainConfig
from multitag.errors import ConfigError, MultitagError
from multitag.fitting.fitted import Fitted
from multitag.inference import predict_logits
from multitag.losses.bce import BCE
from multitag.tasks.labels import LabelTask
from multitag.training import train
from multitag.types import Batch, LabelSpace, Sample
from training_support import quick, scenes, unfrozen


class Linear(nn.Module):
    """A stand-in for the model: no encoder of its own, one matrix."""

    def __init__(self, width: int, labels: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict()
        self.matrix = nn.Linear(width, labels)
        self.dropout = nn.Dropout(dropout)

    def forward(self, batch: Batch) -> torch.Tensor:
        return self.matrix(self.dropout(batch.encoded["x"]))

    def quick(self) -> AbstractContextManager[None]:
        return nullcontext()


class Rows:
    """A stand-in for the feeder."""

    def __init__(self, features: torch.Tensor, targets: torch.Tensor) -> None:
        self.features, self.targets, self.served = features, targets, []
        self.samples = [None] * len(targets)

    def __len__(self) -> int:
        return len(self.features)

    def batch(self, rows: Any) -> Any:
        self.served.append(list(rows))
        index = torch.as_tensor(list(rows))
        return _Fixed(self.features[index], self.targets[index])


class _Fixed:
    def __init__(self, features: torch.Tensor, targets: torch.Tensor) -> None:
        self.encoded, self.targets, self.weights = {"x": features}, targets, None

    def to(self, device: Any) -> _Fixed:
        return self


class Scripted:
    """A stand-in for the task whose score is read off a script, epoch by epoch."""

    def __init__(self, scores: list[float]) -> None:
        self.space, self.scores = LabelSpace(("a", "b")), iter(scores)

    def score(self, logits: Any, targets: Any, monitor: str, samples: Any = ()) -> float:
        return -0.5 if monitor == "loss" else next(self.scores)


def problem(rows: int = 12, seed: int = 0) -> Rows:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(rows, 3, generator=generator)
    return Rows(features, (features[:, :2] > 0).float())


def linear(dropout: float = 0.0) -> Linear:
    with torch.random.fork_rng():
        torch.manual_seed(7)
        return Linear(3, 2, dropout)


def settings(**changes: Any) -> TrainConfig:
    plain = {
        "epochs": 3,
        "batch_size": 5,
        "lr": 0.1,
        "warmup": 0.0,
        "schedule": "constant",
        "weight_decay": 0.0,
        "ema": 0.0,
    }
    return TrainConfig(**{**plain, **changes})


def test_rows_with_unknown_labels_train_as_if_the_cells_were_not_there() -> None:
    rows = problem(6)
    rows.targets[1, 0] = rows.targets[4, 1] = float("nan")
    model, by_hand = linear(), linear()
    train(model, BCE(), Scripted([]), rows, None, settings(epochs=1, batch_size=6), seed=0)
    optimizer = torch.optim.AdamW(by_hand.parameters(), lr=0.1, weight_decay=0.0)
    logits = by_hand.matrix(rows.features)
    terms = [
        nn.functional.softplus(-z if y == 1 else z)
        for z, y in zip(logits.flatten(), rows.targets.flatten(), strict=True)
        if not math.isnan(y)
    ]
    assert len(terms) == 10
    (sum(terms) / 10).backward()
    nn.utils.clip_grad_norm_(by_hand.parameters(), 1.0)
    optimizer.step()
    torch.testing.assert_close(model.matrix.weight, by_hand.matrix.weight)
    torch.testing.assert_close(model.matrix.bias, by_hand.matrix.bias)


def test_the_gradient_is_clipped_to_its_norm(monkeypatch: pytest.MonkeyPatch) -> None:
    norms: list[float] = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW, *args: Any, **options: Any) -> Any:
        squares = [p.grad.pow(2).sum() for group in self.param_groups for p in group["params"]]
        norms.append(float(torch.stack(squares).sum().sqrt()))
        return step(self, *args, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    train(linear(), BCE(), Scripted([]), problem(), None, settings(clip=0.01), seed=0)
    assert norms == pytest.approx([0.01] * 9, rel=1e-4)
    norms.clear()
    train(linear(), BCE(), Scripted([]), problem(), None, settings(clip=1e6), seed=0)
    assert min(norms) > 0.05


def test_the_rate_rises_and_falls_as_scheduled(monkeypatch: pytest.MonkeyPatch) -> None:
    rates: list[float] = []
    step = torch.optim.AdamW.step

    def watched(self: torch.optim.AdamW, *args: Any, **options: Any) -> Any:
        rates.append(self.param_groups[0]["lr"])
        return step(self, *args, **options)

    monkeypatch.setattr(torch.optim.AdamW, "step", watched)
    chosen = settings(epochs=4, warmup=0.25, schedule="linear")  # 3 steps an epoch: 3 rise, 9 fall
    train(linear(), BCE(), Scripted([]), problem(), None, chosen, seed=0)
    assert rates == pytest.approx([0.1 * f for f in [1 / 3, 2 / 3, 1, *(1 - k / 9 for k in range(9))]])


def test_every_row_is_seen_once_an_epoch_in_another_order() -> None:
    rows = problem()
    train(linear(), BCE(), Scripted([]), rows, None, settings(epochs=2), seed=0)
    first, second = list(chain(*rows.served[:3])), list(chain(*rows.served[3:]))
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    assert [len(batch) for batch in rows.served] == [5, 5, 2] * 2


def test_the_best_epoch_is_kept_and_patience_ends_the_training() -> None:
    scores = [0.1, 0.7, 0.5, float("nan"), 0.6, 0.99]
    model, seen = linear(), []
    standing = train(
        model,
        BCE(),
        Scripted(scores),
        problem(),
        problem(seed=1),
        settings(epochs=6, patience=3, monitor="map"),
        seed=0,
        on_epoch=seen.append,
    )
    assert len(standing.history) == len(seen) == 5  # 3 epochs without a better one
    assert standing.best_epoch == 1
    assert [row["valid_map"] for row in seen[:3]] == [0.1, 0.7, 0.5]
    short = linear()
    # The same two epochs, constant rate: the weights after the best epoch.
    train(short, BCE(), Scripted([]), problem(), None, settings(epochs=2), seed=0)
    assert torch.equal(model.matrix.weight, short.matrix.weight)
    assert not model.training


def test_what_the_best_epoch_says_of_the_held_out_rows_is_handed_on() -> None:
    model, held, said = linear(), problem(seed=1), []
    chosen = settings(epochs=6, patience=3, monitor="map", validate_every=2)
    train(model, BCE(), Scripted([0.1, 0.7, 0.5]), problem(), held, chosen, seed=0, on_best=said.append)
    assert [logits is None for logits in said] == [True, False, False]  # nothing was looked at after the first epoch
    np.testing.assert_array_equal(said[-1], predict_logits(model, held, 2))
    assert not np.array_equal(said[-1], said[1])


def test_a_score_that_is_not_defined_at_first_does_not_win() -> None:
    scores = Scripted([float("nan"), 0.2, 0.1])
    chosen = settings(patience=3, monitor="map")
    standing = train(linear(), BCE(), scores, problem(), problem(), chosen, seed=0)
    assert standing.best_epoch == 1


@pytest.mark.parametrize("monitor", ["brier", "loss", "samples_f1", "map", "ece"])
def test_any_metric_chooses_the_epoch_errors_by_their_smallest(monitor: str) -> None:
    fitted = Classifier(quick(train={"epochs": 5, "monitor": monitor, "patience": 5})).fit(scenes()).fitted_
    assert fitted is not None
    values = [row[f"valid_{monitor}"] for row in fitted.history]
    best = min(values) if monitor in ("brier", "loss", "ece") else max(values)
    score = fitted.pipeline.held_out
    task = LabelTask(fitted.pipeline.space)
    assert abs(task.score(score.logits, score.gold, monitor)) == pytest.approx(best)


def test_no_epoch_is_chosen_the_last_one_stays() -> None:
    """However bad it is: a rate this high leaves the held-out loss worse than after the first epoch."""
    changes = {"epochs": 8, "patience": 1, "lr": 5.0, "schedule": "constant", "warmup": 0.0}
    fitted = Classifier(quick(train={**changes, "monitor": "last"})).fit(scenes()).fitted_
    assert fitted is not None
    losses = [row["valid_loss"] for row in fitted.history]
    assert len(losses) == 8
    assert losses[-1] > min(losses)
    score = fitted.pipeline.held_out
    task = LabelTask(fitted.pipeline.space)
    assert -task.score(score.logits, score.gold, "loss") == pytest.approx(losses[-1], rel=1e-5)


def test_epochs_that_are_not_looked_at_train_the_same_weights() -> None:
    def fitted(**train: object) -> Fitted:
        found = Classifier(quick(train={"epochs": 6, "patience": 6, "lr": 1e-3, **train})).fit(scenes()).fitted_
        assert found is not None
        return found

    rare, last = fitted(monitor="loss", validate_every=4), fitted(monitor="last")
    assert [row["epoch"] for row in rare.history if "valid_loss" in row] == [4, 6]
    assert len(rare.history) == 6
    losses = [row["valid_loss"] for row in last.history]
    assert losses[5] < losses[3], "the last is the best of the two that were looked at"
    assert rare.history[5]["valid_loss"] == losses[5]
    np.testing.assert_array_equal(rare.pipeline.held_out.logits, last.pipeline.held_out.logits)


def test_patience_counts_looks() -> None:
    """A rate this high makes each epoch worse: two looks without a better one end it, eight epochs after the first."""
    changes = {"epochs": 40, "patience": 2, "lr": 5.0, "schedule": "constant", "warmup": 0.0, "validate_every": 4}
    fitted = Classifier(quick(train={**changes, "monitor": "loss"})).fit(scenes()).fitted_
    assert fitted is not None
    losses = {row["epoch"]: row["valid_loss"] for row in fitted.history if "valid_loss" in row}
    best = min(losses, key=losses.__getitem__)
    assert len(fitted.history) == min(40, best + 8)


def test_same_seed_same_run_another_seed_another() -> None:
    def weights(seed: int) -> dict[str, torch.Tensor]:
        model = Classifier(quick(seed=seed, head={"name": "mlp"})).fit(scenes()).pipeline_.scorer.each[0].model
        return model.state_dict()

    first, again, other = weights(0), weights(0), weights(1)
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first if first[key].shape == other[key].shape)


def test_dropout_depends_on_the_step_not_on_what_was_drawn_before() -> None:
    def weight() -> torch.Tensor:
        model = linear(dropout=0.5)
        train(model, BCE(), Scripted([]), problem(), None, settings(), seed=3)
        return model.matrix.weight.detach()

    torch.manual_seed(1)
    first = weight()
    torch.rand(100)
    assert torch.equal(first, weight())


def test_the_callers_random_state_is_left_alone(models: dict[str, Any]) -> None:
    torch.manual_seed(5)
    np.random.seed(5)
    expected, drawn = torch.rand(3), np.random.rand(3)
    torch.manual_seed(5)
    np.random.seed(5)
    Classifier(quick(encoders=unfrozen(models["bert"]), train={"epochs": 1})).fit(scenes(10))
    assert torch.equal(torch.rand(3), expected)
    np.testing.assert_array_equal(np.random.rand(3), drawn)


def test_several_precisions_in_one_process_each_as_if_alone() -> None:
    def logits(precision: str) -> np.ndarray:
        fitted = Classifier(quick(train={"epochs": 3, "precision": precision})).fit(scenes())
        return fitted.pipeline_.held_out.logits

    full, half, again = logits("float32"), logits("bfloat16"), logits("float32")
    np.testing.assert_array_equal(full, again)
    assert np.abs(full - half).max() > 1e-6, "the precision changed nothing: it was not used"
    np.testing.assert_allclose(full, half, atol=0.2)


@pytest.mark.skipif(torch.accelerator.is_available(), reason="a GPU can")
def test_float16_without_a_gpu_is_an_error_and_not_quietly_float32() -> None:
    with pytest.raises(ConfigError, match=r"train\.precision = 'float16'.*needs a GPU.*bfloat16"):
        Classifier(quick(train={"precision": "float16"})).fit(scenes())


def test_trained_in_bfloat16_predicts_in_float32_before_and_after_loading(tmp_path: Path) -> None:
    classifier = Classifier(quick(train={"precision": "bfloat16"})).fit(scenes(), out=tmp_path / "run")
    rows = scenes(7, start=100)
    before = classifier.predict_proba(rows).values
    np.testing.assert_array_equal(before, Classifier.load(tmp_path / "run").predict_proba(rows).values)


def test_a_training_that_diverges_says_so() -> None:
    rows = problem()
    rows.features[0] = float("inf")
    with pytest.raises(MultitagError, match=r"diverged.*lower learning rate"):
        train(linear(), BCE(), Scripted([]), rows, None, settings(), seed=0)


def test_rows_whose_labels_are_all_unknown_in_a_batch_do_no_harm() -> None:
    rows = problem(10)
    rows.targets[:5] = float("nan")
    model = linear()
    standing = train(model, BCE(), Scripted([]), rows, None, settings(batch_size=1), seed=0)
    assert all(math.isfinite(row["train_loss"]) for row in standing.history)
    assert torch.isfinite(model.matrix.weight).all()


def test_unknown_cells_of_a_table_reach_the_loss_as_unknown() -> None:
    rows = scenes(20)
    rows[0] = Sample("row0", text="a dog runs", labels=("animal",), unknown=("sea",))
    fitted = Classifier(quick()).fit(rows, rows).fitted_
    assert fitted is not None
    gold = fitted.pipeline.held_out.gold
    assert np.isnan(gold[0]).tolist() == [name == "sea" for name in fitted.pipeline.space.names]
    assert np.isnan(gold).sum() == 1


def test_each_step_draws_what_its_seed_gives():
    from multitag.training.run import _draw_anew

    torch.manual_seed(11)
    expected = torch.rand(3)
    _draw_anew(12)
    assert not torch.equal(torch.rand(3), expected)
    _draw_anew(11)
    assert torch.equal(torch.rand(3), expected)
