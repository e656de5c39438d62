"""Every loss trains a model through the whole system, learns from it, and comes through an interruption."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.losses import LOSSES
from multitag.losses.class_weighted_bce import ClassWeightedBCE
from multitag.types import Sample
from training_support import Kill, contents, quick, scenes, train_in_child


def unsure(rows: list[Sample]) -> list[Sample]:
    """In some rows a label is unknown."""
    return [
        Sample(s.id, text=s.text, labels=s.labels, unknown=("people",) if n % 10 == 0 else ())
        for n, s in enumerate(rows)
    ]


@pytest.mark.parametrize("name", LOSSES.names())
def test_two_epochs_give_finite_predictions(name: str, tmp_path: Path) -> None:
    config = quick(loss={"name": name}, train={"epochs": 2})
    classifier = Classifier(config).fit(unsure(scenes(40)), out=tmp_path / "run")
    values = classifier.predict_proba(scenes(10)).values
    assert np.isfinite(values).all()
    assert ((values > 0) & (values < 1)).all()
    history = contents(tmp_path / "run")["history"]
    assert len(history) == 2
    assert history[1]["train_loss"] < history[0]["train_loss"]


@pytest.mark.parametrize("name", LOSSES.names())
def test_it_learns_what_the_words_say(name: str) -> None:
    classifier = Classifier(quick(loss={"name": name}, train={"epochs": 12})).fit(scenes(60))
    assert classifier.evaluate(scenes(20, start=60)).metrics["micro_f1"].value > 0.9


def test_the_weights_are_of_the_training_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of the held-out rows beside them."""
    seen = []
    fit = ClassWeightedBCE.fit
    monkeypatch.setattr(ClassWeightedBCE, "fit", lambda self, targets: (seen.append(targets), fit(self, targets))[1])
    rows, held = scenes(20), scenes(15, start=20)
    Classifier(quick(loss={"name": "class_weighted_bce"}, train={"epochs": 1})).fit(rows, held)
    assert [tuple(targets.shape) for targets in seen] == [(20, 3)]
    assert seen[0].sum(0).tolist() == [8, 8, 12]  # animal, people, sea


@pytest.mark.slow
def test_a_loss_that_counts_labels_is_the_same_after_a_resume(tmp_path: Path) -> None:
    config = quick(loss={"name": "distribution_balanced"}, train={"epochs": 3, "checkpoint_seconds": 0})
    rows = unsure(scenes(40))
    assert train_in_child(config, rows, tmp_path / "whole") == 0
    assert train_in_child(config, rows, tmp_path / "run", kill=Kill("checkpoints/main.safetensors", 6)) == -9
    assert train_in_child(config, rows, tmp_path / "run", resume=True) == 0
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
