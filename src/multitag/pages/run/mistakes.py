"""What is predicted instead of what, the rows to look at, and gold labels that look wrong."""

from __future__ import annotations

import numpy as np

from multitag.analysis.row_errors import rows_to_look_at
from multitag.evaluation import Scored
from multitag.pages.run.seen import Seen
from multitag.report import Block, Column, Section, Table, Text, Thumbnail, Thumbnails, charts
from multitag.types import Sample

MOST_SUSPECTS = 300
DRAWN_LABELS = 40
"""The most labels in the picture of the confusion, those most often missed or wrongly predicted."""


def confused(seen: Seen) -> Section:
    """Counts of label pairs, missed and predicted in its place."""
    found = seen.analysis.confusion
    names = np.asarray(found.names)
    busy = found.pairs.sum(0) + found.pairs.sum(1) + found.nothing + found.alone
    chosen = np.sort(np.argsort(-busy, kind="stable")[:DRAWN_LABELS])
    counts = np.column_stack([found.pairs[np.ix_(chosen, chosen)], found.nothing[chosen]]).astype(float)
    shares = counts / np.maximum(found.support[chosen], 1)[:, None]
    hidden = counts == 0
    note = "" if len(chosen) == len(names) else f"The {len(chosen)} of {len(names)} labels with most errors."
    swaps = [(swap.missed, swap.instead, swap.rows, swap.share) for swap in found.swaps(100)]
    ends = [
        (name, int(support), int(hits), int(support - hits), int(nothing), int(alone))
        for name, support, hits, nothing, alone in zip(
            found.names, found.support, found.hits, found.nothing, found.alone, strict=True
        )
    ]
    return Section(
        "Confusion",
        (
            charts.heat_map(
                "Missed, and predicted instead",
                names[chosen].tolist(),
                [*names[chosen].tolist(), "nothing instead"],
                np.where(hidden, np.nan, shares),
                value="of the rows that have the missed label",
                share=True,
                shown=counts.astype(int),
                note=f"Downwards the label that a row has and was not given, across the one wrongly given. {note}",
            ),
            Table(
                "Commonest pairs",
                (
                    Column("missed"),
                    Column("predicted instead"),
                    Column("rows", "number", digits=0),
                    Column("of rows with the missed", "share"),
                ),
                swaps,
            ),
            Table(
                "Missed and extra",
                (
                    Column("label"),
                    Column("rows", "number", digits=0, help="Rows that have it."),
                    Column("right", "number", digits=0),
                    Column("missed", "number", digits=0),
                    Column("missed, nothing instead", "number", digits=0, help="No label of the row is wrong."),
                    Column(
                        "extra, nothing missed", "number", digits=0, help="It is wrong, and all gold labels are there."
                    ),
                ),
                ends,
            ),
        ),
        "A row that misses two labels and has one wrong one counts in two pairs: rows with several labels have no "
        "one-to-one confusion.",
    )


def worst(seen: Seen, thumbnails: Thumbnails) -> Section:
    """The rows with errors, the highest loss first."""
    analysis = seen.analysis
    errors, scored = analysis.errors, analysis.scored
    wrong = int(errors.wrong.sum())
    if not wrong:
        return Section("Rows to look at", (Text("Every label set is right."),))
    places = rows_to_look_at(errors)
    rows = []
    for place in places.tolist():
        sample = scored.samples[place]
        missed, extra = errors.missed[place], errors.extra[place]
        kind = "missed and extra" if missed.any() and extra.any() else "missed" if missed.any() else "extra"
        rows.append(
            (
                *about(sample, thumbnails),
                kind,
                labels(scored, scored.answers.positive[place]),
                labels(scored, scored.answers.predicted[place]),
                labels(scored, missed),
                labels(scored, extra),
                likeliest(scored, place),
                float(errors.loss[place]),
                float(errors.f1[place]),
            )
        )
    columns = (
        *ABOUT,
        Column("error", choice=True),
        Column("gold", "labels"),
        Column("predicted", "labels"),
        Column("missed", "labels"),
        Column("extra", "labels", help="Predicted, and not gold."),
        Column("probabilities", help="Of gold and predicted labels, and of the likeliest others."),
        Column("loss", "number", help="Mean binary cross-entropy over the row's labels."),
        Column("F1", "number"),
    )
    note = (
        f"{len(places):,} of the {wrong:,} rows with an error: those with the highest loss and the lowest F1, and for "
        "each label the worst that miss it and the worst that wrongly have it."
    )
    return Section(
        "Rows to look at",
        (Table("Rows with errors", columns, rows, note=note, limit=len(rows), shown=10),),
        "Choose a label under missed or extra, or a kind of error, to see the rows that it went wrong in.",
    )


