"""Two runs on the same rows: what differs, and whether it is more than chance."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from multitag.analysis.row_errors import row_errors
from multitag.errors import DataError
from multitag.evaluation import Scored
from multitag.metrics import METRICS
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import Difference, paired_bootstrap
from multitag.metrics.per_label import per_label


@dataclass(frozen=True)
class LabelGap:
    """One label's F1 of two runs.

    Attributes:
        label: Its name.
        support: Rows that have it.
        first: F1 of the first run.
        second: F1 of the second.
    """

    label: str
    support: int
    first: float
    second: float


@dataclass(frozen=True, eq=False)
class Comparison:
    """The first run minus the second.

    Attributes:
        differences: Each metric's difference, its interval and p, by a paired bootstrap.
        labels: Each label's F1 of both.
        both: Rows whose whole label set both have right.
        only_first: Rows that only the first has right.
        only_second: Rows that only the second has right.
        neither: Rows that neither has right.
        differing: Places of the rows with different label sets, the largest gap in F1 first.
        gaps: Of those rows, the first's F1 minus the second's.
    """

    differences: dict[str, Difference]
    labels: list[LabelGap]
    both: int
    only_first: int
    only_second: int
    neither: int
    differing: npt.NDArray[np.intp]
    gaps: npt.NDArray[np.float64]


def compare(first: Scored, second: Scored, *, rounds: int = 1000, seed: int = 0) -> Comparison:
    """Compare two runs' answers to the same rows.

    Args:
        first: Answers of the one run.
        second: Answers of the other; both over the same labels, see `aligned`.
        rounds: Bootstrap rounds.
        seed: Of the bootstrap.

    Raises:
        DataError: Rows or labels differ.
    """
    if first.names != second.names:
        raise DataError("the two runs' answers are not over the same labels in the same order. Fix: call aligned first")
    differences = paired_bootstrap(first.answers, second.answers, METRICS.names(), rounds=rounds, seed=seed)
    ours, theirs = row_errors(first.answers), row_errors(second.answers)
    scored = first.answers.known_rows
    right, right_too = ~ours.wrong & scored, ~theirs.wrong & scored
    differ = np.flatnonzero(scored & (first.answers.claimed != second.answers.claimed).any(axis=1))
    gaps = ours.f1[differ] - theirs.f1[differ]
    order = np.argsort(-np.abs(gaps), kind="stable")
    pairs = zip(per_label(first.answers, first.names), per_label(second.answers, second.names), strict=True)
    return Comparison(
        differences,
        [LabelGap(a.label, a.support, a.f1, b.f1) for a, b in pairs],
        both=int((right & right_too).sum()),
        only_first=int((right & ~right_too).sum()),
        only_second=int((~right & right_too).sum()),
        neither=int((~right & ~right_too & scored).sum()),
        differing=differ[order],
        gaps=gaps[order],
    )


def aligned(runs: Sequence[Scored]) -> list[Scored]:
    """Runs' answers to the same rows over all labels that any of them knows, in the order of the first.

    A label that a run does not know is not predicted by it.

    Raises:
        DataError: The rows differ.
    """
    names = tuple(dict.fromkeys(name for run in runs for name in run.names))
    result = [_widened(run, names) for run in runs]
    for run in result[1:]:
        if not run.answers.same_gold(result[0].answers):
            raise DataError("the runs' answers are not to the same rows: their gold labels differ")
    return result


def _widened(run: Scored, names: tuple[str, ...]) -> Scored:
    if run.names == names:
        return run
    index, rows = {name: k for k, name in enumerate(run.names)}, len(run.samples)
    lacking = {name for name in names if name not in index} | set(run.unseen)
    known = np.zeros((rows, 1), np.float32)  # a label that no row names is known to be absent where labels are known
    known[~run.answers.known_rows] = np.nan
    gold, predicted, probabilities = (
        np.hstack([part[:, index[name], None] if name in index else other for name in names])
        for part, other in (
            (run.answers.gold, known),
            (run.answers.predicted, np.zeros((rows, 1), bool)),
            (run.probabilities, np.zeros((rows, 1))),
        )
    )
    unseen = tuple(name for name in names if name in lacking)
    return replace(run, names=names, unseen=unseen, answers=Answers(gold, predicted, probabilities))
