"""Time as a factor of a domain: an interval of it, its first moment, or none at all."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pinnkan.geometry.extents import ExtentFault, check_extent, check_finite
from pinnkan.geometry.rules import gauss, unit_cube
from pinnkan.ground.arrays import FloatArray

_AXIS = 3
"""Time shifts its nodes by a sequence that no space axis uses."""


class Times(ABC):
    """What time adds to points in space: ``dimension`` uniform numbers become ``columns`` coordinates."""

    dimension: ClassVar[int] = 0
    columns: ClassVar[int]

    @property
    def grading(self) -> float:
        """How much denser levels lie at the start (`Domain.grading`); 0 where they do not."""
        return 0.0

    @property
    def even(self) -> Times:
        """The same factor without a grading."""
        return self

    @abstractmethod
    def at(self, shares: FloatArray) -> FloatArray:
        """Return the coordinates of uniform numbers: ``(N, dimension) -> (N, columns)``."""

    def levels(self, count: int, measure: float, dimension: int, extent: float) -> int:
        """Return on how many levels ``count`` points of a set in space times this factor lie.

        Args:
            count: Number of points.
            measure: Measure of the set in space.
            dimension: Dimensions of that set.
            extent: Mean extent of the shape that it belongs to.
        """
        return 1

    def moments(
        self, count: int, *, rule: str, rng: np.random.Generator, variant: int
    ) -> tuple[FloatArray, FloatArray]:
        """Return about ``count`` levels and weights that sum to 1: ``(L, columns), (L,)``."""
        return self.at(np.zeros((1, 0))), np.ones(1)


class NoTime(Times):
    """The factor of a stationary problem: one level, no coordinate."""

    columns = 0

    def at(self, shares: FloatArray) -> FloatArray:
        """See `Times.at`."""
        return np.zeros((len(shares), 0))


@dataclass(frozen=True)
class Moment(Times):
    """One time.

    Attributes:
        time: Which.
    """

    columns = 1
    time: float

    def at(self, shares: FloatArray) -> FloatArray:
        """See `Times.at`."""
        return np.full((len(shares), 1), self.time)


@dataclass(frozen=True)
class Duration(Times):
    """An interval of time.

    Attributes:
        start: First time.
        end: Last time.
        scale: The time within which a solution changes at the start; infinite where it changes all along.
    """

    dimension = columns = 1
    start: float
    end: float
    scale: float = math.inf

    @classmethod
    def checked(cls, name: str, ends: tuple[float, float], scale: float) -> Duration:
        """Return the interval of a coordinate.

        Raises:
            ExtentFault: If it is empty, not finite, or lost in rounding.
        """
        low, high = check_finite(name, ends)
        if not low < high:
            raise ExtentFault(name, f"expected start < end, found [{low!r}, {high!r}] (empty)", block="time")
        check_extent(name, high - low, position=max(abs(low), abs(high)), block="time")
        return cls(*ends, scale)

    @property
    def grading(self) -> float:
        """g = duration / scale where that is above 1, else 0."""
        ratio = (self.end - self.start) / self.scale
        return ratio if ratio > 1.0 else 0.0

    @property
    def even(self) -> Duration:
        """The same interval without a grading."""
        return Duration(self.start, self.end)

    def at(self, shares: FloatArray) -> FloatArray:
        """Return times from s in [0, 1]: tau = ((1 + g)^s - 1) / g, or s itself without a grading."""
        grading = self.grading
        if grading:
            shares = np.expm1(shares * math.log1p(grading)) / grading
        return np.asarray(self.start + (self.end - self.start) * shares)

    def levels(self, count: int, measure: float, dimension: int, extent: float) -> int:
        """Return the number of levels that makes the spacing about the same along time and space.

        Time has a unit of its own, so it is counted as long as the shape's mean extent L: with
        spacing h there are measure / h^dimension points a level and L / h levels.
        """
        spacing: float = (measure * extent / count) ** (1 / (dimension + 1))
        return min(count, max(1, round(extent / spacing)))

    def moments(
        self, count: int, *, rule: str, rng: np.random.Generator, variant: int
    ) -> tuple[FloatArray, FloatArray]:
        """See `Times.moments`: Gauss's rule in s, or points of the other rules."""
        if rule == "quadrature":
            nodes, weights = gauss(count, variant=variant, axis=_AXIS)
            return self.at(nodes[:, None]), weights
        return self.at(unit_cube(count, 1, rule=rule, rng=rng)), np.full(count, 1 / count)
