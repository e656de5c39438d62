"""A single model's answers to rows that lack a picture or a text, calibrated on such rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.data.table import read_table
from multitag.errors import RunError
from multitag.features.rows import Rows, check_rows
from multitag.fitting.shifting import fit_shifts, taken_away
from multitag.lacking import Shift, shifted
from multitag.networks import Networks
from multitag.runs.folder import PREPROCESS
from multitag.types import Modality, Sample
from tiny import write_table
from training_support import TEXT_AND_PICTURE, quick


def config(**sections: Any) -> Config:
    return quick(encoders=TEXT_AND_PICTURE, fusion={"name": "sum"}, **sections)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """140 rows with pictures, four of five of which have a text."""
    return read_table(write_table(tmp_path_factory.mktemp("table"), rows=140)).samples


@pytest.fixture(scope="module")
def fitted(rows: list[Sample]) -> Classifier:
    return Classifier(config(train={"folds": 2, "epochs": 3})).fit(rows)


def networks(classifier: Classifier) -> Networks:
    assert isinstance(classifier.pipeline_.scorer, Networks)
    return classifier.pipeline_.scorer


def without(rows: list[Sample], modality: Modality) -> list[Sample]:
    return [replace(row, **{modality: None}) for row in rows]  # type: ignore[arg-type]


def made_up(lacking: int = 0) -> Rows:
    """400 rows, the last of which lack a picture."""
    samples = [Sample(str(n), image=None if n >= 400 - lacking else Path("x.png"), text="words") for n in range(400)]
    return Rows(samples, [None] * 400)


def test_a_shift_undoes_what_taking_away_does() -> None:
    """Where answers without pictures are those with them, halved and lowered, they are doubled and raised again."""
    draw = np.random.default_rng(0)
    known = draw.normal(size=(400, 3)).astype(np.float32) * 3
    gold = (draw.random((400, 3)) < 1 / (1 + np.exp(-known))).astype(np.float32)
    settings = config(calibration={"name": "per_label", "shrinkage": 1e-6})
    shifts = fit_shifts(settings, made_up(), gold, known, {"image": known / 2 - 1})
    assert np.allclose(shifts["image"].slopes, 2, atol=1e-3)
    assert np.allclose(shifts["image"].offsets, 2, atol=1e-3)
    some = made_up(lacking=5)
    said = known.copy()
    said[-5:] = said[-5:] / 2 - 1
    assert np.allclose(shifted(said, some, shifts), known, atol=5e-3)
    assert np.array_equal(shifted(said, some, shifts)[:-5], known[:-5])
    assert np.array_equal(said[-5:], known[-5:] / 2 - 1), "what was given is as it was"


def test_a_model_that_is_hardly_sure_of_anything_has_a_shift_too() -> None:
    """Logits of a hundredth ask for slopes of hundreds, whose probabilities at 1 cannot be told from 1."""
    draw = np.random.default_rng(0)
    known = draw.normal(size=(400, 3)).astype(np.float32)
    gold = (draw.random((400, 3)) < 1 / (1 + np.exp(-5 * known))).astype(np.float32)
    settings = config(calibration={"name": "per_label", "shrinkage": 1e-6})
    shifts = fit_shifts(settings, made_up(), gold, known / 100, {"image": known / 50})
    assert np.allclose(shifts["image"].slopes, 0.5, atol=1e-3)
    assert np.allclose(shifts["image"].offsets, 0, atol=1e-3)


def test_what_a_model_does_not_read_it_does_not_miss() -> None:
    known = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    gold = (known > 0).astype(np.float32)
    assert set(fit_shifts(quick(), made_up(), gold, known, {"image": known, "text": known * 0})) == {"text"}
    assert fit_shifts(config(calibration={"name": "none"}), made_up(), gold, known, {"image": known}) == {}


def test_too_few_rows_teach_no_shift() -> None:
    known = np.random.default_rng(0).normal(size=(400, 3)).astype(np.float32)
    gold = (known > 0).astype(np.float32)
    rows = made_up()
    bare = Rows([replace(sample, text=None) for sample in rows.samples[:360]] + rows.samples[360:], rows.hashes)
    assert fit_shifts(config(), bare, gold, known, {"image": known}) == {}, "40 rows have a text"
    gold[30:] = np.nan
    assert fit_shifts(config(), rows, gold, known, {"image": known}) == {}, "30 rows have labels"


def test_answers_without_a_text_are_calibrated(fitted: Classifier, rows: list[Sample]) -> None:
    """The mean probability of each label is its share, of rows with and without a text."""
    bare = replace(fitted.pipeline_, scorer=replace(networks(fitted), without={}))
    ready = check_rows(without(rows, "text"), fitted.config)
    share = fitted.pipeline_.space.encode(rows).mean(axis=0)
    ours = np.abs(fitted.pipeline_.predict(ready).probabilities.mean(axis=0) - share)  # type: ignore[union-attr]
    theirs = np.abs(bare.predict(ready).probabilities.mean(axis=0) - share)  # type: ignore[union-attr]
    assert ours.mean() < theirs.mean()
    whole = check_rows([row for row in rows if row.text], fitted.config)
    assert np.array_equal(fitted.pipeline_.logits(whole), bare.logits(whole)), "complete rows are as they were"


def test_it_is_saved(fitted: Classifier, rows: list[Sample], tmp_path: Path) -> None:
    fitted.save(tmp_path / "run")
    assert set(networks(Classifier.load(tmp_path / "run")).without) == {"image", "text"}
    for some in (rows, without(rows, "image"), without(rows, "text")):
        again = Classifier.load(tmp_path / "run").predict_proba(some).values
        assert np.array_equal(again, fitted.predict_proba(some).values)
    path = tmp_path / "run" / PREPROCESS
    state = json.loads(path.read_text())
    for broken, said in (
        ({"sound": state["without"]["text"]}, "rows without sound"),
        ({"text": {"slopes": [1.0], "offsets": [0.0]}}, "and 3 labels"),
        ({"text": {"slopes": [1.0, 1.0, 1.0]}}, "lacks 'offsets'"),
    ):
        path.write_text(json.dumps({**state, "without": broken}))
        with pytest.raises(RunError, match=said):
            Classifier.load(tmp_path / "run")
    path.write_text(json.dumps({key: value for key, value in state.items() if key != "without"}))
    assert not networks(Classifier.load(tmp_path / "run")).without, "a run of before"


def test_what_is_not_calibrated_is_left_as_it_is() -> None:
    assert taken_away(config()) == ("image", "text")
    assert taken_away(config(calibration={"name": "none"})) == ()
    assert taken_away(quick()) == (), "words alone"
    assert Shift(np.array([2.0]), np.array([1.0])).apply(np.array([[3.0]], np.float32)).tolist() == [[7.0]]
