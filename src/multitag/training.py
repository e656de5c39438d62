"""The only training loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState
from torch import Tensor

from multitag.checkpoints import Standing, Tensors, load_checkpoint, save_checkpoint
from multitag.config import TrainConfig
from multitag.errors import MultitagError
from multitag.features.feeder import Feeder
from multitag.inference import predict_logits
from multitag.losses import Loss
from multitag.model import Model
from multitag.optim import build_optimizer, rate_factor, set_rates
from multitag.progress import Progress, silent
from multitag.tasks.base import Task

_MIXED = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}


class Interrupted(MultitagError):
    """Training was stopped by Ctrl-C, its state saved."""

    exit_code = 130


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


def make_accelerator(precision: str = "float32") -> Accelerator:
    """Accelerate's view of this machine's devices, at one precision.

    Accelerate keeps one state a process; a second training may want another precision.
    """
    AcceleratorState._reset_state()
    return Accelerator(mixed_precision=_MIXED[precision])


def train(
    model: Model,
    loss: Loss,
    task: Task,
    rows: Feeder,
    valid: Feeder | None,
    settings: TrainConfig,
    *,
    seed: int,
    checkpointing: Checkpointing | None = None,
    progress: Progress = silent,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
) -> Standing:
    """Train `model` and leave it with the weights of its best epoch.

    The order of the rows depends on seed and epoch alone, and a checkpoint holds the random state, so a resumed
    training ends with the very same weights as an uninterrupted one.

    Args:
        model: The model; it must have been built under the same seed for a resume to be exact.
        loss: What is minimised.
        task: Scores the held-out rows.
        rows: The training rows, with targets.
        valid: The rows that choose the best epoch; `None` trains all epochs and keeps the last.
        settings: Epochs, batch size, rates and so on.
        seed: Decides order and dropout.
        checkpointing: Where the state is kept, if it is.
        progress: Told about rows done.
        on_epoch: Called with the history row of each epoch.

    Returns:
        Where the training ended, its history included.

    Raises:
        Interrupted: Ctrl-C; the state has been saved first where there is a checkpoint.
        RunError: The checkpoint to resume from is damaged or of another training.
    """
    with torch.random.fork_rng():
        run = _Run(model, loss, task, rows, valid, settings, seed, checkpointing, progress, on_epoch)
        return run.train()


class _Run:
    """One training: its state, and the loop over epochs and steps."""

    def __init__(
        self,
        model: Model,
        loss: Loss,
        task: Task,
        rows: Feeder,
        valid: Feeder | None,
        settings: TrainConfig,
        seed: int,
        checkpointing: Checkpointing | None,
        progress: Progress,
        on_epoch: Callable[[dict[str, Any]], None],
    ) -> None:
        self.loss, self.task, self.rows, self.valid = loss, task, rows, valid
        self.settings, self.seed, self.progress, self.on_epoch = settings, seed, progress, on_epoch
        self.checkpointing = checkpointing
        self.accelerator = make_accelerator(settings.precision)
        inner = list(model.encoders.parameters())
        owned = {id(parameter) for parameter in inner}
        optimizer = build_optimizer(
            (parameter for parameter in model.parameters() if id(parameter) not in owned),
            inner,
            lr=settings.lr,
            encoder_lr=settings.encoder_lr,
            decay=settings.weight_decay,
        )
        self.model, self.optimizer = self.accelerator.prepare(model, optimizer)
        self.bare: Model = self.accelerator.unwrap_model(self.model)
        self.standing, self.best = Standing(), Tensors()
        self.steps = -(-len(rows) // settings.batch_size)
        self.saved_at = time.monotonic()

    def train(self) -> Standing:
        keep = self.checkpointing
        if keep is not None and keep.resume and keep.path.is_file():
            inner = self.optimizer.optimizer
            self.standing, self.best = load_checkpoint(keep.path, self.bare, inner, keep.identity)
        total = self.settings.epochs * len(self.rows)
        try:
            with self.progress("training", total) as advance:
                done = self.standing.epoch * len(self.rows) + self.standing.step * self.settings.batch_size
                advance(min(done, total))
                while not self.standing.finished:
                    self._epoch(advance)
        except KeyboardInterrupt as error:
            self._save(force=True)
            where = f" Its state is in {keep.path}; go on with --resume." if keep else ""
            raise Interrupted(f"training was interrupted in epoch {self.standing.epoch + 1}.{where}") from error
        if self.best:
            self.bare.load_state_dict(self.best)
        self.bare.eval()
        return self.standing

    def _epoch(self, advance: Callable[[int], None]) -> None:
        standing, size, started = self.standing, self.settings.batch_size, time.monotonic()
        order = torch.randperm(
            len(self.rows), generator=torch.Generator().manual_seed(_mix(self.seed, standing.epoch))
        ).tolist()
        if standing.step == 0:
            torch.manual_seed(_mix(self.seed, standing.epoch) + 1)
        self.model.train()
        while standing.step < self.steps:
            chosen = order[standing.step * size : (standing.step + 1) * size]
            standing.loss_sum += self._step(chosen)
            standing.step += 1
            advance(len(chosen))
            self._save()
        row = {"epoch": standing.epoch + 1, "train_loss": standing.loss_sum / self.steps}
        score = self._validate(row)
        row["seconds"] = round(time.monotonic() - started, 3)
        standing.history.append(row)
        if score is None or standing.best_score is None or score > standing.best_score:
            standing.best_score, standing.best_epoch = score, standing.epoch
            self.best = {key: value.detach().cpu().clone() for key, value in self.bare.state_dict().items()}
        standing.epoch, standing.step, standing.loss_sum = standing.epoch + 1, 0, 0.0
        waited = standing.epoch - 1 - standing.best_epoch
        standing.finished = standing.epoch >= self.settings.epochs or waited >= self.settings.patience
        self.on_epoch(row)
        self._save(force=standing.finished)

    def _step(self, chosen: list[int]) -> float:
        step = self.standing.epoch * self.steps + self.standing.step
        settings = self.settings
        factor = rate_factor(step, settings.epochs * self.steps, schedule=settings.schedule, warmup=settings.warmup)
        set_rates(self.optimizer, factor)
        # With several processes each takes its part of the batch; gradients are averaged over them.
        mine = chosen[self.accelerator.process_index :: self.accelerator.num_processes] or chosen[:1]
        batch = self.rows.batch(mine).to(self.accelerator.device)
        with self.accelerator.autocast():
            logits: Tensor = self.model(batch)
        value = self.loss(logits.float(), batch.targets)
        self.accelerator.backward(value)
        self.accelerator.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(value.detach())

    def _validate(self, row: dict[str, Any]) -> float | None:
        if self.valid is None or self.valid.targets is None:
            return None
        targets = self.valid.targets.numpy()
        logits = predict_logits(self.bare, self.valid, len(self.task.space))
        row["valid_loss"] = -self.task.score(logits, targets, "loss")
        score = self.task.score(logits, targets, self.settings.monitor)
        if self.settings.monitor != "loss":
            row[f"valid_{self.settings.monitor}"] = abs(score)
        return score

    def _save(self, *, force: bool = False) -> None:
        keep = self.checkpointing
        if keep is None or not self.accelerator.is_main_process:
            return
        if force or time.monotonic() - self.saved_at >= keep.seconds:
            inner = self.optimizer.optimizer
            save_checkpoint(keep.path, self.standing, self.bare, self.best, inner, keep.identity)
            self.saved_at = time.monotonic()


def _mix(seed: int, epoch: int) -> int:
    return (seed * 1_000_003 + epoch * 2) % (1 << 62)
