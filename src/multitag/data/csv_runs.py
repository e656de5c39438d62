"""The cells of matches among which there are runs: of many records, parsed together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from multitag.data import csv_grammar
from multitag.data.csv_frame import parsed
from multitag.data.csv_grammar import BLANK, FIELDS, RUN, Match
from multitag.data.texts import Texts


def cells_of_runs(matches: Sequence[Match], separator: str) -> list[Texts] | None:
    """For each column the cells of all records, quotes still on; `None` where they are no Unicode text.

    Args:
        matches: Of a pattern of `csv_grammar`.
        separator: The pattern's.
    """
    text = "".join(_protected(matches, separator))
    try:
        frame = parsed(text.encode(), len(matches[0]) - FIELDS - 1, separator)
    except UnicodeEncodeError:  # half of a surrogate pair, which some encodings hold
        return None
    return [Texts(column) for column in frame]


def one_by_one(matches: Sequence[Match], separator: str) -> list[Match]:
    """The same matches, each run taken apart."""
    record = csv_grammar.strict(len(matches[0]) - FIELDS - 1, separator, runs=False)
    return [part for match in matches for part in (record.findall(match[RUN]) if match[RUN] else (match,))]


def _protected(matches: Sequence[Match], separator: str) -> Iterator[str]:
    """The records as RFC 4180 in which quotes around a cell are a part of it."""
    for match in matches:
        if match[RUN]:
            yield match[RUN].replace('"', '"""')
        elif not match[BLANK] and not match[-1]:
            yield separator.join(f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in match[FIELDS:-1]) + "\n"