def suspected(seen: Seen, thumbnails: Thumbnails) -> Section:
    """Gold labels that are probably wrong, the most doubtful first."""
    analysis = seen.analysis
    found, scored = analysis.suspects, analysis.scored
    title = "Suspected label errors"
    if found is None:
        told = (
            "The model was trained on all of these rows, and a model believes the labels it was trained on. Give rows "
            "that it did not see, or a run trained in folds."
        )
        return Section(title, (Text(told, "note"),))
    fresh = int(seen.runs[0].answered.fresh.sum())
    blocks: list[Block] = []
    if fresh < len(scored.samples):
        blocks.append(Text(f"Of {fresh:,} of the {len(scored.samples):,} rows: the others were trained on.", "note"))
    if found.untold:
        told = ", ".join(found.untold[:20]) + (" and others" if len(found.untold) > 20 else "")
        blocks.append(Text(f"Too few rows have or lack these labels to say anything of them: {told}.", "note"))
    counts = [
        (name, found.wrongly_given[name], found.wrongly_lacking[name])
        for name in sorted(found.wrongly_given, key=lambda n: -found.wrongly_given[n] - found.wrongly_lacking[n])
    ]
    shown = found.found[:MOST_SUSPECTS]
    rows = [
        (
            *about(scored.samples[error.row], thumbnails),
            error.label,
            "has it, should not" if error.given else "lacks it, should have it",
            error.probability,
            labels(scored, scored.answers.positive[error.row]),
        )
        for error in shown
    ]
    columns = (
        *ABOUT,
        Column("label", choice=True),
        Column("suspicion", choice=True),
        Column("probability", "share", help="What the model says of the label."),
        Column("gold", "labels"),
    )
    note = f"{len(shown):,} of {len(found.found):,} suspects, the most doubtful first."
    blocks += [
        Table("Labels to check", columns, rows, note=note, limit=len(rows), shown=10),
        Table(
            "Suspects by label",
            (
                Column("label"),
                Column("probably should not be there", "number", digits=0),
                Column("probably missing", "number", digits=0),
            ),
            counts,
        ),
    ]
    return Section(
        title,
        blocks,
        "Confident learning (cleanlab) compares gold labels with probabilities of a model that did not see them. A "
        "suspect is a question, not a verdict: look at the row.",
    )


ABOUT = (Column("picture", "picture"), Column("row"), Column("text"))


def about(sample: Sample, thumbnails: Thumbnails) -> tuple[Thumbnail | None, str, str]:
    """What shows a row: its picture, its name, its text."""
    return thumbnails.of(sample.image), sample.id, sample.text or ""


def labels(scored: Scored, chosen: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> tuple[str, ...]:
    """The names of chosen labels (K,)."""
    return tuple(scored.names[k] for k in np.flatnonzero(chosen))


def likeliest(scored: Scored, place: int, others: int = 2) -> str:
    """The probabilities of a row's gold and predicted labels, and of the likeliest others, the highest first."""
    probabilities = scored.probabilities[place]
    named = scored.answers.positive[place] | scored.answers.predicted[place]
    order = np.argsort(-probabilities, kind="stable")
    more = [k for k in order.tolist() if not named[k]][:others]
    chosen = [k for k in order.tolist() if named[k] or k in more]
    return ", ".join(f"{scored.names[k]} {probabilities[k]:.2f}" for k in chosen)
