"""Spans out of every format, the same; bad offsets, all of them; spans written and read again."""

from __future__ import annotations

import json
import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from multitag.data.columns import Columns
from multitag.data.table import iter_table, read_table
from multitag.data.write_spans import SpanWriter
from multitag.errors import DataError
from multitag.types import LabelSpace, Sample, Span, SpanPredictions
from shared import SHARED, requires_shared

TEXT = "HATE the\n\nWÖRLD 👍 now"
SPANS = (Span(0, 4, "fear"), Span(0, 15, "doubt"), Span(10, 15, "fear"), Span(16, 21, "hate speech"))
TRIPLES = [[s.start, s.stop, s.label] for s in SPANS]


def objects(start="start", stop="end", label="label", fragment=None):
    return [
        {start: s.start, stop: s.stop, label: s.label} | ({fragment: TEXT[s.start : s.stop]} if fragment else {})
        for s in SPANS
    ]


def label_studio():
    def units(place):
        return len(TEXT[:place].encode("utf-16-le")) // 2

    result = [
        {
            "type": "labels",
            "from_name": "label",
            "to_name": "text",
            "value": {
                "start": units(s.start),
                "end": units(s.stop),
                "text": TEXT[s.start : s.stop],
                "labels": [s.label],
            },
        }
        for s in SPANS
    ]
    result.append(
        {"type": "choices", "from_name": "kind", "to_name": "text", "value": {"choices": ["smears", "doubt"]}}
    )
    wrong = {"was_cancelled": True, "result": result[:1]}
    return [
        {"id": 7, "data": {"text": TEXT}, "annotations": [wrong, {"was_cancelled": False, "result": result}]},
        {"id": 8, "data": {"text": "nothing"}, "annotations": [{"result": []}]},
        {"id": 9, "data": {"text": "not yet"}, "annotations": []},
    ]


OTHERS = [("nothing", []), ("not yet", None)]
LINES = {
    "spans": [{"text": TEXT, "spans": objects()}, *({"text": t, "spans": s} for t, s in OTHERS)],
    "semeval": [
        {"id": "7", "text": TEXT, "labels": objects(label="technique", fragment="text_fragment")},
        *({"id": t, "text": t, "labels": s} for t, s in OTHERS),
    ],
    "doccano": [{"id": 7, "text": TEXT, "label": TRIPLES}, *({"id": t, "text": t, "label": s} for t, s in OTHERS)],
    "doccano with relations": [
        {"text": TEXT, "entities": objects("start_offset", "end_offset"), "relations": []},
        *({"text": t, "entities": s, "relations": []} for t, s in OTHERS),
    ],
    "spacy documents": [{"text": TEXT, "ents": objects()}, *({"text": t, "ents": s} for t, s in OTHERS)],
    "spacy groups": [
        {"text": TEXT, "spans": {"sc": objects()[:2], "more": objects()[2:]}},
        *({"text": t, "spans": None if s is None else {"sc": s}} for t, s in OTHERS),
    ],
    "prodigy": [
        {"text": TEXT, "spans": objects(fragment="text"), "answer": "accept"},
        {"text": "nothing", "spans": [], "answer": "accept"},
        {"text": "not yet", "spans": [{"start": 0, "end": 3, "label": "fear"}], "answer": "reject"},
    ],
    "label studio": label_studio(),
    "label studio, short": [
        {"id": 7, "text": TEXT, "label": [{"start": s.start, "end": s.stop, "labels": [s.label]} for s in SPANS]},
        *({"id": t, "text": t, "label": s} for t, s in OTHERS),
    ],
}
PAIRS = {
    "spacy training data": [
        [TEXT, {"entities": TRIPLES}],
        ["nothing", {"entities": []}],
        ["not yet", {"entities": None}],
    ],
    "annotator": {
        "classes": ["fear"],
        "annotations": [
            [TEXT, {"entities": TRIPLES}],
            None,
            ["nothing", {"entities": []}],
            ["not yet", {"entities": None}],
        ],
    },
}


def check(samples):
    assert [(s.text, s.spans) for s in samples] == [(TEXT, SPANS), ("nothing", ()), ("not yet", None)]


@pytest.mark.parametrize("kind", [*LINES, *PAIRS])
@pytest.mark.parametrize("ending", ["json", "txt"])
def test_json_of_every_kind(tmp_path, kind, ending):
    path = tmp_path / f"t.{ending}"
    path.write_text(json.dumps({**LINES, **PAIRS}[kind], indent=1), "utf-8")
    table = read_table(path)
    check(table.samples)
    table.require_spans()
    assert not table.warnings


