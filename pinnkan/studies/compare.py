"""``pinnkan compare``: the cells of a study trained, measured and put into one table; none is run twice.

A cell is a base, a value trained on it, and the errors of both. Its row stands in a CSV file under a key
made of all that decides its numbers: what has a row with a result is finished, wherever the file came from.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnkan.ground.errors import (
    DivergedError,
    PinnkanError,
    StoppedError,
    Terminated,
    UsageError,
    stopped,
)
from pinnkan.ground.files import require_writable
from pinnkan.ground.progress import Observer, Silent, SweepReport
from pinnkan.language.methods import METHODS
from pinnkan.language.network_kinds import NETWORK_KINDS
from pinnkan.optim.kinds import OPTIMIZERS
from pinnkan.storage.runs.paths import BASE_STEM, base_path
from pinnkan.storage.runs.state_files import read_failure
from pinnkan.studies.curves import Curves, curves_of, read_curves, write_curves
from pinnkan.studies.rows import FINISHED, LOSS, MEASURED, OF_BASE, Row, Status, read_rows, write_rows
from pinnkan.studies.study import Cell, Source, Study, cells_of, problems_of

if TYPE_CHECKING:
    from pinnkan.language.problem import Problem
    from pinnkan.physics.family import Family


_STOPPED = "stopped by a signal; rows are kept, and the same command goes on with the other cells"


def compare(
    study: Study,
    *,
    directory: Path,
    table: Path,
    jobs: int | None,
    threads: int | None,
    device: str,
    time_limit: float | None,
    observer: Observer,
) -> list[Row]:
    """Run the cells that have no result yet and return all rows, in the study's order.

    What diverged has its result; what failed otherwise is tried again.

    Args:
        study: What is compared.
        directory: Where bases and adapters go.
        table: The CSV file of the rows, written after every cell, and beside it what the losses did.
        jobs: Worker processes; None trains in this one.
        threads: CPU threads of one training.
        device: ``cpu``, ``cuda``, ``auto``, ...
        time_limit: Seconds after which no further cell is begun.
        observer: Who is told.

    Raises:
        UsageError: If a problem or a value cannot be found, or a level changes nothing.
        ProblemError: If a level names what is not there.
        FileAccessError: If the table cannot be written.
        StoppedError: If a signal arrived; rows and the states of running trainings are kept.
        UnsavedError: If a signal arrived and the state of a running one could not be written.
    """
    records = _Records(study, table, observer)
    _refuse_faults(records.missing)
    require_writable(table)
    deadline = None if time_limit is None else time.monotonic() + time_limit
    circumstances = {"directory": directory, "threads": threads, "device": device}
    try:
        _run(records.missing, circumstances, jobs, deadline, observer, records.report, records.take)
    except (KeyboardInterrupt, Terminated):
        raise StoppedError(_STOPPED) from None
    if records.left:
        count = len(records.cells)
        observer.note(f"{records.left} of {count} cells are still to be run; the same command goes on")
    return _of_study(records.cells, records.known)


class _Records:
    """A study's table and curves while its cells end.

    Attributes:
        cells: Of the study.
        known: All rows of the table by key, those of other studies too.
        missing: The cells that had no result at first.
    """

    def __init__(self, study: Study, table: Path, observer: Observer) -> None:
        self.cells = planned(study)
        self.known = {row["key"]: row for row in read_rows(table)}
        self._curves = read_curves(table)
        unfinished = [
            cell for cell in self.cells if self.known.get(cell.key, {}).get("status") not in FINISHED
        ]
        self.missing = list({cell.key: cell for cell in unfinished}.values())
        self._study, self._table, self._observer = study, table, observer
        self._ended: list[Row] = []
        self._started = time.monotonic()

    @property
    def left(self) -> int:
        """How many of the missing cells have not ended."""
        return len(self.missing) - len(self._ended)

    def report(self, running: Sequence[str]) -> None:
        """Tell the observer where the study stands."""
        failed = sum(row["status"] != "done" for row in self._ended)
        seconds = time.monotonic() - self._started
        counts = (len(self._ended), failed, len(self.missing))
        self._observer.sweep(SweepReport(*counts, seconds, tuple(running), "cells"))

    def take(self, row: Row, curve: Curves | None) -> None:
        """Put what came of a cell into the files."""
        # Another process may run other seeds into the same table.
        self.known.update({other["key"]: other for other in read_rows(self._table)} | {row["key"]: row})
        self._curves.update(read_curves(self._table))
        self._ended.append(row)
        if row["error"]:
            self._observer.note(f"{_place(self._study, row)}: {row['status']}: {row['error']}")
        rows = _in_order(self.cells, self.known)
        if curve is not None:
            self._curves[row["key"]] = curve
            kept = (one["key"] for one in rows if one["key"] in self._curves)
            write_curves(self._table, {key: self._curves[key] for key in kept})
        write_rows(self._table, self._study, rows)
        self.report(())


def _refuse_faults(cells: Sequence[Cell]) -> None:
    """Refuse what some cell could not do before the first of them is trained.

    Raises:
        UsageError: If learning rates are said for a training whose optimizers take none, or an MLP shall have
            an adapter.
        ProblemError: If an override names what is not there.
    """
    distinct = {(cell.text, cell.base, cell.adapter, cell.method): cell for cell in cells}
    for cell in distinct.values():
        settings = _problem(cell.problem, cell.text, (*cell.base, *cell.adapter)).settings
        phases = settings.finetuning.in_turn
        rates = [text for text in cell.adapter if text.startswith("finetuning.rates=")]
        if rates and METHODS[cell.method].low_rank and not any(p.kind.takes("rates") for p in phases):
            takers = [name for name, kind in OPTIMIZERS.items() if kind.takes("rates")]
            raise UsageError(
                f"{cell.title}: {rates[0]} changes nothing, for no phase of fine-tuning is of "
                f"{' or '.join(takers)}; set finetuning.phases=[{{optimizer: {takers[0]}, steps: 1500}}]"
            )
        if not NETWORK_KINDS[settings.network.kind].on_edges and METHODS[cell.method].low_rank:
            raise UsageError(
                f"{cell.title}: a LoTRA adapter needs a KAN; exclude the combination, or state method: full"
            )


def _place(study: Study, row: Row) -> str:
    return ", ".join(str(row[name]) for name in (*study.axes, *study.values, "seed"))


def _in_order(cells: Sequence[Cell], known: Mapping[str, Row]) -> list[Row]:
    """Return all rows in the study's order, others behind: the table is kept under version control."""
    found = {row["key"]: row for row in _of_study(cells, known)}
    return [*found.values(), *(row for key, row in known.items() if key not in found)]


