"""The configurations of a study, all of them checked before anything runs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from multitag.config import Config
from multitag.errors import ConfigError, faults_message
from multitag.runs.claim import deciding
from multitag.studies.factors import Factor, Named

Design = Literal["grid", "one_at_a_time"]
BASELINE = "baseline"
_FIXED = ("seed", "task", "recipe", "store")
_FIXED_DATA = ("labels", "spans", "id", "group", "separator", "label_names")


@dataclass(frozen=True)
class Variant:
    """One configuration of a study.

    Attributes:
        name: What tables call it.
        changes: How it differs from the configuration that the study began with.
        config: All settings; the seed is the study's first.
        group: What it is shown with: its factor, or what stands before `` / `` in its name.
    """

    name: str
    changes: tuple[str, ...]
    config: Config
    group: str = ""


def make_variants(base: Config, factors: Sequence[Factor], named: Sequence[Named], design: Design) -> list[Variant]:
    """All configurations of a study: each once, however often the same settings come about.

    A grid has every combination of the factors' values. One at a time, the configuration as it stands comes first, as
    the baseline, and each value of each factor is tried in it. Named changes are made to the configuration as it
    stands.

    Raises:
        ConfigError: All faults of all configurations together; or there is only one configuration.
    """
    wanted: list[tuple[str, tuple[str, ...], str]] = []
    if design == "one_at_a_time":
        wanted.append((BASELINE, (), ""))
        wanted += [(f"{f.name}={value}", f.changes(value), f.name) for f in factors for value in f.values]
    elif factors:
        for values in itertools.product(*(factor.values for factor in factors)):
            pairs = list(zip(factors, values, strict=True))
            name = ", ".join(f"{factor.name}={value}" for factor, value in pairs)
            wanted.append((name, tuple(change for factor, value in pairs for change in factor.changes(value)), ""))
    else:
        wanted.append((BASELINE, (), ""))
    wanted += [(each.name, each.changes, each.group) for each in named]
    variants: dict[str, Variant] = {}
    names = [name for name, _, _ in wanted]
    faults = [f"{name}: this name is given twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    for name, changes, group in wanted:
        more = _forbidden(changes)
        try:
            config = base.changed(changes) if not more else base
            more += _unsuited(config)
        except ConfigError as error:
            more += [line.strip() for line in str(error).split("\n")[1:]] or [str(error)]
        faults += [f"{name}: {fault}" for fault in more]
        if not more:
            variants.setdefault(json.dumps(deciding(config), sort_keys=True), Variant(name, changes, config, group))
    if faults:
        title = f"{len({fault.partition(': ')[0] for fault in faults})} of {len(wanted)} configurations are not valid"
        raise ConfigError(faults_message(title, list(dict.fromkeys(faults))))
    return list(variants.values())


def _forbidden(changes: Sequence[str]) -> list[str]:
    """What must be the same for all: otherwise they would not be compared on the same rows and labels."""
    faults = []
    for change in changes:
        section, _, key = change.partition("=")[0].strip().partition(".")
        if section in _FIXED or (section == "data" and key in _FIXED_DATA):
            fix = "--seeds N" if section == "seed" else "a study for each"
            faults.append(f"'{change}' cannot be varied: rows and labels must be the same for all. Fix: {fix}")
    return faults


def _unsuited(config: Config) -> list[str]:
    """What a study cannot train."""
    if config.task != "labels":
        return [f"task = '{config.task}': studies are of label sets. Fix: task = 'labels'"]
    try:
        config.with_teacher(wanted=False).with_students(wanted=False)
    except ConfigError as error:
        return [str(error)]
    return [] if config.trains else ["all members of the ensemble are fitted runs: there is nothing to train"]


def require_trainable(config: Config) -> None:
    """Refuse a configuration that a study cannot train.

    Raises:
        ConfigError: Why not.
    """
    if faults := _unsuited(config):
        raise ConfigError("; ".join(faults))


def with_seed(config: Config, shift: int) -> Config:
    """A configuration with its seed, and any that members of an ensemble have of their own, moved by as much."""
    changes = {"seed": config.seed + shift}
    if config.ensemble is None:
        return config.model_copy(update=changes)
    members = {
        name: own | ({"seed": own["seed"] + shift} if "seed" in own else {})
        for name, own in config.ensemble.members.items()
    }
    ensemble = config.ensemble.model_copy(update={"members": members})
    return config.model_copy(update={**changes, "ensemble": ensemble})


def seed_step(variants: Sequence[Variant]) -> int:
    """How far the seeds of a study must lie apart, so that no two runs share a network's."""
    return max(variant.config.train.seeds for variant in variants)
