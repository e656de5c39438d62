"""A grammar run over a text that comes in blocks: records as cells, with the lines on which they start."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, compress
from operator import itemgetter

from multitag.data.csv_grammar import BLANK, RUN, Match
from multitag.data.csv_runs import cells_of_runs, one_by_one

TAIL = 1 << 20
"""A record that a block's end cuts is looked for within this many characters of it."""


@dataclass(frozen=True, slots=True)
class Records:
    """Consecutive records of a text.

    Attributes:
        fields: For each column its cells, quotes still on.
        lines: The physical line on which each record starts.
        faulty: Lines that are no record, with their text; they are in neither `fields` nor `lines`.
    """

    fields: Sequence[Sequence[str]]
    lines: list[int]
    faulty: list[tuple[int, str]]


def scan(blocks: Iterable[str], grammar: re.Pattern[str], line: int = 1, *, separator: str) -> Iterator[Records]:
    """Every record of a text.

    Args:
        blocks: The text after its header, in pieces of any size.
        grammar: A pattern of `csv_grammar`.
        line: The line number of the first piece's first character.
        separator: The grammar's.
    """
    carried = ""
    for block, last in _ended(blocks):
        text = carried + block
        matches: list[Match] = grammar.findall(text)
        keep = len(matches) if last else _complete(matches)
        # Matches leave nothing out.
        carried = "".join([match[0] for match in matches[keep:]])
        if keep:
            yield _records(matches[:keep], line, separator)
            line += text.count("\n", 0, len(text) - len(carried))


def _ended(blocks: Iterable[str]) -> Iterator[tuple[str, bool]]:
    """Each piece, with whether it is the last."""
    held: str | None = None
    for block in blocks:
        if held is not None:
            yield held, False
        held = block
    if held is not None:
        yield held, True


def _complete(matches: list[Match]) -> int:
    """How many matches more text cannot change: neither the last record, nor a fault near the end.

    A run that ends with the last record is cut before it.
    """
    last = next((k for k in reversed(range(len(matches))) if not matches[k][BLANK]), 0)
    if matches and (run := matches[last][RUN]) and (cut := run.rfind("\n", 0, -1) + 1):
        others = ("",) * (len(matches[last]) - RUN - 1)
        matches[last : last + 1] = [(part, "", part, *others) for part in (run[:cut], run[cut:])]
        last += 1
    complete, after = last, sum([len(match[0]) for match in matches[last:]])
    for k in range(last - 1, -1, -1):
        if after >= TAIL:
            break
        if matches[k][-1]:
            complete = k
        after += len(matches[k][0])
    return complete


def _records(matches: list[Match], line: int, separator: str) -> Records:
    if any(match[RUN] for match in matches):
        together = cells_of_runs(matches, separator)
        if together is not None:
            return Records(together, *_lines(matches, line))
        matches = one_by_one(matches, separator)
    # Column by column: a zip over all matches is twice as slow.
    wholes, blanks, _, *fields, bad = (list(map(itemgetter(k), matches)) for k in range(len(matches[0])))
    *starts, _ = accumulate([whole.count("\n") for whole in wholes], initial=line)
    if not any(bad) and not any(blanks):
        return Records(fields, starts, [])
    faulty = [(at, text) for at, text in zip(starts, bad, strict=True) if text]
    good = [not blank and not text for blank, text in zip(blanks, bad, strict=True)]
    return Records([list(compress(field, good)) for field in fields], list(compress(starts, good)), faulty)


def _lines(matches: list[Match], line: int) -> tuple[list[int], list[tuple[int, str]]]:
    """Where records start, and the faulty lines."""
    starts: list[int] = []
    faulty: list[tuple[int, str]] = []
    for whole, blank, run, *_, bad in matches:
        lines = whole.count("\n")
        if bad:
            faulty.append((line, bad))
        elif not blank:
            starts += range(line, line + (lines if run else 1))
        line += lines
    return starts, faulty
