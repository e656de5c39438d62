"""What a hurried user does wrong: each ends with a clear error of a few lines, and nothing is lost."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest

from memes import memes, write

EMPTY = [("a.csv", ""), ("a.csv", "id,text,labels\n"), ("a.json", ""), ("a.json", "[]"), ("a.jsonl", "")]


def fails(answer, code: int, *said: str) -> None:
    """It ended with this code and an error that says all this, in a few lines, about the data and not about us."""
    words = " ".join(answer.err.split())
    assert answer.code == code, answer.err
    assert words.startswith("error: ")
    assert all(each in words for each in said), answer.err
    assert len(answer.err.splitlines()) <= 6
    assert "fault of multitag" not in words


@pytest.fixture
def kinds(config, span_config, trained, span_run, table, tmp_path) -> dict[str, tuple[Path, Path, Path, str]]:
    """For each task a configuration, a run, a table and a file to write."""
    spans = write(tmp_path / "memes.json", memes(12))
    return {"labels": (config, trained, table, "out.csv"), "spans": (span_config, span_run, spans, "out.json")}


@pytest.mark.parametrize("task", ["labels", "spans"])
@pytest.mark.parametrize(("name", "content"), EMPTY)
def test_an_empty_table(cli, kinds, task, name, content, tmp_path):
    config, run, _, out = kinds[task]
    (tmp_path / name).write_text(content)
    fails(cli("train", name, "--config", config, "--out", "new", "--quiet"), 3, name)
    fails(cli("evaluate", run, name, "--quiet"), 3, name)
    fails(cli("predict", run, name, "--out", out, "--quiet"), 3, name)
    assert not Path("new").exists()
    assert not Path(out).exists()


@pytest.mark.parametrize("task", ["labels", "spans"])
@pytest.mark.parametrize("option", ["--text-column", "--id-column"])
def test_a_column_that_is_not_there(cli, kinds, task, option):
    config, run, table, out = kinds[task]
    fails(cli("train", table, "--config", config, "--out", "new", "--quiet", option, "nope"), 3, "nope")
    fails(cli("evaluate", run, table, "--quiet", option, "nope"), 3, "nope")
    fails(cli("predict", run, table, "--out", out, "--quiet", option, "nope"), 3, "nope")
    assert not Path("new").exists()


def test_a_table_of_the_other_task(cli, kinds):
    (_, labels_run, labels, _), (span_config, span_run, _, _) = kinds.values()
    fails(cli("train", labels, "--config", span_config, "--out", "new", "--quiet"), 3, "span")
    fails(cli("check", labels, "--task", "spans", "--quiet"), 3, "span")
    fails(cli("evaluate", span_run, labels, "--quiet"), 3, "span")
    fails(cli("evaluate", labels_run, write(Path("other.json"), memes(3)), "--quiet"), 3)


def test_a_folder_that_is_no_run(cli, kinds, tmp_path):
    _, _, spans, _ = kinds["spans"]
    fails(cli("evaluate", "nowhere", spans), 6, "nowhere", "does not exist")
    fails(cli("evaluate", spans, spans), 6, spans.name)
    fails(cli("predict", tmp_path, spans, "--out", "a.json"), 6, "lacks config.toml")


def test_a_picture_that_is_cut_short(cli, kinds, tmp_path):
    config, run, table, out = kinds["labels"]
    folder = Path(shutil.copytree(table.parent, tmp_path / "cut"))
    (folder / "3.png").write_bytes((folder / "3.png").read_bytes()[:200])
    rows = folder / table.name
    fails(cli("train", rows, "--config", config, "--out", "new", "--quiet"), 3, "3.png")
    fails(cli("evaluate", run, rows, "--quiet"), 3, "3.png")
    fails(cli("predict", run, rows, "--out", out, "--quiet"), 3, "3.png")
    assert not Path("new").exists()
    assert not Path(out).exists()


@pytest.mark.parametrize("task", ["labels", "spans"])
def test_ctrl_c_in_the_middle_of_a_training(cli, kinds, task):
    config, _, table, _ = kinds[task]
    command = ["train", table, "--config", config, "--out", "new", "--quiet"]
    command += ["--set", "train.epochs=4000", "--set", "train.patience=4000", "--set", "train.checkpoint_seconds=0"]

    def press() -> None:
        while not list(Path("new/checkpoints").glob("*.safetensors")):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=press, daemon=True).start()
    answer = cli(*command)
    assert answer.code == 130, answer.err
    assert answer.err.startswith("interrupted: ")
    assert "--resume" in answer.err
    assert len(answer.err.splitlines()) <= 3
    kept = sorted(Path("new/checkpoints").iterdir())
    fails(cli("evaluate", "new", table), 6, "did not finish", "--resume")
    fails(cli(*command), 6, "--resume", "--overwrite")
    assert sorted(Path("new/checkpoints").iterdir()) == kept
