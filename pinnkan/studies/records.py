"""What came of a study's cells: rows and curves, put into their files as the cells end."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from pinnkan.ground.progress import Observer, SweepReport
from pinnkan.studies.curves import Curves, read_curves, write_curves
from pinnkan.studies.planning import planned
from pinnkan.studies.rows import FINISHED, LOSS, MEASURED, OF_BASE, Row, Status, read_rows, write_rows
from pinnkan.studies.study import Cell, Study


class Records:
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
    def rows(self) -> list[Row]:
        """The rows that there are of the study, in its order."""
        return _of_study(self.cells, self.known)

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
            kept = (listed["key"] for listed in rows if listed["key"] in self._curves)
            write_curves(self._table, {key: self._curves[key] for key in kept})
        write_rows(self._table, self._study, rows)
        self.report(())


def _place(study: Study, row: Row) -> str:
    return ", ".join(str(row[name]) for name in (*study.axes, *study.values, "seed"))


def _in_order(cells: Sequence[Cell], known: Mapping[str, Row]) -> list[Row]:
    """Return all rows in the study's order, others behind: the table is kept under version control."""
    own = {row["key"]: row for row in _of_study(cells, known)}
    return [*own.values(), *(row for key, row in known.items() if key not in own)]


def _of_study(cells: Sequence[Cell], known: Mapping[str, Row]) -> list[Row]:
    """Return the rows there are, with the labels that the study has now: no label decides a number."""
    numbers = ("status", "error", *MEASURED, LOSS, *OF_BASE)
    return [
        labels_of(cell) | {name: known[cell.key][name] for name in numbers}
        for cell in cells
        if cell.key in known
    ]


def labels_of(cell: Cell) -> Row:
    """Return the part of a cell's row that is known before it is trained, but for its status."""
    return {"key": cell.key, **cell.labels, **cell.values, "seed": cell.seed}


def without_result(cell: Cell, status: Status, message: str) -> Row:
    """Return the row of a cell that diverged or failed."""
    nothing = dict.fromkeys([*MEASURED, LOSS, *OF_BASE])
    return labels_of(cell) | {"status": status, "error": " ".join(message.split())[:300]} | nothing
