"""`multitag explain`: the terminal, JSON, the page, the check over rows, and what is refused."""

from __future__ import annotations

import json

import pytest

from tiny import importable


def test_a_row_of_a_table(cli, trained, table):
    answer = cli("explain", trained, table, "--row", "3.png", "--grid", "2", "--labels", "animal,sea", "--quiet")
    assert answer.code == 0, answer.err
    assert answer.out.count("3.png: ") == 2
    assert "3.png: animal, 0." in answer.out
    assert "a bird over the boat" in answer.out
    assert "without the 1 of 4 cells worth most: 0." in answer.out
    assert "without the picture at all: 0." in answer.out
    assert answer.err == ""


def test_json_is_what_is_printed_and_written(cli, trained, table, tmp_path):
    row = ["explain", trained, table, "--row", "3.png", "--grid", "2", "--quiet"]
    printed = cli(*row, "--json", "--out", tmp_path / "new" / "out.json").json
    assert printed == json.loads((tmp_path / "new" / "out.json").read_text())
    predicted = cli("predict", trained, table, "--out", tmp_path / "p.jsonl", "--probabilities")
    assert predicted.code == 0
    said = [json.loads(line) for line in (tmp_path / "p.jsonl").read_text().splitlines()]
    [own] = [each for each in said if "3.png" in each.values()]
    for label in printed["labels"]:
        assert len(label["picture"]["cells"]) == 2
        words = label["text"]["words"]
        assert [printed["text"][word["start"] : word["stop"]] for word in words] == [word["word"] for word in words]
        assert any(value == pytest.approx(label["probability"], abs=1e-4) for value in _numbers(own))


def _numbers(value):
    if isinstance(value, dict):
        return [number for each in value.values() for number in _numbers(each)]
    return [value] if isinstance(value, float) else []


def test_a_row_that_is_made_here(cli, trained, table):
    picture = table.parent / "0.png"
    found = cli("explain", trained, "--image", picture, "--text", "a dog", "--grid", "2", "--json", "--quiet").json
    assert found["id"] == "0.png"
    assert found["text"] == "a dog"
    found = cli("explain", trained, "--text", "a dog", "--json", "--quiet").json
    assert found["cells_per_side"] is None


@pytest.mark.skipif(not importable("jinja2"), reason="pages need the extra 'report'")
def test_the_page_has_the_numbers(cli, trained, table, tmp_path):
    row = ["explain", trained, table, "--row", "3.png", "--grid", "2", "--quiet", "--json"]
    found = cli(*row, "--out", tmp_path / "why.html").json
    html = (tmp_path / "why.html").read_text("utf-8")
    assert "Why 3.png" in html
    words = {
        line.split(",")[0]: line.split(",")[1]
        for path in (tmp_path / "why.tables").glob("*words*")
        for line in path.read_text("utf-8").splitlines()[1:]
    }
    expected = {word["word"]: word["worth"] for word in found["labels"][-1]["text"]["words"]}
    assert words.keys() == expected.keys()


def test_the_check_over_rows(cli, trained, table):
    found = cli("explain", trained, table, "--check", "4", "--grid", "2", "--json", "--quiet").json
    assert found["rows"] == 4
    assert found["image"]["pairs"] >= 4
    assert found["image"]["low"] <= found["image"]["difference"] <= found["image"]["high"]
    answer = cli("explain", trained, table, "--check", "4", "--grid", "2", "--quiet")
    assert "the picture" in answer.out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["TABLE"], 4, "which row"),
        (["TABLE", "--row", "1.png", "--check", "2"], 4, "which row"),
        (["TABLE", "--row", "1.png", "--text", "x"], 4, "leave out one"),
        ([], 4, "no row to explain"),
        (["--row", "1.png"], 4, "of a table"),
        (["TABLE", "--row", "1.pn"], 3, "did you mean '1.png'"),
        (["TABLE", "--row", "1.png", "--labels", "seal"], 4, "did you mean 'sea'"),
        (["TABLE", "--row", "1.png", "--out", "x.txt"], 4, ".html or a .json"),
        (["TABLE", "--check", "2", "--out", "x.html"], 4, ".json file for --check"),
        (["--image", "gone.png"], 3, "gone.png does not exist"),
        (["TABLE", "--row", "1.png", "--grid", "1"], 2, "--grid"),
    ],
)
def test_what_is_not_clear_is_refused(cli, trained, table, arguments, code, said):
    answer = cli("explain", trained, *[table if word == "TABLE" else word for word in arguments])
    assert answer.code == code
    assert said in answer.err
    assert "Traceback" not in answer.err
