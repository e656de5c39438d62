"""The tables and the plot of docs/performance.md, from benchmarks/results.json: python scripts/speed_tables.py"""

from __future__ import annotations

import json
import math
import re
from html import escape
from pathlib import Path
from typing import Any

from describe import DOCS, table

FOUND = Path(__file__).parents[1] / "benchmarks" / "results.json"
PLOT = DOCS / "images" / "speed.svg"
BLOCK = re.compile(r"(<!-- speed of: (?P<part>\w+) -->\n)(?:(?!<!--).)*?(\n<!-- speed: end -->)", re.DOTALL)
VERDICTS = {True: "met", False: "**missed**", None: ""}
HEADS = ["what", "ours", "beside it", "times as fast", "goal", "note"]
WIDTH, BAR, LEFT, RIGHT = 960, 26, 470, 60


def found() -> list[dict[str, Any]]:
    """All figures."""
    figures: list[dict[str, Any]] = json.loads(FOUND.read_text("utf-8"))["figures"]
    return figures


def number(value: float | None, unit: str) -> str:
    """A figure with its unit."""
    if value is None:
        return ""
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{shown} {unit.replace('microseconds', 'µs')}"


def line(row: dict[str, Any]) -> list[str]:
    """A figure's line of a table."""
    if row["ours"] is None:
        return [row["name"], "", "", "", "", row["note"]]
    unit, spread = row["unit"], row["spread"]
    if row["ratio"] is None:
        ratio = "" if spread is None else f"{number(spread[0], '').strip()} to {number(spread[1], unit)}"
    else:
        ratio = f"{row['ratio']:.3g} ({spread[0]:.3g} to {spread[1]:.3g})"
    beside = f"{number(row['beside'], unit)}, {row['beside_name']}" if row["beside"] is not None else ""
    goal = f"{row['goal']}: {VERDICTS[row['met']]}" if row["goal"] else ""
    return [row["name"], number(row["ours"], unit), beside, ratio, goal, row["note"]]


def filled(page: str) -> str:
    """The page with its tables made anew."""

    def made(match: re.Match[str]) -> str:
        rows = [line(row) for row in found() if row["part"] == match["part"]]
        return (
            match[1] + "\n".join(table(["what", "ours", "beside it", "times as fast", "goal", "note"], rows)) + match[3]
        )

    return BLOCK.sub(made, page)


def plot() -> str:
    """Each ratio as a bar on a logarithmic scale, with a mark at its goal."""
    rows = [row for row in found() if row["ratio"] is not None]
    goals = [float(match[1]) for row in rows if (match := re.search(r"at least ([\d.]+)", row["goal"]))]
    low = math.log10(min(0.1, *(row["spread"][0] for row in rows)))
    high = math.log10(max(10.0, *(row["spread"][1] for row in rows)) * 1.2)

    def x(value: float) -> float:
        return LEFT + (math.log10(value) - low) / (high - low) * (WIDTH - LEFT - RIGHT)

    height = BAR * len(rows) + 60
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="sans-serif"'
        ' font-size="12">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
    ]
    for power in range(math.ceil(low), math.floor(high) + 1):
        at, shown = x(10**power), f"{10**power:g}"
        parts.append(f'<path d="M{at:.1f} 24V{height - 30}" stroke="#ddd"/>')
        parts.append(f'<text x="{at:.1f}" y="{height - 12}" text-anchor="middle" fill="#555">{shown} x</text>')
    for place, (row, goal) in enumerate(zip(rows, goals, strict=True)):
        top = 28 + place * BAR
        start, end = sorted((x(1.0), x(row["ratio"])))
        colour = "#2f7d5b" if row["met"] else "#c2543c"
        name = row["name"] if len(row["name"]) <= 74 else row["name"][:73] + "…"
        few, many = (x(value) for value in row["spread"])
        parts += [
            f'<text x="{LEFT - 8}" y="{top + 13}" text-anchor="end" font-size="11">{escape(name)}</text>',
            f'<rect x="{start:.1f}" y="{top}" width="{max(end - start, 1):.1f}" height="{BAR - 9}" fill="{colour}"/>',
            f'<path d="M{few:.1f} {top + 8.5}H{many:.1f}" stroke="black"/>',
            f'<path d="M{x(goal):.1f} {top - 3}v{BAR - 3}" stroke="black" stroke-width="2" stroke-dasharray="3 2"/>',
            f'<text x="{max(end, many, x(goal)) + 6:.1f}" y="{top + 13}" font-size="11">{row["ratio"]:.3g}</text>',
        ]
    legend = "times as fast as what stands beside it; dashed: the goal; thin: all runs"
    parts.append(f'<text x="{LEFT}" y="15" fill="#555">{legend}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


if __name__ == "__main__":
    path = DOCS / "performance.md"
    path.write_text(filled(path.read_text("utf-8")), "utf-8")
    PLOT.write_text(plot(), "utf-8")
