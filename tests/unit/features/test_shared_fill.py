"""Filling the store in shares: the store of one uninterrupted process, bit for bit, whoever did what and when."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import permutations

import pytest

from fakes import Padded, entries, rows_of, slot
from multitag.features import chunks as module
from multitag.features.chunks import cut
from multitag.features.fill import fill, lacking
from multitag.features.share import Share
from multitag.features.store import FeatureStore
from multitag.types import Sample

SIZE = 4


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setitem(module.CHUNK, "text", SIZE)


def texts(count, *, seed=0):
    """Texts of one to nine words, in no order, some of them twice."""
    draw = random.Random(seed)
    made = [" ".join(draw.choice("abcdefgh") + draw.choice("ijklmnop") for _ in range(n % 9 + 1)) for n in range(count)]
    draw.shuffle(made)
    return rows_of([Sample(str(n), text=text) for n, text in enumerate(made + made[:3])])


def encode(folder, rows, share=None, *, tokens=False, encoder=None, **options):
    slots = {"text": slot(encoder or Padded())}
    with FeatureStore(folder) as store:
        options |= {} if share is None else {"share": share}
        return fill(store, slots, rows, tokens=["text"] if tokens else [], **options)


@pytest.fixture(params=[False, True], ids=["pooled", "tokens"])
def tokens(request):
    return request.param


def test_numbers_bear_with_what_they_were_encoded(tmp_path):
    """Or the tests below would see nothing."""
    rows = texts(30)
    encode(tmp_path / "whole", rows)
    encode(tmp_path / "parts", rows.take(range(0, 33, 2)))
    encode(tmp_path / "parts", rows)
    whole, parts = entries(tmp_path / "whole"), entries(tmp_path / "parts")
    assert whole.keys() == parts.keys()
    assert whole != parts


def test_shares_make_the_store_of_one_process_in_any_order(tmp_path, tokens):
    rows = texts(30)
    assert encode(tmp_path / "whole", rows, tokens=tokens) == 30
    whole = entries(tmp_path / "whole")
    for order in permutations(range(3)):
        folder = tmp_path / "".join(map(str, order))
        encoded = [encode(folder, rows, Share(index, 3), tokens=tokens) for index in order]
        assert (sum(encoded), min(encoded) > 0) == (30, True)
        assert entries(folder) == whole


def test_a_share_asks_for_nothing_of_the_others(tmp_path):
    rows, encoder = texts(30), Padded()
    told = []

    class Told:
        def __init__(self, what, total):
            told.append([what, total, 0])

        def __enter__(self):
            return lambda done: told[-1].__setitem__(2, told[-1][2] + done)

        def __exit__(self, *error):
            pass

    assert encode(tmp_path, rows, Share(1, 4), encoder=encoder, progress=Told) == 2 * SIZE
    assert encoder.calls == 2 * SIZE
    assert told == [["encoding texts (text)", 8, 8]]
    with FeatureStore(tmp_path) as store:
        ask = {"tokens": False, "device": None}
        assert lacking(store, slot(Padded()), rows, share=Share(1, 4), **ask) == (8, 0)
        assert lacking(store, slot(Padded()), rows, **ask) == (30, 22)
    assert encode(tmp_path, rows, Share(1, 4)) == 0


class Killed(Exception):
    pass


def dying(chunks):
    """An encoder that dies after so many chunks."""
    left = iter(range(chunks))

    def heard(texts):
        if next(left, None) is None:
            raise Killed

    encoder = Padded()
    encoder.heard = heard
    return encoder


@pytest.mark.parametrize("resumed", [[Share()], [Share(0, 2), Share(1, 2)], [Share(1, 3), Share(2, 3), Share(0, 3)]])
def test_killed_anywhere_and_gone_on_with_is_the_store_of_one_process(tmp_path, tokens, resumed):
    rows = texts(30)
    encode(tmp_path / "whole", rows, tokens=tokens)
    for chunks in range(1, 4):
        folder = tmp_path / str(chunks)
        for index in range(2):  # both of two processes die
            with pytest.raises(Killed):
                encode(folder, rows, Share(index, 2), tokens=tokens, encoder=dying(chunks))
        for share in resumed:
            encode(folder, rows, share, tokens=tokens)
        assert entries(folder) == entries(tmp_path / "whole")


def test_what_was_there_before_stays_and_the_rest_is_as_of_one_process(tmp_path, tokens):
    rows, before = texts(30), texts(30).take(range(0, 33, 3))
    for name in ("whole", "shares"):
        encode(tmp_path / name, before)
    known = entries(tmp_path / "whole")
    encoder = Padded()
    encode(tmp_path / "whole", rows, tokens=tokens, encoder=encoder)
    assert encoder.calls == (30 if tokens else 30 - len(known)), "each once, not its whole chunk again"
    with pytest.raises(Killed):
        encode(tmp_path / "shares", rows, Share(1, 2), tokens=tokens, encoder=dying(2))
    for index in (2, 0, 1):
        encode(tmp_path / "shares", rows, Share(index, 3), tokens=tokens)
    whole = entries(tmp_path / "whole")
    assert entries(tmp_path / "shares") == whole
    assert {key: whole[key] for key in known} == known


def test_a_process_helps_the_others_and_does_nothing_twice(tmp_path):
    """The second process begins when the first is in the middle, and is done before it."""
    rows, first, second = texts(70), Padded(), Padded()
    heard = []

    def other_begins(texts):
        heard.append(texts)
        if len(heard) == 4:
            encode(tmp_path / "two", rows, encoder=second, first=Share(1, 2))

    first.heard = other_begins
    encode(tmp_path / "two", rows, encoder=first, first=Share(0, 2))
    encode(tmp_path / "whole", rows)
    assert entries(tmp_path / "two") == entries(tmp_path / "whole")
    # The chunk that the first was at when the second looked for what was missing is all that both did.
    assert first.calls + second.calls == 70 + SIZE


def test_where_the_others_write_elsewhere_a_process_does_all(tmp_path):
    rows = texts(30)
    encode(tmp_path / "whole", rows)
    for index in range(2):
        assert encode(tmp_path / str(index), rows, first=Share(index, 2)) == 30
        assert entries(tmp_path / str(index)) == entries(tmp_path / "whole")


def test_chunks_are_of_like_length_and_each_text_once():
    rows = texts(30)
    found = cut(slot(Padded()), rows)
    lengths = [len(sample.text) for chunk in found for sample in chunk.samples]
    assert lengths == sorted(lengths)
    assert [len(chunk) for chunk in found] == [SIZE] * 7 + [2]
    assert len({content for chunk in found for content in chunk.contents}) == 30


SCRIPT = """
import sys
sys.path[:0] = sys.argv[3:]
from multitag.features import chunks, environment
environment.FIRST_SIZE = 1 << 16
import test_shared_fill as shared
from multitag.features.share import Share
chunks.CHUNK["text"] = shared.SIZE
print("ready", flush=True)
sys.stdin.readline()
print(shared.encode(sys.argv[1], shared.texts(800), first=Share(int(sys.argv[2]), 2), tokens=True))
"""


def test_two_processes_at_the_same_time_make_the_store_of_one(tmp_path, request):
    """Both let the store grow, and each finds in the end all that it needs."""
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "two")]
    pipe, here = subprocess.PIPE, request.path
    modules = [str(here.parent), str(here.parents[2])]
    both = [
        subprocess.Popen([*command, str(index), *modules], stdin=pipe, stdout=pipe, text=True) for index in range(2)
    ]
    for process in both:
        assert process.stdout.readline() == "ready\n"
    for process in both:
        process.stdin.write("\n")
        process.stdin.flush()
    encoded = [int(process.communicate(timeout=100)[0]) for process in both]
    assert sum(encoded) == encode(tmp_path / "whole", texts(800), tokens=True)
    assert entries(tmp_path / "two") == entries(tmp_path / "whole")
