"""`ablate`: configurations that differ, each trained from several seeds, compared on the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from multitag.config import Config
from multitag.cores import cores
from multitag.data.table import TableSource
from multitag.errors import ConfigError
from multitag.interrupts import Interrupted
from multitag.metrics import METRICS
from multitag.progress import Progress, silent
from multitag.registry import closest
from multitag.studies.ablation import Ablation, Result, judge
from multitag.studies.factors import Factor, Named, make_factors, read_named
from multitag.studies.files import write_ablation
from multitag.studies.material import Material, Part, read_material
from multitag.studies.records import load_record, require_study_folder
from multitag.studies.variants import Design, Variant, make_variants, seed_step, with_seed
from multitag.studies.warming import warm
from multitag.studies.work import Job, Shared, job_of, run
from multitag.workers import Failure, run_here, run_in_processes


def ablate(
    train: TableSource,
    config: Config | None = None,
    vary: Mapping[str, Sequence[Any]] | Sequence[str | Factor] = (),
    variants: Mapping[str, Sequence[str]] | Sequence[str | Named] = (),
    *,
    design: Design = "grid",
    seeds: int = 3,
    valid: TableSource | None = None,
    test: TableSource | None = None,
    test_share: float = 0.2,
    metric: str = "samples_f1",
    images: str | Path | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    progress: Progress = silent,
) -> Ablation:
    """Train and compare configurations.

    All are checked before anything runs. Frozen encoders run once for all of them. Each finished run is kept in `out`,
    and the same call goes on where an earlier one was cut short. A run's rows depend on the seed alone: all
    configurations train and are scored on the same ones.

    Args:
        train: Labelled rows.
        config: What is varied; the default configuration where it is not given.
        vary: Settings and their values: ``{"fusion.name": ["concat", "sum"]}``, or lines
            ``"fusion.name=concat,sum"``. ``"train.lr+train.encoder_lr"`` sets two settings to the same value.
        variants: Changes that belong together, by name: ``{"two layers": ["encoders.text.layers=2"]}``.
        design: ``"grid"``: every combination. ``"one_at_a_time"``: the configuration as it stands, and each value
            in it.
        seeds: How many seeds each configuration is trained from: the configuration's own, the next, and so on.
        valid: Rows to choose epoch, calibration and decision by.
        test: Rows to score; the same for all seeds. Without them, each seed holds out rows of its own.
        test_share: How much of `train` each seed holds out to score, where there is no `test`.
        metric: What configurations are compared by.
        images: The folder that pictures' names are relative to.
        out: The folder for finished runs, tables and configurations; nothing is kept where it is `None`.
        jobs: Worker processes, each with its share of the cores; as many as there are cores by default. With 1, all
            runs in this process.
        progress: Told about each stage.

    Raises:
        ConfigError: All faults of all configurations together.
        DataError: Rows or pictures cannot be used.
        RunError: `out` holds something else.
        Interrupted: Ctrl-C; finished runs are kept.
    """
    require_metric(metric)
    base = (config or Config()).resolved()
    lines = [Named(n, tuple(c)) for n, c in variants.items()] if isinstance(variants, Mapping) else variants
    named = [each if isinstance(each, Named) else read_named(each) for each in lines]
    planned = make_variants(base, make_factors(vary), named, design)
    if seeds < 1 or not 0 < test_share < 1:
        raise ConfigError(f"seeds = {seeds} and test_share = {test_share}: accepted are 1 or more, and 0 to 1")
    with TemporaryDirectory() if out is None else nullcontext(str(out)) as place:
        folder = Path(place)
        require_study_folder(folder)
        configs = [variant.config for variant in planned]
        material = read_material(configs, train, valid, test, images=images, progress=progress)
        shifts = [number * seed_step(planned) for number in range(seeds)]
        parts = [Part() if test is not None else material.part(base, test_share, base.seed + s) for s in shifts]
        plan = _plan(planned, shifts, parts, material)
        failures = _run_all(plan, material, folder, jobs, progress)
        results = [_result(variant, plan[variant.name], failures, folder) for variant in planned]
        of_seeds = tuple(base.seed + shift for shift in shifts)
        comparisons, reference, ranking = judge(results, metric, design, of_seeds)
        scored = _scored_on(material, base, parts, test_share)
        found = Ablation(
            metric,
            design,
            of_seeds,
            scored,
            tuple(results),
            tuple(comparisons),
            reference,
            tuple(ranking),
            material.notes,
        )
        if out is not None:
            write_ablation(found, folder)
    return found


def require_metric(metric: str) -> None:
    """Refuse a metric that does not exist.

    Raises:
        ConfigError: No such metric.
    """
    if metric not in METRICS.table:
        names = METRICS.names()
        raise ConfigError(f"metric '{metric}' does not exist{closest(metric, names)} Accepted: {', '.join(names)}.")


def _plan(
    variants: Sequence[Variant], shifts: Sequence[int], parts: Sequence[Part], material: Material
) -> dict[str, list[Job]]:
    """The runs of each configuration, one a seed."""
    return {
        variant.name: [
            job_of(with_seed(variant.config, shift), part, material) for shift, part in zip(shifts, parts, strict=True)
        ]
        for variant in variants
    }


def _run_all(
    plan: Mapping[str, Sequence[Job]], material: Material, folder: Path, jobs: int | None, progress: Progress
) -> dict[str, str]:
    """Do all runs that are not done yet, seed by seed; why some came to nothing, by their keys."""
    by_seed = [job for jobs_of_seed in zip(*plan.values(), strict=True) for job in jobs_of_seed]
    todo = list({job.key: job for job in by_seed if load_record(job.key, folder) is None}.values())
    if not todo:
        return {}
    warm([job.config for job in todo], material, progress=progress)
    done, failures = len({job.key for job in by_seed}) - len(todo), {}
    with progress("runs", done + len(todo)) as advance:
        advance(done)
        try:
            for job, result in _results(Shared(material, folder), todo, jobs):
                if isinstance(result, Failure):
                    failures[job.key] = result.why
                done += 1
                advance(1)
        except (KeyboardInterrupt, Interrupted) as error:
            whole = len({job.key for job in by_seed})
            raise Interrupted(
                f"stopped after {done} of {whole} runs; {folder} keeps them, and the same command goes on from there"
            ) from error
    return failures


def _results(shared: Shared, todo: Sequence[Job], jobs: int | None) -> Iterator[tuple[Job, Any]]:
    count = min(jobs or cores(), len(todo))
    if count < 1:
        raise ConfigError(f"jobs = {jobs}; accepted: 1 or more")
    if jobs == 1:
        return run_here(run, shared, iter(todo))
    return run_in_processes(run, shared, iter(todo), count)


def _result(variant: Variant, jobs: Sequence[Job], failures: Mapping[str, str], folder: Path) -> Result:
    records = [(job, load_record(job.key, folder)) for job in jobs]
    lacking = {job.config.seed: failures.get(job.key, "it left nothing") for job, record in records if record is None}
    return Result(variant, tuple(record for _, record in records if record is not None), lacking)


def _scored_on(material: Material, base: Config, parts: Sequence[Part], share: float) -> str:
    rows = len(material.test(base, parts[0]))
    if parts[0].test is None:
        table = material.reading(base).test
        return f"{rows} rows of {table.name if table else 'test'}, the same for all seeds"
    return f"{rows} rows that each seed holds out ({share:.0%}), which chose nothing"
