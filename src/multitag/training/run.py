"""The loop over stages, epochs and steps."""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any, NamedTuple

import torch

from multitag.augment.augmenter import Augmenter
from multitag.checkpoints import Standing, Tensors
from multitag.config import TrainConfig
from multitag.config.train import LAST
from multitag.deadline import Deadline, OutOfTime
from multitag.errors import MultitagError
from multitag.features.feeder import Feeder
from multitag.inference import predict_logits
from multitag.interrupts import Interrupted, uninterrupted
from multitag.losses import Loss
from multitag.memory import keep_freed
from multitag.model import Model
from multitag.optim import HEADS_PART, Schedule
from multitag.progress import Progress, silent
from multitag.tasks.base import Logits, Task
from multitag.training.accelerator import make_accelerator
from multitag.training.averaging import Average
from multitag.training.epochs import close_epoch, is_due, rows_done, wins
from multitag.training.stages import Stages
from multitag.training.state import Checkpointing, State
from multitag.training.steps import Stepper, make_optimizer


class Halt(NamedTuple):
    """When a training ends that is not done by itself.

    Attributes:
        deadline: It stops here, with its best epoch so far, once it has trained enough.
        enough: So many epochs, one at least.
        last: It is dropped here, where it has not; `None` lets it go on until it has.
    """

    deadline: Deadline
    enough: int = 1
    last: Deadline | None = None


def train(
    model: Model,
    loss: Loss,
    task: Task,
    rows: Feeder,
    valid: Feeder | None,
    settings: TrainConfig,
    *,
    seed: int,
    augmenter: Augmenter | None = None,
    checkpointing: Checkpointing | None = None,
    halt: Halt | None = None,
    progress: Progress = silent,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    on_best: Callable[[Logits | None], None] = lambda logits: None,
) -> Standing:
    """Train `model` and leave it with the weights of its best epoch, averaged ones where they are wanted.

    The order of the rows, their changes and all dropout depend on seed, epoch and step alone, so a resumed training
    ends with the very same weights as an uninterrupted one, and the caller's random state is left as it was.

    Args:
        model: The model; it must have been built under the same seed for a resume to be exact.
        loss: What is minimised; fitted, where it learns from the training targets.
        task: Scores the held-out rows.
        rows: The training rows, with targets.
        valid: The rows that choose the best epoch; `None` trains all epochs and keeps the last.
        settings: Epochs, batch size, rates and so on.
        seed: Decides order and dropout.
        augmenter: What is done to the training rows, and how often each comes, if not once an epoch as it stands.
        checkpointing: Where the state is kept, if it is.
        halt: When it must be over, if there is a limit; looked at after each step.
        progress: Told about rows done.
        on_epoch: Called with the history row of each epoch.
        on_best: Called after each epoch that is the best so far, with what the model then says of the held-out rows;
            `None` where they were not looked at.

    Returns:
        Where the training ended, its history included.

    Raises:
        Interrupted: Ctrl-C; the state has been saved first where there is a checkpoint.
        RunError: The checkpoint to resume from is damaged or of another training.
        ConfigError: The machine cannot compute at the precision asked for, or a stage has nothing to train.
        MultitagError: The loss is no longer a number.
        OutOfTime: The last moment has passed, and too little is trained.
    """
    keep_freed()
    with torch.random.fork_rng():
        run = Run(model, loss, task, rows, valid, settings, seed, augmenter, checkpointing, progress, on_epoch)
        run.halt, run.on_best = halt, on_best
        return run.train()


