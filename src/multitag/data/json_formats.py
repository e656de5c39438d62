"""JSON files, told apart by what they hold: a list of objects (SemEval-2021 task 6), or MS-COCO."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from multitag.data.chunk import Chunk
from multitag.data.coco import coco_rows
from multitag.data.encoding import read_text
from multitag.data.jsonl import records_chunk
from multitag.errors import DataError, faults_message


@dataclass(frozen=True, slots=True)
class JsonTable:
    """The rows of a JSON file.

    Attributes:
        kind: A list of objects, or MS-COCO annotations.
        chunk: Its rows.
        label_names: The labels that the file declares, if it does.
    """

    kind: Literal["records", "coco"]
    chunk: Chunk
    label_names: tuple[str, ...] | None = None


def read_json(path: Path, captions: Path | None = None, encoding: str | None = None) -> JsonTable:
    """The rows of a JSON file.

    Args:
        path: A list of objects, MS-COCO instances, or MS-COCO captions.
        captions: The MS-COCO captions of the same pictures.
        encoding: The files' encoding, where it is not UTF-8.

    Raises:
        DataError: No JSON, of another shape, or annotations of pictures or categories that are not declared.
    """
    value = _parsed(path, encoding)
    if isinstance(value, list):
        if captions is not None:
            raise DataError(f"{path} is a list of objects; a captions file goes with MS-COCO instances only.")
        return JsonTable("records", _records(path, value))
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
    if any(isinstance(entry, dict) for row in rows for entry in _list(row.get("labels"))):
        raise DataError(f"{path} marks spans of the text (labels with start and end), not labels of whole rows.")
    return records_chunk(rows, list(range(1, len(rows) + 1)), place)


def _list(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else ()
