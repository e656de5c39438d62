"""Texts: their lengths before and after cleaning, and the words of each label (seed 003, figures 5 and 6, table 2)."""

from __future__ import annotations

from collections import Counter

from multitag.encoders.cleaning import Cleaning
from multitag.pages.data.split import Split, Splits
from multitag.report import Beside, Block, Column, Section, Table, Tile, Tiles, charts

WORDS_A_LABEL = 12


def texts(splits: Splits, cleaning: Cleaning) -> Section | None:
    """The section on texts, if there are any.

    Args:
        splits: The tables.
        cleaning: The cleaning that lengths are compared by; its stems are not used for the words of labels.
    """
    every = [text for split in splits.all for text in split.texts]
    if not every:
        return None
    before = [text.split() for text in every]
    after = [cleaning.words(text) for text in every]
    blocks: list[Block] = [
        Tiles(
            "Vocabulary",
            (
                Tile("different words as written", len({word for words in before for word in words})),
                Tile("different words after cleaning", len({word for words in after for word in words})),
                Tile("texts with no word left", sum(not words for words in after)),
            ),
        ),
        Beside(
            (
                charts.histogram(
                    "Words a text",
                    {"as written": [len(w) for w in before], "after cleaning": [len(w) for w in after]},
                    value="words",
                ),
                charts.histogram(
                    "Characters a text",
                    {split.name: [len(text) for text in split.texts] for split in splits.all if split.texts},
                    value="characters",
                    share=len(splits.all) > 1,
                ),
            )
        ),
        Table(
            "Cleaning, by example",
            (Column("as written"), Column("after cleaning")),
            [(text, " ".join(words)) for text, words in zip(every[:4], after[:4], strict=True)],
        ),
    ]
    if splits.labelled and splits.labels:
        blocks += _words_of_labels(splits, Cleaning(word_form="as_is", language=cleaning.language))
    intro = f"Cleaning: lower case, no punctuation, no stop words, word stems ({cleaning.language})."
    return Section("Texts", blocks, intro)


def _words_of_labels(splits: Splits, cleaning: Cleaning) -> list[Block]:
    """For each label the words that its rows have more often than others, by a z-score of log odds.

    The z-score is the log odds ratio over its standard error, each count raised by a half: Monroe, Colaresi and
    Quinn (2008, equation 16 and 22) with an even prior.
    """
    everywhere: Counter[str] = Counter()
    of_label: dict[str, Counter[str]] = {name: Counter() for name in splits.labels}
    rows_of: Counter[str] = Counter()
    total = 0
    for names, words in _labelled_words(splits.labelled, cleaning):
        total += 1
        everywhere.update(words)
        for name in names:
            rows_of[name] += 1
            of_label[name].update(words)
    rows, best = [], []
    for name in splits.labels:
        inside, others = rows_of[name], total - rows_of[name]
        scored = []
        for word, count in of_label[name].items():
            outside = everywhere[word] - count
            if count < 2 or len(word) < 2 or word.isdigit() or count * max(others, 1) <= outside * inside:
                continue
            scored.append((_z(count, inside, outside, others), word, count, outside))
        scored.sort(key=lambda entry: (-entry[0], entry[1]))
        best.append((name, inside, [word for _, word, _, _ in scored[:WORDS_A_LABEL]]))
        rows += [
            (name, word, count, count / inside, outside / others if others else None, z)
            for z, word, count, outside in scored[:WORDS_A_LABEL]
        ]
    return [
        Table(
            "Words of each label",
            (Column("label"), Column("rows", "number", digits=0, help="With a text."), Column("words", "labels")),
            best,
            note="The words that most set the label's texts apart from the others, the surest first.",
            shown=40,
        ),
        Table(
            "Words of each label, in numbers",
            (
                Column("label", choice=True),
                Column("word"),
                Column("rows", "number", digits=0, help="Rows with the label and the word."),
                Column("of its rows", "share"),
                Column("of other rows", "share"),
                Column("z", "number", digits=1, help="How sure the difference is: log odds over their standard error."),
            ),
            rows,
            limit=4000,
            shown=10,
        ),
    ]


def _labelled_words(splits: list[Split], cleaning: Cleaning) -> list[tuple[tuple[str, ...], set[str]]]:
    """The labels and the different words of each row that has both."""
    return [
        (sample.labels, set(cleaning.words(sample.text)))
        for split in splits
        for sample in split.samples
        if sample.labels is not None and sample.text is not None
    ]


def _z(count: int, inside: int, outside: int, others: int) -> float:
    """The z-score of a word's log odds in the label's rows against the others'."""
    from math import log, sqrt

    with_it = log((count + 0.5) / (inside - count + 0.5))
    without = log((outside + 0.5) / (others - outside + 0.5))
    return (with_it - without) / sqrt(1 / (count + 0.5) + 1 / (outside + 0.5))
