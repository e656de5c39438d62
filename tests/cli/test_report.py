"""`multitag report`: pages written from the command line, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("jinja2", reason="needs the extra 'report'")
pytest.importorskip("cleanlab", reason="needs the extra 'report'")


def test_a_page_its_json_and_its_tables(cli, trained, table, tmp_path):
    answer = cli("report", trained, table, "--rounds", "20", "--quiet")
    assert answer.code == 0
    assert "samples_f1" in answer.out
    assert "written: report.html" in answer.out
    values = json.loads((tmp_path / "report.numbers.json").read_text())
    assert values["title"] == "trained"
    assert (tmp_path / "report.tables" / "labels-labels.csv").read_text().startswith("label,rows,predicted")
    assert "Training" in values["sections"]
    assert (tmp_path / "report.html").stat().st_size < 5_000_000


def test_the_held_out_rows_are_looked_at_without_a_table(cli, trained):
    answer = cli("report", trained, "--rounds", "20", "--quiet", "--json", "--out", "held.html")
    assert answer.code == 0
    assert answer.json["table"] is None
    (run,) = answer.json["runs"]
    told = json.loads((trained / "metrics.json").read_text())["validation"]
    for name, score in run["metrics"].items():
        assert score["value"] == pytest.approx(told["metrics"][name]["value"])


def test_two_runs_beside_each_other(cli, trained, own_run, table):
    answer = cli("report", trained, own_run, table, "--rounds", "20", "--quiet", "--out", "two.html")
    assert answer.code == 0
    assert f"{trained} minus {own_run}" in " ".join(answer.out.split())
    values = json.loads(Path("two.numbers.json").read_text("utf-8"))
    assert values["sections"]["Runs compared"]["Rows"]["answered otherwise"] == 0


def test_spans_have_a_page_of_their_own(cli, span_run):
    span_table = span_run.parent / "memes.json"
    answer = cli("report", span_run, span_table, "--rounds", "20", "--quiet", "--out", "spans.html")
    assert answer.code == 0
    values = json.loads(Path("spans.numbers.json").read_text("utf-8"))
    assert list(values["sections"])[:3] == ["Scores", "Labels", "Texts"]
    scored = cli("evaluate", span_run, span_table, "--rounds", "20", "--quiet", "--json").json
    assert {line["label"]: line["F1"] for line in values["sections"]["Labels"]["Labels"]} == {
        line["label"]: line["f1"] for line in scored["labels"]
    }


def test_what_cannot_be_done_is_said_before_any_work(cli, trained, span_run, table, tmp_path):
    for arguments, code, words in (
        ([table], 4, "there is no run"),
        ([trained, table, "--out", "page.pdf"], 4, "page.pdf.html"),
        ([tmp_path / "nowhere", table], 6, "does not exist"),
        ([trained, "none.csv"], 3, "none.csv"),
        ([trained, span_run, table], 4, "a page for each kind"),
        ([span_run], 4, "name a table"),
        ([trained, table, "--spans-column", "x"], 4, "--spans-column"),
    ):
        answer = cli("report", *arguments, "--quiet")
        assert (answer.code, words in answer.err) == (code, True), (arguments, answer.err)
    assert not list(tmp_path.glob("*.html"))
