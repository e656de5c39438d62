"""An LSTM over words, trained from scratch with the model: texts without pretrained weights, in a few megabytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.cleaning import Cleaning, Language, WordForm
from multitag.encoders.vocabulary import PAD, UNKNOWN, Vocabulary, padded
from multitag.errors import DataError, NotFittedError
from multitag.types import Encoded, Modality


class Lstm(Encoder):
    """A long short-term memory (Hochreiter & Schmidhuber 1997) over cleaned words, as in seed 003, its defaults.

    The vocabulary is learned from the training rows. It has no pretrained weights: it trains with the model
    (``frozen = false``). Tokens are the outputs at each word. Padding is never read. Seed 003's dropout of .4
    stands before the outputs: it belongs to the head.

    Args:
        layers: One LSTM, or two on top of each other.
        bidirectional: Also read each text from its end; states are twice as wide.
        state: The pooled vector: the output at the ``"last"`` word, or those at first and last word joined
            (``"first_last"``, what seed 003 leaves to future work). Of a bidirectional LSTM the output at the last
            word has the backward direction's state after one word only, so ``"last"`` gains little there.
        embedding: Size of a word's vector.
        hidden: Size of a state, in each direction.
        dropout: The share of the numbers of word vectors, and between two layers, that is hidden in a training step.
        vocabulary: At most so many words, the most frequent ones, or ``"all"``.
        min_count: Words that occur less often in the training texts are unknown words.
        length: How many words of a text are read, after cleaning.
        lower_case: Write everything in lower case first.
        strip_punctuation: Remove punctuation.
        drop_stop_words: Leave words such as "the" and "on" out.
        word_form: Words ``"as_is"``, cut to their Snowball ``"stem"``, or as their ``"lemma"``.
        language: Of stop words, stems and lemmas.

    Raises:
        DataError: No word is left to learn from.
    """

    modality: ClassVar[Modality] = "text"
    storable: ClassVar[bool] = False
    standardized: ClassVar[bool] = False
    learns: bool = True
    from_scratch: bool = True

    def __init__(
        self,
        *,
        layers: Literal[1, 2] = 1,
        bidirectional: bool = False,
        state: Literal["last", "first_last"] = "last",
        embedding: Annotated[int, Field(ge=1)] = 128,
        hidden: Annotated[int, Field(ge=1)] = 256,
        dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0,
        vocabulary: Literal["all"] | Annotated[int, Field(ge=1)] = "all",
        min_count: Annotated[int, Field(ge=1)] = 1,
        length: Annotated[int, Field(ge=1)] = 20,
        lower_case: bool = True,
        strip_punctuation: bool = True,
        drop_stop_words: bool = True,
        word_form: WordForm = "stem",
        language: Language = "english",
    ) -> None:
        super().__init__()
        self.layers, self.bidirectional, self.state = layers, bidirectional, state
        self.embedding, self.hidden, self.dropout = embedding, hidden, dropout
        self.most_words, self.min_count, self.length = vocabulary, min_count, length
        self.cleaning = Cleaning(lower_case, strip_punctuation, drop_stop_words, word_form, language)
        self._vocabulary: Vocabulary | None = None
        self.token_width = hidden * (2 if bidirectional else 1)
        self.width = self.token_width * (2 if state == "first_last" else 1)

    def load(self) -> None:
        """Nothing to load: the network is built by `fit`, when the vocabulary is known."""

    def fit(self, items: Sequence[str]) -> None:
        """Learn the vocabulary, and build the network with random weights."""
        texts = (self.cleaning.words(text) for text in items)
        vocabulary = Vocabulary.learned(texts, size=self.most_words, min_count=self.min_count)
        if not vocabulary.words:
            raise DataError(
                f"lstm found no word to learn from in {len(items)} training texts. "
                f"Fix: lower min_count, keep stop words, or choose another text encoder"
            )
        self._build(vocabulary)

    def _build(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self.words = nn.Embedding(len(vocabulary), self.embedding, padding_idx=PAD)
        with torch.no_grad():
            # Where no training word is unknown nothing trains this vector: better silent than noise.
            self.words.weight[UNKNOWN] = 0.0
        self.drop = nn.Dropout(self.dropout)
        self.net = nn.LSTM(
            self.embedding,
            self.hidden,
            self.layers,
            batch_first=True,
            bidirectional=self.bidirectional,
            dropout=self.dropout if self.layers > 1 else 0.0,
        )

    def assets(self) -> dict[str, Any]:
        """The vocabulary."""
        return {"vocabulary": list(self._fitted().words)}

    def restore(self, assets: dict[str, Any]) -> None:
        """Take back a learned vocabulary; the weights come with the run's model."""
        self._build(Vocabulary(tuple(assets["vocabulary"])))

    def _fitted(self) -> Vocabulary:
        if self._vocabulary is None:
            raise NotFittedError("lstm has no vocabulary yet: call fit with the training texts first")
        return self._vocabulary

    def identity(self) -> dict[str, Any]:
        """The hashes of vocabulary and weights, the cleaning, the cut and the pooling."""
        return {
            "assets": hashlib.sha256(json.dumps(self.assets()).encode()).hexdigest(),
            "weights": weights_hash(self),
            "cleaning": asdict(self.cleaning),
            "length": self.length,
            "state": self.state,
        }

    def sort_key(self, item: str) -> int:
        """The length: texts of like length need little padding."""
        return len(item)

    def prepare(self, items: Sequence[str]) -> Inputs:
        """Word numbers (B, T), padded at the end to the longest of the batch."""
        vocabulary = self._fitted()
        return {"words": padded([vocabulary.numbers(self.cleaning.words(text), self.length) for text in items])}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, T, D') with a mask that leaves padding out."""
        words = inputs["words"]
        mask = words != PAD
        lengths = mask.sum(1)
        packed = pack_padded_sequence(
            self.drop(self.words(words)), lengths.cpu(), batch_first=True, enforce_sorted=False
        )
        states: Tensor
        states, _ = pad_packed_sequence(self.net(packed)[0], batch_first=True, total_length=words.shape[1])
        pooled = states[torch.arange(len(words), device=states.device), lengths - 1]
        if self.state == "first_last":
            pooled = torch.cat([states[:, 0], pooled], dim=1)
        return Encoded(pooled, states, mask) if tokens else Encoded(pooled)
