"""`Classifier`: scikit-learn's verbs over tables of pictures and texts."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from multitag import artifacts
from multitag.config import Config
from multitag.data.columns import Columns
from multitag.data.table import Table, TableSource, iter_table, read_table
from multitag.data.write import PredictionWriter
from multitag.errors import DataWarning, NotFittedError, RunError
from multitag.evaluation import Evaluation, evaluate
from multitag.features.rows import check_rows
from multitag.fitting import Fitted, fit
from multitag.pipeline import Pipeline
from multitag.progress import Progress, silent
from multitag.types import LabelSpace, Predictions, Probabilities

__all__ = ["Classifier"]


class Classifier:
    """Image + text in, a set of labels out.

    Rows are given as a path (CSV, TSV, JSONL, Parquet, JSON), a polars or pandas frame, or a list of `Sample`.

    Args:
        config: All settings; the default trains heads on packaged frozen encoders.

    Attributes:
        labels_: The labels it knows, once fitted.
        fitted_: What the last `fit` reported: scores, history, times; `None` after `load`.

    Example:
        >>> model = Classifier().fit("train.csv", images="images")  # doctest: +SKIP
        >>> model.predict("new.csv", images="images").labels  # doctest: +SKIP
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = (config or Config()).resolved()
        self.fitted_: Fitted | None = None
        self._pipeline: Pipeline | None = None

    @property
    def pipeline_(self) -> Pipeline:
        """The fitted model with all it needs.

        Raises:
            NotFittedError: Neither `fit` nor `load` was called.
        """
        if self._pipeline is None:
            raise NotFittedError("this Classifier is not fitted. Fix: call fit, or Classifier.load(folder)")
        return self._pipeline

    @property
    def labels_(self) -> LabelSpace:
        """The labels it knows."""
        return self.pipeline_.space

    def fit(
        self,
        train: TableSource,
        valid: TableSource | None = None,
        *,
        images: str | Path | None = None,
        out: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        progress: Progress = silent,
        on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    ) -> Self:
        """Train on labelled rows.

        Args:
            train: The rows.
            valid: Rows to choose epoch, calibration and decision by; a share of `train` by default.
            images: The folder that pictures' names are relative to.
            out: The run folder to write, checkpoints included.
            resume: Go on with a training that was cut short in `out`.
            overwrite: Replace a run that `out` holds already.
            progress: Told about each stage.
            on_epoch: Called with the history row of each epoch.

        Raises:
            DataError: The rows or their pictures cannot be used.
            RunError: `out` holds a run already.
        """
        folder = None if out is None else Path(out)
        table = self.read(train, images)
        valid_table = None if valid is None else self.read(valid, images)
        if folder is not None:
            _prepare_folder(folder, self.config, resume=resume, overwrite=overwrite)
        fitted = fit(
            self.config,
            table,
            valid_table,
            folder=folder,
            resume=resume,
            progress=progress,
            on_epoch=on_epoch,
        )
        for note in fitted.notes:
            warnings.warn(note, DataWarning, stacklevel=2)
        self.fitted_, self._pipeline = fitted, fitted.pipeline
        if folder is not None:
            self.save(folder)
            shutil.rmtree(folder / artifacts.CHECKPOINTS, ignore_errors=True)
        return self

    def read(self, source: TableSource, images: str | Path | None = None) -> Table:
        """Read a table as the configuration's [data] section says."""
        return read_table(source, images=images, **self._reading())

    def _reading(self) -> dict[str, Any]:
        data = self.config.data
        columns = Columns(image=data.image, text=data.text, labels=data.labels, id=data.id, group=data.group)
        return {"columns": columns, "separator": data.separator}

    def predict(
        self, rows: TableSource, *, images: str | Path | None = None, progress: Progress = silent
    ) -> Predictions:
        """Label sets of the rows, in their order."""
        table = self.read(rows, images)
        checked = check_rows(table.samples, self.config.data, progress=progress)
        return self.pipeline_.predict(checked, progress=progress)

    def predict_proba(
        self, rows: TableSource, *, images: str | Path | None = None, progress: Progress = silent
    ) -> Probabilities:
        """Calibrated probabilities (N, K) of the rows, in their order."""
        predictions = self.predict(rows, images=images, progress=progress)
        return Probabilities(predictions.ids, predictions.space, predictions.probabilities)

    def stream(
        self,
        rows: TableSource,
        *,
        images: str | Path | None = None,
        chunk_rows: int = 4096,
        progress: Progress = silent,
    ) -> Iterator[tuple[Table, Predictions]]:
        """Predict a table of any length a chunk at a time; memory is for one chunk."""
        pipeline = self.pipeline_
        for table in iter_table(rows, images=images, chunk_rows=chunk_rows, **self._reading()):
            checked = check_rows(table.samples, self.config.data, progress=progress)
            yield table, pipeline.predict(checked, progress=progress)

    def predict_to(
        self,
        rows: TableSource,
        out: str | Path,
        *,
        images: str | Path | None = None,
        probabilities: bool = False,
        chunk_rows: int = 4096,
        progress: Progress = silent,
    ) -> int:
        """Label a table of any length and write the answers in the table's own shape; how many rows there were.

        The file appears when all rows are in it.

        Args:
            rows: The rows.
            out: A .csv, .tsv, .jsonl or .parquet file.
            images: The folder that pictures' names are relative to.
            probabilities: Whether to write every label's probability too.
            chunk_rows: Rows in memory at a time.
            progress: Told about each stage.

        Raises:
            DataError: The rows or their pictures cannot be used, or the file cannot be written.
        """
        count = 0
        with ExitStack() as stack:
            writer: PredictionWriter | None = None
            chunks = self.stream(rows, images=images, chunk_rows=chunk_rows, progress=progress)
            for table, predictions in chunks:
                if writer is None:
                    like = PredictionWriter.like(table, out, self.labels_, probabilities=probabilities)
                    writer = stack.enter_context(like)
                writer.write(predictions)
                count += len(table)
        return count

    def evaluate(
        self,
        rows: TableSource,
        *,
        images: str | Path | None = None,
        rounds: int = 1000,
        progress: Progress = silent,
    ) -> Evaluation:
        """Score the rows against their labels; labels never seen in training count as missed, with a warning.

        Args:
            rows: Labelled rows.
            images: The folder that pictures' names are relative to.
            rounds: Bootstrap rounds for the intervals.
            progress: Told about each stage.

        Raises:
            DataError: The rows have no labels, or their pictures cannot be used.
        """
        table = self.read(rows, images)
        table.require_labels()
        checked = check_rows(table.samples, self.config.data, progress=progress)
        predictions = self.pipeline_.predict(checked, progress=progress)
        result = evaluate(predictions, checked.samples, rounds=rounds, seed=self.config.seed)
        if result.unseen:
            names = ", ".join(result.unseen[:10])
            warnings.warn(
                f"{len(result.unseen)} labels were never seen in training and count as missed: {names}",
                DataWarning,
                stacklevel=2,
            )
        return result

    def set_decision(self, name: str, **options: Any) -> Self:
        """Decide otherwise, without training anew: the decision is fitted on the held-out rows of the run.

        Raises:
            ConfigError: No such decision, or wrong options.
        """
        self._pipeline = self.pipeline_.with_decision(name, options)
        self.config = self._pipeline.config
        return self

    def save(self, folder: str | Path) -> None:
        """Write the run folder."""
        metrics = None if self.fitted_ is None else self.fitted_.to_dict()
        artifacts.save_run(
            self.pipeline_, folder, metrics=metrics, history=self.fitted_.history if self.fitted_ else None
        )

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a run folder; no code in it is ever run.

        Raises:
            RunError: The folder is missing or cut short, or a frozen encoder is not there.
        """
        pipeline = artifacts.load_run(folder)
        classifier = cls(pipeline.config)
        classifier._pipeline = pipeline
        return classifier


def _prepare_folder(folder: Path, config: Config, *, resume: bool, overwrite: bool) -> None:
    """Make the run folder, or refuse to write over another run."""
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder} is a file; --out wants a folder")
    whole = (folder / artifacts.MODEL).is_file()
    started = (folder / artifacts.CHECKPOINTS).is_dir()
    if overwrite:
        for name in (*artifacts.NEEDED, artifacts.METRICS, artifacts.HISTORY):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(folder / artifacts.CHECKPOINTS, ignore_errors=True)
    elif whole:
        raise RunError(f"{folder} already holds a trained run. Fix: another --out, or --overwrite to replace it")
    elif started and not resume:
        raise RunError(
            f"{folder} holds a training that did not finish. Fix: --resume to go on, or --overwrite to start anew"
        )
    elif folder.is_dir() and any(folder.iterdir()) and not started:
        raise RunError(f"{folder} is not empty and no run. Fix: give --out a new folder")
    (folder / artifacts.CHECKPOINTS).mkdir(parents=True, exist_ok=True)
    artifacts.write_text(folder / artifacts.CONFIG, config.dump())
