"""`multitag ablate` and `multitag tune`."""

from __future__ import annotations

import json

import pytest


@pytest.fixture
def ablate(cli, config, table):
    """Compares two losses on the tiny table, from two seeds."""
    fixed = ["--config", config, "--seeds", "2", "--jobs", "1", "--out", "out", "--test-share", "0.3"]
    return lambda *more: cli("ablate", table, *fixed, *more)


def test_an_ablation(ablate, tmp_path):
    answer = ablate("--vary", "loss.name=bce,focal", "--variant", "text / two words: encoders.text.ngrams=2")
    assert answer.code == 0, answer.err
    words = " ".join(answer.out.split())
    assert "mean and standard deviation over 2 seeds; " in words
    assert "rows that each seed holds out (30%), which chose nothing" in words
    for said in (
        "loss.name=bce",
        "loss.name=focal",
        "text / two words",
        "reference",
        "p is corrected for 3 comparisons",
    ):
        assert said in words
    assert any(line.startswith("runs: 6 of 6") for line in answer.err.splitlines())
    again = ablate("--vary", "loss.name=bce,focal", "--json", "--quiet")
    assert again.code == 0
    found = again.json
    assert [each["name"] for each in found["configurations"]] == ["loss.name=bce", "loss.name=focal"]
    assert json.loads((tmp_path / "out" / "study.json").read_text())["ranking"] == found["ranking"]


def test_one_at_a_time_is_beside_the_baseline(ablate):
    answer = ablate("--vary", "loss.name=bce,focal", "--one-at-a-time", "--json", "--quiet")
    assert answer.code == 0, answer.err
    assert [each["name"] for each in answer.json["configurations"]] == ["baseline", "loss.name=focal"]
    assert answer.json["reference"] == "baseline"


def test_all_faults_are_listed_at_once(ablate, tmp_path):
    answer = ablate("--vary", "loss.name=bce,focl", "--vary", "train.lr=0.1,-1")
    assert answer.code == 4
    assert answer.err.startswith("error: 3 of 4 configurations are not valid")
    assert "did you mean 'focal'?" in answer.err
    assert not (tmp_path / "out").exists()
    assert ablate().code == 4
    assert ablate("--vary", "loss.name=bce", "--report", "page.pdf").code == 4


def test_a_run_that_fails_ends_with_an_error_after_the_tables(ablate):
    answer = ablate("--vary", "train.lr=0.05,1e38")
    assert answer.code == 6
    assert "train.lr=0.05" in answer.out
    assert "2 runs came to nothing" in answer.err
    assert "diverged" in answer.err


def test_the_page_of_an_ablation(ablate, tmp_path):
    pytest.importorskip("jinja2", reason="the 'report' extra is not installed")
    answer = ablate("--vary", "loss.name=bce,focal", "--report", "page.html")
    assert answer.code == 0, answer.err
    numbers = json.loads((tmp_path / "page.numbers.json").read_text())
    text = json.dumps(numbers)
    study = json.loads((tmp_path / "out" / "study.json").read_text())
    assert "samples F1" in text
    assert str(study["ranking"][0]["mean"]) in text
    assert (tmp_path / "page.html").read_text().count("loss.name=focal") >= 1


def test_a_search(cli, config, table, tmp_path):
    pytest.importorskip("optuna", reason="the 'tune' extra is not installed")
    fixed = ["--config", config, "--trials", "2", "--jobs", "1", "--out", "out", "--over", "train.lr", "--quiet"]
    answer = cli("tune", table, *fixed, "--over", "head.dropout=0..0.5")
    assert answer.code == 0, answer.err
    words = " ".join(answer.out.split())
    assert "the best of 2 trials (2 finished, 0 stopped early, 0 failed)" in words
    assert "trial 0, the configuration as it stands" in words or "train.lr=" in words
    again = cli("train", table, "--config", "out/best.toml", "--out", "best", "--json", "--quiet")
    assert again.code == 0, again.err
    best = json.loads((tmp_path / "out" / "study.json").read_text())["best"]["value"]
    assert again.json["validation"]["metrics"]["samples_f1"]["value"] == pytest.approx(best)


def test_a_search_lists_its_faults(cli, config, table):
    answer = cli("tune", table, "--config", config, "--over", "train.lrr", "--over", "head.x")
    assert answer.code == 4
    assert "--over train.lrr" in answer.err
    assert "--over head.x" in answer.err
