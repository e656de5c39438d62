"""Any picture encoder of the transformers library, the picture towers of CLIP and SigLIP among them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any, ClassVar

import torch
from PIL import Image

from multitag.encoders import hub
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.types import Encoded, Modality


class TransformersImage(Encoder):
    """A picture encoder by its Hugging Face name or local folder, through transformers' AutoModel.

    A model with two towers (CLIP, SigLIP) gives its projected picture embedding as the pooled vector. Tokens are the
    last hidden state: patches, with the class token where the model has one, or the grid of a convolutional network.
    The pictures are prepared by the model's own image processor.

    Args:
        model: A Hugging Face name or a local folder.
        normalize: Scale the pooled vector to length 1, as CLIP's cosines do.

    Raises:
        WeightsError: The weights are neither in a folder, nor in a package, nor to be had from the hub.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(self, *, model: str = "openai/clip-vit-base-patch32", normalize: bool = False) -> None:
        super().__init__()
        self.model = model
        self.normalize = normalize

    def load(self) -> None:
        """Load the weights and the image processor."""
        self.net = hub.load_tower(self.model, "image")
        self.processor = hub.load_image_processor(self.model)
        self._measure()

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the network and the processor as a run saved them; the weights come with the run's model."""
        self.net = hub.build_tower(assets["config"], "image")
        if not assets["pooler"]:
            hub.drop_pooler(self.net)
        self.processor = hub.build_image_processor(assets["processor"])
        self._measure()

    def assets(self) -> dict[str, Any]:
        """The network's configuration, whether it has a pooler, and the processor's settings."""
        return {
            "config": hub.config_of(self.net),
            "pooler": hub.has_pooler(self.net),
            "processor": hub.processor_config(self.processor),
        }

    def _measure(self) -> None:
        """Learn the widths from one grey picture: configurations name them in too many ways."""
        training = self.net.training
        self.net.eval()
        with torch.no_grad():
            encoded = self(self.prepare([Image.new("RGB", (64, 64), (127, 127, 127))]), tokens=True)
        self.net.train(training)
        self.width = encoded.pooled.shape[-1]
        self.token_width = None if encoded.tokens is None else encoded.tokens.shape[-1]

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the processor's settings and the pooling."""
        processor = json.dumps(hub.processor_config(self.processor), sort_keys=True, default=str)
        return {
            "weights": weights_hash(self.net),
            "processor": hashlib.sha256(processor.encode()).hexdigest(),
            "normalize": self.normalize,
        }

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixel values (B, 3, H, W) by the model's own processor."""
        return {"pixel_values": self.processor(images=list(items), return_tensors="pt")["pixel_values"]}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, T, D') with a mask of all True."""
        output = hub.image_output(self.net, inputs["pixel_values"])
        pooled = output.pooled
        if self.normalize:
            pooled = torch.nn.functional.normalize(pooled, dim=-1)
        if not tokens:
            return Encoded(pooled)
        mask = torch.ones(output.tokens.shape[:2], dtype=torch.bool, device=pooled.device)
        return Encoded(pooled, output.tokens, mask)
