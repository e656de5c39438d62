"""What a strict reading finds in a CSV file that is not strict."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import compress

from multitag.data.csv_grammar import Quoting
from multitag.data.csv_scan import Records


@dataclass(slots=True)
class Census:
    """Which columns are quoted, and what is broken.

    Attributes:
        quoted: For each column, its quoted cells.
        bare: Its cells without quotes.
        tails: Its cells that only end in a quote.
        doubled: Quoted cells that hold doubled quotes.
        faulty: Lines that are no record.
        first_fault: The first of them; 0 where there is none.
    """

    quoted: list[int]
    bare: list[int]
    tails: list[int]
    doubled: int = 0
    faulty: int = 0
    first_fault: int = 0

    def add(self, records: Records) -> None:
        """Count what is in some records."""
        # From one broken cell's end to the next one's start there may be what looks like a cell over lines:
        # records of one line are evidence, others only where there is nothing else.
        fields = [list(field) for field in records.fields]
        single = [True] * len(records.lines)
        for field in fields:
            if "\n" in "".join(field):
                single = [one and "\n" not in cell for one, cell in zip(single, field, strict=True)]
        if any(single) and not all(single):
            fields = [list(compress(field, single)) for field in fields]
        for k, cells in enumerate(fields):
            # No text holds a NUL (text_blocks), so this counts cells at the speed of a substring search.
            column = "\0" + "\0".join(cells)
            quoted = column.count('\0"')
            self.quoted[k] += quoted
            self.bare[k] += len(cells) - quoted
            if quoted < len(cells) and '"' in column:
                tails = sum(cell[-1:] == '"' and cell[0] != '"' for cell in cells)
                self.bare[k] -= tails
                self.tails[k] += tails
            if '""' in column:
                self.doubled += sum('""' in cell[1:-1] and cell[0] == '"' for cell in cells)
        self.faulty += len(records.faulty)
        if records.faulty and not self.first_fault:
            self.first_fault = records.faulty[0][0]

    def quoting(self) -> list[Quoting]:
        """How each column is quoted."""
        counts = zip(self.quoted, self.bare, self.tails, strict=True)
        return [_quoting(quoted, bare, tails) for quoted, bare, tails in counts]


def _quoting(quoted: int, bare: int, tails: int) -> Quoting:
    """A cell that only ends in a quote is a broken one's tail, unless those are as common as quoted ones."""
    if quoted > tails and not bare:
        return "always"
    return "never" if not quoted else "mixed"
