"""The [train] section: how long, how fast, by which rule, and what trains when."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Literal

from pydantic import BeforeValidator, ByteSize, Field
from pydantic_core import PydanticCustomError

from multitag.config.base import Section
from multitag.deadline import parse_duration
from multitag.errors import ConfigError
from multitag.optim import HEADS_PART, OptimizerName, ScheduleName
from multitag.registry import closest


def _duration(given: object) -> float | None:
    try:
        return None if given is None else parse_duration(given)
    except ConfigError as error:
        raise PydanticCustomError("duration", "{said}", {"said": str(error)}) from error


Positive = Annotated[float, Field(gt=0)]
Duration = Annotated[float, BeforeValidator(_duration)]
"""Seconds, written as such or as `parse_duration` reads them."""
LAST = "last"
"""In the place of a metric: no epoch is chosen, the last one stays."""


class StageConfig(Section):
    """One stage of a training: which parts train, ``"heads"`` (all that is no encoder) and encoders by name."""

    epochs: Annotated[int, Field(ge=1)]
    train: Annotated[tuple[str, ...], Field(min_length=1)]
    lr_scale: dict[str, Positive] = {}  # noqa: RUF012 - pydantic copies it


AUTO_FOLDS = 5
AUTO_ROWS = range(50, 50_001)
"""Tables of so many rows are trained in folds of themselves: on fewer a fold says little, on more it changes little."""


class TrainConfig(Section):
    """The one training loop's settings."""

    epochs: Annotated[int, Field(ge=1)] = 20
    min_steps: Annotated[int, Field(ge=0)] = 600
    batch_size: Annotated[int, Field(ge=1)] = 128
    optimizer: OptimizerName = "adamw"
    lr: Positive = 1e-3
    encoder_lr: Positive = 3e-5
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.01
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    nesterov: bool = False
    schedule: ScheduleName = "cosine"
    warmup: Annotated[float, Field(ge=0, lt=1)] = 0.1
    step_epochs: Annotated[int, Field(ge=1)] = 30
    step_factor: Annotated[float, Field(gt=0, le=1)] = 0.1
    clip: Positive = 1.0
    ema: Annotated[float, Field(ge=0, lt=1)] = 0.99
    modality_dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1
    monitor: str = "calibrated_loss"
    patience: Annotated[int, Field(ge=1)] = 3
    validate_every: Annotated[int, Field(ge=1)] = 1
    precision: Literal["float32", "bfloat16", "float16", "auto"] = "float32"
    checkpoint_seconds: Annotated[float, Field(ge=0)] = 30.0
    folds: Literal["auto"] | Annotated[int, Field(ge=0, le=20)] = "auto"
    seeds: Annotated[int, Field(ge=1, le=20)] = 1
    max_size: ByteSize | None = None
    time_limit: Duration | None = None
    tracker: Literal["none", "tensorboard", "mlflow", "wandb"] = "none"
    stages: tuple[StageConfig, ...] = ()

    @property
    def fold_count(self) -> int:
        """How many folds are trained, once ``"auto"`` is settled; 0 for none."""
        return 0 if self.folds == "auto" else self.folds

    @property
    def lengths(self) -> tuple[int, ...]:
        """The epochs of each stage; a training without stages is a single one."""
        return tuple(stage.epochs for stage in self.stages) or (self.epochs,)

    def for_rows(self, rows: int) -> TrainConfig:
        """These settings for a table of `rows` rows: a small one is gone through more often, `min_steps` steps in all.

        Patience grows alike, and so do stages and the epochs of a step in the rate: all are meant in steps' worth.
        """
        least = math.ceil(self.min_steps / math.ceil(rows / self.batch_size))
        epochs = sum(self.lengths)
        if least <= epochs:
            return self

        def grown(count: int) -> int:
            return math.ceil(count * least / epochs)

        more = self.lasting([grown(length) for length in self.lengths])
        return more.model_copy(update={"patience": grown(self.patience), "step_epochs": grown(self.step_epochs)})

    def lasting(self, lengths: Sequence[int]) -> TrainConfig:
        """These settings with other epochs for each stage; one of no epochs is left out, as are those past the last."""
        if not self.stages:
            return self.model_copy(update={"epochs": lengths[0]})
        stages = tuple(
            stage.model_copy(update={"epochs": epochs})
            for stage, epochs in zip(self.stages, lengths, strict=False)
            if epochs
        )
        return self.model_copy(update={"stages": stages})

    def faults(self, frozen: Mapping[str, bool], monitors: Iterable[str]) -> list[str]:
        """What is wrong with these settings beside the encoders and the metrics that there are.

        Args:
            frozen: Of each encoder, whether it is.
            monitors: What may choose the best epoch.
        """
        faults = []
        if self.monitor not in (known := [*monitors, LAST]):
            near = closest(self.monitor, known)
            faults.append(f"[train] monitor = '{self.monitor}' is no metric{near} Accepted: {', '.join(known)}.")
        if self.optimizer == "sgd" and self.nesterov and not self.momentum:
            faults.append("[train] nesterov = true needs momentum. Fix: momentum = 0.9, or nesterov = false")
        return faults + (self._stage_faults(frozen) if self.stages else [])

    def _stage_faults(self, frozen: Mapping[str, bool]) -> list[str]:
        faults = []
        parts = [HEADS_PART, *frozen]
        for number, stage in enumerate(self.stages, 1):
            where = f"[[train.stages]] {number},"
            for name in stage.train:
                if name not in parts:
                    faults.append(
                        f"{where} train = '{name}' is no part{closest(name, parts)} Accepted: {_listed(parts)}."
                    )
                elif frozen.get(name):
                    faults.append(
                        f"{where} train = '{name}' is a frozen encoder. Fix: --set encoders.{name}.frozen=false"
                    )
            faults += [
                f"{where} lr_scale.{name}: this part does not train in the stage. Accepted: {_listed(stage.train)}."
                for name in stage.lr_scale
                if name not in stage.train
            ]
        trained = {name for stage in self.stages for name in stage.train}
        faults += [
            f"[encoders.{name}] frozen = false, and no stage trains it. Fix: frozen = true, or name it in a stage"
            for name, stays in frozen.items()
            if not stays and name not in trained
        ]
        return faults


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
