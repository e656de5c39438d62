"""A preset fitted to a table: what reads pictures where there are none, or texts, is left out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from multitag.augment import AUGMENTATIONS
from multitag.config import Config, EncoderConfig
from multitag.encoders import ENCODERS
from multitag.errors import DataError
from multitag.fitting.label_checks import listed
from multitag.types import Sample

_CALLED = {"image": "picture", "text": "text"}


def suited(config: Config, samples: Iterable[Sample]) -> tuple[Config, list[str]]:
    """A preset without what the rows have nothing for, and notes that say so; any other configuration as it stands.

    Members of an ensemble all of whose encoders lack their modality are left out, and those that were to train such
    encoders alone: without them they are like the members with frozen ones; and so are those that are now the same as
    one before them. Such encoders of the others are left out,
    and an encoder that is left alone goes straight to its head.

    Args:
        config: What was asked for.
        samples: The training rows.

    Raises:
        DataError: The rows have neither pictures nor texts that an encoder reads.
    """
    if config.preset is None:
        return config, []
    rows = list(samples)
    there = {"image": any(s.image is not None for s in rows), "text": any((s.text or "").strip() for s in rows)}
    gone = {modality for modality, here in there.items() if not here}
    if not gone:
        return config, []
    if len(gone) == len(there):
        raise DataError("no training row has a picture or a text: there is nothing to learn from")
    what = _CALLED[next(iter(gone))]
    values, left_out = config.values(), list[str]()
    base = _without(values, config, gone)
    if base is None and config.ensemble is None:
        raise DataError(
            f"no training row has a {what}, and the preset '{config.preset}' reads nothing else. "
            f"Fix: another preset, or name the column (--image-column, --text-column)"
        )
    values |= base or {}
    for name, member in config.members.items():
        if member is None:
            continue
        own, reduced = values["ensemble"]["members"][name], _without(member.values(), member, gone)
        if reduced is None or _trains_only(member, gone):
            left_out.append(name)
            del values["ensemble"]["members"][name]
            continue
        stages = reduced.pop("train")["stages"]
        own |= {key: section for key, section in reduced.items() if key in own or section != values[key]}
        if own.get("train", {}).get("stages"):
            own["train"] = {**own["train"], "stages": stages}
    if config.ensemble is not None and not values["ensemble"]["members"]:
        raise DataError(f"no training row has a {what}, and no member of the preset '{config.preset}' does without")
    for name in _twins(Config.parse(values)):
        left_out.append(name)
        del values["ensemble"]["members"][name]
    notes = [f"no training row has a {what}: encoders of {what}s are left out"]
    if left_out:
        notes[0] += f", and with them the members {listed(left_out)}"
    return Config.parse(values), notes


def _twins(config: Config) -> list[str]:
    """The members that are the same as one before them."""
    members = [(name, member) for name, member in config.members.items() if member is not None]
    return [name for n, (name, member) in enumerate(members) if any(member == other for _, other in members[:n])]


def _trains_only(member: Config, gone: Iterable[str]) -> bool:
    """Whether a member trains encoders, and all of these are of the modalities `gone`."""
    trained = [section for section in member.encoders.values() if not section.frozen]
    return bool(trained) and all(_modality(section) in gone for section in trained)


def _without(values: Mapping[str, Any], config: Config, gone: Iterable[str]) -> dict[str, Any] | None:
    """The sections that change where encoders of the modalities `gone` are left out; `None` where none is left."""
    kept = {name: section for name, section in config.encoders.items() if _modality(section) not in gone}
    if not kept:
        return None
    steps = [
        step
        for step in values["augment"]["steps"]
        if ("image" if (kind := AUGMENTATIONS.get(step["name"]).kind) == "batch" else kind) not in gone
    ]
    away = {*config.encoders} - {*kept}
    stages = [
        {**stage, "train": parts, "lr_scale": {k: v for k, v in stage["lr_scale"].items() if k not in away}}
        for stage in values["train"]["stages"]
        if (parts := [part for part in stage["train"] if part not in away])
    ]
    return {
        "encoders": {name: values["encoders"][name] for name in kept},
        "fusion": {"name": "single"} if len(kept) == 1 < len(config.encoders) else values["fusion"],
        "augment": {**values["augment"], "steps": steps},
        "train": {**values["train"], "stages": stages},
    }


def _modality(section: EncoderConfig) -> str:
    return str(ENCODERS.get(section.name).modality)
