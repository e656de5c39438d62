"""What is varied, as it is written."""

from __future__ import annotations

import pytest

from multitag.errors import ConfigError
from multitag.studies.factors import Factor, Named, make_factors, read_factor, read_named, split_values


@pytest.mark.parametrize(
    ("text", "keys", "values"),
    [
        ("fusion.name=concat,sum", ("fusion.name",), ("concat", "sum")),
        ("train.lr = 0.1, 1e-3", ("train.lr",), ("0.1", "1e-3")),
        ("train.lr+train.encoder_lr=0.1,0.01", ("train.lr", "train.encoder_lr"), ("0.1", "0.01")),
        ("a.b=[1, 2],[3, 4]", ("a.b",), ("[1, 2]", "[3, 4]")),
        ("a.b={name = 'x,y', z = [1]},2", ("a.b",), ("{name = 'x,y', z = [1]}", "2")),
        ('a.b="one, two",three', ("a.b",), ('"one, two"', "three")),
        ("a.b=x,x,y", ("a.b",), ("x", "y")),
    ],
)
def test_factors(text, keys, values):
    assert read_factor(text) == Factor(keys, values)


@pytest.mark.parametrize("text", ["fusion.name", "=1", "a..b=1", "a.b=", "a.b=,", "a.b+=1"])
def test_what_is_no_factor_is_refused_with_an_example(text):
    with pytest.raises(ConfigError, match=r"fusion\.name=concat,sum,mixed"):
        read_factor(text)


def test_changes_set_all_settings_of_a_factor():
    assert read_factor("a.b+c.d=1,2").changes("2") == ("a.b=2", "c.d=2")


def test_named_changes():
    text = "stop words kept: encoders.text.drop_stop_words=false encoders.text.length=25"
    changes = ("encoders.text.drop_stop_words=false", "encoders.text.length=25")
    assert read_named(text) == Named("stop words kept", changes)
    assert read_named("both: a.b=[1, 2] c.d='x y'").changes == ("a.b=[1, 2]", "c.d='x y'")


@pytest.mark.parametrize("text", ["a.b=1", ": a.b=1", "name:", "name: a.b"])
def test_what_is_no_named_change_is_refused(text):
    with pytest.raises(ConfigError, match=r"two layers: encoders\.text\.layers=2"):
        read_named(text)


def test_values_of_python_are_written_as_after_set():
    table = {"train.lr": [0.1, 1e-4], "loss.name": ["bce"], "a.b": [[0.5, 0.5]], "c.d": [True]}
    factors = make_factors(table)
    assert [factor.values for factor in factors] == [("0.1", "0.0001"), ("bce",), ("[0.5, 0.5]",), ("true",)]


def test_a_setting_is_varied_once():
    with pytest.raises(ConfigError, match=r"varied twice: train\.lr\."):
        make_factors(["train.lr=1", "train.encoder_lr+train.lr=2"])


def test_parts_keep_what_stands_in_brackets_together():
    assert split_values("[1, [2, 3]], 4") == ["[1, [2, 3]]", "4"]
