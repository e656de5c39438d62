"""Words of a user in Markdown: shown as they stand, whatever they hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")


def shown(value: Any) -> str:
    """A value as text on one line, nothing in it markup."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def listed(names: Iterable[Any]) -> str:
    """Names with commas."""
    return ", ".join(shown(name) for name in names)


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *([shown(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
