"""Which frozen encoders there are to run, and why the others have nothing to store."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from multitag.classifier import Classifier
from multitag.combined import networks_of
from multitag.config import Config
from multitag.encoders import ENCODERS, Encoder
from multitag.features.rows import Rows
from multitag.features.slots import Slot, make_lower, make_slot
from multitag.features.units import settle_precision
from multitag.model import tokens_read
from multitag.networks import Network
from multitag.opening import open_run
from multitag.runs.artifacts import load_run
from multitag.tagger import SpanTagger
from multitag.tasks.pieces import Pieces

Reader = Classifier | SpanTagger
"""What reads tables, and says which encoders are wanted: fitted, those of its networks, or those it would train on."""


@dataclass(frozen=True)
class Wanted:
    """A frozen encoder and what is wanted of it.

    Attributes:
        name: Its name in the configuration.
        component: What it is.
        slot: The encoder, loaded.
        tokens: Whether tokens are wanted too.
        pieces: Cuts texts into the windows that it sees, where it does not see them whole.
    """

    name: str
    component: str
    slot: Slot
    tokens: bool
    pieces: Pieces | None

    def rows(self, rows: Rows) -> Rows:
        """The rows as it sees them."""
        return rows if self.pieces is None else self.pieces.cut(rows)


@dataclass
class Plan:
    """What there is to encode.

    Attributes:
        wanted: By all that decides what is stored: encoders that several models share run once.
        without: Why there is nothing to store of the other encoders, by name.
    """

    wanted: dict[tuple[str, bool], Wanted] = field(default_factory=dict)
    without: dict[str, str] = field(default_factory=dict)

    def add(self, config: Config, slots: Mapping[str, Slot], tokens: Iterable[str], where: str = "") -> None:
        """Add encoders that are stored, with those whose tokens are read; of lower parts they always are.

        What a frozen encoder runs on comes before it: others may want that too.
        """
        for name, slot in slots.items():
            if slot.frozen and slot.lower is not None:
                self._add(config, name, slot.lower, True, where, " (lower part)")
            self._add(config, name, slot, name in tokens or not config.encoders[name].frozen, where)

    def _add(self, config: Config, name: str, slot: Slot, tokens: bool, where: str, part: str = "") -> None:
        reads_windows = config.task == "spans" and slot.encoder.modality == "text"
        pieces = Pieces.of(config, {name: slot}) if reads_windows else None
        key = (slot.fingerprint, reads_windows)
        if key in self.wanted:
            self.wanted[key] = replace(self.wanted[key], tokens=tokens or self.wanted[key].tokens)
        else:
            self.wanted[key] = Wanted(where + name + part, config.encoders[name].name, slot, tokens, pieces)


def reader_of(what: Config | Path) -> Reader:
    """What reads tables as a configuration or a run wants it.

    Raises:
        RunError: The folder is missing or cut short, or a frozen encoder is not there.
    """
    if isinstance(what, Path):
        return open_run(what)
    return SpanTagger(what) if what.task == "spans" else Classifier(what)


def plan_of(reader: Reader) -> Plan:
    """What there is to encode, encoders loaded.

    Raises:
        ConfigError: Tokens are read where an encoder gives none.
        WeightsError: An encoder's weights cannot be had.
        RunError: A member of an ensemble is a run that cannot be read.
    """
    plan, config = Plan(), reader.config if reader.is_fitted else settle_precision(reader.config)
    if reader.is_fitted:
        networks = reader.pipeline_.networks.each if isinstance(reader, SpanTagger) else networks_of(reader.pipeline_)
        _add_networks(plan, config, networks)
        return plan
    if config.ensemble is None:
        _add_config(plan, config, {})
        return plan
    loaded: dict[str, Slot] = {}
    for name, member in config.members.items():
        if member is None:
            pipeline = load_run(Path(config.ensemble.members[name]["run"]))
            _add_networks(plan, pipeline.config, networks_of(pipeline), f"{name}.")
        else:
            _add_config(plan, member, loaded, f"{name}.")
    return plan


def _add_config(plan: Plan, config: Config, loaded: dict[str, Slot], where: str = "") -> None:
    slots = {}
    for name, section in config.encoders.items():
        encoder: Encoder = ENCODERS.build(section.name, section.options)
        key = json.dumps([name, section.model_dump(mode="json")])
        if key not in loaded and not section.frozen and (lower := make_lower(name, encoder, config)) is not None:
            loaded[key] = lower
        if key not in loaded and (why := _why_not(encoder, frozen=section.frozen)):
            plan.without[where + name] = why
            continue
        if key not in loaded:
            encoder.load()
            loaded[key] = make_slot(name, encoder, config)
        slots[name] = loaded[key]
    plan.add(config, slots, tokens_read(config, slots), where)


def _add_networks(plan: Plan, config: Config, networks: Iterable[Network], where: str = "") -> None:
    for network in networks:
        stored = {name: kept for name, slot in network.slots.items() if (kept := slot.kept) is not None}
        for name, slot in network.slots.items():
            if name not in stored:
                plan.without[where + name] = _why_not(slot.encoder, frozen=slot.frozen)
        plan.add(config, stored, network.model.reads_tokens, where)


def _why_not(encoder: Encoder, *, frozen: bool) -> str:
    """Why nothing is stored of an encoder; empty where something is."""
    if encoder.learns:
        return "it learns from the rows that a model is trained on"
    if not frozen:
        return "it trains with the model"
    return "" if encoder.storable else "it is quicker to run than to look up"
