"""Commands in process, and a run to try them on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import tomli_w

from memes import memes, write
from multitag.cli import main, output


@dataclass(frozen=True)
class Answer:
    """What a command printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output as one strict JSON value: no NaN, and nothing beside it."""

        def refuse(name: str) -> None:
            raise AssertionError(f"{name} is not JSON")

        return json.loads(self.out, parse_constant=refuse)


@pytest.fixture(autouse=True)
def every_line_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests take moments, and look at what would be told of work that takes longer."""
    monkeypatch.setattr(output, "SHORT_SECONDS", 0.0)


@pytest.fixture
def cli(capsys, monkeypatch, tmp_path) -> Callable[..., Answer]:
    """Runs a command, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object) -> Answer:
        capsys.readouterr()
        code = main.run([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        return Answer(code, out, err)

    return run


@pytest.fixture(scope="session")
def config(tmp_path_factory, models) -> Path:
    """A configuration that trains in a moment: a tiny ResNet, words, a linear head."""
    values = {
        "encoders": {
            "image": {"name": "transformers_image", "model": str(models["resnet"])},
            "text": {"name": "bag_of_ngrams", "ngrams": 1, "min_count": 1},
        },
        "fusion": {"name": "concat"},
        "head": {"name": "linear"},
        "train": {"epochs": 4, "min_steps": 0, "batch_size": 8, "lr": 0.05, "folds": 0, "ema": 0.0},
        "data": {"valid_share": 0.3},
    }
    path = tmp_path_factory.mktemp("config") / "config.toml"
    path.write_text(tomli_w.dumps(values))
    return path


@pytest.fixture(scope="session")
def trained(tmp_path_factory, config, table) -> Path:
    """A run on the table of 24 rows; not to be changed."""
    out = tmp_path_factory.mktemp("runs") / "trained"
    code = main.run(["train", str(table), "--config", str(config), "--out", str(out), "--quiet"])
    assert code == 0
    return out


@pytest.fixture
def own_run(trained, tmp_path) -> Path:
    """A copy of the run that may be changed."""
    return Path(shutil.copytree(trained, tmp_path / "own_run"))


@pytest.fixture(scope="session")
def span_config(tmp_path_factory, models) -> Path:
    """A configuration of spans that trains in a moment: a tiny BERT."""
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


@pytest.fixture(scope="session")
def span_run(tmp_path_factory, span_config) -> Path:
    """A run that tags spans; not to be changed."""
    folder = tmp_path_factory.mktemp("spans")
    table = write(folder / "memes.json", memes(40))
    code = main.run(["train", str(table), "--config", str(span_config), "--out", str(folder / "run"), "--quiet"])
    assert code == 0
    return folder / "run"
