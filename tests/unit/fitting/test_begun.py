"""What a stopped training says it kept."""

from __future__ import annotations

import pytest

from multitag.fitting.begun import interruptible
from multitag.fitting.clock import Clock
from multitag.interrupts import Interrupted


def stopped(stage, folder) -> str:
    clock = Clock()
    with pytest.raises(Interrupted) as caught, interruptible(clock, folder), clock.time(stage):
        raise KeyboardInterrupt
    return str(caught.value)


def test_it_says_what_is_kept_and_how_to_go_on(tmp_path):
    assert stopped("checking", None) == "stopped while checking; nothing was begun"
    assert stopped("training", tmp_path) == "stopped while training; the feature store keeps what was encoded"
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "main.safetensors").touch()
    assert stopped("training", tmp_path).endswith(f", and {tmp_path} what was trained: go on with --resume")


def test_before_anything_is_timed_it_has_begun_nothing():
    with pytest.raises(Interrupted, match=r"^stopped while checking; nothing was begun$"), interruptible(Clock(), None):
        raise KeyboardInterrupt


def test_other_errors_pass():
    with pytest.raises(ValueError, match="mine"), interruptible(Clock(), None):
        raise ValueError("mine")
