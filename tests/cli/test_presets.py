"""Presets and time limits by command."""

from __future__ import annotations

import json

import pytest

from multitag.config.presets import preset_path
from multitag.recipes import configure

SMALL = ["encoders.image.variant=lite0", "encoders.image.size=64", "train.epochs=2", "train.min_steps=0"]
SMALL += ["store.runtime=torch", "ensemble.members.words.train.epochs=2", "ensemble.members.words.train.min_steps=0"]
SET = [part for change in SMALL for part in ("--set", change)]


@pytest.fixture
def quick(models):
    return ["--preset", "fast", *SET, "--set", f"encoders.text.model={models['bert']}"]


def test_a_preset_is_trained_and_tells_its_plan(cli, quick, table):
    answer = cli("train", table, *quick, "--out", "run", "--seed", "3", "--time-limit", "5m")
    assert answer.code == 0, answer.err
    lines = answer.err.splitlines()
    assert any(line.startswith("'frozen': about ") and line.endswith(" are left for it") for line in lines)
    assert "'words': trained as asked for" in answer.out
    assert "members on the same rows" in answer.out
    assert cli("predict", "run", table, "--out", "answers.csv", "--quiet").code == 0


def test_json_has_the_plan(cli, quick, table, tmp_path):
    answer = cli("train", table, *quick, "--out", "run", "--json", "--quiet", "--time-limit", "300")
    assert answer.code == 0, answer.err
    assert answer.err == ""
    plan = answer.json["plan"]
    assert plan["time_limit"] == 300
    assert {name: part["status"] for name, part in plan["members"].items()} == dict.fromkeys(
        configure(preset="fast").members, "whole"
    )
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["plan"] == plan


def test_it_goes_with_a_validation_table_and_is_overwritten(cli, quick, table):
    assert cli("train", table, *quick, "--out", "run", "--quiet").code == 0
    refused = cli("train", table, *quick, "--out", "run", "--quiet", "--resume")
    assert refused.code == 6
    answer = cli("train", table, *quick, "--out", "run", "--overwrite", "--valid", table, "--json", "--quiet")
    assert answer.code == 0, answer.err
    assert "plan" not in answer.json


def test_a_limit_that_is_too_short_says_what_to_do(cli, config, table):
    answer = cli("train", table, "--config", config, "--out", "run", "--time-limit", "0.001s")
    assert answer.code == 4
    assert "the time limit of 0 s is too short" in answer.err
    assert "--time-limit" in answer.err
    assert cli("train", table, "--config", config, "--out", "run", "--quiet", "--resume").code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["--time-limit", "soon"], 4, "'soon' is no duration above 0. Accepted: 30m, 90s, 2h, 1h30m"),
        (["--preset", "fast", "--recipe", "tfidf-linear"], 4, "--recipe and --preset both give a whole configuration"),
        (["--preset", "fast", "--config", preset_path("fast")], 4, "--preset and --config both give"),
        (["--preset", "slow"], 2, "'slow' is not one of 'fast', 'balanced', 'best'"),
        (["--preset", "fast", "--task", "spans"], 4, "the preset fast has task = 'labels'"),
    ],
)
def test_what_does_not_go_together(arguments, code, says, cli, table):
    answer = cli("train", table, *arguments, "--out", "run")
    assert answer.code == code
    assert says in " ".join(answer.err.replace("│", " ").split())
