"""Fill the tables of docs/accuracy.md from what the benchmark found: python scripts/accuracy_tables.py"""

from __future__ import annotations

import json
import re
from pathlib import Path
from statistics import median
from typing import Any

from describe import DOCS, table

FOUND = Path(__file__).parents[1] / "benchmarks"
SHOWN = {"samples_f1": "samples F1", "micro_f1": "micro F1", "macro_f1": "macro F1", "map": "mAP"}
NAMES = {
    "multitag": "`multitag train`",
    "texts alone": "`multitag train --without image`",
    "pictures alone": "`multitag train --without text`",
    **{f"preset {name}": f"`multitag train --preset {name}`" for name in ("fast", "balanced", "best")},
}
LADDER = re.compile(r"(<!-- ladder of: (?P<file>.+?) -->\n\n).*?(\n\n<!-- ladder: end -->)", re.DOTALL)
BLOCK = re.compile(r"(<!-- table of: (?P<file>.+?) -->\n\n).*?(\n\n<!-- table: end -->)", re.DOTALL)


def score(row: dict[str, Any], key: str) -> str:
    mean = f"{row[key]:.4f}" if key == "samples_f1" and row["system"] == "multitag" else f"{row[key]:.3f}"
    return mean if row["seeds"] == 1 else f"{mean} ± {row[key + '_spread'] / 2:.{len(mean) - 2}f}"


def filled(page: str) -> str:
    """The page with its tables made anew."""

    def made(match: re.Match[str]) -> str:
        rows = json.loads((FOUND / match["file"]).read_text("utf-8"))["rows"]
        lines = table(
            ["", *SHOWN.values(), "seconds", "MB"],
            [
                [
                    NAMES.get(row["system"], row["system"] if " " in row["system"] else f"`{row['system']}`"),
                    *(score(row, key) for key in SHOWN),
                    f"{median(row['seconds']):.0f}",
                    f"{row['megabytes']:.1f}",
                ]
                for row in rows
            ],
        )
        return match[1] + "\n".join(lines) + match[3]

    return LADDER.sub(_steps, BLOCK.sub(made, page))


def _steps(match: re.Match[str]) -> str:
    """The steps of a ladder: each member alone, all so far, and the gain over the step before."""
    steps = json.loads((FOUND / match["file"]).read_text("utf-8"))["steps"]
    lines = table(
        ["member", "alone", "so far", "gain", "macro F1 so far", "mAP so far"],
        [
            [
                f"`{step['member']}`",
                f"{step['alone']['samples_f1']:.4f}",
                f"{step['so far']['samples_f1']:.4f}",
                "{:+.4f} ({:+.4f} to {:+.4f})".format(*step["gain"]["samples_f1"]) if "gain" in step else "",
                f"{step['so far']['macro_f1']:.4f}",
                f"{step['so far']['map']:.4f}",
            ]
            for step in steps
        ],
    )
    return match[1] + "\n".join(lines) + match[3]


if __name__ == "__main__":
    path = DOCS / "accuracy.md"
    path.write_text(filled(path.read_text("utf-8")), "utf-8")
