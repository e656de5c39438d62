"""`multitag train`: a table in, a run folder out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from multitag.cli import options, output

if TYPE_CHECKING:
    from multitag.fitting.fitted import Fitted
    from multitag.fitting.tagging import FittedTagging


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
    teacher: Annotated[
        Path | None,
        typer.Option(help="A fitted run, mostly a larger one, whose probabilities are learned beside the labels."),
    ] = None,
    preset: options.Preset = None,
    time_limit: Annotated[
        str | None,
        typer.Option(help="How long it may take in all, e.g. 30m or 1h30m: as much is trained as fits into it."),
    ] = None,
    recipe: options.Recipe = None,
    config: options.ConfigFile = None,
    changes: options.Set = None,
    without: options.Without = None,
    seed: Annotated[int | None, typer.Option(help="Of split, weights and order.")] = None,
    max_size: Annotated[
        str | None,
        typer.Option(help="Refuse a larger model before it trains, e.g. 100MB: all weights, frozen encoders included."),
    ] = None,
    tracker: Annotated[
        Literal["tensorboard", "mlflow", "wandb"] | None,
        typer.Option(help="Tell an experiment tracker each epoch's losses, scores and rates, and the final scores."),
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
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Networks of folds that train at a time, each in a process with its share of the cores; by default as "
            "many as there are cores and memory for, where encoders train on the processor.",
        ),
    ] = None,
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
    from multitag.cli import tagging
    from multitag.cli.trained import print_fitted
    from multitag.recipes import configure
    from multitag.tagger import SpanTagger

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
    asked += [] if time_limit is None else [f"train.time_limit={time_limit}"]
    asked += [] if tracker is None else [f"train.tracker={tracker}"]
    asked += [] if share is None else ["train.folds=0"]  # one share held out, as asked, in place of every fold in turn
    settings = configure(
        task=task,
        recipe=recipe,
        preset=preset,
        file=config,
        changes=asked,
        without=without or [],
        seed=seed,
        data=data,
    )
    held = None if share is not None or valid is None else Path(valid)
    how: dict[str, Any] = {"images": images, "out": out, "resume": resume, "overwrite": overwrite}
    how["progress"] = output.progress(quiet=quiet)
    how["on_plan"] = output.teller(quiet=quiet)
    fitted: Fitted | FittedTagging | None
    if settings.task == "spans":
        tagging.refuse(
            unlabeled=unlabeled, teacher=teacher, labels_column=labels_column, separator=separator, jobs=jobs
        )
        fitted = SpanTagger(settings).fit(table, held, **how).fitted_
    else:
        tagging.require_spans_for(spans_column=spans_column)
        fitted = Classifier(settings).fit(table, held, unlabeled=unlabeled, teacher=teacher, jobs=jobs, **how).fitted_
    if fitted is None:  # fit always sets it; said for the type checker
        return
    if as_json:
        output.print_json({"run": str(out), **fitted.to_dict()})
    else:
        print_fitted(fitted, out, images)


def _share(valid: str | None) -> float | None:
    try:
        return None if valid is None else float(valid)
    except ValueError:
        return None
