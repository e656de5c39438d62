"""Picture towers of the open_clip library."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import torch
from PIL import Image
from torch import nn

from multitag.encoders import open_clip_towers as towers
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.extras import imported
from multitag.encoders.preparation import Preparation
from multitag.encoders.resizing import Resize
from multitag.types import Encoded, Modality

WAYS: dict[str, Resize] = {"shortest": "crop", "squash": "stretch", "longest": "pad"}
"""open_clip's words for the ways to a square."""


class OpenClipImage(Encoder):
    """The picture tower of a CLIP model of open_clip (Cherti et al. 2023), by name or local folder.

    The pooled vector is the projected embedding; tokens are a transformer's patches, and none for other towers.
    Pictures are made square in the model's own way, bicubic, and scaled by its own mean and deviation.

    Args:
        model: open_clip's name of the architecture, ``"hf-hub:owner/name"``, or a local folder.
        pretrained: The tag of the weights, for a plain name.
        resize: How a picture becomes a square: as the ``"model"`` has it, ``"stretch"``, ``"crop"`` to the middle, or
            ``"pad"`` with grey.

    Raises:
        WeightsError: The weights cannot be had.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(
        self,
        *,
        model: str = "ViT-B-32",
        pretrained: str = "laion2b_s34b_b79k",
        resize: Literal["model"] | Resize = "model",
    ) -> None:
        super().__init__()
        imported("open_clip")
        self.model, self.pretrained = model, pretrained
        self.resize: Literal["model"] | Resize = resize

    def load(self) -> None:
        """Load the weights, and what open_clip says of the pictures they were trained on."""
        net, config = towers.load_tower(self.model, self.pretrained, "visual")
        said: Any = net.preprocess_cfg
        size = said["size"] if isinstance(said["size"], int) else said["size"][0]
        how = WAYS[said.get("resize_mode", "shortest")]
        self._take(net, config, Preparation(size, how, 1.0, tuple(said["mean"]), tuple(said["std"])))

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the tower; the weights come with the run's model."""
        net = towers.build_tower(assets["config"], "visual")
        self._take(net, assets["config"], Preparation.of(assets["preparation"]))

    def assets(self) -> dict[str, Any]:
        """The model's configuration, and what pictures it was trained on."""
        return {"config": self.config, "preparation": self.preparation.to_dict()}

    def _take(self, net: nn.Module, config: dict[str, Any], preparation: Preparation) -> None:
        self.net, self.config, self.preparation = net.eval(), config, preparation
        with torch.no_grad():
            encoded = self(self.prepare([Image.new("RGB", (8, 8))]), tokens=True)
        self.width = encoded.pooled.shape[-1]
        self.token_width = None if encoded.tokens is None else encoded.tokens.shape[-1]

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the configuration and the preparation of the pictures."""
        preparation = self.preparation.shaped(self.resize).to_dict()
        return {"weights": weights_hash(self.net), "config": self.config, "preparation": preparation}

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixel values (B, 3, S, S)."""
        return {"pixel_values": self.preparation.shaped(self.resize)(items)}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, T, D') with a mask of all True."""
        pooled, patches = towers.output_of(self.net, inputs["pixel_values"])
        if not tokens or patches is None:
            return Encoded(pooled)
        return Encoded(pooled, patches, torch.ones(patches.shape[:2], dtype=torch.bool, device=patches.device))
