"""The lower part of a text network whose upper layers train: run once for each text, its hidden states stored."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from multitag.encoders import hub
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.errors import ConfigError
from multitag.layers import masked_mean
from multitag.types import Encoded, Modality

_AGREE = 1e-3
"""The most by which the two parts may differ from the whole network, as a share of its largest number."""
_TOGETHER, _MOST, _SPARED = 16, 4, 0.1
"""Texts run in groups of so many at least, in so many groups at most, where that spares this share of the padding."""


class TransformersLower(Encoder):
    """The embeddings and the first layers of a BERT-like network.

    Tokens are the hidden states after the last of these layers. The pooled vector is their mean, then the mean of the
    embeddings that the first layer reads: the upper part cannot see these.

    Args:
        model: A Hugging Face name or a local folder.
        max_length: Texts are cut after so many tokens, never past what the model can take.
        layers: How many layers are of this part, 1 at least.

    Raises:
        WeightsError: The weights cannot be had.
        ConfigError: The network has no such layers.
    """

    modality: ClassVar[Modality] = "text"

    def __init__(self, model: str, max_length: int, layers: int) -> None:
        super().__init__()
        self.model, self.max_length, self.layers = model, max_length, layers

    def load(self) -> None:
        """Load the weights and the tokenizer."""
        self._take(hub.load_tower(self.model, "text"), hub.load_tokenizer(self.model))

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the part and the tokenizer; nobody keeps its weights in a run, but they can be given."""
        self._take(hub.build_tower(assets["config"], "text"), hub.build_tokenizer(assets["tokenizer"]))

    def assets(self) -> dict[str, Any]:
        """The whole network's configuration and the tokenizer."""
        return {"config": hub.config_of(self.net), "tokenizer": hub.tokenizer_assets(self.tokenizer)}

    def _take(self, net: Any, tokenizer: Any) -> None:
        require_layer(net, self.layers, self.model)
        hub.drop_pooler(net)
        net.encoder.layer = net.encoder.layer[: self.layers]
        self.net, self.tokenizer = net, tokenizer
        self.limit = hub.longest(net, tokenizer, self.max_length)
        self.token_width = int(net.config.hidden_size)
        self.width = 2 * self.token_width

    def identity(self) -> dict[str, Any]:
        """The hash of this part's weights, its length, the tokenizer and the cut."""
        return {
            "weights": weights_hash(self.net),
            "tokenizer": hub.tokenizer_hash(self.tokenizer),
            "layers": self.layers,
            "limit": self.limit,
        }

    def sort_key(self, item: str) -> int:
        """The length: texts of like length need little padding."""
        return len(item)

    def prepare(self, items: Sequence[str]) -> Inputs:
        """Token ids and attention mask (B, T), padded to the longest."""
        return hub.tokenized(self.tokenizer, items, self.limit)

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, 2 D'); tokens (B, T, D') with a mask that leaves padding out."""
        output = hub.text_output(self.net, inputs["input_ids"], inputs["attention_mask"], words=True)
        mask = inputs["attention_mask"].bool()
        pooled = torch.cat([masked_mean(output.tokens, mask), masked_mean(output.words, mask)], dim=-1)
        return Encoded(pooled, output.tokens, mask) if tokens else Encoded(pooled)


class _Given(nn.Module):
    """In place of a network's embeddings: hidden states, as they are given."""

    def forward(self, *, inputs_embeds: Tensor, **rest: Any) -> Tensor:
        return inputs_embeds


def require_layer(net: Any, layer: int, model: str) -> None:
    """Raise where a network has no layer of this number.

    Raises:
        ConfigError: It has fewer layers, or keeps them elsewhere than BERT does.
    """
    layers = getattr(getattr(net, "encoder", None), "layer", None)
    if not isinstance(layers, nn.ModuleList):
        raise ConfigError(
            f"option 'first_trained' = {layer}: '{model}' is a {type(net).__name__}, which has no list of layers as "
            "BERT has. Fix: first_trained = 0"
        )
    if layer >= len(layers):
        raise ConfigError(
            f"option 'first_trained' = {layer}: the last layer of '{model}' is {len(layers) - 1}. "
            f"Accepted: 0 to {len(layers) - 1}; 0 trains all"
        )


