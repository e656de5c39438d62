"""What charts draw, and the numbers that go with them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from multitag.report import charts
from multitag.report.values import strict


def test_bars_hold_each_series_by_name():
    chart = charts.bars("Counts", {"train": {"a": 3, "b": 1}, "test": {"b": 2, "c": 5}}, value="rows")
    assert chart.numbers.columns == ("label", "train", "test")
    assert chart.numbers.rows == [("a", 3, None), ("b", 1, 2), ("c", None, 5)]
    assert [trace["x"] for trace in chart.traces] == [[3, 1, None], [None, 2, 5]]


def test_more_bars_than_can_be_read_are_in_the_numbers_alone():
    chart = charts.bars("Counts", {"rows": {str(n): n for n in range(200)}}, value="rows")
    assert len(chart.traces[0]["y"]) == 60
    assert len(chart.numbers.rows) == 200
    assert chart.note == "The first 60 of 200 are drawn."


def test_whole_numbers_get_a_bin_each():
    chart = charts.histogram("Words", {"before": [3, 3, 5], "after": [2]}, value="words")
    assert chart.numbers.rows == [(2, 2, 0, 1), (3, 3, 2, 0), (4, 4, 0, 0), (5, 5, 1, 0)]
    assert chart.traces[0]["x"] == [2, 3, 4, 5]


def test_shares_are_of_each_series():
    chart = charts.histogram("Words", {"long": [1, 1, 1, 2], "short": [2]}, value="words", share=True)
    assert [trace["y"] for trace in chart.traces] == [[0.75, 0.25], [0, 1]]
    assert chart.numbers.rows == [(1, 1, 3, 0), (2, 2, 1, 1)]


@pytest.mark.parametrize("values", [[0, 1000], [0.5, 0.75, 2], [7], [1.5, 1.5], list(range(12345))])
def test_every_value_is_in_one_bin(values):
    chart = charts.histogram("Sizes", {"all": values}, value="pixels")
    assert sum(row[2] for row in chart.numbers.rows) == len(values)
    assert len(chart.numbers.rows) <= 41


def test_a_histogram_of_nothing():
    assert charts.histogram("Nothing", {"none": []}, value="words").numbers.rows == [(0.0, 1.0, 0)]


def test_boxes_have_their_quartiles():
    chart = charts.box_plot("F1", {"sum": [1, 2, 3, 4, 5], "none": [], "broken": [float("nan")]}, value="F1")
    assert chart.numbers.rows == [
        ("sum", 5, 3.0, 1, 2, 3, 4, 5),
        ("none", 0, None, *[None] * 5),
        ("broken", 0, None, *[None] * 5),
    ]


def test_heat_maps_leave_unknown_cells_empty():
    chart = charts.heat_map("Together", ["a", "b"], ["c"], [[0.5], [np.nan]], value="share", shown=[[7], [0]])
    assert chart.traces[0]["z"] == [[0.5], [None]]
    assert chart.numbers.rows == [("a", "c", 0.5, 7), ("b", "c", None, 0)]


def test_large_heat_maps_are_cut_and_say_so():
    names = [str(n) for n in range(100)]
    chart = charts.heat_map("Together", names, names, np.eye(100), value="share")
    assert np.shape(chart.traces[0]["z"]) == (60, 60)
    assert len(chart.numbers.rows) == 10_000
    assert chart.note == "The first 60 of 100 and 60 of 100 are drawn."


def test_charts_are_json():
    made = [
        charts.lines("PR", {"a": (np.array([0, 1]), np.array([1, np.nan]))}, x="recall", y="precision", step=True),
        charts.box_plot("F1", {"a": np.array([0.5])}, value="F1"),
        charts.histogram("h", {"a": np.array([1, 2])}, value="v"),
        charts.heat_map("m", ["a"], ["b"], np.array([[1]]), value="v"),
    ]
    for chart in made:
        json.dumps([strict(chart.traces), strict(chart.layout), strict(chart.numbers.rows)], allow_nan=False)


def test_intervals_keep_the_ends_of_each_point():
    series = {"ours": {"a": (0.5, 0.4, 0.7), "b": (float("nan"),) * 3}, "theirs": {"b": (0.2, 0.1, 0.2)}}
    chart = charts.intervals("F1", series, value="F1")
    assert chart.numbers.columns == ("series", "label", "F1", "low", "high")
    assert chart.numbers.rows == [
        ("ours", "a", 0.5, 0.4, 0.7),
        ("ours", "b", None, None, None),
        ("theirs", "b", 0.2, 0.1, 0.2),
    ]
    ours, theirs = chart.traces
    assert (ours["y"], theirs["y"]) == (["a", "b"], ["b"])
    assert ours["error_x"]["array"] == [pytest.approx(0.2), None]
    assert ours["error_x"]["arrayminus"] == [pytest.approx(0.1), None]
    assert chart.layout["yaxis"]["categoryarray"] == ["a", "b"]


def test_more_intervals_than_can_be_read_are_in_the_numbers_alone():
    chart = charts.intervals("F1", {"": {str(n): (0.5, 0.4, 0.6) for n in range(200)}}, value="F1")
    assert (len(chart.traces[0]["y"]), len(chart.numbers.rows)) == (60, 200)
    assert chart.note == "The first 60 of 200 are drawn."
