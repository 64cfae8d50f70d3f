"""Points from a data file: the columns of an export without the unknowns, or with values of some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.datafiles import Columns, DataFile
from pinnkan.ground.errors import UsageError, did_you_mean, quote

_MOST_FAULTS = 10


@dataclass(frozen=True)
class PointTable:
    """Points of a file.

    Attributes:
        columns: As the file has them.
        coordinates: Names, in the order of the problem.
        points: Shape (N, D), columns in the order of the problem.
        values: Of the unknowns that the file has, at the points, shape (N,) each.
    """

    columns: Columns
    coordinates: tuple[str, ...]
    points: FloatArray
    values: Mapping[str, FloatArray] = field(default_factory=dict)

    def require_inside(self, inside: BoolArray) -> None:
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


def read_points(path: Path, coordinates: Sequence[str], *, unknowns: Sequence[str] = ()) -> PointTable:
    """Read a CSV or NPZ file whose columns are exactly the coordinates, in any order.

    Args:
        path: The file.
        coordinates: Names, in the order that the points shall have.
        unknowns: Further columns that may be there, and are read if they are.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: With every fault (the first ten) by line and column, or if an unknown has two values
            at a point.
    """
    file = DataFile(path, what="points")
    _check_names(file, coordinates, unknowns)
    given = [name for name in unknowns if name in file.names]
    columns = file.columns([*coordinates, *given], gaps_in=given)
    if given:
        columns = columns.distinct(coordinates, given)
    values = {name: columns.arrays[name] for name in given}
    return PointTable(columns, tuple(coordinates), columns.points(coordinates), values)


def _check_names(file: DataFile, coordinates: Sequence[str], unknowns: Sequence[str]) -> None:
    """Refuse names that are not each coordinate, an unknown or not, and nothing else."""
    allowed = (*coordinates, *unknowns)
    strangers = [name for name in file.names if name not in allowed]
    faults = [f"unknown column {quote(name)}" for name in strangers]
    faults += [f"no column {quote(name)}" for name in coordinates if name not in file.names]
    if faults:
        optional = f", with {', '.join(unknowns)} or without" if unknowns else ""
        hint = did_you_mean(strangers[0], allowed) if strangers else ""
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
