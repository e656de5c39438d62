"""Sparse vectors are asked for once a row, and are those that the encoder gives batch by batch."""

from __future__ import annotations

import pytest
import torch

from fakes import rows_of, slot
from multitag.encoders.bag_of_ngrams import BagOfNgrams
from multitag.features import feeder as module
from multitag.features.feeder import Feeder
from multitag.features.store import FeatureStore
from multitag.types import Sample

TEXTS = ["a red cat", None, "a red dog and a cat", " ", "nobody knows", "cat cat dog"]


class Counting(BagOfNgrams):
    asked = 0

    def sparse(self, items):
        type(self).asked += len(items)
        return super().sparse(items)


@pytest.fixture
def feed(tmp_path):
    Counting.asked = 0
    samples = [Sample(str(row), None, text) for row, text in enumerate(TEXTS)]
    encoder = Counting(min_count=1)
    encoder.fit([text for text in TEXTS if text and text.strip()])
    with FeatureStore(tmp_path / "store") as store:
        yield lambda rows=samples: Feeder(rows_of(rows), {"text": slot(encoder)}, store)


@pytest.mark.parametrize("rows", [[0, 2, 4], [5, 1, 0], [1, 3], [2, 2], []])
def test_a_batch_is_what_the_encoder_says_and_zeros_where_there_is_no_text(feed, monkeypatch, rows):
    kept = feed().batch(rows).encoded["text"].pooled
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 0)  # so that each batch is prepared for itself
    assert kept.shape == (len(rows), kept.shape[1])
    assert kept.dtype == torch.float32
    assert torch.equal(kept, feed().batch(rows).encoded["text"].pooled)
    assert [bool(vector.any()) for vector in kept] == [row in (0, 2, 4, 5) for row in rows]


def test_each_text_is_asked_for_once_however_many_epochs(feed):
    rows = feed()
    for _ in range(3):
        rows.batch(range(6))
    assert Counting.asked == 4


def test_what_takes_too_much_memory_is_prepared_batch_by_batch(feed, monkeypatch):
    monkeypatch.setattr(module, "IN_MEMORY_BYTES", 8)
    rows = feed()
    asked = Counting.asked
    rows.batch([0])
    rows.batch([0])
    assert Counting.asked == asked + 2


def test_rows_without_any_text(feed):
    batch = feed([Sample("0", None, None), Sample("1", None, " ")]).batch([1, 0])
    assert batch.encoded["text"].pooled.shape[0] == 2
    assert not batch.encoded["text"].pooled.any()
