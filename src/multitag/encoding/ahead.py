"""`encode`: what the frozen encoders of a configuration or a run say of tables, stored ahead of all use."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from multitag.config import Config
from multitag.data.table import TableSource
from multitag.encoding.plan import Plan, Reader, plan_of, reader_of
from multitag.encoding.result import EncoderWork, Encoding
from multitag.encoding.work import Done, Shared, encode_share, work
from multitag.errors import ConfigError, MultitagError
from multitag.estimator import tell
from multitag.features.fill import lacking
from multitag.features.merge import merge as merge_store
from multitag.features.rows import Rows, check_rows
from multitag.features.runtime import EXPORTED
from multitag.features.share import WHOLE, Share
from multitag.features.store import FeatureStore
from multitag.fitting.label_checks import lost_pictures
from multitag.networks import best_device, open_store
from multitag.progress import Progress, silent
from multitag.workers import Failure, run_in_processes


def encode(
    tables: Sequence[TableSource],
    what: Config | str | Path | None = None,
    *,
    images: str | Path | None = None,
    data: Mapping[str, Any] | None = None,
    share: Share | str = WHOLE,
    processes: int = 1,
    merge: Sequence[str | Path] = (),
    progress: Progress = silent,
) -> Encoding:
    """Store what frozen encoders say of the rows of tables, so that training and predicting find it there.

    What is stored does not depend on how the work is shared: all shares together, each by any number of processes, in
    any order and after any interruption, give the store that one process gives, bit for bit where each process has as
    many threads. The shares of a table need the same tables, in the same order, and the same kind of device.

    Args:
        tables: The tables; labels are of no account.
        what: A configuration, or the folder of a run; the default configuration where it is not given.
        images: The folder that pictures' names are relative to.
        data: Values for the configuration's [data] section: how the tables are read.
        share: The part of all pictures and texts that is encoded here, such as ``"2/4"``, the second of four.
        processes: How many processes encode, each with its share of the cores, or an accelerator of its own.
        merge: Folders of other stores, whose entries are copied into this one first.
        progress: Told about each stage.

    Raises:
        ConfigError: The configuration is not valid, tokens are read where an encoder gives none, or there is no such
            share.
        DataError: A table or its pictures cannot be used, or a folder to merge is no store.
        WeightsError: An encoder's weights cannot be had.
        RunError: The run cannot be read.
        MultitagError: The store cannot be written, or a process came to nothing.
    """
    if processes < 1:
        raise ConfigError(f"processes = {processes}; accepted: 1 or more")
    share = Share.parse(share) if isinstance(share, str) else share
    source = Path(what) if isinstance(what, str | Path) else (what or Config()).with_data(data or {})
    reader = reader_of(source)
    if reader.is_fitted:
        reader.config = reader.config.with_data(data or {})
    with open_store(reader.config) as store:
        merged = {str(folder): merge_store(store, folder, progress=progress) for folder in merge}
        if not tables:
            return Encoding(store.path, 0, share, (), {}, merged, 0.0)
        plan = plan_of(reader)
        rows = _read(reader, plan, tables, images, progress)
        before = [
            lacking(store, each.slot, each.rows(rows), tokens=each.tokens, device=best_device(), share=share)
            for each in plan.wanted.values()
        ]
        named = [(each.name, each.component, each.slot.encoder.modality) for each in plan.wanted.values()]
        started = time.monotonic()
        missing = sum(lacks for _, lacks in before)
        if processes == 1 or not missing:
            done = encode_share(plan, rows, store, best_device(), share, share, progress)
        else:
            done = _first(plan, rows, store, share)
            plan.wanted.clear()  # the processes load the encoders too: not once more than they must
            shared = Shared(source, store.path.absolute(), rows, share, processes)
            done = _added([done, *_in_processes(shared, missing - sum(count for count, _ in done), progress)])
        seconds = time.monotonic() - started
    encoders = tuple(
        EncoderWork(*name, contents, *found) for name, (contents, _), found in zip(named, before, done, strict=True)
    )
    return Encoding(store.path, len(rows), share, encoders, plan.without, merged, seconds)


def _read(
    reader: Reader, plan: Plan, tables: Sequence[TableSource], images: str | Path | None, progress: Progress
) -> Rows:
    """The rows of all tables; where pictures are read, all are looked at, whatever the share: bad ones are not cut."""
    read = [reader.read(table, images) for table in tables]
    samples = [sample for table in read for sample in table.samples]
    pictures = any(each.slot.encoder.modality == "image" for each in plan.wanted.values())
    rows = check_rows(samples, reader.config, progress=progress) if pictures else Rows(samples, [None] * len(samples))
    tell([*(note for table in read for note in table.warnings), *lost_pictures(rows.bad)], depth=4)
    return rows


def _first(plan: Plan, rows: Rows, store: FeatureStore, share: Share) -> Done:
    """The first chunk of encoders that are exported: that is done once, not in each process."""
    ours = Plan({key: each for key, each in plan.wanted.items() if each.slot.engine in EXPORTED})
    chunk = share.part(0, 1 << 40)
    done = iter(encode_share(ours, rows, store, best_device(), chunk, chunk, silent))
    return [next(done) if each.slot.engine in EXPORTED else (0, 0.0) for each in plan.wanted.values()]


def _in_processes(shared: Shared, missing: int, progress: Progress) -> list[Done]:
    """What each process has done.

    Raises:
        MultitagError: One came to nothing; what was encoded is kept.
    """
    done, failures, left = list[Done](), list[str](), missing
    with progress(f"encoding in {shared.processes} processes", missing) as advance:

        def heard(number: int, count: int) -> None:
            nonlocal left
            advance(min(count, left))  # at the end each counts what the others did
            left -= min(count, left)

        jobs = iter(range(shared.processes))
        for number, found in run_in_processes(work, shared, jobs, shared.processes, heard, option="processes"):
            if isinstance(found, Failure):
                failures.append(f"process {number + 1} of {shared.processes}: {found.why}")
            else:
                done.append(found)
    if failures:
        what = "\n".join(f"  {line}" for line in failures)
        raise MultitagError(
            f"{len(failures)} of {shared.processes} processes came to nothing; what was encoded is in the store "
            f"{shared.store}, and the same command goes on from there\n{what}"
        )
    return done


def _added(parts: Sequence[Done]) -> Done:
    """What all did of each encoder, and the longest that one took."""
    return [(sum(count for count, _ in each), max(seconds for _, seconds in each)) for each in zip(*parts, strict=True)]
