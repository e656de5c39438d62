"""Spans end to end: learned, saved, loaded, scored; long texts, rows without a text, and what is refused."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.torch import load_file, save_file

import multitag
from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import ConfigError, DataError, DataWarning, NotFittedError, RunError
from multitag.runs.folder import NEEDED
from multitag.tagger import SpanTagger
from multitag.types import Sample, Span

ANIMALS, PLACES = ["dog", "cat", "bird"], ["boat", "house", "tree"]


def row(number: int, words: int = 9, seed: int = 0) -> Sample:
    """A text whose animals and coloured places are marked; the place's span holds its colour, and both may overlap."""
    rng = np.random.default_rng([seed, number])
    text, spans = "", []
    for _ in range(words):
        kind = rng.integers(4)
        piece = "two men" if kind > 1 else str(rng.choice(ANIMALS)) if kind else f"red {rng.choice(PLACES)}"
        start = len(text) + bool(text)
        text = f"{text} {piece}".strip()
        if kind <= 1:
            spans.append(Span(start, len(text), "animal" if kind else "place"))
            spans += [] if kind else [Span(start, start + 3, "colour")]
    return Sample(f"{seed}-{number}", text=text, spans=tuple(spans))


def rows(count: int, **how: Any) -> list[Sample]:
    return [row(number, **how) for number in range(count)]


def settings(models: dict[str, Path], *changes: str, frozen: bool = False) -> Config:
    values = {
        "task": "spans",
        "encoders": {"text": {"name": "transformers_text", "model": str(models["bert"]), "frozen": frozen}},
        "fusion": {"name": "single"},
        "head": {"name": "linear"},
        "train": {
            "epochs": 8, "min_steps": 0, "batch_size": 8, "lr": 0.02, "encoder_lr": 3e-3, "folds": 0, "monitor": "loss",
        },
    }  # fmt: skip
    return Config.parse(values).changed(changes)


@pytest.fixture(scope="module")
def fitted(models, tmp_path_factory) -> SpanTagger:
    """Fine-tuned on 60 rows; its run folder is `run`."""
    tagger = SpanTagger(settings(models))
    tagger.run = tmp_path_factory.mktemp("tagger") / "run"  # type: ignore[attr-defined]
    return tagger.fit(rows(60), rows(20, seed=1), out=tagger.run)  # type: ignore[attr-defined]


def test_it_finds_spans_that_follow_from_the_words(fitted):
    test = rows(20, seed=2)
    result = fitted.evaluate(test)
    assert result.rows == 20
    assert result.metrics["partial_f1"].value > 0.9
    assert result.metrics["partial_f1"].low <= result.metrics["partial_f1"].value <= result.metrics["partial_f1"].high
    assert [line.label for line in result.labels] == ["animal", "colour", "place"]
    assert sum(line.support for line in result.labels) == sum(len(sample.spans) for sample in test)


@pytest.mark.parametrize("scheme", ["per_label", "global_threshold", "begin_inside", "crf"])
def test_every_decoder_and_frozen_encoders_serve(models, scheme):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        tagger = SpanTagger(settings(models, f"decoder.name={scheme}", frozen=True)).fit(rows(40), rows(20, seed=1))
    assert tagger.evaluate(rows(20, seed=2)).metrics["partial_f1"].value > 0.7


def test_folds_and_seeds_average_tokens(models):
    tagger = SpanTagger(settings(models, "train.folds=2", "train.seeds=2", frozen=True)).fit(rows(30))
    assert tagger.fitted_.networks == 4
    assert tagger.fitted_.scored_on == "out_of_fold"
    assert tagger.evaluate(rows(20, seed=2)).metrics["partial_f1"].value > 0.7


