"""Two processes that train together, as `accelerate launch` starts them, end close to where one alone does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from fakes import entries
from multitag.classifier import Classifier
from multitag.config import Config
from multitag.features.store import FeatureStore
from multitag.types import Sample
from tiny import write_table
from training_support import Kill, quick, scenes, train_in_child, train_in_two, unfrozen


def no_dropout(encoders: dict[str, Any] | None = None) -> Config:
    still = {"epochs": 3, "batch_size": 8, "modality_dropout": 0.0, "checkpoint_seconds": 0}
    return quick(encoders=encoders, train=still)


def unsure(rows: list[Sample]) -> list[Sample]:
    """Some labels unknown, so that the two halves of a batch differ in what they count."""
    return [
        Sample(
            s.id,
            text=s.text,
            labels=s.labels,
            unknown=("sea", "people") if n % 3 == 0 and s.labels == ("animal",) else (),
        )
        for n, s in enumerate(rows)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("loss", ["bce", "zlpr"])
def test_two_processes_end_close_to_one(loss: str, tmp_path: Path) -> None:
    """With a mean over known labels, and with one over rows."""
    rows, config = unsure(scenes(43)), no_dropout().changed([f"loss.name={loss}"])
    assert train_in_child(config, rows, tmp_path / "one") == 0
    assert train_in_two(config, rows, tmp_path / "two") == [0, 0]
    one, two = load_file(tmp_path / "one" / "model.safetensors"), load_file(tmp_path / "two" / "model.safetensors")
    assert one.keys() == two.keys()
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, atol=2e-4, rtol=1e-3)
    assert sorted(p.name for p in (tmp_path / "two").iterdir()) == sorted(p.name for p in (tmp_path / "one").iterdir())


@pytest.mark.slow
def test_two_processes_train_an_encoder_and_resume(tmp_path: Path, models: dict[str, Path]) -> None:
    config = quick(encoders=unfrozen(models["bert"]), train={"epochs": 2, "batch_size": 16, "checkpoint_seconds": 0})
    rows = scenes(40)
    assert train_in_two(config, rows, tmp_path / "whole") == [0, 0]
    codes = train_in_two(config, rows, tmp_path / "run", kill=Kill("main.safetensors", 3))
    assert codes[0] == -9
    assert train_in_two(config, rows, tmp_path / "run", resume=True) == [0, 0]
    whole, run = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "run"))
    for key, value in whole.items():
        assert torch.equal(run[key], value), key


def frozen(models: dict[str, Path], store: Path) -> Config:
    """A picture and a text encoder whose answers are stored."""
    encoders = {
        "image": {"name": "transformers_image", "model": str(models["resnet"])},
        "text": {"name": "transformers_text", "model": str(models["bert"])},
    }
    train = {"epochs": 2, "batch_size": 16, "modality_dropout": 0.0}
    return quick([f"store.path={store}", "store.runtime=torch"], encoders=encoders, train=train)


@pytest.mark.slow
def test_two_processes_fill_the_store_as_one_does(tmp_path: Path, models: dict[str, Path]) -> None:
    rows = write_table(tmp_path / "table", rows=90)
    for name, train in (("one", train_in_child), ("two", train_in_two)):
        codes = train(frozen(models, tmp_path / f"{name}_store"), rows, tmp_path / name)
        assert codes in (0, [0, 0])
    assert len(entries(tmp_path / "one_store")) > 90, "the pictures alone"
    assert entries(tmp_path / "two_store") == entries(tmp_path / "one_store")
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    for key, value in one.items():
        torch.testing.assert_close(two[key], value, atol=2e-4, rtol=1e-3)


def test_each_process_that_predicts_begins_with_its_share(
    tmp_path: Path, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = write_table(tmp_path / "table", rows=40)
    model = Classifier(frozen(models, tmp_path / "train")).fit(rows)
    answers, order = [], list[list[bytes]]()
    add = FeatureStore.add

    def noted(store: FeatureStore, some: Any) -> list[bytes]:
        order[-1].append(some[0][0])
        return add(store, some)

    monkeypatch.setattr(FeatureStore, "add", noted)
    for rank in range(2):
        monkeypatch.setenv("RANK", str(rank))
        monkeypatch.setenv("WORLD_SIZE", "2")
        monkeypatch.setenv("MULTITAG_STORE", str(tmp_path / f"predict{rank}"))
        model.pipeline_.scorer.config.store.path = "auto"  # type: ignore[attr-defined]
        order.append([])
        answers.append(model.predict(rows).probabilities)
    assert sorted(order[0]) == sorted(order[1])
    assert order[0] != order[1]
    assert (answers[0] == answers[1]).all()
