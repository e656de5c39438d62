"""The nouns: what passes between the stages. Nothing here imports torch, so reading a table stays fast."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from multitag.errors import DataError

if TYPE_CHECKING:
    from torch import Tensor

Modality = Literal["image", "text"]
MODALITIES: frozenset[Modality] = frozenset(get_args(Modality))
FloatArray = npt.NDArray[np.floating[Any]]
BoolArray = npt.NDArray[np.bool_]
ImageSource = Path | bytes
"""Where a picture comes from: a file, or the file's bytes."""


@dataclass(frozen=True, slots=True)
class Span:
    """A labelled stretch of text: characters `start` up to, not including, `stop`."""

    start: int
    stop: int
    label: str


@dataclass(frozen=True, slots=True)
class Sample:
    """One row: a picture, a text, and what is known about its labels.

    `None` means not known (no picture, no text, labels not given); `()` means known to be empty. A label can be
    unknown on its own: it stands in `unknown`, and losses, thresholds and metrics treat it as not there.
    """

    id: str
    image: ImageSource | None = None
    text: str | None = None
    labels: tuple[str, ...] | None = None
    unknown: tuple[str, ...] = ()
    spans: tuple[Span, ...] | None = None
    group: str | None = None
    source: str = field(default="", compare=False)
    """Where the row stands, ``"train.csv:17"``, for messages."""
    row_labels: tuple[str, ...] | None = None
    """Where spans are learned, the labels that the row has beside them; `labels` are then those of its spans."""

    def has(self, modality: Modality) -> bool:
        """Whether the row has a picture, or a text; one of white space only says nothing."""
        if modality == "image":
            return self.image is not None
        return self.text is not None and bool(self.text.strip())


@dataclass(frozen=True, slots=True)
class LabelSpace:
    """The labels a model knows, in the order of its outputs."""

    names: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(set(self.names)) != len(self.names):
            twice = sorted({name for name in self.names if self.names.count(name) > 1})
            raise DataError(f"label names must be different from each other; given more than once: {', '.join(twice)}")

    def __len__(self) -> int:
        return len(self.names)

    @classmethod
    def from_samples(cls, samples: Iterable[Sample]) -> LabelSpace:
        """Every label that the samples name, known or unknown, numbers in numeric order, then the rest by name."""
        found = {name for sample in samples for name in (*(sample.labels or ()), *sample.unknown)}
        return cls(tuple(sorted(found, key=_natural)))

    @classmethod
    def from_spans(cls, samples: Iterable[Sample]) -> LabelSpace:
        """Every label that the samples' spans bear, numbers in numeric order, then the rest by name."""
        found = {span.label for sample in samples for span in sample.spans or ()}
        return cls(tuple(sorted(found, key=_natural)))

    def encode(self, samples: Sequence[Sample]) -> npt.NDArray[np.float32]:
        """Targets of shape (N, K): 1 has the label, 0 has not, NaN not known. Labels outside the space are left out."""
        index = {name: k for k, name in enumerate(self.names)}
        targets = np.zeros((len(samples), len(self.names)), np.float32)
        for row, sample in enumerate(samples):
            if sample.labels is None:
                targets[row] = np.nan
                continue
            for name in sample.unknown:
                if name in index:
                    targets[row, index[name]] = np.nan
            for name in sample.labels:
                if name in index:
                    targets[row, index[name]] = 1.0
        return targets

    def decode(self, predicted: BoolArray) -> list[tuple[str, ...]]:
        """The names behind each row of a boolean (N, K) array, in the order of the space."""
        return [tuple(self.names[k] for k in np.flatnonzero(row)) for row in np.asarray(predicted, bool)]


def _natural(name: str) -> tuple[int, int, str]:
    return (0, int(name), name) if name.isascii() and name.isdigit() else (1, 0, name)


class Encoded(NamedTuple):
    """What an encoder says of a batch of rows.

    pooled (B, D), one vector a row; tokens (B, T, D), or `None` where nobody asked for them; mask (B, T), True where
    a token is real, at least one True a row.
    """

    pooled: Tensor
    tokens: Tensor | None = None
    mask: Tensor | None = None


class Width(NamedTuple):
    """How wide an `Encoded` is.

    Attributes:
        pooled: D, the size of the pooled vector.
        tokens: D', the size of a token; `None` where there are none, or nobody reads them.
        parts: Sizes of the vectors that the pooled one was joined from; empty where it is of one piece.
    """

    pooled: int
    tokens: int | None = None
    parts: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Probabilities:
    """Calibrated probabilities (N, K) of the rows `ids` for the labels of `space`."""

    ids: tuple[str, ...]
    space: LabelSpace
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Predictions:
    """Label sets decided for rows: boolean (N, K) beside the probabilities (N, K) they were decided from."""

    ids: tuple[str, ...]
    space: LabelSpace
    values: BoolArray
    probabilities: npt.NDArray[np.float64]

    @property
    def labels(self) -> list[tuple[str, ...]]:
        """The label names of each row."""
        return self.space.decode(self.values)


@dataclass(frozen=True, slots=True)
class SpanPredictions:
    """Spans decided for rows.

    Attributes:
        ids: What names each row.
        space: The labels that spans may bear.
        texts: The rows' texts; `None` where a row has none.
        spans: The spans of each, in the order of the text.
    """

    ids: tuple[str, ...]
    space: LabelSpace
    texts: tuple[str | None, ...]
    spans: tuple[tuple[Span, ...], ...]


@dataclass(slots=True)
class Batch:
    """What the model sees of B rows.

    Attributes:
        size: B.
        encoded: What frozen encoders say, by the encoder's name; rows without the modality hold zeros.
        inputs: For encoders that run with the model, their prepared inputs for the rows that have the modality.
        present: (B,) by the encoder's name, True where the row has the encoder's modality.
        targets: (B, K), NaN where a label is not known; `None` for rows to predict.
        weights: (B,), how much each row counts in the loss; `None` where all count alike.
    """

    size: int
    encoded: dict[str, Encoded]
    inputs: dict[str, dict[str, Tensor]]
    present: dict[str, Tensor]
    targets: Tensor | None = None
    weights: Tensor | None = None

    def to(self, device: Any) -> Batch:
        """The same batch on a device."""
        return Batch(
            self.size,
            {
                name: Encoded(*(None if part is None else part.to(device) for part in encoded))  # type: ignore[arg-type]
                for name, encoded in self.encoded.items()
            },
            {name: {key: t.to(device) for key, t in inputs.items()} for name, inputs in self.inputs.items()},
            {name: present.to(device) for name, present in self.present.items()},
            None if self.targets is None else self.targets.to(device),
            None if self.weights is None else self.weights.to(device),
        )
