"""The speed table: every part beside what a user would write by hand, in one run.

    python -m benchmarks.speed [--quick] [--only PART ...] [--runs 5]

Writes benchmarks/results.json, a row a figure (name, ours, beside, ratio, goal, met, spread, commit), part by part.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

from multitag.cores import settle_threads

PARTS = ("starting", "reading", "encoding", "training", "predicting", "deciding", "scoring", "growing", "tuning", "gpu")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="Small sizes, one run: does it work?")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS, metavar="PART")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[1] / "results.json")
    given = parser.parse_args()
    settle_threads()
    runs = 1 if given.quick else given.runs
    before = json.loads(given.out.read_text("utf-8")) if given.out.is_file() and not given.quick else {"figures": []}
    kept = {figure["name"]: figure for figure in before["figures"]}
    for part in given.only:
        module = importlib.import_module(f"benchmarks.speed.{part}")
        kept = {name: figure for name, figure in kept.items() if figure["part"] != part}
        for figure in module.figures(quick=given.quick, runs=runs):
            row = {"part": part, **figure.to_dict(), "runs": runs, "commit": commit()}
            kept[f"{part}: {figure.name}"] = row
            print(_line(row), flush=True)
        if not given.quick:
            rows = sorted(kept.values(), key=lambda row: PARTS.index(row["part"]))
            given.out.write_text(json.dumps({"machine": machine(), "figures": rows}, indent=1) + "\n", "utf-8")


def commit() -> str:
    """The commit measured, with a + where the working tree differs."""
    said = subprocess.run(["git", "describe", "--always", "--dirty=+"], capture_output=True, text=True, check=False)
    return said.stdout.strip()


def machine() -> dict[str, Any]:
    """What it was measured on."""
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}


def _line(row: dict[str, Any]) -> str:
    if row["ours"] is None:
        return f"{row['name']}: {row['note']}"
    beside = "" if row["ratio"] is None else f"  {row['ratio']:.3g} x {row['beside_name']} ({row['beside']:.3g})"
    spread = "" if row["spread"] is None else "  [{:.3g} - {:.3g}]".format(*row["spread"])
    verdict = {True: "met", False: "MISSED", None: "no goal"}[row["met"]]
    return f"{row['name']}: {row['ours']:.3g} {row['unit']}{beside}{spread}  {row['goal']}: {verdict}"


if __name__ == "__main__":
    main()
