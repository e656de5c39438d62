"""The page of runs: its numbers are those of the evaluation, whatever the rows hold."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("jinja2", reason="needs the extra 'report'")
pytest.importorskip("cleanlab", reason="needs the extra 'report'")

from made_runs import made_rows, made_run
from multitag.errors import DataError
from multitag.evaluation import answers_of, evaluation_of
from multitag.metrics import METRICS
from multitag.metrics.bootstrap import paired_bootstrap
from multitag.pages.run.page import page_of
from multitag.pages.run.seen import Seen, names_of, seen_of
from multitag.report import Thumbnails
from multitag.report.render import render
from multitag.report.values import to_json, to_tables

ROWS = made_rows(150, 5)
FOLDERS = [Path("runs/a"), Path("runs/b")]


def look(*runs: Any, rows: int = 150, **options: Any) -> Seen:
    return seen_of(
        FOLDERS[: len(runs)], [run[0] for run in runs], [run[1] for run in runs], table="t.csv", rounds=20, **options
    )


@pytest.fixture(scope="module")
def alone() -> Seen:
    return look(made_run(ROWS, 5))


@pytest.fixture(scope="module")
def pair() -> Seen:
    return look(made_run(ROWS, 5), made_run(ROWS, 5, seed=2, sharp=0.5, decision="top_k"))


def test_its_scores_are_the_evaluations(alone: Seen) -> None:
    answered = alone.runs[0].answered
    expected = evaluation_of(answers_of(answered.predictions, answered.samples), rounds=20)
    values = to_json(page_of(alone))
    assert alone.runs[0].evaluation == expected
    for line in values["sections"]["Scores"]["All metrics"]:
        interval = expected.metrics[line["metric"]]
        assert (line["value"], line["low"], line["high"]) == (interval.value, interval.low, interval.high)
    for line, score in zip(values["sections"]["Labels"]["Labels"], expected.labels, strict=True):
        assert (line["label"], line["rows"], line["right"]) == (score.label, score.support, score.true_positives)
        assert (line["precision"], line["F1"]) == (score.precision, score.f1)


def test_it_has_all_parts_and_strict_json(alone: Seen, pair: Seen) -> None:
    one, two = to_json(page_of(alone)), to_json(page_of(pair))
    parts = [
        "Scores",
        "Labels",
        "Thresholds",
        "Curves and calibration",
        "Confusion",
        "Rows to look at",
        "Parts of the rows",
        "Suspected label errors",
    ]
    assert list(one["sections"]) == parts
    assert list(two["sections"]) == [parts[0], "Runs compared", *parts[1:]]
    json.dumps([one, two], allow_nan=False)
    assert "worst" not in json.dumps(one["sections"]["Thresholds"])
    assert len(json.dumps(one["sections"]["Thresholds"])) < 30_000  # thresholds to read, not packed arrays
    assert "<html" in render(page_of(pair))


def test_rows_to_look_at_say_what_is_wrong(alone: Seen) -> None:
    errors, scored = alone.analysis.errors, alone.analysis.scored
    lines = to_json(page_of(alone))["sections"]["Rows to look at"]["Rows with errors"]
    place = {sample.id: n for n, sample in enumerate(scored.samples)}
    assert lines
    for line in lines:
        n = place[line["row"]]
        assert set(line["missed"]) == set(line["gold"]) - set(line["predicted"])
        assert set(line["extra"]) <= set(line["predicted"]) - set(line["gold"])
        assert line["loss"] == errors.loss[n]
        assert line["text"] == scored.samples[n].text
        kinds = {(True, True): "missed and extra", (True, False): "missed", (False, True): "extra"}
        assert line["error"] == kinds[bool(line["missed"]), bool(line["extra"])]
        for name in line["gold"]:
            assert f"{name} {scored.probabilities[n, scored.names.index(name)]:.2f}" in line["probabilities"]
    assert [line["loss"] for line in lines] == sorted((line["loss"] for line in lines), reverse=True)


def test_two_runs_are_tested_in_pairs(pair: Seen) -> None:
    ours, theirs = pair.runs
    expected = paired_bootstrap(ours.scored.answers, theirs.scored.answers, METRICS.names(), rounds=20)
    told = to_json(page_of(pair))["sections"]["Runs compared"]
    for line in told["Metrics"]:
        gap = expected[line["metric"]]
        assert (line["difference"], line["low"], line["high"], line["p"]) == (gap.value, gap.low, gap.high, gap.p)
        if line["better"] != "cannot tell":
            up = gap.value > 0
            assert line["better"] == ("a" if up == METRICS.get(line["metric"]).greater_is_better else "b")
    assert {line["metric"]: line["better"] for line in told["Metrics"]}["map"] == "a"
    differing = (ours.scored.answers.claimed != theirs.scored.answers.claimed).any(axis=1).sum()
    assert told["Rows"]["answered otherwise"] == differing
    assert len(told["Rows that differ"]) == min(differing, 150)
    tiles = told["Rows"]
    assert sum(tiles[name] for name in ("both right", "only a", "only b", "neither")) == 150


def test_rows_trained_on_are_not_suspected() -> None:
    pipeline, answered = made_run(ROWS, 5)
    none = look((pipeline, replace(answered, fresh=np.zeros(150, bool), notes=("a note",))))
    assert none.analysis.suspects is None
    page = page_of(none)
    assert "believes the labels" in render(page)
    assert "a note" in render(page)
    half = look((pipeline, replace(answered, fresh=np.arange(150) < 75)))
    assert half.analysis.suspects is not None
    assert all(error.row < 75 for error in half.analysis.suspects.found)


@pytest.mark.parametrize("decision", ["global_threshold", "per_label", "top_k", "expected_f1"])
def test_every_decision_has_a_page(decision: str) -> None:
    seen = look(made_run(ROWS[:40], 3, decision=decision))
    assert decision in dict(page_of(seen).facts)["decision"]
    assert (seen.runs[0].thresholds is None) == (decision in ("top_k", "expected_f1"))


def test_labels_never_seen_and_names_of_any_kind() -> None:
    odd = ("all labels", "<b>", "x" * 300)
    samples = [
        replace(sample, labels=(*(sample.labels or ()), odd[n % 3]), text="</script>" * 200)
        for n, sample in enumerate(ROWS[:60])
    ]
    pipeline, answered = made_run(ROWS[:60], 5)
    seen = look((pipeline, replace(answered, samples=samples)))
    assert set(seen.runs[0].evaluation.unseen) == set(odd)
    page = page_of(seen)
    values = to_json(page)
    assert {"all labels", "all labels (label)"} <= set(values["sections"]["Curves and calibration"]["Label"])
    assert "</script></script>" not in render(page)


def test_a_run_of_few_rows_all_right_still_has_a_page() -> None:
    seen = look(made_run(ROWS[:3], 5, sharp=50.0))
    assert not seen.analysis.errors.wrong.any()
    values = to_json(page_of(seen))
    assert values["sections"]["Suspected label errors"]["Labels to check"] == []
    assert "Every label set is right" in render(page_of(seen))


def test_pictures_are_thumbnails_and_missing_ones_are_left_out(tmp_path: Path) -> None:
    from PIL import Image

    Image.new("RGB", (300, 200), "red").save(tmp_path / "a.png")
    samples = made_rows(60, 3, pictures=[tmp_path / "a.png", tmp_path / "none.png"])
    made = Thumbnails(side=50)
    page = page_of(look(made_run(samples, 3, sharp=0.5)), thumbnails=made)
    assert made.note.startswith("1 pictures")
    assert render(page).count("data:image/webp") == 1


def test_tables_are_named_after_their_sections(pair: Seen) -> None:
    names = set(to_tables(page_of(pair)))
    assert {"scores-all-metrics", "labels-labels", "rows-to-look-at-rows-with-errors", "runs-compared-metrics"} <= names


def test_runs_on_other_rows_are_refused() -> None:
    with pytest.raises(DataError, match="other rows"):
        look(made_run(ROWS, 5), made_run(ROWS[:100], 5))


def test_names_of_runs() -> None:
    assert names_of([Path("x/a"), Path("x/b")]) == ["a", "b"]
    assert names_of([Path("x/a"), Path("y/a")]) == ["x/a", "y/a"]