def test_saved_and_loaded_gives_the_same_spans(fitted):
    loaded = SpanTagger.load(fitted.run)
    test = rows(12, seed=3)
    assert loaded.predict(test) == fitted.predict(test)
    assert loaded.config == fitted.config
    names = {path.name for path in fitted.run.iterdir()}
    assert {"config.toml", "labels.json", "model.safetensors", "decision.json", "metrics.json"} <= names
    assert "checkpoints" not in names
    with pytest.raises(RunError, match=r"SpanTagger\.load"):
        Classifier.load(fitted.run)
    opened = multitag.open_run(fitted.run)
    assert type(opened) is SpanTagger
    assert opened.predict(test) == fitted.predict(test)


def test_the_decoder_can_be_changed_without_training(fitted, tmp_path):
    loaded = SpanTagger.load(fitted.run)
    state = fitted.pipeline_.decoder.state()
    assert loaded.set_decoder("per_label").pipeline_.decoder.state() == state, "fitted on the same, to the same"
    loaded.set_decoder("global_threshold", shortest="4")
    assert loaded.config.decoder.options["shortest"] == 4
    found = loaded.predict(rows(12, seed=3)).spans
    assert any(found)
    assert all(span.stop - span.start >= 4 for spans in found for span in spans)
    loaded.save(tmp_path / "other")
    again = SpanTagger.load(tmp_path / "other")
    assert again.predict(rows(12, seed=3)).spans == found
    assert again.set_decoder("crf").evaluate(rows(20, seed=2)).metrics["partial_f1"].value > 0.9
    with pytest.raises(ConfigError, match=r"Accepted: .*per_label.*decoder\.name=begin_inside"):
        again.set_decoder("begin_inside")
    with pytest.raises(ConfigError, match="nonsense"):
        again.set_decoder("nonsense")


def test_the_run_keeps_no_words(fitted):
    words = {word for sample in rows(20, seed=1) for word in sample.text.split()}
    held = load_file(fitted.run / "held_out.safetensors")
    kept = held["held_characters"].numpy().astype("<u4").tobytes().decode("utf-32-le")
    assert len(kept) == sum(len(sample.text) for sample in rows(20, seed=1))
    assert not any(word in kept for word in words)


def test_runs_that_kept_nothing_still_open(fitted, tmp_path):
    """As the first version wrote them."""
    old = Path(shutil.copytree(fitted.run, tmp_path / "old"))
    save_file({"trained_on": load_file(old / "held_out.safetensors")["trained_on"]}, old / "held_out.safetensors")
    decision = json.loads((old / "decision.json").read_text())
    (old / "decision.json").write_text(json.dumps({**decision, "decoder": decision["decoder"]["state"]}))
    loaded = SpanTagger.load(old)
    assert loaded.predict(rows(12, seed=3)) == fitted.predict(rows(12, seed=3))
    with pytest.raises(RunError, match="Fix: train again"):
        loaded.set_decoder("crf")
    loaded.save(tmp_path / "copy")
    assert SpanTagger.load(tmp_path / "copy").predict(rows(5)) == fitted.predict(rows(5))


@pytest.fixture
def copy(fitted, tmp_path) -> Path:
    return Path(shutil.copytree(fitted.run, tmp_path / "copy"))


