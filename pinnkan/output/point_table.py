"""Read points from a CSV file: the header of an export without the unknowns, or with values of one."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pinnkan.errors import FileAccessError, UsageError, did_you_mean
from pinnkan.output.samples import Array

_MOST_FAULTS = 10


@dataclass(frozen=True)
class PointTable:
    """Points of a file.

    Attributes:
        path: Where they come from.
        coordinates: Names, in the order of the problem.
        points: Shape (N, D), columns in the order of the problem.
        lines: The line of the file that holds each point, shape (N,), counted from 1.
        values: Of the unknown at the points, shape (N,); None where the file has none.
    """

    path: Path
    coordinates: tuple[str, ...]
    points: Array
    lines: NDArray[np.int64]
    values: Array | None = None

    def require_inside(self, inside: NDArray[np.bool_]) -> None:
        """Refuse points outside the domain, each named by its row.

        Args:
            inside: Which points are in the domain, shape (N,).

        Raises:
            UsageError: If any is not.
        """
        outside = np.flatnonzero(~inside)
        faults = [self._outside(i) for i in outside[:_MOST_FAULTS]]
        _raise_all(faults, len(outside))

    def _outside(self, index: np.intp) -> str:
        place = ", ".join(f"{c}={v:.9g}" for c, v in zip(self.coordinates, self.points[index], strict=True))
        return f"{self.path}:{self.lines[index]}: the point {place} is outside the domain"


def read_points(path: Path, coordinates: Sequence[str], *, unknown: str | None = None) -> PointTable:
    """Read a CSV file whose header names exactly the coordinates, in any order.

    Args:
        path: The file: UTF-8, commas, one header line, one point a line; empty lines are skipped.
        coordinates: Names, in the order that the points shall have.
        unknown: One more column that may be there, and is read if it is.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: With every fault (the first ten) by line and column.
    """
    reader = csv.reader(StringIO(_text(path), newline=""), strict=True)
    try:
        header = [word.strip() for word in next(reader, [])]
        _check_header(path, header, coordinates, unknown)
        rows = [(reader.line_num, row) for row in reader if any(word.strip() for word in row)]
    except csv.Error as error:
        raise UsageError(f"{path}:{reader.line_num}: not a CSV file: {error}") from error
    if not rows:
        raise UsageError(f"{path}: no points: there is nothing below the header")
    points = _numbers(path, header, rows)
    order = [header.index(name) for name in coordinates]
    lines = np.array([line for line, _ in rows], dtype=np.int64)
    values = points[:, header.index(unknown)] if unknown is not None and unknown in header else None
    return PointTable(path, tuple(coordinates), np.ascontiguousarray(points[:, order]), lines, values)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise FileAccessError.of("read", path, error) from error
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not a text file in UTF-8 (byte {error.start})") from error


def _check_header(path: Path, header: Sequence[str], coordinates: Sequence[str], unknown: str | None) -> None:
    """Refuse a header that does not name each coordinate once, the unknown at most once, and nothing else."""
    known = (*coordinates, *([] if unknown is None else [unknown]))
    allowed = "" if unknown is None else f", with {unknown} or without"
    expected = f"expected the header {','.join(coordinates)}{allowed}"
    if len(header) == 1 and len(coordinates) > 1 and any(mark in header[0] for mark in "; \t"):
        raise UsageError(f"{path}:1: found '{header[0]}', {expected}, separated by commas")
    faults = [
        f"{path}:1: unknown column '{name}', {expected}{did_you_mean(name, known)}"
        for name in header
        if name not in known
    ]
    faults += [
        f"{path}:1: column '{name}' occurs {header.count(name)} times"
        for name in known
        if header.count(name) > 1
    ]
    faults += [f"{path}:1: no column '{name}', {expected}" for name in coordinates if name not in header]
    _raise_all(faults[:_MOST_FAULTS], len(faults))


def _numbers(path: Path, header: Sequence[str], rows: Sequence[tuple[int, list[str]]]) -> Array:
    """Return the table, shape (N, D), columns in the order of the file."""
    faults: list[str] = []
    table = np.empty((len(rows), len(header)))
    for index, (line, row) in enumerate(rows):
        if len(row) != len(header):
            faults.append(f"{path}:{line}: expected {len(header)} numbers, found {len(row)}")
            continue
        for column, word in enumerate(row):
            number = _number(word)
            table[index, column] = number
            if math.isnan(number):
                faults.append(
                    f"{path}:{line}: column {column + 1} ('{header[column]}'): "
                    f"expected a finite number, found '{word.strip()[:40]}'"
                )
    _raise_all(faults[:_MOST_FAULTS], len(faults))
    return table


def _number(word: str) -> float:
    """Return the finite number that a word says, or NaN; ``1_000`` is Python's way, not a CSV's."""
    try:
        number = float(word) if "_" not in word else math.nan
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def _raise_all(faults: Sequence[str], count: int) -> None:
    if count == 0:
        return
    hidden = count - len(faults)
    more = [f"... and {hidden} more"] if hidden else []
    raise UsageError("\n".join([*faults, *more]))
