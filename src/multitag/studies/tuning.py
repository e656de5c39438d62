"""`tune`: search for the best settings, by scores of rows that were not trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from multitag.classifier import Classifier
from multitag.config import Config, RecipeConfig
from multitag.cores import cores
from multitag.data.table import TableSource
from multitag.ensemble import Ensemble
from multitag.errors import ConfigError
from multitag.interrupts import Interrupted
from multitag.metrics import METRICS
from multitag.progress import Progress, silent
from multitag.runs.folder import write_json, write_text
from multitag.studies.ablating import require_metric
from multitag.studies.dimension import Choice, Dimension
from multitag.studies.files import write_table
from multitag.studies.material import Material, Part, read_material
from multitag.studies.records import STUDY, require_study_folder
from multitag.studies.search import CHANGES, OUTCOME, RESULT, WHY, Pruner, Search
from multitag.studies.spaces import make_space
from multitag.studies.trial import TrialJob, run_trial
from multitag.studies.tuned import Tried, Tuning
from multitag.studies.variants import require_trainable
from multitag.studies.warming import warm
from multitag.workers import run_here, run_in_processes

BEST, BEST_RUN = "best.toml", "best"


def tune(
    train: TableSource,
    config: Config | None = None,
    over: Sequence[str] = (),
    *,
    trials: int = 50,
    valid: TableSource | None = None,
    test: TableSource | None = None,
    metric: str = "samples_f1",
    pruner: Pruner = "median",
    images: str | Path | None = None,
    out: str | Path | None = None,
    jobs: int | None = None,
    progress: Progress = silent,
) -> Tuning:
    """Search for the best settings.

    The first trial is the configuration as it stands; Optuna's TPE sampler (Bergstra et al. 2011) draws the others.
    Trials are scored as `fit` scores: on rows held out, out of fold, or on `valid`. The best of many such scores
    flatters; `test` is scored once, for the best configuration alone. The same call goes on where an earlier one was
    cut short.

    Args:
        train: Labelled rows.
        config: What is searched around; the default configuration where it is not given.
        over: What is searched: ``"train.lr"``, ``"train.lr=1e-4..1e-2"``, ``"fusion.name=concat,sum"``, ``"head"``; see
            `make_space`.
        trials: How many trials there are, those of earlier calls in `out` included.
        valid: Rows to score by.
        test: Rows to score the best configuration on; its run is then kept in the folder ``best`` of `out`.
        metric: What trials are scored by.
        pruner: How trials that lag behind are stopped early: ``"median"``, ``"hyperband"`` or ``"none"``.
        images: The folder that pictures' names are relative to.
        out: The folder for the trials, tables and the best configuration; nothing is kept where it is `None`.
        jobs: Worker processes; as many as there are cores by default. With 1, all trials in this process.
        progress: Told about each stage.

    Raises:
        ConfigError: All faults of the search together, or the `tune` extra is not installed.
        DataError: Rows or pictures cannot be used.
        RunError: `out` holds something else.
        MultitagError: No trial came to an end.
        Interrupted: Ctrl-C; finished trials are kept.
    """
    require_metric(metric)
    base = (config or Config()).resolved()
    require_trainable(base)
    space = make_space(over, base)
    if trials < 1 or (jobs is not None and jobs < 1):
        raise ConfigError(f"trials = {trials} and jobs = {jobs}; accepted: 1 or more")
    with TemporaryDirectory() if out is None else nullcontext(str(out)) as place:
        folder = Path(place)
        require_study_folder(folder)
        material = read_material([base], train, valid, test, images=images, progress=progress)
        search = Search(base, space, metric, pruner, material.content(base, Part()), folder)
        if search.finished < trials:
            warm([base, *_neighbours(base, space)], material, lenient=True, progress=progress)
            _run_trials(search, material, trials, jobs, pruner, folder, progress)
        found = _found(search, base, space, material)
        if test is not None:
            run = None if out is None else folder / BEST_RUN
            best = Classifier(found.config) if base.ensemble is None else Ensemble.from_config(found.config)
            best.fit(train, valid, images=images, out=run, overwrite=True, progress=progress)
            evaluation = best.evaluate(test, images=images, progress=progress)
            found = replace(found, test=evaluation)
        if out is not None:
            _write(found, folder)
    return found


def _neighbours(base: Config, space: Sequence[Dimension]) -> Iterator[Config]:
    """Configurations that differ in one named choice: they may ask for other features."""
    for dimension in space:
        if isinstance(dimension.values, Choice) and dimension.only is None:
            for value in dimension.values.values:
                try:
                    yield base.changed([f"{dimension.key}={value}"])
                except ConfigError:
                    continue


def _run_trials(
    search: Search,
    material: Material,
    trials: int,
    jobs: int | None,
    pruner: Pruner,
    folder: Path,
    progress: Progress,
) -> None:
    done, left = search.finished, trials - search.finished

    def drawn() -> Iterator[TrialJob]:
        for _ in range(left):
            asked = search.ask()
            if asked is not None:
                yield TrialJob(*asked, search.metric, by_epochs=pruner == "hyperband")

    def answer(job: TrialJob, said: tuple[int, float]) -> bool:
        return search.report(job.number, *said)

    with progress("trials", trials) as advance:
        advance(done)
        try:
            count = min(jobs or cores(), left)
            results = (
                run_here(run_trial, material, drawn(), answer)
                if jobs == 1
                else run_in_processes(run_trial, material, drawn(), count, answer)
            )
            for job, result in results:
                search.tell(job.number, result)
                advance(search.finished - done)
                done = search.finished
        except (KeyboardInterrupt, Interrupted) as error:
            raise Interrupted(
                f"stopped after {done} of {trials} trials; {folder} keeps them, and the same command goes on from there"
            ) from error


def _found(search: Search, base: Config, space: Sequence[Dimension], material: Material) -> Tuning:
    best = search.best().number
    tried = tuple(
        Tried(
            trial.number,
            trial.user_attrs[OUTCOME],
            trial.value if trial.user_attrs[OUTCOME] == "finished" else None,
            tuple(trial.user_attrs.get(CHANGES, ())),
            trial.user_attrs.get(RESULT, {}),
            trial.user_attrs.get(WHY, ""),
        )
        for trial in search.study.get_trials(deepcopy=False)
        if OUTCOME in trial.user_attrs
    )
    winner = next(trial for trial in tried if trial.number == best)
    ways = {"out_of_fold": "out of fold", "held_out": "held out", "valid": "given to validate on"}
    scored_on = f"{winner.result['rows']} rows {ways[winner.result['scored_on']]}"
    score = f"{search.metric} {winner.value:.4f} on {scored_on}, the best of {len(tried)} trials, which flatters"
    table = material.reading(base).train
    recipe = RecipeConfig(
        title=f"The best of {len(tried)} trials on {table.name}",
        source="multitag tune",
        data=f"{len(table)} rows of {table.name}",
        metric=search.metric,
        ours=score,
        differences=winner.changes,
    )
    config = base.changed(winner.changes).model_copy(update={"recipe": recipe})
    return Tuning(
        search.metric, config, winner, tried, tuple(space), search.importance(), scored_on, notes=material.notes
    )


def _write(found: Tuning, folder: Path) -> None:
    """Write best.toml, trials.csv, importance.csv and study.json.

    Raises:
        RunError: The folder cannot be written.
    """
    keys = list(dict.fromkeys(change.partition("=")[0] for trial in found.trials for change in trial.changes))
    costs = ("epochs", "training_seconds", "megabytes")
    rows = []
    for trial in found.trials:
        settings = dict(change.split("=", 1) for change in trial.changes)
        scores = trial.result.get("scores", {})
        row = [trial.number, trial.outcome, *(settings.get(key) for key in keys)]
        rows.append(
            [*row, *(scores.get(name) for name in METRICS.names()), *(trial.result.get(cost) for cost in costs)]
        )
    write_table(folder / "trials.csv", ["trial", "outcome", *keys, *METRICS.names(), *costs], rows)
    write_table(folder / "importance.csv", ["setting", "importance"], list(found.importance.items()))
    write_text(folder / BEST, found.config.dump())
    write_json(folder / STUDY, found.to_dict())
