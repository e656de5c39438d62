"""`multitag train --teacher`: a run taught by another one, and what its files and messages say of that."""

from __future__ import annotations

import json
import tomllib

import pytest


@pytest.fixture
def train(cli, config, table, trained):
    return lambda *options: cli("train", table, "--config", config, "--out", "run", "--teacher", trained, *options)


def test_a_student_is_trained_and_saved_with_who_taught_it(cli, train, table, trained, tmp_path):
    answer = train()
    assert answer.code == 0, answer.err
    words = " ".join(answer.out.split())
    assert "answered out of fold" in words
    assert "trained on by it" in words
    assert f"the teacher ({trained}) was trained on" in " ".join(answer.err.split())
    settings = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert settings["teacher"] == {"weight": 0.3}
    saved = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert saved["teacher"]["run"] == str(trained)
    assert sum(saved["teacher"]["rows"].values()) == 24
    again = cli("train", table, "--config", "run/config.toml", "--out", "again")
    assert again.code == 4
    assert "Fix: --teacher RUN" in again.err


def test_rows_without_labels_are_taught_too(cli, train, table, tmp_path):
    more = tmp_path / "more.csv"
    more.write_text("caption\n" + "".join(f"a boat and {n} dogs\n" for n in range(6)))
    answer = train("--unlabeled", more, "--json", "--quiet", "--set", "teacher.weight=1")
    assert answer.code == 0, answer.err
    assert answer.json["rows"]["pool"] == 6
    assert answer.json["teacher"]["rows"]["new"] == 6
    assert "generations" not in answer.json
    refused = cli("evaluate", "run", more, "--quiet")
    assert refused.code == 3


def test_what_cannot_teach_is_refused(cli, train, table, config, tmp_path, span_run):
    nowhere = cli("train", table, "--config", config, "--out", "x", "--teacher", "nowhere")
    assert nowhere.code != 0
    assert "the run folder nowhere does not exist" in nowhere.err
    spans = cli("train", table, "--config", config, "--out", "x", "--teacher", span_run)
    assert spans.code != 0
    assert "gives spans, not label sets" in spans.err
    pseudo = train("--set", "pseudo.high=0.8")
    assert pseudo.code == 4
    assert "[pseudo] is for a teacher that is trained along with its student" in pseudo.err
    task = cli("train", table, "--task", "spans", "--out", "x", "--teacher", span_run)
    assert task.code == 4
    assert "--teacher" in task.err
