"""Workers: processes that take one piece of work after another, each with its share of the cores."""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any, Protocol

from multitag.cores import VARIABLES, cores
from multitag.errors import MultitagError

Ask = Callable[[Any], Any]
"""How work asks the main process something: a message, and its answer."""


class Work(Protocol):
    """A function that both sides can import: what all work shares, a piece of work, and how to ask."""

    def __call__(self, shared: Any, job: Any, ask: Ask, /) -> Any:
        """The result."""
        ...


@dataclass(frozen=True)
class Failure:
    """Work that came to nothing, and why."""

    why: str


def run_here(
    work: Work, shared: Any, jobs: Iterator[Any], answer: Callable[[Any, Any], Any] = lambda job, said: None
) -> Iterator[tuple[Any, Any]]:
    """Each piece of work with its result, or its `Failure`, done in this process."""
    for job in jobs:
        try:
            yield job, work(shared, job, lambda said, job=job: answer(job, said))  # type: ignore[misc]
        except MultitagError as error:
            if error.exit_code == 130:
                raise
            yield job, Failure(str(error))


def run_in_processes(
    work: Work,
    shared: Any,
    jobs: Iterator[Any],
    count: int,
    answer: Callable[[Any, Any], Any] = lambda job, said: None,
    *,
    option: str = "jobs",
) -> Iterator[tuple[Any, Any]]:
    """Each piece of work with its result, or its `Failure`, in the order in which they end.

    A worker that dies takes its own piece of work with it, and another one takes its place. The next piece is drawn
    from `jobs` only when a worker is free for it.

    Args:
        work: Does a piece of work.
        shared: What all of it needs; sent to each worker once.
        jobs: The pieces.
        count: How many workers; each gets an equal share of the cores, one thread at least.
        answer: Answers what the work on a job asks.
        option: What the user sets `count` by.

    Raises:
        MultitagError: Workers cannot be started.
    """
    threads = max(1, cores() // count)
    workers: list[_Worker] = []
    try:
        waiting = next(jobs, None)
        while waiting is not None or any(worker.job is not None for worker in workers):
            while waiting is not None and len(workers) < count:
                workers.append(_Worker(work, shared, threads, option))
            for worker in workers:
                if worker.ready and worker.job is None and waiting is not None:
                    worker.give(waiting)
                    waiting = next(jobs, None)
            ends = {end: worker for worker in workers for end in (worker.pipe, worker.process.sentinel)}
            for worker in {ends[end] for end in connection.wait(list(ends))}:  # type: ignore[index]
                result = worker.hear(answer)
                if worker.dead:
                    workers.remove(worker)
                if result is not None:
                    yield result
    finally:
        for worker in workers:
            worker.stop()


class _Worker:
    """A process, and what it is at."""

    def __init__(self, work: Work, shared: Any, threads: int, option: str) -> None:
        context = get_context("spawn")  # a fork would copy locks that torch's threads hold
        self.pipe, other = context.Pipe()
        self.process = context.Process(target=_serve, args=(other, work, threads), daemon=True)
        with _deaf(), _limited(threads):
            self.process.start()
        other.close()
        self.ready, self.dead = False, False
        self.job: Any = None
        self.shared, self.option = shared, option

    def give(self, job: Any) -> None:
        self.job = job
        self.pipe.send(job)

    def hear(self, answer: Callable[[Any, Any], Any]) -> tuple[Any, Any] | None:
        """Take one message; a piece of work that ended, with its result."""
        try:
            kind, said = self.pipe.recv()
            if kind == "ready":
                self.pipe.send(self.shared)
                self.ready = True
                return None
            if kind == "asks":
                self.pipe.send(answer(self.job, said))
                return None
        except (EOFError, OSError):
            return self._died()
        job, self.job = self.job, None
        return job, Failure(said) if kind == "failed" else said

    def _died(self) -> tuple[Any, Any] | None:
        self.process.join()
        self.dead, code = True, self.process.exitcode or 0
        if not self.ready:
            raise MultitagError(
                f"worker processes cannot be started (exit code {code}). In a script of your own, what starts them "
                f"must stand under if __name__ == '__main__'. Fix: that, or --{self.option} 1 ({self.option}=1)"
            )
        if self.job is None:
            return None
        how = f"by signal {-code} ({signal.Signals(-code).name})" if code < 0 else f"with exit code {code}"
        memory = f" For want of memory? Fix: fewer --{self.option}" if code == -signal.SIGKILL else ""
        return self.job, Failure(f"the worker process ended {how}.{memory}")

    def stop(self) -> None:
        self.process.terminate()
        self.process.join(5)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()
        self.pipe.close()


@contextmanager
def _deaf() -> Iterator[None]:
    """Ctrl-C is for the main process: one that is started in here does not hear it, from its first moment on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def _limited(threads: int) -> Iterator[None]:
    """A process that is started in here gets so many threads: libraries ask only once, when they are loaded."""
    before = {name: os.environ.get(name) for name in VARIABLES}
    os.environ.update(dict.fromkeys(VARIABLES, str(threads)))
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(pipe: Connection, work: Work, threads: int) -> None:
    """What a worker does, until the main process hangs up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    import torch

    torch.set_num_threads(threads)

    def ask(said: Any) -> Any:
        pipe.send(("asks", said))
        return pipe.recv()

    with suppress(EOFError, OSError):
        pipe.send(("ready", None))
        shared = pipe.recv()
        while True:
            job = pipe.recv()
            try:
                message = ("done", work(shared, job, ask))
            except MultitagError as error:
                message = ("failed", str(error))
            except Exception as error:  # a fault of one job is told, and the worker goes on
                message = ("failed", f"{type(error).__name__}: {error}\n{traceback.format_exc()}")
            pipe.send(message)


def _die_with_parent() -> None:
    """A main process that was killed leaves no workers behind."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
