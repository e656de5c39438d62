"""`multitag check` and `multitag list`."""

from __future__ import annotations

import csv

import pytest

from multitag.cli.list_components import KINDS
from multitag.cli.output import console
from multitag.fusions import FUSIONS
from multitag.recipes import recipe_names


def test_check_says_what_is_there(cli, table):
    answer = cli("check", table)
    assert answer.code == 0
    for words in ("rows 24", "image: ImageID, text: Caption, labels: Labels", "labels 3", "animal 12 50.0%"):
        assert words in " ".join(answer.out.split())
    assert "Nothing is wrong." in answer.out
    assert answer.err == "checking pictures: 24 of 24, 0 s\n"


def test_check_as_json(cli, table):
    answer = cli("check", table, "--json", "--quiet")
    assert answer.code == 0
    assert answer.err == ""
    assert answer.json["rows"] == 24
    assert answer.json["label_counts"] == {"animal": 12, "people": 6, "sea": 12}
    assert answer.json["problems"] == []


def test_check_lists_all_that_is_wrong_and_ends_with_3(cli, table, tmp_path):
    rows = "\n".join(["image,text,labels", "none.png,a,x", "cut.png,b,x y", ",,y", "table.csv,c,x"])
    (tmp_path / "bad.csv").write_text(rows)
    (tmp_path / "cut.png").write_bytes((table.parent / "0.png").read_bytes()[:60])
    (tmp_path / "table.csv").write_text("no picture")
    answer = cli("check", "bad.csv", "--json")
    assert answer.code == 3
    errors = [problem for problem in answer.json["problems"] if problem["severity"] == "error"]
    assert [error["source"] for error in errors] == ["bad.csv:2", "bad.csv:3", "bad.csv:5"]
    assert answer.json["unreadable"] == 3
    plain = cli("check", "bad.csv")
    assert plain.code == 3
    assert "bad.csv:4" in plain.out


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.csv", "", "empty.csv"),
        ("header.csv", "image,labels\n", "no rows"),
        ("columns.csv", "a,b\n1,2\n", "'a', 'b'"),
        ("table.xlsx", "x", ".csv"),
    ],
)
def test_check_of_no_table(cli, table_file, name, content, said):
    answer = cli("check", table_file(name, content))
    assert answer.code == 3
    assert said in answer.err
    assert answer.out == ""


def test_check_of_a_missing_file(cli):
    answer = cli("check", "nowhere.csv")
    assert (answer.code, answer.err) == (3, "error: nowhere.csv does not exist.\n")


def test_columns_are_as_told(cli, table_file):
    path = table_file("own.csv", "A,B,C,D,E\n1,one,two,x|y,g\n2,three,four,y,g\n3,five,six,x,h\n")
    asked = ["--id-column", "A", "--text-column", "B,C", "--labels-column", "D", "--group-column", "E"]
    answer = cli("check", path, *asked, "--separator", "bar", "--json")
    assert answer.json["label_counts"] == {"x": 2, "y": 2}
    assert answer.json["words"]["maximum"] == 2
    plain = cli("check", path, *asked)
    assert "id: A, text: B + C, labels: D, group: E" in " ".join(plain.out.split())
    missing = cli("check", path, "--text-column", "F")
    assert missing.code == 3
    assert "no column 'F'" in missing.err


def test_several_label_columns(cli, table_file):
    path = table_file("marks.csv", "text,x,y,z\na,1,0,3\nb,0,,4\nc,1,1,5\n")
    answer = cli("check", path, "--labels-column", "x, y", "--json")
    assert answer.json["label_counts"] == {"x": 2, "y": 1}
    assert answer.json["unknown_counts"] == {"y": 1}
    plain = cli("check", path, "--labels-column", "x,y")
    assert "2 columns of 0 and 1" in plain.out
    assert "unknown" in plain.out


def test_a_class_list(cli, table, tmp_path):
    classes = tmp_path / "classes.txt"
    classes.write_text("sea\nanimal\npeople\nplant\n")
    answer = cli("check", table, "--labels", classes, "--json")
    assert answer.json["label_counts"] == {"sea": 12, "animal": 12, "people": 6, "plant": 0}
    classes.write_text("sea\nanimal\n")
    outside = cli("check", table, "--labels", classes)
    assert outside.code == 3
    assert "'people'" in outside.err
    assert cli("check", table, "--labels", tmp_path / "none.txt").code == 3


def test_words_in_the_table_are_shown_as_they_are(cli, table_file):
    path = table_file("odd.csv", "text,labels\na,[red]|x\nb,[red]\nc,[/]|x\n")
    out = cli("check", path).out
    assert "[red]" in out
    assert "[/]" in out


def test_images_may_be_elsewhere(cli, table, tmp_path):
    (tmp_path / "elsewhere.csv").write_bytes(table.read_bytes())
    assert cli("check", "elsewhere.csv").code == 3
    assert cli("check", "elsewhere.csv", "--images", table.parent).code == 0


def test_only_the_first_problems_are_printed(cli, tmp_path):
    with open(tmp_path / "many.csv", "w", newline="") as handle:
        csv.writer(handle).writerows([["image", "text"], *([f"{n}.png", "t"] for n in range(250))])
    answer = cli("check", "many.csv")
    assert "... and 50 more; --json has them all" in answer.out
    assert len(cli("check", "many.csv", "--json").json["problems"]) == 250


def test_list_has_everything(cli):
    answer = cli("list")
    assert answer.code == 0
    assert [line for line in answer.out.splitlines() if line in KINDS] == list(KINDS)
    for name in (*FUSIONS.names(), *recipe_names()):
        assert f" {name} " in answer.out
    assert "z = H([x_v; x_t])" in answer.out
    assert max(map(len, answer.out.splitlines())) <= console().width


@pytest.mark.parametrize("kind", KINDS)
def test_list_of_a_kind(cli, kind):
    found = cli("list", kind, "--json").json
    assert list(found) == [kind]
    assert all(entry["summary"] and " " not in entry["name"] for entry in found[kind])
    assert all(entry["name"] in cli("list", kind).out for entry in found[kind])


def test_list_names_options_with_their_defaults(cli):
    heads = {entry["name"]: entry["options"] for entry in cli("list", "heads", "--json").json["heads"]}
    assert heads["mlp"]["hidden"] == 512
    assert "hidden=512" in cli("list", "heads").out


def test_list_of_an_unknown_kind(cli):
    answer = cli("list", "fusion")
    assert answer.code == 4
    assert "did you mean 'fusions'?" in answer.err


def test_what_is_not_installed_is_listed_with_what_to_install(cli, monkeypatch):
    monkeypatch.setitem(FUSIONS.table, "far", "multitag_of_nowhere:Far [far]")
    answer = cli("list", "fusions")
    assert answer.code == 0
    assert "pip install 'multitag[far]'" in " ".join(answer.out.split())
