"""The feature store: what is put comes back, whoever else reads, writes, grows or is killed."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from multitag.errors import MultitagError
from multitag.features import environment
from multitag.features.scratch import ScratchStore
from multitag.features.store import FeatureStore, default_store_path

ONE, OTHER = hashlib.sha256(b"one").hexdigest(), hashlib.sha256(b"other").hexdigest()


def content(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def vectors(numbers, width=4):
    return np.stack([np.random.default_rng(n).normal(size=width) for n in numbers]).astype(np.float32)


@pytest.fixture
def store(tmp_path):
    with FeatureStore(tmp_path / "store") as opened:
        yield opened


def test_what_is_put_comes_back_in_any_order(store):
    store.put(ONE, [content(n) for n in range(5)], vectors(range(5)))
    assert np.array_equal(store.pooled(ONE, [content(n) for n in (3, 0, 3)], 4), vectors((3, 0, 3)))
    assert len(store) == 5
    assert store.pooled(ONE, [], 4).shape == (0, 4)


def test_encoders_do_not_share_what_they_say(store):
    store.put(ONE, [content(1)], vectors([1]))
    store.put(OTHER, [content(1)], vectors([2]))
    assert np.array_equal(store.pooled(ONE, [content(1)], 4), vectors([1]))
    assert np.array_equal(store.pooled(OTHER, [content(1)], 4), vectors([2]))


def test_tokens_come_back_each_row_with_its_own_length(store):
    rows = [np.arange(6, dtype=np.float16).reshape(3, 2), np.ones((1, 2), np.float16)]
    store.put(ONE, [content(0), content(1)], vectors(range(2)), rows)
    for got, put in zip(store.tokens(ONE, [content(1), content(0)]), rows[::-1], strict=True):
        assert got.dtype == np.float16
        assert np.array_equal(got, put)


def test_missing_names_each_content_once(store):
    store.put(ONE, [content(1)], vectors([1]))
    asked = [content(n) for n in (0, 1, 2, 0)]
    assert store.missing(ONE, asked) == [0, 2]
    assert store.missing(OTHER, asked) == [0, 1, 2]
    assert store.missing(ONE, asked, tokens=True) == [0, 1, 2]
    store.put(ONE, [content(1)], vectors([1]), [np.zeros((1, 2), np.float16)])
    assert store.missing(ONE, asked, tokens=True) == [0, 2]


@pytest.mark.parametrize("kind", [FeatureStore, ScratchStore])
def test_what_is_there_is_not_overwritten_and_what_is_new_is_counted(kind, tmp_path):
    """Another process may have read it already."""
    store = kind(tmp_path)
    contents = [content(n) for n in range(3)]
    assert store.put(ONE, contents[:2], vectors((0, 1))) == 2
    tokens = [np.full((1, 2), n, np.float16) for n in range(3)]
    assert store.put(ONE, contents[:1], vectors([7])) == 0
    assert store.put(ONE, contents, vectors((7, 8, 2)), tokens) == 3, "the tokens of two, and all of the third"
    assert np.array_equal(store.pooled(ONE, contents, 4), vectors(range(3)))
    assert [row.tolist() for row in store.tokens(ONE, contents)] == [row.tolist() for row in tokens]
    store.close()


def test_what_is_not_there_or_has_another_width_is_an_error(store):
    store.put(ONE, [content(1)], vectors([1]))
    for call in (
        lambda: store.pooled(ONE, [content(2)], 4),
        lambda: store.pooled(ONE, [content(1)], 5),
        lambda: store.tokens(ONE, [content(1)]),
    ):
        with pytest.raises(MultitagError, match="that it had a moment ago"):
            call()


def test_rows_that_do_not_fit_their_contents_are_refused_whole(store):
    with pytest.raises(ValueError, match="shorter"):
        store.put(ONE, [content(0), content(1)], vectors([0]))
    assert len(store) == 0


def test_it_outgrows_its_map_and_is_read_again_from_a_smaller_one(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "FIRST_SIZE", 1 << 16)
    numbers = range(300)
    contents = [content(n) for n in numbers]
    with FeatureStore(tmp_path) as store:
        for n in numbers:
            store.put(ONE, contents[n : n + 1], vectors([n], 512))
        store.put(OTHER, contents, vectors(numbers, 512))  # several doublings in one transaction
    with FeatureStore(tmp_path) as store:
        assert np.array_equal(store.pooled(ONE, contents, 512), vectors(numbers, 512))
        assert np.array_equal(store.pooled(OTHER, contents, 512), vectors(numbers, 512))
        store.put(ONE, [content(-1)], vectors([7], 512))


def test_one_process_may_open_it_twice(tmp_path):
    """Two classifiers in one program, or a prediction while a training holds it."""
    first = FeatureStore(tmp_path)
    with FeatureStore(tmp_path / "." / "") as second:
        second.put(ONE, [content(1)], vectors([1]))
        assert first.missing(ONE, [content(1)]) == []
    assert np.array_equal(first.pooled(ONE, [content(1)], 4), vectors([1]))
    first.close()
    first.close()
    with FeatureStore(tmp_path) as again:
        assert len(again) == 1


def test_threads_read_while_one_lets_it_grow(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "FIRST_SIZE", 1 << 16)
    faults = []
    with FeatureStore(tmp_path) as store:
        store.put(ONE, [content(0)], vectors([0], 256))
        done = threading.Event()

        def read():
            while not done.is_set():
                if not np.array_equal(store.pooled(ONE, [content(0)], 256), vectors([0], 256)):
                    faults.append("differs")

        readers = [threading.Thread(target=read) for _ in range(3)]
        for reader in readers:
            reader.start()
        for n in range(1, 150):
            store.put(ONE, [content(n)], vectors([n], 256))
        done.set()
        for reader in readers:
            reader.join()
        assert not faults
        assert len(store) == 150


SCRIPT = """
import sys, hashlib, numpy as np
from multitag.features import environment
environment.FIRST_SIZE = 1 << 16
from multitag.features.store import FeatureStore
path, role = sys.argv[1:]
name = lambda n: hashlib.sha256(str(n).encode()).hexdigest()
key = hashlib.sha256(b"one").hexdigest()
with FeatureStore(path) as store:
    print("open", flush=True)
    n = 0
    while role == "write" and n < 400:
        pair = [name(n), name(n + 1)]
        store.put(key, pair, np.full((2, 256), n, np.float32))
        n += 2
        print(n, flush=True)
    while role == "read" and n < 400:
        pair = [name(n), name(n + 1)]
        left = store.missing(key, pair)
        assert len(left) in (0, 2), "half a transaction"
        if not left:
            assert (store.pooled(key, pair, 256) == n).all()
            n += 2
