"""Reference values from a data file, for error reports only: nothing that training sees."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.datafiles import Columns, DataFile
from pinnkan.ground.errors import UsageError
from pinnkan.language.parameters import file_stem
from pinnkan.language.problem.spec import Problem

Interpolator = Callable[[FloatArray], FloatArray]

_SAME = 1e-9
_FLAT = 1e-9


class Known(NamedTuple):
    """What a solution is measured against.

    Attributes:
        points: Those of the points asked for at which it is known, shape (N, D); N may be 0.
        values: Exact or reference solution there, (N,) for every unknown that is known.
        asked: How many points were asked for.
    """

    points: FloatArray
    values: Mapping[str, FloatArray]
    asked: int

    @property
    def gap(self) -> str:
        """What is to be said of points that the data do not cover; empty if there are none."""
        count = len(self.points)
        if count == self.asked:
            return ""
        rest = "errors are measured over those" if count else "errors are unknown"
        return f"reference: the data cover {count:,} of {self.asked:,} points; {rest}"


@dataclass(frozen=True)
class Reference:
    """Values at scattered points or on a tensor grid, interpolated between them.

    Attributes:
        points: Shape (N, D), each once, spanning all D coordinates.
        values: Shape (N,) for every unknown that is given.
        label: Where they come from, for messages.
    """

    points: FloatArray
    values: Mapping[str, FloatArray]
    label: str = "reference"

    def __call__(self, points: FloatArray) -> dict[str, FloatArray]:
        """Interpolate at points (M, D): cubic on a tensor grid, linear between scattered points.

        NaN outside the data: those on a disk, whose hull is a polygon, never cover all of it.
        """
        result = {}
        for name, interpolator in self._interpolators.items():
            with np.errstate(over="ignore"):
                # Scaled, all data lie in [-1, 1]: what is far outside may stay there as 2.
                scaled = np.clip(np.ldexp(points, -self._exponents), -2.0, 2.0)
                values = np.ldexp(interpolator(scaled), _exponent(np.abs(self.values[name]).max()))
            result[name] = np.where(np.isinf(values), np.nan, values)
        return result

    @cached_property
    def _exponents(self) -> NDArray[np.int32]:
        """Powers of two of the coordinates' sizes, (D,): no difference of scaled ones overflows."""
        return _exponent(np.abs(self.points).max(axis=0))

    @cached_property
    def _interpolators(self) -> dict[str, Interpolator]:
        points = np.ldexp(self.points, -self._exponents)
        scaled = {name: np.ldexp(v, -_exponent(np.abs(v).max())) for name, v in self.values.items()}
        return {name: _on_grid(points, v) or self._scattered(points, v) for name, v in scaled.items()}

    def _scattered(self, points: FloatArray, values: FloatArray) -> Interpolator:
        """Return a linear interpolator."""
        from scipy.interpolate import LinearNDInterpolator
        from scipy.spatial import QhullError

        if points.shape[1] == 1:
            order = np.argsort(points[:, 0])
            x, y = points[order, 0], values[order]
            return lambda at: np.interp(at[:, 0], x, y, left=np.nan, right=np.nan)
        try:
            interpolator: Interpolator = LinearNDInterpolator(points, values, rescale=True)
        except QhullError as error:
            reason = str(error).strip().splitlines()[0][:120]
            raise UsageError(f"{self.label}: its points cannot be triangulated: {reason}") from None
        return interpolator


def _on_grid(points: FloatArray, values: FloatArray) -> Interpolator | None:
    """Return an interpolator if the points are the product of their coordinates, else None."""
    from scipy.interpolate import NdBSpline, make_interp_spline

    axes = [np.unique(column) for column in points.T]
    shape = tuple(len(axis) for axis in axes)
    if len(points) != prod(shape) or min(shape) < 4:
        return None
    grid = np.full(shape, np.nan)
    grid[tuple(np.searchsorted(axis, column) for axis, column in zip(axes, points.T, strict=True))] = values
    if np.isnan(grid).any():
        return None
    # One axis after the other, solved directly: RegularGridInterpolator solves for all of them at once by an
    # iteration that stops at 1e-6, and misses the data themselves by up to 2e-5.
    knots, coefficients = [], grid
    for axis in axes:
        spline = make_interp_spline(axis, coefficients, k=3)
        knots.append(spline.t)
        coefficients = np.moveaxis(spline.c, 0, -1)
    interpolator: Interpolator = NdBSpline(tuple(knots), coefficients, 3, extrapolate=False)
    return interpolator


