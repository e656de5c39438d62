"""The devices of this machine, at one precision."""

from __future__ import annotations

from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.state import AcceleratorState

from multitag.errors import ConfigError
from multitag.features.units import settled

_MIXED = {"float32": "no", "bfloat16": "bf16", "float16": "fp16"}


def make_accelerator(precision: str = "float32") -> Accelerator:
    """Accelerate's view of this machine's devices, at one precision.

    Accelerate keeps one state a process; a second training may want another precision. ``"auto"`` is bfloat16 where the
    machine has units for it, else float32.

    Raises:
        ConfigError: The machine cannot compute at this precision.
    """
    precision = settled(precision)
    AcceleratorState._reset_state()
    # An encoder that trains may have parts that a batch does not touch, such as BERT's own pooler; a stage keeps some
    # parts closed.
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
