"""Named columns of numbers in a file that the user names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.datafiles.csv_text import CsvTable
from pinnkan.ground.datafiles.faults import DataFault
from pinnkan.ground.datafiles.npz_arrays import NpzArchive
from pinnkan.ground.datafiles.repeats import find_repeats
from pinnkan.ground.errors import UsageError, did_you_mean, quote
from pinnkan.ground.files import read_data

LARGEST_FILE = 512 * 1024 * 1024
_SHOWN_FAULTS = 10
_SHOWN_NAMES = 10


@dataclass(frozen=True)
class Columns:
    """Columns of equal length.

    Attributes:
        label: What the file is and where, for messages.
        arrays: Finite numbers by name, each of shape (N,).
        rows: Of every entry its line in a CSV file, or its number in the arrays of an NPZ file, from 1.
        counted: What ``rows`` counts: ``line`` or ``entry``.
    """

    label: str
    arrays: Mapping[str, FloatArray]
    rows: NDArray[np.int64]
    counted: str

    def place(self, index: int | np.intp) -> str:
        """Return where an entry stands: ``reference data.csv:4``, or ``reference data.npz, entry 4``."""
        row = self.rows[index]
        return f"{self.label}:{row}" if self.counted == "line" else f"{self.label}, {self.counted} {row}"

    def where(self, kept: BoolArray) -> Columns:
        """Return some of the entries only."""
        arrays = {name: array[kept] for name, array in self.arrays.items()}
        return Columns(self.label, arrays, self.rows[kept], self.counted)

    def points(self, coordinates: Sequence[str]) -> FloatArray:
        """Return the columns of the coordinates side by side, shape (N, D)."""
        return np.stack([self.arrays[name] for name in coordinates], axis=1)

    def distinct(self, coordinates: Sequence[str], unknowns: Sequence[str]) -> Columns:
        """Return every point once.

        Raises:
            UsageError: If a point has two values of an unknown.
        """
        points = self.points(coordinates)
        repeats = [find_repeats(points, self.arrays[unknown]) for unknown in unknowns]
        for unknown, repeat in zip(unknowns, repeats, strict=True):
            if repeat.contradiction is not None:
                first, second = repeat.contradiction
                values = self.arrays[unknown]
                where = ", ".join(f"{c}={x:.9g}" for c, x in zip(coordinates, points[first], strict=True))
                raise UsageError(
                    f"{self.place(second)}: {unknown} = {values[second]:.9g} at {where}, where "
                    f"{self.counted} {self.rows[first]} says {values[first]:.9g}; keep one of them"
                )
        if len(repeats[0].first) == len(points):
            return self
        kept = np.zeros(len(points), dtype=bool)
        kept[repeats[0].first] = True
        return self.where(kept)


class DataFile:
    """A CSV file with a header, or an NPZ file.

    Args:
        path: The file; ``.npz`` is an archive of arrays, anything else is read as CSV.
        what: What it holds, for messages.

    Attributes:
        label: What it is and where, for messages.
        header: Where its columns are named, for messages.
        names: Its columns, in the order of the file.

    Raises:
        FileAccessError: If the system refuses to read it.
        UsageError: If it is no regular file, too large, or neither of these formats.
    """

    def __init__(self, path: Path, *, what: str) -> None:
        self.label = f"{what} {path}"
        content = read_data(path, what=what, max_bytes=LARGEST_FILE)
        try:
            self._table = NpzArchive(content) if path.suffix.lower() == ".npz" else CsvTable(content)
        except DataFault as fault:
            raise self._refusal(fault) from None
        self.names = self._table.names
        self.header = f"{self.label}:1" if isinstance(self._table, CsvTable) else self.label

    def columns(self, names: Sequence[str], *, gaps_in: Sequence[str] = ()) -> Columns:
        """Read the columns of these names; others are passed over.

        Args:
            names: Which.
            gaps_in: The columns that may be NaN in an NPZ file, where a grid leaves the domain; those
                entries are left out. In a CSV file nothing may be NaN.

        Raises:
            UsageError: If one is missing, occurs twice, or holds what is no finite number.
        """
        for name in names:
            if name not in self.names:
                found = ", ".join(map(quote, self.names[:_SHOWN_NAMES]))
                hint = did_you_mean(name, self.names)
                raise UsageError(f"{self.header}: no column {quote(name)}; found {found}{hint}")
            if (count := self.names.count(name)) > 1:
                raise UsageError(f"{self.header}: column {quote(name)} occurs {count} times")
        try:
            if isinstance(self._table, CsvTable):
                arrays, lines = self._table.columns(names)
                return Columns(self.label, arrays, lines, "line")
            return self._without_gaps(self._table.columns(names), gaps_in)
        except DataFault as fault:
            raise self._refusal(fault) from None

    def _without_gaps(self, arrays: Mapping[str, FloatArray], gaps_in: Sequence[str]) -> Columns:
        count = len(next(iter(arrays.values())))
        kept = np.ones(count, dtype=bool)
        for name in gaps_in:
            kept &= ~np.isnan(arrays[name])
            if not kept.any():
                raise UsageError(f"{self.label}: column {quote(name)} is NaN everywhere")
        numbers = {name: array[kept] for name, array in arrays.items()}
        for name, array in numbers.items():
            if not np.isfinite(array).all():
                raise UsageError(f"{self.label}: column {quote(name)} holds values that are not finite")
        return Columns(self.label, numbers, np.flatnonzero(kept) + 1, "entry")

    def _refusal(self, fault: DataFault) -> UsageError:
        texts = [
            f"{self.label}: {text}" if line is None else f"{self.label}:{line}: {text}"
            for line, text in fault.faults
        ]
        hidden = len(texts) - _SHOWN_FAULTS
        more = [f"... and {hidden} more"] if hidden > 0 else []
        return UsageError("\n".join([*texts[:_SHOWN_FAULTS], *more]))
