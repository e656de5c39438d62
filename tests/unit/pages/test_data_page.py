"""The data page's numbers, counted by hand on a few rows."""

from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

from multitag.data.image_check import check_images
from multitag.data.table import read_table
from multitag.pages.data.examples import MOST
from multitag.pages.data.page import data_page
from multitag.report import Choice, Thumbnails
from multitag.report.values import to_json
from multitag.types import Sample


def clouds(seed):
    cells = np.random.default_rng(seed).integers(0, 255, (6, 8, 3), np.uint8)
    return Image.fromarray(cells).resize((160, 120), Image.Resampling.BICUBIC)


def sample(number, text, labels, *, folder=None, picture=None, of="train", unknown=()):
    source = f"{of}.csv:{number + 2}"
    image = folder / picture if picture else None
    return Sample(f"{of}{number}", image=image, text=text, labels=labels, unknown=unknown, source=source)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("pictures")
    for n in range(5):
        clouds(n).save(path / f"{n}.png")
    clouds(0).resize((80, 60)).save(path / "0-small.jpg", quality=60)
    (path / "1-copy.png").write_bytes((path / "1.png").read_bytes())
    return path


@pytest.fixture(scope="module")
def values(folder):
    train = [
        sample(0, "The cats are sleeping.", ("cat",), folder=folder, picture="0.png"),
        sample(1, "A cat and a dog", ("cat", "dog"), folder=folder, picture="1.png"),
        sample(2, "the dog", ("dog",), folder=folder, picture="2.png"),
        sample(3, "A  CAT and a dog", ("dog",), folder=folder, picture="1-copy.png"),
        sample(4, None, None, folder=folder, picture="none.png"),
        sample(5, "the and of", (), folder=folder, picture="3.png", unknown=("dog",)),
    ]
    test = [
        sample(0, "sleeping cats", ("cat",), folder=folder, picture="0-small.jpg", of="test"),
        sample(1, "The Dog", None, folder=folder, picture="4.png", of="test"),
    ]
    tables = [(table, check_images(table.samples, fingerprints=True)) for table in map(named, (train, test))]
    return to_json(data_page(tables))["sections"]


def named(samples):
    from dataclasses import replace

    name = samples[0].source.split(":")[0]
    return replace(read_table(samples), name=name)


def test_overview(values):
    assert values["Overview"]["Overall"] == {
        "rows": 8,
        "labels": 2,
        "labels a row": 5 / 6 + 1 / 6,
        "errors": 1,
        "warnings": 2,
    }
    counts = {row["what"]: (row["train"], row["test"]) for row in values["Overview"]["Tables side by side"]}
    assert counts == {
        "rows": (6, 2),
        "labels": (2, 1),
        "unlabelled rows": (1, 1),
        "rows known to have no label": (1, 0),
        "rows without picture": (0, 0),
        "rows without text": (1, 0),
        "pictures that cannot be used": (1, 0),
        "repeated pictures (exact copies)": (1, 0),
        "repeated texts": (0, 0),
    }


def test_labels(values):
    labels = values["Labels"]
    assert labels["Label counts"] == [
        {
            "label": "cat",
            "rows in train": 2,
            "share in train": 0.4,
            "rows in test": 1,
            "share in test": 1,
            "not known": 0,
        },
        {
            "label": "dog",
            "rows in train": 3,
            "share in train": 0.6,
            "rows in test": 0,
            "share in test": 0,
            "not known": 1,
        },
    ]
    assert labels["Labels a row"] == [
        {"from": 0, "to": 0, "train": 1, "test": 0},
        {"from": 1, "to": 1, "train": 3, "test": 1},
        {"from": 2, "to": 2, "train": 1, "test": 0},
    ]
    # cat: rows 0, 1 and test 0; dog: rows 1, 2, 3; together once in 6 rows.
    assert labels["Pairs of labels"] == [
        {
            "label": "cat",
            "with": "dog",
            "rows": 1,
            "of the first's rows": pytest.approx(1 / 3),
            "of the second's rows": pytest.approx(1 / 3),
            "times chance": pytest.approx(1 / (3 * 3 / 6)),
        }
    ]
    assert [(row["labels"], row["rows"]) for row in labels["Sets of labels"]] == [
        (["cat"], 2),
        (["dog"], 2),
        (["cat", "dog"], 1),
        ([], 1),
    ]