def _exponent(sizes: FloatArray) -> NDArray[np.int32]:
    return np.frexp(sizes)[1]


class ReferenceTable:
    """A problem's reference data at all parameter values, read when they are first asked for.

    The file's columns are named like the coordinates and the unknowns, of which some may be missing; a column
    named like a parameter tells which rows hold for which value. Others are passed over.

    Args:
        problem: What the file of the problem states.
        file: The table.
    """

    def __init__(self, problem: Problem, file: Path) -> None:
        self._problem = problem
        self._file = file

    @cached_property
    def columns(self) -> Columns:
        """All rows.

        Raises:
            FileAccessError: If the file cannot be read.
            UsageError: If it is not such a table.
        """
        problem, file = self._problem, DataFile(self._file, what="reference")
        parameters = [parameter.name for parameter in problem.parameters if parameter.name in file.names]
        given = [name for name in problem.unknowns if name in file.names] or problem.unknowns[:1]
        return file.columns([*problem.coordinates, *given, *parameters], gaps_in=given)

    def at(self, values: Mapping[str, float]) -> Reference | None:
        """Return the data at a parameter value; None if there are none.

        Raises:
            FileAccessError: If the file cannot be read.
            UsageError: If it is not such a table, gives a point two values, or has too few points
                to interpolate between.
        """
        problem, columns = self._problem, self.columns
        named = [name for name in values if name in columns.arrays]
        if values and not named and values != problem.base_values:
            return None
        rows = np.ones(len(columns.rows), dtype=bool)
        for name in named:
            rows &= _equal(columns.arrays[name], values[name])
        if not rows.any():
            return None
        given = [name for name in problem.unknowns if name in columns.arrays]
        held = columns.where(rows).distinct(problem.coordinates, given)
        points = held.points(problem.coordinates)
        where = f" at {file_stem({name: values[name] for name in named})}" if named else ""
        _require_span(points, problem.coordinates, f"{columns.label}{where}")
        return Reference(points, {name: held.arrays[name] for name in given}, columns.label)


def _equal(column: FloatArray, value: float) -> BoolArray:
    """Return which entries are a value: those exactly equal, or else those equal but for rounding."""
    equal: BoolArray = column == value
    if equal.any():
        return equal
    noise = np.finfo(float).eps * np.abs(column).max()  # of a zero that was computed as a difference
    near: BoolArray = np.abs(column - value) <= max(_SAME * abs(value), noise)
    return near


def _require_span(points: FloatArray, coordinates: tuple[str, ...], label: str) -> None:
    """Refuse points between which nothing can be interpolated: fewer than D + 1, or all in one plane.

    Scaled to the unit box, their smallest singular value is compared with the largest.
    """
    names = ", ".join(coordinates)
    needed = len(coordinates) + 1
    if len(points) < needed:
        count = f"{len(points)} point{'s' if len(points) > 1 else ''}"
        raise UsageError(f"{label}: {count}; to interpolate in {names} it takes {needed} at least")
    scaled = np.ldexp(points, -_exponent(np.abs(points).max(axis=0)))
    ranges = np.ptp(scaled, axis=0)
    for name, column, width in zip(coordinates, points.T, ranges, strict=True):
        if width == 0:
            raise UsageError(
                f"{label}: {name} is {column[0]:.9g} at every point; to interpolate in {names} "
                "the points must differ in each of them"
            )
    triangle = np.linalg.qr((scaled - scaled.mean(axis=0)) / ranges, mode="r")
    sizes = np.linalg.svd(triangle, compute_uv=False)
    if sizes[-1] <= _FLAT * sizes[0]:
        kind = "on one line" if len(coordinates) == 2 else "in one plane"
        raise UsageError(f"{label}: all points lie {kind}; nothing can be interpolated in {names}")
