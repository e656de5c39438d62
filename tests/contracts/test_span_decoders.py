"""What holds for every registered span decoder, with its default options and with others."""

import json
from itertools import pairwise

import numpy as np
import pytest

from multitag.errors import ConfigError, DataError, NotFittedError, RunError
from multitag.spans import SPAN_DECODERS
from multitag.spans.kept import masked
from multitag.spans.tagged import TaggedText
from multitag.types import LabelSpace, Span
from multitag.words import words

SPACE = LabelSpace(("hate", "fear", "doubt"))
OPTIONS = {
    "global_threshold": [{"threshold": 0.4}, {"target": "exact_f1"}],
    "per_label": [{"min_spans": 3, "shrinkage": 0.0}, {"target": "exact_f1", "min_spans": 0}],
    "begin_inside": [{"thresholds": "global"}],
    "crf": [{"path": "viterbi"}, {"thresholds": "global"}],
    "rescored": [{"strength": 1.0, "shrinkage": 5.0}, {"target": "exact_f1"}],
}
COMMON = [{"unit": "token", "bridge": 2}, {"pool": "mean", "gaps": "spaces", "shortest": 4}, {"gaps": "none"}]
CASES = [(name, options) for name in SPAN_DECODERS.names() for options in [{}, *OPTIONS.get(name, []), *COMMON]]
TEXTS = ["They HATE us,\nall of them!", "no  word", "a", "fear and hate and doubt and fear", "", "don't trust\n\nthem"]

pytestmark = pytest.mark.parametrize(("name", "options"), CASES, ids=str)


def width(name):
    return len(SPACE) * (2 if SPAN_DECODERS.get(name).scheme == "begin_inside" else 1)


