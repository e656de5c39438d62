"""A table of colours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from multitag.report.blocks import Chart, Numbers
from multitag.report.charts.finite import finite

MOST_CELLS: Final = 60
"""The most rows and columns that are drawn."""


def heat_map(
    name: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: npt.ArrayLike,
    *,
    value: str,
    share: bool = False,
    shown: npt.ArrayLike | None = None,
    note: str = "",
) -> Chart:
    """A table of colours, rows downwards; a cell is empty where its value is NaN.

    Args:
        name: Its title.
        rows: The rows' names.
        columns: The columns' names.
        values: (rows, columns).
        value: What the colours measure.
        share: Values are shares, shown in per cent.
        shown: (rows, columns), what stands in the cells where it is not the value itself.
        note: A sentence below the title.
    """
    whole = np.asarray(values, np.float64).reshape(len(rows), len(columns))
    cells = whole[:MOST_CELLS, :MOST_CELLS]
    # A cell whose value is NaN shows nothing, whatever stands in it.
    words = np.where(np.isnan(whole), np.nan, whole if shown is None else shown)[:MOST_CELLS, :MOST_CELLS]
    form = ",.0f" if shown is not None else ".0%" if share else ",.3g"
    if cells.shape != whole.shape:
        note = f"{note} The first {cells.shape[0]} of {len(rows)} and {cells.shape[1]} of {len(columns)} are drawn."
    trace = {
        "type": "heatmap",
        "x": list(columns[:MOST_CELLS]),
        "y": list(rows[:MOST_CELLS]),
        "z": [finite(row) for row in cells],
        "text": [[_written(cell, form) for cell in row] for row in words],
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"title": {"text": value, "side": "right"}, "tickformat": ".0%" if share else "", "thickness": 10},
        "hovertemplate": "%{y}, %{x}<br>"
        + ("%{text}, " if shown is not None else "")
        + ("%{z:.0%}" if share else "%{z:,.3~g}")
        + "<extra></extra>",
    }
    if max(cells.shape) <= 20:
        trace["texttemplate"] = "%{text}"
    layout = {
        "xaxis": {"type": "category", "side": "top", "tickangle": -45, "dtick": 1, "showgrid": False},
        "yaxis": {"type": "category", "autorange": "reversed", "dtick": 1, "showgrid": False},
    }
    table = [
        (row, column, *finite([whole[i, j]]), *([] if shown is None else finite([np.asarray(shown)[i, j]])))
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    ]
    names = ("row", "column", value, *(["count"] if shown is not None else []))
    return Chart(
        name, [trace], layout, Numbers(names, table), note.strip(), 190 + 26 * cells.shape[0], 330 + 44 * cells.shape[1]
    )


def _written(cell: float, form: str) -> str:
    return "" if np.isnan(cell) else format(float(cell), form)
