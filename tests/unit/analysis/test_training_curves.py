"""Histories of one network and of many."""

from __future__ import annotations

from multitag.analysis.training_curves import training_curves


def test_one_network() -> None:
    (curve,) = training_curves(
        [
            {"epoch": 1, "stage": 1, "train_loss": 0.5, "valid_loss": None, "best": True, "seconds": 0.5},
            {"epoch": 2, "stage": 2, "train_loss": 0.25, "valid_loss": 0.75, "best": False, "seconds": 0.25},
        ]
    )
    assert (curve.name, curve.epochs, curve.seconds) == ("", (1, 2), 0.75)
    assert curve.series == {"train_loss": (0.5, 0.25), "valid_loss": (None, 0.75)}


def test_networks_members_and_students_are_told_apart() -> None:
    rows = [
        {"role": "teacher", "model": "fold1", "epoch": 1, "train_loss": 3},
        {"role": "teacher", "model": "fold2", "epoch": 1, "train_loss": 2},
        {"member": "text", "role": "student", "epoch": 1, "train_loss": 1},
        {"role": "teacher", "model": "fold1", "epoch": 2, "train_loss": 1},
    ]
    curves = training_curves(rows)
    assert [(curve.name, curve.epochs) for curve in curves] == [
        ("teacher, fold1", (1, 2)),
        ("teacher, fold2", (1,)),
        ("text, student", (1,)),
    ]
    assert training_curves([]) == []
