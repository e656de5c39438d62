"""An ensemble by command: trained from a configuration, scored and asked as any run is."""

from __future__ import annotations

import csv
import json
import tomllib

import pytest
import tomli_w


@pytest.fixture(scope="session")
def ensemble(tmp_path_factory, config):
    """Words and pictures apart, joined by weights."""
    values = tomllib.loads(config.read_text())
    encoders = values.pop("encoders")
    values["fusion"] = {"name": "single"}
    values["ensemble"] = {
        "combiner": {"name": "lambda_weighted"},
        "members": {name: {"encoders": {name: encoder}} for name, encoder in encoders.items()},
    }
    path = tmp_path_factory.mktemp("config") / "ensemble.toml"
    path.write_text(tomli_w.dumps(values))
    return path


def test_it_is_trained_scored_and_asked_as_any_run(cli, ensemble, table, tmp_path):
    answer = cli("train", table, "--config", ensemble, "--out", "run", "--set", "train.folds=2")
    assert answer.code == 0, answer.err
    words = " ".join(answer.out.split())
    assert "out of fold, 24 rows, each predicted without having been trained on" in words
    assert "epochs of 4 models" in words
    for line in ("members on the same rows", "image .", "text .", "all together ."):
        assert line.rstrip(".").strip() in words
    assert any(line.startswith("text: fold 2 of 2: training") for line in answer.err.splitlines())
    scored = cli("evaluate", "run", table, "--json", "--quiet")
    assert scored.code == 0, scored.err
    alone = cli("evaluate", "run/members/image", table, "--json", "--quiet")
    assert alone.code == 0, alone.err
    assert alone.json["metrics"]["brier"] != scored.json["metrics"]["brier"]
    asked = cli("predict", "run", table, "--out", "answers.csv", "--probabilities")
    assert asked.code == 0, asked.err
    with open(tmp_path / "answers.csv", newline="", encoding="utf-8") as handle:
        assert len(list(csv.DictReader(handle))) == 24


def test_its_decision_may_be_changed_and_kept(cli, ensemble, table):
    assert cli("train", table, "--config", ensemble, "--out", "run", "--quiet").code == 0
    kept = cli("evaluate", "run", table, "--decision", "top_k", "--option", "k=1", "--keep", "--json", "--quiet")
    assert kept.code == 0, kept.err
    again = cli("evaluate", "run", table, "--json", "--quiet")
    assert again.json["metrics"] == kept.json["metrics"]


def test_json_has_the_members_and_all_sizes(cli, ensemble, table, tmp_path):
    answer = cli("train", table, "--config", ensemble, "--out", "run", "--json", "--quiet")
    assert answer.code == 0, answer.err
    assert set(answer.json["members"]) == {"image", "text"}
    assert answer.json["networks"] == 2
    assert answer.json["seconds"]["testing"] >= 0
    saved = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert saved["size"] == answer.json["size"]


def test_a_model_over_max_size_is_not_trained(cli, ensemble, config, table, tmp_path):
    for file in (ensemble, config):
        answer = cli("train", table, "--config", file, "--out", "run", "--max-size", "1kB", "--quiet")
        assert answer.code == 4
        assert "train.max_size allows 0.001 MB" in answer.err
        assert "encoders.image, frozen: " in answer.err
        assert not (tmp_path / "run" / "config.toml").exists()
    assert cli("train", table, "--config", config, "--out", "run", "--max-size", "1GB", "--quiet").code == 0
