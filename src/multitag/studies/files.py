"""The files of an ablation: everything as JSON, tables as CSV, and each configuration as TOML."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from multitag.runs.folder import write_json, write_text
from multitag.studies.ablation import Ablation
from multitag.studies.records import STUDY

CONFIGS = "configurations"


def write_ablation(ablation: Ablation, folder: Path) -> None:
    """Write study.json, runs.csv, summary.csv, comparisons.csv, and configurations/*.toml.

    Raises:
        RunError: The folder cannot be written.
    """
    measures = ablation.measures
    runs = [
        [result.name, record.seed, *(record.costs.get(m, record.scores.get(m)) for m in measures)]
        for result in ablation.results
        for record in result.records
    ]
    summary = []
    for result in ablation.results:
        spreads = [result.spread(measure) for measure in measures]
        pairs = [(s.mean, s.deviation) if s else (None, None) for s in spreads]
        summary.append([result.name, len(result.records), *(value for pair in pairs for value in pair)])
    heads = [head for measure in measures for head in (measure, f"{measure}_deviation")]
    compared = ["first", "second", "value", "low", "high", "p", "p_holm", "verdict"]
    write_table(folder / "runs.csv", ["configuration", "seed", *measures], runs)
    write_table(folder / "summary.csv", ["configuration", "runs", *heads], summary)
    write_table(
        folder / "comparisons.csv", compared, [[getattr(c, key) for key in compared] for c in ablation.comparisons]
    )
    (folder / CONFIGS).mkdir(exist_ok=True)
    for old in (folder / CONFIGS).glob("*.toml"):
        old.unlink()
    for number, result in enumerate(ablation.results, 1):
        name = re.sub(r"[^A-Za-z0-9_.=-]+", "-", result.name).strip("-")[:80]
        write_text(folder / CONFIGS / f"{number:02d}-{name}.toml", result.variant.config.dump())
    write_json(folder / STUDY, ablation.to_dict())


def write_table(path: Path, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Write a CSV file in one step; nothing stands for `None`.

    Raises:
        RunError: It cannot be written.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    write_text(path, text.getvalue())
