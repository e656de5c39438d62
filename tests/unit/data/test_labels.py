"""Label cells and the style of a column."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from multitag.data.label_style import find_indicators, find_style
from multitag.data.labels import LabelStyle, label_text, read_label_names
from multitag.errors import DataError
from shared import SHARED, requires_shared


@pytest.mark.parametrize(
    ("cells", "style", "first"),
    [
        (["8 3 13", "1", "3 1"], LabelStyle("split", " "), ("8", "3", "13")),
        (["cat dog", "dog", "cat"], LabelStyle("split", " "), ("cat", "dog")),
        (["Science Fiction|Drama", "Horror"], LabelStyle("split", "|"), ("Science Fiction", "Drama")),
        (["a, b c", "d, e", "f"], LabelStyle("split", ", "), ("a", "b c")),
        (["a;b", "c"], LabelStyle("split", ";"), ("a", "b")),
        (['["a", "b c"]', "[]"], LabelStyle("json"), ("a", "b c")),
        (["['a', 'b']", "['c']"], LabelStyle("python"), ("a", "b")),
        (["[1, 2]", "[3]"], LabelStyle("python"), ("1", "2")),
        (["['it''s', \"x\"]"], LabelStyle("json"), ("its", "x")),
        (["Science Fiction", "Science Fiction", "Horror"], LabelStyle("single"), ("Science Fiction",)),
        (["[x] y", "z"], LabelStyle("split", " "), ("[x]", "y")),
        (["8.0", "3.0"], LabelStyle("split", " "), ("8",)),
        (["b a b"], LabelStyle("split", " "), ("b", "a")),
    ],
)
def test_the_whole_column_decides_how_cells_are_split(cells, style, first):
    found, _ = find_style(cells)
    assert found == style
    assert found.parse(cells[0]) == first


def test_a_rare_separator_is_a_doubt_not_a_decision():
    style, notes = find_style(["a, b"] * 20 + ["rock; roll, c"])
    assert style == LabelStyle("split", ", ")
    assert notes == ["labels are split at ','; some cells also hold ';'"]


@pytest.mark.parametrize(
    ("word", "cell", "labels"),
    [
        ("none", "a b, c", ("a b, c",)),
        ("comma", "a b,c", ("a b", "c")),
        ("space", "a,b c", ("a,b", "c")),
        ("json", '["a"]', ("a",)),
    ],
)
def test_the_users_word_on_the_separator_holds(word, cell, labels):
    assert find_style([cell], word)[0].parse(cell) == labels


@pytest.mark.parametrize(
    ("cell", "labels"),
    [
        (None, None),
        (float("nan"), None),
        ("", ()),
        ("  ", ()),
        (8.0, ("8",)),
        (7, ("7",)),
        (["a", 2.0], ("a", "2")),
    ],
)
def test_nulls_are_unknown_and_empty_cells_are_empty(cell, labels):
    assert LabelStyle("split", " ").parse(cell) == labels


@pytest.mark.parametrize("cell", ["__import__('os').system('true')", "[open('x')]", "{'a': 1}", "[[1]]", "3", "["])
def test_nothing_but_a_list_of_names_is_accepted_as_a_list(cell):
    with pytest.raises(ValueError, match="label"):
        LabelStyle("python").parse(cell)


@pytest.mark.parametrize(
    ("value", "name"), [(" a ", "a"), ("8.0", "8"), ("v1.5", "v1.5"), ("-1.00", "-1"), (2.5, "2.5"), (3, "3")]
)
def test_label_names_are_stripped_and_whole(value, name):
    assert label_text(value) == name


NAMES = st.lists(st.text(st.sampled_from("abcXYZ'\\é-/"), min_size=1, max_size=6), unique=True, max_size=4)


@given(NAMES, st.sampled_from([("split", " "), ("split", ", "), ("split", "|"), ("json", "|"), ("python", "|")]))
def test_labels_written_in_a_style_are_read_back(names, shape):
    style = LabelStyle(*shape)
    assert style.parse(style.join(names)) == tuple(names)


def test_indicator_columns_hold_only_marks_and_are_at_least_two():
    marks = {"a": ["0", "1", ""], "b": ["1.0", "0", "0"], "c": ["2", "1", "0"], "d": ["", "", ""]}
    assert find_indicators(marks) == ("a", "b")
    assert find_indicators({"a": [0, 1], "c": ["x", "y"]}) == ()


def test_a_list_of_names_has_each_once(tmp_path):
    path = tmp_path / "names.txt"
    path.write_text("a b\n\n c \n")
    assert read_label_names(path) == ("a b", "c")
    path.write_text("a\na\n")
    with pytest.raises(DataError, match="twice: a"):
        read_label_names(path)


@requires_shared("semeval2021_memes")
def test_the_memes_classes():
    names = read_label_names(SHARED / "semeval2021_memes" / "techniques_list_task3.txt")
    assert len(names) == 22
    assert "Thought-terminating cliché" in names
