"""`multitag train`: a table in, a run folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multitag.cli import options, output
from multitag.errors import ConfigError

if TYPE_CHECKING:
    from multitag.config import Config
    from multitag.fitting.fit import Fitted
    from multitag.fitting.tagging import FittedTagging

_SCORED = {
    "held_out": "validation, {} rows (they also chose epoch and decision",
    "out_of_fold": "out of fold, {} rows, each predicted without having been trained on (they also chose epoch and "
    "decision",
    "valid": "validation, {} rows (they chose nothing",
}


def train(
    table: options.Table,
    images: options.Images = None,
    task: options.Task = None,
    out: Annotated[Path, typer.Option(help="The run folder to write.")] = Path("runs/latest"),
    valid: Annotated[
        str | None, typer.Option(help="A table, or a share such as 0.2, to choose epoch and decision by.")
    ] = None,
    unlabeled: Annotated[
        Path | None,
        typer.Option(help="A table of more rows: a teacher labels those it is sure of, and a student learns from all."),
    ] = None,
    recipe: Annotated[str | None, typer.Option(help="A named recipe; see 'multitag list recipes'.")] = None,
    config: Annotated[Path | None, typer.Option(help="A TOML file with all settings.")] = None,
    changes: options.Set = None,
    without: Annotated[
        list[str] | None, typer.Option(help="Leave an encoder out, e.g. image or text. May be given again.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Of split, weights and order.")] = None,
    max_size: Annotated[
        str | None,
        typer.Option(help="Refuse a larger model before it trains, e.g. 100MB: all weights, frozen encoders included."),
    ] = None,
    on_bad_image: options.BadImage = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    labels_column: options.LabelsColumn = None,
    spans_column: options.SpansColumn = None,
    id_column: options.IdColumn = None,
    group_column: options.GroupColumn = None,
    separator: options.Separator = None,
    labels: options.LabelFile = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a training that was cut short.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run that --out holds.")] = False,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train on a labelled table and save the run.

    Calibration and decision are fitted on rows held out.
    Frozen encoders run once per picture and text, ever: a second training on the same rows takes seconds.
    """
    from multitag.classifier import Classifier
    from multitag.cli import scores, tagging
    from multitag.recipes import configure

    share = _share(valid)
    data = options.data_changes(
        on_bad_image=on_bad_image,
        image=image_column,
        text=text_column,
        labels=labels_column,
        spans=spans_column,
        id=id_column,
        group=group_column,
        separator=separator,
        label_names=options.label_names(labels),
        valid_share=share,
    )
    asked = [*(changes or []), *([] if max_size is None else [f"train.max_size={max_size}"])]
    asked += [] if share is None else ["train.folds=0"]  # one share held out, as asked, in place of every fold in turn
    settings = configure(
        task=task, recipe=recipe, file=config, changes=asked, without=without or [], seed=seed, data=data
    )
    if settings.task == "spans":
        tagging.refuse(unlabeled=unlabeled, labels_column=labels_column, separator=separator)
        _train_spans(
            settings,
            table,
            None if share is not None or valid is None else Path(valid),
            out,
            resume=resume,
            overwrite=overwrite,
            as_json=as_json,
            quiet=quiet,
        )
        return
    if spans_column is not None:
        raise ConfigError("--spans-column is for --task spans. Fix: leave it out, or ask for spans")
    classifier = Classifier(settings).fit(
        table,
        None if share is not None or valid is None else Path(valid),
        unlabeled=unlabeled,
        images=images,
        out=out,
        resume=resume,
        overwrite=overwrite,
        progress=output.progress(quiet=quiet),
    )
    fitted = classifier.fitted_
    if fitted is None:  # fit always sets it; said for the type checker
        return
    if as_json:
        output.print_json({"run": str(out), **fitted.to_dict()})
        return
    scores.print_labels(fitted.evaluation)
    scores.print_metrics(
        f"{_SCORED[fitted.scored_on].format(fitted.rows['valid'])}; score others with evaluate)",
        fitted.evaluation,
    )
    if fitted.members:
        scores.print_members(fitted.members, fitted.evaluation)
    if fitted.generations:
        scores.print_pseudo_labels(fitted.taught)
        scores.print_generations(fitted.generations, fitted.taught)
    pictures = "" if images is None else f" --images {images}"
    _print_saved(out, fitted)
    output.print_commands(
        {
            "score it": f"multitag evaluate {out} test.csv{pictures}",
            "label new rows": f"multitag predict {out} new.csv{pictures} --out predictions.csv",
        }
    )


def _train_spans(
    settings: Config,
    table: Path,
    valid: Path | None,
    out: Path,
    *,
    resume: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    from multitag.cli import scores, tagging
    from multitag.tagger import SpanTagger

    tagger = SpanTagger(settings).fit(
        table, valid, out=out, resume=resume, overwrite=overwrite, progress=output.progress(quiet=quiet)
    )
    fitted = tagger.fitted_
    if fitted is None:  # fit always sets it; said for the type checker
        return
    if as_json:
        output.print_json({"run": str(out), **fitted.to_dict()})
        return
    tagging.print_spans(fitted.evaluation)
    title = f"{_SCORED[fitted.scored_on].format(fitted.rows['valid'])}; score others with evaluate)"
    scores.print_metrics(title, fitted.evaluation)
    _print_saved(out, fitted)
    output.print_commands(
        {
            "score it": f"multitag evaluate {out} test.json",
            "tag new texts": f"multitag predict {out} new.json --out spans.json",
        }
    )


def _print_saved(out: Path, fitted: Fitted | FittedTagging) -> None:
    size, seconds = fitted.size, fitted.seconds
    output.print_pairs(
        f"saved in {out}",
        {
            "trained on": f"{fitted.rows['train']} rows, {len(fitted.history)} epochs" + _models(fitted.networks),
            "seconds": ", ".join(f"{stage} {value:.1f}" for stage, value in seconds.items()),
            "trained weights": f"{size.trained_parameters:,} numbers, {size.trained_megabytes:.1f} MB",
            "frozen encoders": f"{size.frozen_parameters:,} numbers, {size.frozen_megabytes:.1f} MB",
        },
    )


def _models(count: int) -> str:
    return f" of {count} models" if count > 1 else ""


def _share(valid: str | None) -> float | None:
    try:
        return None if valid is None else float(valid)
    except ValueError:
        return None
