"""The fast ways through a CSV file give what the grammars give record by record."""

from __future__ import annotations

import csv as stdlib_csv
import io
import re
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multitag.ahead import ahead
from multitag.data import csv_grammar, csv_pieces, csv_standard, encoding
from multitag.data.csv import CsvFile
from multitag.data.csv_dialect import strict_dialect, unquoted
from multitag.data.csv_scan import scan
from multitag.data.texts import Texts
from multitag.errors import DataError

# Pieces of a table in any order, so that most texts have faults, and whole rows, so that some have none.
PIECES = [
    '"',
    '""',
    ",",
    "\n",
    "\r\n",
    "\r",
    " ",
    "a",
    "é",
    "x^",
    "\n\n",
    '1,"b"\n',
    '2,"c, ""d"""\r\n',
    '3,"e\nf"\n',
    "4,\n",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)
ROWS = st.lists(st.sampled_from(PIECES[-4:]), max_size=30).map("".join)
GRAMMARS = {
    "strict": lambda runs: csv_grammar.strict(2, ",", runs=runs),
    "plain": lambda runs: csv_grammar.plain(2, ",", runs=runs),
    "never, always": lambda runs: csv_grammar.tolerant(["never", "always"], ",", runs=runs),
    "mixed, never": lambda runs: csv_grammar.tolerant(["mixed", "never"], ",", runs=runs),
    "always, mixed": lambda runs: csv_grammar.tolerant(["always", "mixed"], ",", runs=runs),
    "one column": lambda runs: csv_grammar.strict(1, ",", runs=runs),
}


def read(blocks, grammar, first=1):
    """(rows, lines, faults) of a text in blocks, quotes still on."""
    found = list(scan(blocks, grammar, first, separator=","))
    rows = [row for records in found for row in zip(*records.fields, strict=True)]
    return rows, [line for r in found for line in r.lines], [fault for r in found for fault in r.faulty]


@pytest.mark.parametrize("name", GRAMMARS)
@settings(max_examples=300)
@given(text=st.one_of(TEXTS, ROWS), cuts=st.lists(st.integers(0, 100), max_size=4))
def test_runs_are_the_records_that_they_stand_for(name, text, cuts):
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    blocks = [text[a:b] for a, b in pairwise(bounds)]
    assert read(blocks, GRAMMARS[name](True)) == read(blocks, GRAMMARS[name](False))


def test_a_text_with_half_a_surrogate_pair_is_read_record_by_record():
    text = '1,"a"\n2,"\ud800"\n3,"b ""c"""\n'
    for grammar in (csv_grammar.strict(2, ","), csv_grammar.strict(2, ",", runs=False)):
        assert read([text], grammar)[0] == [("1", '"a"'), ("2", '"\ud800"'), ("3", '"b ""c"""')]


@settings(max_examples=300)
@given(
    text=st.one_of(TEXTS, ROWS, ROWS),
    mark=st.booleans(),
    block=st.sampled_from([16, 40, 1 << 22]),
    window=st.sampled_from([1, 16, 1 << 18]),
)
def test_what_is_read_in_stretches_is_what_the_strict_grammar_reads(tmp_path_factory, text, mark, block, window):
    path = tmp_path_factory.getbasetemp() / "stretches.csv"
    path.write_bytes(("a,é\n" + text).encode("utf-8-sig" if mark else "utf-8"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_pieces, "BLOCK_BYTES", block)
        patch.setattr(csv_standard, "_WINDOW", window)
        file = CsvFile.open(path)
        if file.stretches is None:
            return
        chunks = list(file.chunks())
    rows, lines, faults = read([text], csv_grammar.strict(2, ",", runs=False), 2)
    cells = [unquoted(list(column), strict_dialect(file.header)) for column in zip(*rows, strict=True)]
    assert not faults
    assert file.dialect == strict_dialect(file.header)
    assert [line for chunk in chunks for line in chunk.lines] == lines
    assert [[cell for chunk in chunks for cell in chunk.columns[name]] for name in "aé"] == (cells or [[], []])


CELLS = st.text(st.sampled_from('ab ",\n\ré\ufeff'), max_size=6)


@given(
    rows=st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=8),
    end=st.sampled_from(["\n", "\r\n"]),
    last=st.integers(0, 3),
)
def test_what_a_correct_writer_quotes_is_read_in_stretches(tmp_path_factory, rows, end, last):
    out = io.StringIO()
    writer = stdlib_csv.writer(out, quoting=stdlib_csv.QUOTE_ALL, lineterminator=end)
    writer.writerows([("a", "b"), *rows])
    path = tmp_path_factory.getbasetemp() / "correct.csv"
    path.write_bytes((out.getvalue().removesuffix(end) + end * last).encode())
    file = CsvFile.open(path)
    assert file.stretches is not None
    assert [row for chunk in file.chunks() for row in zip(*chunk.columns.values(), strict=True)] == rows


@pytest.mark.parametrize(
    "body",
    [
        '1,5" screen\n',
        '1,"a "b" c"\n',
        '1,"a"b\n',
        '1, "a"\n',
        '1,"a" \n',
        '1,"a\n',
        "1\n2,3,4\n",
        "1,2,3\n4\n",
        "1,2\n\n3,4\n",
        "\n1,2\n",
        "1,2\n \n",
        "1,a\rb\n",
        "1,a\r",
        "1,a\r\r\n",
        '1,"a"\r',
    ],
)
def test_what_is_not_to_the_letter_is_left_to_the_grammars(table_file, body):
    path = table_file("t.csv", "")
    path.write_bytes(b"a,b\n" + body.encode())
    assert CsvFile.open(path).stretches is None


def test_a_file_that_changes_between_two_looks_is_an_error(table_file):
    path = table_file("t.csv", "a,b\n1,2\n3,4\n")
    file = CsvFile.open(path)
    for content in ("a,b\n1,2", "a,b\n1,2,3,4"):
        table_file("t.csv", content)
        with pytest.raises(DataError, match="was changed while it was read"):
            list(file.chunks())
    path.unlink()
    with pytest.raises(DataError, match="was changed while it was read"):
        list(file.chunks())


@pytest.mark.parametrize(
    ("body", "said"), [(b"a,b\n1,2\n3,\xe9\n", ":3 is not UTF-8"), (b"a,b\n\n1,\0\n", ":3 holds a NUL")]
)
def test_lines_are_counted_where_a_fault_needs_them(monkeypatch, tmp_path, body, said):
    monkeypatch.setattr(encoding, "BLOCK_BYTES", 4)
    path = tmp_path / "t.csv"
    path.write_bytes(body)
    with pytest.raises(DataError, match=re.escape(f"t.csv{said}")):
        encoding.read_text(path)


def test_texts_are_a_sequence_of_strings():
    texts = Texts(pl.Series(['"a"', "b", '"', 'c"']))
    assert texts == ['"a"', "b", '"', 'c"']
    assert texts != ['"a"']
    assert texts[1:3] == ("b", '"')
    assert texts[-1] == 'c"'
    assert list(texts.unquoted()) == ["a", "b", '"', 'c"']


def test_work_ahead_keeps_the_order_and_raises_where_it_fell():
    assert list(ahead(lambda n: n * n, range(20))) == [n * n for n in range(20)]
    results = ahead(lambda n: 1 // n, [1, 0, 1])
    assert next(results) == 1
    with pytest.raises(ZeroDivisionError):
        next(results)
