"""Values with their intervals."""

from __future__ import annotations

from collections.abc import Mapping

from multitag.report.blocks import Chart, Numbers
from multitag.report.charts.bars import MOST_BARS
from multitag.report.charts.finite import finite


def intervals(
    name: str,
    series: Mapping[str, Mapping[str, tuple[float, float, float]]],
    *,
    value: str,
    of: str = "label",
    note: str = "",
) -> Chart:
    """A point and a horizontal line for each name; several series stand below each other.

    Args:
        name: Its title.
        series: For each series, by name, the value and the ends of its interval.
        value: What the points measure.
        of: What the names are.
        note: A sentence below the title.
    """
    names = list(dict.fromkeys(label for points in series.values() for label in points))
    drawn = names[:MOST_BARS]
    traces = []
    for title, points in series.items():
        there = {label: points[label] for label in drawn if label in points}
        low, value_, high = (finite([point[place] for point in there.values()]) for place in (1, 0, 2))
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "orientation": "h",
                "name": title,
                "y": list(there),
                "x": value_,
                "error_x": {
                    "type": "data",
                    "symmetric": False,
                    "array": finite([point[2] - point[0] for point in there.values()]),
                    "arrayminus": finite([point[0] - point[1] for point in there.values()]),
                    "thickness": 1.6,
                    "width": 0,
                },
                "marker": {"size": 8},
                "customdata": [list(ends) for ends in zip(low, high, strict=True)],
                "hovertemplate": "%{y}<br>%{x:.4f} (%{customdata[0]:.4f} to %{customdata[1]:.4f})"
                + ("<extra></extra>" if len(series) == 1 else ""),
            }
        )
    if len(drawn) < len(names):
        note = f"{note} The first {len(drawn)} of {len(names)} are drawn.".strip()
    layout = {
        "xaxis": {"title": {"text": value}},
        "yaxis": {
            "type": "category",
            "categoryorder": "array",
            "categoryarray": drawn,
            "range": [len(drawn) - 0.5, -0.5],
            "dtick": 1,
        },
        "scattermode": "group",
        "showlegend": len(series) > 1,
    }
    rows = [(title, label, *finite(point)) for title, points in series.items() for label, point in points.items()]
    height = 90 + len(drawn) * max(24, 14 * len(series) + 6)
    return Chart(name, traces, layout, Numbers(("series", of, value, "low", "high"), rows), note, height)
