"""`ablate`: same rows for all, nothing twice, going on after an interruption."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
import tomllib

import numpy as np
import pytest

from multitag.config import Config
from multitag.errors import ConfigError, DataError, RunError
from multitag.interrupts import Interrupted
from multitag.studies import ablate
from multitag.studies.records import load_record
from multitag.studies.work import run
from training_support import quick, scenes

VARY = ["train.lr=0.05,0.001", "loss.name=bce,focal"]


@pytest.fixture
def counted(monkeypatch):
    """How often a run was done."""
    done = []

    def counting(shared, job, ask):
        if len(done) == counting.stop:
            raise KeyboardInterrupt
        done.append(job)
        return run(shared, job, ask)

    counting.stop = -1
    monkeypatch.setattr("multitag.studies.ablating.run", counting)
    counting.done = done
    return counting


def study(out=None, vary=VARY, config=None, **more):
    options = {"seeds": 2, "jobs": 1, "test_share": 0.3, **more}
    return ablate(scenes(40), config or quick(), vary, out=out, **options)


def test_each_configuration_is_trained_from_each_seed(counted):
    found = study()
    assert len(counted.done) == 8
    assert [len(result.records) for result in found.results] == [2, 2, 2, 2]
    assert found.seeds == (0, 1)
    spread = found.results[0].spread("samples_f1")
    values = [record.scores["samples_f1"] for record in found.results[0].records]
    assert spread.mean == pytest.approx(np.mean(values))
    assert spread.deviation == pytest.approx(np.std(values, ddof=1))
    assert found.results[0].spread("training_seconds").least > 0
    assert len(found.comparisons) == 6  # all pairs of four
    assert [rank.mean for rank in found.ranking] == sorted((rank.mean for rank in found.ranking), reverse=True)
    assert found.ranking[0].verdict == "reference"
    assert not found.failures


def test_all_configurations_of_a_seed_have_the_same_rows(counted):
    found = study()
    for seed in (0, 1):
        parts = {job.part for job in counted.done if job.config.seed == seed}
        assert len(parts) == 1
        assert not set(parts.pop().train) & set(next(j.part.test for j in counted.done if j.config.seed == seed))
        ids = {result.records[seed].ids for result in found.results}
        gold = [result.records[seed].answers.gold for result in found.results]
        assert len(ids) == 1
        assert all((each == gold[0]).all() for each in gold)
    assert len({job.part for job in counted.done}) == 2


def test_a_table_to_score_is_the_same_for_all_seeds():
    found = study(test=scenes(20, start=100))
    assert {record.ids for result in found.results for record in result.records} == {
        tuple(f"row{n}" for n in range(100, 120))
    }
    assert "the same for all seeds" in found.scored_on
    rows = found.results[0].records[0].rows
    assert rows["test"] == 20
    assert rows["train"] + rows["valid"] == 40
    assert rows["valid"] > 0


def test_nothing_is_run_twice(counted, tmp_path):
    first = study(tmp_path / "out")
    assert len(counted.done) == 8
    second = study(tmp_path / "out")
    assert len(counted.done) == 8
    assert second.to_dict() == first.to_dict()
    study(tmp_path / "out", ["train.lr=0.05,0.001,0.01", "loss.name=bce,focal"])
    assert len(counted.done) == 12
    study(tmp_path / "out", seeds=3)
    assert len(counted.done) == 16


def test_other_rows_are_other_runs(counted, tmp_path):
    study(tmp_path / "out", ["train.lr=0.05"])
    ablate(scenes(41), quick(), ["train.lr=0.05"], seeds=2, jobs=1, test_share=0.3, out=tmp_path / "out")
    assert len(counted.done) == 4


def test_an_interrupted_study_goes_on(counted, tmp_path):
    counted.stop = 3
    with pytest.raises(Interrupted, match=r"stopped after 3 of 8 runs; .* the same command goes on"):
        study(tmp_path / "out")
    counted.stop = -1
    found = study(tmp_path / "out")
    assert len(counted.done) == 8
    assert len({job.key for job in counted.done}) == 8
    scores = [result.spread("samples_f1").values for result in found.results]
    assert scores == [result.spread("samples_f1").values for result in study().results]


def test_faults_stop_a_study_before_it_begins(counted, tmp_path):
    with pytest.raises(ConfigError, match=r"4 of \d configurations are not valid"):
        study(
            tmp_path / "out",
            ["train.lr=0.1,-1,-2", "loss.name=bce"],
            variants={"a": ["x.y=1"], "b": ["loss.name=z"]},
            design="one_at_a_time",
        )
    with pytest.raises(ConfigError, match="metric 'f1' does not exist"):
        study(metric="f1")
    assert not counted.done


def test_a_run_that_diverges_is_told_and_the_others_count(tmp_path):
    found = study(tmp_path / "out", ["train.lr=0.05,1e38", "loss.name=bce"])
    assert [len(result.records) for result in found.results] == [2, 0]
    assert len(found.failures) == 2
    assert "training has diverged" in found.failures[0]
    assert not found.comparisons
    assert [rank.verdict for rank in found.ranking] == ["reference"]


def test_files(tmp_path):
    out = tmp_path / "out"
    found = study(out)
    assert json.loads((out / "study.json").read_text()) == json.loads(json.dumps(found.to_dict()))
    with open(out / "runs.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert len(rows) == 8
    assert float(rows[0]["micro_f1"]) == found.results[0].records[0].scores["micro_f1"]
    with open(out / "summary.csv", newline="") as handle:
        assert [row["configuration"] for row in csv.DictReader(handle)] == [result.name for result in found.results]
    configs = sorted((out / "configurations").iterdir())
    assert [Config.parse(tomllib.loads(path.read_text())) for path in configs] == [
        result.variant.config for result in found.results
    ]


def test_a_record_comes_back_as_it_was(tmp_path):
    record = study(tmp_path / "out").results[0].records[0]
    again = load_record(record.key, tmp_path / "out")
    assert again.to_dict() == record.to_dict()
    assert again.answers.same_gold(record.answers)
    assert (again.answers.predicted == record.answers.predicted).all()


def test_a_damaged_record_says_which(tmp_path):
    record = study(tmp_path / "out").results[0].records[0]
    (tmp_path / "out" / "runs" / f"{record.key}.safetensors").write_bytes(b"no")
    with pytest.raises(RunError, match=f"{record.key}.json is damaged"):
        study(tmp_path / "out")


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "thesis.doc").write_text("")
    with pytest.raises(RunError, match="is not empty and holds no study"):
        study(tmp_path)


def test_too_few_rows_are_told():
    with pytest.raises(DataError, match="too few to split"):
        ablate(scenes(1), quick(), VARY, jobs=1)


KILLED = """
import sys
from pathlib import Path
from multitag.studies import ablate
from training_support import quick, scenes
if __name__ == "__main__":
    jobs, out = int(sys.argv[1]), sys.argv[2]
    ablate(scenes(40), quick(["train.epochs=40"]), ["train.lr=" + ",".join(f"0.0{n}" for n in range(1, 7))], seeds=1,
           jobs=jobs, test_share=0.3, out=out)
"""


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_study_loses_only_the_runs_at_work(tmp_path, how):
    script, out = tmp_path / "script.py", tmp_path / "out"
    script.write_text(KILLED)
    path = os.pathsep.join([os.path.dirname(os.path.dirname(os.path.dirname(__file__))), *sys.path])
    command = [sys.executable, str(script), "2", str(out)]
    process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": path}, stderr=subprocess.PIPE, text=True)
    for _ in range(1200):
        if len(list((out / "runs").glob("*.json"))) >= 2:
            break
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.1)
    process.send_signal(how)
    said = process.communicate(timeout=60)[1]
    assert process.returncode != 0
    assert how == signal.SIGKILL or "the same command goes on from there" in said
    time.sleep(1.5)
    kept = {file.name: file.stat().st_mtime_ns for file in (out / "runs").glob("*.json")}
    assert 2 <= len(kept) < 6
    assert subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, check=False).returncode == 0
    after = {file.name: file.stat().st_mtime_ns for file in (out / "runs").glob("*.json")}
    assert len(after) == 6
    assert {name: after[name] for name in kept} == kept
