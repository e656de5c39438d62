"""Pictures that look the same and texts that are the same, across tables above all."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from multitag.data.near_copies import near_copies
from multitag.pages.data.split import Split, Splits
from multitag.report import Block, Column, Section, Table, Text, Thumbnails, Tile, Tiles

MOST_SHOWN = 4
"""Pictures and names of a group that its line shows."""
GROUPS_WITH_PICTURES = 150

Row = tuple[Split, int]
Group = list[Row]


def copies(splits: Splits, thumbnails: Thumbnails) -> Section:
    """The section on copies.

    Args:
        splits: The tables.
        thumbnails: Makes the pictures.
    """
    prints = [split.images.fingerprints[row] for split, row in splits.rows]
    pictures = _ordered([splits.rows[at] for at in group] for group in near_copies(prints))
    texts = _ordered(_same_texts(splits))
    several = len(splits.all) > 1
    tiles = [
        Tile("pictures that look like another row's", sum(map(len, pictures)), f"{len(pictures):,} groups"),
        Tile("texts that another row has", sum(map(len, texts)), f"{len(texts):,} groups"),
    ]
    blocks: list[Block] = [Tiles("Copies", tiles)]
    if several:
        for split in splits.all[1:]:
            blocks += _across(splits.all[0], split, pictures, texts)
    blocks += [
        _table("Pictures that look the same", pictures, several, thumbnails),
        _table("Repeated texts", texts, several, None),
    ]
    intro = (
        "A row for testing that has a twin among the rows for training makes scores look better than they are. Copies "
        "whose labels differ are labelled wrongly somewhere, or not fully."
    )
    return Section("Copies", blocks, intro)


def normal(text: str) -> str:
    """A text as it is compared: in one case, its blanks as one."""
    return " ".join(text.casefold().split())


def _same_texts(splits: Splits) -> Iterable[Group]:
    groups: dict[str, Group] = {}
    for split, row in splits.rows:
        text = split.samples[row].text
        if text is not None:
            groups.setdefault(normal(text), []).append((split, row))
    return (group for group in groups.values() if len(group) > 1)


def _ordered(groups: Iterable[Group]) -> list[Group]:
    """Groups across tables first, then those whose labels differ, then the larger."""
    return sorted(groups, key=lambda group: (-len(_tables(group)), not _differing(group), -len(group)))


def _across(first: Split, other: Split, pictures: list[Group], texts: list[Group]) -> list[Block]:
    """What one table shares with the first."""
    shared = [
        sum(_count(group, other) for group in groups if _count(group, first) and _count(group, other))
        for groups in (pictures, texts)
    ]
    both = {
        row for groups in (pictures, texts) for group in groups if _count(group, first) for row in _of(group, other)
    }
    tiles = Tiles(
        f"{other.name} and {first.name}",
        (
            Tile(f"rows of {other.name} whose picture is in {first.name}", shared[0], "", _tone(shared[0])),
            Tile(f"rows of {other.name} whose text is in {first.name}", shared[1], "", _tone(shared[1])),
            Tile("either", len(both), f"of {len(other.samples):,} rows", _tone(len(both))),
        ),
    )
    return [tiles, *([Text(_advice(first, other), "warning")] if shared[0] else [])]


def _advice(first: Split, other: Split) -> str:
    return (
        f"Some pictures of {other.name} look like pictures of {first.name}: scores on {other.name} are then partly of "
        f"rows that were learned by heart. The table below names them."
    )


def _table(name: str, groups: list[Group], several: bool, thumbnails: Thumbnails | None) -> Table:
    columns = [Column("pictures", "picture")] if thumbnails else [Column("text")]
    columns += [Column("rows", "number", digits=0), Column("where")]
    columns += [Column("tables", "labels")] if several else []
    columns += [
        Column("labels of all", "labels"),
        Column("labels of some", "labels", help="Labels that some rows of the group have and others do not."),
    ]
    lines = []
    for place, group in enumerate(groups):
        shared, differing = _shared(group), _differing(group)
        first, row = group[0]
        head = (
            [thumbnails.of(split.samples[at].image) for split, at in group[:MOST_SHOWN]]
            if thumbnails and place < GROUPS_WITH_PICTURES
            else None
        )
        text = first.samples[row].text
        lines.append(
            (
                (head if head is None else [made for made in head if made is not None]) if thumbnails else text,
                len(group),
                _named(group),
                *([_tables(group)] if several else []),
                shared,
                differing,
            )
        )
    note = f"Those of several tables first, then those whose labels differ. {len(groups):,} groups."
    if thumbnails and len(groups) > GROUPS_WITH_PICTURES:
        note += f" The first {GROUPS_WITH_PICTURES} are shown with pictures."
    return Table(name, columns, lines, note=note if groups else "There are none.", limit=1000, shown=12)


def _named(group: Group) -> str:
    names = [split.samples[row].source or split.samples[row].id for split, row in group[:MOST_SHOWN]]
    more = len(group) - len(names)
    return ", ".join(names) + (f" and {more:,} more" if more else "")


def _tables(group: Group) -> list[str]:
    return list(dict.fromkeys(split.name for split, _ in group))


def _shared(group: Group) -> list[str]:
    sets = _sets(group)
    return [name for name in sets[0] if all(name in names for names in sets)] if sets else []


def _differing(group: Group) -> list[str]:
    sets = _sets(group)
    every = dict.fromkeys(name for names in sets for name in names)
    return [name for name in every if not all(name in names for names in sets)]


def _sets(group: Group) -> list[tuple[str, ...]]:
    """The labels of the rows whose labels are known."""
    found = (split.samples[row].labels for split, row in group)
    return [names for names in found if names is not None]


def _of(group: Group, split: Split) -> list[tuple[str, int]]:
    return [(where.name, row) for where, row in group if where is split]


def _count(group: Group, split: Split) -> int:
    return sum(where is split for where, _ in group)


def _tone(count: int) -> Literal["plain", "warning"]:
    return "warning" if count else "plain"
