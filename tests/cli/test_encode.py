"""`multitag encode`."""

from __future__ import annotations

import pytest

from fakes import entries


@pytest.fixture
def encode(cli, config, table, tmp_path):
    """Encodes the tiny table of 24 rows with a tiny ResNet and a tiny BERT into a store of the test's own."""

    def run(store, *more, tables=(table,)):
        own = [f"store.path={tmp_path / store}", "store.runtime=torch"]
        return cli(
            "encode", *tables, "--config", config, *(part for change in own for part in ("--set", change)), *more
        )

    return run


@pytest.fixture
def frozen_text(models):
    """Changes the configuration's words for a text encoder whose answers are stored."""
    return ["--set", "encoders.text.name=transformers_text", "--set", f"encoders.text.model={models['bert']}"]


def words(text):
    return " ".join(text.split())


def test_it_says_what_was_encoded_where_it_is_and_what_comes_next(encode, config, table, tmp_path):
    answer = encode("store")
    assert answer.code == 0, answer.err
    said = words(answer.out)
    assert "24 rows encoder distinct stored before encoded seconds per second" in said
    assert "image transformers_image 24 images 0 24 " in said
    assert "text: nothing is stored, it learns from the rows that a model is trained on" in said
    assert f"store: {tmp_path / 'store'}; next:" in said
    following = f"multitag train {table} --config {config} --set store.path={tmp_path / 'store'} --set"
    assert following in said
    assert "encoding images (image): 24 of 24" in answer.err
    again = encode("store", "--quiet")
    assert again.err == ""
    assert "image transformers_image 24 images 24 0 0.0 - " in words(again.out)


def test_training_finds_it(cli, encode, config, table, tmp_path, monkeypatch):
    assert encode("store").code == 0
    fixed = ["--config", config, "--set", f"store.path={tmp_path / 'store'}", "--set", "store.runtime=torch"]
    answer = cli("train", table, *fixed, "--out", "run")
    assert answer.code == 0
    assert "encoding" not in answer.err
    new = cli("encode", table, "--run", "run", "--json", "--quiet")
    assert new.json["encoders"][0]["encoded"] == 0
    said = cli("encode", table, "--run", "run", "--quiet").out
    assert f"label rows multitag predict run {table} --out predictions.csv" in words(said)


def test_shares_of_a_cluster_and_one_store_at_the_end(encode, frozen_text, tmp_path):
    whole = encode("whole", *frozen_text, "--json", "--quiet").json
    assert whole["share"] == "1/1"
    assert [(each["name"], each["contents"], each["encoded"]) for each in whole["encoders"]] == [
        ("image", 24, 24),
        ("text", len(entries(tmp_path / "whole")) - 24, len(entries(tmp_path / "whole")) - 24),
    ]
    said = encode("a", *frozen_text, "--share", "1/2").out
    assert "24 rows, share 1/2 of them" in said
    assert "--merge STORE --merge STORE" in words(said)
    assert encode("b", *frozen_text, "--share", "2/2", "--quiet").code == 0
    assert 0 < len(entries(tmp_path / "b")) < len(entries(tmp_path / "whole"))
    merged = encode("all", *frozen_text, "--merge", tmp_path / "a", "--merge", tmp_path / "b", "--json", "--quiet").json
    assert sum(each["encoded"] for each in merged["encoders"]) == 0
    assert sum(merged["merged"].values()) == len(entries(tmp_path / "whole"))
    assert entries(tmp_path / "all") == entries(tmp_path / "whole")
    alone = encode("other", "--merge", tmp_path / "all", tables=())
    assert alone.code == 0
    assert f"{tmp_path / 'all'}: {len(entries(tmp_path / 'all'))} entries were new" in words(alone.out)
    assert entries(tmp_path / "other") == entries(tmp_path / "whole")


def test_in_two_processes(encode, frozen_text, tmp_path):
    assert encode("one", *frozen_text, "--quiet").code == 0
    answer = encode("two", *frozen_text, "--processes", "2")
    assert answer.code == 0, answer.err
    assert f"encoding in 2 processes: {len(entries(tmp_path / 'one'))} of" in answer.err
    assert entries(tmp_path / "two") == entries(tmp_path / "one")


def test_nothing_to_store_is_said(encode):
    answer = encode("store", "--without", "image")
    assert answer.code == 0
    assert "There is nothing to store: no encoder is frozen and worth keeping." in answer.out
    assert "text: nothing is stored, it learns" in answer.out
    assert encode("store", "--without", "image", "--json").json["encoders"] == []


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "a table is needed, such as train.csv, or a store to --merge"),
        (["a.csv", "--processes", "0"], 2, "--processes"),
        (["a.csv", "--share", "half"], 4, "share 'half' is not of the form 2/4"),
        (["a.csv", "--share", "5/4"], 4, "share 5/4 does not exist. Accepted: 1/N to N/N"),
        (["a.csv", "--run", "r", "--set", "seed=1", "--recipe", "x"], 4, "--recipe, --set: these make a configuration"),
        (["a.csv", "--run", "r", "--preset", "fast"], 4, "--preset: these make a configuration"),
        (["a.csv", "--recipe", "tfidf-linear", "--preset", "fast"], 4, "--preset"),
        (["a.csv", "--recipe", "x"], 4, "recipe 'x' does not exist"),
        (["a.csv", "--run", "nowhere"], 6, "nowhere"),
        (["--merge", "nowhere"], 3, "nowhere is no feature store: it has no file data.mdb. Fix: "),
        (["nowhere.csv", "--recipe", "tfidf-linear"], 3, "nowhere.csv"),
    ],
)
def test_usage_errors_are_one_message(cli, arguments, code, said):
    answer = cli("encode", *arguments)
    assert (answer.code, answer.out) == (code, "")
    assert said in words(answer.err.replace("│", ""))
    assert "Traceback" not in answer.err
