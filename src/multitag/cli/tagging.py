"""What commands do and print where the task is spans."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multitag.cli import options, output
from multitag.errors import ConfigError
from multitag.runs.folder import CONFIG

if TYPE_CHECKING:
    from multitag.data.table import Table
    from multitag.span_evaluation import SpanEvaluation
    from multitag.tagger import SpanTagger


def gives_spans(run: Path) -> bool:
    """Whether a folder holds the run of a span tagger; what is wrong with a folder is said when it is loaded."""
    try:
        return bool(tomllib.loads((run / CONFIG).read_text("utf-8")).get("task") == "spans")
    except (OSError, ValueError):
        return False


def open_tagger(run: Path, **data: Any) -> SpanTagger:
    """The span tagger in a folder, with other columns where the options say so.

    Raises:
        RunError: The folder is no whole run.
    """
    from multitag.tagger import SpanTagger

    tagger = SpanTagger.load(run)
    changes = options.data_changes(**data)
    if changes:
        tagger.config = tagger.config.with_data(changes)
    return tagger


def refuse(**given: Any) -> None:
    """Refuse options that say nothing where the task is spans.

    Raises:
        ConfigError: All of them that were given.
    """
    named = ["--" + name.replace("_", "-") for name, value in given.items() if value not in (None, False)]
    if named:
        raise ConfigError(f"{', '.join(named)}: these are for label sets, and the task is spans. Fix: leave them out")


def print_spans(evaluation: SpanEvaluation) -> None:
    """A line for each label: partial matches, and exact ones beside them."""
    output.print_table(
        "labels",
        ["label", "spans", "predicted", "exact", "precision", "recall", "F1", "exact F1"],
        [
            [
                score.label + (" (never seen in training)" if score.label in evaluation.unseen else ""),
                score.support,
                score.predicted,
                score.hits,
                f"{score.precision:.3f}",
                f"{score.recall:.3f}",
                f"{score.f1:.3f}",
                f"{score.exact_f1:.3f}",
            ]
            for score in evaluation.labels
        ],
    )
    if evaluation.empty:
        output.say(f"{evaluation.empty} of {evaluation.rows} rows got no span.")


def for_spans(table: Table, *, pictures: bool) -> Table:
    """The table as a training of spans reads it; pictures are only looked at where somebody asks.

    Raises:
        DataError: The table marks no spans.
    """
    from multitag.fitting.tagging import by_labels

    marked = by_labels(table)
    samples = [sample if pictures else replace(sample, image=None) for sample in marked.samples]
    return replace(marked, samples=samples, columns=table.columns)


def count_spans(table: Table) -> dict[str, Any]:
    """How many rows' spans are known, and for each label its spans and the rows that have any."""
    from multitag.types import LabelSpace

    known = [sample.spans for sample in table.samples if sample.spans is not None]
    names = LabelSpace.from_spans(table.samples).names
    return {
        "known": len(known),
        "without": sum(not spans for spans in known),
        "labels": {
            name: {
                "spans": sum(span.label == name for spans in known for span in spans),
                "rows": sum(any(span.label == name for span in spans) for spans in known),
            }
            for name in names
        },
    }


def print_counts(counts: dict[str, Any]) -> None:
    """The counts of a table's spans."""
    output.print_table(
        f"spans of {counts['known']} rows, {counts['without']} of them without any",
        ["label", "spans", "rows"],
        [[name, each["spans"], each["rows"]] for name, each in counts["labels"].items()],
    )
