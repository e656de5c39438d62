"""Untrained networks from a configuration: checked before they are built, with words learned from the rows."""

from __future__ import annotations

import pytest
import torch
import transformers

import tiny
from multitag.encoders import architecture
from multitag.encoders.transformers_image import TransformersImage
from multitag.encoders.transformers_text import TransformersText
from multitag.errors import ConfigError

LAYERS = {"hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 24}
BERT = {"model_type": "bert", **LAYERS}
RESNET_34 = {
    "model_type": "resnet",
    "layer_type": "basic",
    "depths": [3, 4, 6, 3],
    "hidden_sizes": [64, 128, 256, 512],
}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, r"model_type = None is no type of transformers\. Accepted: .*config\.json"),
        ({"model_type": "resnte"}, "model_type = 'resnte' is no type .* did you mean 'resnet'"),
        ({"model_type": "bert", "hiden_size": 4}, "'bert' has no 'hiden_size'; did you mean 'hidden_size'"),
        (
            {"model_type": "clip", "text_config": {"hidden": 4}},
            r"'clip\.text_config' has no 'hidden'; did you mean 'hidden",
        ),
        ({"model_type": "resnet", "layer_type": "odd"}, "no configuration of 'resnet': (.|\n)*odd"),
    ],
)
@pytest.mark.parametrize("kind", [TransformersText, TransformersImage])
def test_a_wrong_configuration_is_refused_before_anything_is_built(kind, given, message):
    with pytest.raises(ConfigError, match=message):
        kind(architecture=given)


def test_sizes_that_do_not_fit_together_are_named():
    text = TransformersText(architecture={**BERT, "num_attention_heads": 3})
    with pytest.raises(ConfigError, match=r"the 'bert' of this configuration does not work \(ValueError"):
        text.fit(tiny.TEXTS)


def test_a_configuration_for_the_other_modality_is_refused():
    with pytest.raises(ConfigError, match="'bert' takes input_ids: use it as the encoder 'transformers_text'"):
        TransformersImage(architecture=BERT).load()


def test_resnet_34_is_the_published_one():
    encoder = TransformersImage(architecture=RESNET_34)
    encoder.load()
    assert (encoder.width, encoder.token_width) == (512, 512)
    assert sum(p.numel() for p in encoder.parameters()) == 21_284_672  # torchvision's 21,797,672 without its classifier
    pixels = encoder.prepare(tiny.pictures())["pixel_values"]
    assert pixels.shape == (3, 3, 224, 224)
    assert pixels.min() >= -1
    assert pixels.max() <= 1
    with torch.no_grad():
        assert encoder.eval()({"pixel_values": pixels}, tokens=True).tokens.shape == (3, 49, 512)


def test_words_are_learned_from_the_rows():
    encoder = TransformersText(architecture={**BERT, "vocab_size": 7})
    encoder.fit(["the dog, the cat", "The dog", "the bird"])
    assert encoder.tokenizer.convert_ids_to_tokens([4, 5, 6]) == ["the", "dog", ","]
    assert encoder.prepare(["THE dog, cat"])["input_ids"].tolist() == [[2, 4, 5, 6, 1, 3]]
    assert encoder.net.get_input_embeddings().weight.shape == (7, 16)


@pytest.mark.parametrize("kind", ["roberta", "albert", "deberta-v2", "clip", "siglip"])
def test_every_kind_of_text_network_takes_the_learned_words(kind):
    nested = kind in {"clip", "siglip"}
    sizes = {"text_config": LAYERS, "vision_config": LAYERS} if nested else LAYERS
    encoder = TransformersText(architecture={"model_type": kind, **sizes})
    encoder.fit(tiny.TEXTS)
    encoder.eval()
    with torch.no_grad():
        together = encoder(encoder.prepare(tiny.TEXTS), tokens=True)
        alone = encoder(encoder.prepare(tiny.TEXTS[:1]), tokens=True)
    assert together.pooled.isfinite().all()
    assert torch.allclose(together.pooled[:1], alone.pooled, atol=1e-5)
    assert len(together.pooled.unique(dim=0)) == len(tiny.TEXTS)


def test_a_picture_is_as_large_as_the_configuration_says():
    assert architecture.picture_size({"model_type": "vit", "image_size": 48}) == 48
    assert architecture.picture_size({"model_type": "clip", "vision_config": {"image_size": 64}}) == 64
    assert architecture.picture_size({"model_type": "clip"}) == 224
    assert architecture.picture_size({"model_type": "resnet"}) == 224


def test_efficientnet_b4_is_the_published_one():
    """Its configuration on the hub, google/efficientnet-b4, built without weights on a meta device: 17.5 million."""
    config = {
        "model_type": "efficientnet",
        "width_coefficient": 1.4,
        "depth_coefficient": 1.8,
        "image_size": 380,
        "hidden_dim": 1792,
        "dropout_rate": 0.4,
        "depthwise_padding": [6],
    }
    architecture.check_architecture(config)
    settings = transformers.AutoConfig.for_model(config.pop("model_type"), **config)
    with torch.device("meta"):
        net = transformers.AutoModel.from_config(settings)
    assert sum(p.numel() for p in net.parameters()) == 17_548_616
