"""Augmentation: training rows changed at random in ways that leave their labels true."""

from multitag.augment.base import BatchAugmentation as BatchAugmentation
from multitag.augment.base import PictureAugmentation as PictureAugmentation
from multitag.augment.base import TextAugmentation as TextAugmentation
from multitag.registry import Registry

AUGMENTATIONS = Registry(
    "augmentation",
    {
        "flip": "multitag.augment.flip:Flip",
        "rotate": "multitag.augment.rotate:Rotate",
        "crop": "multitag.augment.crop:Crop",
        "colour": "multitag.augment.colour:Colour",
        "rand_augment": "multitag.augment.rand_augment:RandAugment",
        "word_dropout": "multitag.augment.word_dropout:WordDropout",
        "shuffle": "multitag.augment.shuffle:Shuffle",
        "mixup": "multitag.augment.mixup:Mixup",
        "cutmix": "multitag.augment.cutmix:Cutmix",
    },
)
