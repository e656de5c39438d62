"""The settings of augmentation, and what speaks against them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated

from pydantic import Field

from multitag.augment import AUGMENTATIONS
from multitag.config.base import Component, Section
from multitag.errors import ConfigError

_CALLED = {"image": "picture", "text": "text"}


class AugmentConfig(Section):
    """How training rows are changed: the augmentations one after another, and how often rows with rare labels come."""

    steps: tuple[Component, ...] = ()
    rare: Annotated[float, Field(ge=0, lt=1)] = 0.0

    def resolved(self) -> tuple[AugmentConfig, list[str]]:
        """With each step's options checked and its defaults filled in; and all that is wrong with them."""
        faults: list[str] = []
        steps = []
        for number, step in enumerate(self.steps, 1):
            try:
                options = AUGMENTATIONS.resolve(step.name, step.options)
            except ConfigError as error:
                faults.extend(f"[[augment.steps]] {number}, {line}" for line in str(error).split("\n"))
                options = step.options
            steps.append(Component.model_validate({"name": step.name, **options}))
        return self.model_copy(update={"steps": tuple(steps)}), faults

    def faults(
        self, modalities: Mapping[str, str], frozen: Collection[str], in_part: Collection[str] = ()
    ) -> list[str]:
        """Steps that could change nothing, or not what they should: what frozen encoders and parts say is stored.

        Args:
            modalities: ``"image"`` or ``"text"``, by the encoder's name.
            frozen: The names of the encoders that are frozen.
            in_part: Of the others, those whose lower part is.
        """
        from multitag.augment.base import MapAugmentation  # it brings torch, which a configuration does without

        trained = {name: kind for name, kind in modalities.items() if name not in frozen}
        faults = []
        for step in self.steps:
            if step.name not in AUGMENTATIONS.table:
                continue  # said already
            made = AUGMENTATIONS.get(step.name)
            kind = made.kind
            stored = [name for name in in_part if trained.get(name) == kind]
            if stored and not issubclass(made, MapAugmentation):
                faults.append(
                    f"[augment] '{step.name}' changes {_CALLED[kind]}s, and what the lower part of the encoder "
                    f"'{stored[0]}' says of them is stored. Fix: leave it out, or "
                    f"--set encoders.{stored[0]}.first_trained=0"
                )
                continue
            needed = "image" if kind == "batch" else kind
            if needed not in trained.values():
                fixes = [f"--set encoders.{name}.frozen=false" for name, of in modalities.items() if of == needed]
                faults.append(
                    f"[augment] '{step.name}' changes {_CALLED[needed]}s for encoders that train, and no "
                    f"{_CALLED[needed]} encoder does: what frozen ones say is stored. "
                    f"Fix: leave it out{', or ' + ' or '.join(fixes) if fixes else ''}"
                )
            elif kind == "batch" and "text" in trained.values():
                texts = [name for name, of in trained.items() if of == "text"]
                faults.append(
                    f"[augment] '{step.name}' mixes rows, and words cannot be mixed: the text encoder "
                    f"'{texts[0]}' must not train. Fix: leave it out, or --set encoders.{texts[0]}.frozen=true"
                )
        return faults
