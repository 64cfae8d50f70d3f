"""First-order transport: values are carried along characteristics and belong where these enter.

In a u_t + b.grad u + ... = 0 values move with the velocity b / a. They enter the domain where
(b / a).n < 0, with the outward normal n, and a condition belongs there and nowhere else. A stationary
b.grad u + ... = 0 may be read along its characteristics in either direction: one condition on each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from pinnkan.geometry import BoundaryPart
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import pure_index
from pinnkan.language.problem.spec import Equation
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.factors import decided, factors
from pinnkan.physics.wellposed.findings import Finding, point_text, warning

_POINTS = 100
_SEED = 141_421
_ALONG = 1e-6
"""A characteristic whose normal velocity is below this share of the velocity runs along the boundary."""


@dataclass(frozen=True)
class _Side:
    """A boundary part, whether a condition holds on it, and where characteristics enter and leave it."""

    part: str
    covered: bool
    enters: FloatArray
    leaves: FloatArray


def characteristics(instance: Instance) -> Iterator[Finding]:
    """Warn of a part without a condition where characteristics enter, and of one where they leave."""
    problem = instance.problem
    if len(problem.equations) != 1 or not instance.domain.shape.parts or not problem.conditions:
        return
    (equation,) = problem.equations
    if factors(instance, equation, instance.domain.uniform(_POINTS, _SEED)).order != 1:
        return
    sides = [_side(instance, equation, part) for part in instance.domain.shape.parts]
    readings = [_misplaced(sides, forward=True)]
    if problem.time is None:
        readings.append(_misplaced(sides, forward=False))
    bare, idle = min(readings, key=lambda pair: len(pair[0]) + len(pair[1]))
    for part, point in bare:
        yield warning(
            f"no condition on {part}, where characteristics of {equation.name} enter "
            f"({point_text(instance.coordinates, point)}): nothing fixes what they carry; prescribe "
            f"{problem.unknowns[0]} there"
        )
    for part, point in idle:
        yield warning(
            f"a condition on {part}, where characteristics of {equation.name} leave "
            f"({point_text(instance.coordinates, point)}): they carry a value of their own there; "
            f"prescribe {problem.unknowns[0]} where they enter"
        )


def _side(instance: Instance, equation: Equation, part: str) -> _Side:
    """Find where characteristics cross a part."""
    problem, offset = instance.problem, int(instance.problem.time is not None)
    side = instance.domain.collocate(BoundaryPart(part), _POINTS, rule="random", seed=_SEED)
    assert side.normals is not None
    found = factors(instance, equation, side.points)
    size = len(problem.coordinates)
    unit = [pure_index(axis, size) for axis in range(size)]
    shape = next(iter(found.by_index.values())).shape if found.by_index else (1, len(side.points))
    velocity = np.stack([found.by_index.get(index, np.zeros(shape)) for index in unit])
    if offset:
        with np.errstate(divide="ignore", invalid="ignore"):
            velocity = velocity / velocity[0]
    space = velocity[offset:]
    across = np.einsum("isn,ni->sn", space, side.normals)
    least = _ALONG * np.abs(space).max(axis=0)
    defined = np.isfinite(across)
    covered = any(part in condition.parts for condition in problem.boundary)
    enters, leaves = (decided(sign * across > least, defined) for sign in (-1, 1))
    return _Side(part, covered, side.points[enters], side.points[leaves])


def _misplaced(
    sides: list[_Side], *, forward: bool
) -> tuple[list[tuple[str, FloatArray]], list[tuple[str, FloatArray]]]:
    """Return the parts that lack a condition and those that should have none, each with a point."""
    bare, idle = [], []
    for side in sides:
        enters, leaves = (side.enters, side.leaves) if forward else (side.leaves, side.enters)
        if len(enters) and not side.covered:
            bare.append((side.part, enters[0]))
        if len(leaves) and side.covered:
            idle.append((side.part, leaves[0]))
    return bare, idle
