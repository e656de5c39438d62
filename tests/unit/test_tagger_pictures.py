"""Spans that depend on the picture beside the text: what fusions make of it, rows without one, long texts."""

from __future__ import annotations

import io
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from multitag.config import Config
from multitag.errors import ConfigError
from multitag.features.slots import build_slots
from multitag.model import build_model
from multitag.tagger import SpanTagger
from multitag.types import Batch, Sample, Span

ANIMALS = ["dog", "cat", "bird"]


@cache
def picture(bright: bool, shade: int) -> bytes:
    colour = (230, 40, shade) if bright else (20, 60, 250 - shade)
    out = io.BytesIO()
    Image.new("RGB", (32, 32), colour).save(out, "PNG")
    return out.getvalue()


def row(number: int, *, words: int = 5, seed: int = 0) -> Sample:
    """The animals of a text are tame beside a bright picture and wild beside a dark one."""
    rng = np.random.default_rng([seed, number])
    bright = bool(rng.integers(2))
    text, spans = "", []
    for _ in range(words):
        piece = str(rng.choice([*ANIMALS, "boat", "house", "men"]))
        start = len(text) + bool(text)
        text = f"{text} {piece}".strip()
        if piece in ANIMALS:
            spans.append(Span(start, len(text), "tame" if bright else "wild"))
    return Sample(f"{seed}-{number}", picture(bright, int(rng.integers(40))), text, spans=tuple(spans))


def rows(count: int, **how: Any) -> list[Sample]:
    return [row(number, **how) for number in range(count)]


def settings(models: dict[str, Path], *changes: str) -> Config:
    values = {
        "task": "spans",
        "encoders": {
            "image": {"name": "transformers_image", "model": str(models["resnet"])},
            "text": {"name": "transformers_text", "model": str(models["bert"])},
        },
        "fusion": {"name": "concat"},
        "head": {"name": "mlp", "hidden": 24, "dropout": 0.0, "input_dropout": 0.0},
        "train": {"epochs": 8, "min_steps": 0, "batch_size": 8, "lr": 0.02, "folds": 0, "ema": 0.0},
        "store": {"runtime": "torch"},  # an export to ONNX takes longer than these trainings
    }
    return Config.parse(values).changed(changes)


# The few pictures come again and again, on both sides.
pytestmark = pytest.mark.filterwarnings("ignore::multitag.errors.DataWarning")


@pytest.fixture(scope="module")
def fitted(models, tmp_path_factory) -> SpanTagger:
    tagger = SpanTagger(settings(models))
    tagger.run = tmp_path_factory.mktemp("pictures") / "run"  # type: ignore[attr-defined]
    return tagger.fit(rows(60), rows(20, seed=1), out=tagger.run)  # type: ignore[attr-defined]


def f1(tagger: SpanTagger, test: list[Sample]) -> float:
    return float(tagger.evaluate(test).metrics["partial_f1"].value)


def test_the_picture_decides_what_no_text_could(fitted):
    test = rows(30, seed=2)
    assert f1(fitted, test) > 0.9
    other = [replace(sample, image=test[number - 1].image) for number, sample in enumerate(test)]
    assert f1(fitted, other) < 0.7


@pytest.mark.parametrize(
    "changes",
    [
        ["fusion.name=cross_attention", "fusion.asks=tokens", "fusion.size=16"],
        ["fusion.name=simple_cross", "fusion.asks=tokens", "fusion.size=16"],
        ["fusion.name=gated", "fusion.size=16"],
        ["fusion.name=film", "fusion.size=16"],
        ["fusion.name=dvtt", "fusion.dim=16", "encoders.text.frozen=false", "train.encoder_lr=1e-3"],
        ["fusion.name=concat", "encoders.image.frozen=false", "train.encoder_lr=1e-4"],
    ],
    ids=lambda changes: changes[0],
)
def test_fusions_that_let_the_picture_reach_the_tokens(models, changes):
    tagger = SpanTagger(settings(models, *changes)).fit(rows(60), rows(20, seed=1))
    assert f1(tagger, rows(30, seed=2)) > 0.8


