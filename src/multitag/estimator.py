"""What a classifier and a span tagger share: settings, what was fitted by them, and the run folder."""

from __future__ import annotations

import warnings
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from accelerate import Accelerator

from multitag.config import Config
from multitag.data.table import Table, TableSource, read_table
from multitag.errors import DataWarning, NotFittedError
from multitag.interrupts import uninterrupted
from multitag.runs.claim import finish, require_free
from multitag.runs.files import read_record
from multitag.training import make_accelerator
from multitag.types import LabelSpace


class Model(Protocol):
    """A fitted model with all it needs."""

    @property
    def config(self) -> Config:
        """What it was made by."""
        ...

    @property
    def space(self) -> LabelSpace:
        """The labels."""
        ...


class Report(Protocol):
    """What a fit reports."""

    @property
    def pipeline(self) -> Any:
        """The fitted model."""
        ...

    @property
    def history(self) -> Sequence[Mapping[str, Any]]:
        """A row for each epoch."""
        ...

    @property
    def notes(self) -> Sequence[str]:
        """What a user should look at."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json."""
        ...


PipelineT = TypeVar("PipelineT", bound=Model)
FittedT = TypeVar("FittedT", bound=Report)


class Estimator(ABC, Generic[PipelineT, FittedT]):
    """The body of the public classes; what they learn and answer is their own.

    Args:
        config: All settings, resolved.
    """

    def __init__(self, config: Config, /) -> None:
        self.config = config
        self.fitted_: FittedT | None = None
        self._pipeline: PipelineT | None = None
        self._metrics: Mapping[str, Any] | None = None
        self._history: Sequence[Mapping[str, Any]] | None = None

    @property
    def pipeline_(self) -> PipelineT:
        """The fitted model with all it needs.

        Raises:
            NotFittedError: Neither `fit` nor `load` was called.
        """
        if self._pipeline is None:
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted. Fix: call fit, or {name}.load(folder)")
        return self._pipeline

    @property
    def is_fitted(self) -> bool:
        """Whether `fit` or `load` was called."""
        return self._pipeline is not None

    @property
    def labels_(self) -> LabelSpace:
        """The labels it knows."""
        return self.pipeline_.space

    def read(self, source: TableSource, images: str | Path | None = None) -> Table:
        """Read a table as the configuration's [data] section says."""
        return read_table(source, images=images, **self._reading())

    @abstractmethod
    def _reading(self) -> dict[str, Any]:
        """How tables are read, for `read_table`."""

    @abstractmethod
    def save(self, folder: str | Path) -> None:
        """Write the run folder, in place of a run that it may hold."""

    @staticmethod
    def _claim(config: Config, folder: Path | None, *, resume: bool, overwrite: bool) -> Accelerator:
        """Refuse a folder that must not be written into, before anything is read; the processes that train."""
        processes = make_accelerator(config.train.precision)
        if folder is not None and processes.is_main_process:
            require_free(folder, config, resume=resume, overwrite=overwrite)
        return processes

    def _keep(self, fitted: FittedT, folder: Path | None, processes: Accelerator) -> Self:
        """Take over what was fitted, and write it where a folder was asked for."""
        tell(fitted.notes, depth=4)
        self.fitted_, self._pipeline = fitted, fitted.pipeline
        self._metrics, self._history = fitted.to_dict(), fitted.history
        processes.wait_for_everyone()
        if folder is not None and processes.is_main_process:
            with uninterrupted():
                self.save(folder)
                finish(folder)
        return self

    @classmethod
    def _loaded(cls, pipeline: PipelineT, folder: str | Path) -> Self:
        """One with a model that was read from a run folder, and the folder's record of it."""
        made = cls.__new__(cls)
        Estimator.__init__(made, pipeline.config)
        made._pipeline = pipeline
        made._metrics, made._history = read_record(folder)
        return made


def tell(notes: Sequence[str], *, depth: int = 3) -> None:
    """Tell the caller of a verb what to look at, each thing once.

    Args:
        notes: What to tell.
        depth: How many calls above is the caller of the verb.
    """
    for note in dict.fromkeys(notes):
        warnings.warn(note, DataWarning, stacklevel=depth)
