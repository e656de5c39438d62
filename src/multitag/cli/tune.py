"""`multitag tune`: search for the best settings."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from multitag.cli import options, output, studying

if TYPE_CHECKING:
    from multitag.studies import Tuning

_SHOWN = 10


def tune(
    table: options.Table,
    images: options.Images = None,
    over: Annotated[
        list[str] | None,
        typer.Option(
            help="What is searched: train.lr, train.lr=1e-4..1e-2, loss.name=bce,focal, head. Again for more."
        ),
    ] = None,
    trials: Annotated[int, typer.Option(min=1, help="How many trials, those of earlier calls included.")] = 50,
    out: Annotated[Path, typer.Option(help="The folder to write; a search in it goes on.")] = Path("runs/tuning"),
    valid: Annotated[Path | None, typer.Option(help="A table of more rows to score trials by.")] = None,
    test: Annotated[
        Path | None, typer.Option(help="A table to score the best configuration on, once; its run is kept too.")
    ] = None,
    metric: Annotated[str, typer.Option(help="What trials are scored by; see 'multitag list metrics'.")] = "samples_f1",
    pruner: Annotated[
        Literal["median", "hyperband", "none"], typer.Option(help="How trials that lag behind are stopped early.")
    ] = "median",
    jobs: studying.Jobs = None,
    recipe: studying.Recipe = None,
    config: studying.ConfigFile = None,
    changes: options.Set = None,
    without: options.Without = None,
    seed: Annotated[int | None, typer.Option(help="Of split, weights, order, and of what is drawn.")] = None,
    on_bad_image: options.BadImage = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    labels_column: options.LabelsColumn = None,
    id_column: options.IdColumn = None,
    group_column: options.GroupColumn = None,
    separator: options.Separator = None,
    labels: options.LabelFile = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Search for the settings that score best on held-out rows.

    The same command goes on where an earlier one was cut short. The best configuration is written as a recipe.
    """
    from multitag.recipes import configure
    from multitag.studies import tune as search

    data = options.data_changes(
        on_bad_image=on_bad_image,
        image=image_column,
        text=text_column,
        labels=labels_column,
        id=id_column,
        group=group_column,
        separator=separator,
        label_names=options.label_names(labels),
    )
    settings = configure(recipe=recipe, file=config, changes=changes or [], without=without or [], seed=seed, data=data)
    found = search(
        table,
        settings,
        over or [],
        trials=trials,
        valid=valid,
        test=test,
        metric=metric,
        pruner=pruner,
        images=images,
        out=out,
        jobs=jobs,
        progress=output.progress(quiet=quiet),
    )
    if as_json:
        output.print_json({"out": str(out), **found.to_dict()})
        return
    _print(found, table, images, out)


def _print(found: Tuning, table: Path, images: Path | None, out: Path) -> None:
    from multitag.cli import scores
    from multitag.metrics import METRICS

    ranked = found.ranked(up=METRICS.get(found.metric).greater_is_better)
    output.print_table(
        f"the best of {len(found.trials)} trials ({found.count('finished')} finished, {found.count('stopped')} stopped "
        f"early, {found.count('failed')} failed); {found.scored_on}",
        ["trial", found.metric, "training s", "settings"],
        [
            [
                trial.number,
                f"{trial.value:.4f}",
                f"{trial.result['training_seconds']:.1f}",
                " ".join(trial.changes),
            ]
            for trial in ranked[:_SHOWN]
        ],
        left=4,
    )
    first = next((trial for trial in found.trials if trial.number == 0), None)
    if first is not None and first.value is not None:
        output.say(f"trial 0, the configuration as it stands: {found.metric} {first.value:.4f}")
    if found.importance:
        output.print_table(
            "how much each setting decides",
            ["setting", "share"],
            [[k, f"{v:.2f}"] for k, v in found.importance.items()],
        )
    if found.test is not None:
        scores.print_metrics(f"the best configuration, {found.test.rows} rows that no trial saw", found.test)
    else:
        output.say("The best of many scores on the same rows flatters: score the best on others, with --test.")
    pictures = "" if images is None else f" --images {images}"
    output.print_commands(
        {
            "train with it": f"multitag train {table}{pictures} --config {out / 'best.toml'} --out runs/best",
            "all trials": str(out / "trials.csv"),
        }
    )
