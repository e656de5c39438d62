"""The few calls we make into transformers: load and build towers, tokenizers and processors, read their outputs.

Only safetensors weights are loaded and remote code is never run.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
import transformers
from safetensors import SafetensorError
from torch import Tensor, nn
from transformers import AutoConfig, AutoImageProcessor, AutoModel, AutoTokenizer

from multitag.encoders.weights import resolve_pretrained, unreachable
from multitag.errors import ConfigError, WeightsError
from multitag.types import Modality

_OTHER_TOWER = {"image": ("text_model", "text_projection"), "text": ("vision_model", "visual_projection")}
_CONTRAST = ("logit_scale", "logit_bias")
"""What two towers are compared by: no part of either."""


class TowerOutput(NamedTuple):
    """tokens (B, T, D'), the model's own pooled vector (B, D), where it has one, and word embeddings (B, T, D')."""

    tokens: Tensor
    pooled: Any
    words: Any = None


def load_tower(model: str, modality: Modality) -> nn.Module:
    """The pretrained network `model`, or its tower for `modality` where it has two.

    Many checkpoints come from another task and lack the pooler, which transformers would make up at random: it is
    taken out. Anything else that is lacking is an error.

    Raises:
        WeightsError: The weights cannot be had, or lack a part of the network.
        ConfigError: The model does not serve the modality.
    """
    with _quiet(), _weights_errors(model):
        net, loading = AutoModel.from_pretrained(
            resolve_pretrained(model),
            use_safetensors=True,
            trust_remote_code=False,
            dtype=torch.float32,
            output_loading_info=True,
        )
    missing = sorted(loading["missing_keys"])
    lacking = [name for name in missing if not name.startswith("pooler.")]
    if lacking:
        raise WeightsError(
            f"the weights '{model}' lack {len(lacking)} of the network's parts, {lacking[0]} for one. "
            f"Fix: name the checkpoint that holds the whole {type(net).__name__}"
        )
    if missing:
        drop_pooler(net)
    return _keep_tower(net, modality, model)


def has_pooler(net: nn.Module) -> bool:
    """Whether the network has a pooler with weights, as BERT and ViT have."""
    pooler = getattr(net, "pooler", None)
    return isinstance(pooler, nn.Module) and any(True for _ in pooler.parameters())


def drop_pooler(net: nn.Module) -> None:
    """Take out a pooler that is not read or was never trained."""
    if has_pooler(net):
        net.pooler = None  # type: ignore[assignment]


def build_tower(config: dict[str, Any], modality: Modality) -> nn.Module:
    """An untrained network of the configuration `config`, as `config_of` gave it."""
    options = dict(config)
    settings = AutoConfig.for_model(options.pop("model_type"), **options)
    with _quiet():
        return _keep_tower(AutoModel.from_config(settings), modality, str(settings.model_type))


def config_of(net: nn.Module) -> dict[str, Any]:
    """The network's configuration as JSON."""
    config: dict[str, Any] = json.loads(net.config.to_json_string(use_diff=False))  # type: ignore[union-attr, operator]
    return config


def has_two_towers(net: nn.Module) -> bool:
    """True for models such as CLIP and SigLIP, which encode pictures and texts into one space."""
    return hasattr(net, "get_image_features") and hasattr(net.config, "vision_config")


def _keep_tower(net: nn.Module, modality: Modality, model: str) -> nn.Module:
    if has_two_towers(net):
        for name in (*_OTHER_TOWER[modality], *_CONTRAST):
            if hasattr(net, name):
                delattr(net, name)
        return net
    takes = getattr(net, "main_input_name", "input_ids")
    if (takes == "pixel_values") != (modality == "image"):
        other = "transformers_text" if modality == "image" else "transformers_image"
        raise ConfigError(f"the model '{model}' takes {takes}: use it as the encoder '{other}'")
    return net


def image_output(net: nn.Module, pixel_values: Tensor) -> TowerOutput:
    """Run a picture tower; a convolutional grid (B, C, H, W) becomes tokens (B, H * W, C), row by row."""
    call: Any = net.get_image_features if has_two_towers(net) else net
    output = call(pixel_values=pixel_values)
    states = output.last_hidden_state
    tokens = states.flatten(2).transpose(1, 2) if states.ndim == 4 else states
    pooler = getattr(output, "pooler_output", None)
    pooled = tokens.mean(1) if pooler is None else pooler.flatten(1)
    return TowerOutput(tokens, pooled)


def text_output(net: nn.Module, input_ids: Tensor, attention_mask: Tensor, *, words: bool = False) -> TowerOutput:
    """Run a text tower; with `words`, give the embeddings that its first layer reads, too."""
    call: Any = net.get_text_features if has_two_towers(net) else net
    output = call(input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=words)
    embeddings = output.hidden_states[0] if words else None
    return TowerOutput(output.last_hidden_state, getattr(output, "pooler_output", None), embeddings)


def positions(net: nn.Module) -> int | None:
    """How many tokens a text network takes, where its configuration says so."""
    config = net.config.get_text_config()  # type: ignore[union-attr, operator]
    limit = getattr(config, "max_position_embeddings", None)
    if limit and getattr(config, "model_type", "") in {"roberta", "xlm-roberta", "camembert"}:
        limit -= 2  # positions start after the padding index
    return limit


def longest(net: nn.Module, tokenizer: Any, most: int) -> int:
    """How many tokens of a text are read: at most `most`, and what tokenizer and network take."""
    return min(int(limit) for limit in (most, tokenizer.model_max_length, positions(net)) if limit)


def tokenized(tokenizer: Any, items: Sequence[str], limit: int) -> dict[str, Tensor]:
    """Token ids and attention mask (B, T) of texts, cut after `limit` tokens and padded to the longest."""
    # On the right, whatever the tokenizer's habit: positions are counted from the left.
    how = {"padding": "longest", "padding_side": "right", "return_attention_mask": True}
    encoded = tokenizer(list(items), truncation=True, max_length=limit, return_tensors="pt", **how)
    return {"input_ids": encoded["input_ids"], "attention_mask": encoded["attention_mask"]}


def needs_fixed_length(net: nn.Module) -> bool:
    """SigLIP was trained on texts padded to one length and answers differently to others."""
    return str(net.config.model_type).startswith("siglip")  # type: ignore[union-attr]


def load_tokenizer(model: str) -> Any:
    """The tokenizer of `model`."""
    with _quiet(), _weights_errors(model):
        return AutoTokenizer.from_pretrained(resolve_pretrained(model), trust_remote_code=False)


def tokenizer_assets(tokenizer: Any) -> dict[str, str]:
    """The files of a tokenizer, by name, as texts: enough to build it again without the hub."""
    with tempfile.TemporaryDirectory() as folder:
        tokenizer.save_pretrained(folder)
        return {file.name: file.read_text("utf-8") for file in sorted(Path(folder).iterdir()) if file.is_file()}


def tokenizer_hash(tokenizer: Any) -> str:
    """SHA-256 of what the tokenizer does: its files without the paths it was loaded from."""
    if getattr(tokenizer, "is_fast", False):
        # Padding and truncation are set anew at each call, so they are no part of the tokenizer's identity.
        whole = json.loads(tokenizer.backend_tokenizer.to_str())
        whole["padding"] = whole["truncation"] = None
        return hashlib.sha256(json.dumps(whole, sort_keys=True).encode()).hexdigest()
    files = {name: text for name, text in tokenizer_assets(tokenizer).items() if name != "tokenizer_config.json"}
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()


def build_tokenizer(assets: dict[str, str]) -> Any:
    """The tokenizer that `tokenizer_assets` described."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        for name, text in assets.items():
            (Path(folder) / Path(name).name).write_text(text, "utf-8")
        return AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)


def load_image_processor(model: str) -> Any:
    """The image processor of `model`, the Pillow one: it needs no torchvision."""
    with _quiet(), _weights_errors(model):
        return AutoImageProcessor.from_pretrained(resolve_pretrained(model), backend="pil", trust_remote_code=False)


def processor_config(processor: Any) -> dict[str, Any]:
    """The settings of an image processor as JSON."""
    config: dict[str, Any] = json.loads(processor.to_json_string())
    return config


def processed_size(processor: Any) -> int:
    """The side of the squares that an image processor makes."""
    config = processor_config(processor)
    size = config["crop_size"] if config.get("do_center_crop") else config["size"]
    return int(size.get("height") or size.get("shortest_edge") or size.get("longest_edge"))


def build_image_processor(config: dict[str, Any]) -> Any:
    """The image processor that `processor_config` described."""
    with tempfile.TemporaryDirectory() as folder, _quiet():
        (Path(folder) / "preprocessor_config.json").write_text(json.dumps(config), "utf-8")
        return AutoImageProcessor.from_pretrained(folder, backend="pil", trust_remote_code=False, local_files_only=True)


@contextlib.contextmanager
def _weights_errors(model: str) -> Iterator[None]:
    try:
        yield
    except (OSError, ValueError, ImportError, SafetensorError) as error:
        if isinstance(error, WeightsError):
            raise
        raise unreachable(model, error) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Silence transformers' progress bars and reports while it loads, and leave its settings as they were."""
    logging = transformers.utils.logging
    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
