"""Scores: of all rows together, of each label, and of parts of the rows."""

from __future__ import annotations

from multitag.analysis.slices import METRICS as SLICED
from multitag.analysis.slices import Slice
from multitag.metrics.bootstrap import Interval
from multitag.pages.run.names import metric_title
from multitag.pages.run.seen import Seen
from multitag.report import Block, Choice, Column, Section, Table, Text, Tile, Tiles, charts

TOLD = ("samples_f1", "micro_f1", "macro_f1", "map")
"""The metrics that a reader should see first."""


def overall(seen: Seen) -> Section:
    """Every metric with its interval, of every run."""
    first = seen.runs[0]
    scores = first.evaluation
    tiles = [
        Tile(metric_title(name), round(score.value, 4), _interval(score))
        for name, score in scores.metrics.items()
        if name in TOLD
    ]
    tiles.append(Tile("rows scored", scores.rows, f"{scores.empty} got no label" if scores.empty else ""))
    notes = [Text(note, "warning") for run in seen.runs for note in run.answered.notes]
    columns = [Column("metric")]
    for run in seen.runs:
        prefix = f"{run.name}: " if len(seen.runs) > 1 else ""
        columns += [Column(f"{prefix}{part}", "number", digits=4) for part in ("value", "low", "high")]
    rows = [
        (name, *(part for run in seen.runs for part in _parts(run.evaluation.metrics[name]))) for name in scores.metrics
    ]
    drawn = {
        run.name: {
            name: _parts(score) for name, score in run.evaluation.metrics.items() if name not in ("brier", "ece")
        }
        for run in seen.runs
    }
    blocks: list[Block] = [*notes, Tiles("Overall" if len(seen.runs) == 1 else first.name, tiles)]
    blocks.append(charts.intervals("Metrics", drawn, value="score, with its 95 % interval", of="metric"))
    blocks.append(Table("All metrics", columns, rows, note="brier and ece are errors: the lower, the better."))
    return Section(
        "Scores",
        blocks,
        f"An interval holds 95 % of the scores of {seen.rounds:,} draws of as many rows, with repetition, from these: "
        "the fewer the rows, the wider.",
    )


def by_label(seen: Seen) -> Section:
    """A line for each label."""
    analysis = seen.analysis
    errors = {curve.label: curve.ece for curve in analysis.reliability[1:]}
    rows = [
        (
            score.label + (" (never seen in training)" if score.label in analysis.evaluation.unseen else ""),
            score.support,
            score.predicted,
            score.true_positives,
            score.precision,
            score.recall,
            *_parts(interval),
            score.average_precision,
            errors[score.label],
        )
        for score, interval in zip(analysis.evaluation.labels, analysis.label_f1, strict=True)
    ]
    columns = (
        Column("label"),
        Column("rows", "number", digits=0, help="Rows that have the label."),
        Column("predicted", "number", digits=0, help="Rows that it is predicted for."),
        Column("right", "number", digits=0, help="Rows that have it and that it is predicted for."),
        Column("precision", "number"),
        Column("recall", "number"),
        Column("F1", "number"),
        Column("low", "number", help="Lower end of the 95 % interval of F1."),
        Column("high", "number", help="Upper end of the 95 % interval of F1."),
        Column("average precision", "number", help="Of the label's ranking, free of any threshold."),
        Column(
            "calibration error", "number", help="Mean gap between the probability and how often the label is there."
        ),
    )
    order = sorted(zip(analysis.evaluation.labels, analysis.label_f1, strict=True), key=lambda pair: -pair[1].value)
    drawn = {"F1": {score.label: _parts(interval) for score, interval in order}}
    return Section(
        "Labels",
        (
            charts.intervals("F1 of each label", drawn, value="F1, with its 95 % interval"),
            Table("Labels", columns, rows, shown=60),
        ),
        "A label with few rows has a wide interval: do not choose between models by it.",
    )


def by_part(seen: Seen) -> Section | None:
    """Scores of parts of the rows; `None` where nothing parts them."""
    parts = seen.analysis.slices
    if not parts:
        return None
    kinds = dict.fromkeys(part.by for part in parts)
    options = {kind: (_part_chart(kind, [part for part in parts if part.by == kind]),) for kind in kinds}
    columns = [Column("by", choice=True), Column("part"), Column("rows", "number", digits=0)]
    for metric in SLICED:
        columns.append(Column(metric_title(metric), "number"))
        columns += [Column(f"{metric.replace('_', ' ')} {end}", "number") for end in ("low", "high")]
    rows = [
        (part.by, part.name, part.rows, *(x for metric in SLICED for x in _parts(part.metrics[metric])))
        for part in parts
    ]
    return Section(
        "Parts of the rows",
        (Choice("Samples F1 by part", options), Table("Parts", columns, rows, shown=40)),
        "Where a part scores well below the others, look at its rows. Rows with more labels are harder to have wholly "
        "right, in any data.",
    )


def _part_chart(kind: str, parts: list[Slice]) -> Block:
    drawn = {f"{part.name} ({part.rows:,})": _parts(part.metrics["samples_f1"]) for part in parts}
    return charts.intervals(kind, {"samples F1": drawn}, value="samples F1, with its 95 % interval", of="part (rows)")


def _parts(score: Interval) -> tuple[float, float, float]:
    return score.value, score.low, score.high


def _interval(score: Interval) -> str:
    return f"{score.low:.3f} to {score.high:.3f}"
