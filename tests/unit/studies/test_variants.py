"""The configurations of a study: which there are, and that all are checked at once."""

from __future__ import annotations

import pytest

from multitag.config import Config
from multitag.errors import ConfigError
from multitag.studies.factors import Named, make_factors
from multitag.studies.variants import BASELINE, make_variants, seed_step, with_seed
from training_support import quick


def names(variants):
    return [variant.name for variant in variants]


def test_a_grid_has_every_combination():
    found = make_variants(quick(), make_factors(["fusion.name=concat,sum", "loss.name=bce,focal"]), [], "grid")
    assert names(found) == [
        "fusion.name=concat, loss.name=bce",
        "fusion.name=concat, loss.name=focal",
        "fusion.name=sum, loss.name=bce",
        "fusion.name=sum, loss.name=focal",
    ]
    assert [(v.config.fusion.name, v.config.loss.name) for v in found[1:3]] == [("concat", "focal"), ("sum", "bce")]


def test_one_at_a_time_has_a_baseline_and_each_value_once():
    factors = make_factors(["fusion.name=concat,sum", "train.lr=0.05,0.1"])  # concat and .05 are the baseline's own
    found = make_variants(quick(), factors, [], "one_at_a_time")
    assert names(found) == [BASELINE, "fusion.name=sum", "train.lr=0.1"]
    assert found[0].config == quick().resolved()


def test_named_changes_are_made_to_the_configuration_as_it_stands():
    both = Named("both", ("train.lr=0.1", "head.dropout=0.3"))
    found = make_variants(quick(), make_factors(["loss.name=focal"]), [both], "grid")
    assert names(found) == ["loss.name=focal", "both"]
    assert found[1].config.train.lr == 0.1
    assert found[1].config.loss.name == "bce"


def test_all_faults_of_all_configurations_come_together():
    factors = make_factors(["fusion.name=conct,sum", "train.lr=-1,0.1"])
    with pytest.raises(ConfigError) as caught:
        make_variants(quick(), factors, [Named("wide", ("head.hiden=3",))], "one_at_a_time")
    said = str(caught.value)
    assert said.startswith("3 of 6 configurations are not valid")
    assert "did you mean 'concat'?" in said
    assert "train.lr=-1: [train] lr = -1" in said
    assert "wide: [head] head 'linear' has no option 'hiden'" in said


def test_names_are_given_once():
    twice = [Named("a", ("train.lr=1",)), Named("a", ("train.lr=2",))]
    with pytest.raises(ConfigError, match="a: this name is given twice"):
        make_variants(quick(), [], twice, "grid")


@pytest.mark.parametrize("change", ["seed=3", "task=spans", "data.labels=tags", "data.group=x"])
def test_rows_and_labels_are_the_same_for_all(change):
    with pytest.raises(ConfigError, match="cannot be varied: rows and labels must be the same"):
        make_variants(quick(), [], [Named("other", (change,))], "grid")


def test_what_needs_more_rows_is_refused():
    with pytest.raises(ConfigError, match="there are no such rows"):
        make_variants(Config.parse({**quick().values(), "pseudo": {}}), make_factors(["train.lr=1"]), [], "grid")


def test_seeds_of_members_move_along():
    members = {"a": {"seed": 7}, "b": {}}
    config = Config.parse({**quick().values(), "ensemble": {"members": members}})
    moved = with_seed(config, 2)
    assert moved.seed == 2
    assert [member.seed for member in moved.members.values()] == [9, 2]
    assert [member.seed for member in config.members.values()] == [7, 0]


def test_runs_share_no_seed_with_each_other():
    found = make_variants(quick(), make_factors(["train.seeds=1,3"]), [], "grid")
    assert seed_step(found) == 3
