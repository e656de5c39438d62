"""`multitag train --unlabeled`, and `multitag evaluate` of a run whose student learned from such rows."""

from __future__ import annotations

import csv
import json
import tomllib

import pytest


@pytest.fixture
def more(table, tmp_path):
    """The captions of the table with a word more, without pictures, and two copies; labels that are not to be used."""
    with open(table, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    path = tmp_path / "more.csv"
    lines = [f'"{row["Caption"]} indeed",sea' for row in rows]
    path.write_text("\n".join(["caption,labels", *lines, *(f'"{row["Caption"]}",sea' for row in rows[:2])]) + "\n")
    return path


@pytest.fixture
def train(cli, config, table, more):
    return lambda *options: cli("train", table, "--config", config, "--out", "run", "--unlabeled", more, *options)


def test_a_student_is_trained_and_saved_as_one(train, tmp_path):
    answer = train("--set", "pseudo.high=0.6", "--set", "pseudo.low=0.4")
    assert answer.code == 0, answer.err
    words = " ".join(answer.out.split())
    assert "pseudo-labels for the student" in words
    assert "label yes no not known" in words
    assert "teacher and student on the same rows, each with its own decision" in words
    assert "more.csv are not used: it was given as a table without labels" in answer.err
    assert "warning: 2 of the 26 rows of " in answer.err
    stages = [line.split(":")[0] for line in answer.err.splitlines() if "training:" in line]
    assert stages == ["teacher", "student"]
    settings = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert settings["pseudo"] == {"high": 0.6, "low": 0.4, "weight": 0.5, "rounds": 1}
    saved = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert list(saved["generations"]) == ["teacher", "student"]


def test_json_has_both(train):
    answer = train("--json", "--quiet", "--set", "pseudo.rounds=2")
    assert answer.code == 0, answer.err
    assert list(answer.json["generations"]) == ["teacher", "student1", "student2"]
    assert answer.json["rows"]["pool"] == 24


def test_rows_that_were_pseudo_labelled_are_not_scored_unless_asked_for(cli, train, more):
    assert train("--quiet", "--set", "pseudo.high=0.51", "--set", "pseudo.low=0.5").code == 0
    answer = cli("evaluate", "run", more, "--quiet")
    assert answer.code == 3
    assert "24 of the 26 rows were pseudo-labelled" in answer.err
    assert "--allow-seen" in answer.err
    allowed = cli("evaluate", "run", more, "--quiet", "--allow-seen", "--json")
    assert allowed.code == 0
    assert allowed.json["rows"] == 26
    assert "warning: 24 of the 26 rows were pseudo-labelled" in allowed.err


def test_the_configuration_of_a_students_run_asks_for_rows_again(cli, train, table):
    assert train("--quiet").code == 0
    answer = cli("train", table, "--config", "run/config.toml", "--out", "again")
    assert answer.code == 4
    assert "Fix: --unlabeled TABLE" in answer.err
