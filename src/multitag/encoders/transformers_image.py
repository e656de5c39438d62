"""Any picture encoder of the transformers library, the picture towers of CLIP and SigLIP among them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

import torch
from PIL import Image
from pydantic import Field

from multitag.encoders import hub
from multitag.encoders.architecture import check_architecture, picture_size, plain_processor, untrained
from multitag.encoders.base import Encoder, Inputs, weights_hash
from multitag.encoders.lora import Alpha, Dropout, Lora, Rank, Targets, merge_adapters
from multitag.encoders.resizing import Resize, squared
from multitag.errors import ConfigError
from multitag.types import Encoded, Modality


class TransformersImage(Encoder):
    """A picture encoder by its Hugging Face name or local folder, through transformers' AutoModel.

    A model with two towers (CLIP, SigLIP) gives its projected picture embedding as the pooled vector. Tokens are the
    last hidden state: patches, with the class token where the model has one, or the grid of a convolutional network.
    The pictures are prepared by the model's own image processor, whose scaling of pixels always stays.

    Args:
        model: A Hugging Face name or a local folder.
        normalize: Scale the pooled vector to length 1, as CLIP's cosines do.
        resize: How a picture becomes a square: as the ``"model"`` has it, ``"stretch"``, ``"crop"`` to the middle, or
            ``"pad"`` with grey.
        size: Side of that square in pixels; the ``"model"``'s own by default. Others are for convolutional networks.
        architecture: An untrained network of this configuration instead of `model`, such as
            ``{model_type = "resnet", layer_type = "basic", depths = [3, 4, 6, 3], hidden_sizes = [64, 128, 256, 512]}``
            (ResNet-34): `model_type` and any keys of its config.json. It needs no hub, and must train with the model
            (``frozen = false``). Pictures are stretched to 224, or the configuration's size, and scaled to -1..1.
        lora_rank: Train low-rank adapters of this rank, and not the network's own weights, with ``frozen = false``
            (needs the `lora` extra); 0 trains the weights. After training they are merged: the run needs no peft.
            They bear a higher `train.encoder_lr` than weights do, such as 3e-4.
        lora_alpha: The adapters' weight beside the network's own is lora_alpha / lora_rank.
        lora_dropout: Of what the adapters read.
        lora_targets: ``"auto"`` adapts the linear maps that peft names for this kind of network, all where it names
            none; ``"all-linear"`` all.

    Raises:
        WeightsError: The weights are neither in a folder, nor in a package, nor to be had from the hub.
        ConfigError: The configuration is not one of transformers', or takes no pictures.
    """

    modality: ClassVar[Modality] = "image"

    def __init__(
        self,
        *,
        model: str = "openai/clip-vit-base-patch32",
        normalize: bool = False,
        resize: Literal["model"] | Resize = "model",
        size: Literal["model"] | Annotated[int, Field(ge=16, le=2048)] = "model",
        architecture: dict[str, Any] | None = None,
        lora_rank: Rank = 0,
        lora_alpha: Alpha = 16.0,
        lora_dropout: Dropout = 0.0,
        lora_targets: Targets = "auto",
    ) -> None:
        super().__init__()
        self.lora = Lora(lora_rank, lora_alpha, lora_dropout, lora_targets) if lora_rank else None
        if architecture is not None and lora_rank:
            raise ConfigError("option 'architecture' is an untrained network: adapters are for pretrained ones")
        self.model = model
        self.normalize = normalize
        self.resize: Literal["model"] | Resize = resize
        self.size: Literal["model"] | int = size
        self.architecture = architecture
        self.from_scratch = architecture is not None
        if architecture is not None:
            check_architecture(architecture)
        elif resize == "model" and size != "model":
            raise ConfigError(f"option 'size' = {size}: say how, too. Fix: resize = 'stretch', 'crop' or 'pad'")

    def load(self) -> None:
        """Load the weights and the image processor, or build an untrained network."""
        if self.architecture is None:
            self.net = hub.load_tower(self.model, "image")
            self.processor = hub.load_image_processor(self.model)
            self._try_size()
            if self.lora is not None:
                self.lora.adapt(self.net, self.model)
            return
        with untrained(self.architecture):
            self.net = hub.build_tower(self.architecture, "image")
            self.processor = plain_processor(picture_size(self.architecture) if self.size == "model" else self.size)
            self._measure()

    def _try_size(self) -> None:
        try:
            self._measure()
        except (RuntimeError, ValueError) as error:  # transformers' networks name the fault in either way
            if self.size == "model":
                raise
            raise ConfigError(
                f"option 'size' = {self.size}: the model '{self.model}' takes no such pictures ({error}). "
                f"Fix: size = 'model'"
            ) from error

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

    def settle(self) -> None:
        """Merge the adapters, where there are any."""
        if self.lora is not None:
            merge_adapters(self.net)

    def identity(self) -> dict[str, Any]:
        """The weights' hash, the processor's settings, the resizing and the pooling."""
        processor = json.dumps(hub.processor_config(self.processor), sort_keys=True, default=str)
        # The model's own resizing goes without saying: features stored before there was a choice stay good.
        shape = {} if self.resize == "model" else {"resize": self.resize, "size": self._side()}
        return {
            **shape,
            "weights": weights_hash(self.net),
            "processor": hashlib.sha256(processor.encode()).hexdigest(),
            "normalize": self.normalize,
        }

    def prepare(self, items: Sequence[Image.Image]) -> Inputs:
        """Pixel values (B, 3, H, W) by the model's own processor, or by ours as far as the shape goes."""
        pictures = list(items)
        if self.resize == "model":
            return {"pixel_values": self.processor(images=pictures, return_tensors="pt")["pixel_values"]}
        pictures = [squared(picture, self._side(), self.resize) for picture in pictures]
        # A processor is asked for no more than it knows of.
        known = hub.processor_config(self.processor)
        keep = {name: False for name in ("do_resize", "do_center_crop", "do_pad") if name in known}
        return {"pixel_values": self.processor(images=pictures, return_tensors="pt", **keep)["pixel_values"]}

    def _side(self) -> int:
        """The side of our own squares."""
        return hub.processed_size(self.processor) if self.size == "model" else self.size

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
