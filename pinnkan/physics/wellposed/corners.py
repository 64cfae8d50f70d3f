"""Boundary conditions in derivatives against the data they meet: at the initial time, at corners of a box.

A gap makes a layer: the flux jumps at t0, or grows as a logarithm towards the corner.
"""

from __future__ import annotations

from collections.abc import Iterator

from pinnkan.geometry import Box
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.physics.conditions.meeting import corner_gap, initial_gap
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, warning


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
