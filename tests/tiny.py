"""Models of a few thousand weights in the hub's layout on disk, pictures and tables: what tests run on, no network."""

from __future__ import annotations

import csv
import importlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import transformers
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

LINES = """
a the dog cat bird boat tree house red green blue small large old runs sleeps flies sings swims
on under over near with two three men women children and
"""
WORDS = LINES.split()
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
VOCABULARY = {word: index for index, word in enumerate(SPECIAL + WORDS)}
PAD, UNKNOWN, CLS, SEP = (VOCABULARY[word] for word in SPECIAL)
TEXTS = [
    "a dog",
    "two small birds and a large old cat on the red house near the boat",
    "the boat",
    "three men with a blue dog under the tree",
    "cat",
]
"""Of very different lengths, so that every batch pads."""


def tokenizer(*, positions: int = 32, names: Sequence[str] = ("input_ids", "attention_mask"), side: str = "right"):
    """A tokenizer of a few dozen words that puts [CLS] before and [SEP] after a text."""
    backend = Tokenizer(models.WordLevel(VOCABULARY, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", CLS), ("[SEP]", SEP)]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_max_length=positions,
        model_input_names=list(names),
        padding_side=side,
    )


def write_bert(folder: Path, *, seed: int = 0, masked_lm: bool = False, side: str = "right") -> Path:
    """A BERT of two layers; with `masked_lm` as many are on the hub, without weights for the pooler."""
    config = transformers.BertConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=32,
    )
    kind = transformers.BertForMaskedLM if masked_lm else transformers.BertModel
    return _write(folder, kind, config, tokenizer(side=side), seed=seed)


def write_albert(folder: Path) -> Path:
    """An ALBERT: two layers that share their weights."""
    config = transformers.AlbertConfig(
        vocab_size=len(VOCABULARY),
        embedding_size=8,
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=32,
    )
    return _write(folder, transformers.AlbertModel, config, tokenizer())


def write_clip(folder: Path) -> Path:
    """A CLIP whose texts end at [SEP], as those of the real one at <|endoftext|>."""
    layers = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.CLIPConfig(
        text_config={
            **layers,
            "vocab_size": len(VOCABULARY),
            "max_position_embeddings": 24,
            "pad_token_id": PAD,
            "bos_token_id": CLS,
            "eos_token_id": SEP,
        },
        vision_config={**layers, "image_size": 32, "patch_size": 16},
        projection_dim=12,
    )
    processor = transformers.CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32})
    return _write(folder, transformers.CLIPModel, config, tokenizer(positions=24), processor)


def write_siglip(folder: Path, *, names: Sequence[str] = ("input_ids",)) -> Path:
    """A SigLIP, whose texts are padded to one length and known without a mask."""
    layers = {"hidden_size": 16, "intermediate_size": 24, "num_hidden_layers": 2, "num_attention_heads": 2}
    config = transformers.SiglipConfig(
        text_config={
            **layers,
            "vocab_size": len(VOCABULARY),
            "max_position_embeddings": 20,
            "pad_token_id": PAD,
            "bos_token_id": CLS,
            "eos_token_id": SEP,
        },
        vision_config={**layers, "image_size": 32, "patch_size": 16},
    )
    processor = transformers.SiglipImageProcessorPil(size={"height": 32, "width": 32})
    return _write(folder, transformers.SiglipModel, config, tokenizer(positions=20, names=names), processor)


def write_roberta(folder: Path) -> Path:
    """A RoBERTa, whose positions start after its padding entry."""
    config = transformers.RobertaConfig(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=34,
        type_vocab_size=1,
        pad_token_id=PAD,
        bos_token_id=CLS,
        eos_token_id=SEP,
    )
    return _write(folder, transformers.RobertaModel, config, tokenizer())


def write_deberta(folder: Path) -> Path:
    """A DeBERTa of the second and third versions: attention by relative positions, no pooler."""
    config = transformers.DebertaV2Config(
        vocab_size=len(VOCABULARY),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=32,
        relative_attention=True,
        position_buckets=8,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        share_att_key=True,
        norm_rel_ebd="layer_norm",
        type_vocab_size=0,
        pad_token_id=PAD,
    )
    return _write(folder, transformers.DebertaV2Model, config, tokenizer())


def write_efficientnet(folder: Path) -> Path:
    """An EfficientNet of two stages, whose last map is 8 x 8 for pictures of 32 x 32."""
    config = transformers.EfficientNetConfig(
        image_size=32,
        width_coefficient=0.05,
        depth_coefficient=1.0,
        kernel_sizes=[3, 5],
        in_channels=[32, 16],
        out_channels=[16, 24],
        depthwise_padding=[],
        strides=[1, 2],
        num_block_repeats=[1, 2],
        expand_ratios=[1, 6],
        hidden_dim=64,
        initializer_range=0.5,  # untrained batch statistics would let smaller weights' signal die out
    )
    size = {"height": 32, "width": 32}
    processor = transformers.EfficientNetImageProcessorPil(size=size, crop_size=size)
    return _write(folder, transformers.EfficientNetModel, config, None, processor)


