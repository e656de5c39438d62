"""Transformers networks from a configuration of one's own, untrained: no hub, no weights, any size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import transformers
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel

from multitag.errors import ConfigError
from multitag.registry import closest

SPECIAL = {"[PAD]": 0, "[UNK]": 1, "[CLS]": 2, "[SEP]": 3}
"""The first entries of a tokenizer made for such a network."""
USUAL_SIZE = 224
"""Side of a picture where the configuration does not say."""
MOST_WORDS = 30_522
"""Entries of a vocabulary where the configuration does not say: BERT's."""


def check_architecture(architecture: Mapping[str, Any]) -> None:
    """Refuse a configuration that transformers does not know, or would quietly pass over a part of.

    Raises:
        ConfigError: `model_type` is lacking or unknown, a key is none of the type's, or a value is not valid.
    """
    settings = dict(architecture)
    kind = settings.pop("model_type", None)
    known = sorted(transformers.models.auto.CONFIG_MAPPING.keys())
    if not isinstance(kind, str) or kind not in known:
        near = closest(str(kind), known) if kind else "."
        raise ConfigError(
            f"option 'architecture': model_type = {kind!r} is no type of transformers{near} "
            f"Accepted: the model_type of a model's config.json, such as 'resnet', 'efficientnet', 'bert' or 'clip'."
        )
    _check_keys(settings, AutoConfig.for_model(kind).to_dict(), kind)
    try:
        config = AutoConfig.for_model(kind, **settings)
    except Exception as error:  # each type checks its values in its own way
        raise ConfigError(f"option 'architecture' is no configuration of '{kind}': {error}") from error
    if type(config) not in AutoModel._model_mapping:
        raise ConfigError(f"option 'architecture': '{kind}' has no plain network in transformers")


@contextlib.contextmanager
def untrained(architecture: Mapping[str, Any]) -> Iterator[None]:
    """Building and trying out a network: sizes that do not fit together show only there.

    Raises:
        ConfigError: The network cannot be built, or cannot take a first picture or text.
    """
    try:
        yield
    except (RuntimeError, ValueError, TypeError, AttributeError, KeyError, IndexError) as error:
        raise ConfigError(
            f"option 'architecture': the '{architecture['model_type']}' of this configuration does not work "
            f"({type(error).__name__}: {error}). Fix: sizes that fit together, as in a published config.json"
        ) from error


def _check_keys(settings: Mapping[str, Any], known: Mapping[str, Any], where: str) -> None:
    for key, value in settings.items():
        if key not in known:
            raise ConfigError(f"option 'architecture': '{where}' has no '{key}'{closest(key, list(known))}")
        if isinstance(value, dict) and key.endswith("_config") and isinstance(known[key], dict):
            _check_keys(value, known[key], f"{where}.{key}")


def picture_size(architecture: Mapping[str, Any]) -> int:
    """The side of the pictures that a configuration is made for."""
    inner = architecture.get("vision_config", architecture)
    default = AutoConfig.for_model(architecture["model_type"])
    default = getattr(default, "vision_config", default)
    size = inner.get("image_size", getattr(default, "image_size", None))
    return size if isinstance(size, int) else USUAL_SIZE


def plain_processor(size: int) -> Any:
    """An image processor that stretches to a square and scales pixels to -1..1, as seed 003 does."""
    return transformers.ViTImageProcessorPil(size={"height": size, "width": size})


def most_words(architecture: Mapping[str, Any]) -> int:
    """How many words a configuration's vocabulary holds beside the special entries."""
    size = architecture.get("text_config", architecture).get("vocab_size", MOST_WORDS)
    return max(1, int(size) - len(SPECIAL))


def with_vocabulary(architecture: Mapping[str, Any], entries: int) -> dict[str, Any]:
    """The configuration for a vocabulary of `entries` entries, its special ones numbered as in `word_tokenizer`."""
    numbers = {"vocab_size": entries, "pad_token_id": 0, "bos_token_id": 2, "eos_token_id": 3}
    default = AutoConfig.for_model(architecture["model_type"])
    if hasattr(default, "text_config"):
        return {**architecture, "text_config": {**architecture.get("text_config", {}), **numbers}}
    return {**architecture, **numbers}


def words_of(text: str) -> list[str]:
    """A text as `word_tokenizer` sees it: words and punctuation marks in lower case."""
    pieces = pre_tokenizers.BertPreTokenizer().pre_tokenize_str(normalizers.Lowercase().normalize_str(text))
    return [word for word, _ in pieces]


def word_tokenizer(words: tuple[str, ...]) -> Any:
    """A tokenizer of whole words, [CLS] before and [SEP] after a text."""
    vocabulary = {**SPECIAL, **{word: len(SPECIAL) + place for place, word in enumerate(words)}}
    backend = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    backend.normalizer = normalizers.Lowercase()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(name, SPECIAL[name]) for name in ("[CLS]", "[SEP]")]
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        model_input_names=["input_ids", "attention_mask"],
    )
