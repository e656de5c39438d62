"""`Classifier`: scikit-learn's verbs over tables of pictures and texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

from multitag.config import Config
from multitag.config.presets import preset_path
from multitag.data.columns import Columns
from multitag.data.image_check import BadImage
from multitag.data.table import Table, TableSource, iter_table, read_table
from multitag.data.write import PredictionWriter
from multitag.deadline import Deadline
from multitag.errors import ConfigError
from multitag.estimator import Estimator, tell
from multitag.evaluation import Evaluation, evaluate
from multitag.features.rows import check_rows
from multitag.fitting.copies import seen_in_training
from multitag.fitting.fit import fit
from multitag.fitting.fitted import Fitted
from multitag.fitting.label_checks import labelled, listed, lost_pictures
from multitag.pipeline import Pipeline
from multitag.progress import Progress, silent
from multitag.runs import artifacts
from multitag.training.tracking import tracked
from multitag.types import Predictions, Probabilities

__all__ = ["Classifier"]


class Classifier(Estimator[Pipeline, Fitted]):
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
        resolved = (config or Config()).resolved()
        if resolved.task != "labels":
            raise ConfigError(f"a Classifier gives label sets; task = '{resolved.task}'. Fix: SpanTagger(config)")
        super().__init__(resolved)

    @classmethod
    def preset(cls, name: str, *, time_limit: str | float | None = None) -> Self:
        """One of a whole configuration that is good on any table without a choice to make.

        Args:
            name: ``"fast"``, ``"balanced"`` or ``"best"``.
            time_limit: How long `fit` may take: ``"30m"``, ``"1h30m"`` or seconds; as long as it takes by default.

        Raises:
            ConfigError: No such preset, or no such duration.
        """
        config = Config.read(preset_path(name))
        made = cls.__new__(cls)
        Classifier.__init__(made, config if time_limit is None else config.changed([f"train.time_limit={time_limit}"]))
        return made

    def fit(
        self,
        train: TableSource,
        valid: TableSource | None = None,
        *,
        unlabeled: TableSource | None = None,
        teacher: str | Path | None = None,
        images: str | Path | None = None,
        out: str | Path | None = None,
        resume: bool = False,
        overwrite: bool = False,
        jobs: int | None = 1,
        progress: Progress = silent,
        on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
        on_plan: Callable[[str], None] = lambda line: None,
    ) -> Self:
        """Train on labelled rows.

        Args:
            train: The rows.
            valid: Rows to choose epoch, calibration and decision by; a share of `train` by default.
            unlabeled: Rows to pseudo-label, by a teacher that is trained on `train`, for the student that is kept: see
                the [pseudo] section. Copies of labelled rows are left out. With `teacher`, that one's probabilities are
                learned of these rows, as they are.
            teacher: The folder of a fitted run with the same labels, mostly a larger one: its probabilities are learned
                beside the labels; see the [teacher] section.
            images: The folder that pictures' names are relative to.
            out: The run folder to write, checkpoints included.
            resume: Go on with a training that was cut short in `out`; where there is none, begin one.
            overwrite: Replace a run that `out` holds already, once the new one is complete.
            jobs: How many networks of folds train at a time, each in a process of its own with its share of the cores,
                where `out` is given; `None` as many as pay. More than one needs a script that guards what it starts
                with ``if __name__ == "__main__"``.
            progress: Told about each stage.
            on_epoch: Called with the history row of each epoch.
            on_plan: Told what a time limit decides, a line each.

        Raises:
            ConfigError: There are rows without labels, or a teacher, and nothing to train on them; or a [pseudo] or
                [teacher] section and no such thing.
            DataError: The rows or their pictures cannot be used.
            RunError: `out` holds a run already, or a training of other settings or rows; or the teacher cannot be read,
                or knows other labels.
            OutOfTime: The time limit is too short for anything.
            Interrupted: Ctrl-C; the message says what was kept.
            MultitagError: A process of its own came to nothing.
        """
        folder, limit = None if out is None else Path(out), self.config.train.time_limit
        deadline = None if limit is None else Deadline.after(limit)
        config = self.config.with_teacher(wanted=teacher is not None, pool=unlabeled is not None)
        config = config.with_students(wanted=unlabeled is not None and teacher is None)
        processes = self._claim(config, folder, resume=resume, overwrite=overwrite)
        with tracked(config, folder, resume=resume) as tracker:
            fitted = fit(
                config,
                self._read_to_train(train, images),
                None if valid is None else self._read_to_train(valid, images),
                None if unlabeled is None else self.read(unlabeled, images),
                teacher=None if teacher is None else Path(teacher),
                folder=folder,
                resume=resume,
                deadline=deadline,
                jobs=jobs,
                progress=progress,
                on_epoch=tracker.heard(on_epoch),
                on_plan=on_plan,
            )
            tracker.end(fitted.to_dict(), len(fitted.history))
        return self._keep(fitted, folder, processes)

    def _read_to_train(self, source: TableSource, images: str | Path | None) -> Table:
        """Read a table whose labels must all be among those declared, where any are."""
        return read_table(source, images=images, label_names=self.config.data.label_names, **self._reading())

    def _reading(self) -> dict[str, Any]:
        data = self.config.data
        columns = Columns(image=data.image, text=data.text, labels=data.labels, id=data.id, group=data.group)
        return {"columns": columns, "separator": data.separator}

    def predict(
        self, rows: TableSource, *, images: str | Path | None = None, progress: Progress = silent
    ) -> Predictions:
        """Label sets of the rows, in their order."""
        pipeline, table = self.pipeline_, self.read(rows, images)
        checked = check_rows(table.samples, self.config, progress=progress)
        tell((*table.warnings, *lost_pictures(checked.bad)))
        return pipeline.predict(checked, progress=progress)

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
        allow_seen: bool = False,
        progress: Progress = silent,
    ) -> Evaluation:
        """Score the rows against their labels; labels never seen in training count as missed, with a warning.

        Rows that the model was trained on are known by hashes of their pictures and texts, and flatter it.

        Args:
            rows: Labelled rows.
            images: The folder that pictures' names are relative to.
            rounds: Bootstrap rounds for the intervals.
            allow_seen: Score rows that were pseudo-labelled in training all the same.
            progress: Told about each stage.

        Raises:
            DataError: The rows have no labels, their pictures cannot be used, or some were pseudo-labelled in training.
        """
        pipeline, table = self.pipeline_, self.read(rows, images)
        samples, left_out = labelled(table)
        checked = check_rows(samples, self.config, progress=progress)
        seen = seen_in_training(pipeline, checked, allowed=allow_seen)
        predictions = pipeline.predict(checked, progress=progress)
        result = evaluate(predictions, checked.samples, rounds=rounds, seed=self.config.seed)
        notes = [*table.warnings, *left_out, *lost_pictures(checked.bad), *seen]
        if result.unseen:
            unseen = listed(result.unseen)
            notes.append(f"{len(result.unseen)} labels were never seen in training and count as missed: {unseen}")
        tell(notes)
        return result

    def set_decision(self, name: str, **options: Any) -> Self:
        """Decide otherwise, without training anew: the decision is fitted on the held-out rows of the run.

        Raises:
            ConfigError: No such decision, or wrong options.
        """
        self._pipeline = self.pipeline_.with_decision(name, options)
        self.config = self.config.model_copy(update={"decision": self._pipeline.config.decision})
        return self

    def save(self, folder: str | Path) -> None:
        """Write the run folder, in place of a run that it may hold.

        Raises:
            NotFittedError: There is nothing to write.
            RunError: The folder cannot be written.
        """
        artifacts.save_run(self.pipeline_, folder, metrics=self._metrics, history=self._history)

    @classmethod
    def load(cls, folder: str | Path) -> Self:
        """Read a run folder; no code in it is ever run.

        Raises:
            RunError: The folder is missing or cut short, or a frozen encoder is not there.
        """
        return cls._loaded(artifacts.load_run(folder), folder)