def test_without_pictures_it_is_a_guess(models):
    config = settings(models, "fusion.name=sum")
    config = Config.parse({**config.values(), "encoders": {"text": config.values()["encoders"]["text"]}})
    assert f1(SpanTagger(config).fit(rows(60), rows(20, seed=1)), rows(30, seed=2)) < 0.75


def test_rows_without_a_picture_are_tagged(models, fitted):
    bare = [replace(sample, image=None) for sample in rows(9, seed=3)]
    found = fitted.predict(bare).spans
    assert any(found)
    assert found == tuple(fitted.predict([sample]).spans[0] for sample in bare)
    mixed = [replace(sample, image=None) if number % 3 == 0 else sample for number, sample in enumerate(rows(60))]
    tagger = SpanTagger(settings(models, "train.modality_dropout=0.2")).fit(mixed, rows(20, seed=1))
    assert np.isfinite(tagger.fitted_.history[-1]["valid_loss"])
    learned = [value for name, value in tagger.pipeline_.networks.each[0].model.missing.named_parameters()]
    assert any(value.abs().max() > 0 for value in learned), "what stands for a missing picture was never learned"
    assert any(tagger.predict(bare).spans)


def test_every_window_of_a_long_text_sees_the_picture(fitted):
    """The tiny encoder takes 32 tokens, these texts have 70."""
    long = rows(10, seed=4, words=70)
    assert f1(fitted, long) > 0.8
    dark = [replace(sample, image=picture(False, 3)) for sample in long]
    assert all({span.label for span in spans} == {"wild"} for spans in fitted.predict(dark).spans)


def test_saved_loaded_and_in_any_company_it_says_the_same(fitted):
    test = [*rows(9, seed=5), Sample("none", image=picture(True, 3)), row(50, words=60)]
    together = fitted.predict(test).spans
    assert together == SpanTagger.load(fitted.run).predict(test).spans
    assert together == tuple(fitted.predict([sample]).spans[0] for sample in test)
    assert together[9] == ()


def test_a_training_that_was_cut_short_goes_on_to_the_same_spans(models, tmp_path):
    class Cut(Exception):
        pass

    def stop(entry: dict[str, Any]) -> None:
        if entry["epoch"] == 2:
            raise Cut

    changes = ["fusion.name=cross_attention", "fusion.asks=tokens", "encoders.text.frozen=false", "train.epochs=4"]
    config = settings(models, *changes, "train.checkpoint_seconds=0", "train.modality_dropout=0.3")
    whole = SpanTagger(config).fit(rows(20), rows(10, seed=1))
    with pytest.raises(Cut):
        SpanTagger(config).fit(rows(20), rows(10, seed=1), out=tmp_path / "run", on_epoch=stop)
    resumed = SpanTagger(config).fit(rows(20), rows(10, seed=1), out=tmp_path / "run", resume=True)
    one, two = (tagger.pipeline_.networks.each[0].model.state_dict() for tagger in (whole, resumed))
    assert all((one[key] == two[key]).all() for key in one)
    assert resumed.pipeline_.decoder.state() == whole.pipeline_.decoder.state()


def test_only_the_picture_is_ever_dropped(models):
    config = settings(models, "train.modality_dropout=0.5")
    model = build_model(config, build_slots(config), 2)
    here = {"image": torch.tensor([True] * 30 + [False] * 9), "text": torch.ones(39, dtype=torch.bool)}
    batches = [model._drop(Batch(39, {}, {}, here)) for _ in range(200)]
    assert all(left["text"].all() for left in batches)
    kept = [left["image"] for left in batches if left["image"].any()]
    assert 60 < len(kept) < 140
    assert all((left == here["image"]).all() for left in kept), "a batch's pictures go together"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["fusion.name=cross_attention"], r"\[fusion\] .*does not hand on the tokens of 'text'"),
        (["fusion.name=single"], r"'single' takes one encoder"),
        (["fusion.name=dvtt", "fusion.grid=['photo']"], r"\[fusion\] .*'grid' = 'photo'"),
    ],
)
def test_what_cannot_be_is_said_before_training(models, changes, said):
    with pytest.raises(ConfigError, match=said):
        settings(models, *changes)
