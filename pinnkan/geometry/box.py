"""Axis-parallel boxes in any dimension."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import reduce

import numpy as np
import sympy

from pinnkan.geometry.extents import ExtentFault, check_extent, check_finite
from pinnkan.geometry.mapped import MappedShape
from pinnkan.geometry.rules import equispaced, gauss, turn
from pinnkan.geometry.shape import Shape, ShapeEntries, ShapeKind, number
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import UsageError

_ALIASES = (("left", "right"), ("bottom", "top"), ("front", "back"))
"""Everyday names of the lower and upper side along the first, second and third axis."""


class Box(MappedShape):
    """The box of points with lower <= x <= upper.

    Its parts are named by axis and side, ``x-``, ``x+``, ``y-``, ...; the
    aliases are left, right, bottom, top, front (z-) and back (z+). Along a
    periodic axis its ends are one and the same place, and there are no sides.

    Args:
        lower: Lower corner, d numbers.
        upper: Upper corner, d numbers.
        axes: Names of the axes; the first d of x, y, z by default.
        periodic: Those of the axes that are periodic.

    Raises:
        UsageError: If the box is empty, flat or not finite.
    """

    def __init__(
        self,
        lower: Sequence[float],
        upper: Sequence[float],
        axes: Sequence[str] = ("x", "y", "z"),
        periodic: Sequence[str] = (),
    ) -> None:
        self.dimension = len(lower)
        self.axes = tuple(axes)[: self.dimension]
        if not self.dimension or len(self.axes) != self.dimension or len(upper) != self.dimension:
            raise UsageError(
                "domain: expected as many lower and upper bounds as axes, "
                f"found {len(lower)} and {len(upper)} for {list(axes)}"
            )
        bounds = [check_finite(*item) for item in zip(self.axes, zip(lower, upper, strict=True), strict=True)]
        for axis, (low, high) in zip(self.axes, bounds, strict=True):
            if not low < high:
                raise ExtentFault(axis, f"expected lower < upper, found [{low!r}, {high!r}] (empty)")
            check_extent(axis, high - low, position=max(abs(low), abs(high)))
        self.lower, self.upper = np.array(bounds).T
        self.sides = self.upper - self.lower
        self.periodic = tuple(axis for axis in self.axes if axis in periodic)
        sides = {axis + sign: axis not in self.periodic for axis in self.axes for sign in "-+"}
        self.parts = tuple(side for side, is_part in sides.items() if is_part)
        pairs = zip(_ALIASES, self.axes, strict=False)
        aliases = {
            alias: axis + sign for names, axis in pairs for alias, sign in zip(names, "-+", strict=True)
        }
        self.aliases = {alias: (side,) for alias, side in aliases.items() if sides[side]}
        self._vanished = {
            name: side[:-1] for name, side in {**aliases, **{s: s for s in sides}}.items() if not sides[side]
        }

    @property
    def volume(self) -> float:
        """Product of the sides."""
        return float(np.prod(self.sides))

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """The box itself."""
        return self.lower.copy(), self.upper.copy()

    @property
    def key(self) -> Hashable:
        """Corners and periodic axes."""
        return Box, *self.lower.tolist(), *self.upper.tolist(), *self.periodic

    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        """Compare each coordinate with its bounds."""
        slack = tolerance * self.sides
        return np.asarray(np.all((x >= self.lower - slack) & (x <= self.upper + slack), axis=1))

    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr:
        """Product over the axes of s, 1 - s, or 4 s (1 - s) where both sides are named; s in [0, 1]."""
        named = self.resolve_parts(parts)
        factors = [sympy.Integer(1)]
        for axis, symbol, low, high in zip(self.axes, symbols, self.lower, self.upper, strict=True):
            below = (symbol - number(low)) / number(high - low)
            above = (number(high) - symbol) / number(high - low)
            both = axis + "-" in named and axis + "+" in named
            factors += [sympy.Integer(4)] * both
            factors += [below] * (axis + "-" in named) + [above] * (axis + "+" in named)
        return sympy.Mul(*factors)

    def resolve_part(self, name: str) -> tuple[str, ...]:
        """See `Shape.resolve_part`; a side of a periodic axis is refused with the reason."""
        axis = self._vanished.get(name)
        if axis is not None:
            left = f"the sides left are {', '.join(self.parts)}" if self.parts else "no side is left"
            raise UsageError(
                f"boundary: there is no side '{name}': {axis} is periodic, and its ends are one place; {left}"
            )
        return super().resolve_part(name)

    def area(self, part: str) -> float:
        """Product of the other sides' lengths."""
        return float(np.prod(np.delete(self.sides, self._axis(part))))

    def quadrature(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Tensor product of Gauss rules, as many nodes along an axis as its length asks for."""
        return self._tensor(list(range(self.dimension)), count, variant)

    def integration(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Gauss rules, and the trapezoidal rule along periodic axes: exact for the more waves there."""
        return self._tensor(list(range(self.dimension)), count, variant, trapezoidal=self.periodic)

    def boundary_quadrature(self, part: str, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Tensor product of Gauss rules over the other axes."""
        axis = self._axis(part)
        points, weights = self._tensor([a for a in range(self.dimension) if a != axis], count, variant)
        points[:, axis] = self._level(part)
        return points, weights

    def place(self, cube: FloatArray) -> FloatArray:
        """Scale and shift."""
        return np.asarray(self.lower + self.sides * cube)

    def place_on(self, part: str, cube: FloatArray) -> FloatArray:
        """Scale and shift the other axes."""
        points = self.place(np.insert(cube, self._axis(part), 0.0, axis=1))
        points[:, self._axis(part)] = self._level(part)
        return points

    def normals(self, part: str, points: FloatArray) -> FloatArray:
        """Plus or minus the unit vector of the part's axis."""
        normals = np.zeros_like(points)
        normals[:, self._axis(part)] = 1.0 if part.endswith("+") else -1.0
        return normals

    def _axis(self, part: str) -> int:
        return self.axes.index(part[:-1])

    def _level(self, part: str) -> float:
        bounds = self.upper if part.endswith("+") else self.lower
        return float(bounds[self._axis(part)])

    def _tensor(
        self, axes: list[int], count: int, variant: int, *, trapezoidal: Sequence[str] = ()
    ) -> tuple[FloatArray, FloatArray]:
        """Gauss rules along the given axes; every other coordinate is at its lower bound."""
        sizes = _split(count, self.sides[axes])
        rules = [
            equispaced(n, turn(variant))
            if self.axes[axis] in trapezoidal
            else gauss(n, variant=variant, axis=axis)
            for n, axis in zip(sizes, axes, strict=True)
        ]
        points = np.tile(self.lower, (math.prod(sizes), 1))
        grids = np.meshgrid(*(nodes for nodes, _ in rules), indexing="ij")
        for axis, grid in zip(axes, grids, strict=True):
            points[:, axis] += self.sides[axis] * grid.ravel()
        return points, reduce(lambda a, b: np.outer(a, b).ravel(), (w for _, w in rules), np.ones(1))


def _split(count: int, sides: FloatArray) -> list[int]:
    """Nodes per axis with product about ``count``, in proportion to the sides.

    From the shortest side to the longest, each takes its share of what is
    left, so that a thin box spends its points along its length.
    """
    sizes = [1] * len(sides)
    left, order = float(count), np.argsort(sides, kind="stable")
    for done, axis in enumerate(order):
        rest = sides[order[done:]]
        spacing = (float(np.prod(rest)) / left) ** (1 / len(rest))
        sizes[axis] = max(1, round(float(sides[axis]) / spacing))
        left = max(1.0, left / sizes[axis])
    return sizes


def box_entries(axes: tuple[str, ...]) -> dict[str, int]:
    """One key per axis, each with its two bounds."""
    return dict.fromkeys(axes, 2)


def build_box(said: ShapeEntries) -> Shape:
    """Box from the bounds of each axis."""
    lower, upper = zip(*(said.numbers[axis] for axis in said.axes), strict=True)
    return Box(lower, upper, said.axes, said.periodic)


KIND = ShapeKind(dimension=None, entries=box_entries, build=build_box, may_be_periodic=True)
