"""The model: encoders, standardised features, a token for what is missing, a fusion, a head for each branch."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from multitag.config import Config
from multitag.encoders import Encoder
from multitag.errors import ConfigError
from multitag.features.feeder import Feeder, nothing_encoded, scatter_tokens
from multitag.features.slots import Slot
from multitag.features.units import has_bfloat16, settled
from multitag.fusions import FUSIONS, Fusion
from multitag.fusions.on_tokens import OnTokens
from multitag.heads import HEADS, Head
from multitag.heads.tokenwise import Tokenwise
from multitag.layers import MissingModality, Standardize
from multitag.spans import SPAN_DECODERS
from multitag.spans.row_answers import RowAnswers
from multitag.types import Batch, Encoded, Width

SAMPLE_ROWS = 512
"""How many rows an encoder that trains is run on, before training, to see the scale of its features."""


class Model(nn.Module):
    """Rows in, logits (B, K) out, or (B, T, K) where the heads are laid on tokens.

    Only what is trained is part of the state: frozen encoders stay outside, in their slots.

    Args:
        slots: The encoders by name.
        fusion: How their outputs meet.
        heads: A head for each of the fusion's branches.
        modality_dropout: Share of the batches that lose a modality while training; a row never loses all it has.
        row_heads: For each branch a head on its pooled vector, where rows are answered for beside their tokens.
        beside: Where these answers then stand.
        precision: What its encoders compute in while they train; ``"auto"`` is settled where it runs.
    """

    def __init__(
        self,
        slots: Mapping[str, Slot],
        fusion: Fusion,
        heads: Mapping[str, Head] | Mapping[str, Tokenwise],
        /,
        *,
        modality_dropout: float = 0.0,
        row_heads: Mapping[str, Head] | None = None,
        beside: RowAnswers | None = None,
        precision: str = "float32",
    ) -> None:
        super().__init__()
        self.encoders = nn.ModuleDict({name: slot.encoder for name, slot in slots.items() if not slot.frozen})
        widths = fusion.widths
        self.standardize = nn.ModuleDict({name: Standardize(width.pooled) for name, width in widths.items()})
        self.standardize_tokens = nn.ModuleDict(
            {name: Standardize(width.tokens) for name, width in widths.items() if width.tokens is not None}
        )
        self.missing = nn.ModuleDict(
            {name: MissingModality(width.pooled, width.tokens) for name, width in widths.items()}
        )
        self.fusion = fusion
        self.heads = nn.ModuleDict(heads)
        self.row_heads = nn.ModuleDict(row_heads or {})
        self.beside = beside
        self.modality_dropout = modality_dropout
        self.precision = precision
        self._modality = {name: slot.encoder.modality for name, slot in slots.items()}

    @property
    def reads_tokens(self) -> frozenset[str]:
        """The encoders whose tokens the fusion or the heads read."""
        return frozenset(self.standardize_tokens)

    def forward(self, batch: Batch) -> Tensor:
        """Logits (B, K) or (B, T, K), with answers for rows (B, R + T, K)."""
        present = self._drop(batch) if self.training and self.modality_dropout else batch.present
        encoded = {name: self._encoded(name, batch, present[name]) for name in self._modality}
        branches = self.fusion(encoded)
        logits = self._answer(self.heads, branches)
        if self.beside is None:
            return logits
        return self.beside.joined(self._answer(self.row_heads, branches), logits)

    def _answer(self, heads: nn.ModuleDict, branches: Mapping[str, Encoded]) -> Tensor:
        return self.fusion.combine({name: head(branches[name]) for name, head in heads.items()})

    def _encoded(self, name: str, batch: Batch, present: Tensor) -> Encoded:
        encoded = batch.encoded[name] if name in batch.encoded else self._live(name, batch, present)
        scaled = encoded._replace(pooled=self.standardize[name](encoded.pooled))
        if encoded.tokens is not None and name in self.standardize_tokens:
            scaled = scaled._replace(tokens=self.standardize_tokens[name](encoded.tokens))
        filled: Encoded = self.missing[name](scaled, present)
        return filled

    def _live(self, name: str, batch: Batch, left: Tensor) -> Encoded:
        """Run an encoder that trains on the rows that have its modality; not at all where dropout left it to none."""
        encoder: Encoder = self.encoders[name]  # type: ignore[assignment]
        present = batch.present[name]
        # In a stage that trains encoders alone, such a step would have nothing to send a gradient to.
        unread = not bool(left.any()) and next(self.heads.parameters()).requires_grad
        if not batch.inputs[name] or unread:
            pooled = torch.zeros(batch.size, encoder.width, device=present.device)
            return nothing_encoded(pooled, encoder, tokens=name in self.reads_tokens)
        encoded: Encoded = encoder(batch.inputs[name], tokens=name in self.reads_tokens)
        if bool(present.all()):
            return encoded
        pooled = encoded.pooled.new_zeros(batch.size, encoded.pooled.shape[-1])
        pooled[present] = encoded.pooled
        return scatter_tokens(encoded._replace(pooled=pooled), present)

    def _drop(self, batch: Batch) -> dict[str, Tensor]:
        """What is left after modality dropout: a row keeps at least one of the modalities it has.

        Where each token is answered for, the text stays: without it there is nothing to answer.
        """
        kinds = sorted(set(self._modality.values()))
        if len(kinds) < 2:
            return batch.present
        kept = self._modality[self.fusion.of] if isinstance(self.fusion, OnTokens) else None
        lost = [kind for kind in kinds if kind != kept]
        device = next(iter(batch.present.values())).device
        # The whole batch loses the same: where no row lacks anything, no gradient is reckoned for the inputs of the
        # first layers, a third of their work.
        dropped = torch.rand(1, device=device) < self.modality_dropout
        which = torch.randint(len(lost), (1,), device=device)
        has = {
            kind: torch.stack([batch.present[n] for n, k in self._modality.items() if k == kind]).any(0)
            for kind in kinds
        }
        left = {kind: has[kind] for kind in kinds}
        for place, kind in enumerate(lost):
            others = torch.stack([has[other] for other in kinds if other != kind]).any(0)
            left[kind] = ~(dropped & (which == place) & others)
        return {name: here & left[self._modality[name]] for name, here in batch.present.items()}

    def quick(self) -> AbstractContextManager[object]:
        """Within it, what runs forward alone is computed in the precision that the encoders train in.

        Where this machine is fast in that; else, and where none trains, in float32.
        """
        precision = settled(self.precision) if len(self.encoders) else "float32"
        device = next(self.parameters()).device.type
        if precision == "bfloat16" and has_bfloat16():
            return torch.autocast(device, torch.bfloat16)
        if precision == "float16" and device != "cpu":
            return torch.autocast(device, torch.float16)
        return nullcontext()

    @torch.no_grad()
    def fit_scales(self, feeder: Feeder) -> None:
        """Set each encoder's standardisation from the training rows that have its modality."""
        for name, slot in feeder.slots.items():
            if not slot.encoder.standardized:
                continue
            rows = feeder.present[name].nonzero().flatten().tolist()
            if not rows:
                continue
            sampled = rows[:: max(1, len(rows) // SAMPLE_ROWS)][:SAMPLE_ROWS]
            if slot.stored:
                _fit(self.standardize[name], feeder.pooled(name, rows))
            if slot.stored and name not in self.standardize_tokens:
                continue
            with self.quick():
                found = [self._sampled(name, feeder, sampled[i : i + 32]) for i in range(0, len(sampled), 32)]
            if not slot.stored:
                _fit(self.standardize[name], torch.cat([pooled for pooled, _ in found]))
            if name in self.standardize_tokens:
                _fit(self.standardize_tokens[name], torch.cat([tokens for _, tokens in found]))

    def _sampled(self, name: str, feeder: Feeder, rows: list[int]) -> tuple[Tensor, Tensor]:
        """Pooled vectors (n, D) and all real tokens (m, D') of some rows that have the modality."""
        batch = feeder.batch(rows).to(next(self.parameters()).device)
        here = batch.present[name]
        encoded = batch.encoded[name] if name in batch.encoded else self._live(name, batch, here)
        pooled = encoded.pooled.float().cpu()
        if encoded.tokens is None or encoded.mask is None:
            return pooled, pooled[:0]
        return pooled, encoded.tokens[encoded.mask].float().cpu()


def _fit(scale: nn.Module, vectors: Tensor) -> None:
    """Set a standardisation from the vectors (n, D) that it will see."""
    deviation, mean = torch.std_mean(vectors, dim=0, correction=0)  # torch sums up in double precision
    scale.fit(mean, deviation)  # type: ignore[operator]


def build_model(config: Config, slots: Mapping[str, Slot], labels: int) -> Model:
    """The model of a configuration for `labels` labels, freshly initialised from the current random state.

    Raises:
        ConfigError: Tokens are read where an encoder gives none.
    """
    if config.task == "spans":
        return _model_of_tokens(config, slots, labels)
    widths = _widths(slots, tokens_read(config, slots))
    fusion: Fusion = FUSIONS.build(config.fusion.name, config.fusion.options, widths)
    heads = {
        branch: HEADS.build(config.head.name, config.head.options, width, labels)
        for branch, width in fusion.branches.items()
    }
    train = config.train
    return Model(slots, fusion, heads, modality_dropout=train.modality_dropout, precision=train.precision)


def _model_of_tokens(config: Config, slots: Mapping[str, Slot], labels: int) -> Model:
    """A model that answers for each token of the encoder of texts."""
    text = next(name for name, slot in slots.items() if slot.encoder.modality == "text")
    widths = _widths(slots, tokens_read(config, slots))
    fusion = OnTokens(widths, config.fusion.name, config.fusion.options, text)
    begins = config.decoder is not None and SPAN_DECODERS.get(config.decoder.name).scheme == "begin_inside"
    outputs = labels * 2 if begins else labels
    beside = None if config.joint is None else RowAnswers(labels + len(config.joint.names), outputs)
    heads = {
        branch: Tokenwise(HEADS.build(config.head.name, config.head.options, Width(width.tokens or 0), outputs))
        for branch, width in fusion.branches.items()
    }
    row_heads = {
        branch: HEADS.build(config.head.name, config.head.options, Width(width.pooled), beside.labels)
        for branch, width in fusion.branches.items()
        if beside is not None
    }
    return Model(
        slots,
        fusion,
        heads,
        modality_dropout=config.train.modality_dropout,
        row_heads=row_heads,
        beside=beside,
        precision=config.train.precision,
    )


def tokens_read(config: Config, slots: Mapping[str, Slot]) -> frozenset[str]:
    """Of some encoders of a configuration, those whose tokens its model reads.

    Raises:
        ConfigError: Tokens are read where one of them gives none.
    """
    readers = [f"fusion '{config.fusion.name}'"] if FUSIONS.get(config.fusion.name).needs == "tokens" else []
    read = dict(slots)
    if config.task == "spans":
        if not readers:
            readers = ["task = 'spans'"]
            read = {name: slot for name, slot in slots.items() if slot.encoder.modality == "text"}
    elif HEADS.get(config.head.name).needs == "tokens":
        readers.append(f"head '{config.head.name}'")
    for reader in readers:
        _require_tokens(read, reader)
    return frozenset(read if readers else ())


def _require_tokens(slots: Mapping[str, Slot], reader: str) -> None:
    without = [name for name, slot in slots.items() if slot.encoder.token_width is None]
    if without:
        raise ConfigError(
            f"{reader} reads tokens, and these encoders have none: {', '.join(without)}. "
            f"Fix: choose another {reader.split(maxsplit=1)[0]} or other encoders"
        )


def _widths(slots: Mapping[str, Slot], read: Collection[str]) -> dict[str, Width]:
    """How wide what each encoder gives is; with tokens for those whose tokens are read."""
    return {
        name: Width(slot.encoder.width, slot.encoder.token_width if name in read else None)
        for name, slot in slots.items()
    }