def upper_part(net: Any, first: int, model: str) -> Any:
    """A network's layers from `first` on and its pooler, which read hidden states (`states_output`).

    Raises:
        ConfigError: The network has no such layer, or its layers need more than the states before them.
    """
    require_layer(net, first, model)
    upper: Any = copy.copy(net)
    # Shallow copies: both parts share the weights, and the lower one is dropped when the check is done.
    upper._modules = {**net._modules, "encoder": copy.copy(net.encoder), "embeddings": _Given()}
    upper.encoder._modules = {**net.encoder._modules, "layer": net.encoder.layer[first:]}
    lower = copy.copy(net)
    lower._modules = {**net._modules, "encoder": copy.copy(net.encoder), "pooler": None}
    lower.encoder._modules = {**net.encoder._modules, "layer": net.encoder.layer[:first]}
    if not _agree(net, lower, upper):
        raise ConfigError(
            f"option 'first_trained' = {first}: the layers of '{model}', a {type(net).__name__}, need more than what "
            "the layer before says. Fix: first_trained = 0"
        )
    return upper


def states_output(net: nn.Module, states: Tensor, mask: Tensor) -> hub.TowerOutput:
    """Run an upper part on hidden states (B, T, D') of which `mask` (B, T) are real.

    Texts of like length run together, where that spares padding: of a batch of captions, it is two fifths.
    """
    groups = _like_lengths(mask)
    if len(groups) == 1:
        return _run(net, states, mask)
    parts = [_run(net, states[rows, :longest], mask[rows, :longest]) for rows, longest in groups]
    back = torch.argsort(torch.cat([rows for rows, _ in groups]))
    whole = [nn.functional.pad(part.tokens, (0, 0, 0, mask.shape[1] - part.tokens.shape[1])) for part in parts]
    pooled = [part.pooled for part in parts if part.pooled is not None]
    return hub.TowerOutput(torch.cat(whole)[back], torch.cat(pooled)[back] if pooled else None)


def _run(net: nn.Module, states: Tensor, mask: Tensor) -> hub.TowerOutput:
    output = net(inputs_embeds=states, attention_mask=mask.long())
    return hub.TowerOutput(output.last_hidden_state, getattr(output, "pooler_output", None))


def _like_lengths(mask: Tensor) -> list[tuple[Tensor, int]]:
    """Places of rows in groups of like length, each with the length of its longest; one where that spares little."""
    rows, width = mask.shape
    every = [(torch.arange(rows, device=mask.device), width)]
    if rows < 2 * _TOGETHER or mask.device.type != "cpu":  # an accelerator would rather compute than wait for lengths
        return every
    lengths = (mask * torch.arange(1, width + 1, device=mask.device)).amax(1)
    order = torch.argsort(lengths, stable=True)
    groups = [(part, max(1, int(lengths[part[-1]]))) for part in order.tensor_split(min(_MOST, rows // _TOGETHER))]
    spared = rows * width - sum(len(part) * longest for part, longest in groups)
    return groups if spared >= _SPARED * rows * width else every


@torch.no_grad()
def _agree(whole: nn.Module, lower: nn.Module, upper: nn.Module) -> bool:
    """Whether the parts, one after the other, say what the whole says of a few tokens, some of them padding."""
    training = whole.training
    for net in (whole, lower, upper):
        net.eval()
    ids = torch.arange(10).view(2, 5) % 7
    mask = torch.ones_like(ids)
    mask[1, 3:] = 0
    try:
        expected = hub.text_output(whole, ids, mask).tokens
        got = states_output(upper, hub.text_output(lower, ids, mask).tokens, mask).tokens
    except (RuntimeError, TypeError, ValueError, AttributeError):  # it wants other inputs, or of another size
        return False
    finally:
        whole.train(training)
        upper.train(training)
    near = (got - expected)[mask.bool()].abs().max() <= _AGREE * expected.abs().max()
    return bool(near)
