"""Ranges that are usually worth searching, by setting: the annotations only say what is allowed."""

from __future__ import annotations

from multitag.studies.dimension import Choice, Range

USUAL: dict[str, Range | Choice] = {
    "train.lr": Range(1e-4, 1e-2, log=True),
    "train.encoder_lr": Range(1e-5, 3e-4, log=True),
    "train.weight_decay": Range(1e-4, 0.3, log=True),
    "train.batch_size": Choice(("32", "64", "128", "256")),
    "train.epochs": Range(5, 60, log=True),
    "train.min_steps": Range(200, 2000, log=True),
    "train.warmup": Range(0.0, 0.3),
    "train.clip": Range(0.1, 10.0, log=True),
    "train.ema": Choice(("0.0", "0.9", "0.99", "0.995")),
    "train.modality_dropout": Range(0.0, 0.5),
    "train.momentum": Range(0.5, 0.99),
    "train.layer_decay": Range(0.5, 1.0),
    "train.patience": Range(2, 10),
    "data.valid_share": Range(0.1, 0.3),
    "hidden": Range(64, 2048, log=True),
    "size": Choice(("64", "128", "256", "512", "1024")),
    "dim": Choice(("64", "128", "256", "512")),
    "heads": Choice(("1", "2", "4", "8")),
    "embedding": Range(32, 512, log=True),
    "layers": Range(1, 3),
    "dropout": Range(0.0, 0.8),
    "input_dropout": Range(0.0, 0.8),
    "smoothing": Range(0.0, 0.3),
    "gamma": Range(0.0, 5.0),
    "gamma_negative": Range(0.0, 6.0),
    "gamma_positive": Range(0.0, 2.0),
    "alpha": Range(0.05, 0.95),
    "margin": Range(0.0, 0.2),
    "threshold": Range(0.1, 0.9),
    "lora_rank": Choice(("4", "8", "16", "32")),
}
"""By the whole name, or by that of a component's option, whichever component has it."""
