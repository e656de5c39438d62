"""From rows with spans to a fitted span tagger: the same split, encoders, networks and loop as for label sets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from multitag.config import Config
from multitag.data.table import Table
from multitag.deadline import Deadline
from multitag.errors import DataError
from multitag.features.units import settle_precision
from multitag.fitting.begun import begin_in, interruptible
from multitag.fitting.clock import Clock
from multitag.fitting.copies import kept_keys
from multitag.fitting.data_facts import data_facts
from multitag.fitting.fitted import FittedModel
from multitag.fitting.fitter import Fitter
from multitag.fitting.label_checks import label_space
from multitag.fitting.limits.planner import Planner, Tell
from multitag.fitting.outcome import train_networks
from multitag.fitting.sides import take_sides
from multitag.fitting.size_limit import require_size
from multitag.networks import Networks, open_store
from multitag.progress import Progress, silent
from multitag.sizes import measure
from multitag.span_evaluation import SpanEvaluation, evaluate_spans
from multitag.tagging import Tagging
from multitag.types import LabelSpace, Sample


@dataclass(frozen=True)
class FittedTagging(FittedModel[Tagging, SpanEvaluation]):
    """A fitted span tagger and how it came about."""

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for metrics.json."""
        decoder = self.pipeline.config.decoder
        return {"decoder": None if decoder is None else decoder.name, **super().to_dict()}


def fit_spans(
    config: Config,
    table: Table,
    valid: Table | None = None,
    *,
    folder: Path | None = None,
    resume: bool = False,
    deadline: Deadline | None = None,
    progress: Progress = silent,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    on_plan: Tell = lambda line: None,
) -> FittedTagging:
    """Fit a span tagger.

    Args:
        config: All settings.
        table: Rows with spans.
        valid: Rows to choose epoch, calibration and decoder by; a share of the table's rows by default.
        folder: The run folder, where checkpoints go while it trains.
        resume: Go on from the checkpoints in `folder`.
        deadline: When it must be done; the configuration's time limit from now on by default.
        progress: Told about each stage.
        on_epoch: Called with the history row of each epoch.
        on_plan: Told what a time limit decides, a line each.

    Raises:
        DataError: There are too few rows, no spans, or spans beyond their text.
        WeightsError: An encoder's weights cannot be had.
        Interrupted: Ctrl-C; the message says what was kept.
    """
    clock = Clock()
    if deadline is None and config.train.time_limit is not None:
        deadline = Deadline.after(config.train.time_limit)
    with interruptible(clock, folder):
        planner = Planner(deadline, folder, resume=resume, tell=on_plan)
        marked, held = by_labels(table), None if valid is None else by_labels(valid)
        space = label_space(config, marked, held)
        asked, config = config, settle_precision(config.settled(len(marked) if held is None else 0))
        config = _with_row_labels(config, marked)
        with clock.time("checking"):
            sides = take_sides(config, space, marked, held, progress=planner.watching(progress))
        begin_in(folder, asked, resume=resume)
        with open_store(config) as store:
            fitter = Fitter(config, space, store, folder, resume, clock)
            require_size(config.train.max_size, {"": fitter}, (), sides.learned)
            fitter, sides = planner.begin(fitter, sides, progress)
            config = fitter.config
            with planner.timed(""):
                answers = train_networks(planner.single(fitter), sides, progress=progress, on_epoch=on_epoch)
        with clock.time("deciding"):
            networks = Networks(config, len(space), answers.networks)
            chosen, keys = sides.chosen.samples, kept_keys(sides.trained)
            tagging = Tagging.fitted(config, space, networks, chosen, answers.chosen, keys)
            predictions = tagging.decide(sides.held.samples, answers.scored)
            evaluation = evaluate_spans(predictions, sides.held.samples, seed=config.seed)
    return FittedTagging(
        tagging,
        evaluation,
        answers.history,
        scored_on=sides.scored,
        networks=len(answers.networks),
        rows=sides.counts,
        seconds=clock.seconds,
        size=measure(answers.networks),
        data=data_facts(space, sides, marked, held, None),
        notes=tuple(dict.fromkeys(sides.notes)),
        plan=planner.plan,
    )


def _with_row_labels(config: Config, marked: Table) -> Config:
    """The configuration with the rows' own labels, where they are learned beside the spans."""
    if config.joint is None or config.joint.labels == "spans":
        return config
    own = LabelSpace.from_samples([replace(sample, labels=sample.row_labels) for sample in marked.samples])
    return config.model_copy(update={"joint": config.joint.model_copy(update={"names": own.names})})


def by_labels(table: Table) -> Table:
    """The table with the labels of each row's spans as the row's labels: rows are split and counted by them.

    Labels that the rows may have beside their spans become their `row_labels`. Rows whose spans are not known have no
    labels, and neither have rows without a text: there is nothing to learn from them.

    Raises:
        DataError: The table marks no spans.
    """
    table.require_spans()
    samples = [_by_labels(sample) for sample in table.samples]
    if not any(sample.labels is not None for sample in samples):
        raise DataError(f"{table.name}: no row whose spans are known has a text.")
    columns = replace(table.columns, spans=None)  # from here on the rows are as if somebody had made them by hand
    return replace(table, samples=samples, label_names=table.span_names, columns=columns, format="samples")


def _by_labels(sample: Sample) -> Sample:
    if sample.spans is None or not (sample.text or "").strip():
        return replace(sample, labels=None, unknown=(), row_labels=sample.labels)
    names = dict.fromkeys(span.label for span in sample.spans)
    return replace(sample, labels=tuple(names), unknown=(), row_labels=sample.labels)
