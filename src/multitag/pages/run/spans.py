"""The page of runs that tag spans."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from multitag import __version__
from multitag.analysis.training_curves import TrainingCurve, training_curves
from multitag.data.table import TableSource
from multitag.pages.run.names import metric_title
from multitag.pages.run.seen import names_of
from multitag.pages.run.training import history
from multitag.progress import Progress, silent
from multitag.report import Block, Column, Interactive, Numbers, Page, Section, Table, Text, Tile, Tiles, charts
from multitag.runs.files import read_record
from multitag.span_evaluation import ScoredText, SpanEvaluation
from multitag.span_layers import layers
from multitag.tagger import SpanTagger
from multitag.types import Span

MOST_TEXTS = 300


@dataclass(frozen=True, eq=False)
class SeenTagger:
    """A span tagger's answers.

    Attributes:
        name: What the page calls it.
        evaluation: Its scores, and its answer to each text.
        training: Its history.
    """

    name: str
    evaluation: SpanEvaluation
    training: list[TrainingCurve]


def look_at_spans(
    folders: Sequence[Path],
    taggers: Sequence[SpanTagger],
    rows: TableSource,
    *,
    images: str | Path | None = None,
    rounds: int = 1000,
    progress: Progress = silent,
) -> list[SeenTagger]:
    """Score the taggers on the same rows.

    Raises:
        DataError: The rows cannot be used.
    """
    return [
        SeenTagger(
            name,
            tagger.evaluate(rows, images=images, rounds=rounds, progress=progress),
            training_curves(read_record(folder)[1] or []),
        )
        for name, folder, tagger in zip(names_of(folders), folders, taggers, strict=True)
    ]


def page_of_spans(seen: Sequence[SeenTagger], table: str) -> Page:
    """Scores, a line for each label, the texts with gold and predicted spans, and how training went."""
    first = seen[0]
    sections = [_scores(seen), _labels(first), _texts(first)]
    went = history([(run.name, run.training) for run in seen])
    return Page(
        title=" and ".join(run.name for run in seen),
        sections=sections if went is None else [*sections, went],
        subtitle=f"{first.evaluation.rows:,} texts of {table}",
        facts=[
            ("labels", f"{len(first.evaluation.labels):,}"),
            ("made", time.strftime("%Y-%m-%d %H:%M")),
            ("multitag", __version__),
        ],
    )


def _scores(seen: Sequence[SeenTagger]) -> Section:
    first = seen[0].evaluation
    tiles = [
        Tile(metric_title(name), round(score.value, 4), f"{score.low:.3f} to {score.high:.3f}")
        for name, score in first.metrics.items()
        if name.startswith("partial") or name == "exact_f1"
    ]
    tiles.append(Tile("texts", first.rows, f"{first.empty} got no span" if first.empty else ""))
    drawn = {run.name: {name: (s.value, s.low, s.high) for name, s in run.evaluation.metrics.items()} for run in seen}
    blocks: list[Block] = [
        Text(
            "These runs mark spans of texts. Threshold sliders, curves, confusion, parts of the rows and suspected "
            "label errors are for runs that give label sets.",
            "note",
        ),
        Tiles("Overall" if len(seen) == 1 else seen[0].name, tiles),
        charts.intervals("Metrics", drawn, value="score, with its 95 % interval", of="metric"),
    ]
    return Section("Scores", blocks, "Partial matches count by the characters they share, as SemEval-2021 task 6 does.")


def _labels(run: SeenTagger) -> Section:
    columns = (
        Column("label"),
        *(Column(name, "number", digits=0) for name in ("gold spans", "predicted", "exactly right")),
        *(Column(name, "number") for name in ("precision", "recall", "F1", "exact F1")),
    )
    rows = [
        (
            score.label + (" (never seen in training)" if score.label in run.evaluation.unseen else ""),
            score.support,
            score.predicted,
            score.hits,
            score.precision,
            score.recall,
            score.f1,
            score.exact_f1,
        )
        for score in run.evaluation.labels
    ]
    return Section("Labels", (Table("Labels", columns, rows, shown=60),))


def _texts(run: SeenTagger) -> Section:
    """The texts, the worst first, each span a coloured stretch."""
    evaluation = run.evaluation
    worst = evaluation.worst(MOST_TEXTS)
    chosen = worst + [text for text in evaluation.texts if text.wrong == 0][: MOST_TEXTS - len(worst)]
    payload = {
        "labels": [score.label for score in evaluation.labels],
        "texts": [_drawn(text) for text in chosen],
    }
    rows = [
        (text.id, text.wrong, side, span.start, span.stop, span.label, text.text[span.start : span.stop])
        for text in chosen
        for side, spans in (("gold", text.gold), ("predicted", text.predicted))
        for span in spans
    ]
    return Section(
        "Texts",
        (
            Interactive(
                "Gold and predicted spans",
                payload,
                files("multitag.pages.run").joinpath("spans.js").read_text("utf-8"),
                files("multitag.pages.run").joinpath("spans.html").read_text("utf-8"),
                Numbers(("row", "wrong", "side", "start", "end", "label", "words"), rows),
                note=f"{len(chosen):,} of {len(evaluation.texts):,} texts, those with the largest share of wrong spans "
                "first. A text with overlapping spans stands once for each layer of them.",
            ),
        ),
    )


def _drawn(text: ScoredText) -> dict[str, Any]:
    return {
        "id": text.id,
        "wrong": text.wrong,
        "gold": _layers(text.text, text.gold),
        "predicted": _layers(text.text, text.predicted),
        "labels": sorted({span.label for span in (*text.gold, *text.predicted)}),
    }


def _layers(text: str, spans: Sequence[Span]) -> list[list[tuple[str, str | None]]]:
    """For each layer, pieces of the text in their order, and the label of each."""
    found = [[(text[part.start : part.stop], part.label) for part in layer] for layer in layers(text, spans)]
    return found or [[(text, None)]]
