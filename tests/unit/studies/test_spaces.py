"""Search spaces: from annotations, from what is usual, from what is said."""

from __future__ import annotations

import pytest

from multitag.config import Config
from multitag.errors import ConfigError
from multitag.heads import HEADS
from multitag.losses import LOSSES
from multitag.studies.dimension import Choice, Dimension, Range
from multitag.studies.spaces import make_space, usual_lines


def one(line: str, config: Config | None = None) -> Dimension:
    (found,) = make_space([line], config or Config())
    return found


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("train.lr", Range(1e-4, 1e-2, log=True)),
        ("train.lr=1e-5..1e-3", Range(1e-5, 1e-3, log=True)),
        ("train.lr=0.001,0.01", Choice(("0.001", "0.01"))),
        ("train.schedule", Choice(("constant", "linear", "cosine", "step", "one_cycle"))),
        ("train.nesterov", Choice(("false", "true"))),
        ("train.warmup=0..0.5", Range(0, 0.5)),
        ("head.hidden", Range(64, 2048, log=True)),
        ("head.dropout", Range(0.0, 0.8)),
        ("head.activation", Choice(("gelu", "relu"))),
        ("head.hidden=100..200", Range(100, 200, log=True)),
        ("loss.name=bce,focal", Choice(("bce", "focal"))),
        ("loss.smoothing=0.05..0.2", Range(0.05, 0.2)),
        ("train.batch_size", Choice(("32", "64", "128", "256"))),
    ],
)
def test_dimensions(line, values):
    found = one(line)
    assert found.key == line.partition("=")[0]
    if isinstance(values, Choice):
        assert set(found.values.values) == set(values.values)
    else:
        assert found.values == values


def test_names_are_those_that_the_configuration_can_have():
    assert "single" not in one("fusion.name").values.values  # two encoders
    assert {"sum", "concat", "mixed"} <= set(one("fusion.name").values.values)


def test_a_section_is_its_name_and_the_options_of_whichever_is_chosen():
    found = make_space(["head"], Config())
    assert found[0].key == "head.name"
    inner = {dimension.name for dimension in found[1:]}
    assert {"head.hidden (mlp)", "head.layers (gmlp)", "head.dropout (linear)"} <= inner
    assert {dimension.only for dimension in found[1:]} <= set(found[0].values.values)


class Ends:
    """A trial that draws the least or the greatest of everything."""

    def __init__(self, place: int) -> None:
        self.place = place

    def suggest_float(self, name, low, high, *, log=False):
        assert low > 0 or not log
        return (low, high)[self.place]

    suggest_int = suggest_float

    def suggest_categorical(self, name, choices):
        return choices[(0, -1)[self.place]]


@pytest.mark.parametrize("place", [0, 1], ids=["least", "greatest"])
@pytest.mark.parametrize(("section", "registry"), [("head", HEADS), ("loss", LOSSES)], ids=["head", "loss"])
def test_the_ends_of_every_usual_range_are_valid(section, registry, place):
    """Of every component, all its options at one end at once."""
    for dimension in make_space([section], Config())[1:]:
        value = dimension.draw(Ends(place))
        changed = Config().changed([f"{section}.name={dimension.only}", f"{dimension.key}={value}"])
        assert getattr(changed, section).name == dimension.only
        assert dimension.only in registry.names()


@pytest.mark.parametrize("place", [0, 1])
def test_the_usual_search_is_valid_at_its_ends(place):
    changes = [f"{dimension.key}={dimension.draw(Ends(place))}" for dimension in make_space([], Config())]
    assert len(changes) == len(usual_lines(Config())) >= 6
    Config().changed(changes)


def test_rates_of_encoders_are_searched_where_these_train():
    assert "train.encoder_lr" not in usual_lines(Config())
    assert "train.encoder_lr" in usual_lines(Config().changed(["encoders.text.frozen=false"]))


def test_all_faults_come_together():
    lines = ["train.lrr", "head.hiden", "seed", "train.lr=1..0.1", "loss.name=bce,facal", "x.y", "train.lr=-1..1"]
    with pytest.raises(ConfigError) as caught:
        make_space(lines, Config())
    said = str(caught.value)
    assert all(f"--over {line}: " in said for line in lines)
    assert "did you mean 'lr'?" in said
    assert "did you mean 'hidden'?" in said
    assert "did you mean 'focal'?" in said
    assert "is no range" in said


def test_what_is_not_known_is_asked_for():
    with pytest.raises(ConfigError, match=r"--over encoders\.text\.model=VALUE,VALUE"):
        make_space(["encoders.text.model"], Config())


def test_what_a_trial_keeps_of_a_value():
    assert Dimension("a.b", Choice(("true", "x"))).stored(True) == "true"
    assert Dimension("a.b", Range(0, 1)).stored(0.5) == 0.5
    assert Range(1, 3).holds(2)
    assert not Range(1, 3).holds(2.5)
    assert not Range(0.0, 1.0).holds(True)
    assert Range(0.0, 1.0).holds(1)
