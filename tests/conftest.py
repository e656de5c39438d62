"""What all tests share: a feature store of their own, tiny models on disk, pictures, a table."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Before anything imports transformers: a test that needs the network is a defect, and should fail at once.
os.environ["HF_HUB_OFFLINE"] = "1"
# Tiny tensors are not worth a second thread, and on a busy machine threads wait for each other most of the time.
# Whatever is set outside: sums of two threads differ in the last digit from the one thread of forked trainings.
os.environ["OMP_NUM_THREADS"] = "1"
# A shell that starts the tests in the background lets them ignore Ctrl-C, and some tests press it.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The whole session's feature store: tests never touch the user's."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("store")
        patch.setenv("MULTITAG_STORE", str(folder))
        yield folder


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of tiny models: bert, albert, roberta, deberta, clip, siglip, resnet, resnet_50, efficientnet."""
    from tiny import write_models

    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of exported networks for tests of what they say: to export one takes seconds."""
    return tmp_path_factory.mktemp("exports")


@pytest.fixture(scope="session")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A CSV file of 24 rows beside its pictures."""
    from tiny import write_table

    return write_table(tmp_path_factory.mktemp("table"))


@pytest.fixture
def forked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are forked from a server that has imported all, for tests of what they do: to start one takes seconds."""
    from training_support import forkserver

    monkeypatch.setattr("multitag.workers.get_context", lambda method: forkserver())


@pytest.fixture
def table_file(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Writes a table and gives its path."""

    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write