@pytest.mark.parametrize("kind", [*LINES, "spacy training data"])
def test_jsonl_of_every_kind(tmp_path, kind):
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in {**LINES, **PAIRS}[kind]), "utf-8")
    check(read_table(path).samples)
    check([sample for part in iter_table(path, chunk_rows=1) for sample in part.samples])


def test_parquet_frames_and_csv(tmp_path):
    frame = pl.DataFrame(LINES["spans"])
    check(read_table(frame).samples)
    frame.write_parquet(tmp_path / "t.parquet")
    check(read_table(tmp_path / "t.parquet").samples)
    cells = frame.with_columns(
        pl.Series("spans", [None if row["spans"] is None else json.dumps(row["spans"]) for row in LINES["spans"]])
    )
    cells.write_csv(tmp_path / "t.csv")
    check(read_table(tmp_path / "t.csv").samples)


def test_choices_of_label_studio_are_labels_of_the_row(tmp_path):
    (tmp_path / "t.json").write_text(json.dumps(label_studio()))
    table = read_table(tmp_path / "t.json")
    assert [sample.id for sample in table.samples] == ["7", "8", "9"]
    assert table.samples[0].labels == ("smears", "doubt")


def test_the_ground_truth_of_several_annotations_is_taken(tmp_path):
    tasks = label_studio()
    tasks[0]["annotations"].append({"ground_truth": True, "result": []})
    (tmp_path / "t.json").write_text(json.dumps(tasks))
    assert read_table(tmp_path / "t.json").samples[0].spans == ()


CONLL = """-DOCSTART- -X- O O

# id = one
HATE NN B-fear B-doubt
the DT O I-doubt
WÖRLD NN I-fear I-doubt
. . O O

# text = No, no!
No NN B-fear O
, , B-fear O
no NN U-fear O
! ! O S-doubt
"""


def test_conll_columns(tmp_path):
    (tmp_path / "t.conll").write_text(CONLL, "utf-8")
    table = read_table(tmp_path / "t.conll")
    first, second = table.samples
    assert first.text == "HATE the WÖRLD ."
    assert first.spans == (Span(0, 4, "fear"), Span(0, 14, "doubt"), Span(9, 14, "fear"))
    assert second.text == "No, no!"
    assert second.spans == (Span(0, 2, "fear"), Span(2, 3, "fear"), Span(4, 6, "fear"), Span(6, 7, "doubt"))
    assert table.format == "conll"
    assert table.warnings == ("spans are from 2 columns of tags: 3, 4",)
    assert first.source == "t.conll:4"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a O\nb O O\n", r"t.conll:2 has 3 columns, not 2"),
        ("a x\nb y\n", r"has no column of tags \(O, B-label"),
        ("# text = a c\na O\nb O\n", r"t.conll:3: 'b' is not in the rest of the text, ' c'"),
        ("# json_text = x\na O\n", r"json_text is no JSON"),
    ],
)
def test_bad_columns_are_named(tmp_path, content, words):
    (tmp_path / "t.conll").write_text(content)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / "t.conll")


def test_all_bad_offsets_are_listed_with_their_rows(tmp_path):
    def row(name, *marks):
        return {"id": name, "text": "HATE it", "labels": list(marks)}

    def mark(start, end, fragment=None, **more):
        return {"start": start, "end": end, "technique": "x", "text_fragment": fragment} | more

    rows = [
        row("a", mark(0, 4, "HATE"), mark(0, 9), mark(3, 3)),
        row("b", mark(0, 4, "HAT"), mark(-1, 4), mark(5, 2)),
        row(
            "c",
            {"start": 0, "technique": "x"},
            {"start": 0, "end": 2},
            mark("0", 4),
            mark(1.5, 4),
            mark(0, 1, technique=""),
        ),
        row("d", mark(8, 9)),
    ]
    (tmp_path / "t.json").write_text(json.dumps(rows))
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "t.json")
    assert re.sub(r"spans of \S+ cannot", "spans of T cannot", str(caught.value)).splitlines() == [
        "11 spans of T cannot be used",
        "  t.json: item 1 (id 'a'), span 2, 0-9 'x': ends beyond the text, which has 7 characters",
        "  t.json: item 1 (id 'a'), span 3, 3-3 'x': is empty",
        "  t.json: item 2 (id 'b'), span 1, 0-4 'x': holds 'HATE', not 'HAT'",
        "  t.json: item 2 (id 'b'), span 2, -1-4 'x': starts before the text",
        "  t.json: item 2 (id 'b'), span 3, 5-2 'x': is empty",
        "  t.json: item 3 (id 'c'), span 1 has no 'end'; it has 'start', 'technique'",
        "  t.json: item 3 (id 'c'), span 2 has no 'label'; it has 'start', 'end'",
        "  t.json: item 3 (id 'c'), span 3 has the start '0', which is no number of characters",
        "  t.json: item 3 (id 'c'), span 4 has the start 1.5, which is no number of characters",
        "  t.json: item 3 (id 'c'), span 5 (0-1) has no label",
        "  t.json: item 4 (id 'd'), span 1, 8-9 'x': ends beyond the text, which has 7 characters",
        "Fix: offsets count characters of the text from 0, and the end is the character after the last.",
    ]


