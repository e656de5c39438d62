"""What a check says of a table."""

from __future__ import annotations

import json

from PIL import Image

from multitag.data.image_check import check_images
from multitag.data.problems import Problem
from multitag.data.summary import Quantiles, summarise
from multitag.data.table import read_table


def test_everything_is_counted(tmp_path):
    Image.new("RGB", (8, 4), "red").save(tmp_path / "a.png")
    (tmp_path / "b.png").write_bytes((tmp_path / "a.png").read_bytes())
    Image.new("RGB", (2, 6), "red").save(tmp_path / "c.png")
    lines = [
        "image,text,x,y,z",
        "a.png,one two,1,1,0",
        "b.png,one two,1,0,0",
        "c.png,,0,0,",
        ",abc,,,",
        "no.png,d,1,0,0",
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines))
    table = read_table(tmp_path / "t.csv")
    found = summarise(table, check_images(table.samples))
    assert (found.rows, found.unlabelled, found.without_labels) == (5, 1, 1)
    assert (found.without_image, found.without_text, found.unreadable) == (1, 1, 1)
    assert found.label_counts == {"x": 3, "y": 1, "z": 0}
    assert found.unknown_counts == {"z": 1}
    assert found.rows_per_label_count == {0: 1, 1: 2, 2: 1}
    assert found.characters == Quantiles(1, 2.5, 5, 7, 7)  # of 7, 7, 3, 1
    assert found.words == Quantiles(1, 1, 1.5, 2, 2)
    assert found.widths == Quantiles(2, 5, 8, 8, 8)
    assert found.usual_sizes == [(8, 4, 2), (2, 6, 1)]
    assert (found.repeated_images, found.repeated_texts) == (1, 1)
    assert found.has_errors
    assert found.problems[0].severity == "error"
    assert found.problems[0].source == "t.csv:6"
    told = {(problem.source.rpartition("/")[2], problem.message) for problem in found.problems[1:]}
    assert told == {
        ("t.csv", "no row has the label 'z'"),
        ("t.csv:2", "the label 'y' has one example only"),
        ("t.csv:3", "same picture and text as t.csv:2, other labels"),
    }
    assert json.loads(json.dumps(found.to_dict()))["rows_per_label_count"] == {"0": 1, "1": 2, "2": 1}


def problems(table_file, text):
    return [(p.severity, p.message) for p in summarise(read_table(table_file("t.csv", text))).problems]


def test_labels_that_teach_nothing_are_told(table_file):
    assert problems(table_file, "text,labels\na,x\nb,x\n") == [
        ("warning", "there is one label only, 'x'"),
        ("warning", "all 2 labelled rows have the same labels: x"),
    ]
    assert problems(table_file, "text,labels\na,x y\nb,y x\n") == [
        ("warning", "all 2 labelled rows have the same labels: x, y")
    ]
    assert problems(table_file, "text,labels\na,x y\n,y x\nc,x\n") == [
        ("warning", "the row has neither a picture nor a text")
    ]
    assert problems(table_file, "text,cat,dog\na,0,0\nb,0,0\n")[0] == ("error", "no row has any label")


def test_a_table_to_predict_is_not_blamed_for_having_no_labels(table_file):
    found = summarise(read_table(table_file("t.csv", "text\na\nb\n")))
    assert (found.problems, found.unlabelled, found.widths) == ([], 2, None)
    assert Problem("error", "a", "b") != Problem("warning", "a", "b")
