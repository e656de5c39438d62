"""Recipes: complete configurations, each with where it comes from, what it reported and what we do otherwise."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from multitag.config import Config, RecipeConfig
from multitag.config.presets import packaged_path, preset_path
from multitag.errors import ConfigError


def recipe_names() -> list[str]:
    """All recipes that come with multitag."""
    entries = (entry.name for entry in files(__name__).iterdir())
    return sorted(name.removesuffix(".toml") for name in entries if name.endswith(".toml"))


def recipe_path(name: str) -> Path:
    """The file of a recipe.

    Raises:
        ConfigError: No such recipe.
    """
    return packaged_path("recipe", name, recipe_names())


def read_header(name: str) -> RecipeConfig:
    """The [recipe] table of a recipe, without checking the rest."""
    return RecipeConfig(**tomllib.loads(recipe_path(name).read_text("utf-8"))["recipe"])


def configure(
    *,
    task: Literal["labels", "spans"] | None = None,
    recipe: str | None = None,
    preset: str | None = None,
    file: str | Path | None = None,
    changes: Sequence[str] = (),
    without: Sequence[str] = (),
    seed: int | None = None,
    data: Mapping[str, Any] | None = None,
) -> Config:
    """The configuration of a run: a recipe, a preset, a file or the default, with the user's changes made to it.

    Args:
        task: What is learned; decides the default, and must be that of a recipe or file.
        recipe: A recipe's name.
        preset: A preset's name: ``"fast"``, ``"balanced"`` or ``"best"``.
        file: A TOML file.
        changes: Changes of the form ``"train.lr=1e-3"``.
        without: Names of encoders to leave out; a single one left goes straight to its head.
        seed: Replaces the configuration's.
        data: Values for the [data] section.

    Raises:
        ConfigError: More than one of recipe, preset and file, one of another task, or what is not valid.
    """
    given = {"--recipe": recipe, "--preset": preset, "--config": file}
    whole = [option for option, value in given.items() if value is not None]
    if len(whole) > 1:
        both = "both give" if len(whole) == 2 else "each give"
        raise ConfigError(f"{' and '.join(whole)} {both} a whole configuration. Fix: choose one of them")
    source = recipe_path(recipe) if recipe is not None else file if preset is None else preset_path(preset)
    default = Config.for_spans() if task == "spans" else Config()
    values = default.values() if source is None else Config.read(source).values()
    if task is not None and values["task"] != task:
        raise ConfigError(
            f"--task {task}: {_called(recipe, preset, file)} has task = '{values['task']}'. "
            f"Fix: leave out --task, or choose another one"
        )
    if without and "ensemble" in values:
        raise ConfigError(
            f"--without {without[0]}: this is an ensemble, whose members have encoders of their own. "
            f"Fix: --set ensemble.members.NAME.encoders..., or a configuration without the member"
        )
    for name in without:
        if name not in values["encoders"]:
            have = ", ".join(values["encoders"])
            raise ConfigError(f"--without {name}: there is no such encoder. The configuration has: {have}")
        del values["encoders"][name]
    if without and len(values["encoders"]) == 1:
        values["fusion"] = {"name": "single"}
    if seed is not None:
        values["seed"] = seed
    values["data"] = {**values["data"], **(data or {})}
    return Config.parse(values).changed(changes) if changes else Config.parse(values)


def _called(recipe: str | None, preset: str | None, file: str | Path | None) -> str:
    """What a configuration came from, for a message."""
    named = {"the recipe": recipe, "the preset": preset}
    return next((f"{what} {name}" for what, name in named.items() if name is not None), str(file))
