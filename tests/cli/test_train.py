"""`multitag train`, and `multitag demo`."""

from __future__ import annotations

import csv
import json
import shutil
import tomllib

import pytest
from PIL import Image

from multitag.data.bundled import bundled_path


def columns(table, *names: str) -> str:
    """Some columns of the table as a CSV text."""
    with open(table, newline="", encoding="utf-8") as handle:
        rows = [[row[name] for name in names] for row in csv.DictReader(handle)]
    return "\n".join(",".join(cells) for cells in [names, *rows]) + "\n"


@pytest.fixture
def train(cli, config, table):
    """Trains on the tiny table with the tiny configuration."""
    return lambda *more, rows=table: cli("train", rows, "--config", config, "--out", "run", *more)


def settings(folder) -> dict:
    return tomllib.loads((folder / "config.toml").read_text())


def test_a_run_comes_with_scores_and_what_to_type_next(train, tmp_path):
    answer = train()
    assert answer.code == 0, answer.err
    assert {path.name for path in (tmp_path / "run").iterdir()} >= {"config.toml", "model.safetensors", "metrics.json"}
    words = " ".join(answer.out.split())
    for said in ("validation, ", "samples_f1 ", "animal ", "saved in run", "trained on ", "frozen encoders "):
        assert said in words
    assert "multitag evaluate run test.csv" in answer.out
    assert "multitag predict run new.csv --out predictions.csv" in answer.out
    assert answer.err.splitlines()[0] == "checking pictures: 24 of 24, 0 s"
    assert any(line.startswith("training: ") for line in answer.err.splitlines())


def test_json_is_all_that_is_printed(train, tmp_path):
    answer = train("--json", "--quiet")
    assert answer.code == 0
    found = answer.json
    assert found["run"] == "run"
    assert found["rows"]["train"] + found["rows"]["valid"] == 24
    assert {**found["validation"]} == json.loads((tmp_path / "run" / "metrics.json").read_text())["validation"]


def test_set_may_be_given_again(train, tmp_path):
    changes = ["--set", "train.epochs=2", "--set", "fusion.name=sum", "--set", "head.dropout = 0.25", "--seed", "7"]
    assert train(*changes, "--quiet").code == 0
    found = settings(tmp_path / "run")
    assert found["train"]["epochs"] == 2
    assert found["fusion"] == {"name": "sum"}
    assert found["head"] == {"name": "linear", "dropout": 0.25}
    assert found["seed"] == 7


def test_the_configuration_of_a_run_repeats_it(cli, train, table, tmp_path):
    assert train("--quiet").code == 0
    again = cli("train", table, "--config", "run/config.toml", "--out", "again", "--quiet")
    assert again.code == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "again")]
    assert weights[0] == weights[1]


def test_without_an_encoder(train, tmp_path):
    assert train("--without", "image", "--quiet").code == 0
    found = settings(tmp_path / "run")
    assert list(found["encoders"]) == ["text"]
    assert found["fusion"] == {"name": "single"}


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--without", "sound"], "no such encoder. The configuration has: image, text"),
        (["--without", "image", "--without", "text"], "encoders"),
        (["--recipe", "tfidf-linear"], "--recipe and --config"),
        (["--set", "train.lr"], "section.key=value"),
        (["--set", "train.lr=fast", "--set", "fusion.name=conct"], "did you mean 'concat'?"),
        (["--set", "trian.lr=1"], "did you mean 'train'?"),
        (["--valid", "1.5"], "valid_share"),
        (["--valid", "nan"], "valid_share"),
    ],
)
def test_a_wrong_configuration_ends_with_4(train, tmp_path, more, said):
    answer = train(*more)
    assert answer.code == 4
    assert said in answer.err
    assert answer.out == ""
    assert not (tmp_path / "run").exists()


def test_all_faults_of_a_configuration_come_together(train):
    answer = train("--set", "train.lr=fast", "--set", "train.epochs=0", "--set", "head.dropot=1")
    assert answer.code == 4
    assert all(word in answer.err for word in ("lr", "epochs"))


