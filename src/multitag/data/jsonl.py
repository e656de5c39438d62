"""JSONL into chunks: one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from multitag.data.annotation_tools import tool_row
from multitag.data.chunk import Chunk
from multitag.data.encoding import text_blocks
from multitag.errors import DataError, faults_message


def jsonl_chunks(path: Path, encoding: str | None = None) -> Iterator[Chunk]:
    """The rows of a JSONL file, a few megabytes at a time.

    Raises:
        DataError: After the last good row, all lines that are no JSON object, together.
    """
    faults: list[str] = []
    line = 1
    for lines in _lines(path, encoding):
        rows, numbers = [], []
        for number, text in enumerate(lines, line):
            if text and not text.isspace():
                try:
                    rows.append(_object(text))
                    numbers.append(number)
                except (ValueError, RecursionError) as error:
                    faults.append(f"{path}:{number} {error}")
        line += len(lines)
        if rows and not faults:
            yield records_chunk(rows, numbers, f"{path.name}:")
    if faults:
        raise DataError(faults_message(f"{len(faults)} lines of {path} are no JSON objects", faults))


def records_chunk(rows: list[dict[str, Any]], lines: list[int], place: str) -> Chunk:
    """Objects as a chunk; a key that an object lacks is a null."""
    names = dict.fromkeys(name for row in rows for name in row)
    return Chunk({name: [row.get(name) for row in rows] for name in names}, lines, place)


def _lines(path: Path, encoding: str | None) -> Iterator[list[str]]:
    carried = ""
    for block in text_blocks(path, encoding):
        *lines, carried = (carried + block).split("\n")
        yield lines
    yield [carried]


def _object(text: str) -> dict[str, Any]:
    value = tool_row(json.loads(text))
    if not isinstance(value, dict):
        raise ValueError(f"holds a {type(value).__name__}, not an object: {text.strip()[:60]!r}")
    return value
