"""Disks in the plane."""

from __future__ import annotations

import math

import numpy as np

from pinnkan.geometry.round import Round, round_kind
from pinnkan.geometry.rules import GOLDEN_TURN, circle, gauss, match_density, turn
from pinnkan.ground.arrays import FloatArray

_FEWEST_ANGLES = 5
"""On the innermost rings; what they alias is of order radius^5 there."""


class Disk(Round):
    """The closed disk |x - center| <= radius; its one boundary part is ``circle``."""

    dimension = 2
    parts = ("circle",)

    @property
    def volume(self) -> float:
        """pi radius^2."""
        return math.pi * self.radius**2

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

    def _at(self, radius: FloatArray, theta: FloatArray) -> FloatArray:
        unit = np.stack([np.cos(theta), np.sin(theta)], axis=1)
        return self.scaled(radius[:, None] * unit)


KIND = round_kind(2, Disk)
