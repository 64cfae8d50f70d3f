"""Boundary conditions against the data they meet: at the initial time, at corners of a box.

A gap makes a layer: a value or the flux jumps at t0, or grows as a logarithm towards the corner.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pinnkan.geometry import Box
from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions import evaluate, total_derivative
from pinnkan.language.problem.prescribed import Prescribed, difference_text, prescribed
from pinnkan.physics.conditions.meeting import corner_gap, initial_gap
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, warning

_POINTS, _SEED = 500, 7_041_776
_MEET = 1e-8
"""Share of their size up to which initial and boundary values are the same."""


def initial_against_values(instance: Instance) -> Iterator[Finding]:
    """Warn where prescribed boundary values and initial values differ at the initial time."""
    problem = instance.problem
    items = [item for c in problem.conditions if (item := prescribed(c, problem.names)) is not None]
    for start in (item for item in items if item.condition.is_initial):
        sides = (i for i in items if not i.condition.is_initial and i.unknown == start.unknown)
        for side in sides:
            points = _at_the_start(instance, side)
            if len(points):
                yield from _gap(instance, start, side, points)


def _at_the_start(instance: Instance, side: Prescribed) -> FloatArray:
    """Return points (N, D) at the initial time where a boundary condition holds; none if it begins later."""
    problem, domain = instance.problem, instance.domain
    assert domain.time is not None
    regions = side.condition.regions(problem.names, instance.values)
    sets = [domain.collocate(region, _POINTS, rule="random", seed=_SEED) for region in regions]
    points = np.concatenate([drawn.points for drawn in sets])
    points[:, 0] = domain.time[0]
    portion = side.condition.portion
    return points if portion is None else points[portion.holds(points, problem.names, instance.values)]


def _gap(instance: Instance, start: Prescribed, side: Prescribed, points: FloatArray) -> Iterator[Finding]:
    """Say by how much initial and boundary data differ at points, if they do."""
    problem, domain = instance.problem, instance.domain
    assert domain.time is not None
    assert problem.time is not None
    wanted = side.data if start.order == 0 else total_derivative(side.data, problem.time, problem.names)
    given, expected = evaluate([start.data, wanted], problem.coordinates, points, instance.values)
    duration = domain.time[1] - domain.time[0]
    scale = instance.scales[problem.unknowns.index(start.unknown)]
    size = max(scale / duration**start.order, *(float(np.abs(data).max()) for data in (given, expected)))
    gap = np.abs(given - expected)
    worst = int(gap.argmax())
    if gap[worst] > _MEET * size:
        what = difference_text(float(gap[worst]), size)
        yield warning(
            f"initial and boundary data do not meet: {start.condition.name} and {side.condition.name} {what} "
            f"at {point_text(problem.coordinates, points[worst])}"
        )


def initial_against_flux(instance: Instance) -> Iterator[Finding]:
    """Warn where initial data contradict a boundary condition in derivatives."""
    problem, names = instance.problem, instance.problem.names
    given = [(c, item) for c in problem.initial if (item := prescribed(c, names)) is not None]
    given.sort(key=lambda pair: pair[1].order)
    for count, (initial, item) in enumerate(given, 1):
        data = [item.data for _, item in given[:count]]
        for condition in problem.boundary if item.order == count - 1 else ():
            gap = initial_gap(condition, data, 0, names, instance.domain, instance.values)
            if gap is not None:
                yield warning(
                    f"initial and boundary data do not meet: {initial.name} misses {condition.name} by "
                    f"{gap.size:.2g} of the size of its terms at {point_text(names.coordinates, gap.point)}: "
                    "a layer in time; refine the points there, or let the data agree"
                )


def values_against_flux(instance: Instance) -> Iterator[Finding]:
    """Warn where values on a side of a box contradict a condition in derivatives on a side that it meets."""
    problem, names, shape = instance.problem, instance.problem.names, instance.domain.shape
    if not isinstance(shape, Box) or shape.dimension < 2:
        return
    given = [(c, item) for c in problem.boundary if (item := prescribed(c, names)) is not None]
    flux = [c for c in problem.boundary if prescribed(c, names) is None]
    pairs = [
        (condition, part, item, other)
        for condition in flux
        for part in condition.parts
        for holder, item in given
        for other in holder.parts
        if other[:-1] != part[:-1]
    ]
    for condition, part, item, other in pairs:
        gap = corner_gap(condition, part, item.data, 0, other, names, instance.domain, instance.values)
        if gap is not None:
            yield warning(
                f"boundary data do not meet: {item.condition.name} misses {condition.name} by "
                f"{gap.size:.2g} of the size of its terms where {other} and {part} meet "
                f"({point_text(names.coordinates, gap.point)}): a singularity at the corner; refine the "
                "points there, or let the data agree"
            )