def tokens_of(text):
    """Words cut in two, so that units and tokens differ."""
    return np.array(
        [
            place
            for a, b in words(text)
            for place in ([(a, (a + b) // 2), ((a + b) // 2, b)] if b - a > 1 else [(a, b)])
        ],
        np.int64,
    ).reshape(-1, 2)


def random_data(name, seed=0, rows=40):
    rng = np.random.default_rng(seed)
    tagged, gold = [], []
    for row in range(rows):
        text = TEXTS[row % len(TEXTS)]
        places = tokens_of(text)
        values = rng.random((len(places), width(name)))
        spans = []
        for k, label in enumerate(SPACE.names):
            if len(places) and rng.random() < 0.5:
                first = int(rng.integers(len(places)))
                last = min(first + int(rng.integers(4)), len(places) - 1)
                spans.append(Span(int(places[first, 0]), int(places[last, 1]), label))
                values[first : last + 1, -len(SPACE) + k] = rng.random(last - first + 1) / 2 + 0.5
        tagged.append(TaggedText(text, places, values))
        gold.append(spans)
    return tagged, gold


def fitted(name, options, tagged, gold):
    return SPAN_DECODERS.build(name, options, SPACE).fit(tagged, gold)


def test_reads_no_words_only_where_they_stand(name, options):
    """A run folder keeps masked texts for another decoder to be fitted on."""
    tagged, gold = random_data(name)
    hidden = [TaggedText(masked(row.text), row.offsets, row.values) for row in tagged]
    assert fitted(name, options, hidden, gold).state() == fitted(name, options, tagged, gold).state()


def test_gives_spans_of_the_text(name, options):
    tagged, gold = random_data(name)
    decoder = SPAN_DECODERS.build(name, options, SPACE)
    assert decoder.fit(tagged, gold) is decoder
    found = decoder.apply(tagged)
    assert len(found) == len(tagged)
    assert any(found)
    for row, spans in zip(tagged, found, strict=True):
        assert list(spans) == sorted(spans, key=lambda s: (s.start, s.stop, SPACE.names.index(s.label)))
        for span in spans:
            assert isinstance(span.start, int)
            assert 0 <= span.start < span.stop <= len(row.text)
            piece = row.text[span.start : span.stop]
            assert piece == piece.strip()
            assert span.label in SPACE.names
            assert len(piece) >= options.get("shortest", 1)
            assert options.get("gaps", "lines") == "lines" or "\n" not in piece
            assert options.get("gaps") != "none" or not any(map(str.isspace, piece))
            if options.get("unit", "word") == "word":
                assert {(span.start, "start"), (span.stop, "stop")} <= {
                    end for a, b in words(row.text) for end in ((a, "start"), (b, "stop"))
                }
        for name_ in SPACE.names:
            own = [span for span in spans if span.label == name_]
            assert all(a.stop <= b.start for a, b in pairwise(own)), "two of one label overlap"


def test_before_fit_it_says_so(name, options):
    decoder = SPAN_DECODERS.build(name, options, SPACE)
    with pytest.raises(NotFittedError, match=r"not fitted. Fix: call fit"):
        decoder.apply([])
    with pytest.raises(NotFittedError, match=r"not fitted. Fix: call fit"):
        decoder.state()


def test_state_survives_json_exactly(name, options):
    tagged, gold = random_data(name)
    decoder = fitted(name, options, tagged, gold)
    state = json.loads(json.dumps(decoder.state(), allow_nan=False))
    again = SPAN_DECODERS.build(name, options, SPACE).load_state(state)
    assert again.state() == decoder.state()
    other = random_data(name, 1)[0]
    assert again.apply(other) == decoder.apply(other)


def test_a_foreign_state_is_refused(name, options):
    with pytest.raises(RunError, match=r"lacks '\w+'; it holds 'colour'"):
        SPAN_DECODERS.build(name, options, SPACE).load_state({"colour": "red"})
    with pytest.raises(RunError, match=r"of the labels one, not of hate, fear, doubt"):
        SPAN_DECODERS.build(name, options, SPACE).load_state({"labels": ["one"], "thresholds": [0.5]})


def test_batch_size_and_order_of_rows_change_nothing(name, options):
    tagged, gold = random_data(name)
    decoder = fitted(name, options, tagged, gold)
    parts = [decoder.apply(tagged[start : start + 7]) for start in range(0, len(tagged), 7)]
    assert [row for part in parts for row in part] == decoder.apply(tagged)
    order = np.random.default_rng(0).permutation(len(tagged))
    moved = fitted(name, options, [tagged[n] for n in order], [gold[n] for n in order])
    np.testing.assert_allclose(moved.state()["thresholds"], decoder.state()["thresholds"], atol=1e-6)


def test_texts_whose_spans_are_not_known_teach_nothing(name, options):
    tagged, gold = random_data(name)
    known = fitted(name, options, tagged[:20], gold[:20])
    more = fitted(name, options, tagged, [*gold[:20], *[None] * 20])
    assert more.state() == known.state()
    with pytest.raises(DataError, match="no text with known spans"):
        fitted(name, options, tagged, [None] * len(tagged))


def test_labels_outside_of_the_space_are_left_out(name, options):
    tagged, gold = random_data(name)
    more = [[*spans, Span(0, 1, "other")] if row.text else spans for row, spans in zip(tagged, gold, strict=True)]
    assert fitted(name, options, tagged, more).state() == fitted(name, options, tagged, gold).state()


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("marked", [True, False], ids=["all marked", "none marked"])
def test_poor_data_work(name, options, level, marked):
    tagged = [
        TaggedText(text, tokens_of(text), np.full((len(tokens_of(text)), width(name)), level)) for text in TEXTS[:4]
    ]
    gold = [[Span(0, len(text), label) for label in SPACE.names] if marked else [] for text in TEXTS[:4]]
    decoder = fitted(name, options, tagged, gold)
    decoder.apply(tagged)
    json.dumps(decoder.state(), allow_nan=False)
    empty = TaggedText("", np.zeros((0, 2), np.int64), np.zeros((0, width(name))))
    assert decoder.apply([empty]) == [()]
    assert decoder.apply([]) == []
    assert SPAN_DECODERS.build(name, options, SPACE).fit([empty], [[]]).apply([empty]) == [()]


def test_wrong_shapes_are_named(name, options):
    tagged, gold = random_data(name)
    with pytest.raises(DataError, match=r"40 texts, but the spans of 39"):
        fitted(name, options, tagged, gold[:-1])
    narrow = [TaggedText(row.text, row.offsets, row.values[:, :2]) for row in tagged]
    with pytest.raises(DataError, match=rf"of 3 labels reads {width(name)} outputs a token\n  text 0: 2"):
        fitted(name, options, narrow, gold)


def test_a_value_out_of_range_is_refused(name, options):
    with pytest.raises(ConfigError, match="option 'bridge' = -1"):
        SPAN_DECODERS.build(name, {**options, "bridge": -1}, SPACE)
