"""Search spaces: what each setting may be, from its annotation and what is usual."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, get_type_hints

from pydantic import TypeAdapter

from multitag.config import Config, TrainConfig
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.encoders import ENCODERS
from multitag.errors import ConfigError, faults_message
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.registry import Registry, closest
from multitag.studies.dimension import Choice, Dimension, Range
from multitag.studies.factors import as_text, split_values, typed
from multitag.studies.usual import USUAL

REGISTRIES: Mapping[str, Registry] = {
    "fusion": FUSIONS,
    "head": HEADS,
    "loss": LOSSES,
    "calibration": CALIBRATIONS,
    "decision": DECISIONS,
}
_FIXED = ("seed", "task", "data", "recipe", "store", "ensemble", "pseudo", "teacher", "decoder")


def make_space(over: Sequence[str], config: Config) -> list[Dimension]:
    """The dimensions of a search.

    Each line is a setting, with its values (``"fusion.name=concat,sum"``), a range (``"train.lr=1e-4..1e-2"``; on a log
    scale where that is usual, or where the ends lie a factor of 100 apart), or nothing: then what is usual, or what its
    annotation allows. ``"head"``, a component's section alone, is its name and the options of whichever is chosen.
    Without lines, the rates, the options of the head and the smoothing of the loss.

    Raises:
        ConfigError: All faults together.
    """
    found: dict[str, Dimension] = {}
    faults: list[str] = []
    for line in over or usual_lines(config):
        try:
            found |= {dimension.name: dimension for dimension in _read(line, config)}
        except ConfigError as error:
            faults.append(f"--over {line}: {error}")
    if faults:
        raise ConfigError(faults_message("the search is not valid", faults))
    return list(found.values())


def usual_lines(config: Config) -> list[str]:
    """What is searched where nothing is said."""
    lines = ["train.lr", "train.weight_decay"]
    if any(not encoder.frozen for encoder in config.encoders.values()):
        lines.append("train.encoder_lr")
    if len(config.encoders) > 1:
        lines.append("train.modality_dropout")
    if "smoothing" in config.loss.options:
        lines.append("loss.smoothing")
    return lines + [dimension.key for dimension in _options("head", config.head.name, HEADS)]


def _read(line: str, config: Config) -> list[Dimension]:
    key, equals, text = (part.strip() for part in line.partition("="))
    section = key.partition(".")[0]
    if section in _FIXED and key != "data.valid_share":
        raise ConfigError("trials must be comparable: this cannot be searched")
    if equals:
        return [Dimension(key, _written(key, text, config))]
    if key in REGISTRIES:
        names = _names(key, REGISTRIES[key], config)
        inner = [
            Dimension(dimension.key, dimension.values, only=name)
            for name in names
            for dimension in _options(key, name, REGISTRIES[key])
        ]
        return [Dimension(f"{key}.name", Choice(names)), *inner]
    if key.endswith(".name") and section in REGISTRIES:
        return [Dimension(key, Choice(_names(section, REGISTRIES[section], config)))]
    return [Dimension(key, _usual(key, config))]


def _written(key: str, text: str, config: Config) -> Range | Choice:
    low, dots, high = text.partition("..")
    if not dots:
        values = tuple(value for value in split_values(text) if value)
        if not values:
            raise ConfigError("no value is given")
        faults = [fault for value in values for fault in _faults(config, f"{key}={value}")]
        if faults:
            raise ConfigError("; ".join(faults))
        return Choice(values)
    ends = [typed(end.strip()) for end in (low, high)]
    if not all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends) or not ends[0] < ends[1]:
        raise ConfigError(f"'{text}' is no range. Accepted: low..high, e.g. 1e-4..1e-2")
    faults = [fault for end in ends for fault in _faults(config, f"{key}={as_text(end)}")]
    if faults:
        raise ConfigError("; ".join(faults))
    usual = USUAL.get(key, USUAL.get(key.rpartition(".")[2]))
    log = ends[0] > 0 and ((isinstance(usual, Range) and usual.log) or ends[1] / ends[0] >= 100)
    return Range(ends[0], ends[1], log=log)


def _faults(config: Config, change: str) -> list[str]:
    try:
        config.changed([change])
    except ConfigError as error:
        return [line.strip() for line in str(error).split("\n")[1:]] or [str(error)]
    return []


def _names(section: str, registry: Registry, config: Config) -> tuple[str, ...]:
    """The components that the configuration could have in a section."""
    return tuple(name for name in registry.names() if not _faults(config, f"{section}.name={name}"))


def _usual(key: str, config: Config) -> Range | Choice:
    """What a setting may be where nothing is said."""
    section, _, option = key.partition(".")
    if section == "train":
        if option not in TrainConfig.model_fields:
            raise ConfigError(f"no such setting{closest(option, list(TrainConfig.model_fields))}")
        schema = TrainConfig.model_json_schema()["properties"][option]
        default = getattr(config.train, option)
    elif key == "data.valid_share":
        schema, default = {"type": "number"}, config.data.valid_share
    else:
        registry, name, option = _component(key, config)
        schema, default = _schema(registry, name, option), registry.options(name)[option].default
    values = _values(key, schema, default)
    if values is None:
        raise ConfigError(f"what it may be is not known. Fix: say it, --over {key}=VALUE,VALUE or {key}=LOW..HIGH")
    return values


def _component(key: str, config: Config) -> tuple[Registry, str, str]:
    """The registry and the name of the component that a setting is an option of, and the option."""
    parts = key.split(".")
    if len(parts) == 3 and parts[0] == "encoders" and parts[1] in config.encoders:
        registry, name, option = ENCODERS, config.encoders[parts[1]].name, parts[2]
    elif len(parts) == 2 and parts[0] in REGISTRIES:
        registry, name, option = REGISTRIES[parts[0]], getattr(config, parts[0]).name, parts[1]
    else:
        sections = [*REGISTRIES, "train", *(f"encoders.{name}" for name in config.encoders)]
        raise ConfigError(f"no such setting. Accepted: {', '.join(sections)}, and settings of these")
    options = list(registry.options(name))
    if option not in options:
        raise ConfigError(f"{registry.kind} '{name}' has no option '{option}'{closest(option, options)}")
    return registry, name, option


def _options(section: str, name: str, registry: Registry) -> list[Dimension]:
    """The options of a component whose values are known."""
    found = []
    for option, parameter in registry.options(name).items():
        key = f"{section}.{option}"
        values = _values(key, _schema(registry, name, option), parameter.default)
        if values is not None:
            found.append(Dimension(key, values))
    return found


def _schema(registry: Registry, name: str, option: str) -> dict[str, Any]:
    component = registry.get(name)
    hints = get_type_hints(component.__init__ if inspect.isclass(component) else component, include_extras=True)
    return TypeAdapter(hints[option]).json_schema()


def _values(key: str, schema: Mapping[str, Any], default: Any) -> Range | Choice | None:
    """What is usual for a setting, within what its annotation allows; `None` where neither says."""
    if "enum" in schema:
        return Choice(tuple(as_text(value) for value in schema["enum"]))
    kind = schema.get("type")
    low, high = _ends(schema)
    usual = USUAL.get(key, USUAL.get(key.rpartition(".")[2])) if kind in ("integer", "number") else None
    if isinstance(usual, Choice):
        return usual
    if isinstance(usual, Range):
        inside = max(usual.low, low or usual.low), min(usual.high, high if high is not None else usual.high)
        return Range(*inside, log=usual.log)
    if kind == "boolean":
        return Choice(("false", "true"))
    if kind not in ("integer", "number") or isinstance(default, bool) or not isinstance(default, int | float):
        return None
    if low is not None and high is not None:
        return Range(low, high)
    floor = low if low is not None else schema.get("exclusiveMinimum", 0)
    if default <= max(floor, 0):
        return None
    if kind == "integer":
        return Range(max(int(floor), default // 4, 1), min(default * 4, high or default * 4), log=True)
    # Where the least is near, or not included, a tenth of the way from it.
    least = default / 10 if default / 10 > floor else floor + (default - floor) / 10
    return Range(least, min(default * 10.0, high or default * 10.0), log=True)


def _ends(schema: Mapping[str, Any]) -> tuple[Any, Any]:
    """The least and the greatest value that a schema allows; a tenth inside an end that is not included."""
    low, high = schema.get("minimum"), schema.get("maximum")
    whole = schema.get("type") == "integer"
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    reach = (high if high is not None else below or 0) - (low if low is not None else above or 0)
    if low is None and above is not None and (high is not None or below is not None):
        low = above + (1 if whole else 0.1 * reach)
    if high is None and below is not None:
        high = below - (1 if whole else 0.1 * reach)
    if whole:
        return (None if low is None else int(low)), (None if high is None else int(high))
    return (None if low is None else float(low)), (None if high is None else float(high))
