"""`multitag evaluate` and `multitag predict`."""

from __future__ import annotations

import csv
import json
import shutil

import polars as pl
import pytest

from multitag.metrics import METRICS


def read(path) -> list[list[str]]:
    with open(path, newline="", encoding="utf-8") as handle:
        return list(csv.reader(handle))


def test_evaluate_prints_labels_and_metrics(cli, trained, table):
    answer = cli("evaluate", trained, table, "--rounds", "20")
    assert answer.code == 0
    for name in (*METRICS.names(), "animal", "sea", "people"):
        assert f" {name} " in answer.out
    assert f"{table}, 24 rows" in answer.out
    assert any(line.startswith("predicting: 24 of 24") for line in answer.err.splitlines())


def test_evaluate_as_json(cli, trained, table):
    answer = cli("evaluate", trained, table, "--rounds", "20", "--json", "--quiet")
    assert answer.code == 0
    assert answer.err.startswith("warning: 16 of the 24 rows were trained on when this model was made")
    assert len(answer.err.splitlines()) == 1
    assert set(answer.json["metrics"]) == set(METRICS.names())
    assert answer.json["rows"] == 24


def test_scores_that_do_not_exist_are_null(cli, trained, table, tmp_path):
    rows = read(table)
    only = [row for row in rows[1:] if row[2] == "people"]
    with open(tmp_path / "people.csv", "w", newline="") as handle:
        csv.writer(handle).writerows([rows[0], *only])
    answer = cli("evaluate", trained, "people.csv", "--images", table.parent, "--rounds", "20", "--json")
    assert answer.code == 0
    average = {label["label"]: label["average_precision"] for label in answer.json["labels"]}
    assert average["sea"] is None


