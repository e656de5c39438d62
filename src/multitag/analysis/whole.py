"""Everything that can be seen in one run's answers to labelled rows."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multitag.analysis.confusion import Confusion, confusion
from multitag.analysis.curves import PrecisionRecall, precision_recall
from multitag.analysis.label_errors import LabelErrors, label_errors
from multitag.analysis.label_intervals import label_f1_intervals
from multitag.analysis.reliability import Reliability, reliability
from multitag.analysis.row_errors import RowErrors, row_errors
from multitag.analysis.slices import Slice, slices
from multitag.analysis.threshold_grid import ThresholdGrid
from multitag.analysis.threshold_sweep import Sweep, sweep
from multitag.evaluation import Evaluation, Scored, evaluation_of
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import Interval
from multitag.types import BoolArray


@dataclass(frozen=True, eq=False)
class Analysis:
    """What the answers to N rows show.

    Attributes:
        scored: The answers.
        evaluation: Scores, as the command `evaluate` prints them.
        label_f1: Each label's F1 with its interval.
        curves: Precision against recall, of all labels together and of each.
        reliability: What probabilities are worth, of all labels together and of each.
        confusion: What is predicted instead of what.
        errors: What is wrong in each row.
        slices: Scores of parts of the rows.
        suspects: Gold labels that look wrong; `None` where every row was trained on.
        grid: The answers under any thresholds.
        sweep: What each common threshold is worth.
    """

    scored: Scored
    evaluation: Evaluation
    label_f1: list[Interval]
    curves: list[PrecisionRecall]
    reliability: list[Reliability]
    confusion: Confusion
    errors: RowErrors
    slices: list[Slice]
    suspects: LabelErrors | None
    grid: ThresholdGrid
    sweep: Sweep


def analyse(scored: Scored, fresh: BoolArray, *, never_empty: bool, rounds: int = 1000, seed: int = 0) -> Analysis:
    """Look at a run's answers from every side.

    Args:
        scored: N answers.
        fresh: (N,), rows that the model was not trained on: only their labels can be suspected by it.
        never_empty: Whether the run's decision gives every row a label.
        rounds: Bootstrap rounds for the intervals.
        seed: Of the bootstrap.

    Raises:
        ConfigError: cleanlab is not installed.
    """
    answers, names = scored.answers, scored.names
    grid = ThresholdGrid.of(scored, never_empty=never_empty, seed=seed)
    return Analysis(
        scored,
        evaluation_of(scored, rounds=rounds, seed=seed),
        label_f1_intervals(answers, rounds=rounds, seed=seed),
        precision_recall(answers, names),
        reliability(answers, names),
        confusion(answers, names),
        row_errors(answers),
        slices(scored.samples, answers, rounds=rounds, seed=seed),
        label_errors(_known_only(answers, fresh), names) if (fresh & answers.known_rows).any() else None,
        grid,
        sweep(grid),
    )


def _known_only(answers: Answers, rows: BoolArray) -> Answers:
    gold = np.where(rows[:, None], answers.gold, np.float32(np.nan))
    return Answers(gold, answers.predicted, answers.probabilities)
