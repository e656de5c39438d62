"""`multitag encode`: what frozen encoders say of tables, stored ahead."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from multitag.cli import options, output
from multitag.errors import ConfigError

if TYPE_CHECKING:
    from multitag.encoding import Encoding


def encode(
    tables: Annotated[
        list[Path] | None, typer.Argument(help="The tables, in any of the formats that 'multitag train' reads.")
    ] = None,
    images: options.Images = None,
    task: options.Task = None,
    run: Annotated[
        Path | None, typer.Option(help="A run folder, whose encoders are used, in place of a configuration.")
    ] = None,
    recipe: options.Recipe = None,
    preset: options.Preset = None,
    config: options.ConfigFile = None,
    changes: options.Set = None,
    without: options.Without = None,
    share: Annotated[
        str, typer.Option(help="Encode a part only: 1/4 on the first of four machines, 2/4 on the second...")
    ] = "1/1",
    processes: Annotated[
        int, typer.Option(min=1, help="Encode in so many processes, which share the cores or have a GPU each.")
    ] = 1,
    merge: Annotated[
        list[Path] | None, typer.Option(help="Copy what another store has into this one first. May be given again.")
    ] = None,
    on_bad_image: options.BadImage = None,
    image_column: options.ImageColumn = None,
    text_column: options.TextColumn = None,
    id_column: options.IdColumn = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Run frozen encoders on tables ahead of training and predicting.

    What they say is kept in the feature store, where 'multitag train' and 'multitag predict' find it.
    The work can be parted: several processes on this machine, or a share on each machine of a cluster.
    """
    if not tables and not merge:
        raise typer.BadParameter("a table is needed, such as train.csv, or a store to --merge.", param_hint="TABLES")
    source = {"--task": task, "--recipe": recipe, "--preset": preset, "--config": config}
    given = {**source, "--set": changes, "--without": without}
    given = {name: value for name, value in given.items() if value}
    if run is not None and given:
        raise ConfigError(
            f"{', '.join(given)}: these make a configuration, and the run {run} has its own. Fix: leave them out"
        )
    from multitag.encoding import encode as ahead
    from multitag.recipes import configure

    found = ahead(
        tables or [],
        run
        or configure(
            task=task, recipe=recipe, preset=preset, file=config, changes=changes or [], without=without or []
        ),
        images=images,
        data=options.data_changes(on_bad_image=on_bad_image, image=image_column, text=text_column, id=id_column),
        share=share,
        processes=processes,
        merge=merge or [],
        progress=output.progress(quiet=quiet),
    )
    if as_json:
        output.print_json(found.to_dict())
    else:
        _print(found, tables=bool(tables))
        output.say(f"store: {found.store}; next:\n")
        output.print_commands(_next(found, tables or [], {"--images": images, **given}, run))


def _print(found: Encoding, *, tables: bool) -> None:
    part = f", share {found.share} of them" if found.share.count > 1 else ""
    if found.encoders:
        output.print_table(
            f"{found.rows} rows{part}",
            ["encoder", "", "distinct", "stored before", "encoded", "seconds", "per second"],
            [
                [
                    each.name,
                    each.component,
                    f"{each.contents} {each.modality}s",
                    each.contents - each.encoded,
                    each.encoded,
                    f"{each.seconds:.1f}",
                    f"{each.encoded / each.seconds:.1f}" if each.encoded and each.seconds else "-",
                ]
                for each in found.encoders
            ],
            left=2,
        )
    elif tables:
        output.say("There is nothing to store: no encoder is frozen and worth keeping.")
    for name, why in found.without.items():
        output.say(f"{name}: nothing is stored, {why}")
    for folder, entries in found.merged.items():
        output.say(f"{folder}: {entries} entries were new")


def _next(found: Encoding, tables: list[Path], given: dict[str, Any], run: Path | None) -> dict[str, str]:
    """What to type next, with the options that were given."""
    words = [str(table) for table in tables] or ["train.csv"]
    more = [str(part) for name, value in given.items() for one in _each(value) for part in (name, one)]
    if found.share.count > 1:
        named = [*words, *(["--run", str(run)] if run is not None else []), *more]
        return {"when all shares are done": f"multitag encode {shlex.join(named)} --merge STORE --merge STORE"}
    if run is not None:
        return {"label rows": f"multitag predict {shlex.join([str(run), words[0], *more])} --out predictions.csv"}
    return {"train": f"multitag train {shlex.join([words[0], *more])} --out runs/first"}


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]
