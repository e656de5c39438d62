"""How much there is: figures of all tables together, and a table of them side by side."""

from __future__ import annotations

from collections.abc import Sequence

from multitag.pages.data.split import Split, Splits
from multitag.report import Block, Column, Section, Table, Text, Tile, Tiles


def overview(splits: Splits, notes: list[str]) -> Section:
    """The first section.

    Args:
        splits: The tables.
        notes: What a reader must know of the page.
    """
    summaries = [split.summary for split in splits.all]
    known = sum(len(split.labelled) for split in splits.all)
    given = sum(sum(summary.label_counts.values()) for summary in summaries)
    errors = sum(problem.severity == "error" for summary in summaries for problem in summary.problems)
    warnings = sum(len(summary.problems) for summary in summaries) - errors
    tiles = [
        Tile("rows", sum(summary.rows for summary in summaries)),
        Tile("labels", len(splits.labels)),
        Tile("labels a row", given / known if known else "not known", "mean over rows with known labels"),
        Tile("errors", errors, "put right before training", "warning" if errors else "plain"),
        Tile("warnings", warnings, "to look at"),
    ]
    blocks: list[Block] = [Tiles("Overall", tiles)]
    if len(splits.all) > 1:
        blocks.append(_side_by_side(splits.all))
    else:
        blocks.append(Tiles("Rows", [Tile(name, value) for name, value in _counts(splits.all[0])][1:]))
    blocks += [Text(note, "note") for note in notes]
    return Section("Overview", blocks)


def _side_by_side(splits: Sequence[Split]) -> Table:
    counts = [dict(_counts(split)) for split in splits]
    return Table(
        "Tables side by side",
        (Column("what"), *(Column(split.name, "number", digits=0) for split in splits)),
        [(name, *(count[name] for count in counts)) for name in counts[0]],
    )


def _counts(split: Split) -> list[tuple[str, int]]:
    summary = split.summary
    return [
        ("rows", summary.rows),
        ("labels", sum(count > 0 for count in summary.label_counts.values())),
        ("unlabelled rows", summary.unlabelled),
        ("rows known to have no label", summary.without_labels),
        ("rows without picture", summary.without_image),
        ("rows without text", summary.without_text),
        ("pictures that cannot be used", summary.unreadable),
        ("repeated pictures (exact copies)", summary.repeated_images),
        ("repeated texts", summary.repeated_texts),
    ]
