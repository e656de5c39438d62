"""Trackers: what TensorBoard has on disk, what the others are told, and that a resumed training goes on."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from multitag import Classifier
from multitag.errors import ConfigError
from multitag.interrupts import Interrupted
from multitag.runs.claim import deciding
from multitag.training import tracking
from multitag.training.tracking import flat, require_tracker
from tiny import importable
from training_support import quick, scenes

needs_tensorboard = pytest.mark.skipif(not importable("tensorboard"), reason="tensorboard is not installed")


def settings(tracker: str = "tensorboard", **train: Any):
    return quick(train={"tracker": tracker, "checkpoint_seconds": 0, "patience": 20, **train})


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    """Every number in the event files of a tracker's folder, by its name: step and value."""
    from tensorboard.backend.event_processing.event_file_loader import EventFileLoader

    found: dict[str, list[tuple[int, float]]] = defaultdict(list)
    for path in sorted((folder / "tracker" / "multitag").glob("events*")):
        for event in EventFileLoader(str(path)).Load():
            for value in event.summary.value:
                if value.HasField("tensor") and value.tensor.float_val:
                    found[value.tag].append((event.step, value.tensor.float_val[0]))
    return found


@needs_tensorboard
def test_tensorboard_has_what_the_run_folder_has(tmp_path):
    model = Classifier(settings()).fit(scenes(), out=tmp_path / "run")
    found = scalars(tmp_path / "run")
    history = [json.loads(line) for line in (tmp_path / "run" / "history.jsonl").read_text().splitlines()]
    for name in ("train_loss", "valid_calibrated_loss", "lr"):
        assert [step for step, _ in found[name]] == [row["epoch"] for row in history]
        assert [value for _, value in found[name]] == pytest.approx([row[name] for row in history], rel=1e-6)
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())["validation"]["metrics"]
    [(_, value)] = found["final/samples_f1"]
    assert value == pytest.approx(metrics["samples_f1"]["value"])
    texts = "".join(path.read_text() for path in (tmp_path / "run" / "tracker").rglob("hparams.yml"))
    assert "train.lr: 0.05" in texts
    assert model.fitted_ is not None


@needs_tensorboard
def test_a_resumed_training_goes_on_with_the_next_step(tmp_path):
    folder = tmp_path / "run"

    def stop(row: dict[str, Any]) -> None:
        if row["epoch"] == 3:
            raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        Classifier(settings()).fit(scenes(), out=folder, on_epoch=stop)
    assert [step for step, _ in scalars(folder)["train_loss"]] == [1, 2, 3]
    Classifier(settings()).fit(scenes(), out=folder, resume=True)
    assert [step for step, _ in scalars(folder)["train_loss"]] == [1, 2, 3, 4, 5, 6]
    assert len(list((folder / "tracker").rglob("hparams.yml"))) == 1, "the configuration is said once"


@needs_tensorboard
def test_another_training_in_the_folder_begins_anew(tmp_path):
    for _ in range(2):
        Classifier(settings()).fit(scenes(), out=tmp_path / "run", overwrite=True)
    assert [step for step, _ in scalars(tmp_path / "run")["train_loss"]] == [1, 2, 3, 4, 5, 6]


@needs_tensorboard
def test_networks_of_one_run_have_names_of_their_own(tmp_path):
    Classifier(settings(folds=2, epochs=2)).fit(scenes(), out=tmp_path / "run")
    found = scalars(tmp_path / "run")
    assert [step for step, _ in found["fold1/train_loss"]] == [1, 2]
    assert [step for step, _ in found["fold2/train_loss"]] == [1, 2]
    assert "train_loss" not in found


def test_who_is_told_changes_nothing_in_the_model(tmp_path):
    told = settings("none").changed(["train.tracker=wandb"])
    assert deciding(told) == deciding(settings("none"))


