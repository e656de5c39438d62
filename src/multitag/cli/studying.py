"""Options that the commands of studies share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Recipe = Annotated[str | None, typer.Option(help="A named recipe to begin with; see 'multitag list recipes'.")]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file with all settings to begin with.")]
Jobs = Annotated[
    int | None,
    typer.Option(min=1, help="Worker processes, which share the cores; as many as there are cores by default."),
]
Valid = Annotated[Path | None, typer.Option(help="A table of more rows, to choose epoch and decision by.")]