def test_a_recipe(cli, table, tmp_path):
    quick = ["--set", "train.epochs=2", "--set", "train.min_steps=0"]
    answer = cli("train", table, "--recipe", "tfidf-linear", *quick, "--out", "run", "--quiet")
    assert answer.code == 0
    assert settings(tmp_path / "run")["recipe"]["title"].startswith("Texts alone")
    unknown = cli("train", table, "--recipe", "tfidf-liner")
    assert unknown.code == 4
    assert "did you mean 'tfidf-linear'?" in unknown.err


def test_a_missing_or_broken_configuration_file(cli, table, tmp_path):
    assert cli("train", table, "--config", "none.toml").code == 4
    (tmp_path / "broken.toml").write_text("a = [")
    answer = cli("train", table, "--config", "broken.toml")
    assert answer.code == 4
    assert "broken.toml" in answer.err


def test_valid_is_a_share_or_a_table(train, table):
    assert train("--valid", "0.5", "--json", "--quiet").json["rows"]["valid"] == 12
    answer = train("--valid", table, "--overwrite", "--json", "--quiet")
    assert answer.json["rows"]["valid"] == 24
    assert "scores flatter" in answer.err
    assert train("--valid", "none.csv", "--overwrite").code == 3


def test_a_class_list_has_labels_that_no_row_has(train, tmp_path):
    (tmp_path / "classes.txt").write_text("sea\nanimal\npeople\nplant\n")
    answer = train("--labels", "classes.txt", "--json", "--quiet")
    assert answer.code == 0
    assert [label["label"] for label in answer.json["validation"]["labels"]] == ["sea", "animal", "people", "plant"]
    assert "warning: 1 labels have no example" in answer.err
    (tmp_path / "classes.txt").write_text("sea\nanimal\n")
    assert train("--labels", "classes.txt", "--overwrite").code == 3


def test_columns_are_as_told(train, table, tmp_path):
    rows = tmp_path / "own.csv"
    rows.write_text(columns(table, "ImageID", "Caption", "Labels").replace("ImageID,Caption,Labels", "A,B,C"))
    told = ["--image-column", "A", "--text-column", "B", "--labels-column", "C", "--images", table.parent]
    assert train(rows=rows).code == 3
    assert train(*told, "--separator", "space", "--quiet", rows=rows).code == 0
    found = settings(tmp_path / "run")["data"]
    assert {key: found[key] for key in ("image", "text", "labels", "separator")} == {
        "image": "A",
        "text": "B",
        "labels": "C",
        "separator": "space",
    }
    missing = train("--text-column", "D", rows=rows)
    assert missing.code in (3, 6)


def test_bad_pictures_come_all_at_once_or_count_as_missing(train, table, tmp_path):
    folder = shutil.copytree(table.parent, tmp_path / "pictures")
    (folder / "3.png").unlink()
    (folder / "7.png").write_bytes(b"no picture")
    answer = train(rows=folder / "table.csv")
    assert answer.code == 3
    assert "table.csv:5" in answer.err
    assert "table.csv:9" in answer.err
    assert not (tmp_path / "run").exists()
    answer = train("--on-bad-image", "missing", "--quiet", rows=folder / "table.csv")
    assert answer.code == 0
    assert answer.err.startswith("warning: the pictures of 2 rows could not be used")
    assert settings(tmp_path / "run")["data"]["on_bad_image"] == "missing"


def test_weights_that_cannot_be_had_end_with_5(train):
    answer = train("--set", "encoders.text.name=transformers_text", "--set", "encoders.text.model=nobody/nothing")
    assert answer.code == 5
    assert "nobody/nothing" in answer.err
    assert "Traceback" not in answer.err


def test_a_run_is_not_replaced_by_accident(train, tmp_path):
    assert train("--quiet").code == 0
    before = (tmp_path / "run" / "model.safetensors").read_bytes()
    answer = train()
    assert answer.code == 6
    assert "--overwrite" in answer.err
    answer = train("--resume")
    assert answer.code == 6
    assert "finished" in answer.err
    assert (tmp_path / "run" / "model.safetensors").read_bytes() == before
    assert train("--overwrite", "--seed", "3", "--quiet").code == 0
    assert (tmp_path / "run" / "model.safetensors").read_bytes() != before


