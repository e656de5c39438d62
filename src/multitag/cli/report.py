"""`multitag report`: a page about runs."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multitag.cli import options, output
from multitag.errors import ConfigError, DataWarning

if TYPE_CHECKING:
    from multitag.analysis.comparison import Comparison
    from multitag.evaluation import Evaluation
    from multitag.report import Page
    from multitag.span_evaluation import SpanEvaluation


def report(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN [RUN ...] [TABLE]",
            help="Run folders, and after them the table to look at them on: labelled rows, by default those that the "
            "run held out in training.",
        ),
    ],
    images: options.Images = None,
    out: Annotated[Path, typer.Option(help="The page to write; its numbers go beside it, as JSON and CSV.")] = Path(
        "report.html"
    ),
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Score rows that were pseudo-labelled in training all the same.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="Bootstrap rounds for the intervals.")] = 1000,
    on_bad_image: options.BadImage = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    labels_column: options.LabelsColumn = None,
    spans_column: options.SpansColumn = None,
    id_column: options.IdColumn = None,
    group_column: options.GroupColumn = None,
    separator: options.Separator = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Write a page about a run, or about several on the same rows.

    Scores with intervals, thresholds to move, curves, confusion, the worst rows, suspected label errors, training.
    Details are of the first run; each other one stands beside it, with paired tests.
    """
    from multitag.cli import scores, tagging
    from multitag.report.write import paths_of, write_page

    runs, table = parted(paths)
    paths_of(out)
    spans = [tagging.gives_spans(run) for run in runs]
    if len(set(spans)) > 1:
        raise ConfigError("some of these runs give label sets and others spans. Fix: a page for each kind")
    common = {"images": images, "rounds": rounds, "progress": output.progress(quiet=quiet)}
    columns = {"image": image_column, "text": text_column, "id": id_column}
    found: list[Evaluation | SpanEvaluation] = []
    differences: tuple[Comparison, ...] = ()
    if spans[0]:
        tagging.refuse(
            allow_seen=allow_seen,
            labels_column=labels_column,
            separator=separator,
            group_column=group_column,
            image_column=image_column,
            on_bad_image=on_bad_image,
        )
        page, scored = _spans(runs, table, {"text": text_column, "id": id_column, "spans": spans_column}, common)
        found += scored
    else:
        if spans_column is not None:
            raise ConfigError("--spans-column is for runs that tag spans, and these give label sets")
        more = {"labels": labels_column, "group": group_column, "separator": separator, "on_bad_image": on_bad_image}
        page, label_sets, differences = _labels(runs, table, columns | more, {**common, "allow_seen": allow_seen})
        found += label_sets
    written = write_page(page, out)
    if as_json:
        files = {"report": str(written.html), "json": str(written.json), "tables": str(written.tables)}
        each = [{"run": str(run), **score.to_dict()} for run, score in zip(runs, found, strict=True)]
        output.print_json({**files, "table": None if table is None else str(table), "runs": each})
        return
    for run, score in zip(runs, found, strict=True):
        scores.print_metrics(f"{run}, {score.rows} rows", score)
    for other, comparison in zip(runs[1:], differences, strict=False):
        scores.print_differences(f"{runs[0]} minus {other}", comparison.differences)
    output.say(
        f"written: {written.html} ({written.html.stat().st_size / 1e6:.1f} MB), {written.json}, {written.tables}/"
    )


def parted(paths: list[Path]) -> tuple[list[Path], Path | None]:
    """The runs, and the table after them if there is one: the last path, where it is no folder and looks like a file.

    Raises:
        ConfigError: There is no run.
    """
    last = paths[-1]
    table = last if not last.is_dir() and (last.is_file() or last.suffix) else None
    runs = paths if table is None else paths[:-1]
    if not runs:
        raise ConfigError(f"{last} is a table, and there is no run to look at it with. Fix: the run's folder before it")
    return runs, table


def _labels(
    runs: list[Path], table: Path | None, columns: dict[str, Any], common: dict[str, Any]
) -> tuple[Page, list[Evaluation], tuple[Comparison, ...]]:
    from multitag.cli.runs import open_run
    from multitag.pages.run.look import look
    from multitag.pages.run.page import page_of

    seen = look(runs, [open_run(run, None, None, **columns) for run in runs], table, **common)
    for note in dict.fromkeys(note for run in seen.runs for note in run.answered.notes):
        warnings.warn(note, DataWarning, stacklevel=2)
    return page_of(seen), [run.evaluation for run in seen.runs], seen.comparisons


def _spans(
    runs: list[Path], table: Path | None, columns: dict[str, Any], common: dict[str, Any]
) -> tuple[Page, list[SpanEvaluation]]:
    from multitag.cli import tagging
    from multitag.pages.run.spans import look_at_spans, page_of_spans

    if table is None:
        raise ConfigError("a run that tags spans keeps no texts to look at it on. Fix: name a table after the run")
    seen = look_at_spans(runs, [tagging.open_tagger(run, None, None, **columns) for run in runs], table, **common)
    return page_of_spans(seen, str(table)), [run.evaluation for run in seen]
