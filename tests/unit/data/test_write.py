"""Predictions in the input's own shape, all of them or none."""

from __future__ import annotations

import json

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from multitag.data.columns import Columns
from multitag.data.labels import LabelStyle
from multitag.data.table import read_table
from multitag.data.write import PredictionWriter
from multitag.data.write_formats import PredictionLayout
from multitag.errors import DataError
from multitag.types import LabelSpace, Predictions

SPACE = LabelSpace(("1", "3", "13"))


def predictions(ids, values, space=SPACE):
    values = np.array(values, bool).reshape(len(ids), len(space))
    return Predictions(tuple(ids), space, values, np.where(values, 0.75, 0.1234567))


TWO = [predictions(["a.jpg", "b,c.jpg"], [[1, 0, 1], [0, 0, 0]]), predictions(['d".jpg'], [[0, 1, 0]])]


def write(path, layout, parts=TWO):
    with PredictionWriter(path, layout) as writer:
        for part in parts:
            writer.write(part)
    return path


def test_the_inputs_shape_ready_to_submit(tmp_path, table_file):
    table = read_table(table_file("in.csv", "ImageID,Labels,Caption\na.jpg,1 3,x\nb.jpg,3,y\n"))
    with PredictionWriter.like(table, tmp_path / "out.csv", SPACE) as writer:
        for part in TWO:
            writer.write(part)
    assert (tmp_path / "out.csv").read_bytes() == b'ImageID,Labels\na.jpg,1 13\n"b,c.jpg",\n"d"".jpg",3\n'


def test_tsv_bar_and_probabilities(tmp_path):
    layout = PredictionLayout(SPACE, "id", "tags", LabelStyle("split", "|"), probabilities=True)
    assert write(tmp_path / "p.tsv", layout, TWO[:1]).read_text() == (
        "id\ttags\tp(1)\tp(3)\tp(13)\na.jpg\t1|13\t0.75\t0.123457\t0.75\nb,c.jpg\t\t0.123457\t0.123457\t0.123457\n"
    )


def test_one_column_a_label(tmp_path):
    layout = PredictionLayout(SPACE, style=LabelStyle("columns"))
    assert write(tmp_path / "p.csv", layout, TWO[:1]).read_text() == 'id,1,3,13\na.jpg,1,0,1\n"b,c.jpg",0,0,0\n'
    frame = pl.read_parquet(write(tmp_path / "p.parquet", layout))
    assert frame.rows() == [("a.jpg", 1, 0, 1), ("b,c.jpg", 0, 0, 0), ('d".jpg', 0, 1, 0)]


def test_jsonl_and_parquet_hold_lists(tmp_path):
    layout = PredictionLayout(SPACE, "id", "labels", probabilities=True)
    lines = [json.loads(line) for line in write(tmp_path / "p.jsonl", layout).read_text().splitlines()]
    assert lines[0] == {
        "id": "a.jpg",
        "labels": ["1", "13"],
        "probabilities": {"1": 0.75, "3": 0.123457, "13": 0.75},
    }
    frame = pl.read_parquet(write(tmp_path / "p.parquet", layout))
    assert frame.columns == ["id", "labels", "p(1)", "p(3)", "p(13)"]
    assert frame["labels"].to_list() == [["1", "13"], [], ["3"]]
    assert frame["p(1)"].to_list() == [0.75, 0.1234567, 0.1234567]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_no_rows_still_make_a_file(tmp_path, ending):
    path = write(tmp_path / f"p.{ending}", PredictionLayout(SPACE), [])
    assert path.exists()
    if ending == "parquet":
        assert pl.read_parquet(path).schema == {"id": pl.String, "labels": pl.List(pl.String)}


def test_a_failure_leaves_the_older_file_and_nothing_else(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("old")
    writer = PredictionWriter(path, PredictionLayout(SPACE))

    def interrupted():
        with writer:
            writer.write(TWO[0])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]
    write(path, PredictionLayout(SPACE))
    assert list(tmp_path.iterdir()) == [path]


def test_a_separator_inside_a_name_is_not_used():
    spaced = LabelSpace(("Science Fiction", "Drama"))
    assert PredictionLayout(spaced, style=LabelStyle("split", " ")).cell_style() == LabelStyle("split", "|")
    assert PredictionLayout(spaced, style=LabelStyle("split", ", ")).cell_style() == LabelStyle("split", ", ")
    everything = LabelSpace(("a b", "c|d", "e;f", "g,h"))
    assert PredictionLayout(everything).cell_style() == LabelStyle("json")


def test_misuse_is_an_error(tmp_path):
    with pytest.raises(DataError, match=r"Accepted: \.csv, \.tsv, \.jsonl, \.parquet"):
        PredictionWriter(tmp_path / "p.xlsx", PredictionLayout(SPACE))
    with pytest.raises(DataError, match="does not exist"):
        PredictionWriter(tmp_path / "no" / "p.csv", PredictionLayout(SPACE))
    with pytest.raises(DataError, match="name '1'"):
        PredictionLayout(SPACE, "1", style=LabelStyle("columns"))
    writer = PredictionWriter(tmp_path / "p.csv", PredictionLayout(SPACE))
    with pytest.raises(DataError, match="inside a 'with"):
        writer.write(TWO[0])
    with writer, pytest.raises(DataError, match="over other labels"):
        writer.write(predictions(["a"], [[1]], LabelSpace(("z",))))


NAMES = st.lists(
    st.text("ab é,;|'\"", min_size=1, max_size=5).map(str.strip).filter(bool),
    unique=True,
    min_size=2,
    max_size=4,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50, deadline=None)
@given(
    names=NAMES,
    ids=st.lists(
        st.text('a1",;|\n \tö', min_size=1, max_size=5).map(str.strip).filter(bool),
        unique=True,
        min_size=1,
        max_size=5,
    ),
    ending=st.sampled_from(["csv", "tsv", "jsonl", "parquet"]),
    data=st.data(),
)
def test_what_is_written_is_read_back(tmp_path, names, ids, ending, data):
    space = LabelSpace(tuple(names))
    rows = data.draw(
        st.lists(
            st.lists(st.booleans(), min_size=len(names), max_size=len(names)),
            min_size=len(ids),
            max_size=len(ids),
        )
    )
    given_rows = predictions(ids, rows, space)
    layout = PredictionLayout(space, "image", "labels")
    path = write(tmp_path / f"p.{ending}", layout, [given_rows])
    words = {" ": "space", "|": "bar", ";": "semicolon", ",": "comma"}
    style = layout.cell_style()
    separator = "json" if style.shape == "json" else words[style.separator]
    table = read_table(path, columns=Columns(id="image"), separator=separator if ending in ("csv", "tsv") else "auto")
    assert [s.id for s in table.samples] == ids
    if any(given_rows.labels):
        assert [s.labels for s in table.samples] == given_rows.labels
