"""What fusions ask of the encoders they are given, and the errors where they are not."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from multitag.errors import ConfigError
from multitag.types import Encoded, Width


def require_several(fusion: str, widths: Mapping[str, Width]) -> None:
    """Raise where there is one encoder, and so nothing for it to look at."""
    if len(widths) == 1:
        raise ConfigError(
            f"fusion '{fusion}' lets encoders look at each other, and the configuration has one: {', '.join(widths)}. "
            f"Fix: --set fusion.name=single, or configure another encoder"
        )


def require_encoder(fusion: str, option: str, value: str, widths: Mapping[str, Width]) -> None:
    """Raise where an option names an encoder that is not there."""
    if value not in widths:
        raise ConfigError(
            f"fusion '{fusion}', option '{option}' = '{value}': no encoder has that name. "
            f"Accepted: {', '.join(widths)}. Fix: --set fusion.{option}={next(iter(widths))}"
        )


def token_widths(fusion: str, widths: Mapping[str, Width]) -> dict[str, int]:
    """The size of each encoder's tokens, by the encoder's name.

    Raises:
        ConfigError: An encoder has none.
    """
    without = [name for name, width in widths.items() if width.tokens is None]
    if without:
        raise ConfigError(
            f"fusion '{fusion}' reads tokens, and these encoders have none: {', '.join(without)}. "
            f"Fix: choose another fusion or other encoders"
        )
    return {name: width.tokens for name, width in widths.items() if width.tokens is not None}


def real_tokens(encoded: Encoded) -> tuple[Tensor, Tensor]:
    """Tokens (B, T, D') and their mask (B, T).

    Raises:
        ValueError: There are none.
    """
    if encoded.tokens is None or encoded.mask is None:
        raise ValueError("this fusion reads tokens, and was handed none: run the encoders with tokens=True")
    return encoded.tokens, encoded.mask
