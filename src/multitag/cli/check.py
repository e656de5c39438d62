"""`multitag check`: what is in a table, and what is wrong with it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multitag.cli import data_page, options, output

if TYPE_CHECKING:
    from multitag.data.layout import Table
    from multitag.data.summary import Quantiles, TableSummary


def check(
    table: options.Table,
    images: options.Images = None,
    task: options.Task = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    labels_column: options.LabelsColumn = None,
    spans_column: options.SpansColumn = None,
    id_column: options.IdColumn = None,
    group_column: options.GroupColumn = None,
    separator: options.Separator = None,
    labels: options.LabelFile = None,
    show: options.Show = None,
    report: Annotated[
        Path | None,
        typer.Option(help="Also write a page to look at: an HTML file, its numbers as JSON and CSV beside it."),
    ] = None,
    test: Annotated[
        list[Path] | None,
        typer.Option(help="Another table for the page, to find copies across tables. May be given again."),
    ] = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Say what is in a table, and what is wrong with it.

    Reads all rows and all pictures once. Each problem comes with its file and line.
    Exit code 3 where something must be put right before training.
    """
    from multitag.cli import tagging
    from multitag.data.columns import Columns
    from multitag.data.summary import summarise
    from multitag.data.table import read_table

    if task != "spans":
        tagging.require_spans_for(show=show)
    asked = options.data_changes(
        image=image_column, text=text_column, labels=labels_column, spans=spans_column, id=id_column, group=group_column
    )

    def read(path: Path) -> Table:
        read = read_table(
            path,
            images=images,
            columns=Columns(**asked),
            separator=separator or "auto",
            label_names=None if task == "spans" else options.label_names(labels),
            span_names=options.label_names(labels) if task == "spans" else None,
        )
        return tagging.for_spans(read, pictures=images is not None) if task == "spans" else read

    data_page.require_report_for(report, test or ())
    found = read(table)
    marked = any(sample.spans is not None for sample in found.samples)
    counts = tagging.count_spans(found) if marked else None
    looked = data_page.look_at(found.samples, quiet=quiet, fingerprints=report is not None)
    summary = summarise(found, looked)
    if as_json:
        output.print_json({**summary.to_dict(), **({} if counts is None else {"spans": counts})})
    else:
        _print(summary, _columns(found))
        if counts is not None:
            tagging.print_counts(counts)
        if task == "spans":
            tagging.print_gold(found, show)
    wrong = summary.has_errors
    if report is not None:
        wrong |= data_page.write(report, (found, looked), test or (), read, quiet=quiet, silent=as_json)
    if wrong:
        raise typer.Exit(3)


def _columns(table: Any) -> str:
    found = table.columns
    roles = {
        "id": found.id,
        "image": found.image,
        "text": " + ".join(found.text) or None,
        "labels": found.labels or (f"{len(found.indicators)} columns of 0 and 1" if found.indicators else None),
        "group": found.group,
        "spans": found.spans,
    }
    return ", ".join(f"{role}: {name}" for role, name in roles.items() if name) or "as the format says"


def _print(summary: TableSummary, columns: str) -> None:
    output.print_pairs(
        summary.name,
        {
            "rows": summary.rows,
            "columns": columns,
            "labels": len(summary.label_counts),
            "rows by number of labels": ", ".join(
                f"{count}: {rows}" for count, rows in sorted(summary.rows_per_label_count.items())
            ),
            "unlabelled rows": summary.unlabelled,
            "rows known to have no label": summary.without_labels,
            "rows without picture": summary.without_image,
            "rows without text": summary.without_text,
            "repeated pictures (exact copies)": summary.repeated_images,
            "repeated texts": summary.repeated_texts,
            "pictures that cannot be used": summary.unreadable,
            "usual picture sizes": ", ".join(f"{w} x {h} ({n})" for w, h, n in summary.usual_sizes),
        },
    )
    spreads = {
        "text, characters": summary.characters,
        "text, words": summary.words,
        "picture width": summary.widths,
        "picture height": summary.heights,
    }
    output.print_table(
        "spread",
        ["", "min", "25 %", "median", "75 %", "max"],
        [[name, *_spread(quantiles)] for name, quantiles in spreads.items() if quantiles is not None],
    )
    if summary.label_counts:
        unknown = summary.unknown_counts
        output.print_table(
            "labels",
            ["label", "rows", "share", *(["unknown"] if unknown else [])],
            [
                [name, count, f"{count / summary.rows:.1%}", *([unknown.get(name, 0)] if unknown else [])]
                for name, count in summary.label_counts.items()
            ],
        )
    if summary.problems:
        output.print_table(
            "problems",
            ["", "where", "what"],
            [[problem.severity, problem.source, problem.message] for problem in summary.problems[:200]],
            left=3,
        )
        if len(summary.problems) > 200:
            output.say(f"... and {len(summary.problems) - 200} more; --json has them all")
    else:
        output.say("Nothing is wrong.")


def _spread(quantiles: Quantiles) -> list[str]:
    numbers = (
        quantiles.minimum,
        quantiles.quarter,
        quantiles.median,
        quantiles.three_quarters,
        quantiles.maximum,
    )
    return [f"{number:g}" for number in numbers]
