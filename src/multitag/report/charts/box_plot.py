"""The spread of values in groups."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from multitag.report.blocks import Chart, Numbers
from multitag.report.charts.finite import finite


def box_plot(
    name: str, groups: Mapping[str, Sequence[float]], *, value: str, of: str = "group", note: str = ""
) -> Chart:
    """A horizontal box a group, every value as a point beside it: quartiles, and whiskers to 1.5 of their distance.

    Args:
        name: Its title.
        groups: For each group, its values.
        value: What is measured.
        of: What the groups are.
        note: A sentence below the title.
    """
    traces = [
        {
            "type": "box",
            "name": title,
            "x": finite(values),
            "y": [title] * len(values),
            "orientation": "h",
            "boxpoints": "all" if len(values) <= 200 else "outliers",
            "jitter": 0.35,
            "pointpos": 0,
            "quartilemethod": "linear",
            "line": {"width": 1.5},
            "marker": {"size": 5, "opacity": 0.7},
        }
        for title, values in groups.items()
    ]
    layout = {
        "xaxis": {"title": {"text": value}},
        "yaxis": {"type": "category", "autorange": "reversed", "dtick": 1},
        "showlegend": False,
    }
    rows = []
    for title, values in groups.items():
        array = np.asarray(values, np.float64)
        array = array[np.isfinite(array)]
        spread = np.quantile(array, [0, 0.25, 0.5, 0.75, 1]).tolist() if len(array) else [None] * 5
        rows.append((title, len(array), float(array.mean()) if len(array) else None, *spread))
    numbers = Numbers((of, "values", "mean", "minimum", "quarter", "median", "three quarters", "maximum"), rows)
    return Chart(name, traces, layout, numbers, note, 90 + 44 * len(groups))
