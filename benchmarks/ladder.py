"""What each member of an ensemble adds, step by step: python benchmarks/ladder.py RUN [--out FILE]

Reads a run folder alone: the members' logits of the training rows, each by networks that did not see the row. For each
step the members so far are stacked, calibrated and decided by cross-fitting (five parts: what joins and decides a row
was fitted on the other four), so that no row is scored by anything that saw its labels, and compared with the step
before by a paired bootstrap.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.combined import Combined
from multitag.combiners import COMBINERS
from multitag.decisions import CALIBRATIONS, DECISIONS
from multitag.metrics.answers import Answers
from multitag.metrics.bootstrap import paired_bootstrap
from multitag.pipeline import Pipeline
from multitag.runs.artifacts import load_run

PARTS = 5
SHOWN = ("samples_f1", "micro_f1", "macro_f1", "map")


def cross_fitted(logits: npt.NDArray[np.float64], run: Pipeline, seed: int) -> Answers:
    """The answers to all rows of the logits (M, N, K) of M members.

    Args:
        logits: Out of fold.
        run: Whose combiner, calibration and decision are fitted.
        seed: Of the parts.
    """
    config, gold = run.config, run.held_out.gold
    assert config.ensemble is not None
    joining = config.ensemble.combiner
    part = np.random.default_rng(seed).permutation(logits.shape[1]) % PARTS
    probabilities = np.zeros(logits.shape[1:])
    claimed = np.zeros(logits.shape[1:], bool)
    for number in range(PARTS):
        rest, own = part != number, part == number
        combiner: Any = COMBINERS.build(joining.name, joining.options, len(logits)).fit(logits[:, rest], gold[rest])
        calibration: Any = CALIBRATIONS.build(config.calibration.name, config.calibration.options)
        calibration.fit(combiner.apply(logits[:, rest]), gold[rest])
        known = calibration.apply(combiner.apply(logits[:, rest]))
        decision: Any = DECISIONS.build(config.decision.name, config.decision.options)
        decision.fit(known, gold[rest], always_labelled=run.held_out.always_labelled)
        probabilities[own] = calibration.apply(combiner.apply(logits[:, own]))
        claimed[own] = decision.apply(probabilities[own])
    return Answers(gold, claimed, probabilities)


def ladder(run: Pipeline, rounds: int, seed: int) -> list[dict[str, Any]]:
    """A row for each member: its own scores, those of all up to it, and what it added."""
    if not isinstance(run.scorer, Combined):
        raise SystemExit("this run is a single model: there is no ladder. Give the run of an ensemble or a preset")
    members = run.scorer.members
    every = np.stack([member.calibrated(member.held_out.logits) for member in members.values()])
    rows, before = [], None
    for count, name in enumerate(members, 1):
        alone = cross_fitted(every[count - 1 : count], run, seed)
        here = cross_fitted(every[:count], run, seed)
        row: dict[str, Any] = {"member": name, "alone": _scores(alone), "so far": _scores(here)}
        if before is not None:
            gains = paired_bootstrap(here, before, SHOWN, rounds=rounds, seed=seed)
            row["gain"] = {
                key: [round(value, 4) for value in (gain.value, gain.low, gain.high)] for key, gain in gains.items()
            }
        rows.append(row)
        before = here
    return rows


def _scores(answers: Answers) -> dict[str, float]:
    from multitag.metrics import METRICS

    return {key: round(float(METRICS.get(key)(answers)), 4) for key in SHOWN}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--rounds", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    rows = ladder(load_run(given.run), given.rounds, given.seed)
    print("| member | alone | so far | gain in samples F1 |\n|---|---|---|---|")
    for row in rows:
        low, high = row.get("gain", {}).get("samples_f1", [0, 0, 0])[1:]
        gain = f"{row['gain']['samples_f1'][0]:+.4f} ({low:+.4f} to {high:+.4f})" if "gain" in row else ""
        print(f"| {row['member']} | {row['alone']['samples_f1']:.4f} | {row['so far']['samples_f1']:.4f} | {gain} |")
    if given.out:
        given.out.write_text(json.dumps({"run": given.run.name, "steps": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
