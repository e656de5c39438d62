"""What a set of answers is worth: metrics over gold and predicted labels, intervals, a table per label.

One rule for empty denominators holds everywhere: 0 / 0 counts as 1. Nothing was asked and nothing was said,
which is full agreement. Samples F1 has always been defined so, SemEval scores its whole class list so
(scikit-learn's ``zero_division=1``), and thus one `macro_f1` serves every table. Unknown gold cells (NaN) are
not there at all.
"""

from multitag.registry import Registry

METRICS = Registry(
    "metric",
    {
        "samples_f1": "multitag.metrics.f1:samples_f1",
        "micro_f1": "multitag.metrics.f1:micro_f1",
        "macro_f1": "multitag.metrics.f1:macro_f1",
        "weighted_f1": "multitag.metrics.f1:weighted_f1",
        "samples_precision": "multitag.metrics.precision:samples_precision",
        "micro_precision": "multitag.metrics.precision:micro_precision",
        "macro_precision": "multitag.metrics.precision:macro_precision",
        "samples_recall": "multitag.metrics.recall:samples_recall",
        "micro_recall": "multitag.metrics.recall:micro_recall",
        "macro_recall": "multitag.metrics.recall:macro_recall",
        "map": "multitag.metrics.average_precision:mean_average_precision",
        "label_accuracy": "multitag.metrics.accuracy:label_accuracy",
        "subset_accuracy": "multitag.metrics.accuracy:subset_accuracy",
        "brier": "multitag.metrics.reliability:brier",
        "ece": "multitag.metrics.reliability:ece",
    },
)

SPAN_METRICS = Registry(
    "span metric",
    {
        "partial_f1": "multitag.metrics.span_scores:partial_f1",
        "partial_precision": "multitag.metrics.span_scores:partial_precision",
        "partial_recall": "multitag.metrics.span_scores:partial_recall",
        "exact_f1": "multitag.metrics.span_scores:exact_f1",
        "exact_precision": "multitag.metrics.span_scores:exact_precision",
        "exact_recall": "multitag.metrics.span_scores:exact_recall",
    },
)
"""Metrics of spans; their empty denominators are the task's own, see `multitag.metrics.span_scores`."""
