"""JSON files, told apart by what they hold: a list of objects (SemEval-2021 task 6), annotation tools, MS-COCO."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from multitag.data.annotation_tools import tool_rows
from multitag.data.chunk import Chunk
from multitag.data.coco import coco_rows
from multitag.data.encoding import read_text
from multitag.data.jsonl import records_chunk
from multitag.data.semeval import sister_file, with_sister
from multitag.errors import DataError, faults_message


@dataclass(frozen=True, slots=True)
class JsonTable:
    """The rows of a JSON file.

    Attributes:
        kind: A list of objects, or MS-COCO annotations.
        chunk: Its rows.
        label_names: The labels that the file declares, if it does.
        notes: What else was read.
    """

    kind: Literal["records", "coco"]
    chunk: Chunk
    label_names: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()


def read_json(path: Path, captions: Path | None = None, encoding: str | None = None) -> JsonTable:
    """The rows of a JSON file.

    Args:
        path: A list of objects, the export of an annotation tool, MS-COCO instances, or MS-COCO captions.
        captions: The MS-COCO captions of the same pictures.
        encoding: The files' encoding, where it is not UTF-8.

    Raises:
        DataError: No JSON, of another shape, or annotations of pictures or categories that are not declared.
    """
    value = _parsed(path, encoding)
    rows = tool_rows(value)
    if rows is not None:
        value = rows
    if isinstance(value, list):
        if captions is not None:
            raise DataError(f"{path} is a list of objects; a captions file goes with MS-COCO instances only.")
        chunk = _records(path, value)
        sister = sister_file(path, chunk)
        if sister is None:
            return JsonTable("records", chunk)
        others = [row for row in _parsed(sister, encoding) if isinstance(row, dict)]
        return JsonTable(
            "records",
            with_sister(chunk, others),
            notes=(f"pictures and labels of whole rows are from {sister.name}, by the rows' ids",),
        )
    if isinstance(value, dict) and isinstance(value.get("images"), list):
        texts = value if captions is None else _parsed(captions, encoding)
        notes = texts.get("annotations") if isinstance(texts, dict) else None
        return JsonTable("coco", *coco_rows(path, value, notes or ()))
    raise DataError(
        f"{path} holds neither a list of objects (id, image, text, labels) nor MS-COCO annotations "
        f"(images, annotations, categories). One object a line goes into a .jsonl file."
    )


def _parsed(path: Path, encoding: str | None) -> Any:
    try:
        return json.loads(read_text(path, encoding))
    except json.JSONDecodeError as error:
        raise DataError(f"{path}:{error.lineno} is no JSON: {error.msg} (column {error.colno}).") from error
    except RecursionError as error:
        raise DataError(f"{path} is nested too deeply to be a table.") from error


def _records(path: Path, rows: list[Any]) -> Chunk:
    place = f"{path.name}: item "
    odd = [f"{place}{n} is a {type(row).__name__}" for n, row in enumerate(rows, 1) if not isinstance(row, dict)]
    if odd:
        raise DataError(faults_message(f"{len(odd)} items of {path} are no objects", odd))
    return records_chunk(rows, list(range(1, len(rows) + 1)), place)
