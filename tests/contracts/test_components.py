"""What holds for every line of every registry: it imports, says what it is, and checks its options."""

from __future__ import annotations

import inspect
import json
import re
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import pytest
from pydantic import TypeAdapter

from multitag.augment import AUGMENTATIONS
from multitag.combiners import COMBINERS
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.encoders import ENCODERS
from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.metrics import METRICS, SPAN_METRICS
from multitag.spans import SPAN_DECODERS

CONFIGURED = [ENCODERS, AUGMENTATIONS, FUSIONS, HEADS, LOSSES, DECISIONS, CALIBRATIONS, COMBINERS, SPAN_DECODERS]
"""A metric is a function: it has a name in the configuration, but no options."""


def components(*registries):
    return [pytest.param(r, name, id=f"{r.kind}-{name}") for r in registries for name in r.names()]


COMPONENTS = components(*CONFIGURED, METRICS, SPAN_METRICS)
RESERVED = {"name", "frozen", "fit_on", "folds"}
"""Keys of a component's table in the configuration that are not the component's own."""


def require_extra(registry, name) -> None:
    """Skip a component whose optional dependency is not installed; its error must say how to get it."""
    if registry.extra(name) is None:
        return
    try:
        registry.resolve(name, {})
        return
    except ConfigError as error:
        said = str(error)
    assert f"pip install 'multitag[{registry.extra(name)}]'" in said
    pytest.skip(said)


def hints(registry, name) -> dict[str, Any]:
    component = registry.get(name)
    return get_type_hints(component.__init__ if inspect.isclass(component) else component, include_extras=True)


def kinds(hint) -> set[Any]:
    """The plain types and literals that an annotation allows."""
    if get_origin(hint) is Annotated:
        return kinds(get_args(hint)[0])
    if get_origin(hint) is Literal:
        return {Literal}
    return {kind for part in get_args(hint) for kind in kinds(part)} or {hint}


OPTIONS = [
    pytest.param(r, name, option, id=f"{r.kind}-{name}-{option}")
    for r in CONFIGURED
    for name in r.names()
    if r.extra(name) is None
    for option in r.options(name)
]


@pytest.mark.parametrize(("registry", "name"), COMPONENTS)
def test_it_says_what_it_is_in_a_sentence(registry, name):
    summary = registry.summary(name)
    assert len(summary) > 20
    assert summary.endswith(".")
    for base in getattr(registry.get(name), "__mro__", ())[1:]:
        assert summary not in (base.__doc__ or "").replace("\n", " "), f"{name} has its base's docstring, not its own"


@pytest.mark.parametrize(("registry", "name"), COMPONENTS)
def test_a_name_is_snake_case(registry, name):
    assert re.fullmatch(r"[a-z][a-z0-9_]*", name)


@pytest.mark.parametrize(("registry", "name"), components(*CONFIGURED))
def test_an_unknown_option_is_refused(registry, name):
    with pytest.raises(ConfigError, match=rf"'{name}' has no option 'no_such_option'.* Accepted: "):
        registry.resolve(name, {"no_such_option": 1})


@pytest.mark.parametrize(("registry", "name"), components(*CONFIGURED))
def test_defaults_pass_their_own_checks_and_survive_json(registry, name):
    require_extra(registry, name)
    resolved = registry.resolve(name, {})
    assert registry.resolve(name, json.loads(json.dumps(resolved))) == resolved


@pytest.mark.parametrize(("registry", "name", "option"), OPTIONS)
def test_an_option_is_documented_and_has_a_free_name(registry, name, option):
    assert option not in RESERVED
    text = "\n".join(base.__doc__ or "" for base in registry.get(name).__mro__)
    assert re.search(rf"\b{option}\b", text), f"the docstring of {name} does not say what '{option}' does"


@pytest.mark.parametrize(("registry", "name", "option"), OPTIONS)
def test_a_value_of_the_wrong_kind_or_out_of_range_is_refused(registry, name, option):
    allowed = kinds(hints(registry, name)[option])
    if str in allowed:
        wrong: list[Any] = [[1, 2]]
    elif allowed & {int, float}:
        wrong = ["no such choice", -1e9, -(10**9)]
    else:
        wrong = ["no such choice", 17]
    for value in wrong:
        with pytest.raises(ConfigError, match=f"option '{option}'"):
            registry.resolve(name, {option: value})


@pytest.mark.parametrize(("registry", "name", "option"), OPTIONS)
def test_an_option_is_annotated_so_that_it_can_be_checked(registry, name, option):
    hint = hints(registry, name)[option]
    assert hint is not Any
    TypeAdapter(hint).validate_python(registry.resolve(name, {})[option])
