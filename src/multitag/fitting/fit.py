"""From labelled rows to a fitted pipeline: split, encode, train, calibrate, decide, score."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from multitag.config import Config
from multitag.data.table import Table
from multitag.deadline import Deadline
from multitag.features.rows import Check, check_rows
from multitag.features.units import settle_precision
from multitag.fitting.begun import begin_in, interruptible
from multitag.fitting.clock import Clock
from multitag.fitting.data_facts import data_facts
from multitag.fitting.ensembling import train_ensemble
from multitag.fitting.fitted import Fitted, Told
from multitag.fitting.fitter import Fitter
from multitag.fitting.label_checks import label_space
from multitag.fitting.limits.planner import Planner, Tell
from multitag.fitting.shifting import taken_away
from multitag.fitting.sides import take_sides
from multitag.fitting.size_limit import require_size
from multitag.fitting.standing import standing_run
from multitag.fitting.suited import suited
from multitag.fitting.teachers.self_training import train_generations
from multitag.fitting.teachers.teacher import Teacher
from multitag.networks import open_store
from multitag.progress import Progress, silent


def fit(
    config: Config,
    table: Table,
    valid: Table | None = None,
    pool: Table | None = None,
    *,
    teacher: Path | None = None,
    folder: Path | None = None,
    resume: bool = False,
    check: Check = check_rows,
    rounds: int = 1000,
    deadline: Deadline | None = None,
    jobs: int | None = 1,
    progress: Progress = silent,
    on_epoch: Callable[[dict[str, Any]], None] = lambda row: None,
    on_plan: Tell = lambda line: None,
) -> Fitted:
    """Fit a pipeline.

    Args:
        config: All settings.
        table: Labelled rows.
        valid: Rows to choose epoch, calibration and decision by; a share of the table's rows by default.
        pool: Rows without labels for students to learn from, as the [pseudo] section says, or from the teacher.
        teacher: The folder of a fitted run to learn from, as the [teacher] section says.
        folder: The run folder, where checkpoints go while it trains.
        resume: Go on from the checkpoints in `folder`.
        check: Looks at the pictures; another one where they are known already.
        rounds: Bootstrap rounds for the intervals of the scores.
        deadline: When it must be done; the configuration's time limit from now on by default.
        jobs: How many networks of folds train at a time, each in a process of its own with its share of the cores,
            where there is a `folder`; `None` as many as pay.
        progress: Told about each stage.
        on_epoch: Called with the history row of each epoch.
        on_plan: Told what a time limit decides, a line each.

    Raises:
        DataError: Rows or pictures cannot be used, or there are too few to hold any out.
        RunError: The teacher cannot be read, or knows other labels than the rows.
        WeightsError: An encoder's weights cannot be had.
        Interrupted: Ctrl-C; the message says what was kept.
    """
    clock = Clock()
    if deadline is None and config.train.time_limit is not None:
        deadline = Deadline.after(config.train.time_limit)
    with interruptible(clock, folder):
        planner = Planner(deadline, folder, resume=resume, tell=on_plan)
        asked = config
        samples = table.samples if valid is None else [*table.samples, *valid.samples]
        config, notes = suited(config, samples)
        space = label_space(config, table, valid)
        master = None if teacher is None else Teacher.open(teacher, space)
        labelled = sum(sample.labels is not None for sample in table.samples)
        config = settle_precision(config.settled(labelled if valid is None else 0))
        with clock.time("checking"):
            sides = take_sides(config, space, table, valid, pool, check=check, progress=planner.watching(progress))
        begin_in(folder, asked, resume=resume)
        planner.expect(len(sides.held) * len(space), rounds)
        with open_store(config) as store:
            fitter = Fitter(config, space, store, folder, resume, clock, without=taken_away(config), jobs=jobs)
            if config.ensemble is None:
                require_size(config.train.max_size, {"": fitter}, (), sides.learned)
            told = Told(
                clock, data_facts(space, sides, table, valid, pool), (*notes, *sides.notes), rounds, planner.plan
            )
            if master is not None and config.heeds_teacher:
                with clock.time("teaching"):
                    watching = planner.watching(progress)
                    heard = master.ask(sides, config, folder, held_apart=valid is not None, progress=watching)
                del master  # its networks are not needed any more
                fitter, told = replace(fitter, teaching=heard.teaching), told.taught_by(heard)
            fitter, sides = planner.begin(fitter, sides, progress)
            if config.ensemble is None:
                with planner.timed(""):
                    outcome = train_generations(planner.single(fitter), sides, progress=progress, on_epoch=on_epoch)
            else:
                keep = standing_run(folder, planner, lambda found, names: told.fitted(found, sides, config.seed, names))
                outcome = train_ensemble(
                    fitter, sides, planner=planner, so_far=keep, progress=progress, on_epoch=on_epoch
                )
        return told.fitted(outcome, sides, config.seed)
