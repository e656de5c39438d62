"""Text cleaning: lower case, no punctuation, no stop words, stems or lemmas; each step a switch."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

WordForm = Literal["as_is", "stem", "lemma"]
Language = Literal[
    "danish", "dutch", "english", "french", "german", "italian", "norwegian", "portuguese", "russian", "spanish",
    "swedish", "turkish",
]  # fmt: skip

_LEMMA_CODES = {
    "danish": "da", "dutch": "nl", "english": "en", "french": "fr", "german": "de", "italian": "it", "norwegian": "nb",
    "portuguese": "pt", "russian": "ru", "spanish": "es", "swedish": "sv", "turkish": "tr",
}  # fmt: skip
_APOSTROPHES = re.compile("['’ʼ`]")
_MARKS = re.compile(r"[^\w\s]|_")


@dataclass(frozen=True)
class Cleaning:
    """The cleaning of seed 003 (section 4.2, table 2), in its order.

    Apostrophes vanish, so that "don't" stays one word, and other punctuation becomes a space. Stop words are
    NLTK's lists as the package bm25s carries them, known with and without their apostrophes and in any case. Stems
    are Snowball's, lemmas simplemma's; both know words in lower case only.

    Attributes:
        lower_case: Write everything in lower case.
        strip_punctuation: Remove punctuation.
        drop_stop_words: Leave stop words out.
        word_form: Words ``"as_is"``, cut to their ``"stem"``, or as their ``"lemma"``.
        language: Of stop words, stems and lemmas.
    """

    lower_case: bool = True
    strip_punctuation: bool = True
    drop_stop_words: bool = True
    word_form: WordForm = "stem"
    language: Language = "english"

    def words(self, text: str) -> list[str]:
        """The words that are left of a text, in their order; there may be none."""
        if self.lower_case:
            text = text.lower()
        if self.strip_punctuation:
            text = _MARKS.sub(" ", _APOSTROPHES.sub("", text))
        words = text.split()
        if self.drop_stop_words:
            stops = stop_words(self.language)
            words = [word for word in words if word.lower() not in stops]
        return [self._shaped(word) for word in words]

    @cached_property
    def _shaped(self) -> Callable[[str], str]:
        if self.word_form == "stem":
            return _stemmer(self.language)
        return _lemmatizer(self.language) if self.word_form == "lemma" else str


@lru_cache
def stop_words(language: Language) -> frozenset[str]:
    """NLTK's stop words of a language, each also as it stands without its apostrophe."""
    from bm25s import stopwords

    name = "EN_PLUS" if language == "english" else language.upper()
    words = getattr(stopwords, f"STOPWORDS_{name}")
    return frozenset(form for word in words for form in (word, _APOSTROPHES.sub("", word)))


@lru_cache
def _stemmer(language: Language) -> Callable[[str], str]:
    import snowballstemmer

    # One object for all threads would mix up their words; pictures are prepared in threads, texts are not.
    stem: Callable[[str], str] = lru_cache(100_000)(snowballstemmer.stemmer(language).stemWord)
    return stem


@lru_cache
def _lemmatizer(language: Language) -> Callable[[str], str]:
    import simplemma

    code = _LEMMA_CODES[language]

    @lru_cache(100_000)
    def lemma(word: str) -> str:
        return str(simplemma.lemmatize(word, lang=code))

    return lemma
