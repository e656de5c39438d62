"""The only training loop."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState
from torch import Tensor

from multitag.checkpoints import Standing, Tensors, load_checkpoint, save_checkpoint
from multitag.config import TrainConfig
from multitag.errors import ConfigError, MultitagError
from multitag.features.feeder import Feeder
from multitag.inference import predict_logits
from multitag.interrupts import Interrupted, uninterrupted
from multitag.losses import Loss
from multitag.model import Model
from multitag.optim import build_optimizer, rate_factor, set_rates
from multitag.progress import Progress, silent
from multitag.tasks.base import Task

__all__ = ["Checkpointing", "Interrupted", "make_accelerator", "train"]

_MIXED = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}


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

    Raises:
        ConfigError: The machine cannot compute at this precision.
    """
    AcceleratorState._reset_state()
    # An encoder that trains may have parts that a batch does not touch, such as BERT's own pooler.
    several = DistributedDataParallelKwargs(find_unused_parameters=True)
    try:
        accelerator = Accelerator(mixed_precision=_MIXED[precision], kwargs_handlers=[several])
        if precision == "float16" and accelerator.device.type == "cpu":  # accelerate would quietly use float32
            raise ValueError("it needs a GPU.")
        return accelerator
    except ValueError as error:
        raise ConfigError(
            f"train.precision = '{precision}' does not work on this machine: {error} "
            f"Fix: train.precision = 'bfloat16' or 'float32'"
        ) from error


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

    The order of the rows and all dropout depend on seed, epoch and step alone, so a resumed training ends with the
    very same weights as an uninterrupted one, and the caller's random state is left as it was.

    Args:
        model: The model; it must have been built under the same seed for a resume to be exact.
        loss: What is minimised; fitted, where it learns from the training targets.
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
        ConfigError: The machine cannot compute at the precision asked for.
        MultitagError: The loss is no longer a number.
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
        self.task, self.rows, self.valid = task, rows, valid
        self.settings, self.seed, self.progress, self.on_epoch = settings, seed, progress, on_epoch
        self.checkpointing = checkpointing
        self.accelerator = make_accelerator(settings.precision)
        self.loss = loss.to(self.accelerator.device)
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
        # Without accelerate's autocast around `forward`: validation and prediction are in float32, as after loading.
        self.bare: Model = self.accelerator.unwrap_model(self.model, keep_fp32_wrapper=False)
        self.bare.__dict__.pop("forward", None)
        self.standing, self.best = Standing(), Tensors()
        self.steps = -(-len(rows) // settings.batch_size)
        self.saved_at = time.monotonic()

    def train(self) -> Standing:
        self._resume()
        keep, total = self.checkpointing, self.settings.epochs * len(self.rows)
        try:
            with self.progress("training", total) as advance:
                standing = self.standing
                advance(min(standing.epoch * len(self.rows) + standing.step * self.settings.batch_size, total))
                while not standing.finished:
                    self._epoch(advance)
                advance(max(0, total - standing.epoch * len(self.rows)))
        except KeyboardInterrupt as error:
            with uninterrupted():
                self._save(force=True)
            where = (
                "; its state was not kept" if keep is None else f"; its state is in {keep.path}: go on with --resume"
            )
            epoch = min(self.standing.epoch + 1, self.settings.epochs)
            raise Interrupted(f"training was interrupted in epoch {epoch} of {self.settings.epochs}{where}") from error
        if self.best:
            self.bare.load_state_dict(self.best)
        self.bare.eval()
        return self.standing

    def _resume(self) -> None:
        keep = self.checkpointing
        if keep is None or not keep.resume or not keep.path.is_file():
            return
        self.standing, self.best = load_checkpoint(keep.path, self.bare, self.optimizer.optimizer, keep.identity)
        if self.standing.scaler and self.accelerator.scaler is not None:
            self.accelerator.scaler.load_state_dict(self.standing.scaler)

    def _epoch(self, advance: Callable[[int], None]) -> None:
        standing, size, started = self.standing, self.settings.batch_size, time.monotonic()
        shuffle = torch.Generator().manual_seed(_seed(self.seed, standing.epoch))
        order = torch.randperm(len(self.rows), generator=shuffle).tolist()
        self.model.train()
        while standing.step < self.steps:
            chosen = order[standing.step * size : (standing.step + 1) * size]
            with uninterrupted():
                standing.loss_sum += self._step(chosen)
                standing.step += 1
                self._save()
            advance(len(chosen))
        row: dict[str, Any] = {"epoch": standing.epoch + 1, "train_loss": standing.loss_sum / self.steps}
        if not math.isfinite(standing.loss_sum):
            raise MultitagError(
                f"training has diverged: the loss of epoch {standing.epoch + 1} is {row['train_loss']}. "
                f"Fix: a lower learning rate (train.lr = {self.settings.lr}, train.encoder_lr = "
                f"{self.settings.encoder_lr}), or train.precision = 'float32'"
            )
        score = self._validate(row)
        row["seconds"] = round(time.monotonic() - started, 3)
        with uninterrupted():
            self._close(row, score)
        self.on_epoch(row)

    def _close(self, row: dict[str, Any], score: float | None) -> None:
        """Take an epoch down, keep its weights if they are the best, and see whether it was the last."""
        standing = self.standing
        standing.history.append(row)
        if score is None or standing.best_epoch < 0 or _better(score, standing.best_score):
            standing.best_score, standing.best_epoch = score, standing.epoch
            self.best = {key: value.detach().cpu().clone() for key, value in self.bare.state_dict().items()}
        standing.epoch, standing.step, standing.loss_sum = standing.epoch + 1, 0, 0.0
        waited = standing.epoch - 1 - standing.best_epoch
        standing.finished = standing.epoch >= self.settings.epochs or waited >= self.settings.patience
        self._save(force=standing.finished)

    def _step(self, chosen: list[int]) -> float:
        accelerator, settings = self.accelerator, self.settings
        step = self.standing.epoch * self.steps + self.standing.step
        torch.manual_seed(_seed(self.seed, self.standing.epoch, self.standing.step, accelerator.process_index))
        factor = rate_factor(step, settings.epochs * self.steps, schedule=settings.schedule, warmup=settings.warmup)
        set_rates(self.optimizer, factor)
        mine = chosen[accelerator.process_index :: accelerator.num_processes]
        batch = self.rows.batch(mine or chosen[:1]).to(accelerator.device)
        with accelerator.autocast():
            logits: Tensor = self.model(batch)
        value = self.loss(logits.float(), batch.targets)
        if accelerator.num_processes > 1:
            value = value * self._weight(batch.targets, real=bool(mine))
        accelerator.backward(value)
        accelerator.clip_grad_norm_(self.model.parameters(), settings.clip)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        return float(accelerator.reduce(value.detach(), "mean"))

    def _weight(self, targets: Tensor | None, *, real: bool) -> Tensor:
        """What this process's mean counts in the mean over all, whose parts of a batch may differ in known labels."""
        size = torch.zeros((), device=self.accelerator.device)
        if real and targets is not None:
            size = self.loss.size(targets).float()
        share: Tensor = size / self.accelerator.reduce(size.clone(), "mean").clamp_min(1e-12)
        return share

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
            if self.accelerator.scaler is not None:
                self.standing.scaler = self.accelerator.scaler.state_dict()
            save_checkpoint(keep.path, self.standing, self.bare, self.best, self.optimizer.optimizer, keep.identity)
            self.saved_at = time.monotonic()


def _better(score: float, best: float | None) -> bool:
    """Whether a score beats the best so far; one that is not defined (NaN) beats nothing."""
    return not math.isnan(score) and (best is None or math.isnan(best) or score > best)


def _seed(*parts: int) -> int:
    """A seed for torch that differs wherever one of the numbers does."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8]) >> 1
