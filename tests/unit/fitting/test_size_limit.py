"""A model that would be too large is refused before it trains, with the size of each part."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import load_file

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError
from multitag.fitting.fitter import Fitter
from multitag.interrupts import Interrupted
from training_support import quick, scenes, unfrozen


def frozen_and_trained(models: dict[str, Path], **train: Any) -> Config:
    frozen = {"name": "transformers_text", "model": str(models["albert"])}
    return quick(encoders={**unfrozen(models["bert"]), "frozen": frozen}, train={"epochs": 1, **train})


def on_disk(run: Path) -> int:
    return sum(t.numel() * t.element_size() for t in load_file(run / "model.safetensors").values())


@pytest.fixture
def never(monkeypatch: pytest.MonkeyPatch) -> None:
    def trained(*args: Any, **options: Any) -> None:
        raise AssertionError("trained, though the model is too large")

    monkeypatch.setattr(Fitter, "train", trained)


@pytest.mark.parametrize("several", [{}, {"folds": 2, "seeds": 2}], ids=str)
def test_the_limit_is_of_all_weights_to_the_byte(
    several: dict[str, int], models: dict[str, Path], tmp_path: Path
) -> None:
    config = frozen_and_trained(models, **several)
    fitted = Classifier(config).fit(scenes(), out=tmp_path / "run").fitted_
    assert fitted is not None
    size = on_disk(tmp_path / "run") + round(fitted.size.frozen_megabytes * 1e6)
    frozen = next(iter(fitted.pipeline.scorer.each)).slots["frozen"].encoder.state_dict()  # type: ignore[attr-defined]
    exact = on_disk(tmp_path / "run") + sum(t.numel() * t.element_size() for t in frozen.values())
    assert exact == pytest.approx(size, abs=1000)
    Classifier(config.changed([f"train.max_size={exact}"])).fit(scenes())
    with pytest.raises(ConfigError, match="Fix: smaller encoders or heads"):
        Classifier(config.changed([f"train.max_size={exact - 1}"])).fit(scenes())


def test_the_message_has_each_part(models: dict[str, Path], never: None) -> None:
    config = frozen_and_trained(models, seeds=2).changed(["train.max_size=2kB"])
    with pytest.raises(ConfigError) as caught:
        Classifier(config).fit(scenes())
    lines = str(caught.value).split("\n")
    assert lines[0].startswith("the model would be of 0.")
    assert lines[0].endswith("and train.max_size allows 0.002 MB:")
    assert [line.split(":")[0].strip() for line in lines[1:4]] == [
        "encoders.text",
        "fusion and heads",
        "encoders.frozen, frozen",
    ]
    assert "of 2 networks together" in lines[4]
    assert "fewer folds, seeds or members" in lines[5]


def test_members_of_an_ensemble_count_together(models: dict[str, Path], never: None) -> None:
    config = frozen_and_trained(models)
    members = {"a": config, "b": config.changed(["head.name=mlp"])}
    with pytest.raises(ConfigError) as caught:
        Ensemble(members, config=config.changed(["train.max_size=1kB"])).fit(scenes())
    message = str(caught.value)
    assert "a: encoders.text" in message
    assert "b: fusion and heads" in message
    assert message.count("encoders.frozen, frozen") == 1, "shared, and counted once"


def test_a_resumed_training_may_have_another_limit(tmp_path: Path) -> None:
    config = quick(train={"epochs": 2, "checkpoint_seconds": 0})
    with pytest.raises(Interrupted):
        Classifier(config).fit(scenes(), out=tmp_path / "run", on_epoch=_stop)
    Classifier(config.changed(["train.max_size=1GB"])).fit(scenes(), out=tmp_path / "run", resume=True)


def _stop(row: dict[str, Any]) -> None:
    raise KeyboardInterrupt


def test_sizes_and_seconds_are_reported(models: dict[str, Path], tmp_path: Path) -> None:
    Classifier(frozen_and_trained(models)).fit(scenes(), out=tmp_path / "run")
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["size"]["trained_megabytes"] == pytest.approx(on_disk(tmp_path / "run") / 1e6, abs=1e-3)
    assert metrics["seconds"]["training"] >= 0
    assert metrics["seconds"]["testing"] >= 0


@pytest.mark.parametrize(("text", "size"), [("100MB", 100_000_000), ("1.5kB", 1500), ("1MiB", 1 << 20), ("77", 77)])
def test_a_size_is_a_number_with_its_unit(text: str, size: int) -> None:
    assert quick([f"train.max_size={text}"]).train.max_size == size


def test_a_size_that_is_none_is_named() -> None:
    with pytest.raises(ConfigError, match=r"\[train\] max_size = 'much'"):
        quick(["train.max_size=much"])
