"""Label queries, against a decoder written out and torch's own."""

from __future__ import annotations

from math import ceil

import pytest
import torch
from torch import nn

from multitag.errors import ConfigError
from multitag.heads.label_queries import LabelQueries
from multitag.heads.mlp import MLP
from multitag.heads.query_decoder import QueryDecoder
from multitag.types import Encoded, Width


def attention_by_hand(module, queries: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
    """One row: queries (Q, d) over real tokens (T, d) alone."""
    dim, size = queries.shape[1], queries.shape[1] // module.heads
    asked = queries @ module.ask.weight.T + module.ask.bias
    answer = memory @ module.answer.weight.T + module.answer.bias
    keys, values = answer[:, :dim], answer[:, dim:]
    seen = []
    for head in range(module.heads):
        part = slice(head * size, (head + 1) * size)
        weights = torch.softmax(asked[:, part] @ keys[:, part].T / size**0.5, dim=1)
        seen.append(weights @ values[:, part])
    return torch.cat(seen, 1) @ module.out.weight.T + module.out.bias


def decoder_by_hand(layer: QueryDecoder, queries: torch.Tensor, memory: torch.Tensor) -> torch.Tensor:
    if layer.among is not None:
        queries = layer.among_norm(queries + attention_by_hand(layer.among, queries, queries))
    queries = layer.attention_norm(queries + attention_by_hand(layer.attention, queries, memory))
    first, last = layer.feedforward[0], layer.feedforward[-1]
    hidden = (queries @ first.weight.T + first.bias).clamp_min(0)
    return layer.feedforward_norm(queries + hidden @ last.weight.T + last.bias)


@torch.no_grad()
@pytest.mark.parametrize("self_attention", [False, True])
@pytest.mark.parametrize("queries", ["learned", "random"])
@pytest.mark.parametrize(
    ("labels", "groups", "share", "used"), [(5, 9, 1, 5), (5, 5, 1, 5), (5, 4, 2, 3), (5, 1, 5, 1), (6, 3, 2, 3)]
)
def test_each_group_looks_at_the_real_tokens_and_speaks_for_its_labels(
    labels, groups, share, used, queries, self_attention
):
    torch.manual_seed(0)
    head = LabelQueries(
        Width(3, 4),
        labels,
        groups=groups,
        queries=queries,
        self_attention=self_attention,
        dim=6,
        heads=2,
        layers=2,
        feedforward=7,
    ).eval()
    for parameter in head.parameters():
        parameter.normal_()
    assert head.queries.shape == (used, 6)
    mask = torch.tensor([[True, True, False], [False, True, False]])
    tokens = torch.randn(2, 3, 4)
    logits = head(Encoded(torch.zeros(2, 3), tokens, mask))
    for row in range(2):
        memory = (tokens[row][mask[row]] @ head.embed[0].weight.T + head.embed[0].bias).clamp_min(0)
        seen = head.queries
        for layer in head.decoder:
            seen = decoder_by_hand(layer, seen, memory)
        for label in range(labels):
            expected = seen[label // share] @ head.out.weight[label] + head.out.bias[label]
            assert logits[row, label].item() == pytest.approx(expected.item(), rel=1e-4, abs=1e-4)


@torch.no_grad()
def test_a_layer_with_self_attention_is_torchs_decoder_layer():
    torch.manual_seed(0)
    ours = QueryDecoder(8, 2, 16, 0.0, True).eval()
    theirs = nn.TransformerDecoderLayer(8, 2, 16, 0.0, batch_first=True).eval()
    for parameter in ours.parameters():
        parameter.normal_()
    for mine, other in ((ours.among, theirs.self_attn), (ours.attention, theirs.multihead_attn)):
        other.in_proj_weight.copy_(torch.cat([mine.ask.weight, mine.answer.weight]))
        other.in_proj_bias.copy_(torch.cat([mine.ask.bias, mine.answer.bias]))
        other.out_proj.load_state_dict(mine.out.state_dict())
    norms = (ours.among_norm, ours.attention_norm, ours.feedforward_norm)
    for norm, other in zip(norms, (theirs.norm1, theirs.norm2, theirs.norm3), strict=True):
        other.load_state_dict(norm.state_dict())
    theirs.linear1.load_state_dict(ours.feedforward[0].state_dict())
    theirs.linear2.load_state_dict(ours.feedforward[-1].state_dict())
    queries, tokens = torch.randn(3, 5, 8), torch.randn(3, 4, 8)
    mask = torch.arange(4) < torch.tensor([[1], [4], [2]])
    expected = theirs(queries, tokens, memory_key_padding_mask=~mask)
    assert torch.allclose(ours(queries, tokens, mask), expected, atol=1e-4)


def parameters(width: int, labels: int, groups: int, dim: int, feedforward: int, layers: int) -> int:
    embed = width * dim + dim
    attention = 4 * (dim * dim + dim)
    ffn = 2 * dim * feedforward + feedforward + dim
    return embed + groups * dim + layers * (attention + ffn + 2 * 2 * dim) + labels * dim + labels


@pytest.mark.parametrize(
    ("labels", "groups", "layers"), [(5000, 100, 1), (5000, 128, 2), (18, 100, 1), (5000, 5000, 1)]
)
def test_the_number_of_parameters_is_what_the_formula_says(labels, groups, layers):
    head = LabelQueries(Width(384, 320), labels, groups=groups, layers=layers)
    used = ceil(labels / ceil(labels / groups))
    assert used <= min(groups, labels)
    assert sum(p.numel() for p in head.parameters()) == parameters(320, labels, used, 256, 1024, layers)


@torch.no_grad()
def test_the_pooled_vector_is_added_as_the_head_mlp_reads_it():
    torch.manual_seed(0)
    head = LabelQueries(Width(3, 4), 5, pooled="added").eval()
    for parameter in head.parameters():
        parameter.normal_()
    mask = torch.arange(4) < torch.tensor([[1], [4]])
    tokens, pooled = torch.randn(2, 4, 4), torch.randn(2, 3)
    alone, same = LabelQueries(Width(3, 4), 5).eval(), MLP(Width(3), 5).eval()
    missing, unexpected = alone.load_state_dict(head.state_dict(), strict=False)
    assert not missing
    same.load_state_dict({name.removeprefix("pooled."): head.state_dict()[name] for name in unexpected})
    seen = Encoded(pooled, tokens, mask)
    assert torch.allclose(head(seen), alone(seen) + same(Encoded(pooled)), rtol=1e-4, atol=1e-4)


def test_random_queries_are_kept_as_they_are_and_saved():
    torch.manual_seed(0)
    head = LabelQueries(Width(3, 4), 5, queries="random")
    assert "queries" in head.state_dict()
    assert "queries" not in dict(head.named_parameters())
    count = sum(p.numel() for p in head.parameters())
    assert count == sum(p.numel() for p in LabelQueries(Width(3, 4), 5).parameters()) - 5 * 256


def test_with_thousands_of_labels_the_attention_is_of_the_groups_alone():
    torch.manual_seed(0)
    head = LabelQueries(Width(3, 16), 5000).train()
    sizes = []
    head.decoder[0].register_forward_hook(lambda module, given, result: sizes.append(tuple(result.shape)))
    mask = torch.ones(4, 49, dtype=torch.bool)
    logits = head(Encoded(torch.zeros(4, 3), torch.randn(4, 49, 16), mask))
    assert logits.shape == (4, 5000)
    assert sizes == [(4, 100, 256)]
    logits.square().sum().backward()
    assert head.out.weight.grad.any(1).all(), "every label learns"
    assert logits.std(dim=1).min() > 0.1


def test_a_size_that_heads_cannot_share_is_refused():
    with pytest.raises(ConfigError, match=r"dim = 100 is not a multiple of heads = 8. Fix: set dim to 104"):
        LabelQueries(Width(3, 4), 5, dim=100)


def test_dropout_is_on_in_training_everywhere():
    layer = QueryDecoder(8, 2, 16, 0.3, True)
    assert (layer.among.dropout, layer.attention.dropout, layer.dropout.share) == (0.3, 0.3, 0.3)
    torch.manual_seed(0)
    queries, tokens, mask = torch.randn(1, 5, 8), torch.randn(1, 4, 8), torch.ones(1, 4, dtype=torch.bool)
    attention = layer.attention
    assert not torch.equal(attention(queries, tokens, mask), attention(queries, tokens, mask))
    attention.eval()
    assert torch.equal(attention(queries, tokens, mask), attention(queries, tokens, mask))
