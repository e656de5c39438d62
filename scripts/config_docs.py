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
    "train.stages": config.StageConfig,
    "pseudo": config.PseudoConfig,
    "teacher": config.TeacherConfig,
    "joint": config.JointConfig,
    "decision": config.DecisionConfig,
    "store": config.StoreConfig,
}
MEANINGS = {
    "data.image": 'The column with pictures. Found by its usual names where it is not set; `""` says there is none.',
    "data.text": "The column with texts. A list of columns is joined by spaces.",
    "data.labels": "The column with labels, or a list of columns of 0 and 1.",
    "data.id": "The column that names a row.",
    "data.group": "Rows of one group never end up on both sides of a split.",
    "data.spans": "The column with spans, for the task of spans. Found by what it holds where it is not set.",
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
    "train.epochs": "At most so many passes over the rows, where there are no stages.",
    "train.min_steps": "At least so many steps in all: a small table is gone through more often than `epochs` says.",
    "train.batch_size": "Rows in one step.",
    "train.optimizer": "The rule by which weights move. `adamw` and `nadam` decay weights apart from the gradient; "
    "`adam` and `sgd` add the decay to the gradient.",
    "train.lr": "The highest learning rate of fusion and heads.",
    "train.encoder_lr": "The highest learning rate of encoders that are not frozen.",
    "train.layer_decay": "Layer l of an encoder with n layers learns at `encoder_lr` times this to the power n - l: "
    "what is near the input moves less. 1 is one rate for all.",
    "train.weight_decay": "How fast weights shrink; biases and norms do not.",
    "train.momentum": "Of `sgd`.",
    "train.nesterov": "Whether `sgd` looks ahead (Nesterov's momentum).",
    "train.schedule": "How the learning rate falls after the warm-up: to 0 along a cosine or a line, not at all, or by "
    "steps. `one_cycle` (Smith 2018) has a rise of its own, from 1/25 over 30 % of all steps, and falls to 1/250,000.",
    "train.warmup": "The share of all steps in which the learning rate rises from 0; not for `one_cycle`.",
    "train.step_epochs": "The `step` schedule multiplies the learning rate after every so many epochs; they grow with "
    "`min_steps` as `epochs` do.",
    "train.step_factor": "By this.",
    "train.clip": "The longest gradient; longer ones are scaled down.",
    "train.ema": "Average the weights over the steps, keeping this share of the average in each (0.999, say; less in "
    "the first steps). Validation, the best epoch and the saved model have the averaged weights. 0 is off.",
    "train.modality_dropout": "The share of steps in which all pictures or all texts are hidden, so that rows "
    "without one are predicted well. Never both.",
    "train.validate_every": "Look at the held-out rows after each so many epochs of a stage, and after its last; "
    "`patience` counts these looks. An encoder that trains for few epochs takes a quarter of its time to be looked at "
    "after each.",
    "train.monitor": "What chooses the best epoch on held-out rows: `calibrated_loss`, `loss` or a "
    "[metric](components/metrics.md). `last`: none is chosen, all epochs are trained and the last one stays.",
    "train.patience": "Stop after so many epochs without a better one; with stages, go on to the next.",
    "train.precision": "What the network computes in; `auto` is bfloat16 where the machine has matrix units for it. "
    "Encoders that train predict in it too, where the machine is fast in it.",
    "train.checkpoint_seconds": "Save the state at most this often.",
    "train.stages": "[Stages](#trainstages), one after another.",
    "train.stages.epochs": "At most so many passes over the rows; a small table is gone through more often, see "
    "`min_steps`.",
    "train.stages.train": "What trains: `heads` (fusion, heads and missing tokens) and encoders by name. Everything "
    "else stays as it is.",
    "train.stages.lr_scale": "By what a part's learning rate is multiplied, where it is not 1: `{ text = 0.1 }`.",
    "train.folds": "2 or more: train so many models, each on all rows but one part, which chooses its epoch, and "
    "average their logits. Calibration and decision are fitted on all rows, each predicted by the model that did not "
    'see it. `"auto"`: 5 where only heads train, on tables of 50 to 50,000 rows, and no validation rows are given; '
    "else none, and a share of the rows is held out.",
    "train.seeds": "Train so many models from seeds `seed`, `seed` + 1 and so on, and average their logits.",
    "train.max_size": "Refuse to train a model whose weights, frozen encoders included, are larger.",
    "train.time_limit": "How long the whole fit may take ([how it is kept](presets.md#time-limit)).",
    "train.tracker": "Tell an experiment tracker the settings, each epoch's losses, scores and rates, and the final "
    "scores. TensorBoard's files are in the run folder, under `tracker`. Each is an extra: "
    "`pip install 'multitag[tensorboard]'`.",
    "pseudo.high": "A label of this calibrated probability or more is taken to be there.",
    "pseudo.low": "One of this or less is taken not to be; between the two it is not known.",
    "pseudo.weight": "How much a pseudo-labelled row counts in the loss, a labelled one 1. With 0 the student "
    "is the teacher.",
    "pseudo.rounds": "How many students, each taught by the one before.",
    "teacher.weight": "How much the teacher's probability of a label counts beside the label itself. 1 is the teacher "
    "alone, 0 asks it nothing. Where a label is not known, the teacher's probability is learned alone.",
    "joint.weight": "How much the mean loss of rows counts beside the mean loss of tokens.",
    "joint.labels": "Learn which labels a row's spans bear, and the labels that the table gives the row itself, where "
    "it does; or those of the spans alone.",
    "joint.gate": "A token's probability of a label is multiplied by this power of the probability that the row has a "
    "span of it. 0 leaves it as it is.",
    "joint.names": "The rows' own labels; a training fills them in.",
    "decision.fit_on": "The validation rows, or all rows, each predicted by a model that was not trained on it.",
    "decision.folds": "How many models `out_of_fold` trains.",
    "store.path": 'The folder of the feature store. `"auto"` is `$MULTITAG_STORE`, or the user\'s cache folder.',
    "store.runtime": "What runs frozen encoders.",
    "store.precision": "What frozen encoders compute in; all but float32 are faster and less exact "
    "([how much](performance.md)). `auto` is bfloat16 where machine and packages can, else float32. Each precision has "
    "features of its own in the store.",
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
        default = "needed" if field.is_required() else "not set" if field.default is None else code(field.default)
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
