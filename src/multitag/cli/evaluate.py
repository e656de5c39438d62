"""`multitag evaluate`: what a run is worth on a labelled table."""

from __future__ import annotations

from typing import Annotated

import typer

from multitag.cli import options, output
from multitag.errors import ConfigError


def evaluate(
    run: options.Run,
    table: options.Table,
    images: options.Images = None,
    decision: Annotated[
        str | None, typer.Option(help="Decide otherwise than in training; see 'multitag list decisions'.")
    ] = None,
    decision_options: Annotated[
        list[str] | None, typer.Option("--option", help="An option of --decision: key=value. May be given again.")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Save --decision as the run's own.")] = False,
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
    separator: options.Separator = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Score a run on rows with known labels or spans.

    Prints a line for each label, and every metric with its 95 % interval.
    """
    from multitag.cli import scores, tagging
    from multitag.cli.runs import open_run
    from multitag.runs.artifacts import save_decision

    if keep and decision is None:
        raise ConfigError("--keep saves what --decision names, and there is none. Fix: name the decision too")
    if tagging.gives_spans(run):
        tagging.refuse(decision=decision, allow_seen=allow_seen, labels_column=labels_column, separator=separator)
        tagger = tagging.open_tagger(run, text=text_column, id=id_column, spans=spans_column)
        spans = tagger.evaluate(table, rounds=rounds, progress=output.progress(quiet=quiet))
        if as_json:
            output.print_json({"run": str(run), "table": str(table), **spans.to_dict()})
            return
        tagging.print_spans(spans)
        scores.print_metrics(f"{table}, {spans.rows} rows", spans)
        return
    if spans_column is not None:
        raise ConfigError("--spans-column is for runs that tag spans, and this one gives label sets")
    classifier = open_run(
        run,
        decision,
        decision_options,
        on_bad_image=on_bad_image,
        image=image_column,
        text=text_column,
        labels=labels_column,
        id=id_column,
        separator=separator,
    )
    result = classifier.evaluate(
        table, images=images, rounds=rounds, allow_seen=allow_seen, progress=output.progress(quiet=quiet)
    )
    if keep:
        save_decision(classifier.pipeline_, run)
    if as_json:
        output.print_json({"run": str(run), "table": str(table), **result.to_dict()})
        return
    scores.print_labels(result)
    scores.print_metrics(f"{table}, {result.rows} rows", result)
