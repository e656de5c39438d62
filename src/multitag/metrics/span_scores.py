"""Precision, recall and F1 of spans: with partial matches, as SemEval-2021 task 6 scores its second subtask, and exact.

Partial matches (Da San Martino et al. 2019, "Fine-Grained Analysis of Propaganda in News Articles"): every pair of a
predicted span s and a gold span t of one label in one row adds |s ^ t| / |s| to the numerator of precision and
|s ^ t| / |t| to that of recall; the denominators are the numbers of predicted and of gold spans of all rows. So F1 is
one over all rows, not a mean of rows, and precision passes 1 where gold spans of one label overlap.

Where one side is empty, precision, recall and F1 are 0; where both are, they are 1. That is the task's rule for F1, and
not that of the label metrics, for which 0 / 0 counts as 1 whatever stands beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from multitag.metrics.metric import Scores, metric
from multitag.metrics.span_answers import GIVEN, GOLD, HITS, PRECISE, RECALLED, SpanAnswers
from multitag.metrics.sums import divide, weighted_sums
from multitag.types import BoolArray, FloatArray


@metric()
def partial_f1(answers: SpanAnswers, weights: FloatArray | None) -> Scores:
    """Harmonic mean of `partial_precision` and `partial_recall`: the official score of SemEval-2021 task 6, subtask 2.

    0 where either is 0; 1 where there is neither a gold nor a predicted span.
    """
    return _f1(answers, weights, PRECISE, RECALLED)


@metric()
def partial_precision(answers: SpanAnswers, weights: FloatArray | None) -> Scores:
    """Mean over predicted spans of the share of each that gold spans of its label cover.

    A stretch that two gold spans of the label cover counts twice.
    """
    return _share(answers, weights, PRECISE, GIVEN)


@metric()
def partial_recall(answers: SpanAnswers, weights: FloatArray | None) -> Scores:
    """Mean over gold spans of the share of each that predicted spans of its label cover."""
    return _share(answers, weights, RECALLED, GOLD)


@metric()
def exact_f1(answers: SpanAnswers, weights: FloatArray | None) -> Scores:
    """F1 over all spans, a predicted one being right where a gold one has its label and both its ends."""
    return _f1(answers, weights, HITS, HITS)


@metric()
def exact_precision(answers: SpanAnswers, weights: FloatArray | None) -> Scores:
    """Share of predicted spans that are gold spans, both ends and the label."""
    return _share(answers, weights, HITS, GIVEN)


@metric()
def exact_recall(answers: SpanAnswers, weights: FloatArray | None) -> Scores:
    """Share of gold spans that are predicted, both ends and the label."""
    return _share(answers, weights, HITS, GOLD)


@dataclass(frozen=True, slots=True)
class SpanLabelScore:
    """One label's spans, over the rows whose spans are known.

    Attributes:
        label: Its name.
        support: Gold spans.
        predicted: Predicted spans.
        hits: Predicted spans that match a gold one exactly.
        precision: Of partial matches.
        recall: Of partial matches. (Copies of the task's scorer in circulation print a recall of single techniques
            whose numerator is that of precision; this one is by the definition.)
        f1: Of partial matches.
        exact_f1: Of exact matches.
    """

    label: str
    support: int
    predicted: int
    hits: int
    precision: float
    recall: float
    f1: float
    exact_f1: float


def spans_per_label(answers: SpanAnswers) -> list[SpanLabelScore]:
    """The line of every label, in the order of the answers' names."""
    lines = []
    for k, name in enumerate(answers.names):
        sums = answers.sums[:, k].sum(axis=0)[None]
        partial, exact = [np.ravel(_scores(sums, *pair)) for pair in ((PRECISE, RECALLED), (HITS, HITS))]
        lines.append(
            SpanLabelScore(
                label=name,
                support=int(sums[0, GOLD]),
                predicted=int(sums[0, GIVEN]),
                hits=int(sums[0, HITS]),
                precision=float(partial[0]),
                recall=float(partial[1]),
                f1=float(partial[2]),
                exact_f1=float(exact[2]),
            )
        )
    return lines


def _f1(answers: SpanAnswers, weights: FloatArray | None, precise: int, recalled: int) -> Scores:
    totals, there = _totals(answers, weights)
    return np.where(there, _scores(totals, precise, recalled)[2], np.nan)


def _share(answers: SpanAnswers, weights: FloatArray | None, above: int, below: int) -> Scores:
    totals, there = _totals(answers, weights)
    return np.where(there, _quotient(totals, above, below), np.nan)


def _totals(answers: SpanAnswers, weights: FloatArray | None) -> tuple[Scores, BoolArray]:
    """Sums (R, 5) over rows and labels, and whether (R,) a round has any row whose spans are known."""
    rows = np.column_stack([answers.sums.sum(axis=1), answers.known])
    totals = weighted_sums(rows, weights)
    return totals[:, :-1], totals[:, -1] > 0


def _scores(totals: Scores, precise: int, recalled: int) -> tuple[Scores, Scores, Scores]:
    precision, recall = _quotient(totals, precise, GIVEN), _quotient(totals, recalled, GOLD)
    return precision, recall, divide(2 * precision * recall, precision + recall, empty=0.0)


def _quotient(totals: Scores, above: int, below: int) -> Scores:
    nothing = (totals[:, GIVEN] == 0) & (totals[:, GOLD] == 0)
    return np.where(nothing, 1.0, divide(totals[:, above], totals[:, below], empty=0.0))
