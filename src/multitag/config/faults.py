"""What is wrong with the values of a configuration, all of it at once, each with its place and what was meant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from multitag.config.changes import copied
from multitag.registry import closest

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], values: Mapping[str, Any]) -> tuple[M, list[str]]:
    """The values as a `model`, and what is wrong with them; wrong ones are left out, so that all others are checked."""
    try:
        return model.model_validate(dict(values)), []
    except ValidationError as error:
        faults: dict[tuple[Any, ...], list[Any]] = {}
        sound = copied(values)
        for fault in error.errors():
            # A value that fits no side of a union has a fault for each side: one line for all of them.
            faults.setdefault(_place(model, fault["loc"]), []).append(fault)
            _remove(sound, fault["loc"])
    try:
        rest = model.model_validate(sound)
    except ValidationError:
        rest = model()
    return rest, [_fault(model, place, every) for place, every in faults.items()]


def _remove(table: dict[str, Any], place: tuple[Any, ...]) -> None:
    """Take a value out of its table; of a list of tables with a fault, all of them."""
    key, *rest = place
    inner = table.get(key)
    if rest and isinstance(inner, dict) and rest[0] in inner:
        _remove(inner, tuple(rest))
    else:
        table.pop(key, None)


def _fault(model: type[BaseModel], place: tuple[Any, ...], faults: list[Any]) -> str:
    *tables, key = place
    where = _name(place)
    first = faults[0]
    if first["type"] == "extra_forbidden":
        known = list(_table(_kind(model, tuple(tables))).model_fields)
        return f"{where}: no such setting{closest(str(key), known)} Accepted: {', '.join(known)}."
    if first["type"] == "missing":
        return f"{where}: needed, and not there."
    wanted = ", or ".join(dict.fromkeys(fault["msg"] for fault in faults))
    return f"{where} = {first['input']!r}: {wanted}."


def _name(place: tuple[Any, ...]) -> str:
    """A place as it is named to the user; tables of a list are counted from 1."""
    for depth, part in enumerate(place):
        if isinstance(part, int):
            where = f"[[{'.'.join(place[:depth])}]] {part + 1}"
            return ", ".join([where, *filter(None, [".".join(place[depth + 1 :])])])
    *tables, key = place
    return f"[{'.'.join(tables)}] {key}" if tables else key


def _place(model: type[BaseModel], location: tuple[Any, ...]) -> tuple[Any, ...]:
    """The keys that lead to a value, without the names that pydantic gives to the sides of a union."""
    for depth in range(1, len(location)):
        kind = _kind(model, location[:depth])
        if not (get_origin(kind) is dict or _is_table(kind) or _is_list_of_tables(kind)):
            return location[:depth]
    return location


def _kind(model: type[BaseModel], keys: tuple[Any, ...]) -> Any:
    """The annotation of what stands under the keys."""
    kind: Any = model
    for key in keys:
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
            continue
        if _is_list_of_tables(kind):
            kind = get_args(kind)[0]
            continue
        field = _table(kind).model_fields.get(key)
        kind = None if field is None else field.annotation
    return kind


def _is_table(kind: Any) -> bool:
    return any(isinstance(side, type) and issubclass(side, BaseModel) for side in (kind, *get_args(kind)))


def _is_list_of_tables(kind: Any) -> bool:
    return get_origin(kind) is tuple and _is_table(get_args(kind)[0])


def _table(kind: Any) -> type[BaseModel]:
    sides = (kind, *get_args(kind))
    return next((side for side in sides if isinstance(side, type) and issubclass(side, BaseModel)), BaseModel)
