"""What holds for every registered head. A new one with options of its own may add a line to `OPTIONS`."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from multitag.errors import ConfigError
from multitag.fusions import FUSIONS
from multitag.heads import HEADS, Head
from multitag.types import Encoded, Width

OPTIONS: dict[str, list[dict[str, Any]]] = {
    "linear": [{"dropout": 0.5}],
    "per_label": [{"dropout": 0.0}],
    "mlp": [
        {"hidden": 7, "layers": 3, "activation": "relu"},
        {"hidden": 4, "dropout": 0.0, "input_dropout": 0.0},
        {"hidden": 8, "layers": 2, "norm": "batch"},
        {"hidden": 8, "norm": "none"},
    ],
    "gmlp": [
        {"tokens": "chunks", "chunks": 3, "dim": 4, "layers": 2},
        {"tokens": "plain", "dim": 8},
    ],
    "label_queries": [
        {"groups": 2, "queries": "random", "dim": 8, "heads": 2, "feedforward": 16},
        {"self_attention": True, "layers": 2, "dim": 8, "heads": 1, "feedforward": 8},
        {"groups": 2, "dim": 8, "heads": 2, "feedforward": 16, "pooled": "added"},
    ],
    "label_names": [{"template": "a picture of {}", "dropout": 0.0}],
    "residual_attention": [
        {"temperatures": [1, 2, 4, "max"], "lam": 0.1, "weights": "unit"},
        {"temperatures": ["max"], "pooled": "added", "dropout": 0.5},
    ],
}
"""Options to test beside the defaults."""
POSITIONS: set[str] = set()
"""Heads to which the order of tokens means something."""
CASES = [(name, options) for name in HEADS.names() for options in [{}, *OPTIONS.get(name, [])]]
WIDTH = Width(6, 4)
JOINED = Width(6, 4, (4, 2))


def test_what_is_listed_is_registered():
    assert set(OPTIONS) | POSITIONS <= set(HEADS.names())


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


@pytest.fixture(params=[WIDTH, JOINED], ids=["whole", "joined"])
def width(request):
    return request.param


def reads_tokens(case) -> bool:
    return HEADS.get(case[0]).needs == "tokens"


def build(case, width: Width = WIDTH, labels: int = 3, *, seed: int = 0) -> Head:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return knowing(HEADS.build(*case, width, labels)).eval()


def knowing(head: Head) -> Head:
    """The head, told of the labels' names where it asks."""
    if head.reads_names:
        head.take_names(torch.randn(head.labels, head.width.pooled))
    return head


def rows(width: Width = WIDTH, number: int = 5, longest: int = 4) -> Encoded:
    """Rows of 1, 2, ... real tokens, by turns; row 3 is full."""
    generator = torch.Generator().manual_seed(1)
    pooled = torch.randn(number, width.pooled, generator=generator)
    mask = torch.arange(longest) < (torch.arange(number) % longest + 1).unsqueeze(1)
    tokens = torch.randn(number, longest, width.tokens or 1, generator=generator) * mask.unsqueeze(-1)
    return Encoded(pooled, tokens, mask)


def some(encoded: Encoded, which: Any) -> Encoded:
    return Encoded(*(part[which] for part in encoded))


@pytest.mark.parametrize("labels", [1, 3, 7])
@pytest.mark.parametrize("number", [0, 1, 5])
def test_a_logit_for_each_row_and_label(case, width, labels, number):
    for mode in (True, False):
        logits = build(case, width, labels).train(mode)(rows(number=number))
        assert logits.shape == (number, labels)
        assert logits.isfinite().all()


def test_rows_do_not_see_each_other(case, width):
    head = build(case, width)
    together = head(rows())
    for row in range(5):
        assert torch.allclose(head(some(rows(), slice(row, row + 1)))[0], together[row], atol=1e-6)
    order = torch.tensor([4, 2, 0, 3, 1])
    assert torch.allclose(head(some(rows(), order)), together[order], atol=1e-6)
    assert len(together.unique(dim=0)) == 5


def test_padding_changes_nothing(case):
    head = build(case)
    pooled, tokens, mask = rows()
    padded = Encoded(
        pooled,
        torch.cat([torch.where(mask.unsqueeze(-1), tokens, 7.0), torch.full((5, 3, 4), 99.0)], 1),
        torch.cat([mask, torch.zeros(5, 3, dtype=torch.bool)], 1),
    )
    assert torch.allclose(head(padded), head(rows()), atol=1e-6)
    before = Encoded(pooled, *(part.flip(1) for part in padded[1:]))
    if case[0] not in POSITIONS:
        assert torch.allclose(head(before), head(rows()), atol=1e-6), "padding that comes first"


