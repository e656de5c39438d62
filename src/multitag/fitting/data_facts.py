"""What a run says of the rows that it came from: numbers and the tables' names, nothing that stands in a row."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from multitag.data.table import Table
from multitag.fitting.sides import Sides
from multitag.types import LabelSpace


def data_facts(
    space: LabelSpace, sides: Sides, table: Table, valid: Table | None, pool: Table | None
) -> dict[str, Any]:
    """Plain values, for metrics.json: the tables by their file names, and of the labelled training rows how many there
    are, have a picture, have a text, and have each label.

    Args:
        space: The labels.
        sides: The rows.
        table: The table that was trained on.
        valid: The one for validation, where there was one.
        pool: The one without labels, likewise.
    """
    samples = sides.every.samples
    named = {"table": table, "valid": valid, "unlabeled": pool}
    counts = (space.encode(samples) == 1).sum(0).tolist()
    return {
        **{what: Path(each.name).name for what, each in named.items() if each is not None},
        "rows": len(samples),
        "pictures": sum(sample.image is not None for sample in samples),
        "texts": sum(bool((sample.text or "").strip()) for sample in samples),
        "labels": dict(zip(space.names, map(int, counts), strict=True)),
    }