def test_another_decision(cli, own_run, table):
    def decide(*more):
        return cli("evaluate", own_run, table, "--rounds", "20", "--json", "--quiet", *more)

    before = (own_run / "decision.json").read_bytes()
    plain = decide().json
    two = decide("--decision", "top_k", "--option", "k=2").json
    assert sum(label["predicted"] for label in two["labels"]) == 48
    assert (own_run / "decision.json").read_bytes() == before
    assert decide().json == plain
    kept = decide("--decision", "top_k", "--option", "k=2", "--option", "never_empty=yes", "--keep")
    assert kept.code == 0
    assert json.loads((own_run / "decision.json").read_text())["decision"]["name"] == "top_k"
    assert decide().json["labels"] == two["labels"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--decision", "topk"], "did you mean 'top_k'?"),
        (["--decision", "top_k", "--option", "n=2"], "has no option 'n'"),
        (["--decision", "top_k", "--option", "k=many"], "'k'"),
        (["--decision", "top_k", "--option", "k"], "key=value"),
        (["--decision", "top_k", "--option", "name=x"], "name"),
        (["--option", "k=2"], "--decision"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_wrong_decision_ends_with_4(cli, trained, table, command, more, said):
    out = ["--out", "out.csv"] if command == "predict" else []
    answer = cli(command, trained, table, *out, *more)
    assert answer.code == 4, answer.err
    assert said in answer.err


def test_keep_needs_a_decision(cli, trained, table):
    answer = cli("evaluate", trained, table, "--keep")
    assert answer.code == 4
    assert "--decision" in answer.err


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_what_is_no_run_ends_with_6(cli, own_run, table, command, tmp_path):
    out = ["--out", "out.csv"] if command == "predict" else []
    assert cli(command, "nowhere", table, *out).code == 6
    (own_run / "model.safetensors").unlink()
    answer = cli(command, own_run, table, *out)
    assert answer.code == 6
    assert "model.safetensors" in answer.err
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_missing_table_ends_with_3(cli, trained, command):
    out = ["--out", "out.csv"] if command == "predict" else []
    answer = cli(command, trained, "none.csv", *out)
    assert (answer.code, answer.err.splitlines()[-1]) == (3, "error: none.csv does not exist.")


def test_rows_to_score_need_labels(cli, trained, table_file):
    answer = cli("evaluate", trained, table_file("bare.csv", "text\na dog\n"))
    assert answer.code == 3
    assert "labels" in answer.err


def test_labels_that_training_never_saw(cli, trained, table_file):
    rows = table_file("new.csv", "text,labels\na dog,animal\na tree,plant\nthe boat,sea\n")
    answer = cli("evaluate", trained, rows, "--rounds", "20", "--quiet")
    assert answer.code == 0
    assert answer.err.startswith("warning: 1 labels were never seen in training")
    assert "never seen in" in " ".join(answer.out.split())


def test_predictions_are_in_the_tables_own_shape_and_order(cli, trained, table, tmp_path):
    answer = cli("predict", trained, table, "--out", "out.csv")
    assert answer.code == 0
    assert answer.out == "24 rows labelled: out.csv\n"
    rows = read(tmp_path / "out.csv")
    assert rows[0] == ["ImageID", "Labels"]
    assert [row[0] for row in rows] == [row[0] for row in read(table)]
    assert {label for row in rows[1:] for label in row[1].split()} <= {"animal", "sea", "people"}


def test_every_format_says_the_same(cli, trained, table, tmp_path):
    for ending in ("csv", "tsv", "jsonl", "parquet"):
        answer = cli("predict", trained, table, "--out", f"out.{ending}", "--probabilities", "--quiet", "--json")
        assert (answer.code, answer.err) == (0, "")
        assert answer.json == {"run": str(trained), "table": str(table), "rows": 24, "out": f"out.{ending}"}
    shares = ["p(animal)", "p(people)", "p(sea)"]
    comma = pl.read_csv(tmp_path / "out.csv")
    assert comma.columns == ["ImageID", "Labels", *shares]
    assert comma.equals(pl.read_csv(tmp_path / "out.tsv", separator="\t"))
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    parquet = pl.read_parquet(tmp_path / "out.parquet")
    split = [labels.split() if labels else [] for labels in comma["Labels"]]
    assert split == [line["Labels"] for line in lines] == parquet["Labels"].to_list()
    assert [line["ImageID"] for line in lines] == comma["ImageID"].to_list() == parquet["ImageID"].to_list()
    for share, name in zip(shares, ("animal", "people", "sea"), strict=True):
        assert comma[share].to_list() == [line["probabilities"][name] for line in lines]
        assert comma[share].to_list() == pytest.approx(parquet[share].to_list(), abs=1e-6)
        assert comma[share].is_between(0, 1).all()


def test_small_chunks_give_what_the_whole_gives(cli, trained, table, tmp_path):
    for name, chunk in (("whole", 4096), ("five", 5), ("one", 1)):
        answer = cli("predict", trained, table, "--out", f"{name}.csv", "--probabilities", "--chunk-rows", chunk)
        assert answer.code == 0
    whole, five, one = (read(tmp_path / f"{name}.csv") for name in ("whole", "five", "one"))
    for other in (five, one):
        assert [row[:2] for row in other] == [row[:2] for row in whole]
        for row, expected in zip(other[1:], whole[1:], strict=True):
            assert list(map(float, row[2:])) == pytest.approx(list(map(float, expected[2:])), abs=1e-5)


def test_rows_without_picture_or_text_are_predicted_too(cli, trained, table, tmp_path):
    shutil.copy(table.parent / "0.png", tmp_path)
    (tmp_path / "new.csv").write_text("id,image,text\na,0.png,a dog\nb,,the boat\nc,0.png,\nd,,\n")
    answer = cli("predict", trained, "new.csv", "--out", "out.jsonl", "--probabilities")
    assert answer.code == 0
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["id"] for line in lines] == ["a", "b", "c", "d"]
    assert all(0 <= share <= 1 for line in lines for share in line["probabilities"].values())
    for content in ("text\na dog\n", "image\n0.png\n"):  # a whole column less
        (tmp_path / "less.csv").write_text(content)
        assert cli("predict", trained, "less.csv", "--out", "out.csv").code == 0


def test_bad_pictures(cli, trained, table, tmp_path):
    (tmp_path / "new.csv").write_text("image,text\nnone.png,a dog\n")
    (tmp_path / "out.csv").write_text("older")
    answer = cli("predict", trained, "new.csv", "--out", "out.csv")
    assert answer.code == 3
    assert "new.csv:2" in answer.err
    assert (tmp_path / "out.csv").read_text() == "older"
    answer = cli("predict", trained, "new.csv", "--out", "out.csv", "--on-bad-image", "missing", "--quiet")
    assert answer.code == 0
    assert answer.err.startswith("warning: the picture of 1 row could not be used")
    assert len(read(tmp_path / "out.csv")) == 2


def test_columns_are_as_told(cli, trained, table, tmp_path):
    (tmp_path / "own.csv").write_text("A,B,C,D\nx,0.png,a dog,animal\ny,1.png,the boat,sea\n")
    told = ["--images", table.parent, "--id-column", "A", "--image-column", "B", "--text-column", "C"]
    assert cli("predict", trained, "own.csv", "--out", "out.csv", *told).code == 0
    assert [row[0] for row in read(tmp_path / "out.csv")] == ["A", "x", "y"]
    scored = cli("evaluate", trained, "own.csv", *told, "--labels-column", "D", "--separator", "none", "--json")
    assert scored.code == 0
    assert scored.json["rows"] == 2


@pytest.mark.parametrize(("out", "said"), [("out.txt", ".parquet"), ("no/such/out.csv", "folder")])
def test_a_file_that_cannot_be_written(cli, trained, table, out, said):
    answer = cli("predict", trained, table, "--out", out)
    assert answer.code == 3
    assert said in answer.err
