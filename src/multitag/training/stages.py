"""What trains when: the stages of a training, and the parts of a model that each opens."""

from __future__ import annotations

from torch import nn

from multitag.config import StageConfig, TrainConfig
from multitag.errors import ConfigError
from multitag.optim import HEADS_PART


class Stages:
    """The stages of a training (gradual unfreezing, Howard & Ruder, arXiv 1801.06146).

    A part that a stage does not name needs no gradient and is in evaluation mode: no dropout, and batch normalisation
    as it was. A training without stages is a single one that opens all.

    Args:
        model: The model, its encoders under `encoders`; all that needs a gradient now trains in some stage.
        settings: The stages.

    Raises:
        ConfigError: A stage opens no part that has weights to train.
    """

    def __init__(self, model: nn.Module, settings: TrainConfig) -> None:
        encoders = model.get_submodule("encoders")
        self.modules: dict[str, list[nn.Module]] = {
            HEADS_PART: [child for child in model.children() if child is not encoders],
            **{name: [encoder] for name, encoder in encoders.named_children()},
        }
        self._weights = {
            name: [p for p in encoder.parameters() if p.requires_grad] for name, encoder in encoders.named_children()
        }
        inner = set(encoders.parameters())
        self._weights[HEADS_PART] = [p for p in model.parameters() if p.requires_grad and p not in inner]
        whole = StageConfig(epochs=settings.epochs, train=tuple(self.modules))
        self._plan = settings.stages or (whole,)
        self.lengths = settings.lengths
        for number, stage in enumerate(self._plan, 1):
            if not any(self._weights.get(part) for part in stage.train):
                raise ConfigError(
                    f"[[train.stages]] {number}, train = {list(stage.train)}: nothing there has weights to train. "
                    f"Fix: add '{HEADS_PART}'"
                )

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, number: int) -> StageConfig:
        return self._plan[number]

    def open(self, number: int) -> None:
        """Make a model that is in training mode train the parts of one stage, and no others."""
        for part, modules in self.modules.items():
            opened = part in self[number].train
            for module in modules:
                module.train(opened)
            for weight in self._weights[part]:
                weight.requires_grad_(opened)

    def close(self) -> None:
        """Give all weights back as they were before the first stage."""
        for weights in self._weights.values():
            for weight in weights:
                weight.requires_grad_(True)