def test_lines_are_named_where_there_are_lines(tmp_path):
    (tmp_path / "t.jsonl").write_text(
        '{"text": "a", "spans": []}\n\n{"text": "a", "spans": [{"start": 0, "end": 2, "label": "x"}]}'
    )
    with pytest.raises(DataError, match=r"  t.jsonl:3 \(id '2'\), span 1, 0-2 'x': ends beyond"):
        read_table(tmp_path / "t.jsonl")


def test_labels_that_are_not_in_the_list_are_named(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps(LINES["spans"]))
    assert read_table(path, span_names=["fear", "doubt", "hate speech"]).span_names == ("fear", "doubt", "hate speech")
    with pytest.raises(DataError, match=r"2 labels of spans of .* not among the 2 given\n  t.json: item 1: 'doubt'"):
        read_table(path, span_names=["fear", "flag"])
    with pytest.raises(DataError, match=r"1 labels of spans of the list of samples"):
        read_table([Sample("1", text="ab", spans=(Span(0, 1, "x"),))], span_names=["y"])


def test_a_column_of_spans_is_no_column_of_labels(tmp_path):
    path = tmp_path / "t.json"
    path.write_text(json.dumps([{"text": "ab", "labels": [{"start": 0, "end": 1, "label": "x"}], "tags": ["a", "b"]}]))
    table = read_table(path)
    assert (table.columns.spans, table.columns.labels) == ("labels", "tags")
    assert table.samples[0].labels == ("a", "b")
    path.write_text(json.dumps(LINES["semeval"]))
    with pytest.raises(
        DataError, match=r"marks spans of the text \(column 'labels'\), and has no labels of whole rows"
    ):
        read_table(path).require_labels()
    path.write_text(json.dumps([{"text": "ab", "labels": ["x"]}]))
    with pytest.raises(DataError, match=r"has no column with spans. Its columns: 'text', 'labels'"):
        read_table(path).require_spans()


def test_columns_can_be_said(tmp_path):
    path = tmp_path / "t.json"
    rows = [{"title": "ab", "text": "cd", "marks": [{"start": 0, "end": 2, "label": "x", "text": "ab"}], "spans": []}]
    path.write_text(json.dumps(rows))
    table = read_table(path, columns=Columns(text="title", spans="marks"))
    assert table.samples[0].spans == (Span(0, 2, "x"),)
    assert read_table(path, columns=Columns(spans="")).samples[0].spans is None
    with pytest.raises(DataError, match=r"2 columns are joined: 'title', 'text'"):
        read_table(path, columns=Columns(text=("title", "text")))
    with pytest.raises(DataError, match="no column 'mark' for the spans; did you mean 'marks'"):
        read_table(path, columns=Columns(spans="mark"))


def test_pictures_and_label_sets_come_from_the_sister_file(tmp_path):
    marks = [{"start": 0, "end": 1, "technique": "x", "text_fragment": "a"}]
    two = [{"id": "1", "text": "ab", "labels": marks}, {"id": "2", "text": "b", "labels": []}]
    (tmp_path / "dev_task2.json").write_text(json.dumps(two))
    assert [s.labels for s in read_table(tmp_path / "dev_task2.json").samples] == [None, None]
    three = [{"id": "1", "text": "ab", "image": "1.png", "labels": ["x", "y"]}, {"id": "9", "labels": ["z"]}]
    (tmp_path / "dev_task1.json").write_text(json.dumps([{"id": "1", "text": "ab", "labels": ["x"]}]))
    assert [s.labels for s in read_table(tmp_path / "dev_task2.json").samples] == [("x",), None]
    (tmp_path / "dev_task3.json").write_text(json.dumps(three))
    table = read_table(tmp_path / "dev_task2.json")
    assert [(s.image, s.labels, s.spans) for s in table.samples] == [
        (tmp_path / "1.png", ("x", "y"), (Span(0, 1, "x"),)),
        (None, None, ()),
    ]
    assert table.warnings == ("pictures and labels of whole rows are from dev_task3.json, by the rows' ids",)


