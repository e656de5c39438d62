"""A training kept within a time limit: each member is timed before it is trained, and shortened or left out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from multitag.config import Config
from multitag.deadline import Deadline, OutOfTime, said
from multitag.errors import ConfigError
from multitag.features.share import launched
from multitag.fitting.fitter import Fitter
from multitag.fitting.folding import in_folds, member_fitter, without_folds
from multitag.fitting.limits.budget import Cost, cheaper, fitting, least_epochs
from multitag.fitting.limits.choices import Choice, choose, shortest
from multitag.fitting.limits.costs import alike, cost_of, larger, network_rows, trainings, tunes
from multitag.fitting.limits.limit import Limit
from multitag.fitting.limits.plan import Part, Plan, Status
from multitag.fitting.limits.watched import TooLong, watched
from multitag.fitting.side_by_side import Piece, at_a_time, pace_ahead, takes_one_more
from multitag.fitting.sides import Sides
from multitag.progress import Progress
from multitag.runs.folder import CHECKPOINTS, PLAN

Tell = Callable[[str], None]
RESERVE = 0.05
"""The share of a limit that is kept for what comes after the training: deciding, scoring, saving."""
MOST_RESERVE = 0.3
"""No larger share is kept, however long the scoring may take."""
ROUND_SECONDS = 1.5e-8
"""What a bootstrap round takes for each row and label, on one core of a server of 2023."""
MARGIN = 0.95
"""Only this share of what is left is given away: no two steps take the same time."""
FORESIGHT = 0.8
"""A member takes so much of what one like it says at least: what does not even fit then is not looked at."""
_LOOK_SHARE, _LEAST_LOOK = 0.02, 0.3
_MOST_LOOK = {False: 3.0, True: 10.0}
"""How long steps are timed: this share of the limit, within these bounds, wider where encoders train."""


class Planner:
    """Decides what is trained, and for how many epochs.

    Args:
        deadline: When the whole fit must be done; `None` for a training without a limit.
        folder: The run folder, where what was decided is kept.
        resume: Whether to keep to what was decided before.
        tell: Told about each decision.

    Attributes:
        plan: What was decided.

    Raises:
        ConfigError: Several processes train together: each would decide for itself.
        RunError: What was decided before cannot be read.
    """

    def __init__(self, deadline: Deadline | None, folder: Path | None, *, resume: bool, tell: Tell) -> None:
        if deadline is not None and launched().count > 1:
            raise ConfigError(
                "train.time_limit is for one process, and several train together here: each would decide for itself. "
                "Fix: leave it out, or train with one process"
            )
        self.whole, self.tell, self._resume, self._folder = deadline, tell, resume, folder
        self.deadline = None if deadline is None else deadline.earlier(RESERVE * deadline.limit)
        self._scoring = 0.0
        self._encoding = 0.0
        self._known: list[tuple[Config, Cost]] = []
        self._path = None if folder is None else folder / CHECKPOINTS / PLAN
        limit = None if deadline is None else deadline.limit
        self.plan = Plan.kept(self._path, limit) if resume and self._path is not None else Plan(limit)

    def watching(self, progress: Progress) -> Progress:
        """Progress of work that comes before the training, and must be done in time.

        Raises:
            OutOfTime: Out of the work, when it can be foreseen that it is not.
        """
        return progress if self.deadline is None else watched(progress, self.deadline, late=self._too_short)

    def begin(self, fitter: Fitter, sides: Sides, progress: Progress) -> tuple[Fitter, Sides]:
        """Plan what must be trained whatever happens: the single model, or the first member that is trained.

        Where there is no time for folds, one network is trained and a share of the rows held out, of all members.

        Returns:
            The fitter, and the rows, as they are to be trained with.

        Raises:
            OutOfTime: The limit is too short for anything; the message says for what, and how long it takes.
        """
        if self.plan.folds == 0:
            fitter, sides = without_folds(fitter, sides)
        name, member = self._first(fitter)
        if self.deadline is None or name is None or name in self.plan.parts or self._is_begun(name, member):
            return fitter, sides
        try:
            cost, left = self._cost(member, sides, progress), MARGIN * self.deadline.left
            lengths = fitting(cost, left, least=least_epochs(cost.lengths))
            if lengths is None and fitter.config.train.fold_count >= 2:
                fitter, sides = without_folds(fitter, sides)
                member = self._first(fitter)[1]
                cost = self._cost(member, sides, progress)
                self.plan.folds, left = 0, MARGIN * self.deadline.left
            lengths = lengths or fitting(cost, left, least=1)
        except TooLong as error:
            raise self._too_short(error.what, error.seconds) from error
        if lengths is None:
            raise self._too_short("one epoch of training", cost.seconds([1]))
        self._decide(name, cost, lengths)
        return fitter, sides

    def member(
        self, name: str, fitter: Fitter, sides: Sides, progress: Progress, *, to_come: Sequence[Config] = ()
    ) -> Fitter | None:
        """The fitter of a member as it is to be trained; `None` where it is left out.

        One that trains encoders shares the time with those `to_come` that do, as their pictures are large: where it
        would take more than its part, and what it leaves is of use to the next one, it has fewer folds; where that is
        still too long for all the time that is left, fewer epochs. What does not fit as it was asked for is timed
        again, for the machine may have been busy. What cannot fit, by what one like it took to train, is not even
        encoded.
        """
        first = not any(part.seconds is not None for part in self.plan.parts.values())
        if name in self.plan.parts and self.plan.parts[name].status in ("whole", "shortened"):
            part = self.plan.parts[name]
            return self._limited(in_folds(fitter, part.folds, part.first), part.epochs, needed=first)
        if self._is_begun(name, fitter):
            return self._limited(fitter, (), needed=first)
        if self.deadline is None:
            return fitter
        if self.deadline.passed:
            self._leave_out(name, None)
            return None
        if (foreseen := self._foreseen(fitter.config)) is not None:
            least = shortest(fitter.config, foreseen, sides)
            if FORESIGHT * least > MARGIN * self.deadline.left:
                self._leave_out(name, foreseen.seconds(), least=least)
                return None
        self._encoding = 0.0  # of this member, all looks at it together: the second finds everything stored
        try:
            cost = self._cost(fitter, sides, progress)
            choice = self._choose(fitter.config, cost, sides, to_come)
            if choice is None or choice.fewer or choice.lengths != cost.lengths:
                cost = cheaper(cost, self._cost(fitter, sides, progress))
                choice = self._choose(fitter.config, cost, sides, to_come)
        except TooLong as error:
            self._leave_out(name, error.seconds)
            return None
        self._known.append((fitter.config, cost))
        if choice is None:
            self._leave_out(name, cost.seconds(), least=shortest(fitter.config, cost, sides))
            return None
        self._decide(name, choice.cost, choice.lengths, choice.folds, choice.first)
        return self._limited(in_folds(fitter, choice.folds, choice.first), choice.lengths, needed=first)

    def _choose(self, config: Config, cost: Cost, sides: Sides, to_come: Sequence[Config]) -> Choice | None:
        assert self.deadline is not None
        left = MARGIN * self.deadline.left
        return choose(config, cost, sides, left, to_come=to_come, encoding=self._encoding)

    def _foreseen(self, config: Config) -> Cost | None:
        """What a member takes by what one took that differs in the size of its pictures alone; `None` without one."""
        for other, cost in reversed(self._known):
            if alike(config, other):
                return cost._replace(epoch=larger(config, other) * cost.epoch)
        return None

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """The time of a member's training, taken down.

        Raises:
            OutOfTime: As the block does, with the member put down as dropped.
        """
        started, part = time.monotonic(), self.plan.parts.get(name)
        try:
            yield
        except OutOfTime:
            if part is not None:
                part.status = "dropped"
            self.tell(f"dropped: '{name}' was not done in time")
            raise
        if part is not None:
            part.seconds = time.monotonic() - started

    def expect(self, cells: int, rounds: int) -> None:
        """Keep a reserve for scoring so many rows times labels in so many bootstrap rounds."""
        self._scoring = ROUND_SECONDS * cells * rounds
        self._reserve(self._scoring)

    def closing(self, seconds: float) -> None:
        """Keep a reserve for the end, where deciding and saving take so long, and scoring in all rounds beside it."""
        self._reserve(1.2 * seconds + self._scoring)

    def _reserve(self, seconds: float) -> None:
        if self.whole is not None and self.deadline is not None:
            kept = min(seconds + 0.02 * self.whole.limit, MOST_RESERVE * self.whole.limit)
            self.deadline = self.whole.earlier(max(self.whole.end - self.deadline.end, kept))

    def _is_begun(self, name: str, fitter: Fitter) -> bool:
        """Whether it was begun before, without a limit: it goes on as it was asked for."""
        if not self._resume or self._folder is None:
            return False
        begun = any((self._folder / CHECKPOINTS).glob(f"{fitter.prefix}*.safetensors"))
        if begun and self.deadline is not None:
            self.plan.parts[name] = Part("whole")
        return begun

    def _first(self, fitter: Fitter) -> tuple[str | None, Fitter]:
        """The name and the fitter of what is trained first; no name where nothing is."""
        if fitter.config.ensemble is None:
            return "", fitter
        for name, member in fitter.config.members.items():
            if member is not None:
                return name, member_fitter(fitter, name, member)
        return None, fitter

    def _cost(self, fitter: Fitter, sides: Sides, progress: Progress) -> Cost:
        """What a configuration takes, features that the store lacks encoded on the way.

        Raises:
            TooLong: Encoding alone takes longer than there is time.
        """
        deadline, config = self.deadline, fitter.config
        assert deadline is not None
        rows, held = network_rows(fitter, sides)
        seconds = min(max(_LEAST_LOOK, _LOOK_SHARE * deadline.limit), _MOST_LOOK[tunes(config)])
        told, students = watched(progress, deadline), sides.pool is not None
        before = fitter.clock.seconds.get("encoding", 0.0)
        count = at_a_time(fitter, config.networks, len(rows)) if config.train.fold_count >= 2 else 1
        if count > 1:
            piece = Piece("pace", rows, held, config.seed)
            needed = pace_ahead(fitter, piece, count, seconds=seconds, progress=told)
        else:
            needed = fitter.pace(rows, held, seconds=seconds, progress=told)
        self._encoding += fitter.clock.seconds.get("encoding", 0.0) - before
        more = takes_one_more(fitter, count)
        return cost_of(config, needed, students=students, at_a_time=count, takes_one_more=more)

    def _decide(
        self, name: str, cost: Cost, lengths: tuple[int, ...], folds: int | None = None, first: int | None = None
    ) -> None:
        assert self.deadline is not None
        left, called = self.deadline.left, f"'{name}'" if name else "the model"
        whole = sum(lengths) >= sum(cost.lengths)
        status: Status = "whole" if whole else "shortened"
        self.plan.parts[name] = Part(status, cost.lengths, lengths, cost.seconds(), left, folds=folds, first=first)
        if self._path is not None:
            self.plan.keep(self._path)
        shorter = (
            "" if whole else f"; {sum(lengths)} of {sum(cost.lengths)} epochs, about {said(cost.seconds(lengths))}"
        )
        fewer = "" if folds is None else f" in {folds} folds"
        fewer += "" if first is None else f" in the first {first} folds alone"
        self.tell(f"{called}: about {said(cost.seconds())}{fewer}{shorter}; {said(left)} are left for it")

    def _leave_out(self, name: str, seconds: float | None, *, least: float | None = None) -> None:
        left = 0.0 if self.deadline is None else max(0.0, self.deadline.left)
        self.plan.parts[name] = Part("left_out", estimate=seconds, left=left)
        takes = "there is no time to look at it" if seconds is None else f"would take about {said(seconds)}"
        takes += "" if least is None else f" ({said(least)} shortened)"
        self.tell(f"left out: '{name}' {takes}, {said(left)} are left")

    def _limited(self, fitter: Fitter, lengths: tuple[int, ...], *, needed: bool) -> Fitter:
        most = lengths or None
        if self.deadline is None:
            return replace(fitter, most=most)
        networks = trainings(fitter.config, students=fitter.config.pseudo is not None)
        if fitter.first is not None:
            networks = fitter.first * fitter.config.train.seeds
        return replace(fitter, most=most, limit=Limit(self.deadline, needed, networks))

    def single(self, fitter: Fitter) -> Fitter:
        """The fitter of a single model as it is to be trained."""
        part = self.plan.parts.get("")
        return fitter if part is None else self._limited(fitter, part.epochs, needed=True)

    def _too_short(self, what: str, seconds: float) -> OutOfTime:
        assert self.whole is not None
        least = (self.whole.spent + seconds) / (1 - RESERVE) / MARGIN
        return OutOfTime(
            f"the time limit of {said(self.whole.limit)} is too short: {what} takes about {said(seconds)} more, after "
            f"{said(self.whole.spent)} so far. What was encoded is kept, and the same command goes on from there. "
            f"Fix: run it again, or with --time-limit of well over {said(least)}, smaller pictures "
            f"(--set encoders.image.size=...), or --preset fast"
        )
