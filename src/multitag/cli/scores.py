"""Evaluations in words."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.cli import output
from multitag.evaluation import Evaluation
from multitag.fitting.teachers.pseudo_labels import PseudoCounts
from multitag.metrics.bootstrap import Difference
from multitag.metrics.per_label import LabelScore
from multitag.metrics.span_scores import SpanLabelScore
from multitag.span_evaluation import SpanEvaluation
from multitag.types import Modality

_SHOWN = ("samples_f1", "micro_f1", "macro_f1", "map")


def print_metrics(title: str, evaluation: Evaluation | SpanEvaluation) -> None:
    """Every metric with its 95 % interval."""
    output.print_table(
        title,
        ["metric", "value", "95 % interval"],
        [
            [name, f"{score.value:.4f}", f"{score.low:.4f} - {score.high:.4f}"]
            for name, score in evaluation.metrics.items()
        ],
    )


def print_differences(title: str, differences: Mapping[str, Difference]) -> None:
    """Every metric's difference of two runs on the same rows, with its 95 % interval."""
    output.print_table(
        title,
        ["metric", "difference", "95 % interval", "p"],
        [
            [name, f"{gap.value:+.4f}", f"{gap.low:+.4f} - {gap.high:+.4f}", f"{gap.p:.3f}"]
            for name, gap in differences.items()
        ],
    )


def print_members(members: Mapping[str, Evaluation], whole: Evaluation) -> None:
    """A line for each member of an ensemble, and one for all together."""
    output.print_table(
        "members on the same rows, each with its own decision",
        ["member", *_SHOWN],
        [[name, *_values(evaluation)] for name, evaluation in [*members.items(), ("all together", whole)]],
    )


def print_lacking(lacking: Mapping[Modality, Evaluation]) -> None:
    """A line for rows without pictures, and one for rows without texts."""
    what: dict[Modality, str] = {"image": "no picture", "text": "no text"}
    rows = next(iter(lacking.values())).rows
    output.print_table(
        f"the same with the picture, or the text, taken away from each row ({rows} rows that have both)",
        ["rows with", *_SHOWN],
        [[what[modality], *_values(evaluation)] for modality, evaluation in lacking.items()],
    )


def print_generations(generations: Mapping[str, Evaluation], taught: Mapping[str, PseudoCounts]) -> None:
    """A line for the teacher and for each student."""
    output.print_table(
        "teacher and student on the same rows, each with its own decision",
        ["", "pseudo-labelled rows", *_SHOWN],
        [
            [role, taught[role].rows if role in taught else "-", *_values(evaluation)]
            for role, evaluation in generations.items()
        ],
    )


def print_pseudo_labels(taught: Mapping[str, PseudoCounts]) -> None:
    """What the teachers made of the rows without labels, a line for each label."""
    for role, counts in taught.items():
        output.print_table(
            f"pseudo-labels for the {role}, of {counts.rows} rows",
            ["label", "yes", "no", "not known"],
            [[label, n, counts.negative[label], counts.unknown[label]] for label, n in counts.positive.items()],
        )


def _values(evaluation: Evaluation) -> list[str]:
    return [f"{evaluation.metrics[metric].value:.4f}" for metric in _SHOWN]


def print_labels(evaluation: Evaluation | SpanEvaluation) -> None:
    """A line for each label; of spans, partial matches and exact ones beside them."""
    if isinstance(evaluation, SpanEvaluation):
        columns = ["label", "spans", "predicted", "exact", "precision", "recall", "F1", "exact F1"]
        rows = [[s.support, s.predicted, s.hits, *_three(s), f"{s.exact_f1:.3f}"] for s in evaluation.labels]
    else:
        columns = ["label", "rows", "predicted", "right", "precision", "recall", "F1", "average precision"]
        rows = [
            [s.support, s.predicted, s.true_positives, *_three(s), _or_dash(s.average_precision)]
            for s in evaluation.labels
        ]
    names = [s.label + " (never seen in training)" * (s.label in evaluation.unseen) for s in evaluation.labels]
    output.print_table("labels", columns, [[name, *row] for name, row in zip(names, rows, strict=True)])
    if evaluation.empty:
        what = "span" if isinstance(evaluation, SpanEvaluation) else "label"
        output.say(f"{evaluation.empty} of {evaluation.rows} rows got no {what}.")


def _three(score: LabelScore | SpanLabelScore) -> list[str]:
    return [f"{value:.3f}" for value in (score.precision, score.recall, score.f1)]


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
