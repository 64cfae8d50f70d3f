"""The end of one time window as the start of the next: with all its derivatives in space, exactly.

A window that begins at s, of an equation of order m in time, starts from u_before and its rates. With L the
lift of the whole time, which takes the boundary data at all times,

    lift(t, x) = L(t, x) + sum_{j < m} (t - s)^j / j! * (d_t^j u_before - d_t^j L)(s, x):

at t = s all m values agree, and on the boundary, where u_before takes the data too, the sum vanishes. Nothing
of L's own initial data is left in it: they are a polynomial of degree m - 1 in t. Carrying on more rates than
the equation takes as initial data makes every window's error five times that of the window before (KdV).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Channel, Derivative, MultiIndex, terms_of
from pinnkan.physics.conditions.point_functions import PointFunction


class Differentiable(Protocol):
    """The solution in the window before."""

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative], /) -> FloatArray:
        """Return derivatives of the unknowns at points (N, D), shape (len(requested), N)."""


@dataclass(frozen=True)
class EndState(PointFunction):
    """d_t^rate u(s, x) of an unknown: constant in time.

    Attributes:
        before: The solution until s.
        unknown: Position of the unknown.
        start: The time s.
        rate: How many derivatives in time.
    """

    before: Differentiable
    unknown: int
    start: float
    rate: int = 0

    @property
    def formula(self) -> None:
        """None: it is a network's."""
        return None

    def text(self) -> str:
        """Say what it is."""
        return "(end of the window before)"

    def derivatives(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """See `PointFunction.derivatives`."""
        return _combined(channels, len(points), lambda indices: self.at_start(points, indices))

    def at_start(self, points: FloatArray, indices: Sequence[MultiIndex]) -> dict[MultiIndex, FloatArray]:
        """Return partial derivatives, (N,) each, at the places of points (N, D); 0 along time."""
        constant = [index for index in indices if not index[0]]
        wanted = [Derivative(self.unknown, (self.rate, *index[1:])) for index in constant]
        rows = _at_places(self.before, self.start, points, wanted)
        found = dict(zip(constant, rows, strict=True))
        return {index: found.get(index, np.zeros(len(points))) for index in indices}


@dataclass(frozen=True)
class HandOver(PointFunction):
    """The lift of a window that begins where the window before ends.

    Attributes:
        whole: The lift L of the whole time.
        before: The solution until ``start``.
        unknown: Position of the unknown.
        start: The time s at which the window begins.
        order: The order m of the equations in time, in this unknown; 0 leaves L alone.
    """

    whole: PointFunction
    before: Differentiable
    unknown: int
    start: float
    order: int
    _kept: dict[object, FloatArray] = field(default_factory=dict, repr=False, compare=False)

    @property
    def formula(self) -> None:
        """None: part of it is a network's."""
        return None

    def text(self) -> str:
        """Say what it is."""
        return "(end of the window before)"

    def derivatives(self, points: FloatArray, channels: Sequence[Channel]) -> FloatArray:
        """See `PointFunction.derivatives`; training asks for the same ones at the same points again."""
        key = (hash(points.tobytes()), points.shape, tuple(channels))
        if key not in self._kept:
            if sum(rows.nbytes for rows in self._kept.values()) > _MOST_KEPT_BYTES:
                self._kept.clear()
            self._kept[key] = _combined(
                channels, len(points), lambda indices: self._partials(points, indices)
            )
        return self._kept[key]

    def _partials(self, points: FloatArray, indices: Sequence[MultiIndex]) -> dict[MultiIndex, FloatArray]:
        """Return the partial derivatives of L and of the sum, (N,) each."""
        wanted = sorted({(j, *index[1:]) for index in indices for j in range(index[0], self.order)})
        gaps = dict(zip(wanted, self._gaps(points, wanted), strict=True))
        result = dict(zip(indices, self.whole.derivatives(points, indices).copy(), strict=True))
        elapsed = points[:, 0] - self.start
        for index in indices:
            for j in range(index[0], self.order):
                power = j - index[0]
                result[index] += elapsed**power / math.factorial(power) * gaps[j, *index[1:]]
        return result

    def _gaps(self, points: FloatArray, indices: Sequence[MultiIndex]) -> FloatArray:
        """Return derivatives of u_before - L at the places of points and the time s, shape (C, N)."""
        requested = [Derivative(self.unknown, index) for index in indices]
        before = _at_places(self.before, self.start, points, requested)
        there = points.copy()
        there[:, 0] = self.start
        return np.asarray(before - self.whole.derivatives(there, indices))


_MOST_KEPT_BYTES = 1 << 26
_Partials = Callable[[Sequence[MultiIndex]], dict[MultiIndex, FloatArray]]


def _combined(channels: Sequence[Channel], count: int, partials: _Partials) -> FloatArray:
    """Return channels (C, N) from the partial derivatives that they are combinations of."""
    indices = sorted({index for channel in channels for index, _ in terms_of(channel)})
    found = partials(indices)
    result = np.zeros((len(channels), count))
    for row, channel in enumerate(channels):
        for index, weight in terms_of(channel):
            result[row] += weight * found[index]
    return result


def _at_places(
    before: Differentiable, start: float, points: FloatArray, requested: Sequence[Derivative]
) -> FloatArray:
    """Return derivatives at the places of points (N, D) and the time ``start``, shape (C, N).

    Every place is asked for once: those of a grid come back at each of its times.
    """
    if not requested:
        return np.zeros((0, len(points)))
    places, where = np.unique(points[:, 1:], axis=0, return_inverse=True)
    if not places.shape[1]:  # a problem in time alone has one place
        places, where = np.zeros((min(1, len(points)), 0)), np.zeros(len(points), dtype=int)
    at_start = np.concatenate([np.full((len(places), 1), start), places], axis=1)
    return before.derivatives(at_start, requested)[:, where.ravel()]
