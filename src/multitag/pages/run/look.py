"""Runs looked at: their answers to rows taken, and all that can be seen in them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from multitag.classifier import Classifier
from multitag.data.table import TableSource
from multitag.fitting.answering import Answered, answer_table, held_out_answers
from multitag.pages.run.seen import Seen, seen_of
from multitag.progress import Progress, silent


def look(
    folders: Sequence[Path],
    classifiers: Sequence[Classifier],
    rows: TableSource | None,
    *,
    images: str | Path | None = None,
    rounds: int = 1000,
    allow_seen: bool = False,
    progress: Progress = silent,
) -> Seen:
    """Look at runs.

    Args:
        folders: Of the runs.
        classifiers: The runs.
        rows: Labelled rows; `None` for those that the runs held out in training.
        images: The folder that pictures' names are relative to.
        rounds: Bootstrap rounds for the intervals.
        allow_seen: Answer rows that were pseudo-labelled in training all the same.
        progress: Told about each stage.

    Raises:
        DataError: The rows cannot be used, were pseudo-labelled, or the runs held out unlike rows.
        ConfigError: The extra `report` is not installed.
    """
    answers, name = list[Answered](), ""
    for run in classifiers:
        if rows is None:
            answers.append(held_out_answers(run.pipeline_))
        else:
            table = run.read(rows, images)
            name = table.name
            found = answer_table(run.pipeline_, table, run.config, allow_seen=allow_seen, progress=progress)
            answers.append(found)
    pipelines = [run.pipeline_ for run in classifiers]
    return seen_of(folders, pipelines, answers, table=name, rounds=rounds, progress=progress)
