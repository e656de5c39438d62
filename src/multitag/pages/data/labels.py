"""Labels: how many rows have each, how many a row has, and which come together (seed 003, figures 1 and 2)."""

from __future__ import annotations

from collections import Counter

import numpy as np

from multitag.pages.data.split import Splits
from multitag.report import Beside, Block, Column, Section, Table, Text, charts

MOST_TOGETHER = 40
"""Labels in the chart of those that come together; its table has all pairs."""


def labels(splits: Splits) -> Section | None:
    """The section on labels, if any are known."""
    if not splits.labelled:
        return None
    blocks: list[Block] = [_shares(splits), _counts(splits), *_missing(splits)]
    if len(splits.labels) > 1:
        blocks += _together(splits)
    blocks.append(Beside((_a_row(splits), _sets(splits))))
    intro = "Shares are of the rows whose labels are known."
    return Section("Labels", blocks, intro if any(split.summary.unlabelled for split in splits.all) else "")


def _shares(splits: Splits) -> Block:
    series = {
        split.name: {name: split.summary.label_counts.get(name, 0) / len(split.labelled) for name in splits.labels}
        for split in splits.labelled
    }
    return charts.bars("Rows with each label", series, value="share of rows", share=True)


def _a_row(splits: Splits) -> Block:
    series = {split.name: [len(split.samples[row].labels or ()) for row in split.labelled] for split in splits.labelled}
    return charts.histogram("Labels a row", series, value="labels", share=len(series) > 1)


def _counts(splits: Splits) -> Block:
    columns = [Column("label")]
    for split in splits.labelled:
        of = f" in {split.name}" if len(splits.labelled) > 1 else ""
        columns += [Column(f"rows{of}", "number", digits=0), Column(f"share{of}", "share", digits=1)]
    unsure = any(split.summary.unknown_counts for split in splits.labelled)
    if unsure:
        columns.append(Column("not known", "number", digits=0, help="Rows in which this label alone is not known."))
    rows = []
    for name in splits.labels:
        row: list[str | int | float] = [name]
        for split in splits.labelled:
            count = split.summary.label_counts.get(name, 0)
            row += [count, count / len(split.labelled)]
        if unsure:
            row.append(sum(split.summary.unknown_counts.get(name, 0) for split in splits.labelled))
        rows.append(row)
    return Table("Label counts", columns, rows)


def _missing(splits: Splits) -> list[Block]:
    """Labels that one table has and another has not."""
    said = []
    for split in splits.labelled:
        without = [name for name in splits.labels if not split.summary.label_counts.get(name)]
        if without and len(splits.labelled) > 1:
            names = ", ".join(without[:20]) + (f" and {len(without) - 20} more" if len(without) > 20 else "")
            said.append(Text(f"No row of {split.name} has: {names}.", "warning"))
    return list(said)


def _together(splits: Splits) -> list[Block]:
    has = splits.targets() == 1
    counts = has.T.astype(np.float32) @ has.astype(np.float32)
    counts = counts.round().astype(int)
    rows = np.maximum(np.diag(counts), 1)
    shares = counts / rows[:, None]
    names = list(splits.labels[:MOST_TOGETHER])
    drawn = shares[: len(names), : len(names)].copy()
    np.fill_diagonal(drawn, np.nan)
    map_ = charts.heat_map(
        "Labels that come together",
        names,
        names,
        drawn,
        value="share",
        share=True,
        shown=counts[: len(names), : len(names)],
        note="Of the rows with the label on the left, the share that also have the one above; numbers are rows."
        + (f" The {len(names)} commonest labels." if len(names) < len(splits.labels) else ""),
    )
    ones, others = np.nonzero(np.triu(counts, 1))
    order = np.argsort(-counts[ones, others], kind="stable")
    expected = np.outer(rows, rows) / max(len(has), 1)
    pairs = [
        (
            splits.labels[one],
            splits.labels[other],
            int(counts[one, other]),
            float(shares[one, other]),
            float(shares[other, one]),
            float(counts[one, other] / expected[one, other]),
        )
        for one, other in zip(ones[order].tolist(), others[order].tolist(), strict=True)
    ]
    columns = (
        Column("label"),
        Column("with"),
        Column("rows", "number", digits=0),
        Column("of the first's rows", "share"),
        Column("of the second's rows", "share"),
        Column("times chance", "number", digits=2, help="1 where the two labels know nothing of each other."),
    )
    return [map_, Table("Pairs of labels", columns, pairs, shown=10)]


def _sets(splits: Splits) -> Block:
    known = [split.samples[row] for split in splits.all for row in split.labelled]
    place = {name: at for at, name in enumerate(splits.labels)}
    sets = Counter(tuple(sorted(sample.labels or (), key=place.__getitem__)) for sample in known)
    columns = (Column("labels", "labels"), Column("rows", "number", digits=0), Column("share", "share"))
    rows = [(names, count, count / len(known)) for names, count in sets.most_common()]
    return Table("Sets of labels", columns, rows, note=f"{len(sets):,} different sets occur.", shown=10)
