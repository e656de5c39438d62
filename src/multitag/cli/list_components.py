"""`multitag list`: every component by name, with its options."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from multitag.cli import options, output
from multitag.errors import ConfigError
from multitag.registry import Registry, closest

KINDS = (
    "encoders",
    "augmentations",
    "fusions",
    "heads",
    "losses",
    "calibrations",
    "decisions",
    "combiners",
    "metrics",
    "span-decoders",
    "span-metrics",
    "recipes",
)


def list_components(
    kind: Annotated[str | None, typer.Argument(help=f"One of {', '.join(KINDS)}; all by default.")] = None,
    as_json: options.Json = False,
) -> None:
    """List what there is to choose from, with options."""
    if kind is not None and kind not in KINDS:
        raise ConfigError(f"there is no list of '{kind}'{closest(kind, KINDS)} Accepted: {', '.join(KINDS)}.")
    listing = {name: _entries(name) for name in ([kind] if kind else KINDS)}
    if as_json:
        output.print_json(listing)
        return
    for name, entries in listing.items():
        output.print_table(name, ["name", "what it is"], [[entry["name"], _words(entry)] for entry in entries], left=2)


def _words(entry: dict[str, Any]) -> Text:
    """What a component is, and below it its options with their defaults."""
    text = Text(entry["summary"])
    options_ = [key if value is None else f"{key}={value}" for key, value in entry["options"].items()]
    return text.append("\n" + "  ".join(options_), style="cyan") if options_ else text


def _entries(kind: str) -> list[dict[str, Any]]:
    if kind == "recipes":
        from multitag.recipes import read_header, recipe_names

        return [{"name": name, "summary": read_header(name).title, "options": {}} for name in recipe_names()]
    registry = _registry(kind)
    entries = []
    for name in registry.names():
        extra = registry.extra(name)
        try:
            summary, taken = registry.summary(name), registry.options(name) if "metrics" not in kind else {}
        except ConfigError as error:  # its optional dependency is not installed
            summary, taken = str(error), {}
        shown = {key: None if p.default is p.empty else p.default for key, p in taken.items()}
        entries.append({"name": name, "extra": extra, "summary": summary, "options": shown})
    return entries


def _registry(kind: str) -> Registry:
    from multitag.augment import AUGMENTATIONS
    from multitag.combiners import COMBINERS
    from multitag.decisions import CALIBRATIONS, DECISIONS
    from multitag.encoders import ENCODERS
    from multitag.fusions import FUSIONS
    from multitag.heads import HEADS
    from multitag.losses import LOSSES
    from multitag.metrics import METRICS, SPAN_METRICS
    from multitag.spans import SPAN_DECODERS

    return {
        "encoders": ENCODERS,
        "augmentations": AUGMENTATIONS,
        "fusions": FUSIONS,
        "heads": HEADS,
        "losses": LOSSES,
        "calibrations": CALIBRATIONS,
        "decisions": DECISIONS,
        "combiners": COMBINERS,
        "metrics": METRICS,
        "span-decoders": SPAN_DECODERS,
        "span-metrics": SPAN_METRICS,
    }[kind]
