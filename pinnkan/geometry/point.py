"""The space of a problem without space coordinates: one point, so that its domain is an interval of time."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
import sympy

from pinnkan.geometry.mapped import MappedShape
from pinnkan.geometry.shape import ShapeKind
from pinnkan.ground.arrays import FloatArray


class Point(MappedShape):
    """The one point of R^0; it has no boundary."""

    dimension = 0
    parts = ()

    @property
    def volume(self) -> float:
        """1, the counting measure."""
        return 1.0

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """Corners without coordinates, shapes ``(0,)``."""
        return np.zeros(0), np.zeros(0)

    @property
    def key(self) -> Hashable:
        """There is but one."""
        return Point

    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        """Every point of R^0 is this one."""
        return np.ones(len(x), dtype=bool)

    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr:
        """1: there are no parts."""
        self.resolve_parts(parts)
        return sympy.Integer(1)

    def area(self, part: str) -> float:
        """0: there are no parts."""
        return 0.0

    def quadrature(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """The point itself, whatever the count."""
        return np.zeros((1, 0)), np.ones(1)

    def boundary_quadrature(self, part: str, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """No points: there are no parts."""
        return np.zeros((0, 0)), np.zeros(0)

    def place(self, cube: FloatArray) -> FloatArray:
        """The identity of R^0."""
        return cube

    def place_on(self, part: str, cube: FloatArray) -> FloatArray:
        """No points: there are no parts."""
        return np.zeros((0, 0))

    def normals(self, part: str, points: FloatArray) -> FloatArray:
        """No normals: there are no parts."""
        return np.zeros((0, 0))


KIND = ShapeKind(dimension=0, entries=lambda axes: {}, build=lambda said: Point())
