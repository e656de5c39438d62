"""Evaluations in words."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.cli import output
from multitag.evaluation import Evaluation
from multitag.fitting.pseudo_labels import PseudoCounts
from multitag.span_evaluation import SpanEvaluation

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


def print_members(members: Mapping[str, Evaluation], whole: Evaluation) -> None:
    """A line for each member of an ensemble, and one for all together."""
    output.print_table(
        "members on the same rows, each with its own decision",
        ["member", *_SHOWN],
        [[name, *_values(evaluation)] for name, evaluation in [*members.items(), ("all together", whole)]],
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


def print_labels(evaluation: Evaluation) -> None:
    """A line for each label."""
    output.print_table(
        "labels",
        ["label", "rows", "predicted", "right", "precision", "recall", "F1", "average precision"],
        [
            [
                score.label + (" (never seen in training)" if score.label in evaluation.unseen else ""),
                score.support,
                score.predicted,
                score.true_positives,
                f"{score.precision:.3f}",
                f"{score.recall:.3f}",
                f"{score.f1:.3f}",
                "-" if score.average_precision is None else f"{score.average_precision:.3f}",
            ]
            for score in evaluation.labels
        ],
    )
    if evaluation.empty:
        output.say(f"{evaluation.empty} of {evaluation.rows} rows got no label.")
