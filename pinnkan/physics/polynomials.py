"""Chebyshev and trigonometric polynomials on a box: functions that know nothing of any network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
from numpy.polynomial import chebyshev

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Channel, MultiIndex, terms_of


class Polynomials:
    """Products of one function of each coordinate, of at most some total degree.

    Along a coordinate Chebyshev polynomials T_0, T_1, ...; along a periodic one 1, cos phi, sin phi,
    cos 2 phi, ..., where waves of number k count as of degree 2 k.

    Args:
        lower: Lower corner, (D,).
        upper: Upper corner, (D,).
        degree: Highest total degree.
        periodic: Which coordinates are, (D,); none by default.
        reach: Highest degree along every coordinate over the total degree, (D,); 1 by default. Degrees then
            count as so much less.

    Attributes:
        extent: Upper less lower corner, (D,).
        count: How many they are, P; binom(degree + D, D) where nothing is periodic.
        count_on_a_side: How many there are in one coordinate less, about.
    """

    def __init__(
        self,
        lower: FloatArray,
        upper: FloatArray,
        degree: int,
        periodic: Sequence[bool] | None = None,
        reach: Sequence[float] | None = None,
    ) -> None:
        self.lower, self.extent = lower, upper - lower
        self.periodic = tuple(periodic or [False] * len(lower))
        self._reach = tuple(reach or [1.0] * len(lower))
        degrees = [int(degree * reach) for reach in self._reach]
        self.degree = max(degrees)
        everything = itertools.product(*(range(along + 1) for along in degrees))
        self.exponents = np.array([powers for powers in everything if self._total(powers) <= degree])
        self.count = len(self.exponents)
        self.count_on_a_side = math.comb(self.degree + len(lower) - 1, len(lower) - 1)

    def _total(self, powers: tuple[int, ...]) -> float:
        along = zip(powers, self.periodic, self._reach, strict=True)
        return sum((n + n % 2 if flag else n) / reach for n, flag, reach in along)

    def derivative(self, channel: Channel, points: FloatArray) -> FloatArray:
        """Return a derivative of every polynomial at points (N, D), shape (N, P)."""
        zero = np.zeros((len(points), self.count))
        return sum((c * self._partial(index, points) for index, c in terms_of(channel)), zero)

    def _partial(self, index: MultiIndex, points: FloatArray) -> FloatArray:
        result = np.ones((len(points), self.count))
        for axis, order in enumerate(index):
            along = self._waves if self.periodic[axis] else self._chebyshev
            result *= along(points[:, axis], axis, order)[:, self.exponents[:, axis]]
        return result

    def _chebyshev(self, x: FloatArray, axis: int, order: int) -> FloatArray:
        """Return a derivative of T_0, T_1, ... at x (N,), shape (N, degree + 1)."""
        scaled = 2 * (x - self.lower[axis]) / self.extent[axis] - 1
        coefficients = chebyshev.chebder(np.eye(self.degree + 1), order, scl=2 / self.extent[axis])
        return np.asarray(chebyshev.chebvander(scaled, len(coefficients) - 1) @ coefficients)

    def _waves(self, x: FloatArray, axis: int, order: int) -> FloatArray:
        """Return a derivative of 1, cos phi, sin phi, ... at x (N,), shape (N, degree + 1).

        sin a = cos(a - pi/2), and every derivative is a quarter turn on.
        """
        number = (np.arange(self.degree + 1) + 1) // 2
        turn = np.pi / 2 * (order - (np.arange(self.degree + 1) + 1) % 2)
        turn[0] = 0.0  # 1, whose rate of 0 makes its derivatives vanish
        rate = 2 * np.pi / self.extent[axis] * number
        return np.asarray(rate**order * np.cos(np.outer(x - self.lower[axis], rate) + turn))