def _of_study(cells: Sequence[Cell], known: Mapping[str, Row]) -> list[Row]:
    """Return the rows there are, with the labels that the study has now: no label decides a number."""
    numbers = ("status", "error", *MEASURED, LOSS, *OF_BASE)
    return [
        _labels(cell) | {name: known[cell.key][name] for name in numbers}
        for cell in cells
        if cell.key in known
    ]


def planned(study: Study) -> list[Cell]:
    """Return the cells of a study.

    Raises:
        UsageError: If a problem or a value cannot be found.
        ProblemError: If a problem file has faults.
    """
    from pinnkan.language.problem.finding import find_problem, problem_text

    sources = {}
    for name in problems_of(study):
        path = find_problem(name)
        text = problem_text(path)
        sources[name] = Source(path, text, _problem(path, text, ()).parameters)
    return cells_of(study, sources)


def _run(
    cells: Sequence[Cell],
    circumstances: Mapping[str, Any],
    jobs: int | None,
    deadline: float | None,
    observer: Observer,
    report: Callable[[Sequence[str]], None],
    take: Callable[[Row, Curves | None], None],
) -> None:
    """Hand on rows and trajectories as cells end."""
    if jobs is None:
        for cell in cells:
            if deadline is not None and time.monotonic() >= deadline:
                return
            observer.note(f"cell: {cell.title}")
            take(*run_cell(cell, observer=observer, **circumstances))
        return
    threads = circumstances["threads"] or max(1, (os.cpu_count() or 1) // jobs)
    _in_processes(cells, {**circumstances, "threads": threads}, jobs, deadline, report, take)


def _in_processes(
    cells: Sequence[Cell],
    circumstances: Mapping[str, Any],
    jobs: int,
    deadline: float | None,
    report: Callable[[Sequence[str]], None],
    take: Callable[[Row, Curves | None], None],
) -> None:
    from pinnkan.sweeps.processes import Died, Pool

    pool, waiting = Pool(jobs, partial(make_runner, circumstances)), list(cells)
    busy: dict[str, Cell] = {}
    try:
        while waiting or busy:
            if deadline is not None and time.monotonic() >= deadline:
                waiting.clear()
            while pool.free and (cell := _next(waiting, busy.values(), circumstances["directory"])):
                waiting.remove(cell)
                busy[cell.key] = cell
                pool.submit(cell.key, cell)
            report([cell.title for cell in busy.values()])
            ended = pool.next(1.0) if busy else None
            if ended is not None:
                key, answer = ended
                cell = busy.pop(key)
                died = isinstance(answer, Died)
                take(*((_without_result(cell, "failed", str(answer)), None) if died else answer))
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
            if cell.base_key not in in_hands or base_path(_base_folder(cell, directory)).is_file()
        ),
        None,
    )