def test_the_order_of_tokens_means_nothing_where_they_have_no_positions(case):
    if case[0] in POSITIONS:
        return
    head = build(case)
    full = some(rows(number=8), [3, 7])
    order = torch.tensor([2, 0, 3, 1])
    moved = Encoded(full.pooled, full.tokens[:, order], full.mask)
    assert torch.allclose(head(moved), head(full), atol=1e-6)


def test_a_row_of_one_real_token_is_that_token_alone(case):
    head = build(case)
    one = some(rows(), slice(0, 1))
    assert one.mask.sum() == 1
    alone = Encoded(one.pooled, one.tokens[:, :1], one.mask[:, :1])
    assert torch.allclose(head(one), head(alone), atol=1e-6)


def test_tokens_count_for_a_head_that_reads_them_and_for_no_other(case):
    head = build(case)
    pooled, tokens, mask = rows()
    changed = head(Encoded(pooled, tokens + mask.unsqueeze(-1), mask))
    assert (changed != head(rows())).any(1).all().item() is reads_tokens(case)
    if not reads_tokens(case):
        assert torch.equal(head(Encoded(pooled)), head(rows()))


def test_a_head_that_reads_tokens_says_so_where_there_are_none(case):
    if not reads_tokens(case):
        return
    with pytest.raises(ConfigError, match=r"reads tokens, and the fusion hands none on"):
        build(case, Width(6))
    with pytest.raises(ConfigError, match=r"reads tokens, and got none"):
        build(case)(Encoded(rows().pooled))


@pytest.mark.parametrize("fusion", FUSIONS.names())
def test_it_serves_every_branch_of_every_fusion(case, fusion):
    widths = {"image": Width(6, 4), "text": Width(5, 3)}
    if fusion == "single":
        widths.pop("text")
    built = FUSIONS.build(fusion, {}, widths)
    name, options = case
    if reads_tokens(case) and any(width.tokens is None for width in built.branches.values()):
        return
    with torch.random.fork_rng():
        heads = {branch: knowing(HEADS.build(name, options, width, 3)) for branch, width in built.branches.items()}
        branches = built({encoder: rows(width) for encoder, width in widths.items()})
    logits = built.combine({branch: head.eval()(branches[branch]) for branch, head in heads.items()})
    assert logits.shape == (5, 3)
    assert logits.isfinite().all()


def test_the_gradient_reaches_every_weight_and_input(case, width):
    head = build(case, width).train()
    torch.manual_seed(0)
    pooled, tokens, mask = rows(width, number=64)
    inputs = Encoded(pooled.requires_grad_(), tokens.requires_grad_(), mask)
    head(inputs).square().sum().backward()
    assert [name for name, p in head.named_parameters() if p.grad is None or not p.grad.any()] == []
    if not reads_tokens(case) or case[1].get("pooled") == "added":
        assert pooled.grad.any(0).all()
    if reads_tokens(case):
        assert tokens.grad.isfinite().all()
        assert tokens.grad[mask].any(0).all()
        assert not tokens.grad[~mask].any()


def test_every_real_token_gets_a_gradient(case):
    if not reads_tokens(case):
        return
    pooled, tokens, mask = rows()
    build(case)(Encoded(pooled, tokens.requires_grad_(), mask)).square().sum().backward()
    assert torch.equal(tokens.grad.any(-1), mask)


def test_the_same_seed_gives_the_same_training_step(case, width):
    def trained(seed: int) -> torch.Tensor:
        head = build(case, width).train()
        torch.manual_seed(seed)
        return head(rows())

    assert torch.equal(trained(3), trained(3))


def test_dropout_is_for_training_alone(case, width):
    head = build(case, width)
    assert torch.equal(head(rows()), head(rows()))


def test_weights_carry_all(case, width):
    first, other = build(case, width), build(case, width, seed=1)
    first.train()(rows())  # what training counts, such as batch statistics, goes along
    first.eval()
    assert not torch.equal(first(rows()), other(rows()))
    other.load_state_dict(first.state_dict())
    assert torch.equal(first(rows()), other(rows()))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_it_runs_in_half_precision(case, width, dtype):
    head = build(case, width)
    with torch.autocast("cpu", dtype):
        half = head(rows())
    assert torch.allclose(half.float(), head(rows()), atol=0.1)


def test_labels_start_alike_whatever_their_number(case):
    """A head must not start with logits that grow with the width: training would begin by undoing them."""
    wide = Width(4096, 4096, (2048, 2048))
    logits = build(case, wide, 40)(rows(wide, 32))
    assert logits.abs().mean() < 2
