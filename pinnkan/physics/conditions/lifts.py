"""Functions in the domain that take prescribed values on the boundary, made of those values alone.

A boundary formula is never evaluated inside the domain: on a box each side's
data, with its own coordinate fixed, are blended (transfinite interpolation);
on a disk or ball data that do not depend on the position are taken from one
boundary point; on a disk other data that are constant in time are extended
harmonically from their Fourier coefficients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy
from numpy.typing import NDArray

from pinnkan.geometry import Box
from pinnkan.geometry.shape import number
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Channel, MultiIndex, terms_of
from pinnkan.language.expressions import substitute, symbol
from pinnkan.physics.conditions.point_functions import PointFunction

_ANGLES = 512
_MOST_MODES = 128
_TAIL = 1e-15


def transfinite(box: Box, data: Mapping[str, sympy.Expr]) -> sympy.Expr:
    """Blend the data of the named sides of a box (Gordon and Hall, Numer. Math. 21, 1973).

    Axis by axis, with s in [0, 1] along the axis and B what the axes before it gave,
    ``B <- B + (1 - s) (g_low - B|low) + s (g_high - B|high)``; where one of the two
    sides has no data, the other one's share is 1. The result takes all data if
    they agree where sides meet.

    Args:
        box: The box.
        data: Expressions by canonical part, ``x-`` ...; used only with that side's coordinate fixed.

    Returns:
        Expression in the coordinates (of time too, if the data depend on it).
    """
    blend: sympy.Expr = sympy.Integer(0)
    for axis, low, high in zip(box.axes, box.lower, box.upper, strict=True):
        coordinate = symbol(axis)
        s = (coordinate - number(low)) / number(high - low)
        ends = {axis + "-": (number(low), 1 - s), axis + "+": (number(high), s)}
        named = {part: end for part, end in ends.items() if part in data}
        change = sympy.Integer(0)
        for part, (bound, share) in named.items():
            mismatch = substitute(data[part] - blend, {coordinate: bound})
            change += mismatch * (share if len(named) == 2 else 1)
        blend += change
    return blend


@dataclass(frozen=True)
class HarmonicLift(PointFunction):
    """Re sum_n coefficients[n] z^n with z = (x - center + i (y - center)) / radius: harmonic in the disk.

    Constant in time where there is a time.
    """

    center: tuple[float, float]
    radius: float
    coefficients: NDArray[np.complex128]

    @property
    def formula(self) -> None:
        """None: a series of many terms is nothing to be read."""
        return None

    def text(self) -> str:
        """Say what it is."""
        return f"(harmonic extension of the boundary data, {len(self.coefficients)} modes)"

    def derivatives(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """Differentiate the series; x and y are the last two columns of the points."""
        result, offset = np.zeros((len(channels), len(points))), points.shape[1] - 2
        for row, channel in enumerate(channels):
            for index, weight in terms_of(channel):
                if not any(index[:offset]):
                    result[row] += weight * self._derivative(points[:, offset:], index[offset:])
        return result

    def _derivative(self, points: FloatArray, index: MultiIndex) -> FloatArray:
        """Evaluate the derivative of a multi-index over (x, y) at points (N, 2), shape (N,).

        With F(z) the power series, d/dx Re F = Re F' / radius and d/dy Re F = Re i F' / radius.
        """
        order = sum(index)
        z = ((points[:, 0] - self.center[0]) + 1j * (points[:, 1] - self.center[1])) / self.radius
        derived = np.polynomial.polynomial.polyder(self.coefficients, order)
        values = np.polynomial.polynomial.polyval(z, derived)
        return np.asarray((1j ** index[1] * values / self.radius**order).real)


def harmonic_lift(
    values: Callable[[FloatArray], FloatArray], center: tuple[float, float], radius: float
) -> HarmonicLift | None:
    """Extend values on a circle harmonically into the disk.

    Args:
        values: Data (N,) at positions (N, 2) on the circle.
        center: Of the circle.
        radius: Of the circle.

    Returns:
        The extension, or None if the Fourier coefficients do not fall below
        1e-15 of the largest one within 128 modes.
    """
    angles = 2 * np.pi * np.arange(_ANGLES) / _ANGLES
    circle = np.asarray(center) + radius * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    modes = np.fft.rfft(values(circle)) / _ANGLES
    size = np.abs(modes)
    last = int(np.flatnonzero(size >= _TAIL * size.max())[-1])
    if last > _MOST_MODES:
        return None
    coefficients = 2 * modes[: last + 1]
    coefficients[0] /= 2
    return HarmonicLift(center, radius, coefficients)
