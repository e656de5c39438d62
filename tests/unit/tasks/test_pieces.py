"""Rows cut into what an encoder takes, and what is said of the pieces put together."""

from __future__ import annotations

import numpy as np
import pytest

from multitag.features.rows import Rows
from multitag.inference import gathered
from multitag.spans.alignment import locate
from multitag.tasks.pieces import Pieces
from multitag.tasks.spans import SpanTask
from multitag.types import LabelSpace, Sample, Span
from span_tokenizers import tokenizers

SPACE = LabelSpace(("a", "b"))
LONG = "a dog near the red boat and two old men with a cat under the tree " * 3


def rows(*samples: Sample) -> Rows:
    return Rows(list(samples), [None] * len(samples))


def logits_by_place(pieces: Pieces, cut: Rows, whole: list[str]) -> np.ndarray:
    """Logits that tell the character of the whole text at which each token starts, in thousandths."""
    located = locate(pieces.tokenizer, [sample.text or "" for sample in cut.samples])
    logits = np.full((len(cut), max(len(tokens.real) for tokens in located), 2), 99.0, np.float32)
    for row, (sample, tokens) in enumerate(zip(cut.samples, located, strict=True)):
        number = int(sample.id)
        begin = whole[number].index(sample.text) if sample.text else 0
        for token in np.flatnonzero(tokens.real):
            logits[row, token] = [(begin + tokens.offsets[token, 0]) / 1000, -1.0]
    return logits


@pytest.mark.parametrize("name", sorted(tokenizers()))
@pytest.mark.parametrize("limit", [16, 512])
def test_every_token_comes_back_to_its_place(name, limit):
    pieces = Pieces(tokenizers()[name], limit, 4)
    unique = " ".join(f"{word}{'' if n % 3 else '!'}" for n, word in enumerate(LONG.split()[:17]))
    whole = [unique, "", "a dog"]
    given = rows(Sample("0", text=unique), Sample("1"), Sample("2", text="a dog"))
    cut = pieces.cut(given)
    assert (len(cut) > 3) == (limit == 16)
    joined = pieces.join(given, logits_by_place(pieces, cut, whole))
    places = pieces.places(given.samples)
    for row, own in enumerate(places):
        assert np.isnan(joined[row, len(own) :]).all()
        assert np.isfinite(joined[row, : len(own)]).all()
    if limit == 512:
        np.testing.assert_allclose(joined[0, : len(places[0]), 0], places[0][:, 0] / 1000, atol=1e-5)
        np.testing.assert_allclose(joined[2, : len(places[2]), 0], places[2][:, 0] / 1000, atol=1e-5)


def test_the_mean_is_taken_where_windows_overlap():
    pieces = Pieces(tokenizers()["words"], 8, 2)
    text = "a dog near the red boat and two"
    given = rows(Sample("0", text=text))
    cut = pieces.cut(given)
    assert [sample.text.strip() for sample in cut.samples] == ["a dog near the red boat", "red boat and two"]
    said = np.stack([np.full((8, 1), 2.0), np.full((8, 1), -1.0)]).astype(np.float32)
    joined = pieces.join(given, said)[0, :, 0]
    both = (1 / (1 + np.exp(-2.0)) + 1 / (1 + np.exp(1.0))) / 2
    expected = [2, 2, 2, 2, *[np.log(both / (1 - both))] * 2, -1, -1]
    np.testing.assert_allclose(joined, expected, atol=1e-5)


def test_targets_of_windows_are_those_of_the_whole_text():
    pieces = Pieces(tokenizers()["words"], 8, 2)
    task = SpanTask(SPACE, pieces, "begin_inside")
    text = "a dog near the red boat and two"
    sample = Sample("0", text=text, spans=(Span(2, 5, "a"), Span(15, 27, "b")))
    targets = task.targets(pieces.cut(rows(sample)).samples)
    assert targets.shape == (2, 8, 4)
    nan = [np.nan] * 4
    dog, first, further, none = [1, 0, 1, 0], [0, 1, 0, 1], [0, 0, 0, 1], [0, 0, 0, 0]
    np.testing.assert_array_equal(targets[0], [nan, none, dog, none, none, first, further, nan])
    np.testing.assert_array_equal(targets[1], [nan, first, further, further, none, nan, nan, nan])
    assert task.examples(targets).shape == (10, 4)


def test_a_span_that_began_before_its_window_does_not_begin_again():
    pieces = Pieces(tokenizers()["words"], 8, 2)
    task = SpanTask(SPACE, pieces, "begin_inside")
    sample = Sample("0", text="a dog near the red boat and two", spans=(Span(2, 27, "b"),))
    begins = task.targets(pieces.cut(rows(sample)).samples)[:, :, 1]
    assert np.nansum(begins[0]) == 1
    assert np.nansum(begins[1]) == 0


def test_parts_of_rows_are_gathered_with_nan_after_the_shorter_ones():
    parts = [([2, 0], np.ones((2, 1, 2), np.float32)), ([1], np.zeros((1, 3, 2), np.float32))]
    whole = gathered(3, 2, parts)
    assert whole.shape == (3, 3, 2)
    assert np.isnan(whole[[0, 2], 1:]).all()
    assert (whole[[0, 2], 0] == 1).all()
    assert (whole[1] == 0).all()
    np.testing.assert_array_equal(gathered(2, 1, [([1], np.ones((1, 1), np.float32))]), [[0], [1]])
