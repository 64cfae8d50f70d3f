"""``pinnkan compare``: the cells of a study trained, measured and put into one table; none is run twice.

A cell is a base, a value trained on it, and the errors of both. Its row stands in a CSV file under a key
made of all that decides its numbers: what has a row is finished, wherever the CSV file came from.
"""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pinnkan.errors import DamagedFileError, PinnkanError
from pinnkan.files import atomic_writer
from pinnkan.progress import Observer, Silent, SweepReport
from pinnkan.workflows.study import Cell, Study, cells_of, problems_of

if TYPE_CHECKING:
    from pinnkan.problem import Problem

MEASURED = (
    "relative_l2",
    "relative_max",
    "residual_rms",
    "boundary_max",
    "zero_network_l2",
    "trainable_parameters",
    "file_bytes",
    "train_seconds",
    "steps",
    "stop_reason",
)
"""Of the cell, as `evaluate` defines them."""
OF_BASE = {"base_relative_l2": "relative_l2", "base_seconds": "train_seconds"}
_NUMBERS = {*MEASURED, *OF_BASE} - {"stop_reason"}
_WHOLE = {"trainable_parameters", "file_bytes", "steps", "seed"}

Row = dict[str, Any]


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
    """Run the cells that have no row yet and return all rows, in the study's order.

    Args:
        study: What is compared.
        directory: Where bases and adapters go; ``trajectories.json`` holds what their losses did.
        table: The CSV file of the rows, written after every cell.
        jobs: Worker processes; None trains in this one.
        threads: CPU threads of one training.
        device: ``cpu``, ``cuda``, ``auto``, ...
        time_limit: Seconds after which no further cell is begun.
        observer: Who is told.

    Raises:
        UsageError: If a problem or a value cannot be found.
        FileAccessError: If the table cannot be written.
    """
    cells = planned(study)
    known = {row["key"]: row for row in read_rows(table)}
    keep = list(known.values())
    trajectories = _read_json(directory / "trajectories.json")
    missing = [cell for cell in cells if cell.key not in known]
    deadline = None if time_limit is None else time.monotonic() + time_limit
    circumstances = {"directory": directory, "threads": threads, "device": device}
    started = time.monotonic()
    for done, (row, trajectory) in enumerate(_run(missing, circumstances, jobs, deadline, observer), start=1):
        keep.append(row)
        known[row["key"]] = row
        if trajectory is not None:
            trajectories[row["key"]] = trajectory
            _write(directory / "trajectories.json", json.dumps(trajectories, indent=0).encode())
        write_rows(table, study, keep)
        failed = sum(one["status"] == "failed" for one in known.values())
        observer.sweep(SweepReport(done, failed, len(missing), time.monotonic() - started))
    return [known[cell.key] for cell in cells if cell.key in known]


def planned(study: Study) -> list[Cell]:
    """Return the cells of a study.

    Raises:
        UsageError: If a problem or a value cannot be found.
        ProblemError: If a problem file has faults.
    """
    from pinnkan.problem.finding import find_problem
    from pinnkan.problem.loading import load_problem

    paths = {name: find_problem(name) for name in problems_of(study)}
    return cells_of(study, {name: (path, load_problem(path).parameters) for name, path in paths.items()})


