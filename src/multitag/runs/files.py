"""What stands in the files of a run folder beside the model: reading them, and what a run was made with."""

from __future__ import annotations

import json
import math
import os
import platform
import time
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import multitag
from multitag.errors import RunError
from multitag.runs.folder import HISTORY, METRICS

FORMAT_VERSION = 2


def read_json(path: Path) -> Any:
    """The value in a JSON file.

    Raises:
        RunError: It is no JSON.
    """
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise RunError(f"{path} is damaged: {error}") from error


def require_format(path: Path) -> None:
    """Refuse a run of a format that this version does not read.

    Args:
        path: Its file that says of which it is.

    Raises:
        RunError: It is of a newer or an older format, or does not say of which.
    """
    content = read_json(path)
    version = content.get("format") if isinstance(content, dict) else None
    if not isinstance(version, int):
        raise RunError(f"{path} is damaged: it does not say of which format it is")
    if version > FORMAT_VERSION:
        raise RunError(
            f"{path.parent} was written by a newer multitag (format {version}, this one reads {FORMAT_VERSION}). "
            f"Fix: upgrade multitag"
        )
    if version < FORMAT_VERSION:
        raise RunError(
            f"{path.parent} was written by multitag before its first release (format {version}, this one reads "
            f"{FORMAT_VERSION}). Fix: train again"
        )


def read_record(folder: str | Path) -> tuple[dict[str, Any] | None, list[dict[str, Any]] | None]:
    """The metrics and the history of a run; `None` for what the folder does not hold.

    Raises:
        RunError: A file is damaged.
    """
    path = Path(folder)
    metrics = read_json(path / METRICS) if (path / METRICS).is_file() else None
    if not (path / HISTORY).is_file():
        return metrics, None
    try:
        return metrics, [json.loads(line) for line in (path / HISTORY).read_text("utf-8").splitlines() if line]
    except ValueError as error:
        raise RunError(f"{path / HISTORY} is damaged: {error}") from error


def to_come(folder: Path) -> list[str]:
    """The members that were still to be trained when the run in a folder was written; none of a finished one."""
    try:
        found = read_json(folder / METRICS)["plan"]["to_come"]
    except (OSError, RunError, KeyError, TypeError):
        return []
    return [str(name) for name in found] if isinstance(found, list) else []


def json_line(row: Mapping[str, Any]) -> str:
    """A row as a line of JSON, which has no NaN."""
    strict = {key: None if isinstance(v, float) and not math.isfinite(v) else v for key, v in row.items()}
    return json.dumps(strict, allow_nan=False) + "\n"


def environment() -> dict[str, Any]:
    """What a run was made with: versions, machine, time."""
    packages = ("torch", "transformers", "numpy", "scikit-learn", "pillow", "accelerate", "safetensors")
    return {
        "multitag": multitag.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processors": os.cpu_count(),
        "packages": {name: metadata.version(name) for name in packages},
        "written": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
