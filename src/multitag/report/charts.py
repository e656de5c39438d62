"""Charts as plain data: plotly's traces without colours (the page gives them), and the numbers that are drawn."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from multitag.report.blocks import Chart, Numbers

MOST_BARS: Final = 60
"""More names than this cannot be read in one chart; the numbers below it have all."""
MOST_CELLS: Final = 60
"""The most rows and columns of a heat map."""


def bars(
    name: str,
    series: Mapping[str, Mapping[str, float]],
    *,
    value: str,
    of: str = "label",
    share: bool = False,
    note: str = "",
) -> Chart:
    """Horizontal bars, one a name, in the order given; several series stand beside each other.

    Args:
        name: Its title.
        series: For each series, its values by name; the first one's names are the names.
        value: What the bars measure.
        of: What the names are.
        share: Values are shares, shown in per cent.
        note: A sentence below the title.
    """
    names = list(dict.fromkeys(label for values in series.values() for label in values))
    rows = [(label, *(values.get(label) for values in series.values())) for label in names]
    drawn = names[:MOST_BARS]
    tail = "<extra></extra>" if len(series) == 1 else ""
    traces = [
        {
            "type": "bar",
            "orientation": "h",
            "name": title,
            "y": drawn,
            "x": [values.get(label) for label in drawn],
            "hovertemplate": f"%{{y}}<br>%{{x:{'.1%' if share else ',.4~g' if _fractional(values) else ',d'}}}" + tail,
        }
        for title, values in series.items()
    ]
    if len(drawn) < len(names):
        note = f"{note} The first {len(drawn)} of {len(names)} are drawn.".strip()
    layout = {
        "xaxis": {"title": {"text": value}, "tickformat": ".0%" if share else "", "rangemode": "tozero"},
        "yaxis": {"type": "category", "autorange": "reversed", "dtick": 1},
        "barmode": "group",
        "showlegend": len(series) > 1,
    }
    height = 90 + len(drawn) * max(20, 11 * len(series) + 6)
    return Chart(name, traces, layout, Numbers((of, *series), rows), note, height)


def histogram(
    name: str,
    series: Mapping[str, Sequence[float]],
    *,
    value: str,
    share: bool = False,
    bins: int = 40,
    note: str = "",
) -> Chart:
    """How often values occur; whole numbers over a short range get a bin each. Several series lie over each other.

    Args:
        name: Its title.
        series: For each series, its values, one a row.
        value: What the values measure.
        share: Shares of the series rather than counts, which compare series of unlike sizes.
        bins: The most bins.
        note: A sentence below the title.
    """
    arrays = {title: np.asarray(values, np.float64) for title, values in series.items()}
    edges = _edges([array for array in arrays.values() if len(array)], bins)
    whole = len(edges) > 1 and edges[1] - edges[0] == 1 and edges[0] % 1 == 0.5
    counts = {title: np.histogram(array, edges)[0] for title, array in arrays.items()}
    heights = {
        title: (count / max(len(arrays[title]), 1)).tolist() if share else count.tolist()
        for title, count in counts.items()
    }
    centres = ((edges[:-1] + edges[1:]) / 2).tolist()
    ranges = [f"{c:g}" if whole else f"{a:g} to {b:g}" for c, a, b in zip(centres, edges, edges[1:], strict=False)]
    form = ".1%" if share else ",d"
    traces = [
        {
            "type": "bar",
            "name": title,
            "x": centres,
            "y": height,
            "text": ranges,
            "textposition": "none",
            "width": float(edges[1] - edges[0]) * (0.9 if whole else 0.98),
            "opacity": 1 if len(series) == 1 else 0.62,
            "hovertemplate": f"%{{text}}: %{{y:{form}}}" + ("<extra></extra>" if len(series) == 1 else ""),
        }
        for title, height in heights.items()
    ]
    layout = {
        "xaxis": {"title": {"text": value}, **({"dtick": 1} if whole and len(centres) <= 15 else {})},
        "yaxis": {"title": {"text": "share of rows" if share else "rows"}, "tickformat": ".0%" if share else ""},
        "barmode": "overlay",
        "showlegend": len(series) > 1,
    }
    starts = [
        (a if not whole else c, b if not whole else c) for c, a, b in zip(centres, edges, edges[1:], strict=False)
    ]
    rows = [
        (float(start), float(stop), *(int(count[place]) for count in counts.values()))
        for place, (start, stop) in enumerate(starts)
    ]
    return Chart(name, traces, layout, Numbers(("from", "to", *series), rows), note)


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
            "x": _plain(xs),
            "y": _plain(ys),
            "line": {"width": 2, "shape": "hv" if step else "linear"},
            "marker": {"size": 6},
        }
        for title, (xs, ys) in series.items()
    ]
    rows = [(title, *pair) for title, (xs, ys) in series.items() for pair in zip(_plain(xs), _plain(ys), strict=True)]
    whole = {
        "xaxis": {"title": {"text": x}},
        "yaxis": {"title": {"text": y}},
        "showlegend": len(series) > 1,
        **(layout or {}),
    }
    return Chart(name, traces, whole, Numbers(("series", x, y), rows), note, height)


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
    words = np.asarray(whole if shown is None else shown)[:MOST_CELLS, :MOST_CELLS]
    form = ".0%" if share else ",.3~g"
    if cells.shape != whole.shape:
        note = f"{note} The first {cells.shape[0]} of {len(rows)} and {cells.shape[1]} of {len(columns)} are drawn."
    trace = {
        "type": "heatmap",
        "x": list(columns[:MOST_CELLS]),
        "y": list(rows[:MOST_CELLS]),
        "z": _plain_rows(cells),
        "customdata": _plain_rows(words),
        "hoverongaps": False,
        "xgap": 1,
        "ygap": 1,
        "colorbar": {"title": {"text": value, "side": "right"}, "tickformat": ".0%" if share else "", "thickness": 10},
        "hovertemplate": f"%{{y}}, %{{x}}<br>{'%{customdata:,d}, ' if shown is not None else ''}%{{z:{form}}}"
        "<extra></extra>",
    }
    if max(cells.shape) <= 20:
        trace["texttemplate"] = "%{customdata:,d}" if shown is not None else f"%{{z:{form}}}"
    layout = {
        "xaxis": {"type": "category", "side": "top", "tickangle": -45, "dtick": 1, "showgrid": False},
        "yaxis": {"type": "category", "autorange": "reversed", "dtick": 1, "showgrid": False},
    }
    table = [
        (row, column, *_plain([whole[i, j]]), *([] if shown is None else _plain([np.asarray(shown)[i, j]])))
        for i, row in enumerate(rows)
        for j, column in enumerate(columns)
    ]
    names = ("row", "column", value, *(["count"] if shown is not None else []))
    return Chart(
        name, [trace], layout, Numbers(names, table), note.strip(), 190 + 26 * cells.shape[0], 330 + 44 * cells.shape[1]
    )


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
            "x": _plain(values),
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


def _edges(arrays: list[npt.NDArray[np.float64]], bins: int) -> npt.NDArray[np.float64]:
    """Edges of equal bins over all arrays; around each whole number where they are whole and close together."""
    if not arrays:
        return np.array([0.0, 1.0])
    every = np.concatenate(arrays)
    low, high = float(every.min()), float(every.max())
    if (every % 1 == 0).all():
        width = max(1, int(np.ceil((high - low + 1) / bins)))
        if width == 1:
            return np.arange(low - 0.5, high + 1.5)
        return np.arange(low, high + width + 1, width)
    return np.linspace(low, high if high > low else low + 1, bins + 1)


def _fractional(values: Mapping[str, float]) -> bool:
    return any(value % 1 for value in values.values())


def _plain(values: Sequence[float] | npt.NDArray[Any]) -> list[float | int | None]:
    """Numbers that JSON has: NaN and infinities are `None`."""
    array = np.asarray(values)
    return [value if np.isfinite(value) else None for value in array.tolist()]


def _plain_rows(values: npt.NDArray[Any]) -> list[list[float | int | None]]:
    return [_plain(row) for row in values]
