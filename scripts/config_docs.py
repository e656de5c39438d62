"""Make the tables of docs/configuration.md from the configuration's classes: python scripts/config_docs.py"""

from __future__ import annotations

from typing import Any, get_type_hints

from describe import DOCS, accepted, code, table

from multitag import config

PAGE = DOCS / "configuration.md"
SECTIONS: dict[str, type[Any]] = {
    "data": config.DataConfig,
    "augment": config.AugmentConfig,
    "train": config.TrainConfig,
    "decision": config.DecisionConfig,
    "store": config.StoreConfig,
}
MEANINGS = {
    "data.image": 'The column with pictures. Found by its usual names where it is not set; `""` says there is none.',
    "data.text": "The column with texts. A list of columns is joined by spaces.",
    "data.labels": "The column with labels, or a list of columns of 0 and 1.",
    "data.id": "The column that names a row.",
    "data.group": "Rows of one group never end up on both sides of a split.",
    "data.separator": "What stands between two labels in a cell.",
    "data.label_names": "All labels, where they are known beforehand. A label outside the list is an error.",
    "data.on_bad_image": "A picture that cannot be used: stop and list them all, or take the row without a picture.",
    "data.max_pixels": "A picture with more pixels cannot be used.",
    "data.valid_share": "The share of rows held out where no validation table is given.",
    "augment.steps": "[Augmentations](components/augmentations.md), one after another, each a table with its `name` "
    "and options: `[[augment.steps]]`. They change training rows only, and only for encoders that train.",
    "augment.rare": "A label that a share f of the rows has, less than this, is seen sqrt(rare / f) times as often: "
    "rows with it come again in the same epoch, each time changed in another way (repeat factor sampling, Gupta et al. "
    "2019). 0 repeats nothing.",
    "train.epochs": "At most so many passes over the rows.",
    "train.min_steps": "At least so many steps in all: a small table is gone through more often than `epochs` says.",
    "train.batch_size": "Rows in one step.",
    "train.lr": "The highest learning rate of fusion and heads.",
    "train.encoder_lr": "The highest learning rate of encoders that are not frozen.",
    "train.weight_decay": "AdamW's decoupled weight decay.",
    "train.warmup": "The share of all steps in which the learning rate rises from 0.",
    "train.schedule": "How the learning rate falls afterwards.",
    "train.clip": "The longest gradient; longer ones are scaled down.",
    "train.modality_dropout": "The share of rows whose picture or text is hidden in a step, so that rows without one "
    "are predicted well. Never both.",
    "train.monitor": "What chooses the best epoch: `loss` or a [metric](components/metrics.md), on held-out rows.",
    "train.patience": "Stop after so many epochs without a better one.",
    "train.precision": "What the network computes in.",
    "train.checkpoint_seconds": "Save the state at most this often.",
    "train.folds": "2 or more: train so many models, each on all rows but one part, which chooses its epoch, and "
    "average their logits. Calibration and decision are fitted on all rows, each predicted by the model that did not "
    "see it.",
    "train.seeds": "Train so many models from seeds `seed`, `seed` + 1 and so on, and average their logits.",
    "train.max_size": "Refuse to train a model whose weights, frozen encoders included, are larger.",
    "decision.fit_on": "The validation rows, or all rows, each predicted by a model that was not trained on it.",
    "decision.folds": "How many models `out_of_fold` trains.",
    "store.path": 'The folder of the feature store. `"auto"` is `$MULTITAG_STORE`, or the user\'s cache folder.',
    "store.runtime": "What runs frozen encoders.",
}


def tables() -> dict[str, list[str]]:
    """The table of each section."""
    return {section: _table(section, model) for section, model in SECTIONS.items()}


def _table(section: str, model: type[Any]) -> list[str]:
    hints = get_type_hints(model, include_extras=True)
    rows = []
    for name, field in model.model_fields.items():
        if name == "name":
            continue
        meaning = MEANINGS.get(f"{section}.{name}")
        if meaning is None:
            raise SystemExit(f"say in scripts/config_docs.py what {section}.{name} means")
        default = "not set" if field.default is None else code(field.default)
        rows.append([f"`{name}`", accepted(hints[name]), default, meaning])
    return table(["setting", "accepted", "default", "meaning"], rows)


def filled(text: str) -> str:
    """The page with its tables made anew."""
    for section, lines in tables().items():
        begin, end = f"<!-- {section}: made by scripts/config_docs.py -->", f"<!-- {section}: end -->"
        head, rest = text.split(begin)
        text = head + "\n".join([begin, "", *lines, "", end]) + rest.split(end)[1]
    return text


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text("utf-8")), "utf-8")
