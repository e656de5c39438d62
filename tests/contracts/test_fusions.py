"""What holds for every registered fusion, alone and within a model. A new one with options may add to `OPTIONS`."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from fakes import Colours, Words, slot
from multitag.errors import ConfigError
from multitag.fusions import FUSIONS, Fusion
from multitag.heads import HEADS
from multitag.model import Model
from multitag.types import Batch, Encoded, Width

WIDTHS = {"image": Width(6, 6), "text": Width(4, 4), "tags": Width(5, 5)}
OPTIONS: dict[str, list[dict[str, Any]]] = {
    "weighted": [{"weights": "learned"}, {"weights": [0.5, 0.3, 0.2]}],
    "gated": [{"size": 3}],
    "film": [{"size": 3, "condition": "image"}],
    "bilinear": [{"size": 3, "rank": 1}],
    "cross_attention": [{"size": 3, "query": "image"}, {"asks": "tokens"}],
    "simple_cross": [{"asks": "tokens", "query": "tags"}],
    "dvtt": [{"dim": 6, "heads": 3, "layers": 2, "feedforward": 5, "grid": ["image", "tags"]}, {"grid": []}],
}
"""Options to test beside the defaults."""
ENCODERS: dict[str, int] = {"single": 1}
"""How many encoders a fusion takes, where it does not take any number."""
SEVERAL = {"film", "cross_attention", "simple_cross", "dvtt"}
"""Fusions in which encoders look at each other: for one alone there is `single`, and they say so."""
CASES = [(name, options) for name in FUSIONS.names() for options in [{}, *OPTIONS.get(name, [])]]


def test_what_is_listed_is_registered():
    assert set(OPTIONS) | set(ENCODERS) | SEVERAL <= set(FUSIONS.names())


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return request.param


def widths_of(name: str) -> dict[str, Width]:
    return dict(list(WIDTHS.items())[: ENCODERS.get(name, 3)])


def build(case, *, seed: int = 0) -> Fusion:
    name, options = case
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return FUSIONS.build(name, options, widths_of(name)).eval()


def encoded(fusion: Fusion, rows: int = 5, *, seed: int = 1) -> dict[str, Encoded]:
    """Pooled vectors and tokens of different numbers, padded; tokens are as wide as the pooled vector."""
    generator = torch.Generator().manual_seed(seed)
    result = {}
    for place, (name, (width, *_)) in enumerate(fusion.widths.items()):
        longest = 5 + place
        lengths = torch.arange(rows) % longest + 1
        mask = torch.arange(longest) < lengths.unsqueeze(1)
        tokens = torch.randn(rows, longest, width, generator=generator) * mask.unsqueeze(-1)
        result[name] = Encoded(torch.randn(rows, width, generator=generator), tokens, mask)
    return result


def joined(branches: dict[str, Encoded]) -> torch.Tensor:
    return torch.cat([branches[name].pooled for name in sorted(branches)], dim=1)


def test_the_branches_are_as_announced(case):
    fusion = build(case)
    branches = fusion(encoded(fusion))
    assert {name: branch.pooled.shape for name, branch in branches.items()} == {
        name: (5, width.pooled) for name, width in fusion.branches.items()
    }
    assert fusion.needs in ("pooled", "tokens")


def real_tokens(branches: dict[str, Encoded]) -> list[torch.Tensor]:
    return [b.tokens[b.mask] for _, b in sorted(branches.items()) if b.tokens is not None]


def test_tokens_are_handed_on_as_announced(case):
    fusion = build(case)
    for name, branch in fusion(encoded(fusion)).items():
        announced = fusion.branches[name].tokens
        assert (None if branch.tokens is None else branch.tokens.shape[-1]) == announced
        assert (branch.mask is None) == (branch.tokens is None)
        assert branch.mask is None or branch.mask.any(1).all()


def test_where_nobody_reads_tokens_there_are_none(case):
    name, options = case
    without = {key: Width(width.pooled) for key, width in widths_of(name).items()}
    if FUSIONS.get(name).needs == "tokens":
        with pytest.raises(ConfigError, match=rf"'{name}' reads tokens, and these encoders have none: image, text"):
            FUSIONS.build(name, options, without)
        return
    fusion = FUSIONS.build(name, options, without)
    rows = {key: Encoded(e.pooled) for key, e in encoded(fusion).items()}
    branches = fusion(rows)
    assert all(width.tokens is None for width in fusion.branches.values())
    assert all(branch.tokens is None for branch in branches.values())


def test_padding_changes_nothing(case):
    fusion = build(case)
    rows = encoded(fusion)
    padded = {
        name: Encoded(
            e.pooled,
            torch.cat(
                [torch.where(e.mask.unsqueeze(-1), e.tokens, 7.0), torch.full((5, 3, e.tokens.shape[-1]), 9.0)], 1
            ),
            torch.cat([e.mask, torch.zeros(5, 3, dtype=torch.bool)], 1),
        )
        for name, e in rows.items()
    }
    branches, longer = fusion(rows), fusion(padded)
    assert torch.allclose(joined(longer), joined(branches), atol=1e-6)
    for short, long in zip(real_tokens(branches), real_tokens(longer), strict=True):
        assert torch.allclose(short, long, atol=1e-6)


def test_no_gradient_reaches_padding(case):
    fusion = build(case)
    rows = encoded(fusion)
    for e in rows.values():
        e.tokens.requires_grad_()
    branches = fusion(rows)
    generator = torch.Generator().manual_seed(2)
    answers = [joined(branches), *real_tokens(branches)]
    total = sum((a * torch.randn(a.shape, generator=generator)).sum() for a in answers)
    read = [e for e in rows.values() if total.requires_grad]
    for e, grad in zip(read, torch.autograd.grad(total, [e.tokens for e in read], allow_unused=True), strict=True):
        assert grad is None or not grad[~e.mask].any()


def test_neither_company_nor_order_of_rows_changes_a_result(case):
    fusion = build(case)
    rows = encoded(fusion)
    together = joined(fusion(rows))
    for row in range(5):
        alone = {name: Encoded(*(part[row : row + 1] for part in e)) for name, e in rows.items()}
        assert torch.allclose(joined(fusion(alone))[0], together[row], atol=1e-6)
    order = torch.tensor([4, 2, 0, 3, 1])
    moved = {name: Encoded(*(part[order] for part in e)) for name, e in rows.items()}
    assert torch.allclose(joined(fusion(moved)), together[order], atol=1e-6)


def test_the_order_in_which_encoders_are_handed_over_changes_nothing(case):
    fusion = build(case)
    rows = encoded(fusion)
    turned = fusion(dict(reversed(rows.items())))
    assert torch.equal(joined(turned), joined(fusion(rows)))


def test_every_encoder_and_every_weight_has_its_say(case):
    fusion = build(case)
    rows = encoded(fusion)
    for e in rows.values():
        e.pooled.requires_grad_()
        e.tokens.requires_grad_()
    branches = fusion(rows)
    generator = torch.Generator().manual_seed(2)
    logits = {n: b.pooled @ torch.randn(b.pooled.shape[1], 3, generator=generator) for n, b in branches.items()}
    combined = fusion.combine(logits)
    assert combined.shape == (5, 3)
    tokens = [b.tokens[b.mask].square().sum() for b in branches.values() if b.tokens is not None]
    (combined.square().sum() + sum(tokens)).backward()
    for name, e in rows.items():
        grads = [part.grad for part in (e.pooled, e.tokens) if part.grad is not None]
        assert any(
            grad.any(dim=-1).flatten(1).any(1).all() if grad.ndim > 2 else grad.any(1).all() for grad in grads
        ), f"some rows' {name} has no influence"
    for parameter, p in fusion.named_parameters():
        assert p.grad is not None, parameter
        assert p.grad.any(), parameter
    for branch, logit in logits.items():
        assert not torch.allclose(combined, fusion.combine({**logits, branch: logit + 1})), branch


def test_the_same_seed_gives_the_same_and_weights_carry_all(case):
    first, second, other = build(case), build(case), build(case, seed=1)
    rows = encoded(first)
    assert torch.equal(joined(first(rows)), joined(second(rows)))
    other.load_state_dict(first.state_dict())
    assert torch.equal(joined(other(rows)), joined(first(rows)))


def test_inputs_are_left_as_they_are(case):
    fusion = build(case)
    rows = encoded(fusion)
    kept = {name: [part.clone() for part in e] for name, e in rows.items()}
    fusion(rows)
    assert all(torch.equal(a, b) for name, e in rows.items() for a, b in zip(e, kept[name], strict=True))


def test_without_an_encoder_it_says_so(case):
    with pytest.raises(ConfigError, match=r"needs at least one encoder"):
        FUSIONS.build(*case, {})


def test_one_encoder_alone_works_or_is_told_to_go_elsewhere(case):
    name, options = case
    alone = {"text": Width(4, 4)}
    if name in SEVERAL:
        with pytest.raises(ConfigError, match=rf"'{name}' .* has one: text\. Fix: --set fusion\.name=single, or "):
            FUSIONS.build(name, options, alone)
        return
    fusion = FUSIONS.build(name, {**options, "weights": [1]} if "weights" in options else options, alone)
    heads = {branch: HEADS.build("linear", {}, width, 2) for branch, width in fusion.branches.items()}
    branches = fusion(encoded(fusion))
    assert fusion.combine({branch: heads[branch](branches[branch]) for branch in heads}).shape == (5, 2)


def within_a_model(case, *, dropout: float = 0.0) -> Model:
    """The fusion with a linear head for each branch, beside encoders whose answers the tests make up."""
    fusion = build(case)
    slots = {name: slot(Words() if name == "text" else Colours()) for name in fusion.widths}
    torch.manual_seed(0)
    heads = {name: HEADS.build("linear", {}, width, 2) for name, width in fusion.branches.items()}
    model = Model(slots, fusion, heads, modality_dropout=dropout)
    for missing in model.missing.values():
        missing.pooled.data.normal_()
        missing.token.data.normal_()
    return model.eval()


def batch(fusion: Fusion, *, rubbish: float = 0.0) -> Batch:
    """Rows that have everything, no text, no picture, nothing; what is not there is `rubbish`."""
    present = {name: torch.tensor([0, 1, 1, 0, 0] if name == "text" else [1, 0, 1, 1, 0]).bool() for name in WIDTHS}
    rows = {}
    for name, e in encoded(fusion).items():
        gone = ~present[name]
        pooled, tokens, mask = (part.clone() for part in e)
        pooled[gone] += rubbish
        tokens[gone] += rubbish
        mask[gone, -1] = bool(rubbish)
        rows[name] = Encoded(pooled, tokens, mask)
    return Batch(5, rows, {}, {name: present[name] for name in fusion.widths}, torch.ones(5, 2))


def test_rows_without_a_modality_get_finite_logits_when_trained_with_modality_dropout(case):
    model = within_a_model(case, dropout=0.5)
    optimizer = torch.optim.Adam(model.parameters(), 1e-2)
    rows = batch(model.fusion)
    for _ in range(4):
        logits = model.train()(rows)
        assert logits.isfinite().all()
        optimizer.zero_grad()
        binary_cross_entropy_with_logits(logits, rows.targets).backward()
        assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
        optimizer.step()
    with torch.inference_mode():
        assert model.eval()(rows).isfinite().all()


def test_nothing_leaks_from_a_modality_that_is_not_there(case):
    model = within_a_model(case)
    clean = model(batch(model.fusion))
    assert torch.allclose(model(batch(model.fusion, rubbish=1e4)), clean, atol=1e-6)


def test_what_is_learned_for_a_missing_modality_speaks_in_those_rows_alone(case):
    model = within_a_model(case)
    rows = batch(model.fusion)
    before = model(rows)
    for name, present in rows.present.items():
        kept = [p.data.clone() for p in model.missing[name].parameters()]
        for parameter in model.missing[name].parameters():
            parameter.data.normal_()
        moved = (model(rows) - before).abs().amax(1) > 1e-6
        assert torch.equal(moved, ~present), name
        for parameter, old in zip(model.missing[name].parameters(), kept, strict=True):
            parameter.data = old