class Run:
    """One training: its parts, and the loop over epochs and steps."""

    def __init__(
        self,
        model: Model,
        loss: Loss,
        task: Task,
        rows: Feeder,
        valid: Feeder | None,
        settings: TrainConfig,
        seed: int,
        augmenter: Augmenter | None,
        checkpointing: Checkpointing | None,
        progress: Progress,
        on_epoch: Callable[[dict[str, Any]], None],
    ) -> None:
        self.task, self.valid = task, valid
        self.halt: Halt | None = None
        self.on_best: Callable[[Logits | None], None] = lambda logits: None
        self.said: Logits | None = None
        self.settings, self.seed, self.progress, self.on_epoch = settings, seed, progress, on_epoch
        accelerator = make_accelerator(settings.precision)
        self.stages = Stages(model, settings)
        self.schedule = Schedule(settings.schedule, settings.warmup, settings.step_factor, settings.step_epochs)
        prepared, optimizer = accelerator.prepare(model, make_optimizer(model, settings))
        self.stepper = Stepper(accelerator, prepared, optimizer, loss, rows, augmenter, clip=settings.clip)
        # Without accelerate's autocast around `forward`: validation and prediction are in float32, as after loading.
        self.bare: Model = accelerator.unwrap_model(prepared, keep_fp32_wrapper=False)
        self.bare.__dict__.pop("forward", None)
        self.average = Average(self.bare, settings.ema) if settings.ema else None
        self.state = State(self.bare, optimizer.optimizer, self.average, accelerator, checkpointing)
        self.length = len(rows) if augmenter is None else len(augmenter.rows)
        self.steps = -(-self.length // settings.batch_size)

    def train(self) -> Standing:
        """Go through all stages, from where the state stands; where it ends."""
        state, keep = self.state, self.state.keep
        state.resume()
        try:
            with self.progress("training", sum(self.stages.lengths) * self.length) as advance:
                done = self._done()
                advance(done)
                while not state.standing.finished:
                    done += self.epoch(advance)
                    advance(self._done() - done)  # what a stage that ended early left out
                    done = self._done()
        except KeyboardInterrupt as error:
            with uninterrupted():
                state.save(force=True)
            where = (
                "; its state was not kept" if keep is None else f"; its state is in {keep.path}: go on with --resume"
            )
            raise Interrupted(f"training stopped in {self._where()}{where}") from error
        state.back_to_best()
        self.stages.close()
        for encoder in self.bare.encoders.values():
            encoder.settle()  # type: ignore[operator]
        self.bare.eval()
        return state.standing

    def _done(self) -> int:
        return rows_done(self.state.standing, self.length, self.settings.batch_size, self.stages.lengths)

    def _where(self) -> str:
        standing, lengths = self.state.standing, self.stages.lengths
        length = lengths[standing.stage]
        epoch = f"epoch {min(standing.stage_epoch + 1, length)} of {length}"
        return epoch if len(lengths) == 1 else f"{epoch} of stage {standing.stage + 1}"

    def epoch(self, advance: Callable[[int], None]) -> int:
        """Train an epoch, or what is left of it, and validate; how many rows it took."""
        standing, size, started = self.state.standing, self.settings.batch_size, time.monotonic()
        shuffle = torch.Generator().manual_seed(_seed(self.seed, standing.epoch))
        order = torch.randperm(self.length, generator=shuffle).tolist()
        self.stepper.model.train()
        self.stages.open(standing.stage)
        rows = 0
        while standing.step < self.steps:
            chosen = order[standing.step * size : (standing.step + 1) * size]
            with uninterrupted():
                standing.loss_sum += self.take_step(chosen)
                standing.step += 1
                self.state.save()
            advance(len(chosen))
            rows += len(chosen)
            if standing.step < self.steps and self._is_late():  # an epoch whose steps are done is worth scoring
                return rows
        row: dict[str, Any] = {"epoch": standing.epoch + 1}
        if len(self.stages) > 1:
            row["stage"] = standing.stage + 1
        row["train_loss"] = standing.loss_sum / self.steps
        row |= self._rates()
        if not math.isfinite(standing.loss_sum):
            raise MultitagError(
                f"training has diverged: the loss of epoch {standing.epoch + 1} is {row['train_loss']}. "
                f"Fix: a lower learning rate (train.lr = {self.settings.lr}, train.encoder_lr = "
                f"{self.settings.encoder_lr}), or train.precision = 'float32'"
            )
        self.said = None
        with nullcontext() if self.average is None else self.average.applied(self.bare):
            score = self.score(row) if self._is_due() else None
            best = _copied(self.bare) if wins(standing, score) else None
        row["seconds"] = round(time.monotonic() - started, 3)
        with uninterrupted():
            if best is not None:
                self.state.best = best
                self.on_best(self.said)
            patience = self.settings.patience * self.settings.validate_every
            if close_epoch(standing, row, score, lengths=self.stages.lengths, patience=patience):
                self.state.begin_stage()
            self.state.save(force=standing.finished)
        self.on_epoch(row)
        self._is_late()
        return rows

    def _is_due(self) -> bool:
        standing = self.state.standing
        return is_due(standing.stage_epoch, self.stages.lengths[standing.stage], self.settings.validate_every)

    def _is_late(self) -> bool:
        """Whether the deadline has passed and enough is trained: then that is the end.

        Raises:
            OutOfTime: The last moment has passed, and it is not.
        """
        standing, halt = self.state.standing, self.halt
        if halt is None or standing.finished or not halt.deadline.passed:
            return False
        if standing.epoch < max(1, halt.enough):
            if halt.last is not None and halt.last.passed:
                raise OutOfTime(f"no time is left in {self._where()}")
            return False
        with uninterrupted():
            standing.finished = True
            self.state.save(force=True)
        return True

    def take_step(self, chosen: list[int]) -> float:
        """Take the step at which the training stands, on the rows `chosen`; the loss before it."""
        standing, steps = self.state.standing, self.steps
        _draw_anew(_seed(self.seed, standing.epoch, standing.step, self.stepper.accelerator.process_index))
        step, total = standing.stage_epoch * steps + standing.step, self.stages.lengths[standing.stage] * steps
        factor = self.schedule.factor(step, total, epoch_steps=steps)
        at, scales = (standing.epoch, standing.step), self.stages[standing.stage].lr_scale
        value = self.stepper.step(chosen, at=at, factor=factor, scales=scales)
        if self.average is not None:
            self.average.update(self.bare, step)
        return value

    def _rates(self) -> dict[str, float]:
        """The learning rates of the epoch's last step: of the heads, and of the first layers that read encoders."""
        standing, stage = self.state.standing, self.stages[self.state.standing.stage]
        last = (standing.stage_epoch + 1) * self.steps - 1
        total = self.stages.lengths[standing.stage] * self.steps
        factor = self.schedule.factor(last, total, epoch_steps=self.steps)
        rates = {"lr": self.settings.lr * factor * stage.lr_scale.get(HEADS_PART, 1.0)}
        if len(self.bare.encoders):
            scale = max(stage.lr_scale.get(name, 1.0) for name in self.bare.encoders)
            rates["encoder_lr"] = self.settings.encoder_lr * factor * scale
        return rates

    def score(self, row: dict[str, Any]) -> float | None:
        """What the held-out rows say of the model, put down in `row`; `None` where no epoch is chosen.

        What the model says of them is left in `said`.
        """
        if self.valid is None or self.valid.targets is None:
            return None
        targets = self.valid.targets.numpy()
        self.said = logits = predict_logits(self.bare, self.valid, len(self.task.space))
        row["valid_loss"] = -self.task.score(logits, targets, "loss", self.valid.samples)
        if self.settings.monitor == LAST:
            return None
        score = self.task.score(logits, targets, self.settings.monitor, self.valid.samples)
        if self.settings.monitor != "loss":
            row[f"valid_{self.settings.monitor}"] = abs(score)
        return score


def _copied(model: torch.nn.Module) -> Tensors:
    return {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}


def _draw_anew(seed: int) -> None:
    """Seed what draws random numbers, on the processor and on accelerators that are in use.

    As `torch.manual_seed`, which takes two milliseconds wherever CUDA has not begun: it keeps a traceback for later.
    """
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)
    elif torch.accelerator.is_available():
        torch.manual_seed(seed)


def _seed(*parts: int) -> int:
    """A seed for torch that differs wherever one of the numbers does."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8]) >> 1