class Stub:
    """Accelerate, as far as a tracker needs it."""

    made: list[Stub] = []  # noqa: RUF012

    def __init__(self, **options: Any) -> None:
        self.options, self.said, self.finished = options, list[tuple[dict[str, Any], Any]](), 0
        self.is_main_process, self.trackers = True, [SimpleNamespace(finish=self._finish)]
        Stub.made.append(self)

    def _finish(self) -> None:
        self.finished += 1

    def init_trackers(self, project: str, config: Any, init_kwargs: Any) -> None:
        self.project, self.config, self.kwargs = project, config, init_kwargs

    def get_tracker(self, name: str, unwrap: bool) -> Any:
        return SimpleNamespace(id="w1", info=SimpleNamespace(run_id="m1"))

    def log(self, values: dict[str, Any], step: Any) -> None:
        self.said.append((values, step))


@pytest.fixture
def stub(monkeypatch):
    monkeypatch.setattr("accelerate.Accelerator", Stub)
    monkeypatch.setattr(tracking, "find_spec", lambda name: object())
    Stub.made.clear()
    return Stub.made


@pytest.mark.parametrize(("name", "own", "steps"), [("mlflow", "m1", [1, 2, 2]), ("wandb", "w1", [None] * 3)])
def test_others_are_told_the_same(name, own, steps, stub, tmp_path):
    config, metrics = settings(name), {"validation": {"metrics": {"map": {"value": 0.5}, "ece": {"value": None}}}}
    heard = list[dict[str, Any]]()
    with tracking.tracked(config, tmp_path, resume=False) as tracker:
        tell = tracker.heard(heard.append)
        tell({"model": "fold1", "epoch": 1, "train_loss": 0.9, "valid_map": float("nan")})
        tell({"model": "fold1", "epoch": 2, "train_loss": 0.8, "valid_map": 0.4})
        tracker.end(metrics, 2)
    [made] = stub
    assert made.finished == 1
    assert made.options["log_with"] == name
    assert made.config["train.tracker"] == name
    assert made.kwargs[name]["id" if name == "wandb" else "run_id"] is None
    assert [step for _, step in made.said] == steps
    epoch = {"fold1/epoch": 2} if name == "wandb" else {}
    assert made.said[1][0] == {"fold1/train_loss": 0.8, "fold1/valid_map": 0.4, **epoch}
    assert "fold1/valid_map" not in made.said[0][0], "a score that is not defined is not said"
    assert made.said[2][0] == {"final/map": 0.5}
    assert [row["epoch"] for row in heard] == [1, 2]
    # A training that is resumed goes on in the same run, and does not say the configuration again.
    with tracking.tracked(config, tmp_path, resume=True) as tracker:
        tracker.end(metrics, 2)
    assert stub[1].kwargs[name]["id" if name == "wandb" else "run_id"] == own
    assert stub[1].config is None


def test_no_tracker_is_never_opened(stub, tmp_path):
    with tracking.tracked(settings("none"), tmp_path, resume=False) as tracker:
        assert tracker.heard(print) is print
        tracker.end({}, 1)
    assert stub == []


@pytest.mark.parametrize("name", ["tensorboard", "mlflow", "wandb"])
def test_a_package_that_is_lacking_is_named_before_anything_is_done(name, monkeypatch, tmp_path):
    monkeypatch.setattr(tracking, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=rf"pip install 'multitag\[{name}\]'"):
        Classifier(settings(name)).fit(scenes(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_tensorboard_needs_a_folder(monkeypatch):
    monkeypatch.setattr(tracking, "find_spec", lambda name: object())
    with pytest.raises(ConfigError, match=r"fit\(\.\.\., out=FOLDER\)"):
        require_tracker("tensorboard", None)
    require_tracker("mlflow", None)


def test_settings_are_said_flat():
    assert flat({"a": {"b": 1, "c": {"d": [1, "x"]}}, "e": True}) == {"a.b": 1, "a.c.d": '[1, "x"]', "e": True}
