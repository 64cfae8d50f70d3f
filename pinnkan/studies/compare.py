"""``pinnkan compare``: the cells of a study trained, measured and put into one table; none is run twice.

A cell is a base, a value trained on it, and the errors of both. Its row stands in a CSV file under a key
made of all that decides its numbers: what has a row with a result is finished, wherever the file came from.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from pinnkan.ground.errors import StoppedError, Terminated, stopped
from pinnkan.ground.files import require_writable
from pinnkan.ground.machine import Compute
from pinnkan.ground.progress import Observer, Silent
from pinnkan.storage.runs.paths import base_path
from pinnkan.studies.planning import refuse_faults
from pinnkan.studies.records import Records, without_result
from pinnkan.studies.rows import Row
from pinnkan.studies.study import Cell, Study, base_folder
from pinnkan.sweeps.processes import Died, Pool

_STOPPED = "stopped by a signal; rows are kept, and the same command goes on with the other cells"


@dataclass(frozen=True)
class CompareOptions:
    """Where a study's cells are run.

    Attributes:
        directory: Where bases and adapters go.
        table: The CSV file of the rows, written after every cell, and beside it what the losses did.
        jobs: Worker processes; None trains in this one.
        compute: Device and threads of one training; the precision is the study's.
        time_limit: Seconds after which no further cell is begun.
    """

    directory: Path
    table: Path
    jobs: int | None
    compute: Compute
    time_limit: float | None


def compare(study: Study, options: CompareOptions, observer: Observer) -> list[Row]:
    """Run the cells that have no result yet and return all rows, in the study's order.

    What diverged has its result; what failed otherwise is tried again.

    Args:
        study: What is compared.
        options: Where its cells are run.
        observer: Who is told.

    Raises:
        UsageError: If a problem or a value cannot be found, or a level changes nothing.
        ProblemError: If a level names what is not there.
        FileAccessError: If the table cannot be written.
        StoppedError: If a signal arrived; rows and the states of running trainings are kept.
        UnsavedError: If a signal arrived and the state of a running one could not be written.
    """
    records = Records(study, options.table, observer)
    refuse_faults(records.missing)
    require_writable(options.table)
    deadline = None if options.time_limit is None else time.monotonic() + options.time_limit
    try:
        if options.jobs is None:
            _in_this_process(records, options, deadline, observer)
        else:
            _in_processes(records, options, options.jobs, deadline)
    except (KeyboardInterrupt, Terminated):
        raise StoppedError(_STOPPED) from None
    if records.left:
        count = len(records.cells)
        observer.note(f"{records.left} of {count} cells are still to be run; the same command goes on")
    return records.rows


def _is_over(deadline: float | None) -> bool:
    return deadline is not None and time.monotonic() >= deadline


def _in_this_process(
    records: Records, options: CompareOptions, deadline: float | None, observer: Observer
) -> None:
    """Run the missing cells one after the other."""
    run = make_runner(options.directory, options.compute, observer)
    for cell in records.missing:
        if _is_over(deadline):
            return
        observer.note(f"cell: {cell.title}")
        records.take(*run(cell))


def _in_processes(records: Records, options: CompareOptions, jobs: int, deadline: float | None) -> None:
    """Run the missing cells in worker processes, each as soon as its base is nobody else's."""
    threads = options.compute.threads or max(1, (os.cpu_count() or 1) // jobs)
    compute = replace(options.compute, threads=threads)
    pool, waiting = Pool(jobs, partial(make_runner, options.directory, compute, Silent())), [*records.missing]
    busy: dict[str, Cell] = {}
    try:
        while waiting or busy:
            if _is_over(deadline):
                waiting.clear()
            while pool.free and (cell := _next(waiting, busy.values(), options.directory)):
                waiting.remove(cell)
                busy[cell.key] = cell
                pool.submit(cell.key, cell)
            records.report([cell.title for cell in busy.values()])
            ended = pool.next(1.0) if busy else None
            if ended is not None:
                key, answer = ended
                cell, died = busy.pop(key), isinstance(answer, Died)
                records.take(*((without_result(cell, "failed", str(answer)), None) if died else answer))
    except (KeyboardInterrupt, Terminated):
        raise stopped(pool.close(), _STOPPED) from None
    finally:
        pool.close()


def _next(waiting: Sequence[Cell], busy: Iterable[Cell], directory: Path) -> Cell | None:
    """Return the first cell whose base is there or is in nobody's hands: it trains that as well."""
    in_hands = {cell.base_key for cell in busy}
    return next(
        (
            cell
            for cell in waiting
            if cell.base_key not in in_hands or base_path(base_folder(cell, directory)).is_file()
        ),
        None,
    )


def make_runner(directory: Path, compute: Compute, observer: Observer) -> Any:
    """Return what runs a cell; whoever has the cells run by other processes need not load torch."""
    from pinnkan.studies.cells import CellRunner

    return CellRunner(directory, compute, observer)
