"""What a decoder was fitted on: kept without the words, and back again."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from multitag.spans.kept import KeptTexts, masked
from multitag.types import LabelSpace, Span
from multitag.words import words

SPACE = LabelSpace(("hate", "fear"))


def test_what_is_kept_comes_back(tmp_path):
    texts = ["They HATE\nus 😀", "", "a\ud800 é"]
    offsets = [np.array([[0, 4], [5, 9]]), np.zeros((0, 2), np.int64), np.array([[0, 1]])]
    logits = [np.float32([[0.1, -2], [3, 1e-7]]), np.zeros((0, 2), np.float32), np.float32([[5, 6]])]
    gold = [[Span(5, 9, "hate"), Span(0, 4, "stranger")], None, []]
    kept = KeptTexts.of(texts, offsets, logits, gold, SPACE)
    arrays = kept.arrays(SPACE)
    save_file({key: torch.from_numpy(value.copy()) for key, value in arrays.items()}, tmp_path / "kept")
    found = KeptTexts.from_arrays({key: v.numpy() for key, v in load_file(tmp_path / "kept").items()}, SPACE)
    assert found.texts == ("xxxx xxxx\nxx 😀", "", "x\ud800 x")
    assert found.gold == ((Span(5, 9, "hate"),), None, ())
    for one, two in ((found.offsets, offsets), (found.logits, logits)):
        assert all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


def test_no_texts_and_arrays_that_do_not_belong_together():
    empty = KeptTexts.from_arrays(KeptTexts((), (), (), ()).arrays(SPACE), SPACE)
    assert (empty.texts, empty.offsets, empty.logits, empty.gold) == ((), (), (), ())
    assert KeptTexts.from_arrays({"trained_on": np.zeros(3)}, SPACE) is None
    whole = KeptTexts.of(["a b"], [np.array([[0, 1]])], [np.ones((1, 2))], [[]], SPACE).arrays(SPACE)
    with pytest.raises(ValueError, match="not as many"):
        KeptTexts.from_arrays({**whole, "held_logits": whole["held_logits"][:0]}, SPACE)


@given(st.text(max_size=60))
def test_words_stand_where_they_stood(text):
    assert words(masked(text)) == words(text)
    assert [c.isspace() for c in masked(text)] == [c.isspace() for c in text]
    assert not set(filter(str.isalnum, masked(text))) - {"x"}
