"""What a study varies: settings with the values they take, and changes that belong together."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from multitag.errors import ConfigError

_PAIRS = {"[": "]", "{": "}", '"': '"', "'": "'"}


@dataclass(frozen=True, slots=True)
class Factor:
    """Settings that take the same values together.

    Attributes:
        keys: The settings, e.g. ``("train.lr", "train.encoder_lr")``.
        values: Each value as it is written after ``--set KEY=``.
    """

    keys: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def name(self) -> str:
        """What tables call it: its first setting."""
        return self.keys[0]

    def changes(self, value: str) -> tuple[str, ...]:
        """What sets all of its settings to a value."""
        return tuple(f"{key}={value}" for key in self.keys)


@dataclass(frozen=True, slots=True)
class Named:
    """Changes that belong together, under a name: that of ``"architecture / two layers"`` has a group before it."""

    name: str
    changes: tuple[str, ...]

    @property
    def group(self) -> str:
        """What it is shown with."""
        return self.name.partition(" / ")[0] if " / " in self.name else ""


def read_factor(text: str) -> Factor:
    """A factor written as ``"fusion.name=concat,sum"``; ``"train.lr+train.encoder_lr=0.1,0.01"`` sets both alike.

    Commas inside brackets, braces and quotes part nothing.

    Raises:
        ConfigError: It is not of this form.
    """
    path, equals, rest = text.partition("=")
    keys = tuple(key.strip() for key in path.split("+"))
    values = tuple(value for value in split_values(rest) if value)
    if not equals or not all(key and all(key.split(".")) for key in keys) or not values:
        raise ConfigError(
            f"--vary '{text}' is not of the form section.key=value,value, e.g. fusion.name=concat,sum,mixed "
            f"(train.lr+train.encoder_lr=0.1,0.01 sets both to the same)"
        )
    return Factor(keys, tuple(dict.fromkeys(values)))


def read_named(text: str) -> Named:
    """Changes written as ``"stop words kept: encoders.text.drop_stop_words=false encoders.text.length=25"``.

    Raises:
        ConfigError: They are not of this form.
    """
    name, colon, rest = text.partition(":")
    changes = tuple(part for part in split_values(rest, " ") if part)
    if not colon or not name.strip() or not changes or not all("=" in change for change in changes):
        raise ConfigError(
            f"--variant '{text}' is not of the form 'NAME: section.key=value section.key=value', "
            f"e.g. 'two layers: encoders.text.layers=2'"
        )
    return Named(name.strip(), changes)


def make_factors(vary: Mapping[str, Sequence[Any]] | Sequence[str | Factor]) -> list[Factor]:
    """Factors from lines, or from a table of settings and their values.

    Raises:
        ConfigError: A line is not of the form, a setting has no value, or is varied twice.
    """
    if isinstance(vary, Mapping):
        factors = [
            Factor(tuple(key.split("+")), tuple(dict.fromkeys(as_text(value) for value in values)))
            for key, values in vary.items()
        ]
    else:
        factors = [factor if isinstance(factor, Factor) else read_factor(factor) for factor in vary]
    keys = [key for factor in factors for key in factor.keys]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ConfigError(f"varied twice: {', '.join(twice)}. Fix: all values of a setting in one --vary")
    for factor in factors:
        if not factor.values:
            raise ConfigError(f"--vary {factor.name}: no value is given")
    return factors


def as_text(value: Any) -> str:
    """A value as it is written after ``--set KEY=``; strings stand as they are."""
    return value if isinstance(value, str) else _inline(value)


def _inline(value: Any) -> str:
    """A value as TOML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{json.dumps(key)} = {_inline(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_inline, value))}]"
    return json.dumps(value)


def typed(text: str) -> Any:
    """The value that is written: TOML, or a string as it stands."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def split_values(text: str, separator: str = ",") -> list[str]:
    """The parts between separators that stand in no bracket, brace or quote."""
    parts, waiting = [""], list[str]()
    for letter in text:
        if waiting and letter == waiting[-1]:
            waiting.pop()
        elif letter in _PAIRS and not (waiting and waiting[-1] in "\"'"):
            waiting.append(_PAIRS[letter])
        elif letter == separator and not waiting:
            parts.append("")
            continue
        parts[-1] += letter
    return [part.strip() for part in parts]
