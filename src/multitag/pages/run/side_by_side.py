"""The first run beside each other one, on the same rows."""

from __future__ import annotations

from multitag.analysis.comparison import Comparison
from multitag.analysis.row_errors import row_errors
from multitag.metrics import METRICS
from multitag.pages.run.mistakes import ABOUT, about, labels
from multitag.pages.run.seen import Seen, SeenRun
from multitag.report import Block, Choice, Column, Section, Table, Text, Thumbnails, Tile, Tiles, charts

MOST_ROWS = 150


def compared(seen: Seen, thumbnails: Thumbnails) -> Section:
    """Differences with their intervals, and the rows that are answered otherwise."""
    first = seen.runs[0]
    pairs = list(zip(seen.runs[1:], seen.comparisons, strict=True))
    blocks = {other.name: _pair(first, other, found, thumbnails) for other, found in pairs}
    only = next(iter(blocks.values()))
    return Section(
        "Runs compared",
        only if len(blocks) == 1 else (Choice(f"{first.name} beside", blocks),),
        f"A difference is {first.name} minus the other, and both are scored on the same drawn rows. Where its interval "
        "holds zero, these rows cannot tell the two apart. Of fifteen metrics one or two seem to differ by chance: p "
        "is not corrected for that.",
    )


def _pair(first: SeenRun, other: SeenRun, found: Comparison, thumbnails: Thumbnails) -> tuple[Block, ...]:
    tiles = (
        Tile("both right", found.both, "the whole label set"),
        Tile(f"only {first.name}", found.only_first),
        Tile(f"only {other.name}", found.only_second),
        Tile("neither", found.neither),
        Tile("answered otherwise", len(found.differing), "in any label"),
    )
    metrics = [
        (
            name,
            first.evaluation.metrics[name].value,
            other.evaluation.metrics[name].value,
            gap.value,
            gap.low,
            gap.high,
            gap.p,
            _verdict(name, gap.low, gap.high, first.name, other.name),
        )
        for name, gap in found.differences.items()
    ]
    columns = (
        Column("metric"),
        *(Column(name, "number", digits=4) for name in (first.name, other.name)),
        *(Column(name, "number", digits=4) for name in ("difference", "low", "high")),
        Column("p", "number", help="Two-sided, of no difference, by the paired bootstrap."),
        Column("better", choice=True),
    )
    gaps = {
        name: (gap.value, gap.low, gap.high) for name, gap in found.differences.items() if name not in ("brier", "ece")
    }
    by_label = [(gap.label, gap.support, gap.first, gap.second, gap.first - gap.second) for gap in found.labels]
    label_columns = (
        Column("label"),
        Column("rows", "number", digits=0),
        *(Column(f"F1 of {name}", "number") for name in (first.name, other.name)),
        Column("difference", "number"),
    )
    return (
        Tiles("Rows", tiles),
        charts.intervals("Differences", {"difference": gaps}, value=f"{first.name} minus {other.name}", of="metric"),
        Table("Metrics", columns, metrics),
        Table("Labels", label_columns, sorted(by_label, key=lambda row: -abs(row[4]))),
        *_rows(first, other, found, thumbnails),
    )


def _rows(first: SeenRun, other: SeenRun, found: Comparison, thumbnails: Thumbnails) -> tuple[Block, ...]:
    if not len(found.differing):
        return (Text("Both runs give every row the same labels."),)
    ours, theirs = row_errors(first.scored.answers), row_errors(other.scored.answers)
    rows = []
    for place in found.differing[:MOST_ROWS].tolist():
        gap = ours.f1[place] - theirs.f1[place]
        rows.append(
            (
                *about(first.scored.samples[place], thumbnails),
                labels(first.scored, first.scored.answers.positive[place]),
                labels(first.scored, first.scored.answers.predicted[place]),
                labels(other.scored, other.scored.answers.predicted[place]),
                first.name if gap > 0 else other.name if gap < 0 else "neither",
                float(gap),
            )
        )
    columns = (
        *ABOUT,
        Column("gold", "labels"),
        Column(first.name, "labels"),
        Column(other.name, "labels"),
        Column("better", choice=True),
        Column("F1 gap", "number"),
    )
    note = f"{len(rows):,} of the {len(found.differing):,} rows that are answered otherwise, the largest gap first."
    return (Table("Rows that differ", columns, rows, note=note, limit=len(rows), shown=8),)


def _verdict(metric: str, low: float, high: float, first: str, other: str) -> str:
    if not (low > 0 or high < 0):
        return "cannot tell"
    return first if (low > 0) == METRICS.get(metric).greater_is_better else other