def test_a_folder_with_other_things_is_left_alone(train, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("dear")
    for more in ([], ["--overwrite"], ["--resume"]):
        assert train(*more).code == 6
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.tex"]


def test_interrupted_and_resumed(train, tmp_path, monkeypatch):
    from multitag.training import run as training

    assert train("--quiet").code == 0
    (tmp_path / "run").rename(tmp_path / "whole")
    real, calls = training.predict_logits, []

    def interrupt(*arguments, **options):
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(training, "predict_logits", interrupt)
        answer = train("--set", "train.checkpoint_seconds=0", "--quiet")
    assert answer.code == 130
    assert answer.err.startswith("interrupted: training stopped in epoch 3 of ")
    assert "--resume" in answer.err
    assert "error" not in answer.err
    refused = train("--quiet")
    assert refused.code == 6
    assert "--resume" in refused.err
    other = train("--resume", "--set", "train.lr=0.5")
    assert other.code == 6
    assert "lr" in other.err
    assert train("--resume", "--quiet").code == 0
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("run", "whole")]
    assert weights[0] == weights[1]


def test_warnings_are_told_once_on_standard_error(train, table_file):
    rows = table_file("few.csv", "text,labels\n" + "a dog,animal\nthe boat,sea\n" * 8 + "two men,people\n")
    answer = train("--without", "image", "--json", "--quiet", rows=rows)
    assert answer.code == 0
    warned = [line for line in answer.err.splitlines() if line.startswith("warning: ")]
    assert any("single example" in line for line in warned)
    assert len(warned) == len(set(warned))
    assert answer.json["notes"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("text\na\nb\n", "labels"),
        ("text,labels\na,\nb,\n", "label"),
        ("text,labels\na,x\n", "row"),
    ],
)
def test_tables_that_cannot_be_learned_from(train, table_file, content, said):
    answer = train("--without", "image", rows=table_file("poor.csv", content))
    assert answer.code == 3
    assert said in answer.err
    assert "Traceback" not in answer.err


@pytest.fixture
def clip_art(tmp_path):
    """Twenty rows of each part of the bundled data, small and grey, where the bundled data would be."""
    folder, data = tmp_path / "clip_art", bundled_path("openclipart")
    (folder / "images").mkdir(parents=True)
    for part in ("train", "valid", "test"):
        with open(data / f"{part}.csv", newline="", encoding="utf-8") as handle:
            rows = list(csv.reader(handle))[:21]
        with open(folder / f"{part}.csv", "w", newline="", encoding="utf-8") as handle:
            csv.writer(handle).writerows(rows)
        for name, *_ in rows[1:]:
            Image.open(data / "images" / name).convert("L").save(folder / "images" / name)
    return folder


def test_demo_shows_the_whole_path(cli, clip_art, config, monkeypatch):
    from multitag.config import Config

    tiny = Config.read(config)
    monkeypatch.setattr("multitag.data.bundled.bundled_path", lambda name: clip_art)
    monkeypatch.setattr("multitag.classifier.Config", lambda: tiny)
    for _ in range(2):  # again: the older demo is replaced
        answer = cli("demo", "--out", "runs/demo", "--quiet")
        assert answer.code == 0, answer.err
    assert f"$ multitag train {clip_art / 'train.csv'} --valid " in answer.out
    assert "20 rows that training never saw" in answer.out
    assert "some of them" in answer.out
    assert "saved in runs/demo" in answer.out
    assert " multitag predict runs/first new.csv --images images/ --out predictions.csv\n" in answer.out


def test_what_demo_says_of_the_bundled_data_is_true():
    data, rows, labels = bundled_path("openclipart"), 0, set()
    for part in ("train", "valid", "test"):
        with open(data / f"{part}.csv", newline="", encoding="utf-8") as handle:
            found = [row["labels"].split() for row in csv.DictReader(handle)]
        rows += len(found)
        labels |= {label for row in found for label in row}
    assert (rows, len(labels)) == (1258, 31)
