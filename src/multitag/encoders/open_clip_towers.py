"""The few calls we make into open_clip: a CLIP model as two towers, of which one is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from torch import nn

from multitag.encoders.extras import imported
from multitag.encoders.weights import unreachable

Tower = Literal["visual", "text"]


def model_name(model: str) -> str:
    """A model as open_clip names it: a local folder has a prefix."""
    return f"local-dir:{model}" if Path(model).is_dir() else model


def load_tower(model: str, pretrained: str, tower: Tower) -> tuple[nn.Module, dict[str, Any]]:
    """A pretrained tower, and the whole model's configuration.

    Raises:
        WeightsError: The weights cannot be had.
    """
    open_clip, name = imported("open_clip"), model_name(model)
    weights = None if ":" in name else pretrained
    try:
        # As two towers, whatever it was saved as.
        both = open_clip.create_model(name, weights, force_custom_text=True, require_pretrained=True)
    except (OSError, RuntimeError, ValueError) as error:
        raise unreachable(model, error) from error
    config = open_clip.get_model_config(name)
    return getattr(both, tower), {key: config[key] for key in KEPT if key in config}


KEPT = ("embed_dim", "vision_cfg", "text_cfg", "quick_gelu")
"""What of a configuration says how towers are built."""


def build_tower(config: dict[str, Any], tower: Tower) -> nn.Module:
    """An untrained tower of a configuration."""
    kept: nn.Module = getattr(imported("open_clip").CustomTextCLIP(**config), tower)
    return kept


def output_of(net: nn.Module, inputs: Any) -> tuple[Any, Any]:
    """What a tower says: the projected vector (B, D), and tokens (B, T, D') or `None` where it gives none."""
    if hasattr(net, "output_tokens"):
        net.output_tokens = True  # type: ignore[assignment]
    output = net(inputs)
    return output if isinstance(output, tuple) else (output, None)
