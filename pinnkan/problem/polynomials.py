"""Chebyshev polynomials on a box, and their derivatives: functions that know nothing of any network."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.polynomial import chebyshev
from numpy.typing import NDArray

from pinnkan.channels import Channel, Collapsed

FloatArray = NDArray[np.float64]


class Polynomials:
    """Products of Chebyshev polynomials on a box, of at most some total degree.

    Args:
        lower: Lower corner, (D,).
        upper: Upper corner, (D,).
        degree: Highest total degree.

    Attributes:
        extent: Upper less lower corner, (D,).
        count: How many they are, P = binom(degree + D, D).
        count_on_a_side: How many there are in one coordinate less.
    """

    def __init__(self, lower: FloatArray, upper: FloatArray, degree: int) -> None:
        self.lower, self.extent, self.degree = lower, upper - lower, degree
        everything = itertools.product(range(degree + 1), repeat=len(lower))
        self.exponents = np.array([powers for powers in everything if sum(powers) <= degree])
        self.count = len(self.exponents)
        self.count_on_a_side = math.comb(degree + len(lower) - 1, len(lower) - 1)

    def derivative(self, channel: Channel, points: FloatArray) -> FloatArray:
        """Return a derivative of every polynomial at points (N, D), shape (N, P)."""
        if isinstance(channel, Collapsed):
            size = len(channel.coefficients)
            twice = [tuple(2 * (k == axis) for k in range(size)) for axis in range(size)]
            parts = zip(channel.coefficients, twice, strict=True)
            zero = np.zeros((len(points), self.count))
            return sum((c * self.derivative(index, points) for c, index in parts if c != 0.0), zero)
        result = np.ones((len(points), self.count))
        for axis, order in enumerate(channel):
            scaled = 2 * (points[:, axis] - self.lower[axis]) / self.extent[axis] - 1
            coefficients = chebyshev.chebder(np.eye(self.degree + 1), order, scl=2 / self.extent[axis])
            values = chebyshev.chebvander(scaled, len(coefficients) - 1) @ coefficients
            result *= values[:, self.exponents[:, axis]]
        return result
