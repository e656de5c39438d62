"""Targets kept as those that are not 0 are the targets, in a fraction of the memory."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
import torch

from multitag.features.targets import KeptTargets

DENSE = np.array([[0, 1, 0, np.nan], [0, 0, 0, 0], [1, 1, 1, 1], [0.25, 0, 0, 0]], np.float32)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 9])
def test_blocks_of_any_size_give_the_same_targets(size):
    kept = KeptTargets.of((DENSE[start : start + size] for start in range(0, 4, size)), 4)
    assert len(kept) == 4
    np.testing.assert_array_equal(kept.numpy(), DENSE)


def test_rows_come_in_the_order_asked_for_and_as_often():
    kept = KeptTargets.of([DENSE], 4)
    for rows in ([3, 0, 2], [1], [2, 2, 1, 2], []):
        got = kept[torch.tensor(rows, dtype=torch.long)]
        assert got.shape == (len(rows), 4)
        assert got.dtype == torch.float32
        np.testing.assert_array_equal(got.numpy(), DENSE[rows])


def test_no_rows_and_rows_without_labels():
    assert KeptTargets.of([], 3).numpy().shape == (0, 3)
    assert KeptTargets.of([np.zeros((5, 3), np.float32)], 3).numpy().tolist() == [[0.0] * 3] * 5


def test_thousands_of_labels_take_memory_by_what_rows_have():
    rows, labels, block = 4096, 5000, 256
    random = np.random.default_rng(0)
    has = random.integers(labels, size=(rows, 3))

    def blocks():
        for start in range(0, rows, block):
            dense = np.zeros((block, labels), np.float32)
            np.put_along_axis(dense, has[start : start + block], 1.0, axis=1)
            yield dense

    tracemalloc.start()
    kept = KeptTargets.of(blocks(), labels)
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    whole = rows * labels * 4
    assert held < whole / 200
    assert peak < whole / 4  # two blocks and what finding their entries takes
    picked = torch.tensor([5, 4000, 17])
    expected = np.zeros((3, labels), np.float32)
    np.put_along_axis(expected, has[picked.numpy()], 1.0, axis=1)
    np.testing.assert_array_equal(kept[picked].numpy(), expected)
