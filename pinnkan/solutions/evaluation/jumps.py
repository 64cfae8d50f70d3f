"""Jumps that a pointwise residual does not see: in the solution itself, or in a derivative below the highest.

Where a derivative of order k jumps, that of order k + 1 holds a Dirac, which no point sees: a tent that is
built into the ansatz has a second derivative of zero almost everywhere. But then the derivative does not
integrate to the difference of what it is the derivative of. Intervals along every axis are halved towards
the half where the two differ more: for a smooth function the difference vanishes with the length, a jump
stays. An interval whose difference has all but vanished is left: it holds no jump that a verdict minds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from pinnkan.geometry import Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Derivative, pure_index
from pinnkan.physics.instance import Instance

_SEGMENTS, _LEVELS = 32, 14
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(6)
_VARIANT = 5
_SMOOTH = 1e-6
"""An interval is halved no more below this difference, over the range of what may jump."""


class Differentiable(Protocol):
    """What is looked at: a `pinnkan.solutions.solution.Solution`, or anything that answers like one."""

    @property
    def instance(self) -> Instance:
        """The problem at the parameter value."""

    def derivatives(self, points: FloatArray, requested: Sequence[Derivative], /) -> FloatArray:
        """Return derivatives of the unknowns, (C, N)."""


@dataclass(frozen=True)
class Jump:
    """The largest jump.

    Attributes:
        derivative: What jumps, such as ``u`` or ``u_x``.
        relative: The jump over the range of what jumps.
        place: Where, (D,).
    """

    derivative: str
    relative: float
    place: tuple[float, ...]


def largest_jump(solution: Differentiable, seed: int = 0) -> Jump | None:
    """Return the largest jump of a derivative below the highest that the equations take along an axis.

    Args:
        solution: At one parameter value.
        seed: Of the intervals.

    Returns:
        None where no equation takes a derivative or no interval lies in the domain.
    """
    domain = solution.instance.domain
    drawn = domain.collocate(Interior(), 2 * _SEGMENTS, rule="sobol", seed=seed, variant=_VARIANT).points
    jumps = []
    for axis in range(len(domain.coordinates)):
        starts, ends = drawn[::2], drawn[1::2, axis]  # neighbours in a Sobol sequence are far apart
        far = starts.copy()
        far[:, axis] = ends
        inside = domain.contains(far)
        for unknown in range(len(solution.instance.problem.unknowns) if inside.any() else 0):
            for below in range(_order(solution, unknown, axis)):
                line = starts[inside], ends[inside]
                jumps.append(_along(solution, unknown, axis, below, *line))
    return max(jumps, key=lambda jump: jump.relative, default=None)


def _order(solution: Differentiable, unknown: int, axis: int) -> int:
    """Return the highest order of an unknown along an axis that an equation takes."""
    partials = [partial for block in solution.instance.equations for partial in block.summands.partials]
    return max((partial.orders[axis] for partial in partials if partial.unknown == unknown), default=0)


def _along(
    solution: Differentiable, unknown: int, axis: int, order: int, starts: FloatArray, ends: FloatArray
) -> Jump:
    """Return the largest jump of an unknown's derivative of an order along an axis.

    Args:
        solution: What is looked at.
        unknown: Its position.
        axis: Along which.
        order: Of the derivative that may jump.
        starts: First ends of the intervals, (S, D).
        ends: Where along the axis they end, (S,).
    """
    low, high = starts[:, axis].copy(), ends.copy()
    gaps, seen = np.zeros(len(low)), []
    left = np.arange(len(low))  # intervals that may hold a jump
    for _ in range(_LEVELS):
        corners = np.stack([low[left], (low[left] + high[left]) / 2, high[left]])
        # Both halves at once: a call costs more than its few hundred points.
        both = np.concatenate(corners[:2]), np.concatenate(corners[1:])
        differences, values = _gaps(solution, unknown, axis, order, np.tile(starts[left], (2, 1)), *both)
        seen.append(values)
        differences = differences.reshape(2, -1)
        half = np.argmax(differences, axis=0)
        gaps[left] = differences.max(axis=0)
        low[left], high[left] = (np.choose(half + k, corners) for k in (0, 1))
        left = left[gaps[left] > _SMOOTH * np.ptp(np.concatenate(seen))]
        if not left.size:
            break
    extent = float(np.ptp(np.concatenate(seen)))
    worst = int(np.argmax(gaps))
    place = starts[worst].copy()
    place[axis] = (low[worst] + high[worst]) / 2
    problem = solution.instance.problem
    name = problem.unknowns[unknown] + (f"_{problem.coordinates[axis] * order}" if order else "")
    relative = float(gaps[worst]) / extent if extent > 0.0 else 0.0
    return Jump(name, relative, tuple(float(x) for x in place))


def _gaps(
    solution: Differentiable,
    unknown: int,
    axis: int,
    order: int,
    starts: FloatArray,
    low: FloatArray,
    high: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return |f(high) - f(low) - integral of f'| over intervals, (S,), and the values of f at their ends."""
    shares = np.concatenate([[0.0], (_NODES + 1) / 2, [1.0]])
    points = np.repeat(starts[:, None, :], len(shares), axis=1)
    points[:, :, axis] = low[:, None] + (high - low)[:, None] * shares
    lower, upper = (Derivative(unknown, pure_index(axis, len(starts[0]), k)) for k in (order, order + 1))
    f, slope = solution.derivatives(points.reshape(-1, len(starts[0])), [lower, upper])
    f, slope = (values.reshape(len(starts), -1) for values in (f, slope))
    integral = (slope[:, 1:-1] @ _WEIGHTS) / 2 * (high - low)
    return np.abs(f[:, -1] - f[:, 0] - integral), np.concatenate([f[:, 0], f[:, -1]])
