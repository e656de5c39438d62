"""What a decoder was fitted on, small enough to keep, so that another one can be fitted without training anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from multitag.spans.alignment import Offsets
from multitag.types import LabelSpace, Span

Arrays = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, eq=False)
class KeptTexts:
    """Texts that a model was not trained on, what it says of their tokens, and their spans.

    Attributes:
        texts: The N texts as `masked` leaves them.
        offsets: Of each, (T, 2), the characters of its tokens.
        logits: Of each, (T, O) float32.
        gold: Of each, its spans; `None` where they are not known.
    """

    texts: tuple[str, ...]
    offsets: tuple[Offsets, ...]
    logits: tuple[npt.NDArray[np.float32], ...]
    gold: tuple[tuple[Span, ...] | None, ...]

    @classmethod
    def of(
        cls,
        texts: Sequence[str],
        offsets: Sequence[Offsets],
        logits: Sequence[npt.NDArray[Any]],
        gold: Sequence[Sequence[Span] | None],
        space: LabelSpace,
    ) -> KeptTexts:
        """Texts to keep; spans of labels outside of the space are left out, as decoders leave them out."""
        known = [None if s is None else tuple(span for span in s if span.label in space.names) for s in gold]
        said = [np.asarray(row, np.float32) for row in logits]
        return cls(tuple(map(masked, texts)), tuple(offsets), tuple(said), tuple(known))

    def arrays(self, space: LabelSpace) -> Arrays:
        """All of it as arrays: rows end to end, and how long each is."""
        outputs = self.logits[0].shape[1] if self.logits else len(space)
        index = {name: k for k, name in enumerate(space.names)}
        spans = [
            (row, span.start, span.stop, index[span.label])
            for row, found in enumerate(self.gold)
            for span in found or ()
        ]
        return {
            "held_characters": np.frombuffer("".join(self.texts).encode("utf-32-le", "surrogatepass"), np.int32),
            "held_lengths": np.array([len(text) for text in self.texts], np.int64),
            "held_offsets": np.concatenate([np.zeros((0, 2), np.int32), *self.offsets]).astype(np.int32),
            "held_tokens": np.array([len(row) for row in self.logits], np.int64),
            "held_logits": np.concatenate([np.zeros((0, outputs), np.float32), *self.logits]),
            "held_spans": np.array(spans, np.int32).reshape(-1, 4),
            "held_known": np.array([found is not None for found in self.gold], np.uint8),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[Any]], space: LabelSpace) -> KeptTexts | None:
        """What `arrays` gave; `None` where these hold no texts.

        Raises:
            KeyError, ValueError, IndexError: The arrays are cut short or do not belong together.
        """
        if "held_logits" not in arrays:
            return None
        text = arrays["held_characters"].astype("<i4").tobytes().decode("utf-32-le", "surrogatepass")
        ends = np.cumsum(arrays["held_lengths"]).tolist()
        tokens, known = arrays["held_tokens"], arrays["held_known"].astype(bool)
        offsets, logits = arrays["held_offsets"].astype(np.int64), arrays["held_logits"].astype(np.float32)
        total = int(tokens.sum())
        if len(tokens) != len(ends) or len(known) != len(ends) or {len(offsets), len(logits)} != {total}:
            raise ValueError("the texts held out are not as many as what is said of them")
        gold: list[list[Span]] = [[] for _ in ends]
        for row, start, stop, label in arrays["held_spans"].tolist():
            gold[row].append(Span(start, stop, space.names[label]))
        cuts = np.cumsum(tokens)[:-1]
        return cls(
            tuple(text[start:stop] for start, stop in zip([0, *ends], ends, strict=False)),
            tuple(np.split(offsets, cuts))[: len(ends)],
            tuple(np.split(logits, cuts))[: len(ends)],
            tuple(tuple(spans) if is_known else None for spans, is_known in zip(gold, known, strict=True)),
        )


def masked(text: str) -> str:
    """The text with ``x`` for every letter and digit: its words stand where they stood, and cannot be read."""
    return "".join("x" if character.isalnum() else character for character in text)
