"""Explanations, studies and runs of spans in a browser: what their pages show is what the commands say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from memes import memes, write
from multitag import Config, SpanTagger
from multitag.classifier import Classifier
from multitag.cli import main
from training_support import quick, scenes

Say = Callable[..., Any]


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Runs a command; what it prints as JSON."""

    def run(*arguments: object) -> Any:
        capsys.readouterr()
        assert main.run([*map(str, arguments), "--json", "--quiet"]) == 0, capsys.readouterr().err
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def table(tmp_path: Path) -> Path:
    lines = [f"{sample.id},{sample.text},{' '.join(sample.labels or ())}" for sample in scenes(60)]
    path = tmp_path / "table.csv"
    path.write_text("\n".join(["id,text,labels", *lines]) + "\n")
    return path


def cells(table: Any, column: int) -> list[str]:
    found: list[str] = table.locator(f"tbody td:nth-child({column})").all_inner_texts()
    return found


def test_an_explanation(open_page: Callable[..., Any], say: Say, table: Path, tmp_path: Path) -> None:
    Classifier(quick(["calibration.name=none"])).fit(scenes(60), out=tmp_path / "run")
    told = say("explain", tmp_path / "run", table, "--row", "row1", "--labels", "sea", "--out", tmp_path / "why.html")
    [label] = told["labels"]
    page = open_page(tmp_path / "why.html").page
    assert page.locator("section h2").all_inner_texts() == ["sea"]
    words = page.locator(".table[data-name='Words']")
    words.scroll_into_view_if_needed()
    expected = {word["word"]: word["worth"] for word in label["text"]["words"]}
    assert {w: float(v) for w, v in zip(cells(words, 1), cells(words, 2), strict=True)} == pytest.approx(
        expected, abs=0.005
    )
    words.get_by_role("button", name="worth", exact=True).click()
    falling = [float(cell) for cell in cells(words, 2)]
    assert falling == sorted(falling, reverse=True)
    words.get_by_role("button", name="worth", exact=True).click()
    assert [float(cell) for cell in cells(words, 2)] == falling[::-1] != falling


def test_a_study(open_page: Callable[..., Any], say: Say, table: Path, tmp_path: Path) -> None:
    config = tmp_path / "config.toml"
    config.write_text(quick(train={"epochs": 3}).dump())
    told = say(
        "ablate", table, "--config", config, "--vary", "loss.name=bce,focal", "--vary", "train.lr=0.05,0.0001",
        "--seeds", "2", "--jobs", "1", "--out", tmp_path / "study", "--report", tmp_path / "study.html",
    )  # fmt: skip
    page = open_page(tmp_path / "study.html").page
    ranking = page.locator(".table").first
    assert cells(ranking, 2) == [rank["name"] for rank in told["ranking"]]
    assert [float(cell) for cell in cells(ranking, 3)] == pytest.approx(
        [rank["mean"] for rank in told["ranking"]], abs=5e-5
    )
    ranking.get_by_role("button", name="configuration", exact=True).click()
    assert sorted(rank["name"] for rank in told["ranking"]) in (cells(ranking, 2), cells(ranking, 2)[::-1])
    chart = page.locator(".chart[data-name='samples F1']").first
    chart.scroll_into_view_if_needed()
    page.wait_for_function("() => document.querySelectorAll('.plot .main-svg').length >= 1")
    assert chart.locator("g.trace.boxes").count() >= 2


def test_texts_with_their_spans(
    open_page: Callable[..., Any], say: Say, models: dict[str, Path], tmp_path: Path
) -> None:
    changes = [f"encoders.text.model={models['bert']}", "train.epochs=2", "train.folds=0", "train.batch_size=8"]
    rows = write(tmp_path / "memes.json", memes(40))
    SpanTagger(Config.for_spans().changed(changes)).fit(rows, out=tmp_path / "run")
    told = say("report", tmp_path / "run", rows, "--rounds", "20", "--out", tmp_path / "spans.html")
    [scored] = told["runs"]
    page = open_page(tmp_path / "spans.html").page
    shown = page.locator(".spans")
    shown.scroll_into_view_if_needed()
    page.wait_for_selector(".spans article")
    gold = {row["id"]: row for row in memes(40)}
    for article in shown.locator("article").all():
        name = article.locator("header span").first.inner_text()
        marks = article.locator("[data-side='gold'] mark")
        labels, words = marks.evaluate_all("m => m.map((e) => e.dataset.label)"), marks.all_text_contents()
        expected = [(span["technique"], span["text_fragment"]) for span in gold[name]["labels"]]
        assert sorted(zip(labels, words, strict=True)) == sorted(expected)
    shown.get_by_label("Label").select_option("animal")
    having = sum(any(span["technique"] == "animal" for span in row["labels"]) for row in gold.values())
    assert int(shown.locator(".count").inner_text().split()[0]) >= having
    labels = page.locator(".table[data-name='Labels']")
    f1 = {line["label"]: line["f1"] for line in scored["labels"]}
    place = labels.locator("thead tr").first.locator("th").all_inner_texts().index("F1") + 1
    assert {n: float(v) for n, v in zip(cells(labels, 1), cells(labels, place), strict=True)} == pytest.approx(
        f1, abs=5e-4
    )
