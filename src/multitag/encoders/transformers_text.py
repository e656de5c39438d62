"""Any text encoder of the transformers library, the text towers of CLIP and SigLIP among them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from pydantic import Field
from torch import Tensor, nn

from multitag.encoders import hub
from multitag.encoders.architecture import (
    check_architecture,
    most_words,
    untrained,
    with_vocabulary,
    word_tokenizer,
    words_of,
)
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.lora import Alpha, Dropout, Lora, Rank, Targets, merge_adapters
from multitag.encoders.transformers_lower import TransformersLower, states_output, upper_part
from multitag.encoders.vocabulary import Vocabulary
from multitag.encoders.weights import MINILM
from multitag.errors import ConfigError
from multitag.layers import masked_mean
from multitag.types import Encoded, Modality

TextPooling = Literal["auto", "mean", "layers", "first", "pooler"]


class TransformersText(Encoder):
    """A text encoder by its Hugging Face name or local folder, through transformers' AutoModel.

    The default is all-MiniLM-L6-v2 (22 million parameters), which the `offline` extra carries. Tokens are the last
    hidden state, special tokens included, padding masked.

    Args:
        model: A Hugging Face name or a local folder.
        pooling: ``"mean"`` of the real tokens (MiniLM and sentence encoders); ``"layers"``, that mean, the maximum,
            and the mean of the embeddings that the first layer reads, where the words themselves still show (3 D);
            the ``"first"`` token (BERT); the model's own ``"pooler"`` (CLIP's and SigLIP's projected embedding);
            ``"auto"`` takes the pooler of a model with two towers, else the layers.
        normalize: Scale the pooled vector to length 1, as sentence encoders and CLIP do for cosines.
        max_length: Texts are cut after so many tokens, never past what the model can take.
        architecture: An untrained network of this configuration instead of `model`, such as
            ``{model_type = "bert", hidden_size = 128, num_hidden_layers = 2, num_attention_heads = 2,
            intermediate_size = 512}`` (BERT-tiny): `model_type` and any keys of its config.json. It needs no hub,
            learns whole words from the training rows, at most `vocab_size`, and must train with the model
            (``frozen = false``).
        lora_rank: Train low-rank adapters of this rank, and not the network's own weights, with ``frozen = false``
            (needs the `lora` extra); 0 trains the weights. After training they are merged: the run needs no peft.
            They bear a higher `train.encoder_lr` than weights do, such as 3e-4.
        lora_alpha: The adapters' weight beside the network's own is lora_alpha / lora_rank.
        lora_dropout: Of what the adapters read.
        lora_targets: ``"auto"`` adapts the linear maps that peft names for this kind of network, all where it names
            none; ``"all-linear"`` all.
        first_trained: With ``frozen = false``, layers from this one on train, of BERT and networks built like it
            (MiniLM has layers 0 to 5). The embeddings and the layers before stay as they are, and what they say of
            each text is computed once and stored. 0 trains all.

    Raises:
        WeightsError: The weights are neither in a folder, nor in a package, nor to be had from the hub.
        ConfigError: The pooler is asked for, and the model has none; or the configuration is not one of
            transformers', or takes no texts; or the network has no layer `first_trained`.
    """

    modality: ClassVar[Modality] = "text"

    def __init__(
        self,
        *,
        model: str = MINILM,
        pooling: TextPooling = "auto",
        normalize: bool = False,
        max_length: Annotated[int, Field(ge=3)] = 256,
        architecture: dict[str, Any] | None = None,
        lora_rank: Rank = 0,
        lora_alpha: Alpha = 16.0,
        lora_dropout: Dropout = 0.0,
        lora_targets: Targets = "auto",
        first_trained: Annotated[int, Field(ge=0)] = 0,
    ) -> None:
        super().__init__()
        self.lora = Lora(lora_rank, lora_alpha, lora_dropout, lora_targets) if lora_rank else None
        if architecture is not None and lora_rank:
            raise ConfigError("option 'architecture' is an untrained network: adapters are for pretrained ones")
        if architecture is not None and first_trained:
            raise ConfigError(
                "option 'architecture' is an untrained network: layers that never train would stay random. "
                "Fix: first_trained = 0"
            )
        self.first_trained = first_trained
        self.model = model if architecture is None else str(architecture.get("model_type"))
        self.architecture = architecture
        self.learns = self.from_scratch = architecture is not None
        if architecture is not None:
            check_architecture(architecture)
        self.pooling = pooling
        self.normalize = normalize
        self.max_length = max_length

    def load(self) -> None:
        """Load the weights and the tokenizer; an untrained network is built by `fit`, when its words are known."""
        if self.architecture is None:
            self._take(hub.load_tower(self.model, "text"), hub.load_tokenizer(self.model))
            if self.lora is not None:
                self.lora.adapt(self.net, self.model)

    def fit(self, items: Sequence[str]) -> None:
        """Learn the words and build the network, where it is an untrained one."""
        if self.architecture is None:
            return
        texts = (words_of(text) for text in items)
        tokenizer = word_tokenizer(Vocabulary.learned(texts, size=most_words(self.architecture)).words)
        with untrained(self.architecture):
            self._take(hub.build_tower(with_vocabulary(self.architecture, len(tokenizer)), "text"), tokenizer)

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the network and the tokenizer as a run saved them; the weights come with the run's model."""
        self._take(hub.build_tower(assets["config"], "text"), hub.build_tokenizer(assets["tokenizer"]))

    def _take(self, net: nn.Module, tokenizer: Any) -> None:
        self.net, self.tokenizer = net, tokenizer
        self._choose_pooling()
        self._measure()
        if self.first_trained:
            self.net = upper_part(self.net, self.first_trained, self.model)

    def lower(self) -> Encoder | None:
        """The embeddings and the layers before `first_trained`, loaded; `None` where all train."""
        if not self.first_trained:
            return None
        lower = TransformersLower(self.model, self.max_length, self.first_trained)
        lower.load()
        return lower

    def assets(self) -> dict[str, Any]:
        """The network's configuration and the tokenizer, whole."""
        return {"config": hub.config_of(self.net), "tokenizer": hub.tokenizer_assets(self.tokenizer)}

    def _choose_pooling(self) -> None:
        """Settle what ``"auto"`` means for this network; a pooler that is not read is taken out."""
        own = hub.has_two_towers(self.net) or hub.has_pooler(self.net)
        if self.pooling == "pooler" and not own:
            raise ConfigError(f"encoder 'transformers_text', option 'pooling' = 'pooler': '{self.model}' has no pooler")
        self._pooled = self.pooling
        if self.pooling == "auto":
            self._pooled = "pooler" if hub.has_two_towers(self.net) else "layers"
        if self._pooled != "pooler":
            hub.drop_pooler(self.net)

    def _measure(self) -> None:
        """Learn the widths from one text, and how long a text the model takes."""
        self.limit = hub.longest(self.net, self.tokenizer, self.max_length)
        training = self.net.training
        self.net.eval()
        with torch.no_grad():
            encoded = self._whole(self.prepare(["a"]))
        self.net.train(training)
        self.width = encoded.pooled.shape[-1]
        self.token_width = None if encoded.tokens is None else encoded.tokens.shape[-1]

    def settle(self) -> None:
        """Merge the adapters, where there are any."""
        if self.lora is not None:
            merge_adapters(self.net)

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the tokenizer, the pooling and the cut."""
        return {
            "weights": weights_hash(self.net),
            "tokenizer": hub.tokenizer_hash(self.tokenizer),
            "pooling": self._pooled,
            "normalize": self.normalize,
            "limit": self.limit,
        }

    def sort_key(self, item: str) -> int:
        """The length: texts of like length need little padding."""
        return len(item)

    def prepare(self, items: Sequence[str]) -> Inputs:
        """Token ids and attention mask (B, T), padded to the longest; a whole batch of a fixed-length tower alike."""
        if hub.needs_fixed_length(self.net):
            # Trained without a mask: padding is part of the text.
            ids = self.tokenizer(
                list(items), truncation=True, max_length=self.limit, return_tensors="pt", padding="max_length"
            )["input_ids"]
            return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}
        return hub.tokenized(self.tokenizer, items, self.limit)

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, T, D') with a mask that leaves padding out.

        Inputs are token ids, or what the lower part says of texts: "states" (B, T, D'), "mask" and "pooled".
        """
        encoded = self._above(inputs) if self.first_trained else self._whole(inputs)
        return encoded if tokens else Encoded(encoded.pooled)

    def _whole(self, inputs: Inputs) -> Encoded:
        output = hub.text_output(
            self.net, inputs["input_ids"], inputs["attention_mask"], words=self._pooled == "layers"
        )
        mask = inputs["attention_mask"].bool()
        words = masked_mean(output.words, mask) if self._pooled == "layers" else None
        return Encoded(self._pool(output, mask, words), output.tokens, mask)

    def _above(self, inputs: Inputs) -> Encoded:
        mask = inputs["mask"]
        output = states_output(self.net, inputs["states"], mask)
        # After the mean of the states.
        words = inputs["pooled"].chunk(2, dim=-1)[1] if self._pooled == "layers" else None
        return Encoded(self._pool(output, mask, words), output.tokens, mask)

    def _pool(self, output: hub.TowerOutput, mask: Tensor, words: Tensor | None) -> Tensor:
        pooled = self._chosen(output, mask, words)
        return torch.nn.functional.normalize(pooled, dim=-1) if self.normalize else pooled

    def _chosen(self, output: hub.TowerOutput, mask: Tensor, words: Tensor | None) -> Tensor:
        states = output.tokens
        if self._pooled == "pooler":
            return torch.as_tensor(output.pooled)
        if self._pooled == "first":
            return states[:, 0]
        if words is None:
            return masked_mean(states, mask)
        highest = states.masked_fill(~mask.unsqueeze(-1), torch.finfo(states.dtype).min).amax(1)
        return torch.cat([masked_mean(states, mask), highest, words], dim=-1)
