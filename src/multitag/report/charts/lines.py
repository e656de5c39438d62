"""Lines and points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from multitag.report.blocks import Chart, Numbers
from multitag.report.charts.finite import finite


def lines(
    name: str,
    series: Mapping[str, tuple[Sequence[float], Sequence[float]]],
    *,
    x: str,
    y: str,
    marks: Literal["lines", "markers", "lines+markers"] = "lines",
    step: bool = False,
    layout: Mapping[str, Any] | None = None,
    note: str = "",
    height: int = 320,
) -> Chart:
    """Lines or points.

    Args:
        name: Its title.
        series: For each, its x and its y values.
        x: What x measures.
        y: What y measures.
        marks: What is drawn.
        step: Draw steps, as of a precision-recall curve.
        layout: What else plotly's layout needs, such as ranges.
        note: A sentence below the title.
        height: In pixels.
    """
    traces = [
        {
            "type": "scatter",
            "mode": marks,
            "name": title,
            "x": finite(xs),
            "y": finite(ys),
            "line": {"width": 2, "shape": "hv" if step else "linear"},
            "marker": {"size": 6},
        }
        for title, (xs, ys) in series.items()
    ]
    rows = [(title, *pair) for title, (xs, ys) in series.items() for pair in zip(finite(xs), finite(ys), strict=True)]
    whole = {
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}},
        "showlegend": len(series) > 1,
        **(layout or {}),
    }
    return Chart(name, traces, whole, Numbers(("series", x, y), rows), note, height)
