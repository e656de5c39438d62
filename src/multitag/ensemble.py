"""`Ensemble`: several models, trained on the same rows or fitted already, with the verbs of one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from multitag.classifier import Classifier
from multitag.combined import Combined
from multitag.combiners import Combiner
from multitag.config import Config
from multitag.config.ensemble import COMMON, COMMON_TRAINING
from multitag.errors import ConfigError, RunError
from multitag.pipeline import Pipeline

__all__ = ["Ensemble"]


class Ensemble(Classifier):
    """Several models whose answers a combiner joins.

    Its verbs are those of `Classifier`. Its run folder holds the members' own, each of which can be opened alone.

    Args:
        members: By name: a configuration, or a `Classifier` not yet fitted, to train; or the folder of a fitted run,
            which may have been trained on none of the rows that `fit` gets.
        combiner: A combiner's name, or a table with its name and options.
        config: What all members share: data, folds, calibration, decision, store, seed. That of the first member that
            is a configuration by default.

    Raises:
        ConfigError: All faults together.

    Example:
        >>> members = {"words": Config.read("words.toml"), "pictures": "runs/pictures"}  # doctest: +SKIP
        >>> Ensemble(members, {"name": "lambda_weighted"}).fit("train.csv", images="images")  # doctest: +SKIP
    """

    def __init__(
        self,
        members: Mapping[str, Config | Classifier | str | Path],
        combiner: str | Mapping[str, Any] = "mean",
        *,
        config: Config | None = None,
    ) -> None:
        configs = {name: _plan(name, member) for name, member in members.items()}
        shared = (
            config.resolved()
            if config
            else next((plan for plan in configs.values() if isinstance(plan, Config)), Config().resolved())
        )
        section = {
            "combiner": {"name": combiner} if isinstance(combiner, str) else dict(combiner),
            "members": {name: _table(plan, shared) for name, plan in configs.items()},
        }
        super().__init__(Config.parse({**shared.values(), "ensemble": section}))

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """The ensemble that a configuration with an [ensemble] section describes.

        Raises:
            ConfigError: It has none.
        """
        if config.ensemble is None:
            raise ConfigError("the configuration has no [ensemble] section. Fix: Classifier(config)")
        ensemble = cls.__new__(cls)
        Classifier.__init__(ensemble, config)
        return ensemble

    @property
    def members_(self) -> dict[str, Pipeline]:
        """The fitted members by name."""
        return dict(self._combined.members)

    @property
    def combiner_(self) -> Combiner:
        """The fitted combiner."""
        return self._combined.combiner

    @property
    def _combined(self) -> Combined:
        scorer = self.pipeline_.scorer
        if not isinstance(scorer, Combined):
            raise TypeError("an ensemble's pipeline is not of members")
        return scorer

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read the run folder of an ensemble; no code in it is ever run.

        Raises:
            RunError: The folder is missing or cut short, holds a single model, or a frozen encoder is not there.
        """
        ensemble = super().load(folder)
        if ensemble.config.ensemble is None:
            raise RunError(f"{folder} holds a single model and no ensemble. Fix: Classifier.load, or open_run")
        return ensemble


def _plan(name: str, member: Config | Classifier | str | Path) -> Config | str:
    """What a member is made of: a configuration, or a folder."""
    if isinstance(member, str | Path):
        return str(member)
    if isinstance(member, Config):
        return member.resolved()
    if member.is_fitted:
        raise ConfigError(
            f"the member '{name}' is fitted and in memory. Fix: save it and give its folder, or give its .config to "
            f"train it with the others"
        )
    return member.config


def _table(plan: Config | str, shared: Config) -> dict[str, Any]:
    """A member's table in the [ensemble] section: where it differs from what all members share."""
    if isinstance(plan, str):
        return {"run": plan}
    base, own = shared.values(), plan.values()
    train = {key: value for key, value in own.pop("train").items() if key not in (*COMMON_TRAINING, "folds")}
    differing = {key: value for key, value in own.items() if key not in COMMON and value != base.get(key)}
    changed = {key: value for key, value in train.items() if value != base["train"].get(key)}
    return differing | ({"train": changed} if changed else {})