def write_resnet_50(folder: Path) -> Path:
    """A ResNet with bottlenecks, as ResNet-50 has them, and the processor that comes with those on the hub."""
    config = transformers.ResNetConfig(
        embedding_size=6, hidden_sizes=[8, 12, 16, 20], depths=[1, 1, 1, 1], layer_type="bottleneck"
    )
    processor = transformers.ConvNextImageProcessorPil(size={"shortest_edge": 64}, crop_pct=0.875)
    return _write(folder, transformers.ResNetModel, config, None, processor)


def write_resnet(folder: Path) -> Path:
    """A ResNet of plain layers, as ResNet-34 has them, whose last map is 2 x 2 for pictures of 32 x 32."""
    config = transformers.ResNetConfig(
        embedding_size=6, hidden_sizes=[6, 10], depths=[1, 1], layer_type="basic", downsample_in_first_stage=True
    )
    processor = transformers.ViTImageProcessorPil(size={"height": 32, "width": 32})
    return _write(folder, transformers.ResNetModel, config, None, processor)


def _write(folder: Path, kind, config, words, processor=None, *, seed: int = 0) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = kind(config)
        with torch.no_grad():
            # As they come, biases and norms are all 0 and 1: differences that matter would not show.
            for parameter in net.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    folder.mkdir(parents=True, exist_ok=True)
    net.save_pretrained(folder)
    for part in (words, processor):
        if part is not None:
            part.save_pretrained(folder)
    return folder


def write_timm(folder: Path) -> Path:
    """A network of timm, in the layout of its folders on the hub."""
    import timm

    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = timm.create_model("test_resnet", pretrained=False, num_classes=3)
        with torch.no_grad():
            for parameter in net.parameters():
                parameter.add_(0.1 * torch.randn_like(parameter))
    folder.mkdir(parents=True)
    save_file(net.state_dict(), folder / "model.safetensors")
    said = {key: net.pretrained_cfg[key] for key in ("mean", "std", "classifier", "first_conv")}
    said |= {"input_size": (3, 64, 64), "crop_pct": 0.9, "crop_mode": "center", "num_classes": 3}
    config = {"architecture": "test_resnet", "num_classes": 3, "pretrained_cfg": said}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def write_open_clip(folder: Path) -> Path:
    """A CLIP of open_clip, in the layout of its folders on the hub."""
    import open_clip

    vision = {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16}
    text = {"context_length": 24, "vocab_size": 49_408, "width": 16, "heads": 2, "layers": 2}
    config = {"embed_dim": 12, "vision_cfg": vision, "text_cfg": text}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = open_clip.CLIP(**config)
    folder.mkdir(parents=True)
    save_file(net.state_dict(), folder / "open_clip_model.safetensors")
    said = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4], "resize_mode": "shortest"}
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": config, "preprocess_cfg": said}), "utf-8")
    return folder


def importable(name: str) -> bool:
    """Whether a library is there and sound: a torchvision made for another torch breaks those that stand on it."""
    try:
        importlib.import_module(name)
    except (ImportError, RuntimeError):
        return False
    return True


EXTRAS = {"timm": write_timm, "open_clip": write_open_clip}
"""Models of libraries that not everybody has."""


def write_models(folder: Path) -> dict[str, Path]:
    """All tiny models, by name; those of extras where these are installed."""
    writers = {
        "bert": write_bert,
        "albert": write_albert,
        "clip": write_clip,
        "siglip": write_siglip,
        "resnet": write_resnet,
        "resnet_50": write_resnet_50,
        "efficientnet": write_efficientnet,
        "roberta": write_roberta,
        "deberta": write_deberta,
    }
    writers |= {name: write for name, write in EXTRAS.items() if importable(name)}
    return {name: write(folder / name) for name, write in writers.items()}


def picture(seed: int, width: int = 40, height: int = 32) -> Image.Image:
    """Coarse random colours: after any resizing still itself and no other."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def pictures() -> list[Image.Image]:
    """Of different sizes and shapes."""
    sizes = [(40, 32), (24, 60), (90, 30)]
    return [picture(seed, *size) for seed, size in enumerate(sizes)]


LABELS = ["animal", "sea", "people"]


def write_table(folder: Path, rows: int = 24) -> Path:
    """A table with pictures, captions and labels that follow from the words; every fifth row has no caption."""
    folder.mkdir(parents=True, exist_ok=True)
    scenes = [("a dog", "animal"), ("the boat", "sea"), ("two men", "people"), ("a bird over the boat", "animal sea")]
    with open(folder / "table.csv", "w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["ImageID", "Caption", "Labels"])
        for row in range(rows):
            name = f"{row}.png"
            picture(row).save(folder / name)
            text, labels = scenes[row % len(scenes)]
            writer.writerow([name, "" if row % 5 == 4 else f"{text} {WORDS[row % len(WORDS)]}", labels])
    return folder / "table.csv"
