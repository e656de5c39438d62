"""Rows' labels learned beside their spans."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from multitag.config import Config
from multitag.data.table import read_table
from multitag.errors import ConfigError
from multitag.features.slots import build_slots
from multitag.fitting.tagging import by_labels
from multitag.networks import open_store
from multitag.tagger import SpanTagger
from multitag.tasks.choose import task_of
from multitag.types import LabelSpace, Sample, Span

ANIMALS = ["dog", "cat", "bird"]


def row(number: int, *, words: int = 6, seed: int = 0, labelled: bool = True) -> Sample:
    """Animals are marked; the row itself is a crowd where it has men."""
    rng = np.random.default_rng([seed, number])
    text, spans, crowd = "", [], False
    for _ in range(words):
        piece = str(rng.choice([*ANIMALS, "boat", "house", "tree", "men"], p=[0.1, 0.1, 0.1, 0.2, 0.2, 0.2, 0.1]))
        start = len(text) + bool(text)
        text = f"{text} {piece}".strip()
        crowd |= piece == "men"
        if piece in ANIMALS:
            spans.append(Span(start, len(text), "pet" if piece == "dog" else "wild"))
    own = (("crowd",) if crowd else ()) + (("pet",) if "dog" in text else ())
    return Sample(f"{seed}-{number}", None, text, labels=own if labelled else None, spans=tuple(spans))


def rows(count: int, **how: Any) -> list[Sample]:
    return [row(number, **how) for number in range(count)]


def settings(models: dict[str, Path], *changes: str) -> Config:
    values = {
        "task": "spans",
        "encoders": {"text": {"name": "transformers_text", "model": str(models["bert"])}},
        "fusion": {"name": "single"},
        "head": {"name": "linear"},
        "train": {"epochs": 6, "min_steps": 0, "batch_size": 8, "lr": 0.02, "folds": 0, "ema": 0.0},
        "store": {"runtime": "torch"},  # an export to ONNX takes longer than these trainings
    }
    return Config.parse(values).changed(changes)


def raw(tagger: SpanTagger, samples: list[Sample]) -> tuple[np.ndarray, np.ndarray]:
    """What the network says of rows and of tokens, before any of it is laid on the other."""
    from multitag.features.rows import check_rows
    from multitag.inference import predict_logits
    from multitag.networks import feed

    network = tagger.pipeline_.networks.each[0]
    with open_store(tagger.config) as store:
        feeder = feed(check_rows(samples, tagger.config), network.slots, store, network.model)
        return network.model.beside.split(predict_logits(network.model, feeder, 2))


@pytest.fixture(scope="module")
def fitted(models, tmp_path_factory) -> SpanTagger:
    tagger = SpanTagger(settings(models, "joint.weight=1", "joint.gate=0.5", "train.epochs=16"))
    tagger.run = tmp_path_factory.mktemp("joint") / "run"  # type: ignore[attr-defined]
    return tagger.fit(rows(60), rows(20, seed=1), out=tagger.run)  # type: ignore[attr-defined]


def test_targets_of_rows_stand_before_those_of_tokens(models):
    config = settings(models, "joint.names=['crowd', 'pet']")
    task = task_of(config, LabelSpace(("pet", "wild")), build_slots(config))
    samples = [
        Sample("a", text="a dog", spans=(Span(2, 5, "pet"),), row_labels=("crowd",)),
        Sample("b", text="cat", spans=(), row_labels=None),
    ]
    targets = task.targets(samples)
    assert targets.shape == (2, 2 + 4, 2)
    assert targets[0, :2].tolist() == [[1, 0], [1, 0]]
    assert targets[1, 0].tolist() == [0, 0]
    assert np.isnan(targets[1, 1]).all()
    assert targets[0, 2:][[1, 2]].tolist() == [[0, 0], [1, 0]]
    assert task.examples(targets).tolist() == [[0, 0], [1, 0], [0, 0]]
    logits = np.nan_to_num(targets) * 8 - 4
    alone = task_of(settings(models), task.space, build_slots(config))
    for monitor in ("loss", "partial_f1"):
        assert task.score(logits, targets, monitor, samples) == alone.score(
            logits[:, 2:], targets[:, 2:], monitor, samples
        )


def test_rows_and_spans_are_both_learned(fitted):
    test = rows(40, seed=2)
    assert fitted.pipeline_.config.joint.names == ("crowd", "pet")
    assert fitted.evaluate(test).metrics["partial_f1"].value > 0.85
    said, _ = raw(fitted, test)
    gold = np.array(
        [
            [*(any(s.label == k for s in t.spans) for k in ("pet", "wild")), *(k in t.labels for k in ("crowd", "pet"))]
            for t in test
        ]
    )
    assert ((said > 0) == gold).mean() > 0.85


def test_saved_loaded_and_in_any_company_it_says_the_same(fitted):
    test = [*rows(9, seed=5), Sample("none"), row(50, words=60)]
    together = fitted.predict(test).spans
    loaded = SpanTagger.load(fitted.run)
    assert loaded.predict(test).spans == together
    assert loaded.pipeline_.config.joint == fitted.pipeline_.config.joint
    assert together == tuple(fitted.predict([sample]).spans[0] for sample in test)


def test_the_gate_is_what_rows_say_to_their_tokens(fitted):
    from multitag.features.rows import check_rows

    test = rows(5, seed=6)
    of_rows, of_tokens = raw(fitted, test)
    logits = fitted.pipeline_.networks.logits(check_rows(test, fitted.config))
    for number, sample in enumerate(test):
        length = len(sample.text.split())
        p = 1 / (1 + np.exp(-of_tokens[number, 1 : 1 + length].astype(float)))  # [CLS] comes first
        q = 1 / (1 + np.exp(-of_rows[number, :2].astype(float)))
        found = 1 / (1 + np.exp(-logits[number, :length].astype(float)))
        assert found == pytest.approx(p * q**0.5, abs=1e-5)


def test_rows_without_labels_teach_by_their_spans(models):
    bare = rows(40, labelled=False)
    tagger = SpanTagger(settings(models, "joint.weight=1")).fit(bare, rows(20, seed=1, labelled=False))
    assert tagger.pipeline_.config.joint.names == ()
    assert tagger.evaluate(rows(20, seed=2)).metrics["partial_f1"].value > 0.6
    of_spans = SpanTagger(settings(models, "joint.labels=spans", "train.epochs=1")).fit(rows(20), rows(9, seed=1))
    assert of_spans.pipeline_.config.joint.names == ()


def test_with_other_decoders_folds_and_long_texts(models):
    changes = ["joint.gate=1", "decoder.name=begin_inside", "train.folds=2", "train.epochs=4"]
    tagger = SpanTagger(settings(models, *changes)).fit([*rows(30), *rows(6, seed=3, words=60)])
    assert tagger.evaluate(rows(20, seed=2)).metrics["partial_f1"].value > 0.5


def test_a_row_is_what_its_surest_window_says(models):
    """Two windows of one text: the second alone has the label."""
    from multitag.features.rows import Rows
    from multitag.tasks.pieces import Pieces

    config = settings(models, "joint.gate=1")
    pieces = Pieces.of(config, build_slots(config))
    sample = Sample("long", text=" ".join(["dog"] * 40))
    rows_ = Rows([sample], [None])
    windows = len(pieces.cut(rows_))
    assert windows == 2
    logits = np.zeros((windows, 1 + 32, 1), np.float32)
    logits[0, 0], logits[1, 0] = -3.0, 3.0
    found = 1 / (1 + np.exp(-pieces.join(rows_, logits).astype(float)))
    assert found[0, :, 0] == pytest.approx(0.5 / (1 + np.exp(-3)), abs=1e-5)


def test_a_training_that_was_cut_short_goes_on_to_the_same_weights(models, tmp_path):
    class Cut(Exception):
        pass

    def stop(entry: dict[str, Any]) -> None:
        if entry["epoch"] == 2:
            raise Cut

    config = settings(models, "joint.weight=0.5", "train.epochs=4", "train.checkpoint_seconds=0")
    whole = SpanTagger(config).fit(rows(20), rows(9, seed=1))
    with pytest.raises(Cut):
        SpanTagger(config).fit(rows(20), rows(9, seed=1), out=tmp_path / "run", on_epoch=stop)
    resumed = SpanTagger(config).fit(rows(20), rows(9, seed=1), out=tmp_path / "run", resume=True)
    one, two = (tagger.pipeline_.networks.each[0].model.state_dict() for tagger in (whole, resumed))
    assert any(key.startswith("row_heads") for key in one)
    assert all((one[key] == two[key]).all() for key in one)


def test_labels_of_rows_are_kept_beside_those_of_spans():
    found = by_labels(read_table([replace(row(0), spans=(Span(0, 3, "pet"),), labels=("crowd",))])).samples[0]
    assert (found.labels, found.row_labels) == (("pet",), ("crowd",))


def test_it_is_for_spans():
    with pytest.raises(ConfigError, match=r"\[joint\]"):
        Config.parse({"joint": {"weight": 1}})
