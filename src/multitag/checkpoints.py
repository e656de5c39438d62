"""Where a training stands, in one file: tensors as safetensors, the rest as JSON in its header. No pickle."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from multitag.errors import RunError

Tensors = dict[str, Tensor]


@dataclass
class Standing:
    """Where a training stands.

    Attributes:
        epoch: The epoch it is in, from 0, over all stages.
        stage: The stage it is in, from 0.
        stage_epoch: The epoch of this stage, from 0.
        step: Steps done in this epoch.
        loss_sum: Sum of the losses of these steps.
        best_score: The best validation score so far; `None` before the first.
        best_epoch: The epoch it came from.
        useful: For each stage so far, how many of its epochs led to the best one, 0 where it found none.
        history: A row for each finished epoch.
        finished: True once no step is left to do.
        scaler: How float16 losses are scaled; empty at other precisions.
    """

    epoch: int = 0
    stage: int = 0
    stage_epoch: int = 0
    step: int = 0
    loss_sum: float = 0.0
    best_score: float | None = None
    best_epoch: int = -1
    useful: list[int] = field(default_factory=list)
    history: list[dict[str, Any]] = field(default_factory=list)
    finished: bool = False
    scaler: dict[str, Any] = field(default_factory=dict)


def atomic_save(tensors: Tensors, path: Path, metadata: dict[str, str] | None = None) -> None:
    """Write a safetensors file in one step: a killed process leaves the old file or the new one, whole.

    Raises:
        RunError: The disk is full, or the folder cannot be written.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        save_file({key: value.detach().cpu().contiguous() for key, value in tensors.items()}, temporary, metadata)
        with open(temporary, "rb+") as handle:
            os.fsync(handle.fileno())
        os.replace(temporary, path)
    except (OSError, SafetensorError) as error:
        temporary.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {error}") from error


def save_checkpoint(
    path: Path,
    standing: Standing,
    model: nn.Module,
    optimizer: Optimizer,
    identity: str,
    *,
    best: Tensors,
    average: Tensors,
) -> None:
    """Write where the training stands.

    Random state is no part of it: each step seeds its own.

    Args:
        path: The file.
        standing: Where it stands.
        model: Its weights now.
        optimizer: Its state.
        identity: What the training is of (configuration and data); another one cannot go on from it.
        best: The weights of the best epoch so far; empty before the first.
        average: The averaged weights; empty where there are none.

    Raises:
        RunError: The file cannot be written.
    """
    tensors = {f"model.{key}": value for key, value in model.state_dict().items()}
    tensors |= {f"best.{key}": value for key, value in best.items()}
    tensors |= {f"average.{key}": value for key, value in average.items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": torch.as_tensor(v) for key, v in state.items() if v is not None}
    atomic_save(tensors, path, {"standing": json.dumps(asdict(standing)), "identity": identity})


def load_checkpoint(
    path: Path, model: nn.Module, optimizer: Optimizer, identity: str
) -> tuple[Standing, Tensors, Tensors]:
    """Take a training up where it stood: weights and optimiser are set; standing, best and average come back.

    Raises:
        RunError: The file is damaged, or belongs to another training.
    """
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 - not a dict
        found, standing = metadata["identity"], Standing(**json.loads(metadata["standing"]))
    except (SafetensorError, OSError, ValueError, KeyError, TypeError) as error:
        raise RunError(
            f"the checkpoint {path} is damaged and cannot be read: {error}. Fix: delete it and resume (this part of "
            f"the training then starts anew), or --overwrite to start anew altogether"
        ) from error
    if found != identity:
        raise RunError(
            f"the checkpoint {path} is of another training: the configuration, the rows, their pictures or the "
            f"encoders' weights have changed. Fix: resume with what it was started with, train into another folder, "
            f"or --overwrite to start anew"
        )
    model.load_state_dict(_part(tensors, "model."))
    whole = optimizer.state_dict()
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in _part(tensors, "optimizer.").items():
        index, _, name = key.partition(".")
        state.setdefault(int(index), {})[name] = value
    optimizer.load_state_dict({"state": state, "param_groups": whole["param_groups"]})
    return standing, _part(tensors, "best."), _part(tensors, "average.")


def _part(tensors: Tensors, prefix: str) -> Tensors:
    return {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
