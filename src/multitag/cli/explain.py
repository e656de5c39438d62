"""`multitag explain`: which part of the picture and which words made each label."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from multitag.cli import options, output
from multitag.errors import ConfigError, DataError

if TYPE_CHECKING:
    from multitag.classifier import Classifier
    from multitag.explain import Explanation, How
    from multitag.types import Sample


def explain(
    run: options.Run,
    table: Annotated[
        Path | None, typer.Argument(help="The table that --row names a row of, or that --check takes rows of.")
    ] = None,
    row: Annotated[str | None, typer.Option(help="The id of a row of the table.")] = None,
    image: Annotated[Path | None, typer.Option(help="A picture, in place of a table.")] = None,
    text: Annotated[str | None, typer.Option(help="A text, in place of a table.")] = None,
    images: options.Images = None,
    labels: Annotated[
        str | None, typer.Option(help="The labels to explain, with commas; those predicted by default.")
    ] = None,
    method: Annotated[
        Literal["auto", "occlusion"], typer.Option(help="How it is found out; 'auto' is occlusion.")
    ] = "auto",
    grid: Annotated[int, typer.Option(min=2, max=32, help="Cells in a row of the picture, and rows of cells.")] = 8,
    cover: Annotated[
        Literal["mean", "blur"], typer.Option(help="What covers a cell: the picture's mean colour, or its blur.")
    ] = "mean",
    check: Annotated[
        int | None, typer.Option(min=1, help="Test the explanations of so many rows of the table, drawn at random.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the explanation to this .html or .json file too.")] = None,
    on_bad_image: options.BadImage = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    id_column: options.IdColumn = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Show which parts of a picture and text made each label.

    Parts are covered or left out one by one; what that costs a label is what they are worth to it.
    Each explanation is tested: taking away what is worth most must cost more than taking away anything.
    """
    from multitag.cli import explained, tagging
    from multitag.cli.runs import open_run
    from multitag.explain import How

    _require_one_way(table, row, image, text, check)
    kind = None if out is None else _kind(out, alone=check is None)
    if tagging.gives_spans(run):
        raise ConfigError(f"{run} tags spans, which say themselves which words they mean; explain is for label sets")
    classifier = open_run(
        run, None, None, on_bad_image=on_bad_image, image=image_column, text=text_column, id=id_column
    )
    names = None if labels is None else _names(labels, classifier.labels_.names)
    how = How(names, method, grid, cover, seed=classifier.config.seed)
    if check is not None and table is not None:
        found = _check(classifier, classifier.read(table, images).samples, check, how, quiet=quiet)
        values = {"run": str(run), "table": str(table), **found}
        if out is not None:
            _write_json(out, values)
        output.print_json(values) if as_json else explained.print_check(str(table), found)
        return
    sample = _made(image, text) if table is None else _row(classifier.read(table, images).samples, str(row), table)
    explanation = _explain(classifier, sample, how, quiet=quiet)
    if out is not None:
        _write(out, str(kind), run, explanation)
    if as_json:
        output.print_json({"run": str(run), **explanation.to_dict()})
        return
    explained.print_explanation(explanation)
    if out is not None:
        output.say(f"written: {out}")


def _require_one_way(
    table: Path | None, row: str | None, image: Path | None, text: str | None, check: int | None
) -> None:
    """Refuse options of which it is not clear what row they mean.

    Raises:
        ConfigError: There is no row, or there are two.
    """
    made = image is not None or text is not None
    if table is None and (row is not None or check is not None):
        raise ConfigError("--row and --check are of a table, and none is given. Fix: multitag explain RUN TABLE ...")
    if table is not None and made:
        raise ConfigError("--image and --text make a row, and a table is given too. Fix: leave out one of the two")
    if table is not None and (row is None) == (check is None):
        raise ConfigError("which row of the table? Fix: --row ID for one, or --check N to test N of them")
    if table is None and not made:
        raise ConfigError("there is no row to explain. Fix: a table and --row ID, or --image FILE, --text TEXT")


def _kind(out: Path, *, alone: bool) -> str:
    kind = out.suffix.lower()
    if kind not in (".html", ".json") or (kind == ".html" and not alone):
        accepted = "a .html or a .json file" if alone else "a .json file for --check"
        raise ConfigError(f"--out {out}: the ending says what is written. Accepted: {accepted}")
    return kind


def _names(labels: str, known: tuple[str, ...]) -> list[str]:
    """The labels in a list with commas; a label may have a comma itself."""
    return [labels] if labels in known else [name.strip() for name in labels.split(",") if name.strip()]


def _made(image: Path | None, text: str | None) -> Sample:
    from multitag.types import Sample

    return Sample("the row" if image is None else image.name, image, text)


def _row(samples: list[Sample], row: str, table: Path) -> Sample:
    """The row of an id.

    Raises:
        DataError: There is none.
    """
    from multitag.registry import closest

    for sample in samples:
        if sample.id == row:
            return sample
    ids = [sample.id for sample in samples]
    raise DataError(f"{table} has no row '{row}'{closest(row, ids)} Its first ids: {', '.join(ids[:3])}")


def _explain(classifier: Classifier, sample: Sample, how: How, *, quiet: bool) -> Explanation:
    from multitag.explain import explain as explain_row

    return explain_row(classifier, sample, how, progress=output.progress(quiet=quiet))


def _check(classifier: Classifier, samples: list[Sample], rows: int, how: How, *, quiet: bool) -> dict[str, Any]:
    import numpy as np

    from multitag.explain import check

    drawn = np.random.default_rng(how.seed).permutation(len(samples))[:rows]
    chosen = [samples[place] for place in sorted(drawn.tolist())]
    found = check(classifier, chosen, how, progress=output.progress(quiet=quiet))
    return {"rows": len(chosen), **{side: checked.to_dict() for side, checked in found.items()}}


def _write(out: Path, kind: str, run: Path, explanation: Explanation) -> None:
    if kind == ".json":
        _write_json(out, {"run": str(run), **explanation.to_dict()})
        return
    from multitag.explain.page import write_html

    write_html(explanation, out, run=str(run))


def _write_json(out: Path, values: dict[str, Any]) -> None:
    from multitag.runs.folder import write_json

    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, values)
