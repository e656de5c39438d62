"""Towers of the transformers library give what transformers itself gives."""

from __future__ import annotations

import json
import shutil

import pytest
import torch
import transformers
from PIL import Image

import tiny
from multitag.encoders import hub
from multitag.encoders.resizing import square_pixels
from multitag.encoders.transformers_image import TransformersImage
from multitag.encoders.transformers_text import TransformersText
from multitag.errors import ConfigError, WeightsError


def loaded(kind, model, **options):
    encoder = kind(model=str(model), **options)
    encoder.load()
    return encoder.eval()


@torch.no_grad()
def encode(encoder, items):
    return encoder(encoder.prepare(items), tokens=True)


@pytest.mark.parametrize("name", ["clip", "siglip"])
@torch.no_grad()
def test_two_towers_pool_as_transformers_does(models, name):
    both = transformers.AutoModel.from_pretrained(models[name]).eval()
    image, text = loaded(TransformersImage, models[name]), loaded(TransformersText, models[name])
    pixels = image.prepare(tiny.pictures())["pixel_values"]
    words = text.prepare(tiny.TEXTS)
    of_image = both.get_image_features(pixel_values=pixels).pooler_output
    of_text = both.get_text_features(**words).pooler_output
    assert torch.equal(encode(image, tiny.pictures()).pooled, of_image)
    assert torch.equal(encode(text, tiny.TEXTS).pooled, of_text)
    scaled = loaded(TransformersImage, models[name], normalize=True)
    assert torch.allclose(encode(scaled, tiny.pictures()).pooled, of_image / of_image.norm(dim=-1, keepdim=True))


def test_a_tower_holds_no_weight_of_the_other(models):
    image, text = loaded(TransformersImage, models["clip"]), loaded(TransformersText, models["clip"])
    both = transformers.AutoModel.from_pretrained(models["clip"])
    names = {name.removeprefix("net.") for tower in (image, text) for name in tower.state_dict()}
    assert names == set(both.state_dict()) - {"logit_scale"}
    assert not set(image.state_dict()) & set(text.state_dict())


@torch.no_grad()
def test_siglip_reads_padding_as_it_was_trained_to(tmp_path):
    """Padded to one length and without a mask, even where the tokenizer offers one."""
    models = [
        tiny.write_siglip(tmp_path / "without"),
        tiny.write_siglip(tmp_path / "with", names=("input_ids", "attention_mask")),
    ]
    first, second = (encode(loaded(TransformersText, model), ["a dog"]) for model in models)
    assert first.tokens.shape[1] == 20
    assert first.mask.all()
    assert torch.equal(first.pooled, second.pooled)


@torch.no_grad()
def test_a_map_becomes_tokens_row_by_row(models):
    encoder = loaded(TransformersImage, models["resnet"])
    net = transformers.AutoModel.from_pretrained(models["resnet"]).eval()
    output = net(**encoder.prepare(tiny.pictures()))
    grid = output.last_hidden_state
    encoded = encode(encoder, tiny.pictures())
    height, width = grid.shape[2:]
    assert height == width == 2
    assert torch.equal(encoded.tokens[0, 1], grid[0, :, 0, 1])
    assert torch.equal(encoded.tokens[0, 2], grid[0, :, 1, 0])
    assert torch.equal(encoded.pooled, output.pooler_output.flatten(1))
    assert torch.allclose(encoded.pooled, encoded.tokens.mean(1), atol=1e-6)


@torch.no_grad()
def test_mean_and_first_pooling_by_hand(models):
    net = transformers.BertModel.from_pretrained(models["bert"]).eval()
    mean, first, pooler = (
        loaded(TransformersText, models["bert"], pooling=pooling) for pooling in ("mean", "first", "pooler")
    )
    for row, text in enumerate(tiny.TEXTS):
        ids = [tiny.CLS, *(tiny.VOCABULARY.get(word, tiny.UNKNOWN) for word in text.split()), tiny.SEP]
        output = net(torch.tensor([ids]))
        states = output.last_hidden_state[0]
        assert torch.allclose(encode(mean, tiny.TEXTS).pooled[row], states.sum(0) / len(ids), atol=1e-6)
        assert torch.allclose(encode(first, tiny.TEXTS).pooled[row], states[0], atol=1e-6)
        assert torch.allclose(encode(pooler, tiny.TEXTS).pooled[row], output.pooler_output[0], atol=1e-6)


