"""SemEval-2021 task 6 has three files of the same memes: labels of the text, spans, labels of text and picture."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from multitag.data.chunk import Chunk
from multitag.data.span_cells import find_span_column

_ORDER = ("task3", "task1")
"""Where a row's labels are looked for; the first has the picture too."""


def sister_file(path: Path, chunk: Chunk) -> Path | None:
    """The file of the same memes beside a file of spans: ``train_task3.json`` beside ``train_task2.json``."""
    if not re.search("task2", path.name) or "id" not in chunk.columns or "image" in chunk.columns:
        return None
    if find_span_column(chunk.columns) != "labels":
        return None
    beside = [path.with_name(path.name.replace("task2", other)) for other in _ORDER]
    return next((file for file in beside if file.is_file()), None)


def with_sister(chunk: Chunk, rows: list[dict[str, Any]]) -> Chunk:
    """The rows with the pictures and label sets that the sister's rows of the same id have."""
    others = {str(row.get("id")): row for row in rows}
    found = [others.get(str(name), {}) for name in chunk.columns["id"]]
    added = {"image": [row.get("image") for row in found], "techniques": [row.get("labels") for row in found]}
    return replace(
        chunk, columns={**chunk.columns, **{name: cells for name, cells in added.items() if any(map(_said, cells))}}
    )


def _said(cell: Any) -> bool:
    return cell is not None
