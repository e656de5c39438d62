"""Every recipe is a whole configuration, and trains."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import ConfigError, WeightsError
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.recipes import configure, read_header, recipe_names, recipe_path
from multitag.sizes import weight_bytes
from multitag.tagger import SpanTagger
from multitag.types import Sample, Span, Width

NAMES = recipe_names()
SPANS = ["dong2024-meme-spans", "offline-dong2024-spans"]
TINY = {
    "openai/clip-vit-base-patch32": "clip",
    "microsoft/resnet-50": "resnet_50",
    "albert/albert-large-v2": "albert",
    "microsoft/resnet-34": "resnet",
    "google/efficientnet-b4": "efficientnet",
    "google/bert_uncased_L-2_H-128_A-2": "bert",
}
"""What stands here for a model of the hub: one of the same kind, of a few thousand weights."""
SMALL = {"dim": 16, "feedforward": 16, "layers": 1}


def shrunk(values: dict[str, Any], models: dict[str, Path]) -> dict[str, Any]:
    """A recipe with the same parts in small, for two steps: a stage each where there are two, else an epoch each."""
    for part in [values, *values.get("ensemble", {}).get("members", {}).values()]:
        for encoder in part.get("encoders", {}).values():
            if encoder.get("model") in TINY:
                encoder["model"] = str(models[TINY[encoder["model"]]])
            if encoder["name"] == "efficientnet_lite" or isinstance(encoder.get("size"), int):
                encoder["size"] = 64
        if "train" in part:
            part["train"]["epochs"] = 2
    values["fusion"] |= {key: size for key, size in SMALL.items() if key in values["fusion"]}
    values["train"] |= {"min_steps": 0, "batch_size": 64}
    for stage in values["train"]["stages"]:
        stage["epochs"] = 1
    values["data"]["valid_share"] = 0.3
    values["store"]["runtime"] = "torch"  # an export takes longer than the rows
    return values


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
    assert values == resolved, "run: python scripts/resolve_recipes.py"
    assert header == {key: value for key, value in resolved_header.items() if value}


@pytest.mark.parametrize("name", NAMES)
def test_it_says_where_it_comes_from(name):
    header = read_header(name)
    assert header.title
    assert header.source
    assert header.differences
    first = recipe_path(name).read_text("utf-8").splitlines()[0]
    assert f"--recipe {name}" in first


@pytest.mark.parametrize("name", sorted({*NAMES} - {*SPANS}))
def test_it_trains_two_steps_and_predicts(name, table, tmp_path, models):
    try:
        config = Config.parse(shrunk(configure(recipe=name).values(), models))
        classifier = Classifier(config).fit(table, out=tmp_path / "run")
    except (WeightsError, ConfigError) as error:
        if "pip install" not in str(error):
            raise
        pytest.skip(f"{name} needs what is not installed: {error}")
    assert classifier.fitted_ is not None
    assert len(classifier.fitted_.history) == 2 * max(1, len(config.members))
    expected = classifier.predict(table).values
    assert (Classifier.load(tmp_path / "run").predict(table).values == expected).all()


@pytest.mark.parametrize("name", SPANS)
def test_one_of_spans_trains_two_epochs_and_tags(name, tmp_path, models):
    words = ["a dog", "the boat near a cat", "two men", "a bird"]
    rows = [Sample(str(n), text=words[n % 4], spans=(Span(2, 5, "x"),) if n % 4 == 0 else ()) for n in range(16)]
    try:
        tagger = SpanTagger(Config.parse(shrunk(configure(recipe=name).values(), models)))
        tagger.fit(rows, out=tmp_path / "run")
    except WeightsError as error:
        pytest.skip(f"{name} needs what is not installed: {error}")
    assert tagger.fitted_ is not None
    assert len(tagger.fitted_.history) == 2
    assert SpanTagger.load(tmp_path / "run").predict(rows) == tagger.predict(rows)


@pytest.mark.parametrize(
    ("fusion", "head", "loss"), [("concat", "gmlp", "bce"), ("sum", "mlp", "focal"), ("mixed", "gmlp", "asymmetric")]
)
def test_heads_and_losses_of_guo_are_options_of_each_fusion(fusion, head, loss, table, models, tmp_path):
    config = configure(recipe=f"guo2024-clip-{fusion}", changes=[f"head.name={head}", f"loss.name={loss}"])
    classifier = Classifier(Config.parse(shrunk(config.values(), models))).fit(table, out=tmp_path / "run")
    assert len(classifier.predict(table).values) == 24


@pytest.mark.parametrize("fusion", ["concat", "sum", "mixed"])
def test_what_guo_trains_is_as_small_as_reported(fusion):
    """Less than 25 MB over frozen CLIP, the largest of OpenAI's (768 numbers a tower) included."""
    config = configure(recipe=f"guo2024-clip-{fusion}")
    widths = {"image": Width(768, None), "text": Width(768, None)}
    joined = FUSIONS.build(config.fusion.name, config.fusion.options, widths)
    heads = [HEADS.build(config.head.name, config.head.options, width, 18) for width in joined.branches.values()]
    trained = weight_bytes(tensor for part in (joined, *heads) for tensor in part.state_dict().values())
    assert 1e6 < trained < 25e6


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