def test_a_text_is_cut_at_the_smallest_limit(models):
    long = " ".join(["dog"] * 100)
    assert encode(loaded(TransformersText, models["bert"]), [long]).mask.sum() == 32
    assert encode(loaded(TransformersText, models["clip"]), [long]).mask.sum() == 24
    assert encode(loaded(TransformersText, models["bert"], max_length=7), [long]).mask.sum() == 7


def test_a_tokenizer_that_pads_on_the_left_changes_nothing(models, tmp_path):
    left = loaded(TransformersText, tiny.write_bert(tmp_path / "left", side="left"), pooling="first")
    right = loaded(TransformersText, models["bert"], pooling="first")
    assert torch.equal(encode(left, tiny.TEXTS).pooled, encode(right, tiny.TEXTS).pooled)


def test_a_pooler_that_was_never_trained_is_not_made_up(tmp_path):
    """Checkpoints from masked language modelling have none; random ones would give each process another encoder."""
    model = tiny.write_bert(tmp_path / "mlm", masked_lm=True)
    first, second = loaded(TransformersText, model), loaded(TransformersText, model)
    assert first.fingerprint() == second.fingerprint()
    assert not hub.has_pooler(first.net)
    with pytest.raises(ConfigError, match=r"option 'pooling' = 'pooler': '.*mlm' has no pooler"):
        loaded(TransformersText, model, pooling="pooler")


def test_a_picture_network_without_its_pooler_takes_the_mean(tmp_path):
    config = transformers.ViTConfig(
        hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, image_size=32, patch_size=16
    )
    torch.manual_seed(0)
    transformers.ViTForImageClassification(config).save_pretrained(tmp_path / "vit")
    transformers.ViTImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(tmp_path / "vit")
    encoder = loaded(TransformersImage, tmp_path / "vit")
    encoded = encode(encoder, tiny.pictures())
    assert torch.allclose(encoded.pooled, encoded.tokens.mean(1), atol=1e-6)
    again = TransformersImage(model="/not/there")
    again.restore(json.loads(json.dumps(encoder.assets())))
    again.load_state_dict(encoder.state_dict())
    assert torch.equal(encode(again.eval(), tiny.pictures()).pooled, encoded.pooled)


def test_weights_that_lack_a_layer_are_refused(models, tmp_path):
    shutil.copytree(models["bert"], tmp_path / "cut")
    config = json.loads((tmp_path / "cut" / "config.json").read_text())
    config["num_hidden_layers"] = 3
    (tmp_path / "cut" / "config.json").write_text(json.dumps(config))
    with pytest.raises(WeightsError, match=r"cut' lack 16 of the network's parts, encoder\.layer\.2\..* for one"):
        loaded(TransformersText, tmp_path / "cut")


@pytest.mark.parametrize(
    ("kind", "name", "other"),
    [(TransformersText, "resnet", "transformers_image"), (TransformersImage, "bert", "transformers_text")],
)
def test_a_model_for_the_other_modality_is_named(models, kind, name, other):
    with pytest.raises(ConfigError, match=rf"'.*{name}' takes \w+: use it as the encoder '{other}'"):
        loaded(kind, models[name])


@pytest.mark.parametrize(("file", "keep"), [("model.safetensors", 100), ("config.json", 20), ("tokenizer.json", 50)])
def test_a_file_cut_short_is_an_error_that_names_the_folder(models, tmp_path, file, keep):
    shutil.copytree(models["bert"], tmp_path / "cut")
    whole = (tmp_path / "cut" / file).read_bytes()
    (tmp_path / "cut" / file).write_bytes(whole[:keep])
    with pytest.raises(WeightsError, match=r"the model folder .*cut cannot be used: "):
        loaded(TransformersText, tmp_path / "cut")


def test_a_folder_without_an_image_processor_is_named(models, tmp_path):
    shutil.copytree(models["resnet"], tmp_path / "bare", ignore=shutil.ignore_patterns("*processor*"))
    with pytest.raises(WeightsError, match=r"the model folder .*bare cannot be used: (.|\n)*image processor"):
        loaded(TransformersImage, tmp_path / "bare")