@pytest.mark.parametrize("name", NEEDED)
@pytest.mark.parametrize("damage", ["gone", "half", "empty", "noise"])
def test_a_damaged_run_is_refused_by_the_file(copy, name, damage):
    data = (copy / name).read_bytes()
    (copy / name).write_bytes({"half": data[: len(data) // 2], "noise": b"\xff\xfe\x00noise"}.get(damage, b""))
    if damage == "gone":
        (copy / name).unlink()
    with pytest.raises(RunError) as caught:
        multitag.open_run(copy)
    if not (name == "config.toml" and damage in ("half", "empty")):  # half a TOML file may be one, of another run
        assert name in str(caught.value)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("decoder", None),
        ("decoder", {"name": "nonsense", "options": {}, "state": {}}),
        ("decoder", {"name": "per_label", "options": {}, "state": {"labels": ["animal", "colour", "place"]}}),
        ("decoder", {"labels": ["animal", "colour", "place"], "thresholds": [0.5, 0.5, 0.5, 0.5]}),
        ("calibration", {}),
    ],
)
def test_a_decision_of_another_shape_is_refused(copy, part, value):
    saved = json.loads((copy / "decision.json").read_text())
    (copy / "decision.json").write_text(json.dumps({**saved, part: value}))
    with pytest.raises(RunError, match=r"damaged|saved state"):
        SpanTagger.load(copy)


def test_row_order_and_company_change_nothing(fitted):
    test = [*rows(9, seed=4), row(50, words=60), Sample("none"), Sample("blank", text="  \n")]
    together = fitted.predict(test).spans
    assert together == tuple(fitted.predict([sample]).spans[0] for sample in test)
    assert tuple(reversed(fitted.predict(test[::-1]).spans)) == together
    assert together[-2:] == ((), ())


def test_texts_longer_than_the_encoder_are_tagged_to_their_end(fitted):
    """The tiny encoder takes 32 tokens, these texts have about 100."""
    long = rows(10, seed=5, words=60)
    assert min(len(sample.text.split()) for sample in long) > 60
    assert fitted.evaluate(long).metrics["partial_f1"].value > 0.8
    last = [max(span.start for span in spans) for spans in fitted.predict(long).spans]
    assert all(start > 0.8 * len(sample.text) for start, sample in zip(last, long, strict=True))


def test_long_texts_teach_in_every_window(models):
    tagger = SpanTagger(settings(models)).fit(rows(12, words=60), rows(6, seed=1, words=60))
    assert tagger.evaluate(rows(20, seed=2)).metrics["partial_f1"].value > 0.8


def test_the_same_seed_gives_the_same_spans(models):
    one, two = (SpanTagger(settings(models)).fit(rows(20), rows(10, seed=1)) for _ in range(2))
    assert one.pipeline_.decoder.state() == two.pipeline_.decoder.state()
    assert one.fitted_.history[-1]["train_loss"] == two.fitted_.history[-1]["train_loss"]


def test_rows_whose_spans_are_not_known_teach_nothing(models):
    known = rows(20)
    more = [*known, Sample("x", text="a dog"), Sample("y", text=None, spans=())]
    with pytest.warns(DataWarning, match="2 rows"):
        tagger = SpanTagger(settings(models)).fit(more, rows(10, seed=1))
    assert tagger.fitted_.rows["train"] == 20


def test_spans_are_written_as_they_are_predicted(fitted, tmp_path):
    test = rows(7, seed=6)
    assert fitted.predict_to(test, tmp_path / "out.json", chunk_rows=3) == 7
    found = json.loads((tmp_path / "out.json").read_text())
    expected = fitted.predict(test)
    assert [entry["id"] for entry in found] == [sample.id for sample in test]
    given = [[(s["start"], s["end"], s["technique"]) for s in entry["labels"]] for entry in found]
    assert [sorted(spans) for spans in given] == [
        sorted((span.start, span.stop, span.label) for span in spans) for spans in expected.spans
    ]


def test_unseen_labels_and_rows_trained_on_are_told(fitted):
    strange = [Sample("s", text="a dog", spans=(Span(2, 5, "new"),)), row(0)]
    with pytest.warns(DataWarning) as told:
        result = fitted.evaluate(strange)
    assert result.unseen == ("new",)
    words = " ".join(str(warning.message) for warning in told)
    assert "never seen in training" in words
    assert "1 of the 2 rows were trained on" in words


def test_what_is_refused(models, fitted):
    assert multitag.SpanTagger is SpanTagger
    with pytest.raises(NotFittedError):
        SpanTagger(settings(models)).predict(rows(1))
    with pytest.raises(ConfigError, match=r"task = 'spans'"):
        SpanTagger(Config())
    with pytest.raises(ConfigError, match="SpanTagger"):
        Classifier(settings(models))
    with pytest.raises(DataError, match="spans"):
        fitted.fit([Sample("a", text="a dog", labels=("animal",))])
    with pytest.raises(DataError, match="spans"):
        fitted.evaluate([Sample("a", text="a dog", labels=("animal",))])


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("head.name=label_queries", r"\[head\] 'label_queries'"),
        ("augment.rare=0.1", r"\[augment\]"),
        ("encoders.image.name=efficientnet_lite", r"\[fusion\] 'single' takes one encoder, the configuration has 2"),
        ("encoders.more.name=transformers_text", r"wants one encoder of texts, .* there are 2: text, more"),
        ("encoders.text.name=efficientnet_lite", r"of texts there are 0: none"),
        ("task=labels", r"\[decoder\]"),
        ("decoder.name=thresholds", "span decoder 'thresholds'"),
    ],
)
def test_what_does_not_go_with_spans_is_said_before_training(models, change, said):
    with pytest.raises(ConfigError, match=said):
        settings(models, change)


