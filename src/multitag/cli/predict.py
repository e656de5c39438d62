"""`multitag predict`: labels for new rows."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from multitag.cli import options, output


def predict(
    run: options.Run,
    table: options.Table,
    out: Annotated[
        Path | None,
        typer.Option(
            help="The file to write: .csv, .tsv, .jsonl or .parquet; of spans .json, .jsonl or .conll. Needed, but "
            "beside --show."
        ),
    ] = None,
    show: options.Show = None,
    images: options.Images = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write every label's probability too.")
    ] = False,
    decision: options.Decision = None,
    decoder: options.Decoder = None,
    chosen: options.ChosenOptions = None,
    on_bad_image: options.BadImage = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    id_column: options.IdColumn = None,
    chunk_rows: Annotated[int, typer.Option(min=1, help="Rows in memory at a time.")] = 4096,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Label the rows of a table.

    The answers come in the rows' order and in the table's own shape. Rows are streamed: any number will do.
    """
    from multitag.cli import tagging
    from multitag.cli.runs import open_run

    bars = output.progress(quiet=quiet)
    spans = tagging.gives_spans(run)
    if out is None and (as_json or not (spans and show)):
        raise typer.BadParameter("a file is needed, such as predictions.csv.", param_hint="--out")
    data = options.data_changes(on_bad_image=on_bad_image, image=image_column, text=text_column, id=id_column)
    if spans:
        tagging.refuse(probabilities=probabilities, decision=decision)
        tagger = tagging.open_tagger(run, decoder, chosen, **data)
        rows, first = tagging.predict(
            tagger, table, out, images=images, chunk_rows=chunk_rows, show=show or 0, progress=bars
        )
        if out is not None:
            _say(run, table, rows, out, as_json=as_json)
        if not as_json and first is not None:
            tagging.print_predicted(first, show or 0)
        return
    tagging.require_spans_for(decoder=decoder, show=show)
    classifier = open_run(run, decision, chosen, **data)
    file = out or Path()  # it is given, as said above
    rows = classifier.predict_to(
        table, file, images=images, probabilities=probabilities, chunk_rows=chunk_rows, progress=bars
    )
    _say(run, table, rows, file, as_json=as_json)


def _say(run: Path, table: Path, rows: int, out: Path, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"run": str(run), "table": str(table), "rows": rows, "out": str(out)})
    else:
        output.say(f"{rows} rows labelled: {out}")
