"""Torch blocks that several rooms share."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from multitag.types import Encoded


def masked_mean(tokens: Tensor, mask: Tensor) -> Tensor:
    """Mean of the real tokens: (B, T, D) and (B, T) to (B, D)."""
    weights = mask.unsqueeze(-1).to(tokens.dtype)
    return (tokens * weights).sum(1) / weights.sum(1).clamp_min(1.0)


class Dropout(nn.Module):
    """Each number is zero with probability `share`, and the others are scaled so that the mean stays; in training only.

    torch draws a random number for each element, in one thread, which on a processor takes longer than the layers
    around it. Here 16 random bits decide about an element, four elements a draw. `share` is rounded to 1 / 65,536.

    Args:
        share: Of the numbers dropped, 0 to less than 1.
    """

    def __init__(self, share: float, /) -> None:
        super().__init__()
        self.share = share

    def forward(self, values: Tensor) -> Tensor:
        """Of any shape."""
        if not self.training or not self.share:
            return values
        if values.device.type != "cpu":
            return nn.functional.dropout(values, self.share)
        draws = torch.empty((values.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        bits = draws.view(torch.int16)[: values.numel()].view(values.shape)
        least = min(round(self.share * 65536), 65535) - 32768
        # In place, so 0 and 1 of 16 bits: a processor converts them faster than bools.
        return values * bits.ge_(least).to(values.dtype).mul_(1.0 / (1.0 - self.share))

    def extra_repr(self) -> str:
        """The share, where the module is printed."""
        return f"{self.share}"


class Standardize(nn.Module):
    """Shift and scale each feature to mean 0 and deviation 1 on the training rows; a feature that never varies to 0.

    Frozen encoders differ in scale by factors of a hundred; heads and learning rates should not have to know.

    Args:
        width: D, the size of the last dimension.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, width: int, /) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("scale", torch.ones(width))

    @torch.no_grad()
    def fit(self, mean: Tensor, deviation: Tensor) -> None:
        """Set the statistics, both (D,)."""
        self.mean.copy_(mean)
        varies = deviation > 1e-6
        self.scale.copy_(torch.where(varies, 1.0 / deviation.clamp_min(1e-6), torch.zeros_like(deviation)))

    def forward(self, features: Tensor) -> Tensor:
        """(..., D) to (..., D), in the precision that they come in."""
        if features.dtype.itemsize > 2:
            return (features - self.mean) * self.scale
        # In one pass that reckons in full precision: promoted, a grid of tokens takes four times as long.
        flat = features.reshape(-1, features.shape[-1])
        scaled: Tensor = batch_norm(flat, self.mean, self.scale**-2, eps=0.0)
        return scaled.view(features.shape)


class MissingModality(nn.Module):
    """A learned vector that stands for a row without this modality (invariant: a prediction, never NaN).

    It starts at zero, the mean of standardised features, so that even a model that never saw a row without the
    modality answers as if the picture or text were an average one.

    Args:
        width: The size of the pooled vector.
        token_width: The size of a token, or `None` where tokens are not used.
    """

    def __init__(self, width: int, token_width: int | None, /) -> None:
        super().__init__()
        self.pooled = nn.Parameter(torch.zeros(width))
        self.token = None if token_width is None else nn.Parameter(torch.zeros(token_width))

    def forward(self, encoded: Encoded, present: Tensor) -> Encoded:
        """Replace the rows where `present` (B,) is False; they get one token, the learned one."""
        if bool(present.all()):
            return encoded
        here = present.unsqueeze(-1)
        pooled = torch.where(here, encoded.pooled, self.pooled.to(encoded.pooled.dtype))
        if encoded.tokens is None or encoded.mask is None or self.token is None:
            return Encoded(pooled)
        first = torch.zeros_like(encoded.mask)
        first[:, 0] = True
        tokens = torch.where(here.unsqueeze(-1), encoded.tokens, self.token.to(encoded.tokens.dtype))
        return Encoded(pooled, tokens, torch.where(here, encoded.mask, first))
