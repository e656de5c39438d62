"""Batches: rows in the asked order, what is missing marked, the same numbers stored or live."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import tiny
from fakes import Colours, Words, rows_of, slot
from multitag.errors import DataError
from multitag.features import feeder as module
from multitag.features.feeder import Feeder, scatter_tokens
from multitag.features.fill import fill
from multitag.features.store import FeatureStore
from multitag.types import Encoded, Sample

A, B, C = [1.0, 1.0], [2.0, 2.0], [3.0, 3.0]


@pytest.fixture
def store(tmp_path):
    with FeatureStore(tmp_path / "store") as opened:
        yield opened


@pytest.fixture
def samples(tmp_path):
    files = []
    for seed in range(3):
        files.append(tmp_path / f"{seed}.png")
        tiny.picture(seed).save(files[-1])
    return [
        Sample("0", files[0], "aa"),
        Sample("1", None, "aa bb cc"),
        Sample("2", files[1], None),
        Sample("3", None, None),
        Sample("4", files[2], "cc bb"),
        Sample("5", None, " \n"),
    ]


def feeder(store, samples, *, storable=True, frozen=True, targets=None):
    slots = {
        "image": slot(Colours(storable=storable), frozen=frozen),
        "text": slot(Words(storable=storable), frozen=frozen),
    }
    rows = rows_of(samples)
    fill(store, slots, rows)
    return Feeder(rows, slots, store, targets=targets)


@pytest.mark.parametrize("storable", [True, False])
def test_a_row_without_the_modality_holds_zeros_and_is_not_present(store, samples, storable):
    batch = feeder(store, samples, storable=storable).batch(range(6))
    assert batch.size == 6
    assert batch.present["image"].tolist() == [True, False, True, False, True, False]
    assert batch.present["text"].tolist() == [True, True, False, False, True, False]
    assert batch.encoded["text"].pooled.tolist() == [A, B, [0, 0], [0, 0], [2.5, 2.5], [0, 0]]
    means = [np.asarray(tiny.picture(seed)).mean((0, 1)) for seed in range(3)]
    assert batch.encoded["image"].pooled[[0, 2, 4]].numpy() == pytest.approx(np.stack(means), rel=1e-5)
    assert not batch.encoded["image"].pooled[[1, 3, 5]].any()
    assert batch.inputs == {}


@pytest.mark.parametrize("storable", [True, False])
def test_rows_come_in_the_asked_order_with_their_targets(store, samples, storable):
    targets = np.arange(12, dtype=np.float32).reshape(6, 2)
    feed = feeder(store, samples, storable=storable, targets=targets)
    whole = feed.batch(range(6))
    for rows in ([4, 0, 3], [5], [1, 1], []):
        batch = feed.batch(rows)
        assert torch.equal(batch.targets, whole.targets[rows])
        for name in ("image", "text"):
            assert torch.equal(batch.encoded[name].pooled, whole.encoded[name].pooled[rows])
            assert torch.equal(batch.present[name], whole.present[name][rows])


def test_stored_tokens_are_padded_to_the_batch(store, samples):
    texts = {"text": slot(Words())}
    rows = rows_of(samples)
    fill(store, texts, rows, tokens=texts)
    feed = Feeder(rows, texts, store, tokens=texts)
    encoded = feed.batch([0, 1, 3]).encoded["text"]
    assert encoded.mask.tolist() == [[True, False, False], [True, True, True], [True, False, False]]
    assert encoded.tokens.tolist() == [[A, [0, 0], [0, 0]], [A, B, C], [[0, 0]] * 3]
    assert feed.batch([0, 3]).encoded["text"].tokens.shape == (2, 1, 2)
    assert feed.batch([2, 3]).encoded["text"].mask.tolist() == [[True], [True]]


@pytest.mark.parametrize("chosen", [[0, 1, 3], [2, 3], [1]])
def test_live_tokens_equal_stored_ones(store, samples, chosen):
    rows = rows_of(samples)
    stored, live = {"text": slot(Words())}, {"text": slot(Words(storable=False))}
    fill(store, stored, rows, tokens=stored)
    first = Feeder(rows, stored, store, tokens=stored).batch(chosen).encoded["text"]
    second = Feeder(rows, live, store, tokens=live).batch(chosen).encoded["text"]
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_encoders_that_train_get_the_inputs_of_the_rows_that_have_some(store, samples):
    batch = feeder(store, samples, frozen=False).batch([1, 2, 3, 4])
    assert batch.encoded == {}
    assert batch.inputs["text"]["mask"].tolist() == [[True, True, True], [True, True, False]]
    assert batch.inputs["image"]["means"].shape == (2, 3)
    assert feeder(store, samples, frozen=False).batch([3]).inputs == {"image": {}, "text": {}}


def test_large_tables_are_read_batch_by_batch(store, samples, monkeypatch):
    whole = feeder(store, samples).batch([4, 1, 3])
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 0)
    piece = feeder(store, samples).batch([4, 1, 3])
    for name in ("image", "text"):
        assert torch.equal(piece.encoded[name].pooled, whole.encoded[name].pooled)


def test_each_picture_and_text_is_encoded_once_for_ever(store, samples):
    slots = {"image": slot(Colours()), "text": slot(Words())}
    rows = rows_of(samples + samples[:2])
    rows.hashes[6] = rows.hashes[0]
    assert fill(store, slots, rows) == 3 + 3
    assert (slots["image"].encoder.calls, slots["text"].encoder.calls) == (3, 3)
    assert fill(store, slots, rows) == 0
    assert fill(store, slots, rows, tokens=slots) >= 3, "tokens were not there yet"
    again = {"image": slot(Colours()), "text": slot(Words())}
    assert fill(store, again, rows) == 0
    other = {"text": slot(Words())}
    other["text"].encoder.scale += 1
    assert fill(store, other, rows) == 3, "another encoder does not take over what this one said"


def test_progress_is_told_about_every_item(store, samples):
    from contextlib import contextmanager

    told = []

    @contextmanager
    def progress(what, total):
        told.append([what, total, 0])

        def advance(done):
            told[-1][2] += done

        yield advance

    fill(store, {"text": slot(Words()), "image": slot(Colours())}, rows_of(samples), progress=progress)
    assert told == [["encoding texts (text)", 3, 3], ["encoding images (image)", 3, 3]]


def test_a_picture_that_breaks_while_encoding_is_an_error(store, samples, tmp_path):
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(DataError, match=r"1\.png"):
        fill(store, {"image": slot(Colours())}, rows_of(samples))


def test_scattered_tokens_leave_absent_rows_one_zero_token():
    encoded = Encoded(torch.ones(3, 2), torch.full((1, 2, 2), 5.0), torch.tensor([[True, False]]))
    spread = scatter_tokens(encoded, torch.tensor([False, True, False]))
    assert spread.mask.tolist() == [[True, False]] * 3
    assert spread.tokens[:, 0].tolist() == [[0, 0], [5, 5], [0, 0]]
    assert scatter_tokens(Encoded(torch.ones(3, 2)), torch.ones(3, dtype=torch.bool)).tokens is None


class Shout:
    """Changes each text, and says for which row of the batch it was asked."""

    def __init__(self) -> None:
        self.asked, self.mixed = [], []

    def items(self, modality, items, where):
        self.asked.append((modality, list(items) if modality == "text" else len(items), list(where)))
        return ["zz" for _ in items] if modality == "text" else items

    def batch(self, batch, trained):
        self.mixed.append(sorted(trained))
        return batch


def test_only_what_trains_is_changed(store, samples):
    rows, plain = rows_of(samples), feeder(store, samples)
    slots = {"image": plain.slots["image"], "text": slot(Words(), frozen=False)}
    shout = Shout()
    batch = Feeder(rows, slots, store).batch([3, 1, 0], shout)
    assert shout.asked == [("text", ["aa bb cc", "aa"], [1, 2])]
    assert shout.mixed == [["text"]]
    assert batch.inputs["text"]["tokens"][:, 0].tolist() == [[26, 26], [26, 26]]
    assert torch.equal(batch.encoded["image"].pooled, plain.batch([3, 1, 0]).encoded["image"].pooled)


def test_what_is_frozen_and_not_stored_is_not_changed_either(store, samples):
    shout = Shout()
    batch = feeder(store, samples, storable=False).batch([0, 1], shout)
    assert (shout.asked, shout.mixed) == ([], [[]])
    assert batch.encoded["text"].pooled.tolist() == [A, B]
