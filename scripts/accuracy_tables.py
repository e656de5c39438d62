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
LACKING = re.compile(r"(<!-- lacking of: (?P<file>.+?) -->\n\n).*?(\n\n<!-- lacking: end -->)", re.DOTALL)
CROSSVAL = re.compile(r"(<!-- crossval of: (?P<file>.+?) -->\n\n).*?(\n\n<!-- crossval: end -->)", re.DOTALL)
PLAIN = ("TF-IDF + logistic regression", "logistic regression on joined embeddings")
"""Of the systems on small tables, those that are not presets."""
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

    page = LACKING.sub(_lacking, BLOCK.sub(made, page))
    return CROSSVAL.sub(_crossval, LADDER.sub(_steps, page))


def _lacking(match: re.Match[str]) -> str:
    """Samples F1 of rows that lost their picture or their text: all of them, or every other one."""
    rows = json.loads((FOUND / match["file"]).read_text("utf-8"))["rows"]
    missing = [f"{share} {what} missing" for what in ("image", "text") for share in ("every", "half")]
    lines = table(
        ["", "complete", "no picture", "every other picture", "no text", "every other text"],
        [
            [NAMES[row["system"]], f"{row['samples_f1']:.3f}", *(f"{row[key]:.3f}" for key in missing)]
            for row in rows
            if missing[0] in row
        ]
        + [
            [NAMES[row["system"]], "", *cells]
            for row in rows
            for name, cells in (
                ("texts alone", [f"{row['samples_f1']:.3f}", "", "", ""]),
                ("pictures alone", ["", "", f"{row['samples_f1']:.3f}", ""]),
            )
            if row["system"] == name
        ],
    )
    return match[1] + "\n".join(lines) + match[3]


def _crossval(match: re.Match[str]) -> str:
    """Presets beside baselines on a small table, and how far ahead they are of the better one."""
    found = json.loads((FOUND / match["file"]).read_text("utf-8"))
    metric = found["metric"]
    plain = {row["system"]: row[metric] for row in found["systems"] if row["system"] in PLAIN}
    best = max(plain, key=lambda name: plain[name])
    lines = table(
        ["", *SHOWN.values(), f"ahead of {best}, {SHOWN[metric]}", "seconds"],
        [
            [
                _of_preset(row["system"]),
                *(f"{row[key]:.3f}" for key in SHOWN),
                "" if row["system"] in PLAIN else "{:+.3f} ({:+.3f} to {:+.3f})".format(*row[f"over {best}"][metric]),
                f"{row['seconds']:.0f}",
            ]
            for row in found["systems"]
        ],
    )
    return match[1] + "\n".join(lines) + match[3]


def _of_preset(system: str) -> str:
    """A system's name, that of a preset as it is typed."""
    preset, comma, alone = system.partition(",")
    return system if system in PLAIN else f"`--preset {preset}`{comma}{alone}"


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
