"""Where switches vanish along lines parallel to an axis: samples first, then bisection.

A zero between two samples that leaves no change of sign hides at an extremum, (x - 1.5)^2 or a
window narrower than the samples; so the zeros of the slope along the line are found as well, and the
switch is looked at there. A zero at a single point, which no line meets by chance (|x| in the plane),
is a critical point of the switch, to which Newton's method leads.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions.calculus import partial_derivative
from pinnkan.language.expressions.names import symbol
from pinnkan.language.expressions.programs.evaluation import direct
from pinnkan.language.expressions.programs.program import Program, compile_program
from pinnkan.language.expressions.questions.switches import Switch

_SAMPLES = 201
_BISECTIONS = 60
_MOST_BRACKETS = 4000
_TOUCHES = 1e-13
"""A switch is zero at an extremum below this share of its largest value on the line."""
_AT_END = 1e-9
_NEWTON_STEPS = 30
_FARTHEST_STEP = 10.0
_SETTLED = 1e-15
_STARTS = 3


@dataclass(frozen=True)
class Line:
    """The points ``point`` with coordinate ``axis`` replaced by s in [low, high]."""

    point: tuple[float, ...]
    axis: int
    low: float
    high: float

    def at(self, positions: FloatArray) -> FloatArray:
        """Return the points (N, D) at positions (N,)."""
        points = np.tile(self.point, (len(positions), 1))
        points[:, self.axis] = positions
        return points


class Region(Hashable, Protocol):
    """A closed domain, seen through the lines in it; regions with the same lines are equal."""

    def lines(self, axis: int) -> Sequence[Line]:
        """Return lines parallel to an axis at places of no special kind, each from boundary to boundary."""

    def line_through(self, point: FloatArray, axis: int) -> Line | None:
        """Return the line through a point (D,), None for a point outside."""


@dataclass(frozen=True)
class Crossing:
    """A zero of a switch on a line.

    Attributes:
        line: The line.
        position: Where on the line.
        switch: What vanishes.
        at_end: Whether this is an end of the line.
        isolated: Whether only a line laid through this very point meets the zero.
    """

    line: Line
    position: float
    switch: Switch
    at_end: bool
    isolated: bool


def crossings(
    found: Sequence[Switch],
    coordinates: Sequence[str],
    values: Mapping[str, float],
    region: Region,
    axis: int,
) -> list[Crossing]:
    """Return the zeros of switches on lines parallel to an axis.

    Args:
        found: J switches.
        coordinates: Names of the D coordinates.
        values: Of every other symbol.
        region: The closed domain.
        axis: The direction of the lines.
    """
    needed = needed_values((switch.function for switch in found), values)
    return list(_crossings(tuple(found), tuple(coordinates), needed, region, axis))


def needed_values(exprs: Iterable[Any], values: Mapping[str, float]) -> tuple[tuple[str, float], ...]:
    """Return the values that expressions take, by name: what does not take a parameter is asked once for all.

    Args:
        exprs: SymPy expressions in real symbols.
        values: By name, of symbols that the expressions may hold.
    """
    names = {leaf.name for expr in exprs for leaf in expr.free_symbols}
    # Adding zero tells no -0.0, which equals 0.0 as a key, from it.
    return tuple((name, value + 0.0) for name, value in values.items() if name in names)


@lru_cache(maxsize=32)
def _crossings(
    found: tuple[Switch, ...],
    coordinates: tuple[str, ...],
    needed: tuple[tuple[str, float], ...],
    region: Region,
    axis: int,
) -> tuple[Crossing, ...]:
    values = dict(needed)
    lines = list(region.lines(axis))
    result = _Search(found, coordinates, values, lines).crossings(isolated=False)
    if len(coordinates) > 1:
        points = _critical_zeros(found, coordinates, values, lines)
        laid = [line for point in points if (line := region.line_through(point, axis)) is not None]
        if laid:
            result += _Search(found, coordinates, values, laid).crossings(isolated=True)
    return tuple(result)


class _Search:
    """J switches and their slopes along L lines of one axis."""

    def __init__(
        self,
        found: Sequence[Switch],
        coordinates: Sequence[str],
        values: Mapping[str, float],
        lines: Sequence[Line],
    ) -> None:
        self.found, self.lines, self.values = found, lines, values
        leaf = symbol(coordinates[lines[0].axis])
        functions = [switch.function for switch in found]
        slopes = [partial_derivative(function, leaf) for function in functions]
        self.program = compile_program((*functions, *slopes), (*coordinates, *values), guarded=False)
        # No even steps: a switch with a period of its own must not hide between them.
        steps = np.arange(_SAMPLES) + 0.5 * np.sin(2.4 * np.arange(_SAMPLES))
        shares = (steps - steps[0]) / (steps[-1] - steps[0])
        self.starts = np.array([line.point for line in lines])
        self.positions = np.array([line.low + (line.high - line.low) * shares for line in lines])
        self.samples = self.evaluate(
            np.repeat(np.arange(len(lines)), _SAMPLES), self.positions.ravel()
        ).reshape(-1, *self.positions.shape)

    def evaluate(self, line: NDArray[np.intp], positions: FloatArray) -> FloatArray:
        """Return all functions (2 J, N) at positions (N,) on the lines of these numbers."""
        points = self.starts[line]
        points[:, self.lines[0].axis] = positions
        return direct(self.program, points, self.values)

    def bisect(
        self, function: NDArray[np.intp], line: NDArray[np.intp], low: FloatArray, high: FloatArray
    ) -> FloatArray:
        """Return a zero (N,) in every bracket of a change of sign."""
        if not len(line):
            return low
        columns = np.arange(len(line))
        start = self.evaluate(line, low)[function, columns] >= 0
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            if np.all((middle == low) | (middle == high)):  # neighbours
                break
            same = (self.evaluate(line, middle)[function, columns] >= 0) == start
            low, high = np.where(same, middle, low), np.where(same, high, middle)
        return (low + high) / 2

    def brackets(self, first: int, last: int) -> tuple[NDArray[np.intp], ...]:
        """Return functions, lines and samples after which the sign changes, of functions first to last."""
        samples = self.samples[first:last]
        finite = np.isfinite(samples[..., :-1]) & np.isfinite(samples[..., 1:])
        change = finite & ((samples[..., :-1] >= 0) != (samples[..., 1:] >= 0))
        function, line, place = (index[:_MOST_BRACKETS] for index in np.nonzero(change))
        return function + first, line, place

    def crossings(self, *, isolated: bool) -> list[Crossing]:
        count = len(self.found)
        function, line, place = self.brackets(0, count)
        low, high = self.positions[line, place], self.positions[line, place + 1]
        hidden = self.at_extrema()
        function, line, low, high = (
            np.concatenate(pair) for pair in zip((function, line, low, high), hidden[:4], strict=True)
        )
        zeros = self.bisect(function, line, low, high)
        through = zip(function.tolist(), line.tolist(), zeros.tolist(), strict=True)
        touches = zip(*(entry.tolist() for entry in hidden[4:]), strict=True)
        return [
            *(self._crossing(*entry, isolated=False) for entry in through),
            *(self._crossing(*entry, isolated=isolated) for entry in touches),
            *self._at_ends(isolated=isolated),
        ]

    def at_extrema(self) -> tuple[NDArray[Any], ...]:
        """Look at the switches where their slopes vanish.

        Returns:
            Function, line, low and high of further brackets; function, line and
            position of zeros without a change of sign.
        """
        count = len(self.found)
        function, line, place = self.brackets(count, 2 * count)
        low, high = self.positions[line, place], self.positions[line, place + 1]
        tops = self.bisect(function, line, low, high)
        function = function - count
        top = self.evaluate(line, tops)[function, np.arange(len(tops))]
        before, after = self.samples[function, line, place], self.samples[function, line, place + 1]
        with np.errstate(all="ignore"):
            size = np.nanmax(np.abs(self.samples), axis=2, initial=0.0)[function, line]
        through = ((before >= 0) == (after >= 0)) & ((top >= 0) != (before >= 0)) & np.isfinite(top)
        touch = ~through & (np.abs(top) <= _TOUCHES * size)
        twice = [np.concatenate([index[through], index[through]]) for index in (function, line)]
        ends = (
            np.concatenate([low[through], tops[through]]),
            np.concatenate([tops[through], high[through]]),
        )
        return (*twice, *ends, function[touch], line[touch], tops[touch])

    def _crossing(self, function: int, line: int, position: float, *, isolated: bool) -> Crossing:
        item = self.lines[line]
        slack = _AT_END * (item.high - item.low)
        at_end = min(position - item.low, item.high - position) <= slack
        return Crossing(item, position, self.found[function], at_end, isolated)

    def _at_ends(self, *, isolated: bool) -> list[Crossing]:
        """Return the zeros at the very ends of the lines, where no sign can change."""
        count = len(self.found)
        result = []
        for column, end in ((0, "low"), (-1, "high")):
            with np.errstate(all="ignore"):
                values = np.abs(self.samples[:count, :, column])
                size = np.nanmax(np.abs(self.samples[:count]), axis=2, initial=0.0)
                zero = (values <= _AT_END * size) & (size > 0)
            for function, line in np.argwhere(zero).tolist():
                item = self.lines[line]
                result.append(Crossing(item, getattr(item, end), self.found[function], True, isolated))
        return result


def _critical_zeros(
    found: Sequence[Switch],
    coordinates: Sequence[str],
    values: Mapping[str, float],
    lines: Sequence[Line],
) -> list[FloatArray]:
    """Return points (D,) where switches of one sign on all lines have a zero, or the other sign."""
    leaves = [symbol(name) for name in coordinates]
    points = np.concatenate([line.at(np.linspace(line.low, line.high, 9)) for line in lines])
    result = []
    for switch in found:
        program = compile_program((switch.function,), (*coordinates, *values), guarded=False)
        signs = direct(program, points, values)[0]
        finite = np.isfinite(signs)
        if not finite.any() or len(set(np.sign(signs[finite]))) != 1:
            continue
        slopes = [partial_derivative(switch.function, leaf) for leaf in leaves]
        curvatures = [partial_derivative(slope, leaf) for slope in slopes for leaf in leaves]
        whole = compile_program(
            (switch.function, *slopes, *curvatures), (*coordinates, *values), guarded=False
        )
        sign, size = np.sign(signs[finite][0]), np.abs(signs[finite]).max()
        order = np.argsort(np.where(finite, np.abs(signs), np.inf))[:_STARTS]
        for start in points[order]:
            point = _newton(partial(_at_point, whole, values), start, np.ptp(points, axis=0))
            if point is None:
                continue
            value = direct(program, point[None], values)[0, 0]
            if np.isfinite(value) and (abs(value) <= _TOUCHES * size or np.sign(value) != sign):
                result.append(point)
                break
    return result


def _at_point(program: Program, values: Mapping[str, float], point: FloatArray) -> FloatArray:
    return direct(program, point[None], values)[:, 0]


def _newton(
    derivatives: Callable[[FloatArray], FloatArray], start: FloatArray, extent: FloatArray
) -> FloatArray | None:
    """Return a critical point of a function given with gradient and Hessian, None if none is found."""
    point, dimension = start.copy(), len(start)
    for _ in range(_NEWTON_STEPS):
        everything = derivatives(point)
        gradient = everything[1 : 1 + dimension] * extent
        hessian = everything[1 + dimension :].reshape(dimension, dimension) * np.outer(extent, extent)
        if not np.isfinite(everything).all() or not hessian.any():
            return None
        # The zeros may fill a curve: of all steps that Newton's equation allows, the shortest.
        step = np.linalg.lstsq(hessian, gradient, rcond=1e-10)[0]
        if np.abs(step).max() > _FARTHEST_STEP:
            return None
        point = point - step * extent
        if np.abs(step).max() <= _SETTLED:
            break
    return point
