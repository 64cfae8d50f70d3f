"""One cell of a study trained and measured: a base, a value trained on it, and the errors of both."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from pinnkan.ground.errors import DivergedError, PinnkanError, StoppedError
from pinnkan.ground.machine import Compute
from pinnkan.ground.progress import Observer
from pinnkan.ground.runtime import limited_threads
from pinnkan.physics.family import Family
from pinnkan.storage.runs.directory import Result, RunDirectory
from pinnkan.storage.runs.paths import BASE_STEM
from pinnkan.storage.runs.state_files import read_failure
from pinnkan.studies.curves import Curves, curves_of
from pinnkan.studies.planning import problem_of
from pinnkan.studies.records import labels_of, without_result
from pinnkan.studies.rows import LOSS, MEASURED, OF_BASE, Row, Status
from pinnkan.studies.study import Cell, base_folder
from pinnkan.sweeps.options import SweepOptions, TrainingOptions
from pinnkan.workflows.evaluate import measured
from pinnkan.workflows.finetune import finetune
from pinnkan.workflows.pretrain import pretrain


@dataclass(frozen=True)
class CellRunner:
    """Trains and measures cells.

    Attributes:
        directory: Where bases and adapters go.
        compute: Device and threads of one training; its precision is the cell's.
        observer: Who is told.
    """

    directory: Path
    compute: Compute
    observer: Observer

    def __call__(self, cell: Cell) -> tuple[Row, Curves | None]:
        """Train and measure one cell; a fault is its row, too.

        Raises:
            StoppedError: If a signal arrived; the state is saved.

        Returns:
            The row, and what loss, held-out residual and error did over steps and seconds (None if
            it failed).
        """
        try:
            base, value = self._trained(cell)
            with limited_threads(self.compute.threads):
                errors, of_base = measured(value), measured(base)
        except StoppedError:
            raise
        except PinnkanError as fault:
            status: Status = "diverged" if isinstance(fault, DivergedError) else "failed"
            return without_result(cell, status, str(fault)), None
        row = labels_of(cell) | {"status": "done", "error": None} | {name: errors[name] for name in MEASURED}
        history = value.meta["history"]
        row[LOSS] = history["loss"][-1]
        return row | {name: of_base[key] for name, key in OF_BASE.items()}, curves_of(history)

    def _trained(self, cell: Cell) -> tuple[Result, Result]:
        """Return the base and the result of the value, trained where they are not there.

        Raises:
            PinnkanError: The fault of either training.
        """
        folder = self._with_base(cell)
        options = SweepOptions(
            folder,
            cell.method,
            tag=f"c{cell.key}",
            overrides=cell.adapter,
            training=TrainingOptions(cell.seed, compute=self.compute),
        )
        (result,) = finetune(options, [cell.values], self.observer)
        if result.fault is not None:
            raise result.fault
        assert result.path is not None
        run = RunDirectory(folder)
        base = run.base()
        return base, run.adapter(result.path, base)

    def _with_base(self, cell: Cell) -> Path:
        """Train the cell's base if it is not there; return its run directory.

        Raises:
            DivergedError: If it diverges, or did: the folder is of these settings only.
        """
        folder = base_folder(cell, self.directory)
        failure = read_failure(folder, BASE_STEM)
        if failure is not None and failure.exit_code == DivergedError.exit_code:
            raise DivergedError(failure.message)
        options = TrainingOptions(cell.seed, compute=replace(self.compute, dtype=cell.dtype))
        pretrain(_family(cell.source.path, cell.source.text, cell.base), folder, options, self.observer)
        return folder


@lru_cache(maxsize=8)
def _family(path: Path, text: str, overrides: tuple[str, ...]) -> Family:
    """Return a problem's family, compiled once for all cells that share it."""
    return Family(problem_of(path, text, overrides))
