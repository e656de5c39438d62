"""Answers to rows of a report: out of fold where the run held them out, and it is known which can be trusted."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from multitag.classifier import Classifier
from multitag.data.table import read_table
from multitag.errors import DataError, RunError
from multitag.features.rows import check_rows
from multitag.fitting.answering import Answered, answer_table, held_out_answers, same_rows
from multitag.fitting.copies import row_keys
from multitag.types import Sample
from training_support import quick, scenes


def distinct(rows: int = 40, start: int = 0) -> list[Sample]:
    """Scenes no two of which show the same."""
    return [replace(sample, text=f"{sample.text} {n + start}") for n, sample in enumerate(scenes(rows, start=start))]


def answers(run: Classifier, rows: list[Sample], **options: Any) -> Answered:
    return answer_table(run.pipeline_, read_table(rows), run.config, **options)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("run") / "run"
    Classifier(quick(train={"folds": 4})).fit(distinct(), out=out)
    return out


@pytest.fixture
def run(folder: Path) -> Classifier:
    return Classifier.load(folder)


def test_training_rows_are_answered_out_of_fold_in_any_order(run: Classifier) -> None:
    rows = distinct()[::-1][:30]
    found = answers(run, rows)
    held = run.pipeline_.calibration.apply(run.pipeline_.held_out.logits)
    assert np.array_equal(found.predictions.probabilities, held[::-1][:30])
    assert found.kept == 30
    assert found.fresh.all()
    assert found.notes == ()
    assert found.predictions.ids == tuple(sample.id for sample in rows)


def test_new_rows_are_answered_by_the_model(run: Classifier) -> None:
    new, old = distinct(10, start=100), distinct(10)
    found = answers(run, [*new, *old])
    assert found.kept == 10
    assert found.fresh.all()
    assert np.array_equal(found.predictions.probabilities[:10], run.predict_proba(new).values)
    assert np.array_equal(found.predictions.values[:10], run.predict(new).values)


def test_labels_are_the_tables_own_and_corrected_ones_count(run: Classifier) -> None:
    rows = [replace(sample, labels=("sea",)) for sample in distinct(5)]
    found = answers(run, rows)
    assert found.kept == 5
    assert [sample.labels for sample in found.samples] == [("sea",)] * 5


def test_without_folds_rows_trained_on_are_known_to_flatter(tmp_path: Path) -> None:
    run = Classifier(quick()).fit(distinct())
    found = answers(run, distinct())
    held = len(run.pipeline_.held_out.logits)
    assert 0 < held < 40
    assert (found.kept, int(found.fresh.sum())) == (held, held)
    assert "flatters" in found.notes[0]


def test_a_run_without_keys_answers_as_evaluate_does(run: Classifier) -> None:
    pipeline = run.pipeline_
    older = replace(pipeline, held_out=replace(pipeline.held_out, rows=np.zeros(0, np.int64)))
    found = answer_table(older, read_table(distinct()), run.config)
    assert (found.kept, found.fresh.any()) == (0, False)
    assert np.array_equal(found.predictions.probabilities, run.predict_proba(distinct()).values)


def test_a_run_can_be_looked_at_without_a_table(run: Classifier) -> None:
    found = held_out_answers(run.pipeline_)
    assert len(found.samples) == 40
    assert [sample.labels for sample in found.samples] == [
        tuple(name for name in run.labels_.names if name in (sample.labels or ())) for sample in distinct()
    ]
    assert np.array_equal(found.predictions.values, answers(run, distinct()).predictions.values)


def test_unknown_labels_of_held_out_rows_stay_unknown() -> None:
    rows = [
        replace(sample, labels=tuple(x for x in sample.labels or () if x != "sea"), unknown=("sea",))
        if n == 3
        else sample
        for n, sample in enumerate(distinct())
    ]
    run = Classifier(quick(train={"folds": 4})).fit(rows)
    assert held_out_answers(run.pipeline_).samples[3].unknown == ("sea",)


def test_runs_are_compared_on_the_same_rows_only(run: Classifier) -> None:
    first = held_out_answers(run.pipeline_)
    same_rows([first, first])
    other = held_out_answers(Classifier(quick()).fit(distinct()).pipeline_)
    with pytest.raises(DataError, match="give a table"):
        same_rows([first, other])


def test_a_damaged_list_of_held_out_rows_is_refused(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    held = load_file(copy / "held_out.safetensors")
    assert len(held["held_rows"]) == 40
    save_file({**held, "held_rows": held["held_rows"][:7]}, copy / "held_out.safetensors")
    with pytest.raises(RunError, match="7 keys of 40 rows"):
        Classifier.load(copy)


def test_the_same_text_beside_another_picture_is_another_row(run: Classifier) -> None:
    rows = check_rows(distinct(3), run.config)
    keys = row_keys(rows)
    assert len(set(keys.tolist())) == 3
    rows.hashes[0] = "a picture"
    assert (row_keys(rows) == keys).tolist() == [False, True, True]
