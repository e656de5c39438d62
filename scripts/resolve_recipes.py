"""Write every recipe and preset out whole, new settings at their defaults: python scripts/resolve_recipes.py"""

from __future__ import annotations

import tomllib
from pathlib import Path

import tomli_w

from multitag.config import Config
from multitag.config.presets import preset_names, preset_path
from multitag.recipes import recipe_names, recipe_path


def resolved(path: Path) -> str:
    """A recipe as it should stand in its file: how to run it, its header without what is empty, every setting."""
    values = Config.parse(tomllib.loads(path.read_text("utf-8"))).values()
    values["recipe"] = {key: value for key, value in values["recipe"].items() if value}
    table = "table.json --task spans" if values["task"] == "spans" else "table.csv"
    return f"# multitag train {table} --recipe {path.stem}\n" + tomli_w.dumps(values)


def resolved_preset(path: Path) -> str:
    """A preset as it should stand in its file."""
    values = Config.parse(tomllib.loads(path.read_text("utf-8"))).values()
    return f"# multitag train table.csv --preset {path.stem}\n" + tomli_w.dumps(values)


if __name__ == "__main__":
    for name in recipe_names():
        recipe_path(name).write_text(resolved(recipe_path(name)), "utf-8")
    for name in preset_names():
        preset_path(name).write_text(resolved_preset(preset_path(name)), "utf-8")
