"""`--task spans`: train, evaluate, predict, check and list."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import tomli_w

from multitag.cli import main

WORDS = {"dog": "animal", "cat": "animal", "boat": "place", "house": "place"}
OTHER = ["two", "men", "near", "red", "old"]


def memes(count: int, start: int = 0) -> list[dict]:
    """Rows of SemEval's format; what a word is called follows from the word."""
    found = []
    for number in range(start, start + count):
        words = [list(WORDS)[number % 4], *(OTHER[(number + n) % 5] for n in range(3)), list(WORDS)[number // 4 % 4]]
        text, labels = " ".join(words), []
        for place, word in enumerate(words):
            at = len(" ".join(words[:place])) + bool(place)
            if word in WORDS:
                labels.append({"start": at, "end": at + len(word), "technique": WORDS[word], "text_fragment": word})
        found.append({"id": str(number), "text": text, "labels": labels})
    return found


def write(path: Path, rows: list[dict]) -> Path:
    path.write_text(json.dumps(rows), "utf-8")
    return path


@pytest.fixture(scope="module")
def config(tmp_path_factory, models) -> Path:
    """A tiny BERT that trains in a moment."""
    values = {
        "task": "spans",
        "encoders": {"text": {"name": "transformers_text", "model": str(models["bert"]), "frozen": False}},
        "fusion": {"name": "single"},
        "head": {"name": "linear"},
        "train": {"epochs": 10, "min_steps": 0, "batch_size": 8, "lr": 0.02, "encoder_lr": 3e-3, "folds": 0},
    }
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(tomli_w.dumps(values))
    return path


@pytest.fixture(scope="module")
def run(tmp_path_factory, config) -> Path:
    """A trained run; not to be changed."""
    folder = tmp_path_factory.mktemp("spans")
    table = write(folder / "memes.json", memes(40))
    code = main.run(["train", str(table), "--config", str(config), "--out", str(folder / "run"), "--quiet"])
    assert code == 0
    return folder / "run"


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
        (["train", "{table}", "--spans-column", "x"], "--spans-column"),
        (["evaluate", "{run}", "{table}", "--decision", "top_k"], "--decision"),
        (["predict", "{run}", "{table}", "--out", "a.json", "--probabilities"], "--probabilities"),
        (["predict", "{run}", "{table}", "--out", "a.csv"], "cannot write spans"),
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
