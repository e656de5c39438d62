"""`SpanTagger`: the classifier's verbs over texts whose words carry labels."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from multitag.config import Config
from multitag.data.columns import Columns
from multitag.data.table import Table, TableSource, iter_table, read_table
from multitag.data.write_spans import SpanWriter
from multitag.errors import ConfigError, DataWarning, NotFittedError
from multitag.features.rows import check_rows
from multitag.fitting.copies import are_copies
from multitag.fitting.label_checks import listed
from multitag.fitting.tagging import FittedTagging, fit_spans
from multitag.interrupts import uninterrupted
from multitag.progress import Progress, silent
from multitag.runs.claim import finish, require_free
from multitag.runs.files import read_record
from multitag.runs.tagging import load_tagging, save_tagging
from multitag.span_evaluation import SpanEvaluation, evaluate_spans
from multitag.tagging import Tagging
from multitag.training import make_accelerator
from multitag.types import LabelSpace, SpanPredictions

__all__ = ["SpanTagger"]


class SpanTagger:
    """Text in, labelled spans of it out; spans may overlap, nest and repeat.

    Rows are given as a path (SemEval's JSON, JSONL, CoNLL columns, exports of annotation tools), a polars or pandas
    frame, or a list of `Sample`.

    Args:
        config: All settings; the default fine-tunes the packaged text encoder.

    Attributes:
        labels_: The labels it knows, once fitted.
        fitted_: What the last `fit` reported: scores, history, times; `None` after `load`.

    Raises:
        ConfigError: The configuration is of another task.

    Example:
        >>> tagger = SpanTagger().fit("memes.json")  # doctest: +SKIP
        >>> tagger.predict("new.json").spans  # doctest: +SKIP
    """

    def __init__(self, config: Config | None = None) -> None:
        self.config = (config or Config.for_spans()).resolved()
        if self.config.task != "spans":
            raise ConfigError(f"a SpanTagger wants task = 'spans', not '{self.config.task}'. Fix: Classifier(config)")
        self.fitted_: FittedTagging | None = None
        self._pipeline: Tagging | None = None
        self._metrics: Mapping[str, Any] | None = None
        self._history: Sequence[Mapping[str, Any]] | None = None

    @property
    def pipeline_(self) -> Tagging:
        """The fitted model with all it needs.

        Raises:
            NotFittedError: Neither `fit` nor `load` was called.
        """
        if self._pipeline is None:
            raise NotFittedError("this SpanTagger is not fitted. Fix: call fit, or SpanTagger.load(folder)")
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
        out: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        progress: Progress = silent,
        on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    ) -> Self:
        """Train on rows with spans.

        Args:
            train: The rows.
            valid: Rows to choose epoch, calibration and decoder by; a share of `train` by default.
            out: The run folder to write, checkpoints included.
            resume: Go on with a training that was cut short in `out`; where there is none, begin one.
            overwrite: Replace a run that `out` holds already, once the new one is complete.
            progress: Told about each stage.
            on_epoch: Called with the history row of each epoch.

        Raises:
            DataError: The rows cannot be used.
            RunError: `out` holds a run already, or a training of other settings or rows.
            Interrupted: Ctrl-C; the message says what was kept.
        """
        folder = None if out is None else Path(out)
        processes = make_accelerator(self.config.train.precision)
        if folder is not None and processes.is_main_process:
            require_free(folder, self.config, resume=resume, overwrite=overwrite)
        names = self.config.data.label_names
        fitted = fit_spans(
            self.config,
            read_table(train, span_names=names, **self._reading()),
            None if valid is None else read_table(valid, span_names=names, **self._reading()),
            folder=folder,
            resume=resume,
            progress=progress,
            on_epoch=on_epoch,
        )
        _warn(fitted.notes)
        self.fitted_, self._pipeline = fitted, fitted.pipeline
        self._metrics, self._history = fitted.to_dict(), fitted.history
        processes.wait_for_everyone()
        if folder is not None and processes.is_main_process:
            with uninterrupted():
                self.save(folder)
                finish(folder)
        return self

    def read(self, source: TableSource) -> Table:
        """Read a table as the configuration's [data] section says."""
        return read_table(source, **self._reading())

    def _reading(self) -> dict[str, Any]:
        data = self.config.data
        return {"columns": Columns(text=data.text, id=data.id, group=data.group, spans=data.spans)}

    def predict(self, rows: TableSource, *, progress: Progress = silent) -> SpanPredictions:
        """The spans of the rows, in their order."""
        pipeline, table = self.pipeline_, self.read(rows)
        _warn(table.warnings)
        return pipeline.predict(check_rows(table.samples, self.config), progress=progress)

    def stream(
        self, rows: TableSource, *, chunk_rows: int = 4096, progress: Progress = silent
    ) -> Iterator[tuple[Table, SpanPredictions]]:
        """Predict a table of any length a chunk at a time; memory is for one chunk."""
        pipeline = self.pipeline_
        for number, table in enumerate(iter_table(rows, chunk_rows=chunk_rows, **self._reading())):
            if number == 0:
                _warn(table.warnings)
            yield table, pipeline.predict(check_rows(table.samples, self.config), progress=progress)

    def predict_to(
        self, rows: TableSource, out: str | Path, *, chunk_rows: int = 4096, progress: Progress = silent
    ) -> int:
        """Tag a table of any length and write the spans; how many rows there were.

        Args:
            rows: The rows.
            out: A .json file (ready for SemEval's scorer), .jsonl or .conll.
            chunk_rows: Rows in memory at a time.
            progress: Told about each stage.

        Raises:
            DataError: The rows cannot be used, or the file cannot be written.
        """
        count = 0
        with ExitStack() as stack:
            writer = stack.enter_context(SpanWriter(out, self.labels_))
            for table, predictions in self.stream(rows, chunk_rows=chunk_rows, progress=progress):
                writer.write(predictions)
                count += len(table)
        return count

    def evaluate(self, rows: TableSource, *, rounds: int = 1000, progress: Progress = silent) -> SpanEvaluation:
        """Score the rows against their spans; labels never seen in training count as missed, with a warning.

        Args:
            rows: Rows with spans.
            rounds: Bootstrap rounds for the intervals.
            progress: Told about each stage.

        Raises:
            DataError: The table marks no spans.
        """
        pipeline, table = self.pipeline_, self.read(rows)
        table.require_spans()
        samples = [sample for sample in table.samples if sample.spans is not None]
        checked = check_rows(samples, self.config)
        result = evaluate_spans(
            pipeline.predict(checked, progress=progress), samples, rounds=rounds, seed=self.config.seed
        )
        notes = list(table.warnings)
        if left_out := len(table) - len(samples):
            notes.append(f"the spans of {left_out} rows of {table.name} are not known: these rows are left out")
        if copies := int(are_copies(checked, pipeline.trained_on, pictures=self.config.reads_pictures).sum()):
            notes.append(
                f"{copies} of the {len(samples)} rows were trained on when this model was made: a score flatters"
            )
        if result.unseen:
            unseen = listed(result.unseen)
            notes.append(f"{len(result.unseen)} labels were never seen in training and count as missed: {unseen}")
        _warn(notes)
        return result

    def save(self, folder: str | Path) -> None:
        """Write the run folder, in place of a run that it may hold.

        Raises:
            NotFittedError: There is nothing to write.
            RunError: The folder cannot be written.
        """
        save_tagging(self.pipeline_, folder, metrics=self._metrics, history=self._history)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a run folder; no code in it is ever run.

        Raises:
            RunError: The folder is missing or cut short, of another task, or a frozen encoder is not there.
        """
        pipeline = load_tagging(folder)
        tagger = cls(pipeline.config)
        tagger._pipeline = pipeline
        tagger._metrics, tagger._history = read_record(folder)
        return tagger


def _warn(notes: Sequence[str]) -> None:
    """Tell the caller of the verb what to look at, each thing once."""
    for note in dict.fromkeys(notes):
        warnings.warn(note, DataWarning, stacklevel=3)
