"""`--task spans`: train, evaluate, predict, check and list."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from memes import memes, write


@pytest.fixture
def config(span_config) -> Path:
    return span_config


@pytest.fixture
def run(span_run) -> Path:
    return span_run


@pytest.fixture
def table(tmp_path) -> Path:
    return write(tmp_path / "more.json", memes(12, start=3))


def test_train_prints_spans_and_what_to_type_next(cli, config, tmp_path):
    rows = write(tmp_path / "memes.json", memes(40))
    answer = cli("train", rows, "--task", "spans", "--config", config, "--out", "run")
    assert answer.code == 0, answer.err
    words = " ".join(answer.out.split())
    for said in ("partial_f1 ", "exact_f1 ", "animal ", "saved in run", "validation, 6 rows"):
        assert said in words
    assert "multitag evaluate run test.json" in answer.out
    again = cli("train", rows, "--config", config, "--out", "other", "--json", "--quiet")
    assert again.json["decoder"] == "per_label"
    assert again.json["validation"]["rows"] == 6


def test_evaluate_scores_spans(cli, run, table):
    answer = cli("evaluate", run, table, "--json", "--rounds", 20)
    assert answer.code == 0, answer.err
    assert answer.json["rows"] == 12
    assert answer.json["metrics"]["partial_f1"]["value"] > 0.9
    shown = cli("evaluate", run, table, "--rounds", 20).out
    assert "partial_recall" in shown
    assert "animal" in shown


def test_evaluate_and_predict_take_another_decoder(cli, run, table, tmp_path):
    own = Path(shutil.copytree(run, tmp_path / "own"))
    before = (own / "decision.json").read_bytes()
    chosen = ["--decoder", "global_threshold", "--option", "shortest=99"]
    answer = cli("evaluate", own, table, "--json", "--rounds", 5, *chosen)
    assert answer.code == 0, answer.err
    assert answer.json["empty"] == 12, "no text is as long"
    assert cli("predict", own, table, "--out", tmp_path / "none.json", *chosen).code == 0
    assert all(row["labels"] == [] for row in json.loads((tmp_path / "none.json").read_text()))
    assert (own / "decision.json").read_bytes() == before
    assert cli("evaluate", own, table, "--rounds", 5, "--keep", *chosen).code == 0
    assert cli("evaluate", own, table, "--json", "--rounds", 5).json["empty"] == 12


def test_evaluate_shows_gold_beside_predicted(cli, run, tmp_path):
    rows = memes(4)
    rows[1]["labels"] = [{"start": 0, "end": 99, "technique": "place", "text_fragment": rows[1]["text"][:99]}]
    rows[1]["labels"][0]["end"] = len(rows[1]["text"])
    table = write(tmp_path / "wrong.json", rows)
    shown = cli("evaluate", run, table, "--rounds", 5, "--show", 1).out.split("wrong spans\n")[1].splitlines()
    text = rows[1]["text"]
    assert shown[1:4] == [" 1", f"            {text}", " gold       b" + "-" * (len(text) - 1)]
    assert shown[4].startswith(" predicted  a--")
    assert shown[-2:] == [" a  animal", " b  place"]
    assert "wrong spans" not in cli("evaluate", run, table, "--rounds", 5, "--show", 0).out
    assert cli("evaluate", run, table, "--rounds", 5, "--show", 1, "--json").json["rows"] == 4


def test_predict_shows_the_first_texts_with_or_without_a_file(cli, run, table, tmp_path):
    for more in ([], ["--out", tmp_path / "spans.json", "--chunk-rows", 1]):
        shown = cli("predict", run, table, "--show", 2, *more).out
        assert shown.count("\n predicted  ") == 2 == shown.count("\n            ")
        assert ("12 rows labelled" in shown) == bool(more)
    assert len(json.loads((tmp_path / "spans.json").read_text())) == 12
    for needed in (["--show", 0], [], ["--show", 2, "--json"]):
        answer = cli("predict", run, table, *needed)
        assert answer.code == 2
        assert "--out" in answer.err
    assert "texts" not in cli("predict", run, table, "--out", tmp_path / "a.json").out


def test_check_shows_some_gold_texts(cli, table):
    shown = cli("check", table, "--task", "spans").out
    assert shown.count(" gold  ") == 3
    assert " a  animal\n b  place" in shown
    assert " gold  " not in cli("check", table, "--task", "spans", "--show", 0).out


@pytest.mark.parametrize("ending", ["json", "jsonl", "conll"])
def test_predictions_can_be_scored_as_a_table(cli, run, table, ending, tmp_path):
    out = tmp_path / f"spans.{ending}"
    assert cli("predict", run, table, "--out", out).code == 0
    said = cli("evaluate", run, out, "--json", "--rounds", 5)
    assert said.code == 0, said.err
    assert said.json["metrics"]["exact_f1"]["value"] == 1.0


def test_check_counts_spans_and_lists_bad_ones_with_their_rows(cli, table, tmp_path):
    answer = cli("check", table, "--task", "spans", "--json")
    assert answer.code == 0, answer.err
    assert answer.json["spans"]["known"] == 12
    assert sum(each["spans"] for each in answer.json["spans"]["labels"].values()) == 24
    assert "spans of 12 rows" in cli("check", table, "--task", "spans").out
    bad = memes(3)
    bad[1]["labels"][0]["end"] = 999
    bad[2]["labels"][0]["text_fragment"] = "elephant"
    answer = cli("check", write(tmp_path / "bad.json", bad), "--task", "spans")
    assert answer.code != 0
    assert "item 2" in answer.err
    assert "item 3" in answer.err


@pytest.mark.parametrize("kind", ["span-decoders", "span-metrics"])
def test_list_has_what_spans_are_made_with(cli, kind):
    names = {entry["name"] for entry in cli("list", kind, "--json").json[kind]}
    assert names >= ({"per_label", "crf"} if kind == "span-decoders" else {"partial_f1", "exact_f1"})


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "{table}", "--config", "{config}", "--task", "labels"], "has task = 'spans'"),
        (["train", "{table}", "--config", "{config}", "--unlabeled", "{table}"], "--unlabeled"),
        (["train", "{table}", "--config", "{config}", "--jobs", "2"], "--jobs"),
        (["train", "{table}", "--spans-column", "x"], "--spans-column"),
        (["evaluate", "{run}", "{table}", "--decision", "top_k"], "--decoder is for spans what --decision is"),
        (["evaluate", "{run}", "{table}", "--option", "unit=word"], "--option belongs to --decoder"),
        (["evaluate", "{run}", "{table}", "--keep"], "--keep saves what"),
        (["evaluate", "{run}", "{table}", "--decoder", "begin_inside"], "reads other outputs"),
        (["predict", "{run}", "{table}", "--out", "a.json", "--decoder", "crff"], "crf"),
        (["predict", "{run}", "{table}", "--out", "a.json", "--probabilities"], "--probabilities"),
        (["predict", "{run}", "{table}", "--out", "a.csv"], "cannot write spans"),
        (["check", "{table}", "--show", "2"], "--show"),
    ],
)
def test_options_of_the_other_task_are_refused(cli, run, table, config, arguments, said):
    filled = [argument.format(run=run, table=table, config=config) for argument in arguments]
    answer = cli(*filled)
    assert answer.code != 0
    assert said in " ".join(answer.err.split())


def test_a_damaged_run_is_said_to_be_one(cli, run, table, tmp_path):
    own = Path(shutil.copytree(run, tmp_path / "own"))
    (own / "decision.json").write_text("{}")
    answer = cli("evaluate", own, table)
    assert answer.code != 0
    assert "damaged" in answer.err


def test_the_default_of_the_task_tunes_the_text_encoder():
    from multitag.recipes import configure

    config = configure(task="spans")
    assert list(config.encoders) == ["text"]
    assert not config.encoders["text"].frozen
    assert config.decoder is not None
    assert config == type(config).parse(config.values())
