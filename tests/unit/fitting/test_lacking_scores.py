"""What a fit says that it is worth on rows without a picture, and without a text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multitag.classifier import Classifier
from multitag.data.table import read_table
from multitag.ensemble import Ensemble
from multitag.evaluation import evaluate
from multitag.types import Modality, Sample
from tiny import write_table
from training_support import ONLY_TEXT, TEXT_AND_PICTURE, quick

MODALITIES: tuple[Modality, ...] = ("image", "text")


@pytest.fixture(scope="module")
def sides(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Sample], list[Sample]]:
    """140 rows to train on and 100 to validate on; four of five have a text."""
    rows = read_table(write_table(tmp_path_factory.mktemp("table"), rows=240)).samples
    return rows[:140], rows[140:]


@pytest.mark.parametrize("ensemble", [False, True])
def test_scores_are_those_of_predicting_rows_that_lack_it(
    sides: tuple[list[Sample], list[Sample]], ensemble: bool
) -> None:
    trained, valid = sides
    train: dict[str, Any] = {"epochs": 4, "folds": 0}
    both = {"encoders": TEXT_AND_PICTURE, "fusion": {"name": "sum"}}
    if ensemble:
        members = {"both": both, "words": {"encoders": ONLY_TEXT, "fusion": {"name": "single"}}}
        section = {"combiner": {"name": "stacking"}, "members": members}
        model = Ensemble.from_config(quick(train=train, ensemble=section)).fit(trained, valid=valid)
    else:
        model = Classifier(quick(train=train, **both)).fit(trained, valid=valid)
    assert model.fitted_ is not None
    lacking = model.fitted_.lacking
    assert set(lacking) == set(MODALITIES)
    whole = [row for row in valid if row.text]
    assert 0 < len(whole) < len(valid)
    for modality in MODALITIES:
        left = [replace(row, **{modality: None}) for row in whole]  # type: ignore[arg-type]
        again = evaluate(model.predict(left), left, rounds=1)
        told = lacking[modality]
        assert told.rows == len(whole)
        for name, score in again.metrics.items():
            assert told.metrics[name].value == pytest.approx(score.value, abs=1e-6), (modality, name)
    shown = model.fitted_.to_dict()["lacking"]
    assert shown["text"]["rows"] == len(whole)
    assert shown["text"]["metrics"]["samples_f1"] == lacking["text"].metrics["samples_f1"].value
    assert shown["text"]["metrics"] != shown["image"]["metrics"]


def test_what_reads_one_alone_has_none(sides: tuple[list[Sample], list[Sample]], tmp_path: Path) -> None:
    model = Classifier(quick(train={"epochs": 2}, encoders=ONLY_TEXT, fusion={"name": "single"})).fit(sides[0])
    assert model.fitted_ is not None
    assert not model.fitted_.lacking
    assert "lacking" not in model.fitted_.to_dict()


def test_the_card_has_them(sides: tuple[list[Sample], list[Sample]], tmp_path: Path) -> None:
    trained, valid = sides
    config = quick(train={"epochs": 2, "folds": 0}, encoders=TEXT_AND_PICTURE, fusion={"name": "sum"})
    model = Classifier(config).fit(trained, valid=valid, out=tmp_path / "run")
    assert model.fitted_ is not None
    said = (tmp_path / "run" / "README.md").read_text()
    for evaluation in model.fitted_.lacking.values():
        value = evaluation.metrics["samples_f1"].value
        line = f"{evaluation.rows} rows that have both are labelled with a samples F1 of {value:.4f}."
        assert f"With it taken away, {line}" in said
    assert "were not measured" not in said
