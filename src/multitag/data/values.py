"""Single cells of any format: nulls, texts, names, pictures and 0/1 marks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from multitag.types import ImageSource


def is_null(cell: Any) -> bool:
    """Whether a cell says nothing: `None`, NaN, pandas' NA."""
    return (
        cell is None or (isinstance(cell, float) and math.isnan(cell)) or type(cell).__name__ in ("NAType", "NaTType")
    )


def name_value(cell: Any) -> str | None:
    """A cell that names something (an id, a group); `None` where it is empty. A whole float is an integer."""
    if is_null(cell):
        return None
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() or None


def text_value(cell: Any) -> str | None:
    """A cell's text as written, `None` where there is nothing but white space."""
    if isinstance(cell, str):
        return cell if cell and not cell.isspace() else None
    return None if is_null(cell) else str(cell)


def image_value(cell: Any, folder: Path) -> ImageSource | None:
    """A cell's picture: its bytes, or its file in `folder`; `None` where the cell is empty.

    Raises:
        ValueError: The cell holds something else.
    """
    if isinstance(cell, str):
        stripped = cell.strip()
        return folder / stripped if stripped else None
    if is_null(cell):
        return None
    if isinstance(cell, Mapping):  # datasets' form: {"bytes": ..., "path": ...}
        return image_value(cell.get("bytes") or cell.get("path"), folder)
    if isinstance(cell, bytes | bytearray | memoryview):
        return bytes(cell) or None
    if isinstance(cell, Path):
        return folder / cell
    raise ValueError(f"{type(cell).__name__} is neither a picture's file name nor its bytes")


def indicator(cell: Any) -> bool | None:
    """A 0/1 cell, `None` where it is empty.

    Raises:
        ValueError: The cell is neither.
    """
    if is_null(cell):
        return None
    if isinstance(cell, str):
        text = cell.strip()
        if text in ("1", "1.0"):
            return True
        if text in ("0", "0.0"):
            return False
        if not text:
            return None
    elif isinstance(cell, int | float) and cell in (0, 1):
        return bool(cell)
    raise ValueError(f"{cell!r} is neither 0 nor 1 nor empty")
