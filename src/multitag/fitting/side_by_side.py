"""Networks of one configuration trained side by side, each in a process with its share of the cores.

A step of a small encoder is many short pieces of work, which two cores do in no half of the time that one takes; two
trainings of one core each are done a third sooner than one after the other. Each process leaves the checkpoint of a
training that has ended, as it would of one cut short, and the training in the main process goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from multitag.cores import threads
from multitag.errors import MultitagError
from multitag.features.rows import Rows
from multitag.features.share import launched
from multitag.fitting.clock import Clock
from multitag.fitting.fitter import Fitter, Needed
from multitag.fitting.limits.costs import tunes
from multitag.fitting.limits.limit import Limit
from multitag.fitting.teachers.lessons import Taught
from multitag.interrupts import Interrupted, heeded
from multitag.memory import free_memory
from multitag.networks import best_device
from multitag.progress import Advance, Progress, within
from multitag.tasks.base import Logits
from multitag.workers import Ask, Failure, run_in_processes

WORTH = 6000
"""A training that goes through fewer rows, all epochs together, is over before a process has begun."""
MEMORY = 5 << 30
"""Bytes that must be free for each process, where nobody says how many there are: 4.7 GB were taken by one whose
pictures have 512 pixels."""
_TRAINING = "training"


class Piece(NamedTuple):
    """A network to be trained, as `Fitter.train` is told.

    Attributes:
        name: Of its checkpoint.
        rows: The rows to train on.
        held: The rows that choose the best epoch.
        seed: Of its weights, the order of the rows and all dropout.
        epochs: How long it is trained, without looking at `held`; `None` lets these choose.
        taught: Rows with pseudo-labels to train on too.
        named: What its history rows begin with.
    """

    name: str
    rows: Rows
    held: Rows
    seed: int
    epochs: Sequence[int] | None = None
    taught: Taught | None = None
    named: dict[str, Any] = {}  # noqa: RUF012 - never changed


@dataclass(frozen=True)
class _Job:
    """What a process is to do: train a network under a limit, or look at it for so many seconds."""

    piece: Piece
    limit: Limit | None = None
    seconds: float | None = None


class _Ended(NamedTuple):
    """A training that was not brought to its end, and why: it is told as the error that it is."""

    error: MultitagError


def at_a_time(fitter: Fitter, networks: int, rows: int) -> int:
    """How many of the networks of a configuration train at a time.

    As many as `Fitter.jobs` says; where it says nothing, as there are cores and memory for, if encoders train long
    enough to be worth a process. One on an accelerator, where several processes train together, and where there is no
    folder to leave checkpoints in.

    Args:
        fitter: Trains them.
        networks: How many there are.
        rows: The rows that each trains on.
    """
    if fitter.folder is None or launched().count > 1 or best_device().type != "cpu":
        return 1
    if fitter.jobs is not None:
        return max(1, min(fitter.jobs, networks))
    settings = fitter.config.train.for_rows(rows)
    if not tunes(fitter.config) or rows * sum(fitter.most or settings.lengths) < WORTH:
        return 1
    return max(1, min(threads(), networks, free_memory() // MEMORY))


def takes_one_more(fitter: Fitter, count: int) -> bool:
    """Whether a network that would be left alone after all others trains beside the last `count` of these.

    Together they take half as long again as two, and the one alone, which all cores help, nearly as long as two do.
    Not where somebody says how many there are at a time, or memory is for no more.
    """
    return count > 1 and fitter.jobs is None and free_memory() // MEMORY > count


def train_ahead(
    fitter: Fitter, pieces: Sequence[Piece], *, progress: Progress, on_epoch: Callable[[dict[str, Any]], None]
) -> dict[str, Logits]:
    """Train networks side by side, as many at a time as there may be.

    One that is left over trains beside the last of the others where there is room for it; else it is left.

    Args:
        fitter: Trains them.
        pieces: The networks.
        progress: Told about rows done of those at work.
        on_epoch: Called with the history row of each epoch.

    Returns:
        For each network trained, by its name, the logits of its held-out rows. Its checkpoint is that of a training
        that has ended.

    Raises:
        Interrupted: Ctrl-C, with the state of each kept.
        OutOfTime: The limit has passed, and too little is trained.
        MultitagError: A training came to nothing, or its process did.
    """
    count = at_a_time(fitter, len(pieces), len(pieces[0].rows)) if pieces else 1
    found: dict[str, Logits] = {}
    groups = [pieces[start : start + count] for start in range(0, len(pieces), count)] if count > 1 else []
    if len(groups) > 1 and len(groups[-1]) == 1 and takes_one_more(fitter, count):
        groups[-2:] = [[*groups[-2], *groups[-1]]]
    done = 0
    for number, group in enumerate(groups):
        if len(group) == 1:  # alone it has all cores, in this process
            break
        where = f"networks {done + 1} to {done + len(group)} of {len(pieces)}, side by side"
        done += len(group)
        fitter.encode(group[0].rows, group[0].held, progress=progress)
        with fitter.clock.time(_TRAINING):
            limit = None if fitter.limit is None else replace(fitter.limit, networks=len(groups) - number)
            jobs = [_Job(piece, limit) for piece in group]
            found |= _trained(fitter, jobs, within(where, progress), on_epoch)
        if fitter.limit is not None:
            fitter.limit.networks, fitter.limit.begun = fitter.limit.networks - len(group), True
    return found


def pace_ahead(fitter: Fitter, piece: Piece, count: int, *, seconds: float, progress: Progress) -> Needed:
    """What each of `count` trainings side by side takes, as `Fitter.pace` does for one alone."""
    fitter.encode(piece.rows, piece.held, progress=progress)
    with fitter.clock.time("planning"):
        started = time.monotonic()
        told = [
            _checked(said) for _, said in _run(fitter, [_Job(piece, seconds=seconds)] * count, lambda job, said: None)
        ]
        took = time.monotonic() - started
    looked = max(spent for _, spent in told)
    needed: Needed = max((needed for needed, _ in told), key=lambda each: each.epoch)
    return needed._replace(fixed=needed.fixed + max(0.0, took - looked))


def _run(
    fitter: Fitter, jobs: Sequence[_Job], answer: Callable[[_Job, Any], Any]
) -> Generator[tuple[_Job, Any], None, None]:
    """Each job with what came of it, as many processes as there are jobs."""
    sent = replace(fitter, shared={}, clock=Clock(), limit=None)
    yield from run_in_processes(work, sent, iter(jobs), len(jobs), answer)


def _checked(said: Any) -> Any:
    if isinstance(said, _Ended):
        raise said.error
    if isinstance(said, Failure):  # the process died, or by a fault of ours
        raise MultitagError(f"{said.why}\nFix: --jobs 1 trains one network after the other, in this process")
    return said


def _trained(
    fitter: Fitter, jobs: Sequence[_Job], progress: Progress, on_epoch: Callable[[dict[str, Any]], None]
) -> dict[str, Logits]:
    found, stopped = dict[str, Logits](), list[str]()
    with ExitStack() as stack:
        pressed = stack.enter_context(heeded())
        advance: Advance | None = None

        def heard(job: _Job, said: Any) -> bool:
            """Take in what a training tells; whether it is to stop."""
            nonlocal advance
            what, value = said
            if what == "rows" and advance is not None:
                advance(value)
            elif what == "begins" and advance is None:
                advance = stack.enter_context(progress(_TRAINING, value * len(jobs)))
            elif what == "epoch":
                on_epoch({**job.piece.named, **value})
            return pressed()

        for job, said in stack.enter_context(closing(_run(fitter, jobs, heard))):
            try:
                found[job.piece.name] = _checked(said)
            except Interrupted as error:
                stopped.append(f"{job.piece.name}: {error}")
    if stopped:
        raise Interrupted("; ".join(sorted(stopped)))
    if pressed():  # after the last step of all
        raise KeyboardInterrupt
    return found


def work(fitter: Fitter, job: _Job, ask: Ask) -> Any:
    """What a process does: the logits of a trained network, why there are none, or what its training takes."""
    piece, started = job.piece, time.monotonic()
    with fitter.store:
        try:
            if job.seconds is not None:
                needed = fitter.pace(piece.rows, piece.held, seconds=job.seconds, encoded=True)
                return needed, time.monotonic() - started
            trained = replace(fitter, limit=job.limit).train(
                piece.name,
                piece.rows,
                piece.held,
                seed=piece.seed,
                epochs=piece.epochs,
                taught=piece.taught,
                progress=_telling(ask),
                on_epoch=lambda row: _tell(ask, "epoch", row),
            )
        except MultitagError as error:
            return _Ended(error)
    return trained.logits


def _tell(ask: Ask, what: str, value: Any) -> None:
    """Tell the main process.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed there.
    """
    if ask((what, value)):
        raise KeyboardInterrupt


def _telling(ask: Ask) -> Progress:
    """Progress of a training, told to the main process."""

    @contextmanager
    def told(what: str, total: int, /) -> Iterator[Advance]:
        if what != _TRAINING:
            yield lambda done: None
            return
        ask(("begins", total))
        yield lambda done: _tell(ask, "rows", done)

    return told
