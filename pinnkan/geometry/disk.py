"""Disks in the plane."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import sympy

from pinnkan.errors import UsageError
from pinnkan.geometry.rules import GOLDEN_TURN, FloatArray, circle, gauss, match_density, turn
from pinnkan.geometry.shape import Shape, ShapeKind, check_finite, number

_FEWEST_ANGLES = 5
"""On the innermost rings; what they alias is of order radius^5 there."""


class Disk(Shape):
    """The closed disk |x - center| <= radius; its one boundary part is ``circle``.

    Raises:
        UsageError: If the radius is not positive or a number is not finite.
    """

    def __init__(self, center: Sequence[float] = (0.0, 0.0), radius: float = 1.0) -> None:
        self.dimension = 2
        self.center = np.array(check_finite("center", center))
        (self.radius,) = check_finite("radius", [radius])
        if self.center.shape != (2,):
            raise UsageError(f"domain: center: expected 2 numbers, found {len(self.center)}")
        if self.radius <= 0:
            raise UsageError(f"domain: radius: expected a positive number, found {self.radius!r}")
        self.volume = math.pi * self.radius**2
        self.parts, self.aliases = ("circle",), {}

    @property
    def bounding_box(self) -> tuple[FloatArray, FloatArray]:
        """The square around it."""
        return self.center - self.radius, self.center + self.radius

    def contains(self, x: FloatArray, tolerance: float = 1e-12) -> np.ndarray:
        """Compare |x - center| with the radius."""
        return np.asarray(np.hypot(*(x - self.center).T) <= self.radius * (1 + tolerance))

    def distance(self, symbols: Sequence[sympy.Symbol], parts: Sequence[str]) -> sympy.Expr:
        """1 - |x - center|^2 / radius^2."""
        if not self.resolve_parts(parts):
            return sympy.Integer(1)
        square = sympy.Add(*((s - number(c)) ** 2 for s, c in zip(symbols, self.center, strict=True)))
        return 1 - square / number(self.radius) ** 2

    def area(self, part: str) -> float:
        """Length of the circle."""
        return 2 * math.pi * self.radius

    def quadrature(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Rings: Gauss nodes in the radius (weight r dr), equispaced angles in proportion to it.

        Each ring is turned by the golden section against the one inside it.
        """
        rings = max(1, round(math.sqrt(count / math.pi)))
        radii, weights = gauss(rings, variant=variant)
        fewest = max(1, min(_FEWEST_ANGLES, count // rings))

        def angles(density: float) -> np.ndarray:
            return np.maximum(fewest, np.rint(density * radii)).astype(int)

        sizes = angles(match_density(lambda density: int(angles(density).sum()), count))
        theta = [circle(int(n), turn(variant) + ring * GOLDEN_TURN) for ring, n in enumerate(sizes)]
        ring_weights = weights * radii
        return (
            self._at(np.repeat(radii, sizes), np.concatenate(theta)),
            np.repeat(ring_weights / ring_weights.sum() / sizes, sizes),
        )

    def boundary_quadrature(self, part: str, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Equispaced angles: the trapezoidal rule, exact for trigonometric polynomials below ``count``."""
        return self._at(np.ones(count), circle(count, turn(variant))), np.full(count, 1 / count)

    def place(self, cube: FloatArray) -> FloatArray:
        """Polar coordinates with the squared radius uniform."""
        return self._at(np.sqrt(cube[:, 0]), 2 * math.pi * cube[:, 1])

    def place_on(self, part: str, cube: FloatArray) -> FloatArray:
        """Uniform angle."""
        return self._at(np.ones(len(cube)), 2 * math.pi * cube[:, 0])

    def normals(self, part: str, points: FloatArray) -> FloatArray:
        """Direction from the center."""
        outward = points - self.center
        return np.asarray(outward / np.linalg.norm(outward, axis=1, keepdims=True))

    def _at(self, radius: FloatArray, theta: FloatArray) -> FloatArray:
        unit = np.stack([np.cos(theta), np.sin(theta)], axis=1)
        return np.asarray(self.center + self.radius * radius[:, None] * unit)


def _build(axes: tuple[str, ...], numbers: Mapping[str, Sequence[float]]) -> Shape:
    return Disk(numbers.get("center", (0.0, 0.0)), numbers.get("radius", (1.0,))[0])


KIND = ShapeKind(
    dimension=2, entries=lambda axes: {"center": 2, "radius": 1}, build=_build, optional=("center",)
)
