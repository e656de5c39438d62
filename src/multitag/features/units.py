"""What this machine computes fast in, and the configuration's ``"auto"`` settled by it."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import torch

from multitag.config import Config
from multitag.features.runtime import onnx_installed


def has_bfloat16() -> bool:
    """Whether matrix products in bfloat16 are several times as fast here as in float32: on most GPUs, and on
    processors with matrix units for it (AMX)."""
    if torch.cuda.is_available():
        return bool(torch.cuda.is_bf16_supported())
    if torch.accelerator.is_available():
        return False
    known: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()  # older torch cannot say: float32 is right
    return bool(known.get("amx_bf16", False))


def settled(precision: str) -> str:
    """A precision as it is on this machine: ``"auto"`` is bfloat16 where there are units for it, else float32."""
    if precision != "auto":
        return precision
    return "bfloat16" if has_bfloat16() else "float32"


def settle_precision(config: Config) -> Config:
    """A configuration with ``store.precision = "auto"`` replaced by what it means on this machine.

    Features of each precision are others, so a run writes down which it was trained on.
    """
    if config.store.precision != "auto":
        return config
    runtime = config.store.runtime
    there = torch.accelerator.is_available() or (onnx_installed() and find_spec("openvino") is not None)
    runs = runtime == "compiled" or (runtime in ("auto", "openvino") and there)
    precision = "bfloat16" if has_bfloat16() and runs else "float32"
    return config.model_copy(update={"store": config.store.model_copy(update={"precision": precision})})
