from multitag.decisions import blocks as module


def test_blocks_come_back_in_order():
    assert module.map_blocks(lambda part: (part.start, part.stop), 10, 4) == [(0, 4), (4, 8), (8, 10)]
    assert module.map_blocks(lambda part: part, 0, 4) == []


def test_one_thread_needs_no_pool(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(module, "ThreadPoolExecutor", None)
    assert module.map_blocks(lambda part: part.stop, 3, 1) == [1, 2, 3]