"""


def start(path, role):
    return subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(path), role], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_processes_read_while_another_writes(tmp_path):
    readers = [start(tmp_path, "read"), start(tmp_path, "read")]
    for reader in readers:
        reader.stdout.readline()
    writer = start(tmp_path, "write")
    for process in (writer, *readers):
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors


def test_a_killed_writer_leaves_whole_transactions(tmp_path):
    writer = start(tmp_path, "write")
    for line in writer.stdout:
        if line.strip() == "60":
            os.kill(writer.pid, signal.SIGKILL)
            break
    writer.communicate()
    with FeatureStore(tmp_path) as store:
        assert len(store) >= 60
        assert len(store) % 2 == 0
        store.put(OTHER, [content(1)], vectors([1]))
        assert store.missing(OTHER, [content(1)]) == []


def test_the_users_own_place(monkeypatch, tmp_path):
    monkeypatch.setenv("MULTITAG_STORE", str(tmp_path / "chosen"))
    assert default_store_path() == tmp_path / "chosen"
    monkeypatch.delenv("MULTITAG_STORE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert default_store_path() == tmp_path / "multitag" / "features"


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(MultitagError, match=r"file/store cannot be opened: .*Fix: choose another folder"):
        FeatureStore(tmp_path / "file" / "store")
