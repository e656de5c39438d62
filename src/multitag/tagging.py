"""A fitted model with all that turns texts into spans: what gives logits, calibration, decoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from multitag.config import Component, Config
from multitag.decisions import CALIBRATIONS
from multitag.decisions.calibration import Calibration
from multitag.errors import ConfigError, RunError
from multitag.features.rows import Rows
from multitag.networks import Networks
from multitag.pipeline import Keys
from multitag.progress import Progress, silent
from multitag.spans import SPAN_DECODERS
from multitag.spans.alignment import Tokens, token_targets
from multitag.spans.base import SpanDecoder
from multitag.spans.kept import KeptTexts
from multitag.spans.tagged import TaggedText
from multitag.tasks.base import Logits
from multitag.tasks.pieces import Pieces
from multitag.types import LabelSpace, Sample, SpanPredictions


@dataclass(frozen=True)
class Tagging:
    """Rows in, spans out.

    Attributes:
        config: What it was made by.
        space: The labels.
        networks: Rows to logits of their tokens.
        calibration: Logits to probabilities, token by token.
        decoder: Probabilities of tokens to spans.
        trained_on: Of the rows that any of its networks was trained on, the keys of what they show.
        held_out: What the decoder is fitted on; `None` of a run that did not keep it.
    """

    config: Config
    space: LabelSpace
    networks: Networks
    calibration: Calibration
    decoder: SpanDecoder
    trained_on: Keys
    held_out: KeptTexts | None = None

    @classmethod
    def fitted(
        cls,
        config: Config,
        space: LabelSpace,
        networks: Networks,
        held: Sequence[Sample],
        logits: Logits,
        trained_on: Keys,
    ) -> Tagging:
        """A pipeline whose calibration and decoder are fitted on rows that the networks were not trained on.

        Args:
            config: What it is made by.
            space: The labels.
            networks: The trained networks.
            held: N rows.
            logits: (N, T, O), of their real tokens, NaN after the last.
            trained_on: As above.
        """
        if config.decoder is None:
            raise ConfigError("there is no [decoder]. Fix: task = 'spans'")
        decoder: SpanDecoder = SPAN_DECODERS.build(config.decoder.name, config.decoder.options, space)
        places = _pieces(config, networks).places(held)
        gold = []
        for sample, offsets in zip(held, places, strict=True):
            tokens = Tokens(offsets, np.ones(len(offsets), bool))
            target = token_targets(tokens, sample.spans or (), space, decoder.scheme)
            gold.append(np.full_like(target, np.nan) if sample.spans is None else target)
        said = [row[: len(own)] for row, own in zip(logits, places, strict=True)]
        calibration: Calibration = CALIBRATIONS.build(config.calibration.name, config.calibration.options)
        calibration.fit(np.concatenate(said), np.concatenate(gold))
        texts, spans = [sample.text or "" for sample in held], [sample.spans for sample in held]
        kept = KeptTexts.of(texts, places, said, spans, space)
        tagging = cls(config, space, networks, calibration, decoder, trained_on, kept)
        decoder.fit(tagging.tagged(held, logits), spans)
        return tagging

    def with_decoder(self, name: str, options: Mapping[str, Any]) -> Tagging:
        """The same model under another decoder, fitted on the same held-out texts.

        Raises:
            ConfigError: No such decoder, wrong options, or it reads other outputs than the model has.
            RunError: The run keeps no held-out texts.
        """
        section = Component.model_validate({"name": name, **SPAN_DECODERS.resolve(name, options)})
        decoder: SpanDecoder = SPAN_DECODERS.build(name, options, self.space)
        if decoder.scheme != self.decoder.scheme:
            same = [each for each in SPAN_DECODERS.names() if SPAN_DECODERS.get(each).scheme == self.decoder.scheme]
            raise ConfigError(
                f"the decoder '{name}' reads other outputs of each token than this model gives. Accepted: "
                f"{', '.join(same)}. Fix: one of these, or train with --set decoder.name={name}"
            )
        if self.held_out is None:
            raise RunError(
                "this run was written by a multitag that did not keep what a decoder is fitted on: its decoder cannot "
                "be changed. Fix: train again"
            )
        decoder.fit(self.kept(), self.held_out.gold)
        return replace(self, config=self.config.model_copy(update={"decoder": section}), decoder=decoder)

    def kept(self, most: int | None = None) -> list[TaggedText]:
        """The held-out texts as the decoder reads them, no more than `most`; none of a run that did not keep them."""
        held = self.held_out or KeptTexts((), (), (), ())
        rows = list(zip(held.texts, held.offsets, held.logits, strict=True))[:most]
        return [TaggedText(text, own, self.calibration.apply(said)) for text, own, said in rows]

    def tagged(self, samples: Sequence[Sample], logits: Logits) -> list[TaggedText]:
        """The texts with the calibrated probabilities of their tokens."""
        places = _pieces(self.config, self.networks).places(samples)
        return [
            TaggedText(sample.text or "", own, self.calibration.apply(row[: len(own)]))
            for sample, own, row in zip(samples, places, logits, strict=True)
        ]

    def predict(self, rows: Rows, *, progress: Progress = silent) -> SpanPredictions:
        """The spans of the rows, in their order."""
        return self.decide(rows.samples, self.networks.logits(rows, progress=progress))

    def decide(self, samples: Sequence[Sample], logits: Logits) -> SpanPredictions:
        """The spans of rows, from logits (N, T, O) of their real tokens."""
        spans = self.decoder.apply(self.tagged(samples, logits))
        ids, texts = tuple(sample.id for sample in samples), tuple(sample.text for sample in samples)
        return SpanPredictions(ids, self.space, texts, tuple(spans))


def _pieces(config: Config, networks: Networks) -> Pieces:
    pieces = Pieces.of(config, networks.each[0].slots)
    if pieces is None:
        raise ConfigError("the task is label sets. Fix: task = 'spans'")
    return pieces
