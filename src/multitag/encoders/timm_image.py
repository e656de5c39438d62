"""Picture networks of the timm library."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import torch
from PIL import Image
from torch import Tensor, nn

from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.extras import imported
from multitag.encoders.preparation import Preparation
from multitag.encoders.resizing import Resize
from multitag.encoders.weights import unreachable
from multitag.types import Encoded, Modality


class TimmImage(Encoder):
    """A picture encoder of timm (Wightman 2019, PyTorch image models), by name or local folder.

    The pooled vector is what timm's classifier would read. Tokens are the last feature map: a convolutional
    network's grid row by row, or a transformer's tokens with those before the patches. Pictures are made square in
    the model's own way, bicubic, and scaled by its own mean and deviation.

    Args:
        model: A name with its weights' tag, or a local folder with `config.json` and `model.safetensors`.
        resize: How a picture becomes a square: as the ``"model"`` has it, ``"stretch"``, ``"crop"`` to the middle, or
            ``"pad"`` with grey.

    Raises:
        WeightsError: The weights cannot be had.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(self, *, model: str = "resnet50.a1_in1k", resize: Literal["model"] | Resize = "model") -> None:
        super().__init__()
        self._timm = imported("timm")
        self.model = model
        self.resize: Literal["model"] | Resize = resize

    def load(self) -> None:
        """Load the weights, and what timm says of the pictures they were trained on."""
        name = f"local-dir:{self.model}" if Path(self.model).is_dir() else self.model
        try:
            net = self._timm.create_model(name, pretrained=True, num_classes=0)
        except (OSError, RuntimeError, ValueError) as error:
            raise unreachable(self.model, error) from error
        said = self._timm.data.resolve_model_data_config(net)
        crop = said["crop_mode"] == "center"
        preparation = Preparation(
            int(said["input_size"][-1]),
            "crop" if crop else "stretch" if said["crop_mode"] == "squash" else "pad",
            float(said["crop_pct"]) if crop else 1.0,
            tuple(said["mean"]),
            tuple(said["std"]),
        )
        self._take(net, str(net.pretrained_cfg["architecture"]), preparation)

    def restore(self, assets: dict[str, Any]) -> None:
        """Build the network; the weights come with the run's model."""
        net = self._timm.create_model(assets["architecture"], pretrained=False, num_classes=0)
        self._take(net, assets["architecture"], Preparation.of(assets["preparation"]))

    def assets(self) -> dict[str, Any]:
        """timm's name of the architecture, and what pictures it was trained on."""
        return {"architecture": self.architecture, "preparation": self.preparation.to_dict()}

    def _take(self, net: nn.Module, architecture: str, preparation: Preparation) -> None:
        self.net, self.architecture, self.preparation = net.eval(), architecture, preparation
        with torch.no_grad():
            encoded = self(self.prepare([Image.new("RGB", (8, 8))]), tokens=True)
        self.width = encoded.pooled.shape[-1]
        self.token_width = None if encoded.tokens is None else encoded.tokens.shape[-1]

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the architecture and the preparation of the pictures."""
        preparation = self.preparation.shaped(self.resize).to_dict()
        return {"weights": weights_hash(self.net), "architecture": self.architecture, "preparation": preparation}

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixel values (B, 3, S, S)."""
        return {"pixel_values": self.preparation.shaped(self.resize)(items)}

    def forward(self, inputs: Inputs, *, tokens: bool = False) -> Encoded:
        """pooled (B, D); tokens (B, T, D') with a mask of all True."""
        net: Any = self.net
        features = net.forward_features(inputs["pixel_values"])
        pooled = net.forward_head(features, pre_logits=True)
        if not tokens:
            return Encoded(pooled)
        places = _places(features, net.num_features)
        return Encoded(pooled, places, torch.ones(places.shape[:2], dtype=torch.bool, device=places.device))


def _places(features: Tensor, channels: int) -> Tensor:
    """A feature map as tokens (B, T, C): timm gives (B, C, H, W), (B, H, W, C) or (B, T, C)."""
    if features.ndim != 4:
        return features
    if features.shape[1] == channels:
        return features.flatten(2).transpose(1, 2)
    return features.flatten(1, 2)
