"""Components by name. One line in a visible table is all a new component needs.

Each kind's package (`fusions/__init__.py`, ...) holds a table from a name to ``"module:Class"``, or to
``"module:Class [extra]"`` where the component needs an optional dependency. Nothing is imported until it is asked for.

A constructor's signature is its schema: positional-only parameters are wired by us, keyword-only parameters are the
user's options, checked against their annotations by pydantic.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any, get_type_hints

from pydantic import ConfigDict, ValidationError, create_model

from multitag.errors import ConfigError

_ENTRY = re.compile(r"^(?P<module>[\w.]+):(?P<attribute>\w+)(?: \[(?P<extra>[\w-]+)\])?$")


def closest(word: str, words: list[str] | tuple[str, ...]) -> str:
    """The end of a sentence: ``"; did you mean 'x'?"`` for the nearest of `words`, or a full stop."""
    near = difflib.get_close_matches(word, words, n=1)
    return f"; did you mean '{near[0]}'?" if near else "."


@dataclass(frozen=True, slots=True)
class Registry:
    """The components of one kind, e.g. every fusion.

    Attributes:
        kind: The kind in the singular, as messages say it.
        table: Name to ``"module:Class"`` or ``"module:Class [extra]"``.
    """

    kind: str
    table: Mapping[str, str]

    def names(self) -> list[str]:
        """All names, in the table's order."""
        return list(self.table)

    def extra(self, name: str) -> str | None:
        """The optional dependency group that `name` needs, if any."""
        return self._parse(name)["extra"]

    def _parse(self, name: str) -> dict[str, str | None]:
        if name not in self.table:
            raise ConfigError(
                f"{self.kind} '{name}' does not exist{closest(name, self.names())} Accepted: {', '.join(self.table)}."
            )
        match = _ENTRY.match(self.table[name])
        if match is None:
            raise ConfigError(f"{self.kind} table entry {self.table[name]!r} is not 'module:Class [extra]'")
        return match.groupdict()

    def get(self, name: str) -> Any:
        """The class or function registered as `name`.

        Raises:
            ConfigError: No such name, or its optional dependency is not installed.
        """
        entry = self._parse(name)
        try:
            return getattr(import_module(str(entry["module"])), str(entry["attribute"]))
        except ImportError as error:
            if entry["extra"] is None:
                raise
            raise self._lacking(name, error) from error

    def _lacking(self, name: str, error: ImportError) -> ConfigError:
        return ConfigError(
            f"{self.kind} '{name}' needs an optional dependency that is not installed ({error}). "
            f"Fix: pip install 'multitag[{self.extra(name)}]'"
        )

    def summary(self, name: str) -> str:
        """The first sentence of the component's docstring."""
        text = inspect.getdoc(self.get(name)) or ""
        return text.split("\n\n", maxsplit=1)[0].replace("\n", " ")

    def options(self, name: str) -> dict[str, inspect.Parameter]:
        """The user's options of `name`: its keyword-only parameters."""
        parameters = inspect.signature(self.get(name)).parameters
        return {key: value for key, value in parameters.items() if value.kind is value.KEYWORD_ONLY}

    def resolve(self, name: str, given: Mapping[str, Any]) -> dict[str, Any]:
        """Every option of `name` with its checked value, defaults filled in.

        Raises:
            ConfigError: All wrong options together, each with what is accepted.
        """
        component = self.get(name)
        options = self.options(name)
        # With extras: ranges stand in `Annotated`, which would be dropped without.
        hints = get_type_hints(component.__init__ if inspect.isclass(component) else component, include_extras=True)
        fields: dict[str, Any] = {
            key: (hints.get(key, Any), ... if p.default is p.empty else p.default) for key, p in options.items()
        }
        schema = create_model(f"{name}_options", __config__=ConfigDict(extra="forbid", strict=False), **fields)
        try:
            values = dict(schema(**given))
        except ValidationError as error:
            # A value that fits no side of a union has a fault for each side: one line for all of them.
            faults: dict[str, list[Any]] = {}
            for fault in error.errors():
                faults.setdefault(str(fault["loc"][0]), []).append(fault)
            lines = [self._fault(name, list(options), where, every) for where, every in faults.items()]
            raise ConfigError("\n".join(lines)) from error
        if inspect.isclass(component) and len(options) == len(inspect.signature(component).parameters):
            # Nothing is wired: what only the constructor can check comes now too, not after an hour of training.
            try:
                component(**values)
            except ConfigError as error:
                raise ConfigError(f"{self.kind} '{name}', {error}") from error
            except ImportError as error:
                if self.extra(name) is None:
                    raise
                raise self._lacking(name, error) from error
        return values

    def _fault(self, name: str, options: list[str], where: str, faults: list[Any]) -> str:
        first = faults[0]
        if first["type"] == "extra_forbidden":
            accepted = ", ".join(options) or "none"
            return f"{self.kind} '{name}' has no option '{where}'{closest(where, options)} Accepted: {accepted}."
        if first["type"] == "missing":
            return f"{self.kind} '{name}' needs the option '{where}'."
        wanted = ", or ".join(dict.fromkeys(fault["msg"] for fault in faults))
        return f"{self.kind} '{name}', option '{where}' = {first['input']!r}: {wanted}."

    def build(self, name: str, options: Mapping[str, Any], /, *wired: Any) -> Any:
        """The component `name`, made of the parts we wire and the user's checked options."""
        return self.get(name)(*wired, **self.resolve(name, options))
