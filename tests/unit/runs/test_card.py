"""Model cards: metadata that the hub's own reader takes, numbers as in metrics.json, nothing of the rows."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard

from multitag import Classifier, Ensemble, SpanTagger
from multitag.config import Config
from multitag.data.table import read_table
from multitag.runs.card import model_card
from multitag.runs.card_markdown import shown, table
from multitag.types import Span
from training_support import quick, scenes

ENVIRONMENT = {"multitag": "1", "python": "3", "packages": {"torch": "2"}, "written": "today"}


def card_of(folder: Path) -> tuple[ModelCard, dict[str, Any]]:
    """The card and the metrics of a run."""
    return ModelCard.load(folder / "README.md"), json.loads((folder / "metrics.json").read_text())


def assert_numbers(card: ModelCard, metrics: dict[str, Any]) -> None:
    """Every metric is in the metadata with all its digits, and in the text with its interval."""
    scores = metrics["validation"]["metrics"]
    told = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert told == {name: score["value"] for name, score in scores.items() if score["value"] is not None}
    for name, score in scores.items():
        if score["value"] is not None:
            line = f"| {shown(name)} | {score['value']:.4f} | {score['low']:.4f} to {score['high']:.4f} |"
            assert line in card.text


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, table: Path) -> Path:
    """A run on the table of 24 rows, some without a caption."""
    folder = tmp_path_factory.mktemp("card") / "my run"
    Classifier(quick()).fit(table, out=folder)
    return folder


def test_a_run_of_labels_has_its_card(run, table):
    card, metrics = card_of(run)
    assert card.data.license == "unknown"
    assert card.data.library_name == "multitag"
    assert card.data.pipeline_tag == "text-classification"
    assert card.data.model_name == "my run"
    assert {"multitag", "multi-label-classification", "text"} <= set(card.data.tags)
    assert {result.dataset_name for result in card.data.eval_results} == {"table.csv"}
    assert_numbers(card, metrics)
    facts = metrics["data"]
    samples = read_table(table).samples
    assert facts["labels"] == {
        name: sum(name in (s.labels or ()) for s in samples) for name in ("animal", "people", "sea")
    }
    assert (facts["rows"], facts["pictures"], facts["texts"]) == (24, 24, 20)
    for name, count in facts["labels"].items():
        [support] = [each["support"] for each in metrics["validation"]["labels"] if each["label"] == name]
        assert f"| {name} | {count} | {support} |" in card.text
    for heading in ("Data", "Numbers", "Limits", "How to use", "Training and size", "Versions"):
        assert f"\n## {heading}\n" in card.text
    assert "4 of 24 training rows have no text" in card.text


def test_nothing_of_the_rows_is_in_it(run, table):
    text = (run / "README.md").read_text("utf-8")
    assert str(table.parent) not in text
    for sample in read_table(table).samples:
        assert sample.id not in text
        if sample.text:
            assert sample.text not in text


def test_its_code_runs(run, table, tmp_path, monkeypatch, capsys):
    """The lines of Python as they stand, with the folder and the table in the place of names."""
    text = (run / "README.md").read_text("utf-8")
    code = text.split("```python\n")[1].split("```")[0].replace("FOLDER", str(run)).replace("new.csv", str(table))
    exec(compile(code, "card", "exec"), {})
    assert "animal" in capsys.readouterr().out


def test_a_loaded_run_is_saved_with_its_card(run, tmp_path):
    Classifier.load(run).save(tmp_path / "other")
    card, metrics = card_of(tmp_path / "other")
    assert card.data.model_name == "other"
    assert_numbers(card, metrics)


def test_an_ensemble_has_its_card(tmp_path):
    Ensemble({"one": quick(), "two": quick(["train.lr=0.01"])}).fit(scenes(), out=tmp_path / "both")
    card, metrics = card_of(tmp_path / "both")
    assert_numbers(card, metrics)
    assert "An ensemble of 2 models." in card.text
    assert "| members | one, two |" in card.text


def test_a_run_of_spans_has_its_card(tmp_path, models):
    samples = [
        replace(row, labels=None, spans=(Span(0, len((row.text or "").split()[0]), "first"),)) for row in scenes(12)
    ]
    config = Config.for_spans().changed(
        [f"encoders.text.model={models['bert']}", "train.epochs=1", "train.folds=0", "encoders.text.max_length=32"]
    )
    SpanTagger(config).fit(samples, out=tmp_path / "spans")
    card, metrics = card_of(tmp_path / "spans")
    assert card.data.pipeline_tag == "token-classification"
    assert_numbers(card, metrics)
    assert "SpanTagger.load" in card.text
    assert "bert" in card.text
    assert str(models["bert"].parent) not in card.text, "the folder of a model on this machine is nobody's business"


def made(labels: tuple[str, ...], **metrics: Any) -> str:
    return model_card("x", quick(), labels, metrics, ENVIRONMENT)


def scored(label: str, support: int, predicted: int) -> dict[str, Any]:
    return {"label": label, "support": support, "predicted": predicted, "precision": 1.0, "recall": 0.0, "f1": 0.0}


def test_limits_name_what_is_rare_never_predicted_and_unseen():
    validation = {
        "rows": 200,
        "metrics": {"map": {"value": None, "low": None, "high": None}},
        "labels": [scored("a|b", 5, 0), scored("common", 90, 80), scored("new", 1, 0)],
        "unseen": ["new"],
        "empty": 0,
    }
    data = {"table": "t.csv", "rows": 150, "pictures": 0, "texts": 150, "labels": {"a|b": 19, "common": 20}}
    text = made(("a|b", "common"), scored_on="out_of_fold", validation=validation, data=data, rows={})
    assert "Rarely seen, in fewer than 20 training rows: a\\|b (19)." in text
    assert "though some have them: a\\|b, new." in text
    assert "not in training, so never predicted: new." in text
    assert "| map | - | - to - |" in text
    assert "Every training row has a text" in text
    assert ModelCard(text).data.eval_results is None, "a metric that is not defined is no result"


def test_without_metrics_it_says_so():
    text = model_card("x", quick(), ("a",), None, ENVIRONMENT)
    assert "Nothing was measured." in text
    assert ModelCard(text).data.pipeline_tag == "text-classification"


def test_users_words_are_no_markup():
    assert shown("<b>a|b</b>\n# [x](y) `z`") == "\\<b\\>a\\|b\\</b\\> \\# \\[x\\](y) \\`z\\`"
    assert table(("a", "b"), [("1|2", 3)]) == "| a | b |\n| --- | --- |\n| 1\\|2 | 3 |"
    text = made((":", "- x", "---"), validation=None)
    assert ModelCard(text).data.library_name == "multitag"
