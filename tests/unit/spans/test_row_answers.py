"""Answers of rows beside those of tokens: where they stand, and what they do to spans."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from multitag.spans.row_answers import RowAnswers, gated


def sigmoid(z):
    return 1 / (1 + np.exp(-np.asarray(z, float)))


def test_rows_stand_before_tokens():
    beside = RowAnswers(labels=3, outputs=2)
    both = beside.joined(torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[[4.0, 5.0], [6.0, 7.0]]]), fill=-1)
    assert beside.places == 2
    assert both.tolist() == [[[1, 2], [3, -1], [4, 5], [6, 7]]]


@pytest.mark.parametrize(("labels", "outputs"), [(1, 1), (2, 5), (5, 5), (6, 5), (11, 2)])
def test_what_is_joined_comes_apart_again(labels, outputs):
    beside = RowAnswers(labels, outputs)
    rows, tokens = torch.randn(3, labels), torch.randn(3, 4, outputs)
    for both in (beside.joined(rows, tokens), beside.joined(rows, tokens).numpy()):
        front, back = beside.split(both)
        assert np.array_equal(front, rows.numpy())
        assert np.array_equal(back, tokens.numpy())


def test_a_gate_multiplies_probabilities():
    tokens = np.array([[[0.5, -1.0], [3.0, np.nan]]], np.float32)
    rows = np.array([[-2.0, 4.0]], np.float32)
    for strength in (0.3, 1.0):
        expected = sigmoid(tokens) * sigmoid(rows)[:, None] ** strength
        assert sigmoid(gated(tokens, rows, strength)) == pytest.approx(expected, abs=1e-6, nan_ok=True)
    assert np.array_equal(gated(tokens, rows, 0), tokens, equal_nan=True)


def test_the_gate_of_a_label_holds_for_both_its_outputs():
    tokens = np.zeros((1, 1, 4), np.float32)
    found = sigmoid(gated(tokens, np.array([[0.0, 9.0]], np.float32), 1.0))
    assert found[0, 0] == pytest.approx([0.25, 0.5, 0.25, 0.5], abs=1e-4)


def test_sure_answers_stay_finite():
    tokens, rows = np.array([[[80.0], [-80.0]]], np.float32), np.array([[60.0]], np.float32)
    found = gated(tokens, rows, 1.0)
    assert np.isfinite(found).all()
    assert found[0, 0, 0] > 20
    assert found[0, 1, 0] == pytest.approx(-80)
