"""Encoders: from pictures or texts to one vector a row, and to tokens where somebody wants them."""

from multitag.encoders.base import Encoder as Encoder
from multitag.encoders.base import Inputs as Inputs
from multitag.registry import Registry

ENCODERS = Registry(
    "encoder",
    {
        "efficientnet_lite": "multitag.encoders.efficientnet_lite:EfficientNetLite",
        "transformers_image": "multitag.encoders.transformers_image:TransformersImage",
        "transformers_text": "multitag.encoders.transformers_text:TransformersText",
        "timm_image": "multitag.encoders.timm_image:TimmImage [timm]",
        "open_clip_image": "multitag.encoders.open_clip_image:OpenClipImage [open-clip]",
        "open_clip_text": "multitag.encoders.open_clip_text:OpenClipText [open-clip]",
        "cnn": "multitag.encoders.cnn:Cnn",
        "lstm": "multitag.encoders.lstm:Lstm",
        "bag_of_ngrams": "multitag.encoders.bag_of_ngrams:BagOfNgrams",
    },
)
