"""Shapes: bounded sets in space with named boundary parts, normals, quadrature and distance functions."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkan.geometry.rules import FloatArray, check_points, share, unit_cube
from pinnkan.ground.errors import UsageError, did_you_mean

_LEAST_SHARE = 1e-9


class Shape(ABC):
    """A closed bounded set in ``d`` space dimensions.

    A member gives its geometry, one quadrature for the interior and one for a
    boundary part, and a measure-preserving map from the unit cube for either;
    the point sets of every rule follow.
    """

    dimension: int
    """Space dimensions, d."""
    parts: tuple[str, ...]
    """Canonical names of the boundary parts, disjoint up to null sets."""
    aliases: Mapping[str, tuple[str, ...]]
    """Further names, each for one or several parts; ``all`` is always one."""
    periodic: tuple[str, ...] = ()
    """Names of the coordinates whose ends are one and the same place."""

    @property
    @abstractmethod
    def volume(self) -> float:
        """Measure of the shape."""

    @property
    @abstractmethod
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """Lower and upper corner, shapes ``(d,)``."""

    @abstractmethod
    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        """Tell which points lie in the closed set, up to ``tolerance`` times its size: ``(N, d) -> (N,)``."""

    @abstractmethod
    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr:
        """Smooth function that is 0 exactly on the named parts and positive elsewhere in the closed set.

        Scaled to a maximum of 1, its normal derivative on the parts is of
        order 1 over the shape's size and never 0 (but at corners).

        Args:
            symbols: One symbol per space coordinate.
            parts: Names or aliases of boundary parts; none gives 1.
        """

    @abstractmethod
    def area(self, part: str) -> float:
        """Measure of one canonical part (1 for a point)."""

    @abstractmethod
    def quadrature(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """About ``count`` interior points and weights that sum to 1: ``(N, d), (N,)``."""

    def integration(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """About ``count`` points and weights that sum to 1, for the integral of a smooth function.

        Collocation points should lie evenly, these integrate as exactly as they can.
        """
        return self.quadrature(count, variant)

    @abstractmethod
    def boundary_quadrature(self, part: str, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """About ``count`` points of one canonical part and weights that sum to 1: ``(N, d), (N,)``."""

    @abstractmethod
    def place(self, cube: FloatArray) -> FloatArray:
        """Map the unit cube onto the shape, volumes in proportion: ``(N, d) -> (N, d)``."""

    @abstractmethod
    def place_on(self, part: str, cube: FloatArray) -> FloatArray:
        """Map the unit cube onto one canonical part, areas in proportion: ``(N, d - 1) -> (N, d)``."""

    @abstractmethod
    def normals(self, part: str, points: FloatArray) -> FloatArray:
        """Outward unit normals at points of one canonical part: ``(N, d) -> (N, d)``."""

    def resolve_part(self, name: str) -> tuple[str, ...]:
        """Canonical parts behind a name or alias.

        Raises:
            UsageError: If the shape has no such part.
        """
        known = {**{part: (part,) for part in self.parts}, **self.aliases, "all": self.parts}
        if name not in known:
            raise UsageError(
                f"boundary: unknown part '{name}'; expected one of {', '.join(known)}"
                f"{did_you_mean(name, tuple(known))}"
            )
        return tuple(known[name])

    def resolve_parts(self, names: Sequence[str]) -> tuple[str, ...]:
        """Canonical parts behind several names, each once, in the shape's order."""
        found = {part for name in names for part in self.resolve_part(name)}
        return tuple(part for part in self.parts if part in found)

    def interior(
        self, count: int, *, rule: str, rng: np.random.Generator, variant: int = 0
    ) -> tuple[FloatArray, FloatArray]:
        """Interior points and weights that sum to 1.

        Args:
            count: Wanted number of points; ``sobol`` and ``random`` meet it, ``quadrature`` comes near.
            rule: ``quadrature``, ``sobol`` or ``random``.
            rng: Stream of the latter two; the quadrature is deterministic.
            variant: Quadratures of different variants share no point.

        Returns:
            Points ``(N, d)`` and weights ``(N,)``.

        Raises:
            UsageError: If the count is below 1, the rule unknown or the variant negative.
        """
        check_points(count, rule, variant)
        if rule == "quadrature" or self.dimension == 0:
            return self.quadrature(count, variant)
        return self.place(unit_cube(count, self.dimension, rule=rule, rng=rng)), np.full(count, 1 / count)

    def boundary(
        self, part: str, count: int, *, rule: str, rng: np.random.Generator, variant: int = 0
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Points on a part (or on all parts behind an alias, by area), weights that sum to 1, normals.

        In one dimension a part is a single point, whatever the count.

        Returns:
            Points ``(N, d)``, weights ``(N,)`` and outward unit normals ``(N, d)``.

        Raises:
            UsageError: As ``interior``, or if the part is unknown.
        """
        check_points(count, rule, variant)
        parts = self.resolve_part(part)
        areas = [self.area(name) for name in parts]
        pieces = []
        for name, n, area in zip(parts, share(count, areas), areas, strict=True):
            if rule == "quadrature" or self.dimension == 1:
                points, weights = self.boundary_quadrature(name, n, variant)
            else:
                points = self.place_on(name, unit_cube(n, self.dimension - 1, rule=rule, rng=rng))
                weights = np.full(n, 1 / n)
            pieces.append((points, weights * (area / sum(areas)), self.normals(name, points)))
        points, weights, normals = (np.concatenate(arrays) for arrays in zip(*pieces, strict=True))
        return points, weights, normals


@dataclass(frozen=True)
class ShapeKind:
    """How a problem file names a shape and what it must say about it.

    Attributes:
        dimension: Space dimensions it needs; None takes any.
        entries: From the names of the space coordinates to the keys it reads
            and how many numbers each holds.
        build: From the names, the numbers and the names of periodic coordinates to the shape.
        optional: Keys that may be left out.
        may_be_periodic: Whether its coordinates may be periodic.
    """

    dimension: int | None
    entries: Callable[[tuple[str, ...]], dict[str, int]]
    build: Callable[[tuple[str, ...], Mapping[str, Sequence[float]], Sequence[str]], Shape]
    optional: tuple[str, ...] = ()
    may_be_periodic: bool = False


def check_finite(name: str, values: Sequence[float]) -> tuple[float, ...]:
    """Return the numbers as floats.

    Raises:
        UsageError: If one is infinite or not a number.
    """
    numbers = tuple(float(value) for value in values)
    if not all(math.isfinite(value) for value in numbers):
        raise UsageError(f"domain: {name}: expected finite numbers, found {list(numbers)}")
    return numbers


def check_extent(name: str, extent: float, *, position: float = 0.0, block: str = "domain") -> None:
    """Refuse an extent whose cube would leave the range of floating point, or that its place drowns.

    Points of an interval [c, c + h] are known to about 1e-16 |c| / h of its length: a thousand million
    lengths from zero they keep seven digits, and their differences fewer.

    Args:
        name: What is wide.
        extent: How wide.
        position: Largest absolute coordinate in it.
        block: Where the extent stands in a problem file.

    Raises:
        UsageError: If the extent is below 1e-100 or above 1e100, or below 1e-9 of the position.
    """
    if not 1e-100 < extent < 1e100:
        raise UsageError(
            f"{block}: {name}: expected an extent between 1e-100 and 1e100, found {extent:g}; "
            "choose other units"
        )
    if extent < _LEAST_SHARE * abs(position):
        raise UsageError(
            f"{block}: {name}: an extent of {extent:g} at {position:g} leaves too few digits for points; "
            "count from a nearer origin"
        )


def number(value: float) -> sympy.Expr:
    """The float as a SymPy number, as an integer where it is one, so that formulas print cleanly."""
    return sympy.Integer(int(value)) if value == int(value) else sympy.Float(value)
