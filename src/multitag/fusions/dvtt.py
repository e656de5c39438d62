"""Double visual-textual transformer: each encoder's tokens read those of the others, and the answers are averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor, nn

from multitag.errors import ConfigError
from multitag.fusions.base import Fusion
from multitag.fusions.checks import real_tokens, require_encoder, require_several, token_widths
from multitag.fusions.grid import GridPosition
from multitag.fusions.mixture import mixture_logit
from multitag.types import Encoded, Width

Count = Annotated[int, Field(ge=1)]


class DVTT(Fusion):
    """p = (sigmoid(H_v(O_v[0])) + sigmoid(H_t(O_t[0]))) / 2, O_v = Dec(X_v, Enc(X_t)), O_t = Dec(X_t, Enc(X_v)) (DVTT).

    AIMH at SemEval-2021 task 6 (Messina et al. 2021). X are an encoder's tokens, brought to one size by a linear map;
    pictures' tokens get a linear code of their place on a square grid first. Enc and Dec are transformers, a pair for
    each direction; [0] is the first token. The model's logit is that of the mean probability. With more than two
    encoders each one's tokens read those of all others together, and the mean is over all.

    The source has `dim` 1024, `layers` 4, `heads` 4, `feedforward` 1024, `dropout` .1, a linear head, on ResNet-50's
    7 x 7 grid and BERT's words. The defaults here are smaller: for some thousand rows, and without a GPU.

    Args:
        dim: The size of a token within the transformers; a multiple of `heads`.
        layers: Layers of each Enc and of each Dec.
        heads: Attention heads.
        feedforward: Size of each layer's hidden vector.
        dropout: Share of the numbers dropped within the layers while training.
        grid: The names of the encoders whose tokens are places of a picture. A class token before the grid is
            understood. A number of tokens that is neither a square nor one more than a square gets no code.

    Raises:
        ConfigError: There is one encoder only, one has no tokens, `grid` names one that is not there, or `dim` is no
            multiple of `heads`.
    """

    needs = "tokens"

    def __init__(
        self,
        widths: Mapping[str, Width],
        /,
        *,
        dim: Count = 128,
        layers: Count = 1,
        heads: Count = 4,
        feedforward: Count = 256,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2,
        grid: tuple[str, ...] = ("image",),
    ) -> None:
        super().__init__(widths)
        require_several("dvtt", widths)
        for name in grid:
            require_encoder("dvtt", "grid", name, widths)
        if dim % heads:
            raise ConfigError(f"fusion 'dvtt', option 'dim' = {dim}: must be a multiple of 'heads' = {heads}")
        sizes = token_widths("dvtt", widths)
        self.positions = nn.ModuleDict({name: GridPosition(sizes[name]) for name in grid})
        self.maps = nn.ModuleDict({name: nn.Linear(size, dim) for name, size in sizes.items()})
        self.transformers = nn.ModuleDict(
            {name: _transformer(dim, layers, heads, feedforward, dropout) for name in widths}
        )
        self.branches = {name: Width(dim, dim) for name in widths}

    def forward(self, encoded: Mapping[str, Encoded]) -> dict[str, Encoded]:
        """For each encoder: tokens (B, T, dim), and the first of them as pooled (B, dim)."""
        tokens, masks = {}, {}
        for name, linear in self.maps.items():
            states, masks[name] = real_tokens(encoded[name])
            if name in self.positions:
                states = self.positions[name](states, masks[name])
            tokens[name] = linear(states)
        branches = {}
        for name, transformer in self.transformers.items():
            others = [other for other in self.widths if other != name]
            nothing = ~torch.cat([masks[other] for other in others], 1)
            out = transformer(
                src=torch.cat([tokens[other] for other in others], 1),
                tgt=tokens[name],
                src_key_padding_mask=nothing,
                memory_key_padding_mask=nothing,
                tgt_key_padding_mask=~masks[name],
            )
            first = masks[name].int().argmax(1)  # of the real ones: padding may come first
            branches[name] = Encoded(out[torch.arange(len(out), device=out.device), first], out, masks[name])
        return branches

    def combine(self, logits: Mapping[str, Tensor]) -> Tensor:
        """The logit of the mean of the branches' probabilities."""
        stacked = torch.stack([logits[branch] for branch in self.branches])
        return mixture_logit(stacked, stacked.new_full((len(stacked),), -math.log(len(stacked))).float())


def _transformer(dim: int, layers: int, heads: int, feedforward: int, dropout: float) -> nn.Transformer:
    layer = nn.TransformerEncoderLayer(dim, heads, feedforward, dropout, batch_first=True)
    # Without nested tensors: they only run without gradients, and warn.
    encoder = nn.TransformerEncoder(layer, layers, nn.LayerNorm(dim), enable_nested_tensor=False)
    # The whole is asked to make the decoder, since it also starts every layer from numbers of its own.
    return nn.Transformer(
        dim,
        heads,
        num_decoder_layers=layers,
        dim_feedforward=feedforward,
        dropout=dropout,
        custom_encoder=encoder,
        batch_first=True,
    )
