"""Low-rank adapters: what they change, what trains, and that nothing of them is left in a run."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

import tiny
from multitag.classifier import Classifier
from multitag.config import Config
from multitag.encoders import ENCODERS, Encoder
from multitag.errors import ConfigError
from multitag.training import Interrupted
from multitag.training.steps import Stepper
from training_support import contents, quick, scenes

pytest.importorskip("peft", reason="pip install 'multitag[lora]'")

KINDS = {"bert": "text", "albert": "text", "clip": "image", "siglip": "image"}


def built(models: dict[str, Path], model: str, *, kind: str | None = None, **options: Any) -> Encoder:
    name = f"transformers_{kind or KINDS[model]}"
    encoder: Encoder = ENCODERS.build(name, {"model": str(models[model]), **options})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder.load()
    return encoder.eval()


@torch.no_grad()
def pooled(encoder: Encoder) -> torch.Tensor:
    items = tiny.pictures() if encoder.modality == "image" else tiny.TEXTS
    return encoder(encoder.prepare(items)).pooled


def moved(encoder: Encoder) -> Encoder:
    """With adapters that say something: at first B is zero."""
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.requires_grad:
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return encoder


@pytest.mark.parametrize("model", KINDS)
def test_at_first_adapters_change_nothing_and_only_they_train(model: str, models: dict[str, Path]) -> None:
    plain, adapted = built(models, model), built(models, model, lora_rank=2)
    assert torch.equal(pooled(plain), pooled(adapted))
    own = {name for name, _ in plain.named_parameters()}
    trained = {name: p.shape for name, p in adapted.named_parameters() if p.requires_grad}
    assert trained
    assert all("lora_" in name and name not in own for name in trained)
    assert all(2 in shape for shape in trained.values())
    assert not torch.equal(pooled(moved(adapted)), pooled(plain))


@pytest.mark.parametrize("model", KINDS)
@pytest.mark.parametrize("targets", ["auto", "all-linear"])
def test_the_gradient_reaches_every_adapter(model: str, targets: str, models: dict[str, Path]) -> None:
    encoder = moved(built(models, model, lora_rank=2, lora_targets=targets))
    items = tiny.pictures() if encoder.modality == "image" else tiny.TEXTS
    vectors = encoder(encoder.prepare(items)).pooled
    (vectors * torch.randn(vectors.shape)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def adapted_maps(encoder: Encoder) -> set[str]:
    names = (name for name, p in encoder.named_parameters() if p.requires_grad)
    return {name.split(".lora_")[0].rpartition(".")[2] for name in names}


def test_what_is_adapted(models: dict[str, Path]) -> None:
    assert adapted_maps(built(models, "bert", lora_rank=1)) == {"query", "value"}
    everywhere = adapted_maps(built(models, "bert", lora_rank=1, lora_targets="all-linear"))
    assert everywhere == {"query", "key", "value", "dense"}
    assert {"q_proj", "fc1", "visual_projection"} <= adapted_maps(built(models, "clip", lora_rank=1))
    with pytest.raises(ConfigError, match=r"'lora_rank' = 1: .*resnet' has no linear map.*lora_rank = 0"):
        built(models, "resnet", kind="image", lora_rank=1)


@pytest.mark.parametrize("model", KINDS)
def test_merged_it_is_the_plain_network_with_other_weights(model: str, models: dict[str, Path]) -> None:
    encoder, plain = moved(built(models, model, lora_rank=2, lora_alpha=8)), built(models, model)
    before = pooled(encoder)
    encoder.settle()
    torch.testing.assert_close(pooled(encoder), before, atol=1e-4, rtol=1e-4)
    assert encoder.state_dict().keys() == plain.state_dict().keys()
    assert encoder.assets() == plain.assets()
    assert [type(m) for m in encoder.modules()] == [type(m) for m in plain.modules()]


def test_the_merged_weight_by_hand(models: dict[str, Path]) -> None:
    """W + alpha / rank * B A."""
    encoder = moved(built(models, "bert", lora_rank=2, lora_alpha=8))
    weights = encoder.state_dict()
    (name, *_) = [key for key in weights if key.endswith("query.base_layer.weight")]
    stem = name.removesuffix("base_layer.weight")
    a, b = weights[f"{stem}lora_A.default.weight"], weights[f"{stem}lora_B.default.weight"]
    expected = weights[name] + 8 / 2 * b @ a
    encoder.settle()
    torch.testing.assert_close(encoder.state_dict()[f"{stem}weight"], expected)


def test_dropout_is_of_the_adapters(models: dict[str, Path]) -> None:
    encoder = moved(built(models, "bert", lora_rank=2, lora_dropout=0.5))
    found = [m.p for name, m in encoder.named_modules() if "lora_dropout" in name and isinstance(m, nn.Dropout)]
    assert found
    assert set(found) == {0.5}


def adapting(models: dict[str, Path], **train: Any) -> Config:
    text = {"name": "transformers_text", "model": str(models["bert"]), "frozen": False, "lora_rank": 2}
    settings = {"epochs": 2, "batch_size": 16, "encoder_lr": 0.01, **train}
    return quick(encoders={"text": {**text, "lora_dropout": 0.1}}, train=settings)


def test_a_run_is_loaded_without_peft_and_predicts_the_same(
    models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier, rows = Classifier(adapting(models)).fit(scenes(), out=tmp_path / "run"), scenes(7, start=100)
    before = classifier.predict_proba(rows).values
    start = built(models, "bert").state_dict()
    for key, value in classifier.pipeline_.scorer.each[0].model.encoders["text"].state_dict().items():
        changed = any(f".{name}.weight" in key for name in ("query", "value"))
        assert torch.equal(value, start[key]) != changed, key
    monkeypatch.setitem(sys.modules, "peft", None)
    np.testing.assert_array_equal(Classifier.load(tmp_path / "run").predict_proba(rows).values, before)


@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_interrupted_and_resumed_is_the_same(
    ema: float, models: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, step, calls = adapting(models, ema=ema), Stepper.step, []
    Classifier(config).fit(scenes(), out=tmp_path / "whole")

    def counted(self: Stepper, *args: Any, **options: Any) -> float:
        calls.append(1)
        if len(calls) == 4:
            signal.raise_signal(signal.SIGINT)
        return step(self, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(Stepper, "step", counted)
        with pytest.raises(Interrupted):
            Classifier(config).fit(scenes(), out=tmp_path / "run")
    Classifier(config).fit(scenes(), out=tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_without_peft_the_error_says_what_to_install(models: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ConfigError, match=r"'lora_rank' = 2 needs the package 'peft'.*pip install 'multitag\[lora\]'"):
        built(models, "bert", lora_rank=2)


def test_a_frozen_encoder_has_nothing_to_adapt() -> None:
    fault = r"\[encoders.text\] lora_rank = 4 trains adapters, and the encoder is frozen. Fix: --set encoders.text.froz"
    with pytest.raises(ConfigError, match=fault):
        Config.parse({}).changed(["encoders.text.lora_rank=4"])


def test_an_untrained_network_has_nothing_to_adapt() -> None:
    with pytest.raises(ConfigError, match="'architecture' is an untrained network"):
        ENCODERS.resolve("transformers_text", {"architecture": {"model_type": "bert"}, "lora_rank": 4})
