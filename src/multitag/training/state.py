"""All that a training must have again to go on where it was, and the file that it is kept in."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from accelerate import Accelerator
from torch import nn
from torch.optim import Optimizer

from multitag.checkpoints import Standing, Tensors, load_checkpoint, save_checkpoint
from multitag.training.averaging import Average


@dataclass(frozen=True)
class Checkpointing:
    """Where and for what a training keeps its state.

    Attributes:
        path: The checkpoint file.
        identity: What the training is of; only the same can go on from the file.
        seconds: At most so long between two writes; 0 writes after every step.
        resume: Whether to go on from the file, if it is there.
    """

    path: Path
    identity: str
    seconds: float = 30.0
    resume: bool = False


class State:
    """Where a training stands, its weights, and those of its best epoch. Random state is no part of it.

    Args:
        model: Its weights now.
        optimizer: Its moments.
        average: The averaged weights, where they are wanted.
        accelerator: Has the scale of float16 losses; only the main process writes.
        keep: Where to keep the state, if at all.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: Optimizer,
        average: Average | None,
        accelerator: Accelerator,
        keep: Checkpointing | None,
    ) -> None:
        self.model, self.optimizer, self.average, self.accelerator = model, optimizer, average, accelerator
        self.keep = keep
        self.standing, self.best = Standing(), Tensors()
        self._saved_at = time.monotonic()

    def resume(self) -> None:
        """Go on from the checkpoint, where that is wanted and there is one.

        Raises:
            RunError: The checkpoint is damaged, or of another training.
        """
        keep = self.keep
        if keep is None or not keep.resume or not keep.path.is_file():
            return
        self.standing, self.best, average = load_checkpoint(keep.path, self.model, self.optimizer, keep.identity)
        if self.average is not None:
            self.average.values = {name: value.to(self.average.values[name].device) for name, value in average.items()}
        if self.standing.scaler and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(self.standing.scaler)

    def back_to_best(self) -> None:
        """Give the model the weights of the best epoch."""
        if self.best:
            self.model.load_state_dict(self.best)

    def begin_stage(self) -> None:
        """Start a stage from the best weights so far, with an optimiser and an average that remember nothing."""
        self.back_to_best()
        self.optimizer.state.clear()
        if self.average is not None:
            self.average.start(self.model)

    def save(self, *, force: bool = False) -> None:
        """Write the checkpoint when it is time, or at once with `force`.

        Raises:
            RunError: The file cannot be written.
        """
        keep = self.keep
        if keep is None or not self.accelerator.is_main_process:
            return
        if force or time.monotonic() - self._saved_at >= keep.seconds:
            if self.accelerator.scaler is not None:
                self.standing.scaler = self.accelerator.scaler.state_dict()
            average = {} if self.average is None else self.average.values
            save_checkpoint(
                keep.path, self.standing, self.model, self.optimizer, keep.identity, best=self.best, average=average
            )
            self._saved_at = time.monotonic()
