"""Small fast tokenizers of the kinds that there are: word pieces, bytes, sentence pieces, whole words."""

from __future__ import annotations

from functools import cache

import transformers
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

from tiny import TEXTS
from tiny import tokenizer as word_level

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
CORPUS = [*TEXTS, "don't STOP the café, it's 3.5 % off!\nשלום עולם 👍🏽", "über-große Straße naïve  double  spaces"]


def _fast(backend: Tokenizer):
    ids = {token: backend.token_to_id(token) for token in ("[CLS]", "[SEP]")}
    template = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=list(ids.items()))
    kept = backend.post_processor
    backend.post_processor = processors.Sequence([kept, template]) if kept is not None else template
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]"
    )


def byte_level(*, trim: bool = True):
    """Bytes and pairs of them, as GPT-2 and RoBERTa have: no character is unknown, an emoji is several tokens."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.post_processor = processors.ByteLevel(trim_offsets=trim)
    backend.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    backend.train_from_iterator(CORPUS, trainer)
    return _fast(backend)


def sentence_piece():
    """Pieces of a text whose spaces are characters, after NFKC, as ALBERT, T5 and XLM-R have."""
    backend = Tokenizer(models.Unigram())
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("  ", " ")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=120, special_tokens=SPECIAL, unk_token="[UNK]", show_progress=False, shrinking_factor=0.75
    )
    backend.train_from_iterator(CORPUS, trainer)
    return _fast(backend)


@cache
def tokenizers():
    """All of them, by name."""
    return {
        "words": word_level(),
        "bytes": byte_level(),
        "bytes_untrimmed": byte_level(trim=False),
        "sentence": sentence_piece(),
    }


@cache
def minilm():
    """The packaged MiniLM's word pieces."""
    from multitag.encoders.hub import load_tokenizer
    from multitag.encoders.weights import MINILM

    return load_tokenizer(MINILM)
