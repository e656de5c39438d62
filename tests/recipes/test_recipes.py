"""Every recipe is a whole configuration, and trains."""

from __future__ import annotations

import tomllib

import pytest

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import ConfigError, WeightsError
from multitag.recipes import configure, read_header, recipe_names, recipe_path

NAMES = recipe_names()


@pytest.mark.parametrize("name", NAMES)
def test_it_is_fully_resolved(name):
    values = tomllib.loads(recipe_path(name).read_text("utf-8"))
    try:
        config = Config.parse(values)
    except ConfigError as error:
        if "pip install" not in str(error):
            raise
        pytest.skip(str(error))
    resolved = tomllib.loads(config.dump())
    header, resolved_header = values.pop("recipe"), resolved.pop("recipe")
    assert values == resolved, "write every value out: print(Config.read(recipe).dump())"
    assert header == {key: value for key, value in resolved_header.items() if value}


@pytest.mark.parametrize("name", NAMES)
def test_it_says_where_it_comes_from(name):
    header = read_header(name)
    assert header.title
    assert header.source
    assert header.differences
    first = recipe_path(name).read_text("utf-8").splitlines()[0]
    assert f"--recipe {name}" in first


@pytest.mark.parametrize("name", NAMES)
def test_it_trains_two_steps_and_predicts(name, table, tmp_path):
    changes = ["train.epochs=2", "train.min_steps=0", "train.batch_size=64", "data.valid_share=0.3"]
    try:
        config = configure(recipe=name, changes=changes)
        classifier = Classifier(config).fit(table, out=tmp_path / "run")
    except (WeightsError, ConfigError) as error:
        if "pip install" not in str(error):
            raise
        pytest.skip(f"{name} needs what is not installed: {error}")
    assert classifier.fitted_ is not None
    assert len(classifier.fitted_.history) == 2
    expected = classifier.predict(table).values
    assert (Classifier.load(tmp_path / "run").predict(table).values == expected).all()


def test_all_files_are_listed():
    assert [f"{name}.toml" for name in NAMES] == sorted(p.name for p in recipe_path(NAMES[0]).parent.glob("*.toml"))


def test_an_unknown_recipe():
    with pytest.raises(ConfigError, match="did you mean 'tfidf-linear'"):
        recipe_path("tfidf-lineer")


def test_configure_takes_the_default_a_recipe_or_a_file(tmp_path):
    assert configure() == Config().resolved()
    assert configure(recipe="tfidf-linear").fusion.name == "single"
    (tmp_path / "own.toml").write_text("seed = 5\n")
    assert configure(file=tmp_path / "own.toml").seed == 5
    assert configure(file=tmp_path / "own.toml", seed=6).seed == 6
    assert configure(data={"text": "a"}).data.text == "a"
    with pytest.raises(ConfigError, match="choose one"):
        configure(recipe="tfidf-linear", file=tmp_path / "own.toml")


def test_without_an_encoder_of_two_there_is_nothing_to_fuse():
    assert configure(without=["image"]).fusion.name == "single"
    with pytest.raises(ConfigError, match="has: image, text"):
        configure(without=["sound"])
