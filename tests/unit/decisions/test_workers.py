import pytest

from multitag.decisions import workers as module


def test_blocks_come_back_in_order():
    assert module.map_blocks(lambda part: (part.start, part.stop), 10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert module.map_blocks(lambda part: part, 0, 4) == []


@pytest.mark.parametrize(("limit", "expected"), [("1", 1), ("100000", None), ("", None), ("2,1", None)])
def test_omp_num_threads_is_a_limit(monkeypatch, limit, expected):
    monkeypatch.setenv("OMP_NUM_THREADS", limit)
    threads = module.workers()
    monkeypatch.delenv("OMP_NUM_THREADS")
    assert threads == (expected or module.workers())


def test_one_worker_needs_no_pool(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(module, "ThreadPoolExecutor", None)
    assert module.map_blocks(lambda part: part.stop, 3, 1) == [1, 2, 3]
