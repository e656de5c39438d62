"""All that can be seen in runs' answers to the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from multitag.analysis.comparison import Comparison, aligned, compare
from multitag.analysis.training_curves import TrainingCurve, training_curves
from multitag.analysis.whole import Analysis, analyse
from multitag.decisions.global_threshold import GlobalThreshold
from multitag.decisions.per_label import PerLabelThresholds
from multitag.evaluation import Evaluation, Scored, answers_of, evaluation_of
from multitag.fitting.answering import Answered, same_rows
from multitag.pipeline import Pipeline
from multitag.progress import Progress, silent
from multitag.runs.files import read_record


@dataclass(frozen=True, eq=False)
class SeenRun:
    """A run and its answers.

    Attributes:
        name: What the page calls it.
        folder: Where it lies.
        pipeline: The run itself.
        answered: Its answers.
        scored: The same beside gold, over the labels that any of the runs knows.
        evaluation: Its scores.
        training: Its history.
    """

    name: str
    folder: Path
    pipeline: Pipeline
    answered: Answered
    scored: Scored
    evaluation: Evaluation
    training: list[TrainingCurve]

    @property
    def thresholds(self) -> list[float] | None:
        """The threshold of each label that the model knows; `None` where the decision is of another kind."""
        decision, count = self.pipeline.decision, len(self.pipeline.space)
        if isinstance(decision, GlobalThreshold):
            return [decision.threshold_] * count
        if isinstance(decision, PerLabelThresholds):
            return [float(threshold) for threshold in decision.thresholds_]
        return None


@dataclass(frozen=True, eq=False)
class Seen:
    """All that a report is made of.

    Attributes:
        runs: The runs; details are of the first.
        analysis: What is seen in the first.
        comparisons: The first beside each of the others.
        table: What the rows are from; ``""`` for those that the runs held out.
        rounds: Bootstrap rounds.
    """

    runs: tuple[SeenRun, ...]
    analysis: Analysis
    comparisons: tuple[Comparison, ...]
    table: str
    rounds: int


def seen_of(
    folders: Sequence[Path],
    pipelines: Sequence[Pipeline],
    answers: Sequence[Answered],
    *,
    table: str = "",
    rounds: int = 1000,
    progress: Progress = silent,
) -> Seen:
    """All that can be seen in runs' answers to the same rows.

    Args:
        folders: Of the runs.
        pipelines: The runs.
        answers: What each says.
        table: What the rows are from; ``""`` for those that the runs held out.
        rounds: Bootstrap rounds.
        progress: Told about each run.

    Raises:
        DataError: The runs answer unlike rows.
        ConfigError: The extra `report` is not installed.
    """
    same_rows(answers)
    wide = aligned([answers_of(answered.predictions, answered.samples) for answered in answers])
    first, seed = pipelines[0], pipelines[0].config.seed
    with progress("looking at answers", len(wide)) as advance:
        never_empty = first.decision.never_empty_
        analysis = analyse(wide[0], answers[0].fresh, never_empty=never_empty, rounds=rounds, seed=seed)
        advance(1)
        scores, comparisons = [analysis.evaluation], []
        for scored in wide[1:]:
            scores.append(evaluation_of(scored, rounds=rounds, seed=seed))
            comparisons.append(compare(wide[0], scored, rounds=rounds, seed=seed))
            advance(1)
    parts = zip(names_of(folders), folders, pipelines, answers, wide, scores, strict=True)
    runs = tuple(
        SeenRun(name, folder, pipeline, answered, scored, score, training_curves(read_record(folder)[1] or []))
        for name, folder, pipeline, answered, scored, score in parts
    )
    return Seen(runs, analysis, tuple(comparisons), table, rounds)


def names_of(folders: Sequence[Path]) -> list[str]:
    """The folders' own names where these differ, else their whole paths."""
    names = [folder.resolve().name for folder in folders]
    return names if len(set(names)) == len(names) else [str(folder) for folder in folders]
