"""`SpanTagger`: the classifier's verbs over texts whose words carry labels."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from multitag.config import Config
from multitag.data.columns import Columns
from multitag.data.image_check import BadImage
from multitag.data.table import Table, TableSource, iter_table, read_table
from multitag.data.write_spans import SpanWriter
from multitag.deadline import Deadline
from multitag.errors import ConfigError
from multitag.estimator import Estimator, tell
from multitag.features.rows import check_rows
from multitag.fitting.copies import are_copies
from multitag.fitting.label_checks import listed, lost_pictures
from multitag.fitting.tagging import FittedTagging, fit_spans
from multitag.progress import Progress, silent
from multitag.runs.tagging import load_tagging, save_tagging
from multitag.span_evaluation import SpanEvaluation, evaluate_spans
from multitag.tagging import Tagging
from multitag.training.tracking import tracked
from multitag.types import SpanPredictions

__all__ = ["SpanTagger"]


class SpanTagger(Estimator[Tagging, FittedTagging]):
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
        resolved = (config or Config.for_spans()).resolved()
        if resolved.task != "spans":
            raise ConfigError(f"a SpanTagger wants task = 'spans', not '{resolved.task}'. Fix: Classifier(config)")
        super().__init__(resolved)

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
        on_plan: Callable[[str], None] = lambda line: None,
    ) -> Self:
        """Train on rows with spans.

        Args:
            train: The rows.
            valid: Rows to choose epoch, calibration and decoder by; a share of `train` by default.
            images: The folder that pictures' names are relative to.
            out: The run folder to write, checkpoints included.
            resume: Go on with a training that was cut short in `out`; where there is none, begin one.
            overwrite: Replace a run that `out` holds already, once the new one is complete.
            progress: Told about each stage.
            on_epoch: Called with the history row of each epoch.
            on_plan: Told what a time limit decides, a line each.

        Raises:
            DataError: The rows cannot be used.
            RunError: `out` holds a run already, or a training of other settings or rows.
            OutOfTime: The time limit is too short for anything.
            Interrupted: Ctrl-C; the message says what was kept.
        """
        folder, limit = None if out is None else Path(out), self.config.train.time_limit
        deadline = None if limit is None else Deadline.after(limit)
        processes = self._claim(self.config, folder, resume=resume, overwrite=overwrite)
        names = self.config.data.label_names
        with tracked(self.config, folder, resume=resume) as tracker:
            fitted = fit_spans(
                self.config,
                read_table(train, images=images, span_names=names, **self._reading()),
                None if valid is None else read_table(valid, images=images, span_names=names, **self._reading()),
                folder=folder,
                resume=resume,
                deadline=deadline,
                progress=progress,
                on_epoch=tracker.heard(on_epoch),
                on_plan=on_plan,
            )
            tracker.end(fitted.to_dict(), len(fitted.history))
        return self._keep(fitted, folder, processes)

    def _reading(self) -> dict[str, Any]:
        data = self.config.data
        columns = Columns(
            image=data.image, text=data.text, labels=data.labels, id=data.id, group=data.group, spans=data.spans
        )
        return {"columns": columns}

    def predict(
        self, rows: TableSource, *, images: str | Path | None = None, progress: Progress = silent
    ) -> SpanPredictions:
        """The spans of the rows, in their order."""
        pipeline, table = self.pipeline_, self.read(rows, images)
        checked = check_rows(table.samples, self.config, progress=progress)
        tell((*table.warnings, *lost_pictures(checked.bad)))
        return pipeline.predict(checked, progress=progress)

    def stream(
        self,
        rows: TableSource,
        *,
        images: str | Path | None = None,
        chunk_rows: int = 4096,
        progress: Progress = silent,
    ) -> Iterator[tuple[Table, SpanPredictions]]:
        """Predict a table of any length a chunk at a time; memory is for one chunk."""
        pipeline, bad = self.pipeline_, list[BadImage]()
        for number, table in enumerate(iter_table(rows, images=images, chunk_rows=chunk_rows, **self._reading())):
            if number == 0:
                tell(table.warnings)
            checked = check_rows(table.samples, self.config, progress=progress)
            bad += checked.bad
            yield table, pipeline.predict(checked, progress=progress)
        tell(lost_pictures(bad))

    def predict_to(
        self,
        rows: TableSource,
        out: str | Path,
        *,
        images: str | Path | None = None,
        chunk_rows: int = 4096,
        progress: Progress = silent,
        on_chunk: Callable[[SpanPredictions], None] = lambda predictions: None,
    ) -> int:
        """Tag a table of any length and write the spans; how many rows there were.

        Args:
            rows: The rows.
            out: A .json file (ready for SemEval's scorer), .jsonl or .conll.
            images: The folder that pictures' names are relative to.
            chunk_rows: Rows in memory at a time.
            progress: Told about each stage.
            on_chunk: Called with the spans of each chunk once they are written.

        Raises:
            DataError: The rows cannot be used, or the file cannot be written.
        """
        count = 0
        with ExitStack() as stack:
            writer = stack.enter_context(SpanWriter(out, self.labels_))
            for table, predictions in self.stream(rows, images=images, chunk_rows=chunk_rows, progress=progress):
                writer.write(predictions)
                on_chunk(predictions)
                count += len(table)
        return count

    def evaluate(
        self,
        rows: TableSource,
        *,
        images: str | Path | None = None,
        rounds: int = 1000,
        progress: Progress = silent,
    ) -> SpanEvaluation:
        """Score the rows against their spans; labels never seen in training count as missed, with a warning.

        Args:
            rows: Rows with spans.
            images: The folder that pictures' names are relative to.
            rounds: Bootstrap rounds for the intervals.
            progress: Told about each stage.

        Raises:
            DataError: The table marks no spans.
        """
        pipeline, table = self.pipeline_, self.read(rows, images)
        table.require_spans()
        samples = [sample for sample in table.samples if sample.spans is not None]
        checked = check_rows(samples, self.config, progress=progress)
        result = evaluate_spans(
            pipeline.predict(checked, progress=progress), samples, rounds=rounds, seed=self.config.seed
        )
        notes = [*table.warnings, *lost_pictures(checked.bad)]
        if left_out := len(table) - len(samples):
            notes.append(f"the spans of {left_out} rows of {table.name} are not known: these rows are left out")
        if copies := int(are_copies(checked, pipeline.trained_on, pictures=self.config.reads_pictures).sum()):
            notes.append(
                f"{copies} of the {len(samples)} rows were trained on when this model was made: a score flatters"
            )
        if result.unseen:
            unseen = listed(result.unseen)
            notes.append(f"{len(result.unseen)} labels were never seen in training and count as missed: {unseen}")
        tell(notes)
        return result

    def set_decoder(self, name: str, **options: Any) -> Self:
        """Decode otherwise, without training anew: the decoder is fitted on the held-out texts of the run.

        Raises:
            ConfigError: No such decoder, wrong options, or it reads other outputs than the model has.
            RunError: The run was written by a multitag that did not keep what a decoder is fitted on.
        """
        self._pipeline = self.pipeline_.with_decoder(name, options)
        self.config = self.config.model_copy(update={"decoder": self._pipeline.config.decoder})
        return self

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
        return cls._loaded(load_tagging(folder), folder)
