"""TF-IDF over words and word pairs: the strong plain baseline for texts."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import torch
from pydantic import Field

from multitag.encoders.base import Encoder, Inputs
from multitag.errors import DataError, NotFittedError
from multitag.types import Encoded, Modality

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix  # type: ignore[import-untyped]  # ships no types
    from sklearn.feature_extraction.text import TfidfVectorizer


class BagOfNgrams(Encoder):
    """TF-IDF vectors of word n-grams, lower case, sublinear counts, length 1 (Salton & Buckley 1988).

    It learns its vocabulary from the training rows and has no weights. The pooled vector is the TF-IDF vector itself;
    there are no tokens.

    Args:
        ngrams: The longest n-gram, in words.
        min_count: N-grams in fewer training texts are left out.
        max_features: At most so many n-grams, the most frequent ones.

    Raises:
        DataError: No n-gram is left to learn from.
    """

    modality: ClassVar[Modality] = "text"
    storable: ClassVar[bool] = False
    learns: bool = True
    standardized: ClassVar[bool] = False

    def __init__(
        self,
        *,
        ngrams: Annotated[int, Field(ge=1)] = 2,
        min_count: Annotated[int, Field(ge=1)] = 2,
        max_features: Annotated[int, Field(ge=1)] = 20_000,
    ) -> None:
        super().__init__()
        self.ngrams = ngrams
        self.min_count = min_count
        self.max_features = max_features
        self.token_width = None
        self._vectorizer: TfidfVectorizer | None = None

    def _empty(self, **options: Any) -> TfidfVectorizer:
        from sklearn.feature_extraction.text import TfidfVectorizer  # half a second, where no n-gram is looked for

        return TfidfVectorizer(
            ngram_range=(1, self.ngrams),
            sublinear_tf=True,
            strip_accents="unicode",
            dtype=np.float32,
            **options,
        )

    def load(self) -> None:
        """Nothing to load: the vocabulary comes from `fit`."""

    def fit(self, items: Sequence[str]) -> None:
        """Learn the vocabulary and the inverse document frequencies."""
        vectorizer = self._empty(min_df=min(self.min_count, max(1, len(items) // 2)), max_features=self.max_features)
        try:
            vectorizer.fit(items)
        except ValueError as error:
            raise DataError(
                f"bag_of_ngrams found no word to learn from in {len(items)} training texts ({error}). "
                f"Fix: lower min_count, or choose another text encoder"
            ) from error
        self._vectorizer = vectorizer
        self.width = len(vectorizer.vocabulary_)

    def assets(self) -> dict[str, Any]:
        """The n-grams in the order of their columns, and their inverse document frequencies."""
        vectorizer = self._fitted()
        vocabulary = sorted(vectorizer.vocabulary_, key=vectorizer.vocabulary_.__getitem__)
        return {"vocabulary": vocabulary, "idf": [float(value) for value in vectorizer.idf_]}

    def restore(self, assets: dict[str, Any]) -> None:
        """Take back a learned vocabulary."""
        vectorizer = self._empty(vocabulary={term: column for column, term in enumerate(assets["vocabulary"])})
        vectorizer.idf_ = np.asarray(assets["idf"], np.float32)
        self._vectorizer = vectorizer
        self.width = len(assets["vocabulary"])

    def _fitted(self) -> TfidfVectorizer:
        if self._vectorizer is None:
            raise NotFittedError("bag_of_ngrams has no vocabulary yet: call fit with the training texts first")
        return self._vectorizer

    def identity(self) -> dict[str, Any]:
        """The hash of the vocabulary and its weights."""
        return {"assets": hashlib.sha256(json.dumps(self.assets()).encode()).hexdigest()}

    def prepare(self, items: Sequence[str]) -> Inputs:
        """The TF-IDF vectors, dense (B, V)."""
        return {"tfidf": torch.from_numpy(self.sparse(items).toarray())}

    def sparse(self, items: Sequence[str]) -> csr_matrix:
        """The TF-IDF vectors."""
        return self._fitted().transform(items)

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, V): the vectors themselves."""
        return Encoded(inputs["tfidf"])
