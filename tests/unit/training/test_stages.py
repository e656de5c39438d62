"""Stages: what trains when, from where each starts, and that an interruption anywhere changes nothing."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.errors import ConfigError
from multitag.tasks.labels import LabelTask
from multitag.training import Interrupted, run
from multitag.training.stages import Stages
from multitag.training.steps import Stepper
from tiny import write_table
from training_support import Kill, contents, quick, scenes, stop_at, train_in_child, train_in_two


def staged(models: dict[str, Path], *, stages: list[dict[str, Any]] | None = None, **more: Any) -> Config:
    """Seed 002's four stages on tiny encoders, dropout everywhere."""
    encoders = {
        "image": {"name": "transformers_image", "model": str(models["resnet"]), "frozen": False},
        "text": {"name": "transformers_text", "model": str(models["bert"]), "frozen": False},
    }
    seed = [
        {"epochs": 2, "train": ["heads"]},
        {"epochs": 2, "train": ["heads", "text"], "lr_scale": {"text": 0.1}},
        {"epochs": 1, "train": ["heads", "image"]},
        {"epochs": 2, "train": ["heads", "image", "text"], "lr_scale": {"heads": 0.5}},
    ]
    settings = {
        "batch_size": 16,
        "optimizer": "nadam",
        "encoder_lr": 1e-3,
        "modality_dropout": 0.3,
        "stages": stages or seed,
        **more.pop("train", {}),
    }
    return quick(encoders=encoders, head={"name": "mlp"}, train=settings, **more)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("stages"), rows=40)


