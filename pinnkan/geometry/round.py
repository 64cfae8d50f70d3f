"""What disks and balls share: everything but their quadratures and maps from the unit cube."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
import sympy

from pinnkan.geometry.extents import ExtentFault, check_extent, check_finite
from pinnkan.geometry.mapped import MappedShape
from pinnkan.geometry.shape import Shape, ShapeEntries, ShapeKind, number
from pinnkan.ground.arrays import FloatArray


class Round(MappedShape):
    """The closed set |x - center| <= radius, whose boundary is one part.

    Args:
        center: d numbers; the origin by default.
        radius: Positive.

    Raises:
        ExtentFault: If the radius is not positive or a number is not finite.
    """

    def __init__(self, center: Sequence[float] | None = None, radius: float = 1.0) -> None:
        self.center = np.array(check_finite("center", [0.0] * self.dimension if center is None else center))
        (self.radius,) = check_finite("radius", [radius])
        if len(self.center) != self.dimension:
            raise ExtentFault("center", f"expected {self.dimension} numbers, found {len(self.center)}")
        if self.radius <= 0:
            raise ExtentFault("radius", f"expected a positive number, found {self.radius!r}")
        check_extent("radius", self.radius, position=float(np.abs(self.center).max()))

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """The square or cube around it."""
        return self.center - self.radius, self.center + self.radius

    @property
    def key(self) -> Hashable:
        """Center and radius."""
        return type(self), *self.center.tolist(), self.radius

    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        """Compare |x - center| with the radius."""
        return np.asarray(np.linalg.norm(x - self.center, axis=1) <= self.radius * (1 + tolerance))

    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr:
        """1 - |x - center|^2 / radius^2."""
        if not self.resolve_parts(parts):
            return sympy.Integer(1)
        square = sympy.Add(*((s - number(c)) ** 2 for s, c in zip(symbols, self.center, strict=True)))
        return 1 - square / number(self.radius) ** 2

    def normals(self, part: str, points: FloatArray) -> FloatArray:
        """Direction from the center."""
        outward = points - self.center
        return np.asarray(outward / np.linalg.norm(outward, axis=1, keepdims=True))

    def scaled(self, unit: FloatArray) -> FloatArray:
        """Points of the unit disk or ball brought to this one, ``(N, d) -> (N, d)``."""
        return np.asarray(self.center + self.radius * unit)


def round_kind(dimension: int, make: Callable[[Sequence[float] | None, float], Shape]) -> ShapeKind:
    """The entries ``center`` (optional) and ``radius`` of a problem file."""

    def build(said: ShapeEntries) -> Shape:
        return make(said.numbers.get("center"), said.numbers["radius"][0])

    return ShapeKind(dimension, lambda axes: {"center": dimension, "radius": 1}, build, ("center",))