def _run(
    cells: Sequence[Cell],
    circumstances: Mapping[str, Any],
    jobs: int | None,
    deadline: float | None,
    observer: Observer,
) -> Iterator[tuple[Row, dict[str, Any] | None]]:
    """Give rows and trajectories as cells end: bases first where processes would train one twice."""
    if jobs is None:
        for cell in cells:
            if deadline is not None and time.monotonic() >= deadline:
                return
            observer.note(f"cell: {cell.title}")
            yield run_cell(cell, observer=observer, **circumstances)
        return
    threads = circumstances["threads"] or max(1, (os.cpu_count() or 1) // jobs)
    shared = {**circumstances, "threads": threads}
    bases = list({cell.base_key: cell for cell in cells}.values())
    for _ in _in_processes(bases, partial(make_base_runner, shared), jobs, deadline):
        pass
    yield from _in_processes(cells, partial(make_cell_runner, shared), jobs, deadline)


def _in_processes(cells: Sequence[Cell], make: Any, jobs: int, deadline: float | None) -> Iterator[Any]:
    from pinnkan.workflows.workers import Died, Pool

    pool, waiting = Pool(jobs, make), list(cells)[::-1]
    busy: dict[str, Cell] = {}
    try:
        while waiting or busy:
            if deadline is not None and time.monotonic() >= deadline:
                waiting.clear()
            while waiting and pool.free:
                cell = waiting.pop()
                busy[cell.key] = cell
                pool.submit(cell.key, cell)
            ended = pool.next(1.0) if busy else None
            if ended is not None:
                key, answer = ended
                cell = busy.pop(key)
                yield (_failed(cell, str(answer)), None) if isinstance(answer, Died) else answer
    finally:
        pool.close()


def make_cell_runner(circumstances: Mapping[str, Any]) -> Any:
    """Return what runs a cell in a worker process."""
    return partial(run_cell, observer=Silent(), **circumstances)


def make_base_runner(circumstances: Mapping[str, Any]) -> Any:
    """Return what trains a cell's base in a worker process; a fault shows itself in its cells."""
    return partial(_only_base, **circumstances)


def _only_base(cell: Cell, **circumstances: Any) -> bool:
    try:
        _base(cell, observer=Silent(), **circumstances)
    except PinnkanError:
        return False
    return True


def run_cell(
    cell: Cell, *, directory: Path, threads: int | None, device: str, observer: Observer
) -> tuple[Row, dict[str, Any] | None]:
    """Train and measure one cell; a fault is its row, too.

    Returns:
        The row, and what loss, held-out residual and error did over steps and seconds (None if it failed).
    """
    from pinnkan.workflows.evaluate import measured
    from pinnkan.workflows.finetune import finetune
    from pinnkan.workflows.runs import RunDirectory

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
        if result.path is None:
            return _failed(cell, str(result.fault)), None
        run = RunDirectory(base)
        start = run.base()
        stored = run.adapter(result.path, start)
        found, of_base = measured(stored), measured(start)
    except PinnkanError as fault:
        return _failed(cell, str(fault)), None
    row = _labels(cell) | {"status": "done", "error": None} | {name: found[name] for name in MEASURED}
    history = stored.meta["history"]
    trajectory = {name: history[name] for name in ("step", "seconds", "loss", "held_out", "error")}
    return row | {name: of_base[key] for name, key in OF_BASE.items()}, trajectory


def _base(cell: Cell, *, directory: Path, threads: int | None, device: str, observer: Observer) -> Path:
    """Train the cell's base if it is not there; return its run directory."""
    from pinnkan.workflows.pretrain import pretrain

    folder = directory / "bases" / cell.base_key
    pretrain(
        _problem(cell.problem, cell.base),
        directory=folder,
        seed=cell.seed,
        device=device,
        dtype="float64",
        threads=threads,
        force=False,
        time_limit=None,
        observer=observer,
    )
    return folder


@lru_cache(maxsize=8)
def _problem(path: Path, overrides: tuple[str, ...]) -> Problem:
    """Return a problem, parsed once for all cells that share it."""
    from pinnkan.problem.loading import load_problem

    return load_problem(path, overrides=overrides)


def _labels(cell: Cell) -> Row:
    return {"key": cell.key, **cell.labels, **cell.values, "seed": cell.seed}


def _failed(cell: Cell, message: str) -> Row:
    nothing = dict.fromkeys([*MEASURED, *OF_BASE])
    return _labels(cell) | {"status": "failed", "error": " ".join(message.split())[:300]} | nothing


def read_rows(path: Path) -> list[Row]:
    """Read a table; none of it if there is no file.

    Raises:
        DamagedFileError: If the file is no table of cells.
    """
    if not path.is_file():
        return []
    try:
        lines = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
        return [{name: _value(name, text) for name, text in line.items()} for line in lines if line["key"]]
    except (KeyError, ValueError, csv.Error) as error:
        raise DamagedFileError(f"{path}: not a table of cells ({error})") from None


def write_rows(path: Path, study: Study, rows: Sequence[Row]) -> None:
    """Write the table: labels, values and seed, then the numbers.

    Raises:
        FileAccessError: If it cannot be written.
    """
    first = ["key", *study.axes, *study.values, "seed", "status"]
    columns = list(dict.fromkeys([*first, *(name for row in rows for name in row)]))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: "" if value is None else value for name, value in row.items()} for row in rows)
    _write(path, text.getvalue().encode())


def _value(name: str, text: str) -> Any:
    if text == "":
        return None
    if name in _WHOLE:
        return int(text)
    return float(text) if name in _NUMBERS else text


def _read_json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except ValueError as error:
        raise DamagedFileError(f"{path}: not JSON ({error})") from None
    return found if isinstance(found, dict) else {}


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_writer(path) as file:
        file.write(data)
