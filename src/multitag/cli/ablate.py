"""`multitag ablate`: which settings matter, and which differences are noise."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from multitag.cli import options, output, studying
from multitag.errors import ConfigError, RunError

if TYPE_CHECKING:
    from multitag.studies import Ablation
    from multitag.studies.ablation import Result

_SHOWN = ("samples_f1", "micro_f1", "macro_f1", "label_accuracy", "subset_accuracy")


def ablate(
    table: options.Table,
    images: options.Images = None,
    vary: Annotated[
        list[str] | None,
        typer.Option(help="A setting and its values: fusion.name=concat,sum. May be given again; a+b=1,2 sets both."),
    ] = None,
    variant: Annotated[
        list[str] | None,
        typer.Option(help="Changes that belong together: 'two layers: encoders.text.layers=2'. May be given again."),
    ] = None,
    grid: Annotated[
        bool,
        typer.Option("--grid/--one-at-a-time", help="Every combination, or each value alone beside a baseline."),
    ] = True,
    seeds: Annotated[int, typer.Option(min=1, help="How many seeds each configuration is trained from.")] = 3,
    out: Annotated[Path, typer.Option(help="The folder to write; finished runs in it are not run again.")] = Path(
        "runs/ablation"
    ),
    valid: studying.Valid = None,
    test: Annotated[
        Path | None, typer.Option(help="A table to score; without it, each seed holds rows of TABLE out.")
    ] = None,
    test_share: Annotated[float, typer.Option(help="How much of TABLE is held out where there is no --test.")] = 0.2,
    metric: Annotated[str, typer.Option(help="What configurations are compared by; 'multitag list metrics'.")] = (
        "samples_f1"
    ),
    jobs: studying.Jobs = None,
    recipe: studying.Recipe = None,
    config: studying.ConfigFile = None,
    changes: options.Set = None,
    without: options.Without = None,
    seed: Annotated[int | None, typer.Option(help="The first seed.")] = None,
    on_bad_image: options.BadImage = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    labels_column: options.LabelsColumn = None,
    id_column: options.IdColumn = None,
    group_column: options.GroupColumn = None,
    separator: options.Separator = None,
    labels: options.LabelFile = None,
    report: Annotated[
        Path | None, typer.Option(help="An HTML page to write: ranking, box plots, comparisons; numbers beside it.")
    ] = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Train variations of a configuration and compare them.

    The same command goes on where an earlier one was cut short: finished runs are kept.
    """
    from multitag.recipes import configure
    from multitag.studies import ablate as study

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
    if not vary and not variant:
        raise ConfigError("nothing is varied. Fix: --vary fusion.name=concat,sum,mixed")
    settings = configure(recipe=recipe, file=config, changes=changes or [], without=without or [], seed=seed, data=data)
    found = study(
        table,
        settings,
        vary or [],
        variant or [],
        design="grid" if grid else "one_at_a_time",
        seeds=seeds,
        valid=valid,
        test=test,
        test_share=test_share,
        metric=metric,
        images=images,
        out=out,
        jobs=jobs,
        progress=output.progress(quiet=quiet),
    )
    if report is not None:
        from multitag.report import write_page
        from multitag.studies.ablation_page import ablation_page

        write_page(ablation_page(found, title=f"Ablation on {table.name}"), report)
    if as_json:
        output.print_json({"out": str(out), **found.to_dict()})
    else:
        _print(found, out, report)
    if found.failures:
        lines = "\n".join(f"  {line}" for line in found.failures)
        raise RunError(f"{len(found.failures)} runs came to nothing; the same command tries them again\n{lines}")


def _print(found: Ablation, out: Path, report: Path | None) -> None:
    shown = list(dict.fromkeys([found.metric, *_SHOWN]))
    columns = {name: name for name in shown} | {
        "training_seconds": "training s",
        "testing_seconds": "testing s",
        "megabytes": "MB",
    }
    output.print_table(
        f"mean and standard deviation over {len(found.seeds)} seeds; {found.scored_on}",
        ["configuration", *columns.values()],
        [[result.name, *(_cell(result, name) for name in columns)] for result in found.results],
    )
    if len(found.results) < 2:
        return
    rows = []
    for rank in found.ranking:
        row = [rank.place, rank.name, f"{rank.mean:.4f}"]
        each = found.beside_reference(rank.name)
        if each is None:
            rows.append([*row, "", "", "", rank.verdict])
            continue
        interval = f"{each.low:+.4f} to {each.high:+.4f}"
        rows.append([*row, f"{each.value:+.4f}", interval, f"{each.p_holm:.3f}", rank.verdict])
    output.print_table(
        f"ranking by {found.metric}, beside {found.reference}",
        ["", "configuration", "mean", "difference", "95 % interval", "p (Holm)", ""],
        rows,
        left=2,
    )
    output.say(
        f"p is corrected for {len(found.comparisons)} comparisons; 'noise' is a difference that chance alone explains "
        f"(p of .05 or more)."
    )
    if report is not None:
        output.say(f"page: {report}")
    output.say(f"saved in {out}: study.json, summary.csv, runs.csv, comparisons.csv, configurations/")


def _cell(result: Result, measure: str) -> str:
    spread = result.spread(measure)
    if spread is None:
        return "-"
    digits = (
        1 if measure.endswith("seconds") and spread.mean >= 10 else 2 if measure.endswith(("seconds", "bytes")) else 4
    )
    mean = f"{spread.mean:.{digits}f}"
    return mean if spread.deviation is None else f"{mean} ± {spread.deviation:.{digits}f}"
