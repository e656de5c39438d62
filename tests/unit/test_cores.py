from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from multitag import cores as module
from multitag.cli import main


@pytest.mark.parametrize(("limit", "expected"), [("1", 1), ("100000", None), ("", None), ("2,1", None)])
def test_omp_num_threads_is_a_limit(monkeypatch: pytest.MonkeyPatch, limit: str, expected: int | None) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    assert module.threads() == (expected or module.cores())


@pytest.mark.parametrize(
    ("quota", "expected"), [("150000 100000", 2), ("100000 100000", 1), ("max 100000", 8), ("?", 8), (None, 8)]
)
def test_a_containers_quota_is_a_limit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, quota: str | None, expected: int
) -> None:
    if quota is not None:
        (tmp_path / "cpu.max").write_text(quota + "\n")
    monkeypatch.setattr(module, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert module.cores() == expected


@pytest.mark.parametrize("place", [1, 2])
def test_threads_is_taken_anywhere_by_all_that_computes(monkeypatch: pytest.MonkeyPatch, place: int) -> None:
    """In a process of its own: what has read the variables once does not look again."""
    code = (
        "import sys; from multitag.cli import main; from multitag import cores\n"
        "cores.cores = lambda: 3\n"
        "main.cores = cores.cores\n"
        "assert main.run(sys.argv[1:]) == 0\n"
        "import torch, polars, threadpoolctl, numpy\n"
        "print(torch.get_num_threads(), polars.thread_pool_size(), cores.threads(),\n"
        "      max(p['num_threads'] for p in threadpoolctl.threadpool_info()))"
    )
    arguments = ["list", "losses"]
    arguments[place:place] = ["--threads", "1"]
    said = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True)
    assert said.stdout.splitlines()[-1] == "1 1 1 1"


@pytest.mark.parametrize("value", ["0", "-1", "two", "100000", ""])
def test_threads_that_cannot_be_had_are_a_usage_error(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = dict(os.environ)
    assert main.run(["list", "losses", f"--threads={value}"]) == 2
    said = capsys.readouterr().err
    assert f"--threads '{value}'" in said
    assert f"1 to {module.cores()}" in said
    assert dict(os.environ) == before


def test_threads_without_a_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["list", "losses", "--threads"]) == 2
    assert "--threads" in capsys.readouterr().err
