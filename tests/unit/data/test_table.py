"""Tables of every format to the same samples."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import polars as pl
import pytest

from multitag.data.columns import Columns
from multitag.data.labels import LabelStyle, read_label_names
from multitag.data.table import iter_table, read_table
from multitag.errors import DataError
from multitag.types import Sample
from shared import SHARED, requires_shared

ROWS = [("a.jpg", "x y", "one"), ("b.jpg", "y", "two"), ("", "", "three")]


def frame(nulls=False):
    images, labels, texts = zip(*ROWS, strict=True)
    return pl.DataFrame({"Image": images, "Tags": [x or None if nulls else x for x in labels], "Title": texts})


def essence(table):
    return [(s.id, s.image, s.text, s.labels) for s in table.samples]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet", "json"])
def test_every_format_gives_the_same_samples(tmp_path, ending):
    path, rows = tmp_path / f"t.{ending}", frame()
    if ending == "json":
        path.write_text(json.dumps(rows.to_dicts()))
    elif ending == "jsonl":
        rows.write_ndjson(path)
    elif ending == "parquet":
        rows.write_parquet(path)
    else:
        rows.write_csv(path, separator="\t" if ending == "tsv" else ",")
    expected = [
        ("1", tmp_path / "a.jpg", "one", ("x", "y")),
        ("2", tmp_path / "b.jpg", "two", ("y",)),
        ("3", None, "three", ()),
    ]
    table = read_table(path)
    assert essence(table) == expected
    assert table.id_column is None
    assert (table.columns.image, table.columns.labels, table.columns.text) == ("Image", "Tags", ("Title",))
    assert [s for part in iter_table(path, chunk_rows=2) for s in part.samples][1].labels == ("y",)


def test_sources_are_the_physical_lines(table_file):
    path = table_file("t.csv", 'image,caption\n"a.jpg","two\nlines"\n\nb.jpg,x\n')
    assert [s.source for s in read_table(path).samples] == ["t.csv:2", "t.csv:5"]
    assert [s.source for t in iter_table(path, chunk_rows=1) for s in t.samples] == ["t.csv:2", "t.csv:5"]


def test_frames_and_samples_are_tables_too():
    assert read_table(frame()).samples[0].image == Path("a.jpg")
    with_nan = pd.DataFrame({"path": ["a", "b"], "label": [8.0, float("nan")]})
    assert essence(read_table(with_nan)) == [("a", Path("a"), None, ("8",)), ("b", Path("b"), None, None)]
    given = [Sample("1", text="t"), Sample("2", text="u", source="mine:7")]
    assert [s.source for s in read_table(given).samples] == ["sample 1", "mine:7"]
    assert read_table(given).samples == given
    with pytest.raises(DataError, match="'1', 2 times"):
        read_table([Sample("1"), Sample("1")])


def test_a_null_is_unknown_where_an_empty_cell_is_known():
    assert [s.labels for s in read_table(frame(nulls=True)).samples] == [("x", "y"), ("y",), None]
    lists = pl.DataFrame({"text": ["a", "b", "c"], "labels": [["x", "y z"], [], None]})
    assert [s.labels for s in read_table(lists).samples] == [("x", "y z"), (), None]


def test_an_empty_label_column_tells_nothing(table_file):
    table = read_table(table_file("t.csv", "ImageID,Labels,Caption\na.jpg,,x\nb.jpg,,y\n"))
    assert [s.labels for s in table.samples] == [None, None]
    assert "column 'Labels' is empty: no row's labels are known" in table.warnings
    with pytest.raises(DataError, match="'ImageID', 'Labels', 'Caption'"):
        table.require_labels()


def test_one_column_a_label_with_unknown_ones(table_file):
    table = read_table(table_file("t.csv", "image,text,cat,dog,bird,note\na,t,1,0,,n\nb,u,,,,n\nc,v,0,0,0,n\n"))
    assert [(s.labels, s.unknown) for s in table.samples] == [(("cat",), ("bird",)), (None, ()), ((), ())]
    assert table.label_names == table.columns.indicators == ("cat", "dog", "bird")
    assert table.label_style == LabelStyle("columns")


def test_a_wrong_mark_is_named_with_its_line(table_file):
    path = table_file("t.csv", "image,cat,dog\na,1,0\nb,2,yes\n")
    with pytest.raises(DataError) as error:
        read_table(path, columns=Columns(labels=("cat", "dog")))
    assert "t.csv:3, column 'cat': '2' is neither 0 nor 1 nor empty" in str(error.value)
    assert "t.csv:3, column 'dog': 'yes' is neither 0 nor 1 nor empty" in str(error.value)


def test_columns_can_be_set_joined_and_switched_off(table_file):
    path = table_file("t.csv", "pic,Title,Description,id,Kind\na,T,D,7,x\nb,U,,8,y\n")
    table = read_table(path, columns=Columns(image="pic", text=("title", "description"), labels="kind"))
    assert [(s.id, s.text, s.labels) for s in table.samples] == [("7", "T D", ("x",)), ("8", "U", ("y",))]
    table = read_table(path, columns=Columns(image="PIC", text="", id=""))
    assert [(s.id, s.text) for s in table.samples] == [("a", None), ("b", None)]
    assert table.id_column == "pic"


def test_known_names_win_and_rivals_are_noted(table_file):
    path = table_file("t.csv", "image,caption,title,text\na,b,c,d\n")
    table = read_table(path)
    assert table.columns.text == ("caption",)
    assert table.warnings == ("the text is taken from column 'caption'; 'text' would do too (text=... chooses)",)


def test_repeated_ids_are_listed_with_their_lines(table_file):
    path = table_file("t.csv", "id,text\n1,a\n2,b\n1,c\n,d\n")
    with pytest.raises(DataError) as error:
        read_table(path)
    assert "'1': t.csv:2, t.csv:4" in str(error.value)
    assert "empty: t.csv:5" in str(error.value)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "", "t.csv is empty"),
        ("t.csv", "image,text\n", "has no rows, only a header"),
        ("t.csv", "a,b\n1,2\n", "no column with pictures and none with texts. Its columns: 'a', 'b'"),
        ("t.csv", "1.jpg,3 4\n2.jpg,5\n", "seems to have no header: its first line is '1.jpg', '3 4'"),
        ("t.csv", b"image,text\na,b\nb,caf\xe9\n", "t.csv:3 is not UTF-8: byte 20 (0xe9)"),
        ("t.csv", b"image,text\na,\x00\n", "t.csv:2 holds a NUL character"),
        ("t.xlsx", "a", "'.xlsx' is unknown. Accepted: .csv, .tsv, .jsonl, .ndjson, .parquet, .json"),
        ("t.parquet", "no", "cannot be read as Parquet"),
        ("t.jsonl", '{"text": "a"}\n[1]\n{"te\n', "2 lines of"),
        ("t.jsonl", '{"text": "a"}\n[1]\n', "t.jsonl:2 holds a list, not an object"),
        ("t.json", '{"a":\n 1', "t.json:2 is no JSON"),
        ("t.json", '{"a": 1}', "neither a list of objects"),
        ("t.json", "[]", "has no rows"),
        ("t.json", '[{"text": "a", "labels": [{"start": 1}]}]', "span 1 has no 'end'"),
    ],
)
def test_bad_tables_say_what_and_where(table_file, name, content, message):
    path = table_file(name, content)
    for read in (read_table, lambda p: list(iter_table(p))):
        with pytest.raises(DataError) as error:
            read(path)
        assert message in str(error.value)


def test_a_missing_file_and_a_missing_column(table_file, tmp_path):
    with pytest.raises(DataError, match="does not exist"):
        read_table(tmp_path / "no.csv")
    with pytest.raises(DataError, match="no column 'lables' for the labels; did you mean 'labels'"):
        read_table(table_file("t.csv", "image,labels\na,b\n"), columns=Columns(labels="lables"))
    with pytest.raises(DataError, match="no column with labels"):
        read_table(table_file("t.csv", "image,kind\na,b\n")).require_labels()
    with pytest.raises(DataError, match="not a int"):
        read_table(3)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marked_encodings_are_read(table_file, encoding):
    assert read_table(table_file("t.csv", "image,text\na,café\n".encode(encoding))).samples[0].text == "café"


def test_other_encodings_on_demand(table_file):
    path = table_file("t.csv", "image,text\na,café\n".encode("latin-1"))
    assert read_table(path, encoding="latin-1").samples[0].text == "café"
    with pytest.raises(DataError, match="encoding 'klingon' does not exist"):
        read_table(path, encoding="klingon")


def test_coco_instances_with_captions(table_file):
    instances = {
        "images": [{"id": 5, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.jpg"}],
        "categories": [{"id": 1, "name": "person"}, {"id": 3, "name": "hot dog"}, {"id": 4, "name": "never"}],
        "annotations": [
            {"id": 1, "image_id": 5, "category_id": 3},
            {"id": 2, "image_id": 5, "category_id": 1},
            {"id": 3, "image_id": 5, "category_id": 3},
        ],
    }
    captions = {
        "images": [],
        "annotations": [{"image_id": 5, "caption": "One."}, {"image_id": 5, "caption": "Two. "}],
    }
    path = table_file("instances.json", json.dumps(instances))
    table = read_table(path, captions=table_file("captions.json", json.dumps(captions)), images="pics")
    assert essence(table) == [
        ("5", Path("pics/a.jpg"), "One. Two.", ("person", "hot dog")),
        ("9", Path("pics/b.jpg"), None, ()),
    ]
    assert table.label_names == ("person", "hot dog", "never")
    beside = table_file("instances_x.json", json.dumps(instances))
    assert {sample.text for sample in read_table(beside).samples} == {None}
    table_file("captions_x.json", json.dumps(captions))
    assert [sample.text for sample in read_table(beside).samples] == ["One. Two.", None]
    instances["annotations"].append({"id": 7, "image_id": 6, "category_id": 8})
    with pytest.raises(DataError) as error:
        read_table(table_file("instances.json", json.dumps(instances)))
    assert "annotation 7: image_id 6 is not among the images" in str(error.value)
    assert "annotation 7: category_id 8 is not among the categories" in str(error.value)


def test_labels_outside_a_given_list_are_an_error(table_file):
    path = table_file("t.csv", "text,labels\na,x y\nb,z\n")
    assert read_table(path, label_names=["z", "x", "y", "w"]).label_names == ("z", "x", "y", "w")
    with pytest.raises(DataError, match=r"t\.csv:3: 'z'"):
        read_table(path, label_names=["x", "y"])


def test_a_stream_gives_every_row_once(table_file):
    path = table_file("t.csv", "id,text\n" + "".join(f"{k},t{k}\n" for k in range(1000)))
    tables = list(iter_table(path, chunk_rows=300))
    assert [len(t) for t in tables] == [300, 300, 300, 100]
    assert [s.id for t in tables for s in t.samples] == [str(k) for k in range(1000)]


def test_rows_of_many_blocks_are_one_table(table_file, monkeypatch):
    """Blocks cut anywhere, and keys that only later rows have."""
    monkeypatch.setattr("multitag.data.encoding.BLOCK_BYTES", 7)
    lines = ['{"text": "é1"}', "", '{"text": "b", "image": "x.png"}', '{"text": null}']
    table = read_table(table_file("t.jsonl", "\n".join(lines)), columns=Columns(image=""))
    assert [(s.text, s.source) for s in table.samples] == [
        ("é1", "t.jsonl:1"),
        ("b", "t.jsonl:3"),
        (None, "t.jsonl:4"),
    ]
    rows = "".join(f'{k},"say ""é"" {k}\n"\n' for k in range(20))
    table = read_table(table_file("t.csv", "id,text\n" + rows))
    assert [s.text for s in table.samples] == [f'say "é" {k}\n' for k in range(20)]
    assert [s.source for s in table.samples] == [f"t.csv:{2 + 2 * k}" for k in range(20)]


def test_pictures_may_be_bytes_and_datasets_structs(tmp_path):
    frame = pl.DataFrame({"image": [b"png", None, b""], "text": ["a", "b", "c"]})
    frame.write_parquet(tmp_path / "t.parquet")
    assert [s.image for s in read_table(tmp_path / "t.parquet").samples] == [b"png", None, None]
    structs = pl.DataFrame({"image": [{"bytes": b"png", "path": "a"}, {"bytes": None, "path": "b"}]})
    assert [s.image for s in read_table(structs, images=tmp_path).samples] == [b"png", tmp_path / "b"]
    with pytest.raises(DataError, match="row 1, column 'image': int is neither a picture's file name nor its bytes"):
        read_table(pl.DataFrame({"image": [3]}))


def test_samples_stream_and_need_labels():
    samples = [Sample(str(k), text="t") for k in range(5)]
    assert [[s.id for s in t.samples] for t in iter_table(samples, chunk_rows=2)] == [
        ["0", "1"],
        ["2", "3"],
        ["4"],
    ]
    with pytest.raises(DataError, match="the labels of all 5 rows are empty"):
        read_table(samples).require_labels()
    with pytest.raises(DataError, match="at least 1, not 0"):
        next(iter_table(samples, chunk_rows=0))


@requires_shared("comp5329")
def test_the_course_table():
    table = read_table(SHARED / "comp5329" / "train.csv")
    assert len(table) == 6900
    assert len({s.id for s in table.samples}) == 6900
    assert table.id_column == "ImageID"
    assert table.label_style == LabelStyle("split", " ")
    assert sorted({int(name) for s in table.samples for name in s.labels}) == [*range(1, 12), *range(13, 20)]


@requires_shared("semeval2021_memes")
@pytest.mark.parametrize(("name", "rows"), [("train_task3.json", 687), ("dev_task3.json", 63)])
def test_the_memes(name, rows):
    folder = SHARED / "semeval2021_memes"
    names = read_label_names(folder / "techniques_list_task3.txt")
    table = read_table(folder / name, images=folder / "images", label_names=names)
    assert len(table) == rows
    assert all(s.image.is_file() and s.labels is not None for s in table.samples)
    assert any(s.labels == () for s in table.samples)
