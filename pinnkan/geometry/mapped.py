"""Shapes onto which the unit cube is mapped in proportion: their points are those of the cube."""

from __future__ import annotations

from abc import abstractmethod

import numpy as np

from pinnkan.geometry.rules import unit_cube
from pinnkan.geometry.shape import Shape
from pinnkan.ground.arrays import FloatArray


class MappedShape(Shape):
    """A shape with measure-preserving maps from the unit cube onto it and onto its parts."""

    @abstractmethod
    def place(self, cube: FloatArray) -> FloatArray:
        """Map the unit cube onto the shape, volumes in proportion: ``(N, d) -> (N, d)``."""

    @abstractmethod
    def place_on(self, part: str, cube: FloatArray) -> FloatArray:
        """Map the unit cube onto one canonical part, areas in proportion: ``(N, d - 1) -> (N, d)``."""

    def sample(self, count: int, *, rule: str, rng: np.random.Generator, beside: int = 0) -> FloatArray:
        """See `Shape.sample`."""
        cube = unit_cube(count, beside + self.dimension, rule=rule, rng=rng)
        return np.column_stack([cube[:, :beside], self.place(cube[:, beside:])])

    def sample_on(
        self, part: str, count: int, *, rule: str, rng: np.random.Generator, beside: int = 0
    ) -> FloatArray:
        """See `Shape.sample_on`."""
        cube = unit_cube(count, beside + self.dimension - 1, rule=rule, rng=rng)
        return np.column_stack([cube[:, :beside], self.place_on(part, cube[:, beside:])])
