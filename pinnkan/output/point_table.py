"""Points from a data file: the columns of an export without the unknowns, or with values of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.datafiles import Columns, DataFile
from pinnkan.ground.errors import UsageError, did_you_mean, quote
from pinnkan.output.exports.field_table import Array

_MOST_FAULTS = 10


@dataclass(frozen=True)
class PointTable:
    """Points of a file.

    Attributes:
        columns: As the file has them.
        coordinates: Names, in the order of the problem.
        points: Shape (N, D), columns in the order of the problem.
        values: Of the unknown at the points, shape (N,); None where the file has none.
    """

    columns: Columns
    coordinates: tuple[str, ...]
    points: Array
    values: Array | None = None

    def require_inside(self, inside: NDArray[np.bool_]) -> None:
        """Refuse points outside the domain, each named by its row.

        Args:
            inside: Which points are in the domain, shape (N,).

        Raises:
            UsageError: If any is not.
        """
        outside = np.flatnonzero(~inside)
        _raise_all([self._outside(index) for index in outside[:_MOST_FAULTS]], len(outside))

    def _outside(self, index: np.intp) -> str:
        place = ", ".join(f"{c}={v:.9g}" for c, v in zip(self.coordinates, self.points[index], strict=True))
        return f"{self.columns.place(index)}: the point {place} is outside the domain"


def read_points(path: Path, coordinates: Sequence[str], *, unknown: str | None = None) -> PointTable:
    """Read a CSV or NPZ file whose columns are exactly the coordinates, in any order.

    Args:
        path: The file.
        coordinates: Names, in the order that the points shall have.
        unknown: One more column that may be there, and is read if it is.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: With every fault (the first ten) by line and column, or if the unknown has two values
            at a point.
    """
    file = DataFile(path, what="points")
    _check_names(file, coordinates, unknown)
    given = None if unknown not in file.names else unknown
    columns = file.columns([*coordinates, *([] if given is None else [given])], gaps_in=given)
    if given is not None:
        columns = columns.distinct(coordinates, given)
    values = None if given is None else columns.arrays[given]
    return PointTable(columns, tuple(coordinates), columns.points(coordinates), values)


def _check_names(file: DataFile, coordinates: Sequence[str], unknown: str | None) -> None:
    """Refuse names that are not each coordinate, the unknown or not, and nothing else."""
    allowed = (*coordinates, *([] if unknown is None else [unknown]))
    unknowns = [name for name in file.names if name not in allowed]
    faults = [f"unknown column {quote(name)}" for name in unknowns]
    faults += [f"no column {quote(name)}" for name in coordinates if name not in file.names]
    if faults:
        optional = "" if unknown is None else f", with {unknown} or without"
        hint = did_you_mean(unknowns[0], allowed) if unknowns else ""
        raise UsageError(
            f"{file.header}: {'; '.join(faults[:_MOST_FAULTS])}, "
            f"expected the header {','.join(coordinates)}{optional}{hint}"
        )


def _raise_all(faults: Sequence[str], count: int) -> None:
    if count == 0:
        return
    hidden = count - len(faults)
    more = [f"... and {hidden} more"] if hidden else []
    raise UsageError("\n".join([*faults, *more]))
