"""Workers: results, questions, and work that ends otherwise."""

from __future__ import annotations

import os

import pytest

from multitag.cores import cores
from multitag.workers import Failure, run_here, run_in_processes
from studies_support import twice


def test_here():
    found = dict(run_here(twice, 1, iter([1, 2, "refused", "asks"]), lambda job, said: (job, said)))
    assert found == {1: 3, 2: 5, "refused": Failure("this cannot be done"), "asks": ("asks", "what?")}


def test_in_processes_whatever_becomes_of_some():
    before = dict(os.environ)
    jobs = [1, "refused", "killed", "asks", "broken", "threads", 2]
    found = dict(run_in_processes(twice, 1, iter(jobs), 2, lambda job, said: (job, said)))
    assert dict(os.environ) == before
    assert set(found) == set(jobs)
    assert (found[1], found[2], found["asks"]) == (3, 5, ("asks", "what?"))
    assert found["refused"].why == "this cannot be done"
    assert found["broken"].why.startswith("ZeroDivisionError: a fault")
    assert "by signal 9 (SIGKILL)" in found["killed"].why
    assert found["threads"] == max(1, cores() // 2)


def test_work_is_drawn_when_a_worker_is_free():
    drawn = []

    def jobs():
        for number in range(3):
            drawn.append(number)
            yield number

    results = run_in_processes(twice, 0, jobs(), 1)
    assert next(results) == (0, 0)
    assert len(drawn) <= 2
    assert list(results) == [(1, 2), (2, 4)]


def test_workers_are_gone_when_nobody_listens_any_more():
    results = run_in_processes(twice, 0, iter(range(3)), 1)
    next(results)
    import multiprocessing

    children = multiprocessing.active_children()
    assert children
    results.close()
    assert not any(child.is_alive() for child in children)


@pytest.mark.parametrize("count", [1, 2])
def test_no_work_at_all(count):
    assert list(run_in_processes(twice, 0, iter([]), count)) == []