def test_a_name_that_nobody_answers_to_says_the_two_ways():
    with pytest.raises(WeightsError, match=r"Two ways to get weights:\n  1\. download .*\n  2\. with a network"):
        loaded(TransformersText, "nobody/no-such-model")


def test_loading_leaves_transformers_settings_as_they_were(models):
    logging = transformers.utils.logging
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    loaded(TransformersText, models["bert"])
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_picture_shapes_do_not_depend_on_company(models):
    """A wide and a tall picture in one batch."""
    encoder = loaded(TransformersImage, models["clip"])
    mixed = [Image.new("RGB", (200, 10), (255, 0, 0)), Image.new("RGB", (10, 200), (0, 0, 255))]
    assert encoder.prepare(mixed)["pixel_values"].shape == (2, 3, 32, 32)


def test_layers_pooling_by_hand(models):
    encoder = loaded(TransformersText, models["bert"], pooling="layers")
    inputs = encoder.prepare(tiny.TEXTS)
    whole = encode(encoder, tiny.TEXTS).pooled
    assert encoder.width == whole.shape[1] == 3 * encoder.token_width
    for row, mask in enumerate(inputs["attention_mask"].bool()):
        one = {key: value[row : row + 1, : int(mask.sum())] for key, value in inputs.items()}
        with torch.no_grad():
            states = encoder.net(**one, output_hidden_states=True).hidden_states
        last, words = states[-1][0], states[0][0]
        expected = torch.cat([last.mean(0), last.amax(0), words.mean(0)])
        assert torch.allclose(whole[row], expected, atol=1e-5)
    assert loaded(TransformersText, models["bert"]).width == encoder.width  # what "auto" means without two towers


@pytest.mark.parametrize(("name", "side"), [("clip", 32), ("siglip", 32), ("resnet_50", 48), ("efficientnet", 48)])
@pytest.mark.parametrize("how", ["stretch", "crop", "pad"])
def test_our_own_squares_keep_the_models_scaling(models, name, side, how):
    """What a processor does besides resizing and cropping, by hand."""
    encoder = loaded(TransformersImage, models[name], resize=how, size=side)
    processor = encoder.processor
    mean, std = (torch.tensor(list(values)).view(3, 1, 1) for values in (processor.image_mean, processor.image_std))
    got = encoder.prepare(tiny.pictures())["pixel_values"]
    expected = (square_pixels(tiny.pictures(), side, how).float() * processor.rescale_factor - mean) / std
    if name == "efficientnet":  # whose processor divides by the deviation twice, as the original code does
        expected = expected / std
    assert torch.allclose(got, expected, atol=1e-5)


def test_a_size_that_a_network_cannot_take_is_refused(models):
    with pytest.raises(ConfigError, match=r"option 'size' = 48: the model '.*siglip' takes no such pictures"):
        loaded(TransformersImage, models["siglip"], resize="crop", size=48)


@pytest.mark.parametrize(("name", "side"), [("clip", 32), ("siglip", 32), ("resnet_50", 64), ("efficientnet", 32)])
def test_our_own_squares_are_of_the_models_size(models, name, side):
    encoder = loaded(TransformersImage, models[name], resize="pad")
    assert encoder.prepare(tiny.pictures())["pixel_values"].shape == (3, 3, side, side)


def test_a_size_without_a_way_is_refused():
    with pytest.raises(ConfigError, match=r"option 'size' = 64: say how, too\. Fix: resize = 'stretch'"):
        TransformersImage(size=64)


@torch.no_grad()
@pytest.mark.parametrize("name", ["resnet_50", "efficientnet"])
def test_convolutional_networks_pool_as_transformers_does(models, name):
    net = transformers.AutoModel.from_pretrained(models[name]).eval()
    encoder = loaded(TransformersImage, models[name])
    output = net(**encoder.prepare(tiny.pictures()))
    encoded = encode(encoder, tiny.pictures())
    assert torch.equal(encoded.pooled, output.pooler_output.flatten(1))
    assert torch.equal(encoded.tokens, output.last_hidden_state.flatten(2).transpose(1, 2))
    assert torch.allclose(encoded.pooled, encoded.tokens.mean(1), atol=1e-6)
