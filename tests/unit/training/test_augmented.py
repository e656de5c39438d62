"""Augmented trainings: rows with rare labels come again, a resumed training draws the same, validation stays plain."""

from __future__ import annotations

import signal
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import tiny
from multitag.augment.augmenter import Augmenter
from multitag.augment.word_dropout import WordDropout
from multitag.classifier import Classifier
from multitag.config import Config, TrainConfig
from multitag.losses.bce import BCE
from multitag.tasks.labels import LabelTask
from multitag.training import train
from multitag.training.pace import measure_pace
from multitag.types import LabelSpace
from training_support import Kill, contents, quick, train_in_child


class Matrix(nn.Module):
    """A stand-in for the model."""

    def __init__(self) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict()
        self.matrix = nn.Linear(3, 2)

    def forward(self, batch: Any) -> torch.Tensor:
        return self.matrix(batch.features)

    def quick(self) -> AbstractContextManager[None]:
        return nullcontext()


class Given:
    """A stand-in for a batch."""

    def __init__(self, features: torch.Tensor, targets: torch.Tensor) -> None:
        self.features, self.targets, self.weights = features, targets, None

    def to(self, device: Any) -> Given:
        return self


class Served:
    """A stand-in for the feeder that keeps what it was asked for."""

    def __init__(self, targets: np.ndarray) -> None:
        self.targets, self.asked = torch.from_numpy(targets), []
        self.samples = [None] * len(targets)

    def __len__(self) -> int:
        return len(self.targets)

    def batch(self, rows: Any, draw: Any = None) -> Given:
        self.asked.append((list(rows), draw))
        return Given(torch.ones(len(rows), 3), self.targets[list(rows)])


def test_an_epoch_has_every_row_and_the_copies_each_with_a_draw_of_its_own():
    targets = np.zeros((10, 2), np.float32)
    targets[0, 0] = 1
    targets[:5, 1] = 1
    augmenter = Augmenter.of([WordDropout()], targets, rare=0.4, seed=0)
    assert augmenter.rows == [*range(10), 0]
    rows, valid = Served(targets), Served(targets)
    settings = TrainConfig(epochs=2, min_steps=0, batch_size=4, patience=9)
    train(Matrix(), BCE(), LabelTask(LabelSpace(("a", "b"))), rows, valid, settings, seed=3, augmenter=augmenter)
    assert len(rows.asked) == 2 * 3
    for epoch in (0, 1):
        of_epoch = rows.asked[3 * epoch : 3 * epoch + 3]
        assert sorted(row for chosen, _ in of_epoch for row in chosen) == [0, *range(10)]
        assert [(draw.epoch, draw.step) for _, draw in of_epoch] == [(epoch, step) for step in range(3)]
        assert sorted(place for _, draw in of_epoch for place in draw.places) == list(range(11))
        assert all([augmenter.rows[place] for place in draw.places] == chosen for chosen, draw in of_epoch)
    assert all(draw is None for _, draw in valid.asked), "rows that are scored stay as they are"


def changing(folder: Path) -> Config:
    """Pictures and a few words; pictures are flipped, turned and mixed, and rows come again."""
    return quick(
        [f"store.path={folder}"],
        encoders={
            "image": {"name": "cnn", "channels": 4, "stages": 2, "size": 32, "frozen": False},
            "text": {"name": "bag_of_ngrams", "ngrams": 1, "min_count": 1},
        },
        augment={"rare": 0.5, "steps": [{"name": "flip"}, {"name": "rotate"}, {"name": "mixup"}]},
        train={"epochs": 2, "batch_size": 8, "checkpoint_seconds": 0},
    )


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_table(tmp_path_factory.mktemp("augmented"), rows=24)


@pytest.mark.slow
def test_killed_and_resumed_is_the_run_of_an_uninterrupted_training(pictures: Path, tmp_path: Path):
    config = changing(tmp_path / "store")
    assert train_in_child(config, pictures, tmp_path / "whole") == 0
    kill = Kill("main.safetensors", 5)
    assert train_in_child(config, pictures, tmp_path / "run", kill=kill) == -signal.SIGKILL
    assert train_in_child(config, pictures, tmp_path / "run", resume=True) == 0
    found, expected = contents(tmp_path / "run"), contents(tmp_path / "whole")
    for part in expected:
        assert found[part] == expected[part], part


def test_what_is_drawn_reaches_the_weights(pictures: Path, tmp_path: Path):
    plain = changing(tmp_path / "store").changed(["augment.steps=[]"])
    flipped = plain.changed(['augment.steps=[{name = "flip", p = 1.0}]'])
    first, again, other = (Classifier(config).fit(pictures) for config in (flipped, flipped, plain))
    probabilities = [classifier.predict_proba(pictures).values for classifier in (first, again, other)]
    assert np.array_equal(probabilities[0], probabilities[1])
    assert not np.allclose(probabilities[0], probabilities[2])


def test_the_pace_is_of_steps_that_each_draw_anew():
    """An encoder does not run in a step that drops its modality: one and the same step would say so of all."""
    drawn = []

    class Drawing(Matrix):
        def forward(self, batch: Any) -> torch.Tensor:
            if self.training:
                drawn.append(float(torch.rand(())))
            return super().forward(batch)

    targets = np.zeros((40, 2), np.float32)
    settings = TrainConfig(epochs=1, min_steps=0, batch_size=4, patience=9)
    task = LabelTask(LabelSpace(("a", "b")))
    measure_pace(Drawing(), BCE(), task, Served(targets), Served(targets), settings, seed=3, seconds=1e-9)
    assert len(drawn) >= 3
    assert len(set(drawn[:3])) == 3
