"""Label spaces: names to targets and back, and what is not known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from multitag.errors import DataError
from multitag.types import Batch, Encoded, LabelSpace, Predictions, Sample

NAN = np.nan


def test_labels_stand_in_numeric_order_then_by_name():
    samples = [Sample("a", labels=("10", "2", "sea")), Sample("b", labels=None, unknown=("1",)), Sample("c", labels=())]
    assert LabelSpace.from_samples(samples).names == ("1", "2", "10", "sea")
    odd = [Sample("a", labels=("²", "-1", "01", "1", "Z", "a"))]
    assert LabelSpace.from_samples(odd).names == ("01", "1", "-1", "Z", "a", "²")


def test_targets_tell_absent_from_not_known():
    space = LabelSpace(("a", "b", "c"))
    samples = [
        Sample("1", labels=("c", "a")),
        Sample("2", labels=()),
        Sample("3", labels=None),
        Sample("4", labels=("a",), unknown=("b",)),
        Sample("5", labels=("strange",), unknown=("stranger",)),
        Sample("6", labels=None, unknown=("a",)),
        Sample("7", labels=("a",), unknown=("a",)),
    ]
    targets = space.encode(samples)
    assert targets.dtype == np.float32
    expected = [[1, 0, 1], [0, 0, 0], [NAN] * 3, [1, NAN, 0], [0, 0, 0], [NAN] * 3, [1, 0, 0]]
    assert np.array_equal(targets, np.array(expected, np.float32), equal_nan=True)
    assert space.encode([]).shape == (0, 3)


def test_decode_is_the_inverse():
    space = LabelSpace(("a", "b", "c"))
    labels = [("a", "c"), (), ("b",)]
    samples = [Sample(str(row), labels=names) for row, names in enumerate(labels)]
    assert space.decode(space.encode(samples).astype(bool)) == labels
    predictions = Predictions(("0", "1", "2"), space, space.encode(samples) == 1, np.zeros((3, 3)))
    assert predictions.labels == labels


def test_equal_names_are_refused():
    with pytest.raises(DataError, match="given more than once: a, b"):
        LabelSpace(("b", "a", "a", "b", "c"))


def test_where_a_row_stands_is_no_part_of_what_it_is():
    assert Sample("a", text="x", source="t.csv:2") == Sample("a", text="x", source="other.csv:9")


def test_a_batch_moves_whole():
    present = torch.tensor([True, False])
    batch = Batch(
        2,
        {
            "a": Encoded(torch.ones(2, 3), torch.ones(2, 1, 3), torch.ones(2, 1, dtype=torch.bool)),
            "b": Encoded(torch.ones(2, 1)),
        },
        {"c": {"ids": torch.ones(1, 2)}},
        {"a": present, "b": present, "c": present},
        torch.ones(2, 4),
        torch.ones(2),
    )
    moved = batch.to("meta")
    tensors = [
        *moved.encoded["a"],
        moved.encoded["b"].pooled,
        moved.inputs["c"]["ids"],
        *moved.present.values(),
        moved.targets,
        moved.weights,
    ]
    assert {tensor.device.type for tensor in tensors} == {"meta"}
    assert moved.encoded["b"].tokens is None
    assert Batch(0, {}, {}, {}).to("meta").targets is None
