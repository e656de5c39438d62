"""Label cells: what is written in them, and how to write them again."""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from multitag.data.encoding import read_text
from multitag.errors import DataError

LabelSeparator = Literal["auto", "space", "comma", "semicolon", "bar", "json", "python", "none"]
Shape = Literal["split", "json", "python", "list", "single", "columns"]
Labels = tuple[str, ...]

MARKS: Final = {"space": " ", "comma": ",", "semicolon": ";", "bar": "|"}
_WHOLE_FLOAT: Final = re.compile(r"^-?\d+\.0+$")


@dataclass(frozen=True, slots=True)
class LabelStyle:
    """How a table writes its labels.

    Attributes:
        shape: Labels split by a separator; a JSON list; a Python list as text; a list of a typed format; one
            label a cell; one 0/1 column a label.
        separator: What stands between two labels, as the table writes it (``", "`` with its space).
    """

    shape: Shape
    separator: str = "|"

    def parse(self, cell: Any) -> Labels | None:
        """The labels in a cell, each once, in their order; `None` for a null, ``()`` for an empty cell.

        Raises:
            ValueError: The cell is not of this style.
        """
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            return None
        if isinstance(cell, str):
            return _unique(self._split(cell.strip()))
        if isinstance(cell, bool | int | float):
            return (label_text(cell),)
        if isinstance(cell, Iterable):
            return _unique(map(label_text, cell))
        raise ValueError(f"{type(cell).__name__} is no list of labels")

    def parser(self) -> Callable[[Any], Labels | None]:
        """`parse` that remembers the cells it saw."""
        seen = lru_cache(maxsize=1 << 16)(self.parse)
        return lambda cell: seen(cell) if isinstance(cell, str) else self.parse(cell)

    def join(self, labels: Iterable[str]) -> str:
        """Labels as one cell."""
        if self.shape == "json":
            return json.dumps(list(labels), ensure_ascii=False)
        if self.shape == "python":
            return repr(list(labels))
        return self.separator.join(labels)

    def _split(self, cell: str) -> Iterable[str]:
        if not cell:
            return ()
        if self.shape in ("json", "python") or (self.shape == "list" and cell[0] in "[("):
            return list_cell(cell)
        if self.shape == "split":
            mark = self.separator.strip()
            return map(label_text, cell.split(mark) if mark else cell.split())
        return (label_text(cell),)


def label_text(value: Any) -> str:
    """A label's name: stripped text; a whole number without its ``.0``, which pandas adds where a cell is
    empty.

    Raises:
        ValueError: The value is neither text nor a number.
    """
    if isinstance(value, str):
        name = value.strip()
        return name.split(".")[0] if _WHOLE_FLOAT.match(name) else name
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, bool | int | float) or type(value).__module__ == "numpy":
        return str(value)
    raise ValueError(f"{value!r} is no label's name")


def list_cell(cell: str) -> list[str]:
    """The labels of a cell that holds a JSON list or a Python list, tuple or set; nothing in it is ever run.

    Raises:
        ValueError: The cell holds anything else.
    """
    try:
        value = json.loads(cell)
    except (ValueError, RecursionError):
        try:
            value = ast.literal_eval(cell)
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            raise ValueError(f"{cell[:60]!r} is no list of labels") from None
    if not isinstance(value, list | tuple | set):
        raise ValueError(f"{cell[:60]!r} is no list of labels")
    return [label_text(entry) for entry in (sorted(value, key=str) if isinstance(value, set) else value)]


def read_label_names(path: Path) -> Labels:
    """The label names in a text file, one a line, such as a task's list of classes.

    Raises:
        DataError: The file cannot be read, is empty, or names a label twice.
    """
    names = tuple(line.strip() for line in read_text(path).splitlines() if line.strip())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice or not names:
        raise DataError(f"{path} names {'twice: ' + ', '.join(twice) if twice else 'no label; it needs one a line'}")
    return names


def _unique(names: Iterable[str]) -> Labels:
    return tuple(dict.fromkeys(name for name in names if name))
