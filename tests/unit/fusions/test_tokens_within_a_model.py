"""Fusions that read tokens, within a model: from the store or live, rows with all kinds of things missing."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tiny
from fakes import Patches, Words, rows_of, slot
from multitag import inference
from multitag.config import Component, Config
from multitag.features.feeder import Feeder
from multitag.features.fill import fill
from multitag.features.store import FeatureStore
from multitag.fusions import FUSIONS
from multitag.inference import predict_logits
from multitag.losses.bce import BCE
from multitag.model import Model, build_model
from multitag.types import Sample

TOKENS = [name for name in FUSIONS.names() if FUSIONS.get(name).needs == "tokens"]


@pytest.fixture
def samples(tmp_path):
    """Twelve rows: nothing, both, a picture, a text, and so on."""
    words = ["ab cd", "xy", "pq rs tu vw", "zz aa"]
    rows = []
    for number in range(12):
        file = tmp_path / f"{number}.png"
        tiny.picture(number).save(file)
        picture, text = number % 4 in (1, 2), number % 4 in (1, 3)
        text_of_it = f"{words[number // 4]} {chr(97 + number) * 2}"
        rows.append(Sample(str(number), file if picture else None, text_of_it if text else None))
    return rows


def made(fusion: str, samples, tmp_path, *, frozen: bool) -> tuple[Model, Feeder]:
    torch.manual_seed(0)
    slots = {"image": slot(Patches(), frozen=frozen), "text": slot(Words(), frozen=frozen)}
    config = Config().model_copy(update={"fusion": Component(name=fusion), "head": Component(name="linear")})
    model = build_model(config, slots, 4)
    rows, store = rows_of(samples), FeatureStore(tmp_path / "store")
    fill(store, slots, rows, tokens=slots)
    targets = np.tile(np.eye(4, dtype=np.float32), (3, 1))
    feeder = Feeder(rows, slots, store, tokens=slots, targets=targets)
    model.fit_scales(feeder)
    for missing in model.missing.values():
        missing.pooled.data.normal_()
        missing.token.data.normal_()
    return model, feeder


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("fusion", TOKENS)
def test_every_row_gets_a_prediction_and_batches_change_nothing(fusion, frozen, samples, tmp_path, monkeypatch):
    model, feeder = made(fusion, samples, tmp_path, frozen=frozen)
    whole = predict_logits(model, feeder, 4)
    assert np.isfinite(whole).all()
    assert whole[0] == pytest.approx(whole[8], abs=1e-5), "two rows without anything are alike"
    assert len(np.unique(whole[[0, 1, 2, 3, 5, 6, 7, 9, 10, 11]].round(4), axis=0)) == 10, "other rows are not"
    for size in (1, 5):
        monkeypatch.setattr(inference, "BATCH_ROWS", size)
        monkeypatch.setattr(inference, "LIVE_BATCH_ROWS", size)
        assert predict_logits(model, feeder, 4) == pytest.approx(whole, abs=1e-5)


@pytest.mark.parametrize("fusion", TOKENS)
def test_frozen_and_live_encoders_give_the_same(fusion, samples, tmp_path):
    frozen, stored = made(fusion, samples, tmp_path, frozen=True)
    live, prepared = made(fusion, samples, tmp_path, frozen=False)
    # The store keeps tokens in half precision.
    assert predict_logits(live, prepared, 4) == pytest.approx(predict_logits(frozen, stored, 4), abs=5e-3)


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.parametrize("fusion", TOKENS)
def test_the_gradient_reaches_everything_that_is_read(fusion, frozen, samples, tmp_path):
    model, feeder = made(fusion, samples, tmp_path, frozen=frozen)
    batch = feeder.batch(range(12))
    BCE()(model.train()(batch), batch.targets).backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    idle = {name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    # A fusion may read an encoder's tokens and not its vector, or the other way round, but one of the two.
    for name in ("image", "text"):
        missing = {f"missing.{name}.pooled", f"missing.{name}.token"}
        assert not missing <= idle
        idle -= missing
    assert idle == set()