def make_runner(circumstances: Mapping[str, Any]) -> Any:
    """Return what runs a cell in a worker process."""
    return partial(run_cell, observer=Silent(), **circumstances)


def run_cell(
    cell: Cell, *, directory: Path, threads: int | None, device: str, observer: Observer
) -> tuple[Row, Curves | None]:
    """Train and measure one cell; a fault is its row, too.

    Raises:
        StoppedError: If a signal arrived; the state is saved.

    Returns:
        The row, and what loss, held-out residual and error did over steps and seconds (None if it failed).
    """
    from pinnkan.ground.runtime import limited_threads
    from pinnkan.storage.runs.directory import RunDirectory
    from pinnkan.workflows.evaluate import measured
    from pinnkan.workflows.finetune import finetune

    try:
        base = _base(cell, directory=directory, threads=threads, device=device, observer=observer)
        (result,) = finetune(
            base,
            [cell.values],
            method=cell.method,
            tag=f"c{cell.key}",
            overrides=cell.adapter,
            seed=cell.seed,
            device=device,
            dtype=None,
            threads=threads,
            force=False,
            time_limit=None,
            observer=observer,
        )
        if result.fault is not None:
            raise result.fault
        assert result.path is not None
        run = RunDirectory(base)
        start = run.base()
        stored = run.adapter(result.path, start)
        with limited_threads(threads):
            found, of_base = measured(stored), measured(start)
    except StoppedError:
        raise
    except PinnkanError as fault:
        status: Status = "diverged" if isinstance(fault, DivergedError) else "failed"
        return _without_result(cell, status, str(fault)), None
    row = _labels(cell) | {"status": "done", "error": None} | {name: found[name] for name in MEASURED}
    history = stored.meta["history"]
    row[LOSS] = history["loss"][-1]
    return row | {name: of_base[key] for name, key in OF_BASE.items()}, curves_of(history)


def _base(cell: Cell, *, directory: Path, threads: int | None, device: str, observer: Observer) -> Path:
    """Train the cell's base if it is not there; return its run directory.

    Raises:
        DivergedError: If it diverges, or did: the folder is of these settings only.
    """
    from pinnkan.workflows.pretrain import pretrain

    folder = _base_folder(cell, directory)
    failure = read_failure(folder, BASE_STEM)
    if failure is not None and failure.exit_code == DivergedError.exit_code:
        raise DivergedError(failure.message)
    pretrain(
        _family(cell.problem, cell.text, cell.base),
        directory=folder,
        seed=cell.seed,
        device=device,
        dtype=cell.dtype,
        threads=threads,
        force=False,
        time_limit=None,
        observer=observer,
    )
    return folder


def _base_folder(cell: Cell, directory: Path) -> Path:
    return directory / "bases" / cell.base_key


@lru_cache(maxsize=8)
def _family(path: Path, text: str, overrides: tuple[str, ...]) -> Family:
    """Return a problem's family, compiled once for all cells that share it."""
    from pinnkan.physics.family import Family

    return Family(_problem(path, text, overrides))


@lru_cache(maxsize=8)
def _problem(path: Path, text: str, overrides: tuple[str, ...]) -> Problem:
    """Return a problem, parsed once for all cells that share it; SymPy waits until one is."""
    from pinnkan.language.problem.schema import read_problem

    return read_problem(text, file=str(path), name=path.stem, overrides=overrides, directory=path.parent)


def _labels(cell: Cell) -> Row:
    return {"key": cell.key, **cell.labels, **cell.values, "seed": cell.seed}


def _without_result(cell: Cell, status: Status, message: str) -> Row:
    nothing = dict.fromkeys([*MEASURED, LOSS, *OF_BASE])
    return _labels(cell) | {"status": status, "error": " ".join(message.split())[:300]} | nothing