@requires_shared("semeval2021_memes")
@pytest.mark.parametrize(("part", "rows", "spans", "none"), [("train", 687, 1498, 142), ("dev", 63, 182, 15)])
def test_the_tasks_own_files(part, rows, spans, none):
    folder = SHARED / "semeval2021_memes"
    table = read_table(folder / f"{part}_task2.json", images=folder / "images")
    assert len(table) == rows
    assert sum(len(sample.spans) for sample in table.samples) == spans
    assert sum(sample.spans == () for sample in table.samples) == none
    assert all(sample.image.is_file() for sample in table.samples)
    assert all({span.label for span in sample.spans} <= set(sample.labels) for sample in table.samples)
    assert len(LabelSpace.from_spans(table.samples)) <= 20


SPACE = LabelSpace(("doubt", "fear", "hate speech"))
ROWS = SpanPredictions(("7", "8", "9"), SPACE, (TEXT, "nothing", None), (SPANS, (), ()))


def write(path, *parts):
    with SpanWriter(path, SPACE) as writer:
        for part in parts:
            writer.write(part)
    return path


@pytest.mark.parametrize("ending", ["json", "jsonl", "conll"])
def test_what_is_written_is_read_again(tmp_path, ending):
    samples = read_table(write(tmp_path / f"p.{ending}", ROWS)).samples
    assert [(s.id, s.text, s.spans) for s in samples] == [("7", TEXT, SPANS), ("8", "nothing", ()), ("9", None, ())]


def test_semevals_json_by_hand(tmp_path):
    one = SpanPredictions(("a",), SPACE, ("no no",), ((Span(0, 4, "fear"), Span(3, 5, "fear"), Span(0, 2, "doubt")),))
    path = write(tmp_path / "p.json", one, one)
    row = {
        "id": "a",
        "text": "no no",
        "labels": [
            {"start": 0, "end": 2, "technique": "doubt", "text_fragment": "no"},
            {"start": 0, "end": 5, "technique": "fear", "text_fragment": "no no"},
        ],
    }
    assert json.loads(path.read_text("utf-8")) == [row, row]
    assert json.loads(write(tmp_path / "none.json").read_text()) == []


def test_conll_columns_by_hand(tmp_path):
    spans = (Span(0, 2, "fear"), Span(2, 5, "fear"), Span(1, 5, "doubt"))
    path = write(tmp_path / "p.conll", SpanPredictions(("a",), SPACE, ("no no",), (spans,)))
    assert path.read_text() == (
        '# id = a\n# json_text = "no no"\nn\tO\tB-fear\tO\no\tB-doubt\tI-fear\tO\nno\tI-doubt\tB-fear\tO\n\n'
    )


@settings(max_examples=150, deadline=None)
@given(data=st.data(), ending=st.sampled_from(["json", "jsonl", "conll"]))
def test_any_spans_of_any_text_come_back(tmp_path_factory, data, ending):
    text = data.draw(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20))
    spans = []
    for label in SPACE.names if text.strip() else ():
        ends = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
        pairs = [(a, b) for a, b in zip(ends[::2], ends[1::2], strict=False)]
        bare = [(a, b) for a, b in pairs if text[a:b].strip() == text[a:b]]
        spans += [Span(a, b, label) for a, b in bare]
    spans = tuple(sorted(spans, key=lambda s: (s.start, s.stop, s.label)))
    path = tmp_path_factory.mktemp("t") / f"p.{ending}"
    [sample] = read_table(write(path, SpanPredictions(("a",), SPACE, (text,), (spans,)))).samples
    assert sample.text == (text if text.strip() else None)
    # Not one span in the whole file: an empty list of labels may be one of rows, too.
    assert (sample.spans or ()) == spans


def test_a_failed_block_leaves_the_old_file(tmp_path):
    path = write(tmp_path / "p.json", ROWS)
    before = path.read_bytes()
    with pytest.raises(DataError, match="other labels"), SpanWriter(path, SPACE) as writer:
        writer.write(SpanPredictions((), LabelSpace(("x",)), (), ()))
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["p.json"]


def test_writing_refuses_what_it_cannot_do(tmp_path):
    with pytest.raises(DataError, match=r"end in '.csv'. Accepted: .json, .jsonl, .conll"):
        SpanWriter(tmp_path / "p.csv", SPACE)
    with pytest.raises(DataError, match="does not exist"):
        SpanWriter(tmp_path / "no" / "p.json", SPACE)
    with pytest.raises(DataError, match="inside a 'with"):
        SpanWriter(tmp_path / "p.json", SPACE).write(ROWS)
    with pytest.raises(DataError, match="other labels"), SpanWriter(tmp_path / "p.json", LabelSpace(("x",))) as writer:
        writer.write(ROWS)
