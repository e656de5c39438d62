"""Rows that lack a picture or a text, joined by a combiner that was fitted on such rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multitag.classifier import Classifier
from multitag.combined import Combined
from multitag.combiners.stacking import Stacking
from multitag.config import Config
from multitag.data.table import read_table
from multitag.ensemble import Ensemble
from multitag.errors import RunError
from multitag.features.rows import check_rows
from multitag.fitting.fitter import Fitter
from multitag.networks import network_logits, open_store
from multitag.progress import silent
from multitag.runs.folder import COMBINER
from multitag.types import Modality, Sample
from tiny import write_table
from training_support import ONLY_TEXT, TEXT_AND_PICTURE, quick

SINGLE = {"name": "single"}
MEMBERS: dict[str, Any] = {
    "both": {"encoders": TEXT_AND_PICTURE, "fusion": {"name": "sum"}},
    "words": {"encoders": ONLY_TEXT, "fusion": SINGLE},
}


def stacked(**train: Any) -> Config:
    return quick(
        train={"epochs": 3, "folds": 2, **train},
        calibration={"name": "none"},
        ensemble={"combiner": {"name": "stacking"}, "members": MEMBERS},
    )


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """140 rows with pictures, four of five of which have a text."""
    return read_table(write_table(tmp_path_factory.mktemp("table"), rows=140)).samples


@pytest.fixture(scope="module")
def fitted(rows: list[Sample]) -> Ensemble:
    return Ensemble.from_config(stacked()).fit(rows)


def parted(ensemble: Ensemble) -> Combined:
    assert isinstance(ensemble.pipeline_.scorer, Combined)
    return ensemble.pipeline_.scorer


def without(rows: list[Sample], modality: Modality) -> list[Sample]:
    return [replace(row, **{modality: None}) for row in rows]  # type: ignore[arg-type]


def test_each_combiner_is_fitted_on_answers_out_of_fold(rows: list[Sample], monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of networks that did not see the row, to the row with its picture, or its text, taken away."""
    given: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
    networks: dict[tuple[str, str], Any] = {}
    fit, train = Stacking.fit, Fitter.train

    def watched(self: Stacking, logits: Any, gold: Any) -> Stacking:
        given.append((np.asarray(logits), np.asarray(gold)))
        return fit(self, logits, gold)

    def telling(self: Fitter, name: str, own: Any, held: Any, **options: Any) -> Any:
        found = train(self, name, own, held, **options)
        networks.update({(self.prefix, row.id): (self.config, found.network) for row in held.samples})
        return found

    monkeypatch.setattr(Stacking, "fit", watched)
    monkeypatch.setattr(Fitter, "train", telling)
    ensemble = Ensemble.from_config(stacked()).fit(rows)
    written = [row for row in rows if row.text]
    assert [len(gold) for _, gold in given] == [len(written), len(rows), len(written)], "no picture, no text, and both"
    for (logits, gold), modality, of in zip(given, ("image", "text", None), (written, rows, written), strict=True):
        assert np.array_equal(gold, ensemble.pipeline_.space.encode(of))
        for place in (0, 17, len(of) - 1):
            left = check_rows([of[place]], ensemble.config)
            left = left if modality is None else left.without(modality)  # type: ignore[arg-type]
            for number, prefix in enumerate(("both-", "words-")):
                config, network = networks[prefix, of[place].id]
                with open_store(config) as store:
                    said = network_logits(network, left, store, config, 3, progress=silent)
                sure = np.log(1e12)  # no probability is nearer to 0 or 1
                assert np.allclose(logits[number, place], np.clip(said[0], -sure, sure), rtol=0, atol=1e-3)


def test_rows_are_joined_by_the_combiner_of_what_they_have(fitted: Ensemble, rows: list[Sample]) -> None:
    combined = parted(fitted)
    assert set(combined.without) == {"image", "text"}
    mixed = [
        rows[0],
        *without(rows[1:3], "image"),
        *without(rows[3:6], "text"),
        replace(rows[6], image=None, text=None),
    ]
    kinds: list[Modality | None] = [None, "image", "image", "text", "text", "text", None]
    assert all(row.text for row in rows[:3])
    ready = check_rows(mixed, fitted.config)
    each = np.stack([member.logits(ready) for member in combined.members.values()])
    joined = combined.logits(ready)
    for place, kind in enumerate(kinds):
        combiner = combined.combiner if kind is None else combined.without[kind]
        assert np.allclose(joined[place], combiner.apply(each[:, [place]])[0], rtol=0, atol=1e-5), place


def test_a_member_without_anything_to_read_does_not_speak_louder(fitted: Ensemble) -> None:
    """Without texts, the member that reads words alone says the same of all rows: only the offset is moved by it."""
    alone, both = parted(fitted).without["text"], parted(fitted).combiner
    assert isinstance(alone, Stacking)
    assert isinstance(both, Stacking)
    assert np.all(np.abs(alone.coefficients_[:, 1]) < np.abs(both.coefficients_[:, 1]))


def test_it_is_saved(fitted: Ensemble, rows: list[Sample], tmp_path: Path) -> None:
    fitted.save(tmp_path / "run")
    again = Classifier.load(tmp_path / "run")
    for some in (rows, without(rows, "image"), without(rows, "text")):
        assert np.array_equal(again.predict_proba(some).values, fitted.predict_proba(some).values)
    state = json.loads((tmp_path / "run" / COMBINER).read_text())
    older = {key: value for key, value in state.items() if key != "without"}
    (tmp_path / "run" / COMBINER).write_text(json.dumps(older))
    assert not parted(Ensemble.load(tmp_path / "run")).without, "a run of before"
    (tmp_path / "run" / COMBINER).write_text(json.dumps({**state, "without": {"sound": older}}))
    with pytest.raises(RunError, match="rows without sound"):
        Ensemble.load(tmp_path / "run")


def test_where_there_is_nothing_to_take_away_there_is_one(rows: list[Sample]) -> None:
    only = quick(
        train={"epochs": 2, "folds": 2},
        ensemble={"combiner": {"name": "stacking"}, "members": {"a": {}, "b": {"seed": 1}}},
    )
    assert not parted(Ensemble.from_config(only).fit(without(rows, "image"))).without
    mean = Config.parse({**stacked().values(), "ensemble": {"combiner": {"name": "mean"}, "members": MEMBERS}})
    assert not parted(Ensemble.from_config(mean).fit(rows)).without


def test_held_out_rows_do_too(rows: list[Sample]) -> None:
    """Where a share is held out, and not every fold in turn; too few rows have no such combiner."""
    config = stacked(folds=0).changed(["data.valid_share=0.5"])
    assert set(parted(Ensemble.from_config(config).fit(rows)).without) == {"image", "text"}
    assert not parted(Ensemble.from_config(config).fit(rows[:60])).without
