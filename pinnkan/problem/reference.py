"""Reference values from a data file, for error reports only: nothing that training sees."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pinnkan.errors import FileAccessError, UsageError, quote
from pinnkan.parameters import parse_number
from pinnkan.problem.spec import Problem

FloatArray = NDArray[np.float64]

Interpolator = Callable[[FloatArray], FloatArray]

_LARGEST_FILE = 512 * 1024 * 1024
_SAME = 1e-9


class Known(NamedTuple):
    """What a solution is measured against.

    Attributes:
        points: Those of the points asked for at which it is known, shape (N, D); N may be 0.
        values: Exact or reference solution there, shape (N,).
        asked: How many points were asked for.
    """

    points: FloatArray
    values: FloatArray
    asked: int

    @property
    def gap(self) -> str:
        """What is to be said of points that the data do not cover; empty if there are none."""
        count = len(self.values)
        if count == self.asked:
            return ""
        rest = "errors are measured over those" if count else "errors are unknown"
        return f"reference: the data cover {count:,} of {self.asked:,} points; {rest}"


@dataclass(frozen=True)
class Reference:
    """Values at scattered points or on a tensor grid, interpolated between them.

    Attributes:
        points: Shape (N, D).
        values: Shape (N,).
    """

    points: FloatArray
    values: FloatArray

    def __call__(self, points: FloatArray) -> FloatArray:
        """Interpolate at points (M, D): cubic on a tensor grid, linear between scattered points.

        NaN outside the data: those on a disk, whose hull is a polygon, never cover all of it.
        """
        return np.asarray(self._interpolator(points), dtype=np.float64)

    @cached_property
    def _interpolator(self) -> Interpolator:
        return self._on_grid() or self._scattered()

    def _on_grid(self) -> Interpolator | None:
        """Return an interpolator if the points are the product of their coordinates, else None."""
        from scipy.interpolate import RegularGridInterpolator

        axes = [np.unique(column) for column in self.points.T]
        shape = tuple(len(axis) for axis in axes)
        if len(self.points) != int(np.prod(shape)) or min(shape) < 4:
            return None
        grid = np.full(shape, np.nan)
        grid[
            tuple(np.searchsorted(axis, column) for axis, column in zip(axes, self.points.T, strict=True))
        ] = self.values
        if np.isnan(grid).any():
            return None
        interpolator: Interpolator = RegularGridInterpolator(
            axes, grid, method="cubic", bounds_error=False, fill_value=np.nan
        )
        return interpolator

    def _scattered(self) -> Interpolator:
        """Return a linear interpolator."""
        from scipy.interpolate import LinearNDInterpolator

        if self.points.shape[1] == 1:
            order = np.argsort(self.points[:, 0])
            x, y = self.points[order, 0], self.values[order]
            return lambda points: np.interp(points[:, 0], x, y, left=np.nan, right=np.nan)
        interpolator: Interpolator = LinearNDInterpolator(self.points, self.values, rescale=True)
        return interpolator


def load_reference(problem: Problem, values: Mapping[str, float]) -> Reference | None:
    """Return the reference data at a parameter value; None if there are none.

    The file's columns are named like the coordinates and the unknown; a column
    named like a parameter tells which rows hold for which value.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: If it is not such a table.
    """
    if problem.reference is None or not problem.reference.is_file():
        return None
    columns = problem.cache.setdefault("reference", read_columns(problem.reference))
    assert isinstance(columns, dict)
    missing = [name for name in (*problem.coordinates, problem.unknown) if name not in columns]
    if missing:
        raise UsageError(
            f"reference {problem.reference}: no column {quote(missing[0])}; found {', '.join(columns)}"
        )
    rows = np.ones(len(columns[problem.unknown]), dtype=bool)
    for name, value in values.items():
        if name in columns:
            rows &= np.isclose(columns[name], value, rtol=_SAME, atol=_SAME)
    if not rows.any() or (
        values and not any(name in columns for name in values) and values != problem.base_values
    ):
        return None
    points = np.stack([columns[name][rows] for name in problem.coordinates], axis=1)
    return Reference(points, columns[problem.unknown][rows])


def read_columns(path: Path, *, what: str = "reference") -> dict[str, FloatArray]:
    """Read a CSV table with a header, or an NPZ file, as named columns of equal length.

    Args:
        path: The file.
        what: It holds, for messages.

    Raises:
        FileAccessError: If the file cannot be read.
        UsageError: If it is not a table of finite numbers.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_FILE + 1)
    except OSError as error:
        raise FileAccessError.of(f"read the {what}", path, error) from None
    if len(content) > _LARGEST_FILE:
        raise UsageError(f"{what} {path}: larger than {_LARGEST_FILE} bytes")
    try:
        columns = _read_npz(content) if path.suffix.lower() == ".npz" else _read_csv(content)
    except (ValueError, KeyError, zipfile.BadZipFile, EOFError) as error:
        raise UsageError(f"{what} {path}: not a table of numbers: {error}") from None
    if len({len(column) for column in columns.values()}) != 1:
        raise UsageError(f"{what} {path}: the columns differ in length")
    for name, column in columns.items():
        if not np.isfinite(column).all():
            raise UsageError(f"{what} {path}: column {quote(name)} holds values that are not finite")
    return columns


def _read_npz(content: bytes) -> dict[str, FloatArray]:
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        return {name: np.asarray(stored[name], dtype=np.float64).ravel() for name in stored.files}


def _read_csv(content: bytes) -> dict[str, FloatArray]:
    rows = csv.reader(io.StringIO(content.decode("utf-8-sig")))
    header = [name.strip() for name in next(rows, [])]
    _check_header(header)
    lines = []
    for row in rows:
        if row and len(row) != len(header):
            raise ValueError(
                f"line {rows.line_num}: {len(row)} entries, expected {len(header)} ({', '.join(header)})"
            )
        if row:
            lines.append([_entry(*pair, rows.line_num) for pair in zip(header, row, strict=True)])
    if not lines:
        raise ValueError("there is no row below the header")
    return dict(zip(header, np.array(lines).T, strict=True))


def _check_header(header: list[str]) -> None:
    if not any(header):
        raise ValueError("the first line is empty, expected the names of the columns, such as x,y,u")
    if len(header) == 1 and any(sign in header[0] for sign in ";\t"):
        raise ValueError("line 1: expected commas between columns")
    if all(parse_number(name) is not None for name in header):
        raise ValueError("line 1: expected the names of the columns, such as x,y,u, found numbers")
    for name in header:
        if header.count(name) > 1:
            raise ValueError(f"line 1: column {quote(name)} is there {header.count(name)} times")


def _entry(column: str, text: str, line: int) -> float:
    try:
        return float(text)
    except ValueError:
        found = quote(text.strip()) if text.strip() else "nothing"
        raise ValueError(f"line {line}, column {column}: expected a number, found {found}") from None