def part_of(name: str) -> str:
    return name.split(".")[1] if name.startswith("encoders.") else "heads"


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What each step of a training changed, and what was in training mode in it."""
    seen: list[dict[str, Any]] = []
    step = Stepper.step

    def watching(self: Stepper, *args: Any, **options: Any) -> float:
        before = {key: value.clone() for key, value in self.model.state_dict().items()}
        modes = {name: module.training for name, module in self.model.named_modules()}
        moments = len(self.optimizer.state)
        value = step(self, *args, **options)
        after = self.model.state_dict()
        changed = {part_of(key) for key in after if not torch.equal(after[key], before[key])}
        rates = {group["part"]: group["lr"] / group["peak_lr"] for group in self.optimizer.param_groups}
        seen.append(
            {
                "before": before,
                "after": {key: value.clone() for key, value in after.items()},
                "changed": changed,
                "modes": modes,
                "rates": rates,
                "moments": moments,
            }
        )
        return value

    monkeypatch.setattr(Stepper, "step", watching)
    return seen


def test_each_stage_trains_its_parts_and_nothing_else_moves(
    watched: list[dict[str, Any]], models: dict[str, Path], pictures: Path
) -> None:
    # No modality dropout: a step that it took all texts from, or all pictures, moves no encoder of theirs.
    fitted = Classifier(staged(models, train={"modality_dropout": 0.0})).fit(pictures).fitted_
    assert fitted is not None
    assert [row["stage"] for row in fitted.history] == [1, 1, 2, 2, 3, 4, 4]
    expected = [{"heads"}] * 6 + [{"heads", "text"}] * 6 + [{"heads", "image"}] * 3 + [{"heads", "image", "text"}] * 6
    assert [step["changed"] for step in watched] == expected
    for step in watched:
        for name, training in step["modes"].items():
            if name.startswith("encoders."):
                assert training == (part_of(name) in step["changed"]), name  # no dropout, no statistics
            elif name.startswith("heads"):
                assert training
    assert all(p.requires_grad for p in fitted.pipeline.scorer.each[0].model.parameters())


def test_a_stage_of_encoders_alone_survives_steps_that_lose_all_that_they_read(
    watched: list[dict[str, Any]], models: dict[str, Path], pictures: Path
) -> None:
    """With the heads closed and all texts dropped, nothing on the way needs a gradient."""
    stages = [{"epochs": 1, "train": ["heads", "image"]}, {"epochs": 4, "train": ["text"]}]
    Classifier(staged(models, stages=stages, train={"modality_dropout": 0.9, "patience": 4})).fit(pictures)
    assert len(watched) == 15
    assert set().union(*(step["changed"] for step in watched[3:])) == {"text"}


def test_the_rate_begins_anew_in_each_stage_with_its_scales(
    watched: list[dict[str, Any]], models: dict[str, Path], pictures: Path
) -> None:
    Classifier(staged(models, train={"schedule": "linear", "warmup": 0.0})).fit(pictures)
    heads, text = ([step["rates"][part] for step in watched] for part in ("heads", "text"))
    fall = [1 - step / 6 for step in range(6)]
    assert heads == pytest.approx([*fall, *fall, 1, 2 / 3, 1 / 3, *(0.5 * rate for rate in fall)])
    assert text[6:12] == pytest.approx([0.1 * rate for rate in fall])
    assert text[15:] == pytest.approx(fall)


def test_a_stage_starts_from_the_best_weights_and_an_optimiser_that_remembers_nothing(
    watched: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch, models: dict[str, Path], pictures: Path
) -> None:
    """The first epoch of the first stage is the best; the second stage starts from it, and finds nothing better."""
    script = iter([0.9, 0.2, 0.3, 0.1])

    class Scripted(LabelTask):
        def score(self, logits: Any, targets: Any, monitor: str, samples: Any = ()) -> float:
            return next(script) if monitor == "map" else -0.5

    monkeypatch.setattr("multitag.tasks.choose.LabelTask", Scripted)
    stages = [{"epochs": 2, "train": ["heads"]}, {"epochs": 2, "train": ["heads", "text", "image"]}]
    still = {"monitor": "map", "optimizer": "sgd", "schedule": "constant", "warmup": 0.0}
    fitted = Classifier(staged(models, stages=stages, train=still)).fit(pictures).fitted_
    assert fitted is not None
    assert [row["valid_map"] for row in fitted.history] == [0.9, 0.2, 0.3, 0.1]
    best = watched[2]["after"]  # of the last step of the first epoch
    for key, value in watched[6]["before"].items():
        assert torch.equal(value, best[key]), key
    for key, value in fitted.pipeline.scorer.each[0].model.state_dict().items():
        assert torch.equal(value, best[key]), key
    # Momentum starts at the gradient: of what it had in the first stage nothing is left.
    assert watched[6]["moments"] == 0
    assert watched[7]["moments"] > 0


@pytest.fixture(scope="module")
def whole(models: dict[str, Path], pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    Classifier(staged(models, train={"ema": 0.5})).fit(pictures, out=folder / "run")
    return folder / "run"


# 3 steps an epoch: stages end after steps 6, 12, 15 and 21.
@pytest.mark.parametrize("step", [2, 6, 7, 11, 15, 16, 20])
def test_interrupted_in_any_stage_and_resumed_is_bit_for_bit_the_same(
    step: int,
    whole: Path,
    models: dict[str, Path],
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    config = staged(models, train={"ema": 0.5})
    with monkeypatch.context() as patch:
        stop_at(step, patch)
        with pytest.raises(Interrupted, match=r"epoch \d of \d of stage \d.*--resume"):
            Classifier(config).fit(pictures, out=tmp_path / "run")
    Classifier(config).fit(pictures, out=tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(whole)


def test_interrupted_while_the_averaged_weights_are_validated(
    whole: Path, models: dict[str, Path], pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, calls, predict = staged(models, train={"ema": 0.5}), [], run.predict_logits

    def interrupting(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 3:
            signal.raise_signal(signal.SIGINT)
        return predict(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(run, "predict_logits", interrupting)
        with pytest.raises(Interrupted, match="stage 2"):
            Classifier(config).fit(pictures, out=tmp_path / "run")
    Classifier(config).fit(pictures, out=tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == contents(whole)


@pytest.mark.slow
@pytest.mark.parametrize("write", [8, 9, 17])
def test_killed_at_the_border_of_stages_and_resumed(
    write: int, whole: Path, models: dict[str, Path], pictures: Path, tmp_path: Path
) -> None:
    """Every step writes the checkpoint, and so does the end of an epoch: the first stage ends with the eighth."""
    config = staged(models, train={"ema": 0.5, "checkpoint_seconds": 0})
    kill = Kill("checkpoints/main.safetensors", write)
    assert train_in_child(config, pictures, tmp_path / "run", kill=kill) == -signal.SIGKILL
    assert train_in_child(config, pictures, tmp_path / "run", resume=True) == 0
    assert contents(tmp_path / "run") == contents(whole)


@pytest.mark.slow
def test_two_processes_go_through_stages_and_resume(tmp_path: Path, models: dict[str, Path]) -> None:
    stages = [{"epochs": 1, "train": ["heads"]}, {"epochs": 1, "train": ["text"]}]
    text = {"text": {"name": "transformers_text", "model": str(models["bert"]), "frozen": False}}
    train = {"batch_size": 16, "checkpoint_seconds": 0, "stages": stages, "ema": 0.9}
    config, rows = quick(encoders=text, train=train), scenes(40)
    assert train_in_two(config, rows, tmp_path / "whole") == [0, 0]
    codes = train_in_two(config, rows, tmp_path / "run", kill=Kill("main.safetensors", 5))
    assert codes[0] == -9
    assert train_in_two(config, rows, tmp_path / "run", resume=True) == [0, 0]
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_folds_train_each_stage_as_long_as_the_main_model_found_useful(
    watched: list[dict[str, Any]], models: dict[str, Path]
) -> None:
    stages = [{"epochs": 2, "train": ["heads"]}, {"epochs": 1, "train": ["heads", "text"]}]
    text = {"text": {"name": "transformers_text", "model": str(models["bert"]), "frozen": False}}
    decision = {"name": "global_threshold", "fit_on": "out_of_fold", "folds": 2}
    config = quick(encoders=text, train={"batch_size": 64, "stages": stages, "lr": 1e-2}, decision=decision)
    Classifier(config).fit(scenes())
    changed = [step["changed"] for step in watched]  # a step an epoch
    assert changed[:3] == [{"heads"}, {"heads"}, {"heads", "text"}]
    assert changed[3:] in (changed[:3] * 2, changed[:2] * 2, changed[:1] * 2)


def test_a_stage_with_nothing_to_train_is_refused_before_any_step() -> None:
    config = quick(
        encoders={"text": {"name": "bag_of_ngrams", "min_count": 1, "frozen": False}},
        train={"stages": [{"epochs": 1, "train": ["heads"]}, {"epochs": 1, "train": ["text"]}]},
    )
    with pytest.raises(ConfigError, match=r"\[\[train.stages\]\] 2, train = \['text'\]: nothing there has weights"):
        Classifier(config).fit(scenes())


def test_weights_that_never_train_stay_closed() -> None:
    """Those under low-rank adapters."""
    model = nn.Module()
    model.encoders = nn.ModuleDict({"text": nn.Linear(2, 2)})
    model.head = nn.Linear(2, 2)
    model.encoders["text"].weight.requires_grad_(False)
    stages = Stages(model, quick().train)
    stages.open(0)
    stages.close()
    assert [name for name, p in model.named_parameters() if not p.requires_grad] == ["encoders.text.weight"]
