"""Rows that belong together: of one group, or exact copies of one picture."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from multitag.errors import DataError
from multitag.types import Sample


def units(samples: Sequence[Sample], copies: Sequence[str | None] | None = None) -> list[list[int]]:
    """The rows in units that no split may cut, each unit and the list of them ordered by the rows' ids.

    Rows are in one unit if they share a group, or a value of `copies`, or are linked through other rows that
    do.

    Args:
        samples: The rows.
        copies: Per row, a value that exact copies share, such as `ImageReport.hashes`; `None` where there is
            none.

    Raises:
        DataError: `copies` is not of the samples' length.
    """
    if copies is not None and len(copies) != len(samples):
        raise DataError(f"copies must have one entry for each of the {len(samples)} rows, not {len(copies)}.")
    parent = list(range(len(samples)))

    def root(row: int) -> int:
        while parent[row] != row:
            parent[row] = row = parent[parent[row]]
        return row

    first: dict[Hashable, int] = {}
    for row, sample in enumerate(samples):
        for key in (("group", sample.group), ("copy", copies[row] if copies is not None else None)):
            if key[1] is not None:
                parent[root(row)] = root(first.setdefault(key, row))
    found: dict[int, list[int]] = {}
    for row in sorted(range(len(samples)), key=lambda row: samples[row].id):
        found.setdefault(root(row), []).append(row)
    return list(found.values())
