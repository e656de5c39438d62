"""Encoders without pretrained weights: trained, saved and loaded with their run, no hub, no weights beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multitag.classifier import Classifier
from training_support import quick

LSTM = {"name": "lstm", "embedding": 8, "hidden": 8, "frozen": False}
CNN = {"name": "cnn", "channels": 4, "stages": 2, "size": 32, "frozen": False}
BERT = {
    "name": "transformers_text",
    "frozen": False,
    "architecture": {
        "model_type": "bert",
        "hidden_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "intermediate_size": 24,
    },
}
RESNET = {
    "name": "transformers_image",
    "frozen": False,
    "size": 32,
    "architecture": {
        "model_type": "resnet",
        "embedding_size": 6,
        "hidden_sizes": [6, 10],
        "depths": [1, 1],
        "layer_type": "basic",
    },
}


@pytest.mark.parametrize("fusion", ["concat", "cross_attention"])
@pytest.mark.parametrize(
    "encoders", [{"text": LSTM, "image": CNN}, {"text": BERT, "image": RESNET}], ids=["ours", "transformers"]
)
def test_a_run_is_all_that_is_needed(encoders: dict[str, Any], fusion: str, table: Path, tmp_path: Path) -> None:
    config = quick(encoders=encoders, train={"epochs": 2, "encoder_lr": 0.01}).changed([f"fusion.name={fusion}"])
    classifier = Classifier(config).fit(table, out=tmp_path / "run")
    before, after = (c.predict_proba(table).values for c in (classifier, Classifier.load(tmp_path / "run")))
    assert np.array_equal(before, after)
    assert before.std(axis=0).max() > 0


@pytest.mark.filterwarnings("ignore:24 validation rows")
def test_words_learn_what_they_mean(table: Path) -> None:
    """The labels of the table follow from its words alone."""
    config = quick(
        encoders={"text": {**LSTM, "drop_stop_words": False}},
        fusion={"name": "single"},
        train={"epochs": 40, "encoder_lr": 0.02, "patience": 40},
    )
    probabilities = Classifier(config).fit(table, valid=table).predict_proba(table)
    animal = probabilities.values[:, probabilities.space.names.index("animal")]
    dogs = np.arange(24) % 4 == 0
    boats = np.arange(24) % 4 == 1
    captioned = np.arange(24) % 5 != 4
    assert animal[dogs & captioned].min() > animal[boats & captioned].max()
