"""Names to components, and options checked against a constructor's signature."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Annotated, Literal

import pytest
from pydantic import Field

from multitag.errors import ConfigError
from multitag.registry import Registry, closest


class Bowl:
    """A bowl of soup.

    Not part of the summary.
    """

    def __init__(
        self,
        width: int,
        /,
        *,
        soup: Literal["leek", "pea"],
        salt: Annotated[float, Field(ge=0, lt=1)] = 0.5,
        size: Literal["native"] | Annotated[int, Field(ge=64)] = "native",
        hot: bool = True,
    ) -> None:
        self.width, self.soup, self.salt, self.size, self.hot = width, soup, salt, size, hot


class Picky:
    """Two options that do not go together."""

    def __init__(self, *, low: int = 0, high: int = 1) -> None:
        if low > high:
            raise ConfigError(f"option 'low' = {low} is above 'high' = {high}")


class Steamed:
    """Needs a library as soon as it is made."""

    def __init__(self, *, minutes: int = 5) -> None:
        import_module("nowhere_to_be_found")


BOWLS = Registry(
    "bowl",
    {
        "bowl": "kitchen:Bowl",
        "picky": "kitchen:Picky",
        "extra": "nowhere_to_be_found:Bowl [oven]",
        "steamed": "kitchen:Steamed [steamer]",
        "unsteamed": "kitchen:Steamed",
        "broken": "nowhere_to_be_found:Bowl",
        "garbled": "kitchen.Bowl",
    },
)


@pytest.fixture(autouse=True)
def _kitchen(monkeypatch):
    module = ModuleType("kitchen")
    module.Bowl, module.Picky, module.Steamed = Bowl, Picky, Steamed
    monkeypatch.setitem(sys.modules, "kitchen", module)


def test_builds_from_wired_parts_and_options():
    bowl = BOWLS.build("bowl", {"soup": "pea", "salt": 0.25}, 7)
    assert (bowl.width, bowl.soup, bowl.salt, bowl.size, bowl.hot) == (7, "pea", 0.25, "native", True)


def test_defaults_are_filled_in():
    assert BOWLS.resolve("bowl", {"soup": "leek"}) == {"soup": "leek", "salt": 0.5, "size": "native", "hot": True}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"soup": "fish"}, "bowl 'bowl', option 'soup' = 'fish': Input should be 'leek' or 'pea'."),
        ({}, "bowl 'bowl' needs the option 'soup'."),
        ({"soup": "pea", "salt": 1.0}, "bowl 'bowl', option 'salt' = 1.0: Input should be less than 1."),
        (
            {"soup": "pea", "salt": -0.1},
            "bowl 'bowl', option 'salt' = -0.1: Input should be greater than or equal to 0.",
        ),
        (
            {"soup": "pea", "size": 3},
            "bowl 'bowl', option 'size' = 3: Input should be 'native', or Input should be greater than or equal to 64.",
        ),
        (
            {"soup": "pea", "sald": 1},
            "bowl 'bowl' has no option 'sald'; did you mean 'salt'? Accepted: soup, salt, size, hot.",
        ),
        ({"soup": "pea", "qqq": 1}, "bowl 'bowl' has no option 'qqq'. Accepted: soup, salt, size, hot."),
        ({"soup": "pea", "width": 1}, "bowl 'bowl' has no option 'width'. Accepted: soup, salt, size, hot."),
    ],
)
def test_a_wrong_option_is_named_with_what_is_accepted(options, message):
    with pytest.raises(ConfigError) as caught:
        BOWLS.resolve("bowl", options)
    assert str(caught.value) == message


def test_all_wrong_options_come_together():
    with pytest.raises(ConfigError) as caught:
        BOWLS.resolve("bowl", {"soup": "fish", "salt": 3, "qqq": 1})
    assert [line.split(":")[0].split(".")[0] for line in str(caught.value).split("\n")] == [
        "bowl 'bowl', option 'soup' = 'fish'",
        "bowl 'bowl', option 'salt' = 3",
        "bowl 'bowl' has no option 'qqq'",
    ]


def test_what_only_the_constructor_can_check_comes_with_the_rest():
    assert BOWLS.resolve("picky", {"low": 1}) == {"low": 1, "high": 1}
    with pytest.raises(ConfigError, match=r"^bowl 'picky', option 'low' = 2 is above 'high' = 1$"):
        BOWLS.resolve("picky", {"low": 2})


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(ConfigError, match=r"^bowl 'bowel' does not exist; did you mean 'bowl'\? Accepted: bowl, picky"):
        BOWLS.get("bowel")
    with pytest.raises(ConfigError, match=r"^bowl 'qqq' does not exist\. Accepted: bowl, picky"):
        BOWLS.resolve("qqq", {})


def test_a_missing_extra_says_how_to_install_it():
    assert BOWLS.extra("extra") == "oven"
    assert BOWLS.extra("bowl") is None
    with pytest.raises(ConfigError, match=r"bowl 'extra' needs .*Fix: pip install 'multitag\[oven\]'"):
        BOWLS.build("extra", {})


def test_a_library_that_is_missing_when_it_is_made_says_so_too_and_is_described_without():
    assert BOWLS.summary("steamed") == "Needs a library as soon as it is made."
    assert list(BOWLS.options("steamed")) == ["minutes"]
    with pytest.raises(ConfigError, match=r"bowl 'steamed' needs .*Fix: pip install 'multitag\[steamer\]'"):
        BOWLS.resolve("steamed", {})
    with pytest.raises(ModuleNotFoundError):
        BOWLS.resolve("unsteamed", {})


def test_our_own_broken_imports_are_not_blamed_on_an_extra():
    with pytest.raises(ModuleNotFoundError):
        BOWLS.get("broken")


def test_a_garbled_line_is_named():
    with pytest.raises(ConfigError, match=r"'kitchen.Bowl' is not 'module:Class \[extra\]'"):
        BOWLS.get("garbled")


def test_the_summary_is_the_first_paragraph():
    assert BOWLS.summary("bowl") == "A bowl of soup."


def test_only_keyword_parameters_are_options():
    assert list(BOWLS.options("bowl")) == ["soup", "salt", "size", "hot"]


def test_closest_ends_a_sentence():
    assert closest("concta", ["sum", "concat"]) == "; did you mean 'concat'?"
    assert closest("zzz", ["sum", "concat"]) == "."
