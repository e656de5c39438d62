"""What commands do and print where the task is spans."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from multitag.cli import options, output
from multitag.errors import ConfigError
from multitag.runs import folder

gives_spans = folder.gives_spans
SHOWN = 3
"""Texts that are printed with their spans where nobody says how many."""

if TYPE_CHECKING:
    from multitag.data.table import Table
    from multitag.progress import Progress
    from multitag.span_evaluation import SpanEvaluation
    from multitag.tagger import SpanTagger
    from multitag.types import SpanPredictions


def open_tagger(run: Path, decoder: str | None, given: list[str] | None, **data: Any) -> SpanTagger:
    """The span tagger in a folder, with another decoder and other columns where the options say so.

    Raises:
        RunError: The folder is no whole run, or keeps nothing that a decoder could be fitted on.
        ConfigError: A decoder or an option that does not exist, or is not for this model.
    """
    from multitag.tagger import SpanTagger

    tagger = SpanTagger.load(run)
    if changes := options.data_changes(**data):
        tagger.config = tagger.config.with_data(changes)
    chosen = options.chosen_options("--decoder", decoder, given)
    if decoder is not None:
        tagger.set_decoder(decoder, **chosen)
    return tagger


def refuse(**given: Any) -> None:
    """Refuse options that say nothing where the task is spans.

    Raises:
        ConfigError: All of them that were given.
    """
    if named := _named(given):
        fix = "leave them out" + (
            "; --decoder is for spans what --decision is for labels" * bool(given.get("decision"))
        )
        raise ConfigError(f"{named}: these are for label sets, and the task is spans. Fix: {fix}")


def require_spans_for(**given: Any) -> None:
    """Refuse options that say nothing where the task is label sets.

    Raises:
        ConfigError: All of them that were given.
    """
    if named := _named(given):
        raise ConfigError(f"{named}: these are for spans, and the task is label sets. Fix: leave them out")


def _named(given: Mapping[str, Any]) -> str:
    return ", ".join("--" + name.replace("_", "-") for name, value in given.items() if value not in (None, False))


def predict(
    tagger: SpanTagger,
    table: Path,
    out: Path | None,
    *,
    images: Path | None,
    chunk_rows: int,
    show: int,
    progress: Progress,
) -> tuple[int, SpanPredictions | None]:
    """Tag a table, or only as many rows of it as are to be shown where there is no file to write.

    Returns:
        How many rows were written, and the spans of the first ones.
    """
    if out is None:
        chunks = tagger.stream(table, images=images, chunk_rows=show, progress=progress)
        return 0, next((predictions for _, predictions in chunks), None)
    first: list[SpanPredictions] = []

    def look(predictions: SpanPredictions) -> None:
        if show and not first:
            first.append(predictions)

    most = max(chunk_rows, show)
    rows = tagger.predict_to(table, out, images=images, chunk_rows=most, progress=progress, on_chunk=look)
    return rows, first[0] if first else None


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


def print_worst(evaluation: SpanEvaluation, count: int | None) -> None:
    """The texts with the largest share of wrong spans, gold and predicted."""
    from multitag.cli.marked import MarkedText, print_marked

    texts = evaluation.worst(SHOWN if count is None else count)
    print_marked(
        "the texts with the largest share of wrong spans",
        [MarkedText(text.id, text.text, {"gold": text.gold, "predicted": text.predicted}) for text in texts],
    )


def print_gold(table: Table, count: int | None) -> None:
    """Some texts that have spans, from all parts of the table."""
    from multitag.cli.marked import MarkedText, print_marked

    wanted = SHOWN if count is None else count
    having = [sample for sample in table.samples if sample.spans]
    some = [having[place * len(having) // wanted] for place in range(min(wanted, len(having)))] if wanted else []
    print_marked("some texts", [MarkedText(each.id, each.text or "", {"gold": each.spans or ()}) for each in some])


def print_predicted(predictions: SpanPredictions, count: int) -> None:
    """The first texts and their spans."""
    from multitag.cli.marked import MarkedText, print_marked

    rows = list(zip(predictions.ids, predictions.texts, predictions.spans, strict=True))[:count]
    print_marked("the first texts", [MarkedText(name, text or "", {"predicted": spans}) for name, text, spans in rows])
