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
        Path, typer.Option(help="The file to write: .csv, .tsv, .jsonl or .parquet; of spans .json, .jsonl or .conll.")
    ],
    images: options.Images = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Write every label's probability too.")
    ] = False,
    decision: Annotated[
        str | None, typer.Option(help="Decide otherwise than in training; see 'multitag list decisions'.")
    ] = None,
    decision_options: Annotated[
        list[str] | None, typer.Option("--option", help="An option of --decision: key=value. May be given again.")
    ] = None,
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

    if tagging.gives_spans(run):
        tagging.refuse(probabilities=probabilities, decision=decision, option=decision_options)
        tagger = tagging.open_tagger(run, text=text_column, id=id_column)
        rows = tagger.predict_to(table, out, chunk_rows=chunk_rows, progress=output.progress(quiet=quiet))
        _say(run, table, rows, out, as_json=as_json)
        return
    classifier = open_run(
        run, decision, decision_options, on_bad_image=on_bad_image, image=image_column, text=text_column, id=id_column
    )
    rows = classifier.predict_to(
        table,
        out,
        images=images,
        probabilities=probabilities,
        chunk_rows=chunk_rows,
        progress=output.progress(quiet=quiet),
    )
    _say(run, table, rows, out, as_json=as_json)


def _say(run: Path, table: Path, rows: int, out: Path, *, as_json: bool) -> None:
    if as_json:
        output.print_json({"run": str(run), "table": str(table), "rows": rows, "out": str(out)})
    else:
        output.say(f"{rows} rows labelled: {out}")
