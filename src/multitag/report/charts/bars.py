"""Bars, one a name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from multitag.report.blocks import Chart, Numbers

MOST_BARS: Final = 60
"""More names than this cannot be read in one chart; the numbers below it have all."""


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
    height = 90 + len(drawn) * max(20, 7 * len(series) + 6)
    return Chart(name, traces, layout, Numbers((of, *series), rows), note, height)


def _fractional(values: Mapping[str, float]) -> bool:
    return any(value % 1 for value in values.values())
