"""How often values occur."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from multitag.report.blocks import Chart, Numbers

FEW: Final = 15
"""Bins that leave room for bars beside each other."""


def histogram(
    name: str,
    series: Mapping[str, Sequence[float]],
    *,
    value: str,
    share: bool = False,
    bins: int = 40,
    note: str = "",
) -> Chart:
    """How often values occur; whole numbers over a short range get a bin each.

    Several series stand beside each other over few bins, lie over each other over many, and are lines where they are
    more than two.

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
    width = float(edges[1] - edges[0])
    few = whole and len(centres) <= FEW
    look: dict[str, Any] = {"type": "bar", "textposition": "none"}
    if len(series) > 2 and not few:
        look = {"type": "scatter", "mode": "lines", "line": {"shape": "hvh", "width": 2}}
    elif len(series) == 1 or not few:
        look |= {"width": width * (0.9 if whole else 0.98), "opacity": 1 if len(series) == 1 else 0.62}
    traces = [
        {
            **look,
            "name": title,
            "x": centres,
            "y": height,
            "text": ranges,
            "hovertemplate": f"%{{text}}: %{{y:{form}}}" + ("<extra></extra>" if len(series) == 1 else ""),
        }
        for title, height in heights.items()
    ]
    layout = {
        "xaxis": {"title": {"text": value}, **({"dtick": 1} if few else {})},
        "yaxis": {"title": {"text": "share of rows" if share else "rows"}, "tickformat": ".0%" if share else ""},
        "barmode": "group" if few else "overlay",
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
