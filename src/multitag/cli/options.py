"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from multitag.errors import ConfigError

Table = Annotated[
    Path, typer.Argument(help="The table: CSV, TSV, JSONL, Parquet, or JSON (SemEval-2021 task 6, MS-COCO).")
]
Run = Annotated[Path, typer.Argument(help="The run folder that 'multitag train' wrote.")]
Images = Annotated[
    Path | None, typer.Option(help="The folder that pictures' names are relative to; the table's own by default.")
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of tables.")]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bars.")]
BadImage = Annotated[
    Literal["error", "missing"] | None,
    typer.Option(help="A picture that cannot be used: 'error' lists them all, 'missing' takes the row without one."),
]
ImageColumn = Annotated[str | None, typer.Option(help="The column with pictures; '' for none.")]
TextColumn = Annotated[str | None, typer.Option(help="The column with texts; several, with commas, are joined.")]
LabelsColumn = Annotated[str | None, typer.Option(help="The column with labels, or several 0/1 columns, with commas.")]
SpansColumn = Annotated[
    str | None, typer.Option(help="The column with spans of the text; found by what it holds where it is not named.")
]
Task = Annotated[
    Literal["labels", "spans"] | None,
    typer.Option(help="What is learned: sets of labels of rows (the default), or labelled spans of their texts."),
]
Recipe = Annotated[str | None, typer.Option(help="A named recipe; see 'multitag list recipes'.")]
Preset = Annotated[
    Literal["fast", "balanced", "best"] | None,
    typer.Option(help="Settings that are good on any table, from the quickest to the one of the best scores."),
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file with all settings.")]
Without = Annotated[
    list[str] | None, typer.Option(help="Leave an encoder out, e.g. image or text. May be given again.")
]
IdColumn = Annotated[str | None, typer.Option(help="The column that names a row.")]
GroupColumn = Annotated[str | None, typer.Option(help="Rows of one group never end up on both sides of a split.")]
Separator = Annotated[
    Literal["auto", "space", "comma", "semicolon", "bar", "json", "python", "none"] | None,
    typer.Option(help="What stands between two labels in a cell; 'auto' looks at the whole column."),
]
LabelFile = Annotated[
    Path | None, typer.Option("--labels", help="A file with all label names, one a line, for a fixed class list.")
]
Decision = Annotated[str | None, typer.Option(help="Decide otherwise than in training; see 'multitag list decisions'.")]
Decoder = Annotated[
    str | None,
    typer.Option(help="Of spans: read them off otherwise than in training; see 'multitag list span-decoders'."),
]
ChosenOptions = Annotated[
    list[str] | None,
    typer.Option("--option", help="An option of --decision or --decoder: key=value. May be given again."),
]
Show = Annotated[int | None, typer.Option(min=0, help="Of spans: how many texts to print, their spans marked.")]
Set = Annotated[
    list[str] | None, typer.Option("--set", help="Change a setting: section.key=value. May be given again.")
]


def data_changes(**given: Any) -> dict[str, Any]:
    """What the options above change in the [data] section; those not given change nothing."""
    changes = {key: value for key, value in given.items() if value is not None}
    for key in ("text", "labels"):
        if key in changes and "," in changes[key]:
            changes[key] = tuple(part.strip() for part in changes[key].split(","))
    return changes


def label_names(file: Path | None) -> tuple[str, ...] | None:
    """The class list in a file, if one was given."""
    if file is None:
        return None
    from multitag.data.labels import read_label_names

    return tuple(read_label_names(file))


def chosen_options(option: str, name: str | None, given: list[str] | None) -> dict[str, str]:
    """What ``--option`` says of the component that another option names.

    Args:
        option: That other option: ``"--decision"``.
        name: What it says.
        given: Each ``key=value``.

    Raises:
        ConfigError: One is not of the form, or there is nothing that they could be options of.
    """
    if given and name is None:
        raise ConfigError(f"--option belongs to {option}, and there is none. Fix: give {option} too")
    pairs = {}
    for text in given or []:
        key, equals, value = text.partition("=")
        if not equals:
            raise ConfigError(f"--option '{text}' is not of the form key=value")
        pairs[key.strip()] = value.strip()
    if "name" in pairs:
        raise ConfigError(f"--option name={pairs['name']}: the name is given by {option}")
    return pairs
