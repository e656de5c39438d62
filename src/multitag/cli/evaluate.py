"""`multitag evaluate`: what a run is worth on a labelled table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from multitag.cli import options, output
from multitag.errors import ConfigError

if TYPE_CHECKING:
    from multitag.evaluation import Evaluation


def evaluate(
    run: options.Run,
    table: options.Table,
    images: options.Images = None,
    decision: options.Decision = None,
    decoder: options.Decoder = None,
    chosen: options.ChosenOptions = None,
    keep: Annotated[bool, typer.Option("--keep", help="Save --decision or --decoder as the run's own.")] = False,
    allow_seen: Annotated[
        bool, typer.Option("--allow-seen", help="Score rows that were pseudo-labelled in training all the same.")
    ] = False,
    show: options.Show = None,
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
    from multitag.runs.tagging import save_decoder
    from multitag.span_evaluation import SpanEvaluation

    if keep and decision is None and decoder is None:
        raise ConfigError("--keep saves what --decision or --decoder names, and there is none. Fix: name it too")
    bars = output.progress(quiet=quiet)
    data = options.data_changes(
        on_bad_image=on_bad_image,
        image=image_column,
        text=text_column,
        labels=labels_column,
        spans=spans_column,
        id=id_column,
        separator=separator,
    )
    result: Evaluation | SpanEvaluation
    if tagging.gives_spans(run):
        tagging.refuse(decision=decision, allow_seen=allow_seen, labels_column=labels_column, separator=separator)
        tagger = tagging.open_tagger(run, decoder, chosen, **data)
        result = tagger.evaluate(table, images=images, rounds=rounds, progress=bars)
        if keep:
            save_decoder(tagger.pipeline_, run)
    else:
        tagging.require_spans_for(decoder=decoder, spans_column=spans_column, show=show)
        classifier = open_run(run, decision, chosen, **data)
        result = classifier.evaluate(table, images=images, rounds=rounds, allow_seen=allow_seen, progress=bars)
        if keep:
            save_decision(classifier.pipeline_, run)
    if as_json:
        output.print_json({"run": str(run), "table": str(table), **result.to_dict()})
        return
    scores.print_labels(result)
    scores.print_metrics(f"{table}, {result.rows} rows", result)
    if isinstance(result, SpanEvaluation):
        tagging.print_worst(result, show)
