"""The [ensemble] section: the members, each with the sections in which it differs, and how they are joined."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import Field

from multitag.combiners import COMBINERS
from multitag.config.base import Component, Section
from multitag.errors import ConfigError
from multitag.registry import closest

COMMON = ("task", "recipe", "preset", "data", "calibration", "decision", "store", "ensemble")
"""Sections that all members share."""
COMMON_TRAINING = ("max_size", "time_limit", "checkpoint_seconds", "tracker")
"""Settings of [train] that all members share."""


class EnsembleConfig(Section):
    """Several models on the same rows, and how their answers are joined.

    A member's table holds the sections in which it differs from the rest of the configuration: those of [train] key by
    key, any other section as a whole. Or it holds `run`, the folder of a run that is fitted already. A member may have
    a number of folds of its own where the others are trained in folds too: each row still is answered out of fold.
    """

    combiner: Component = Component(name="mean")
    members: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]

    def values_of(self, name: str, base: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a member as plain values.

        Args:
            name: The member's.
            base: The configuration's, as plain values.
        """
        own = self.members[name]
        values = {key: value for key, value in base.items() if key not in ("recipe", "preset", "ensemble")} | own
        if isinstance(own.get("train"), Mapping):
            values["train"] = {**base.get("train", {}), **own["train"]}
            if base.get("train", {}).get("folds") == 0:  # a share of the rows is held out, of all members
                values["train"]["folds"] = 0
        return values

    def checked(
        self,
        base: Mapping[str, Any],
        sections: list[str],
        check: Callable[[dict[str, Any]], tuple[Any, list[str]]],
        said: list[str],
        unsuited: list[str],
    ) -> tuple[EnsembleConfig, list[str]]:
        """This section with every option of each member's components resolved, and what is wrong with it.

        Args:
            base: The configuration's own settings as plain values.
            sections: Every section of a configuration.
            check: Makes a configuration of plain values, and says what is wrong with them.
            said: What is wrong with what all members share; not said again for each.
            unsuited: What does not go together in it; no fault where no member takes it as it is.
        """
        allowed = [section for section in sections if section not in COMMON]
        members: dict[str, dict[str, Any]] = {}
        faults, found = list[str](), dict[str, list[str]]()
        for name, own in self.members.items():
            where = f"[ensemble.members.{name}]"
            faults += _table_faults(where, name, own, allowed)
            if "run" in own or set(own) - set(allowed):
                members[name] = own
                continue
            config, found[where] = check(self.values_of(name, base))
            resolved = config.values()
            members[name] = {key: value if key == "train" else resolved[key] for key, value in own.items()}
        everywhere = [fault for fault in unsuited if found and all(fault in own for own in found.values())]
        for where, own_faults in found.items():
            faults += [_placed(where, fault) for fault in own_faults if fault not in (*said, *everywhere)]
        combiner, more = self._combiner()
        return EnsembleConfig(combiner=combiner, members=members), [*everywhere, *more, *faults]

    def _combiner(self) -> tuple[Component, list[str]]:
        try:
            options = COMBINERS.resolve(self.combiner.name, self.combiner.options)
            COMBINERS.build(self.combiner.name, options, len(self.members))
        except ConfigError as error:
            return self.combiner, [f"[ensemble.combiner] {line}" for line in str(error).split("\n")]
        return Component(name=self.combiner.name, **options), []


def _table_faults(where: str, name: str, own: Mapping[str, Any], allowed: list[str]) -> list[str]:
    faults = []
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        faults.append(f"[ensemble.members] '{name}' cannot name a member. Accepted: letters, digits, _ and -.")
    if "run" in own:
        if not isinstance(own["run"], str):
            faults.append(f"{where} run = {own['run']!r}: the folder of a run is needed, as text.")
        if len(own) > 1:
            faults.append(f"{where} run: a fitted run changes no setting. Fix: leave out {_listed({*own} - {'run'})}.")
        return faults
    for key in own:
        if key in COMMON:
            faults.append(f"{where} {key}: all members share it. Fix: set it once, outside [ensemble].")
        elif key not in allowed:
            faults.append(f"{where} {key}: no such section{closest(key, allowed)} Accepted: {', '.join(allowed)}, run.")
    train = own.get("train")
    shared = [key for key in COMMON_TRAINING if isinstance(train, Mapping) and key in train]
    faults += [f"{where} train.{key}: all members share it. Fix: set it in [train]." for key in shared]
    if isinstance(train, Mapping) and "folds" in train and train["folds"] in ("auto", 0, 1):
        faults.append(
            f"{where} train.folds = {train['folds']!r}: a member's own folds are 2 to 20, where all are trained in "
            f"folds. Fix: leave it out, or set [train] folds = 0 for all."
        )
    return faults


def _placed(where: str, fault: str) -> str:
    """A fault with the member's place in it: ``"[train] lr"`` becomes ``"[ensemble.members.a.train] lr"``."""
    return f"{where[:-1]}.{fault[1:]}" if re.match(r"\[\w", fault) else f"{where} {fault}"


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))
