"""Cells are what Python's csv module reads, whatever the text begins with."""

from __future__ import annotations

import csv
import io

import pytest

from multitag.data.csv_frame import parsed

RECORDS = [
    'a,b\n1,2\n"3",""\n',
    '"a, ""b""\nand more",b\n1,2\n',
    ",\n1,2\n",
    "x^,b\n1,2\n",  # how a compressed file may start
    "x\x01,b\n1,2\n",
    "\ufeffa,b\n1,2\n",
    "é,b\n1,2\n",
    " a,b\r\n1,2\r\n",
    '"",b\n1,2',
]


@pytest.mark.parametrize("text", RECORDS)
def test_as_the_csv_module_reads_them(text):
    rows = list(csv.reader(io.StringIO(text, newline="")))
    frame = parsed(text.encode(), 2, ",")
    assert [list(row) for row in frame.rows()] == rows
    assert frame.columns == ["0", "1"]


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_other_separators(separator):
    assert parsed(f"1{separator}a,b\n".encode(), 2, separator).rows() == [("1", "a,b")]
