"""Every preset is a whole configuration, and trains on any table untuned."""

from __future__ import annotations

import tomllib
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.config.presets import preset_names, preset_path
from multitag.data.table import read_table
from multitag.errors import ConfigError, DataWarning
from multitag.recipes import configure
from multitag.types import Sample
from tiny import write_table

NAMES = preset_names()


def shrunk(name: str, models: dict[str, Path]) -> Config:
    """A preset with the same parts in small, for a few steps."""
    values = configure(preset=name).values()
    for part in [values, *values.get("ensemble", {}).get("members", {}).values()]:
        for encoder in part.get("encoders", {}).values():
            small(encoder, models)
        part["train"] = {**part.get("train", {}), "epochs": 2, "min_steps": 0, "precision": "float32"}
    values["store"]["runtime"] = "torch"
    return Config.parse(values)


def small(encoder: dict[str, Any], models: dict[str, Path]) -> None:
    if encoder["name"] == "efficientnet_lite":
        places = {option: min(encoder[option], 14) for option in ("first_trained", "divided_at")}
        encoder |= {"variant": "lite0", "size": 64, **places}
    elif encoder["name"] == "transformers_text":
        encoder["model"] = str(models["bert"])
        encoder["first_trained"] = min(encoder["first_trained"], 1)  # it has two layers


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> list[Sample]:
    """60 rows with pictures, four of five of which have a text."""
    return read_table(write_table(tmp_path_factory.mktemp("table"), rows=60)).samples


def only(what: str, rows: list[Sample]) -> list[Sample]:
    gone: dict[str, Any] = {"image": None} if what == "text" else {"text": None}
    return [replace(row, **gone) for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_fully_resolved(name: str) -> None:
    values = tomllib.loads(preset_path(name).read_text("utf-8"))
    assert values == tomllib.loads(Config.parse(values).dump()), "run: python scripts/resolve_recipes.py"
    assert values["preset"] == name
    assert f"--preset {name}" in preset_path(name).read_text("utf-8").splitlines()[0]


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_on_any_table(name: str, models: dict[str, Path], rows: list[Sample], tmp_path: Path) -> None:
    config = shrunk(name, models)
    whole = Classifier(config).fit(rows, out=tmp_path / "run")
    assert Classifier.load(tmp_path / "run").config.preset == name
    members = list(whole.config.members)
    for what, lacking in (("text", "picture"), ("image", "text")):
        with pytest.warns(DataWarning, match=f"no training row has a {lacking}"):
            found = Classifier(config).fit(only(what, rows), out=tmp_path / what)
        assert found.fitted_ is not None
        kept = list(found.pipeline_.config.members)
        assert set(kept) <= set(members)
        assert found.predict(rows).values.shape == (60, 3), "rows of both kinds are predicted all the same"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("count", [8, 49])
def test_it_trains_on_a_small_table(name: str, count: int, models: dict[str, Path], rows: list[Sample]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        fitted = Classifier(shrunk(name, models)).fit(rows[:count]).fitted_
    assert fitted is not None
    assert fitted.rows["train"] + (fitted.rows["valid"] if fitted.scored_on == "held_out" else 0) == count


@pytest.mark.parametrize("name", NAMES)
def test_large_tables_have_held_out_rows_and_no_folds(name: str) -> None:
    assert configure(preset=name).settled(60_000).train.fold_count == 0


def test_configure_takes_a_preset_and_nothing_beside_it(tmp_path: Path) -> None:
    assert configure(preset="balanced").preset == "balanced"
    changed = configure(preset="balanced", seed=3, changes=["train.lr=0.5", "ensemble.members.words.train.lr=0.25"])
    words, frozen = (changed.members[name] for name in ("words", "frozen"))
    assert words is not None
    assert frozen is not None
    assert (words.seed, frozen.seed, frozen.train.lr, words.train.lr) == (3, 3, 0.5, 0.25)
    (tmp_path / "own.toml").write_text("")
    with pytest.raises(ConfigError, match="--preset and --config both give a whole configuration"):
        configure(preset="fast", file=tmp_path / "own.toml")
    with pytest.raises(ConfigError, match="--recipe and --preset both give"):
        configure(preset="fast", recipe="tfidf-linear")
    with pytest.raises(ConfigError, match="preset 'bset' does not exist; did you mean 'best'"):
        configure(preset="bset")
    with pytest.raises(ConfigError, match="--task spans: the preset fast has task = 'labels'"):
        configure(preset="fast", task="spans")


def test_a_classifier_of_a_preset() -> None:
    model = Classifier.preset("best", time_limit="30m")
    assert (model.config.preset, model.config.train.time_limit) == ("best", 1800)
    assert Classifier.preset("fast", time_limit=90).config.train.time_limit == 90
    assert Classifier.preset("fast").config.train.time_limit is None
    with pytest.raises(ConfigError, match="'a while' is no duration"):
        Classifier.preset("fast", time_limit="a while")
