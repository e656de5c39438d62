"""Merging stores: everything once, nothing overwritten, and a folder that is no store is named."""

from __future__ import annotations

import lmdb
import numpy as np
import pytest

from fakes import entries
from multitag.errors import DataError
from multitag.features import environment
from multitag.features import merge as module
from multitag.features.merge import merge
from multitag.features.store import FeatureStore

ONE, OTHER = "1" * 64, "2" * 64


def put(folder, numbers, *, value=0.0, width=64, fingerprint=ONE):
    """One pooled vector and two tokens for each number."""
    with FeatureStore(folder) as store:
        contents = [f"{n:064x}" for n in numbers]
        tokens = [np.full((2, width), value + n, np.float16) for n in numbers]
        store.put(fingerprint, contents, np.stack([np.full(width, value + n, np.float32) for n in numbers]), tokens)
    return folder


@pytest.fixture
def shares(tmp_path):
    """What one process would have put, and the same in three stores."""
    whole = put(tmp_path / "whole", range(30))
    return whole, [put(tmp_path / str(index), range(index, 30, 3)) for index in range(3)]


def test_stores_together_are_the_store_of_one_process(tmp_path, shares):
    whole, parts = shares
    with FeatureStore(tmp_path / "all") as store:
        assert [merge(store, part) for part in reversed(parts)] == [20, 20, 20]
    assert entries(tmp_path / "all") == entries(whole)
    for index, part in enumerate(parts):
        assert entries(part) == entries(put(tmp_path / f"again{index}", range(index, 30, 3))), "only read"


def test_merging_again_changes_nothing(tmp_path, shares):
    whole, parts = shares
    with FeatureStore(parts[0]) as store:
        assert [merge(store, part) for part in [*parts[1:], *parts[1:], whole]] == [20, 20, 0, 0, 0]
    assert entries(parts[0]) == entries(whole)


def test_what_is_there_stays_as_it_is(tmp_path):
    mine, theirs = put(tmp_path / "mine", range(5)), put(tmp_path / "theirs", range(3, 8), value=0.25)
    before = entries(mine)
    with FeatureStore(mine) as store:
        assert merge(store, theirs) == 6
    merged = entries(mine)
    assert {key: merged[key] for key in before} == before
    assert {key: value for key, value in entries(theirs).items() if key not in before}.items() <= merged.items()


def test_encoders_stay_apart(tmp_path):
    put(tmp_path / "a", range(4))
    put(tmp_path / "b", range(4), value=0.5, fingerprint=OTHER)
    with FeatureStore(tmp_path / "a") as store:
        assert merge(store, tmp_path / "b") == 8
        contents = [f"{n:064x}" for n in range(4)]
        assert store.pooled(ONE, contents, 64)[:, 0].tolist() == [0, 1, 2, 3]
        assert store.pooled(OTHER, contents, 64)[:, 0].tolist() == [0.5, 1.5, 2.5, 3.5]


def test_the_store_grows_as_it_must_in_many_transactions(tmp_path, monkeypatch):
    monkeypatch.setattr(environment, "FIRST_SIZE", 1 << 16)
    whole = put(tmp_path / "whole", range(400), width=256)
    monkeypatch.setattr(module, "TRANSACTION_BYTES", 40_000)
    written = []
    add = FeatureStore.add

    def counted(store, some):
        written.append(sum(len(key) + len(value) for key, value in some))
        return add(store, some)

    monkeypatch.setattr(FeatureStore, "add", counted)
    with FeatureStore(tmp_path / "other") as store:
        assert merge(store, whole) == 800
    assert max(written) < 42_000
    assert len(written) > 10
    assert entries(tmp_path / "other") == entries(whole)


def test_a_merge_that_was_cut_short_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "TRANSACTION_BYTES", 4_000)
    whole = put(tmp_path / "whole", range(50))

    class Cut:
        def __init__(self, what, total):
            self.left = 20
            assert (what, total) == (f"merging {whole}", 100)

        def __enter__(self):
            return self.advance

        def __exit__(self, *error):
            pass

        def advance(self, done):
            self.left -= done
            if self.left < 0:
                raise KeyboardInterrupt

    with FeatureStore(tmp_path / "other") as store:
        with pytest.raises(KeyboardInterrupt):
            merge(store, whole, progress=Cut)
        kept = len(store)
        assert 20 <= kept < 100
        assert merge(store, whole) == 100 - kept
    assert entries(tmp_path / "other") == entries(whole)


def test_a_store_that_this_program_has_open_may_be_merged(tmp_path):
    """LMDB forbids to open a database twice."""
    with FeatureStore(put(tmp_path / "open", range(3))), FeatureStore(tmp_path / "other") as store:
        assert merge(store, tmp_path / "open") == 6
        assert merge(store, tmp_path / "other" / ".." / "open") == 0


def test_an_empty_store_has_nothing_to_merge(tmp_path):
    with FeatureStore(tmp_path / "empty"):
        pass
    with FeatureStore(tmp_path / "other") as store:
        assert merge(store, tmp_path / "empty") == 0


def other_database(folder):
    folder.mkdir()
    with lmdb.open(str(folder)) as database, database.begin(write=True) as transaction:
        transaction.put(b"words", b"of somebody else")


def no_database(folder):
    folder.mkdir()
    (folder / "data.mdb").write_bytes(b"no database" * 2000)


NO_STORES = {
    "there is no such folder": (lambda folder: None, "it has no file data.mdb"),
    "an empty folder": (lambda folder: folder.mkdir(), "it has no file data.mdb"),
    "a file": (lambda folder: folder.touch(), "it has no file data.mdb"),
    "a database of another program": (other_database, "its database is of something else"),
    "a file of another kind": (no_database, r"it cannot be read \(.+\)"),
}


@pytest.mark.parametrize("kind", NO_STORES)
def test_what_is_no_store_is_named_and_left_as_it_is(kind, tmp_path):
    make, why = NO_STORES[kind]
    make(tmp_path / "other")
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with FeatureStore(tmp_path / "store") as store, pytest.raises(DataError) as raised:
        merge(store, tmp_path / "other")
    raised.match(rf"other is no feature store: {why}\. Fix: give the folder")
    assert "\n" not in str(raised.value)
    left = {path.name for path in tmp_path.rglob("*")} - {"store", "data.mdb", "lock.mdb"}
    assert left == set(before) - {"data.mdb", "lock.mdb"}
    assert entries(tmp_path / "store") == {}


def test_a_store_is_not_merged_into_itself(tmp_path):
    put(tmp_path / "store", range(2))
    with FeatureStore(tmp_path / "store") as store, pytest.raises(DataError, match="cannot be merged into itself"):
        merge(store, tmp_path / "." / "store")