@pytest.mark.parametrize("monitor", ["partial_f1", "exact_f1", "micro_f1", "last"])
def test_epochs_are_chosen_by_any_score(models, monitor):
    changes = [f"train.monitor={monitor}", "train.epochs=3"]
    tagger = SpanTagger(settings(models, *changes)).fit(rows(20), [*rows(6, seed=1), row(50, words=60)])
    history = tagger.fitted_.history
    assert len(history) == 3
    if monitor != "last":
        values = [entry[f"valid_{monitor}"] for entry in history]
        assert 0 < max(values) <= 1
        assert values[0] < max(values)


def test_the_span_monitor_is_the_best_common_threshold(models):
    """Logits that are right but for their scale score 1; those of one label too low for any threshold do not."""
    from multitag.features.slots import build_slots
    from multitag.tasks.choose import task_of
    from multitag.types import LabelSpace

    text = "a dog near the red boat"
    test = [
        Sample("1", text=text, spans=(Span(2, 5, "animal"), Span(15, 23, "place"), Span(15, 18, "colour"))),
        Sample("2", text="two men", spans=()),
    ]
    config = settings(models)
    task = task_of(config, LabelSpace.from_spans(test), build_slots(config))
    targets = task.targets(test)
    logits = np.nan_to_num(targets) * 3 - 9
    assert task.score(logits, targets, "partial_f1", test) == 1
    assert task.score(-logits, targets, "partial_f1", test) < 0.7
    begun = [Sample("w", text=test[0].text, spans=(Span(-5, 4, "animal"),))]
    assert 0 <= task.score(logits[:1], targets[:1], "exact_f1", begun) <= 1


def test_a_training_that_was_cut_short_goes_on_to_the_same_spans(models, tmp_path):
    class Cut(Exception):
        pass

    def stop(entry: dict[str, Any]) -> None:
        if entry["epoch"] == 3:
            raise Cut

    config = settings(models, "train.epochs=5", "train.checkpoint_seconds=0")
    whole = SpanTagger(config).fit(rows(20), rows(10, seed=1))
    with pytest.raises(Cut):
        SpanTagger(config).fit(rows(20), rows(10, seed=1), out=tmp_path / "run", on_epoch=stop)
    resumed = SpanTagger(config).fit(rows(20), rows(10, seed=1), out=tmp_path / "run", resume=True)
    assert resumed.predict(rows(9, seed=2)) == whole.predict(rows(9, seed=2))
    assert resumed.pipeline_.decoder.state() == whole.pipeline_.decoder.state()
    moved = [replace(sample, spans=sample.spans[1:]) for sample in rows(20)]
    with pytest.raises(Cut):
        SpanTagger(config).fit(rows(20), rows(10, seed=1), out=tmp_path / "other", on_epoch=stop)
    with pytest.raises(RunError):
        SpanTagger(config).fit(moved, rows(10, seed=1), out=tmp_path / "other", resume=True)
