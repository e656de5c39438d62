"""The page of a run in a browser: what its sliders show is what the commands say."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("cleanlab", reason="needs the extra 'report'")

from made_runs import made_rows, made_run
from multitag.cli import main
from multitag.evaluation import evaluate
from multitag.metrics import METRICS
from multitag.pages.run.page import page_of
from multitag.pages.run.seen import Seen, seen_of
from multitag.report import write_page
from multitag.types import Predictions

LABELS = 6
FREE = {"map", "brier", "ece"}
"""Metrics that no threshold changes."""


@pytest.fixture(scope="module")
def seen() -> Seen:
    pipeline, answered = made_run(made_rows(200, LABELS), LABELS, sharp=1.0)
    return seen_of([Path("runs/made")], [pipeline], [answered], table="made.csv", rounds=20)


@pytest.fixture(scope="module")
def written(seen: Seen, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_page(page_of(seen), tmp_path_factory.mktemp("page") / "report.html").html


def expected(seen: Seen, thresholds: list[float], *, never_empty: bool) -> dict[str, float]:
    """Every metric under these thresholds, worked out without the grid."""
    answered = seen.runs[0].answered
    probabilities = answered.predictions.probabilities
    values = probabilities >= np.array(thresholds)
    if never_empty:
        values[~values.any(1), probabilities[~values.any(1)].argmax(1)] = True
    made = Predictions(answered.predictions.ids, answered.predictions.space, values, probabilities)
    return {name: score.value for name, score in evaluate(made, answered.samples, rounds=1).metrics.items()}


def shown(page: Any) -> dict[str, float]:
    """What the page's own arithmetic says, every digit of it."""
    cells = page.locator(".thresholds [data-now]")
    return {
        name: float(value)
        for name, value in cells.evaluate_all("cells => cells.map((c) => [c.dataset.now, c.dataset.value])")
    }


def move(page: Any, label: str, step: int) -> None:
    """Put a slider somewhere, as a hand would, and wait until the page has reckoned."""
    slider = page.locator(f".thresholds input[type=range]{label}")
    slider.evaluate("(s, v) => { s.value = v; s.dispatchEvent(new Event('input')); }", step)
    drawn(page)


def drawn(page: Any) -> None:
    """Wait until what was asked for is drawn: the page draws in the next frame, ours comes after it."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


@pytest.fixture
def page(open_page: Callable[..., Any], written: Path) -> Any:
    found = open_page(written).page
    found.locator(".thresholds").scroll_into_view_if_needed()
    found.wait_for_selector(".interactive .root[data-drawn]")
    return found


def test_at_first_it_shows_the_runs_own_decision(page: Any, seen: Seen) -> None:
    told = {name: score.value for name, score in seen.runs[0].evaluation.metrics.items()}
    assert shown(page) == pytest.approx(told, abs=1e-12)
    assert set(told) == set(METRICS.names())
    assert "As the run decided (global_threshold" in page.locator("[data-state]").inner_text()


@pytest.mark.parametrize("step", [0, 137, 500, 861, 1000])
def test_the_common_threshold_gives_every_metric(page: Any, seen: Seen, step: int) -> None:
    move(page, "[data-common]", step)
    threshold = float(f"0.{step:03d}") if step < 1000 else 1.0
    assert shown(page) == pytest.approx(expected(seen, [threshold] * LABELS, never_empty=True), abs=1e-12)
    assert f"threshold={threshold:.3f} --option never_empty=yes" in page.locator("[data-command]").inner_text()
    page.get_by_label("every row gets a label").click()
    drawn(page)
    assert shown(page) == pytest.approx(expected(seen, [threshold] * LABELS, never_empty=False), abs=1e-12)


def test_each_label_has_a_threshold_of_its_own(page: Any, seen: Seen) -> None:
    move(page, "[data-common]", 400)
    move(page, '[aria-label="Threshold of label 2"]', 733)
    found = expected(seen, [0.4, 0.4, 0.733, 0.4, 0.4, 0.4], never_empty=True)
    assert shown(page) == pytest.approx(found, abs=1e-12)
    assert page.locator("[data-command]").is_hidden()
    number = page.locator('.thresholds input[type=number][aria-label="Threshold of label 4"]')
    number.fill("0.05")
    number.press("Enter")
    drawn(page)
    found = expected(seen, [0.4, 0.4, 0.733, 0.4, 0.05, 0.4], never_empty=True)
    assert shown(page) == pytest.approx(found, abs=1e-12)
    page.get_by_role("button", name="As the run decided").click()
    drawn(page)
    own = {name: score.value for name, score in seen.runs[0].evaluation.metrics.items()}
    assert shown(page) == pytest.approx(own, abs=1e-12)


def test_a_label_has_its_own_numbers(page: Any, seen: Seen) -> None:
    for score in seen.runs[0].evaluation.labels:
        cells = {
            name: float(page.locator(f'.thresholds [data-{name}="{score.label}"]').get_attribute("data-value"))
            for name in ("positive", "predicted", "precision", "recall", "f1")
        }
        assert (cells["positive"], cells["predicted"]) == (score.support, score.predicted)
        assert (cells["precision"], cells["recall"], cells["f1"]) == pytest.approx(
            (score.precision, score.recall, score.f1), abs=1e-12
        )


def test_rows_are_filtered_by_label_and_kind_of_error(page: Any, seen: Seen) -> None:
    table = page.locator(".table[data-name='Rows with errors']")
    table.scroll_into_view_if_needed()
    table.get_by_label("Filter by missed").select_option("label 3")
    missed = table.locator("tbody tr td:nth-child(7)")
    assert missed.count() > 0
    assert all("label 3" in text for text in missed.all_inner_texts())
    table.get_by_label("Filter by error").select_option("missed")
    assert set(table.locator("tbody tr td:nth-child(4)").all_inner_texts()) == {"missed"}


def test_it_opens_in_the_dark_and_on_a_telephone(open_page: Callable[..., Any], written: Path) -> None:
    page = open_page(written, width=380, scheme="dark").page
    page.locator(".thresholds").scroll_into_view_if_needed()
    page.wait_for_selector(".interactive .root[data-drawn]")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_the_page_and_the_command_say_the_same(
    open_page: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from multitag.classifier import Classifier
    from training_support import quick, scenes

    run, table, out = tmp_path / "run", tmp_path / "new.csv", tmp_path / "report.html"
    Classifier(quick(train={"epochs": 2})).fit(scenes(), out=run)
    lines = [f"{sample.text} {n % 7},{' '.join(sample.labels or ())}" for n, sample in enumerate(scenes(30, start=100))]
    table.write_text("\n".join(["text,labels", *lines[:29], "nothing of this kind,"]) + "\n")
    assert main.run(["report", str(run), str(table), "--out", str(out), "--rounds", "20", "--quiet"]) == 0
    page = open_page(out).page
    page.locator(".thresholds").scroll_into_view_if_needed()
    page.wait_for_selector(".interactive .root[data-drawn]")
    for step in (200, 333, 700):
        move(page, "[data-common]", step)
        told = page.locator("[data-command]").inner_text().split()
        assert told[:4] == ["multitag", "evaluate", str(run), str(table)]
        capsys.readouterr()
        assert main.run(["evaluate", str(run), str(table), *told[4:], "--rounds", "1", "--json", "--quiet"]) == 0
        said = {name: score["value"] for name, score in json.loads(capsys.readouterr().out)["metrics"].items()}
        assert shown(page) == pytest.approx(said, abs=1e-12)
