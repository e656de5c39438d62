"""A grammar run over a text that comes in blocks: records as tuples, with the lines on which they start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import accumulate

_TAIL = 1 << 20
"""A record that a block's end cuts is looked for within this many characters of it."""


@dataclass(frozen=True, slots=True)
class Records:
    """Consecutive records of a text.

    Attributes:
        fields: One tuple of cells per column, quotes still on.
        lines: The physical line on which each record starts.
        faulty: Lines that are no record, with their text; they are in neither `fields` nor `lines`.
    """

    fields: list[tuple[str, ...]]
    lines: list[int]
    faulty: list[tuple[int, str]]


def scan(blocks: Iterable[str], grammar: re.Pattern[str], line: int = 1) -> Iterator[Records]:
    """Every record of a text.

    Args:
        blocks: The text after its header, in pieces of any size.
        grammar: A pattern of `csv_grammar`.
        line: The line number of the first piece's first character.
    """
    carried = ""
    for block, last in _ended(blocks):
        text = carried + block
        matches = grammar.findall(text)
        keep = len(matches) if last else _complete(matches, len(text))
        carried = text[sum(len(match[0]) for match in matches[:keep]) :]
        if keep:
            records, line = _records(matches[:keep], line)
            yield records


def _ended(blocks: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each piece, with whether it is the last."""
    held: str | None = None
    for block in blocks:
        if held is not None:
            yield held, False
        held = block
    if held is not None:
        yield held, True


def _complete(matches: list[tuple[str, ...]], length: int) -> int:
    """How many matches more text cannot change: neither the last record, nor a fault near the end."""
    last = next((k for k in reversed(range(len(matches))) if not matches[k][1]), 0)
    if any(match[-1] for match in matches):
        ends = accumulate(len(match[0]) for match in matches)
        found = zip(range(last), matches, ends, strict=False)
        return next((k for k, match, end in found if match[-1] and end > length - _TAIL), last)
    return last


def _records(matches: list[tuple[str, ...]], line: int) -> tuple[Records, int]:
    wholes, blanks, *fields, bad = zip(*matches, strict=True)
    *starts, following = accumulate((whole.count("\n") for whole in wholes), initial=line)
    if not any(bad) and not any(blanks):
        return Records(fields, starts, []), following
    faulty = [(at, text) for at, text in zip(starts, bad, strict=True) if text]
    good = [k for k, (blank, text) in enumerate(zip(blanks, bad, strict=True)) if not blank and not text]
    kept = [tuple([field[k] for k in good]) for field in fields]
    return Records(kept, [starts[k] for k in good], faulty), following