def test_texts(values):
    texts = values["Texts"]
    # As written: the cats are sleeping. a cat and dog ... ; cleaned: cat, sleep, dog.
    assert texts["Vocabulary"]["different words after cleaning"] == 3
    assert texts["Vocabulary"]["texts with no word left"] == 1
    lengths = {row["from"]: (row["as written"], row["after cleaning"]) for row in texts["Words a text"]}
    assert lengths == {0: (0, 1), 1: (0, 2), 2: (3, 4), 3: (1, 0), 4: (1, 0), 5: (2, 0)}
    first = texts["Cleaning, by example"][0]
    assert first == {"as written": "The cats are sleeping.", "after cleaning": "cat sleep"}
    words = {row["label"]: row["words"] for row in texts["Words of each label"]}
    assert words == {"cat": ["cats", "sleeping"], "dog": ["dog", "cat"]}
    dog = next(row for row in texts["Words of each label, in numbers"] if row["label"] == "dog")
    assert (dog["word"], dog["rows"], dog["of its rows"], dog["of other rows"]) == ("dog", 3, 1.0, 0.0)


def test_pictures(values):
    sizes = values["Picture sizes"]["Sizes"]
    assert [(row["width"], row["height"], row["rows"]) for row in sizes] == [(160, 120, 6), (80, 60, 1)]


def test_copies(values):
    copies = values["Copies"]
    assert copies["Copies"] == {"pictures that look like another row's": 4, "texts that another row has": 4}
    assert copies["test and train"] == {
        "rows of test whose picture is in train": 1,
        "rows of test whose text is in train": 1,
        "either": 2,
    }
    alike = [
        (row["where"], row["tables"], row["labels of all"], row["labels of some"])
        for row in copies["Pictures that look the same"]
    ]
    assert alike == [
        ("train.csv:2, test.csv:2", ["train", "test"], ["cat"], []),
        ("train.csv:3, train.csv:5", ["train"], ["dog"], ["cat"]),
    ]
    repeated = [(row["text"], row["where"], row["labels of some"]) for row in copies["Repeated texts"]]
    assert repeated == [
        ("the dog", "train.csv:4, test.csv:3", []),
        ("A cat and a dog", "train.csv:3, train.csv:5", ["cat"]),
    ]


def test_problems_come_with_their_row(values):
    first = values["Problems"]["Rows to look at"][0]
    assert (first["kind"], first["table"], first["where"]) == ("error", "train", "train.csv:6")
    assert "none.png does not exist" in first["what"]


def test_examples_have_the_label_or_lack_it(values):
    options = values["Examples"]["Label"]
    assert list(options) == ["cat", "dog"]
    for name, blocks in options.items():
        assert all(name in row["labels"] for row in blocks[f"With {name}"])
        assert not any(name in row["labels"] for row in blocks[f"Without {name}"])
    assert {row["where"] for row in options["dog"]["With dog"]} == {"train.csv:3", "train.csv:4", "train.csv:5"}
    assert {row["where"] for row in options["dog"]["Without dog"]} == {"train.csv:2", "test.csv:2"}, (
        "not the unknown one"
    )


def page_of(samples):
    return data_page([(named(samples), check_images(samples, fingerprints=True))])


def test_texts_alone_without_pictures():
    samples = [sample(n, f"text {n}", ("a",) if n % 2 else ("b",)) for n in range(40)]
    values = to_json(page_of(samples))["sections"]
    assert "Picture sizes" not in values
    assert [row["labels"] for row in values["Examples"]["Label"]["a"]["With a"]] == [["a"]] * 15
    assert values["Problems"] == {}


def test_pictures_alone_without_labels(folder):
    samples = [sample(n, None, None, folder=folder, picture=f"{n}.png") for n in range(3)]
    values = to_json(page_of(samples))["sections"]
    assert set(values) == {"Overview", "Picture sizes", "Copies", "Problems"}


def test_with_many_labels_there_are_fewer_pictures_of_each(folder):
    samples = [sample(n, "t", (str(n % 400),), folder=folder, picture=f"{n % 5}.png") for n in range(1200)]
    page = page_of(samples)
    section = next(section for section in page.sections if section.name == "Examples")
    choice = section.blocks[0]
    assert isinstance(choice, Choice)
    assert len(choice.options) == MOST // 6
    assert "The 300 commonest of 400 labels." in section.intro
    assert sum(len(block.pictures) for blocks in choice.options.values() for block in blocks) == MOST


def test_the_page_is_the_same_each_time(folder):
    samples = [sample(n, f"t {n}", ("a",), folder=folder, picture=f"{n % 5}.png") for n in range(50)]
    assert json.dumps(to_json(page_of(samples))) == json.dumps(to_json(page_of(samples)))


def test_what_the_budget_leaves_out_is_said(folder):
    samples = [sample(n, "t", ("a",), folder=folder, picture=f"{n % 5}.png") for n in range(9)]
    table = named(samples)
    page = data_page([(table, check_images(samples, fingerprints=True))], thumbnails=Thumbnails(budget=1))
    notes = [block.text for block in page.sections[0].blocks if hasattr(block, "text")]
    assert len(notes) == 1
    assert notes[0].startswith("1 pictures are on this page")
    assert "4 more were left out" in notes[0]
