"""Experiment trackers: the configuration, each epoch's losses, scores and rates, and the final scores, through
accelerate.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from multitag.config import Config
from multitag.errors import ConfigError
from multitag.runs.folder import TRACKER, write_json

PROJECT = "multitag"
_WHERE = ("member", "role", "model")
"""What says of which network a row of the history is."""
_RUN = "run.json"


class Tracker:
    """One run of a tracker, opened when there is something to say: every number is named after the network that it is
    of, ``fold1/train_loss``.

    TensorBoard's and MLflow's steps are epochs of the network, so a resumed training goes on with the next. Weights &
    Biases wants steps that never fall, over all networks: it counts them itself, and each row says its epoch.

    Args:
        config: All settings; ``train.tracker`` names the tracker.
        folder: The run folder, in which the tracker has a folder of its own; `None` for none.
        resume: Whether to go on with the tracker's run there.
    """

    def __init__(self, config: Config, folder: Path | None, *, resume: bool) -> None:
        self.config, self.resume, self.name = config, resume, config.train.tracker
        self.folder = None if folder is None else folder / TRACKER
        self._title = PROJECT if folder is None else folder.resolve().name
        self._opened: Any = None

    def heard(self, on_epoch: Callable[[dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
        """A function that tells the tracker of an epoch, too."""

        def told(row: dict[str, Any]) -> None:
            self._epoch(row)
            on_epoch(row)

        return on_epoch if self.name == "none" else told

    def _epoch(self, row: Mapping[str, Any]) -> None:
        where = "/".join(str(row[key]) for key in _WHERE if key in row)
        values = {key: value for key, value in row.items() if key not in (*_WHERE, "epoch")}
        if self.name == "wandb":
            values["epoch"] = row["epoch"]
        self._log({f"{where}/{key}" if where else key: value for key, value in values.items()}, int(row["epoch"]))

    def end(self, metrics: Mapping[str, Any], epochs: int) -> None:
        """Say the final scores: the value of each metric, as metrics.json has it."""
        if self.name != "none":
            scores = metrics["validation"]["metrics"]
            self._log({f"final/{name}": score["value"] for name, score in scores.items()}, epochs)

    def _log(self, values: Mapping[str, Any], step: int) -> None:
        self._opened = self._opened or self._open()
        real = {key: v for key, v in values.items() if isinstance(v, int | float) and math.isfinite(v)}
        self._opened.log(real, step=None if self.name == "wandb" else step)

    def _open(self) -> Any:
        from accelerate import Accelerator

        known = self._known() if self.resume else {}
        kwargs: dict[str, dict[str, Any]] = {
            "mlflow": {"run_name": self._title, "run_id": known.get("id")},
            "wandb": {"name": self._title, "id": known.get("id"), "resume": "allow"},
        }
        # Each of accelerate's trackers speaks on the main process alone.
        accelerator = Accelerator(log_with=self.name, project_dir=None if self.folder is None else str(self.folder))
        said = None if known else flat(self.config.values())
        accelerator.init_trackers(PROJECT, config=said, init_kwargs={self.name: kwargs.get(self.name, {})})
        if accelerator.is_main_process and self.folder is not None:
            own = accelerator.get_tracker(self.name, unwrap=True)
            number = own.info.run_id if self.name == "mlflow" else own.id if self.name == "wandb" else None
            self.folder.mkdir(parents=True, exist_ok=True)
            write_json(self.folder / _RUN, {"tracker": self.name, "id": number})
        return accelerator

    def _known(self) -> dict[str, Any]:
        """Which run of the tracker a training that is resumed has begun."""
        if self.folder is None or not (self.folder / _RUN).is_file():
            return {}
        found: dict[str, Any] = json.loads((self.folder / _RUN).read_text("utf-8"))
        return found if found.get("tracker") == self.name else {}

    def close(self) -> None:
        """Write what is left. (Accelerate's own end of a training would part the processes too.)"""
        for tracker in self._opened.trackers if self._opened is not None else ():
            tracker.finish()


@contextmanager
def tracked(config: Config, folder: Path | None, *, resume: bool) -> Iterator[Tracker]:
    """The tracker that a configuration asks for, closed at the end; of ``"none"``, one that is never opened.

    Raises:
        ConfigError: Its package is not installed, or there is no folder to write into.
    """
    require_tracker(config.train.tracker, folder)
    tracker = Tracker(config, folder, resume=resume)
    try:
        yield tracker
    finally:
        tracker.close()


def require_tracker(name: str, folder: Path | None) -> None:
    """Refuse a tracker that cannot work, before anything else is done.

    Raises:
        ConfigError: Its package is not installed, or there is no folder to write into.
    """
    if name == "none":
        return
    if find_spec(name) is None:  # the package has the tracker's name
        raise ConfigError(f"train.tracker = '{name}' needs a package. Fix: pip install 'multitag[{name}]'")
    if name == "tensorboard" and folder is None:
        raise ConfigError(
            "train.tracker = 'tensorboard' writes into the run folder, and there is none. Fix: fit(..., out=FOLDER)"
        )


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, bool | int | float | str]:
    """Nested settings by their dotted names, lists as text."""
    found: dict[str, bool | int | float | str] = {}
    for key, value in values.items():
        if isinstance(value, Mapping):
            found |= flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = value if isinstance(value, bool | int | float | str) else json.dumps(value)
    return found
