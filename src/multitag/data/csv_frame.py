"""RFC 4180 to the letter as a frame of strings."""

from __future__ import annotations

import string

import polars as pl

_PLAIN = frozenset((string.ascii_letters + string.digits + '"').replace("x", "").encode())
"""No compressed file starts with these, and no byte order mark."""


def parsed(records: bytes, width: int, separator: str) -> pl.DataFrame:
    """The cells of a text, unquoted.

    Args:
        records: Records of the same number of fields, in UTF-8, without blank lines; nothing after a cell's quotes.
        width: The number of fields, two or more.
        separator: Their separator.
    """
    names = list(map(str, range(width)))
    if records[:1] and records[0] in _PLAIN and records.endswith(b"\n"):
        frame = pl.read_csv(records, separator=separator, infer_schema=False, has_header=False, new_columns=names)
    else:  # A header of our own, so that the first cell does not look like the start of another kind of file.
        text = b"".join((separator.join(names).encode(), b"\n", records, b"" if records.endswith(b"\n") else b"\n"))
        frame = pl.read_csv(text, separator=separator, infer_schema=False)
    # Nulls are empty cells: no record lacks one.
    return frame.with_columns(pl.all().fill_null("")) if any(column.null_count() for column in frame) else frame
