"""The page of a run that gives label sets."""

from __future__ import annotations

import time

from multitag import __version__
from multitag.pages.run.curves import curves
from multitag.pages.run.mistakes import confused, suspected, worst
from multitag.pages.run.scores import by_label, by_part, overall
from multitag.pages.run.seen import Seen
from multitag.pages.run.side_by_side import compared
from multitag.pages.run.thresholds import decided, thresholds
from multitag.pages.run.training import training
from multitag.report import Page, Section, Text, Thumbnails


def page_of(seen: Seen, *, thumbnails: Thumbnails | None = None) -> Page:
    """All that was seen, as a page.

    Args:
        seen: What was seen.
        thumbnails: Makes the pictures; small ones within the usual budget by default.
    """
    made = Thumbnails(side=120) if thumbnails is None else thumbnails
    first, several = seen.runs[0], len(seen.runs) > 1
    details = by_label(seen)
    if several:
        told = f"From here on: {first.name} alone. For another run's details: multitag report {seen.runs[1].folder} ..."
        details = Section(details.name, (Text(told, "note"), *details.blocks), details.intro)
    sections = [
        overall(seen),
        compared(seen, made) if several else None,
        details,
        thresholds(seen),
        curves(seen),
        confused(seen),
        worst(seen, made),
        by_part(seen),
        suspected(seen, made),
        training(seen),
    ]
    whole = [section for section in sections if section is not None]
    if any(sample.image is not None for sample in first.scored.samples):
        last = whole[-1]
        whole[-1] = Section(last.name, (*last.blocks, Text(made.note, "note")), last.intro)
    return Page(
        title=" and ".join(run.name for run in seen.runs) if len(seen.runs) < 4 else f"{len(seen.runs)} runs",
        sections=whole,
        subtitle=f"{first.evaluation.rows:,} rows of {seen.table}" if seen.table else _held_out(seen),
        facts=_facts(seen),
    )


def _held_out(seen: Seen) -> str:
    return f"{seen.runs[0].evaluation.rows:,} rows held out in training"


def _facts(seen: Seen) -> list[tuple[str, str]]:
    facts = [("labels", f"{len(seen.analysis.scored.names):,}")]
    for run in seen.runs:
        prefix = f"{run.name}: " if len(seen.runs) > 1 else ""
        facts.append((f"{prefix}decision", decided(run)))
        if run.answered.kept:
            rows = len(run.answered.samples)
            facts.append((f"{prefix}answered out of training", f"{run.answered.kept:,} of {rows:,} rows"))
    return [*facts, ("made", time.strftime("%Y-%m-%d %H:%M")), ("multitag", __version__)]
