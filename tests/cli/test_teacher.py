"""`multitag train --teacher`: a run taught by another one, and what its files and messages say of that."""

from __future__ import annotations

import csv
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
    assert "rows that it was trained on" in words
    assert "rows that it was not" in words
    settings = tomllib.loads((tmp_path / "run" / "config.toml").read_text())
    assert settings["teacher"] == {"weight": 0.7}
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
    assert answer.json["teacher"]["rows"]["other"] >= 6, "and those it held out"
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


def test_a_student_of_texts_alone_is_taught_by_one_that_looks_at_pictures(cli, config, table, trained, tmp_path):
    with open(table, newline="", encoding="utf-8") as handle:
        rows = list(csv.DictReader(handle))
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    own = tmp_path / "own.csv"
    lines = [f'{table.parent / row["ImageID"]},"{row["Caption"]} once","{row["Labels"]}"' for row in rows[:-1]]
    own.write_text("\n".join(["image,caption,labels", *lines, f'broken.jpg,a boat,"{rows[-1]["Labels"]}"']) + "\n")
    train = ("train", own, "--config", config, "--without", "image", "--teacher", trained, "--quiet", "--json")
    alone = cli("train", own, "--config", config, "--without", "image", "--out", "alone", "--quiet")
    assert alone.code == 0, "no encoder of the student reads pictures, so none is looked at"
    refused = cli(*train, "--out", "refused")
    assert refused.code == 3
    assert "broken.jpg" in refused.err
    answer = cli(*train, "--out", "run", "--on-bad-image", "missing")
    assert answer.code == 0, answer.err
    assert sum(answer.json["teacher"]["rows"].values()) == 24
