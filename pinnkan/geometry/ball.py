"""Balls in three dimensions."""

from __future__ import annotations

import math

import numpy as np

from pinnkan.geometry.round import Round, round_kind
from pinnkan.geometry.rules import GOLDEN_TURN, circle, gauss, match_density, turn
from pinnkan.ground.arrays import FloatArray


class Ball(Round):
    """The closed ball |x - center| <= radius; its one boundary part is ``sphere``."""

    dimension = 3
    parts = ("sphere",)

    @property
    def volume(self) -> float:
        """4/3 pi radius^3."""
        return 4 / 3 * math.pi * self.radius**3

    def area(self, part: str) -> float:
        """Area of the sphere."""
        return 4 * math.pi * self.radius**2

    def quadrature(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Spheres: Gauss nodes in the radius (weight r^2 dr), points on each in proportion to r^2."""
        shells = max(1, round((3 * count / (4 * math.pi)) ** (1 / 3)))
        radii, weights = gauss(shells, variant=variant)
        least = count // shells

        def sizes(density: float) -> list[list[int]]:
            return [_latitudes(density * float(s), least, variant) for s in radii]

        layout = sizes(match_density(lambda density: sum(map(sum, sizes(density))), count))
        weights = weights * radii**2 / float(weights @ radii**2)
        points, shares = [], []
        for shell, rows in enumerate(layout):
            directions, part = _sphere(rows, variant, shell * GOLDEN_TURN)
            points.append(self.scaled(radii[shell] * directions))
            shares.append(weights[shell] * part)
        return np.concatenate(points), np.concatenate(shares)

    def integration(self, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Gauss nodes in the radius and in cos(theta), twice as many longitudes: n x n x 2n points."""
        size = max(1, round((count / 2) ** (1 / 3)))
        radii, weights = gauss(size, variant=variant)
        directions, shares = _sphere([2 * size] * size, variant, 0.0)
        weights = weights * radii**2
        points = self.scaled((radii[:, None, None] * directions).reshape(-1, 3))
        return points, np.outer(weights / weights.sum(), shares).ravel()

    def boundary_quadrature(self, part: str, count: int, variant: int) -> tuple[FloatArray, FloatArray]:
        """Gauss nodes in cos(theta), equispaced longitudes in proportion to sin(theta)."""
        density = match_density(lambda density: sum(_latitudes(density, count, variant)), count)
        directions, weights = _sphere(_latitudes(density, count, variant), variant, 0.0)
        return self.scaled(directions), weights

    def place(self, cube: FloatArray) -> FloatArray:
        """Spherical coordinates with the cubed radius, cos(theta) and longitude uniform."""
        return self.scaled(np.cbrt(cube[:, :1]) * _directions(*cube[:, 1:].T))

    def place_on(self, part: str, cube: FloatArray) -> FloatArray:
        """Uniform cos(theta) and longitude (Archimedes)."""
        return self.scaled(_directions(*cube.T))


def _directions(height: FloatArray, turns: FloatArray) -> FloatArray:
    """Unit vectors from (1 + cos(theta)) / 2 and the longitude in turns, shape ``(N, 3)``."""
    z, phi = 2 * height - 1, 2 * math.pi * turns
    rho = np.sqrt(np.maximum(0.0, 1 - z**2))
    return np.stack([rho * np.cos(phi), rho * np.sin(phi), z], axis=1)


def _latitudes(density: float, least: int, variant: int) -> list[int]:
    """Points on each row of latitude of a sphere that has ``density`` points per unit of arc.

    At least two rows of three, which make polynomials of degree 2 exact,
    unless there are fewer than six points a sphere to spend.
    """
    rows = max(2 if least >= 6 else 1, round(math.pi * density))
    heights, _ = gauss(rows, variant=variant, axis=1)
    around = 2 * math.pi * density * 2 * np.sqrt(heights * (1 - heights))
    return [max(3 if least >= 6 else 1, round(float(n))) for n in around]


def _sphere(rows: list[int], variant: int, turns: float) -> tuple[FloatArray, FloatArray]:
    """Directions and weights of a sphere with the given points on each row of latitude."""
    heights, weights = gauss(len(rows), variant=variant, axis=1)
    angles = [circle(n, turn(variant) + turns + row * GOLDEN_TURN) for row, n in enumerate(rows)]
    points = _directions(np.repeat(heights, rows), np.concatenate(angles) / (2 * math.pi))
    return points, np.repeat(weights / np.asarray(rows), rows)


KIND = round_kind(3, Ball)
