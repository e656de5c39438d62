"""What the labels of a training can and cannot teach: which rows count, and what makes the result doubtful."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from multitag.config import Config
from multitag.data.image_check import BadImage
from multitag.data.table import Table
from multitag.errors import DataError, RunError
from multitag.features.rows import Rows
from multitag.types import LabelSpace, Sample


def label_space(config: Config, table: Table, valid: Table | None) -> LabelSpace:
    """The labels declared in the configuration or by the table, else those that the rows name.

    Raises:
        DataError: A label is declared twice.
    """
    declared = config.data.label_names or table.label_names
    if declared:
        return LabelSpace(tuple(declared))
    return LabelSpace.from_samples([*table.samples, *(valid.samples if valid is not None else [])])


def labelled(table: Table) -> tuple[list[Sample], list[str]]:
    """The rows whose labels are known, and a note on the others.

    Raises:
        DataError: The table has no labels, or no row's labels are known.
    """
    table.require_labels()
    samples = [sample for sample in table.samples if sample.labels is not None]
    left_out = len(table) - len(samples)
    return samples, [f"{left_out} rows of {table.name} have no labels and are left out"] if left_out else []


def always_labelled(samples: Sequence[Sample]) -> bool:
    """Whether every row that can tell has a label; a row without one, some labels of which are unknown, cannot."""
    telling = [bool(sample.labels) for sample in samples if sample.labels or not sample.unknown]
    return bool(telling) and all(telling)


def doubts(samples: Sequence[Sample], space: LabelSpace, *, of_rows: bool = True) -> list[str]:
    """What makes a result doubtful though it can be had.

    Args:
        samples: The rows.
        space: The labels.
        of_rows: Whether rows have the labels, and not words.

    Raises:
        DataError: No row has a label.
    """
    counts = Counter(name for sample in samples for name in sample.labels or ())
    if not counts:
        raise DataError(f"no row of the {len(samples)} has a label: there is nothing to learn")
    found = []
    if of_rows and len(space) == 1:
        found.append(f"there is only one label, '{space.names[0]}': this is a yes-or-no question")
    once = [name for name in space.names if counts[name] == 1]
    if once:
        found.append(f"{len(once)} labels have a single example and can hardly be learned: {listed(once)}")
    never = [name for name in space.names if counts[name] == 0]
    if never:
        found.append(f"{len(never)} labels have no example and can hardly be predicted: {listed(never)}")
    same = len({frozenset(s.labels or ()) for s in samples}) == 1 and not any(s.unknown for s in samples)
    if of_rows and same:
        found.append("all rows have the same labels: the model can only repeat them")
    return found


def leaks(trained: Rows, held: Rows) -> list[str]:
    """A note on validation rows whose picture is an exact copy of a training row's."""
    known = {content for content in trained.hashes if content is not None}
    copies = [s for s, content in zip(held.samples, held.hashes, strict=True) if content in known]
    if not copies:
        return []
    rows = listed([sample.source or sample.id for sample in copies], most=5)
    return [f"{len(copies)} validation rows have a picture that is also in the training rows ({rows}): scores flatter"]


def strangers(space: LabelSpace, held: Sequence[Sample]) -> list[str]:
    """A note on labels of the validation rows that the model does not know."""
    unseen = sorted({name for sample in held for name in sample.labels or ()} - set(space.names))
    if not unseen:
        return []
    return [
        f"{len(unseen)} labels of the validation rows are not among the model's and count as missed: {listed(unseen)}"
    ]


def lost_pictures(bad: Sequence[BadImage]) -> list[str]:
    """A note on rows that count as without a picture because theirs could not be used."""
    if not bad:
        return []
    rows = listed([f"{entry.source}: {entry.message}" for entry in bad], most=5)
    if len(bad) == 1:
        return [f"the picture of 1 row could not be used, and the row counts as without one ({rows})"]
    return [f"the pictures of {len(bad)} rows could not be used, and the rows count as without one ({rows})"]


def require_same_labels(run: str, theirs: LabelSpace, ours: LabelSpace, *, fix: str) -> None:
    """Refuse a fitted run that gives other labels than the rows have, or the same in another order.

    Args:
        run: What the run is called.
        theirs: Its labels.
        ours: Those of the rows.
        fix: What to do.

    Raises:
        RunError: They differ.
    """
    if theirs == ours:
        return
    differing = listed(sorted({*theirs.names} ^ {*ours.names})) or "the same ones in another order"
    raise RunError(
        f"{run} knows other labels than the rows: {differing}. Fix: {fix}, or say which labels there are (--labels)"
    )


def listed(names: Sequence[str], most: int = 10) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
