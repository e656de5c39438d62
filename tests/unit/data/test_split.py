"""Splits: stratified, fixed, and never through a group or a picture's copies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from multitag.data.split import folds, split
from multitag.data.units import units
from multitag.errors import DataError
from multitag.types import LabelSpace, Sample


def rows(*sets, groups=None):
    return [
        Sample(f"{k:04d}", text="t", labels=labels, group=groups[k] if groups else None)
        for k, labels in enumerate(sets)
    ]


def whole(parts, count):
    assert sorted([*parts.train_indices, *parts.held_indices]) == list(range(count))


def test_units_are_linked_through_groups_and_copies():
    samples = rows(*[()] * 6, groups=["g", None, "g", None, "h", "h"])
    assert units(samples) == [[0, 2], [1], [3], [4, 5]]
    assert units(samples, [None, "x", "x", None, "y", None]) == [[0, 1, 2], [3], [4, 5]]
    with pytest.raises(DataError, match="one entry for each of the 6 rows, not 1"):
        units(samples, [None])


def test_labels_stand_in_the_same_proportion_on_both_sides():
    random = np.random.default_rng(1)
    shares = {"a": 0.5, "b": 0.3, "c": 0.2, "d": 0.1, "e": 0.05}
    names = tuple(shares)
    samples = rows(*[tuple(n for n in names if random.random() < shares[n]) for _ in range(1000)])
    space = LabelSpace(names)
    parts = split(samples, space, 0.2, 0)
    whole(parts, 1000)
    assert len(parts.held_indices) == pytest.approx(200, abs=3)
    held = space.encode([samples[k] for k in parts.held_indices]).sum(axis=0)
    assert held == pytest.approx(space.encode(samples).sum(axis=0) * 0.2, abs=1.5)


def test_same_seed_same_split_in_any_row_order():
    samples = rows(*[("a",) if k % 3 else ("b", "a") for k in range(60)])
    space = LabelSpace(("a", "b"))

    def held(order, seed):
        ordered = [samples[k] for k in order]
        return {ordered[k].id for k in split(ordered, space, 0.25, seed).held_indices}

    assert held(range(60), 7) == held(range(60), 7) == held(reversed(range(60)), 7)
    assert held(range(60), 7) != held(range(60), 8)


LABELS = st.one_of(st.none(), st.lists(st.sampled_from("abc"), unique=True, max_size=3).map(tuple))
ROWS = st.lists(st.tuples(LABELS, st.sampled_from([None, "g", "h"]), st.sampled_from([None, "x", "y"])), max_size=14)


@given(ROWS, st.floats(0.05, 0.95), st.integers(0, 3))
def test_no_unit_is_cut_and_both_sides_have_rows(table, share, seed):
    samples = rows(*[row[0] for row in table], groups=[row[1] for row in table])
    copies = [row[2] for row in table]
    known = [unit for unit in units(samples, copies) if any(samples[k].labels is not None for k in unit)]
    space = LabelSpace(("a", "b", "c"))
    if len(known) < 2:
        with pytest.raises(DataError, match="too few to split into 2"):
            split(samples, space, share, seed, copies=copies)
        return
    for parts in [
        split(samples, space, share, seed, copies=copies),
        *folds(samples, space, 2, seed, copies=copies),
    ]:
        whole(parts, len(samples))
        held = set(parts.held_indices.tolist())
        assert held
        assert len(held) < len(samples)
        for unit in units(samples, copies):
            assert set(unit) <= held or not set(unit) & held
            if unit not in known:
                assert not set(unit) & held


def test_every_labelled_row_is_held_out_once_over_all_folds():
    samples = rows(*[("a",), ("b",), None, ("a", "b"), (), ("b",), ("a",)])
    parts = folds(samples, LabelSpace(("a", "b")), 3, 0)
    assert sorted(row for part in parts for row in part.held_indices) == [0, 1, 3, 4, 5, 6]
    assert all(2 in part.train_indices for part in parts)


def test_a_label_with_one_example_is_trained_on():
    for seed in range(10):
        samples = rows(*[("a",)] * 9, ("a", "rare"))
        parts = split(samples, LabelSpace(("a", "rare")), 0.3, seed)
        assert 9 in parts.train_indices
        assert len(parts.held_indices) == 3


@pytest.mark.parametrize("sets", [[("a",)] * 10, [()] * 10])
def test_tables_with_nothing_to_stratify_are_split_all_the_same(sets):
    assert len(split(rows(*sets), LabelSpace(("a",)), 0.2, 0).held_indices) == 2


def test_senseless_requests_are_errors():
    samples, space = rows(("a",), ("a",)), LabelSpace(("a",))
    for share in (0, 1, -0.5, 7):
        with pytest.raises(DataError, match="must be between 0 and 1"):
            split(samples, space, share, 0)
    with pytest.raises(DataError, match="at least 2, not 1"):
        folds(samples, space, 1, 0)
    with pytest.raises(DataError, match="2 units with known labels"):
        folds(samples, space, 3, 0)
