"""Types, defaults and docstrings as Markdown, for the pages that are made from the code."""

from __future__ import annotations

import inspect
import json
import re
import types
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel, ByteSize

from multitag.config.train import Duration

DOCS = Path(__file__).resolve().parents[1] / "docs"
BOUNDS = {"ge": "at least {}", "gt": "above {}", "le": "at most {}", "lt": "below {}"}
KINDS = {
    ByteSize: 'a size such as `"100MB"`',
    int: "a whole number",
    float: "a number",
    str: "text",
    bool: "`true` or `false`",
}


def accepted(hint: Any) -> str:
    """What an annotation accepts, in words."""
    origin = get_origin(hint)
    if hint is Duration:
        return 'a duration such as `"30m"`, `"1h30m"`, or a number of seconds'
    if origin is Annotated:
        inner, *extras = get_args(hint)
        limits = [part for extra in extras for part in _limits(extra)]
        return ", ".join([accepted(inner), *limits])
    if origin is Literal:
        return ", ".join(code(value) for value in get_args(hint))
    if origin in (Union, types.UnionType):
        return " or ".join(accepted(part) for part in get_args(hint) if part is not type(None))
    if origin is dict:
        return "a table"
    if origin is tuple:
        if get_origin(get_args(hint)[0]) in (Union, types.UnionType):
            return f"a list, each {accepted(get_args(hint)[0])}"
        kind = get_args(get_args(hint)[0])[0] if get_origin(get_args(hint)[0]) is Annotated else get_args(hint)[0]
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return "a list of tables"
        return "a list of numbers" if kind in (int, float) else "a list of texts"
    return KINDS.get(hint, getattr(hint, "__name__", str(hint)))


def _limits(extra: Any) -> list[str]:
    parts = [extra, *getattr(extra, "metadata", [])]
    return [
        text.format(getattr(part, bound))
        for part in parts
        for bound, text in BOUNDS.items()
        if getattr(part, bound, None) is not None
    ]


def code(value: Any) -> str:
    """A value as it stands in TOML."""
    if value is True or value is False:
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple | dict):
        return f"`{json.dumps(value)}`"
    return f'`"{value}"`' if isinstance(value, str) else f"`{value}`"


def cell(text: str) -> str:
    """Text for one cell of a Markdown table."""
    return " ".join(re.sub(r"``(.+?)``", r"`\1`", text).split()).replace("|", "\\|")


def table(columns: list[str], rows: list[list[str]]) -> list[str]:
    """A Markdown table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def prose(component: Any) -> str:
    """A docstring up to its sections, as Markdown."""
    text = inspect.getdoc(component) or ""
    text = re.split(r"\n\n(?:Args|Raises|Returns|Attributes|Example|Examples|Shape|Shapes):\n", text)[0]
    text = re.sub(r"``(.+?)``", r"`\1`", text)
    parts = re.split(r"(`[^`]*`)", text)  # what is code is not to be escaped
    return "".join(part if part.startswith("`") else part.replace("*", "\\*") for part in parts)


def arguments(component: Any) -> dict[str, str]:
    """What the docstrings of a class and of its bases say of each argument."""
    found: dict[str, str] = {}
    for base in reversed(getattr(component, "__mro__", (component,))):
        text = inspect.cleandoc(base.__doc__ or "") if base is not object else ""
        for section in ("Attributes", "Args"):
            match = re.search(rf"(?:^|\n){section}:\n(.*?)(?=\n\S|\Z)", text, re.DOTALL)
            for entry in re.split(r"\n(?=    \w)", match[1]) if match else []:
                name, _, said = entry.strip().partition(":")
                if not said.strip().startswith("As of "):  # the base says it
                    found[name] = " ".join(said.split())
    return found


def write(path: Path, lines: list[str]) -> None:
    """Write a page."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", "utf-8")
