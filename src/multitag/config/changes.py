"""Changes of the form ``"train.lr=1e-3"`` made to the plain values of a configuration."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from multitag.errors import ConfigError


def changed_values(values: Mapping[str, Any], changes: Iterable[str]) -> dict[str, Any]:
    """The values with the changes made: names first, because another name drops the old component's options.

    Raises:
        ConfigError: A change is not of the form, or its place is a value already.
    """
    result = copied(values)
    for change in sorted(changes, key=lambda text: not text.split("=", 1)[0].strip().endswith(".name")):
        path, equals, text = change.partition("=")
        keys = path.strip().split(".")
        if not equals or not all(keys):
            raise ConfigError(f"'{change}' is not of the form section.key=value, e.g. train.lr=1e-3")
        table = result
        for key in keys[:-1]:
            table = table.setdefault(key, {})
            if not isinstance(table, dict):
                raise ConfigError(f"'{change}': {key} is a value, not a table with keys of its own")
        value = _value(text.strip())
        if keys[-1] == "name" and len(keys) > 1 and table.get("name", value) != value:
            kept: dict[str, Any] = {key: table[key] for key in ("frozen", "fit_on", "folds") if key in table}
            table.clear()
            table.update(kept)
        table[keys[-1]] = value
    return result


def copied(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same tables of tables, free to be changed."""
    return {key: copied(value) if isinstance(value, Mapping) else value for key, value in values.items()}


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text
