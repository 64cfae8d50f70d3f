"""How many conditions a system takes on a part of the boundary, and how many of those given are independent.

Behind a plane side with the inward normal m, a wave exp(s t + i xi.x + z m.x) with Re s > 0 and a real xi
along the side solves the frozen system where det P(s, i xi + z m) = 0. The waves that decay inwards, Re z <
0, are seen from this side alone: it takes as many conditions as there are (Kreiss; Lopatinskii for elliptic
systems, where there is no s), and they must have full rank on these waves, for short ones, else infinitely
many solutions meet them all. Conditions that follow from the equations have no rank of their own on all waves
together. Along a line without time there are no waves: both ends share the whole space.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from pinnkan.geometry import BoundaryPart
from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.language.problem.spec import Condition, Equation
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, warning
from pinnkan.physics.wellposed.symbol.deciding import deciding_equations
from pinnkan.physics.wellposed.symbol.frozen import (
    determinant,
    frozen_slopes,
    is_linear,
)
from pinnkan.physics.wellposed.symbol.waves import Count, side_row, wave_count
from pinnkan.physics.wellposed.unknowns import bare_parts, has_bare_portions, parts_without_conditions

_POINTS, _PORTION_POINTS, _SEED, _STATES = 2, 512, 244_948, 3
_WAVES = ((1e3, 1e6), (3e4, 1e8))
"""Wave numbers along the side times the extent of space, and rates times the duration: both must agree."""


def conditions_on_sides(instance: Instance) -> Iterator[Finding]:
    """Warn of parts where a system lacks conditions, or has more than it takes."""
    problem = instance.problem
    equations = deciding_equations(instance)
    if not problem.space or equations is None:
        # Of more equations than unknowns one that follows may be of an order that takes no condition.
        if len(problem.equations) == len(problem.unknowns):
            yield from bare_parts(instance)
        return
    if problem.time is None and len(problem.space) == 1:
        yield from _on_a_line(instance, equations)
        return
    said = {part: _on_part(instance, equations, part) for part in instance.domain.shape.parts}
    enough = frozenset(part for part, findings in said.items() if findings == [])
    yield from bare_parts(instance, enough)
    for part in instance.domain.shape.parts:
        if part not in parts_without_conditions(instance, enough) and not has_bare_portions(instance, part):
            yield from said[part] or ()


def conditions_on_portions(instance: Instance) -> Iterator[Finding]:
    """Warn of parts with portions where one unknown lacks conditions, or has more than its equation takes."""
    portioned = {part for c in instance.problem.boundary if c.portion is not None for part in c.parts}
    equations = deciding_equations(instance)
    for part in instance.domain.shape.parts if equations is not None else ():
        if part in portioned and not has_bare_portions(instance, part):
            yield from _on_part(instance, equations or (), part) or ()


def _on_part(instance: Instance, equations: Sequence[Equation], part: str) -> list[Finding] | None:
    """Say what is wrong with the conditions on a part; None where that is not sure."""
    problem = instance.problem
    own = [c for c in problem.boundary if part in c.parts]
    several = any(condition.portion is not None for condition in own)
    count = _PORTION_POINTS if several else _POINTS
    side = instance.domain.collocate(BoundaryPart(part), count, rule="random", seed=_SEED)
    assert side.normals is not None
    held = np.stack([_holds(c, side.points, instance) for c in own] or [np.zeros(0, dtype=bool)])
    groups: dict[tuple[bool, ...], list[int]] = {}
    for place in range(len(side.points)):
        groups.setdefault(tuple(held[:, place].tolist()) if own else (), []).append(place)
    said: list[Finding] = []
    for pattern, places in groups.items():
        there = [condition for condition, holds in zip(own, pattern, strict=True) if holds]
        judged = places[:_POINTS]
        counts = _counts(instance, equations, there, side.points[judged], side.normals[judged])
        where = f" at {point_text(problem.coordinates, side.points[places[0]])}" if len(groups) > 1 else ""
        sure = [count for count in counts if count is not None]
        if not counts or len(sure) < len(counts) or len({count.wanted for count in sure}) > 1:
            return None
        takes = "the equations together take" if problem.is_system else "the equation takes"
        said += _said(sure, there, f"on {part}{where} {takes}")
    return said


def _holds(condition: Condition, points: FloatArray, instance: Instance) -> BoolArray:
    if condition.portion is None:
        return np.ones(len(points), dtype=bool)
    return condition.portion.holds(points, instance.problem.names, instance.values)


def _said(counts: Sequence[Count], conditions: Sequence[Condition], takes: str) -> Iterator[Finding]:
    """Say what is wrong at all points alike; nothing where it differs from one to the next."""
    number, given = counts[0].wanted, ", ".join(c.name for c in conditions) or "none"
    fixed, stated = max(c.fixed for c in counts), min(c.stated for c in counts)
    if fixed < number:
        few = f"those given there ({given}) fix {fixed}" if conditions else "none is given"
        yield warning(
            f"{takes} {number} independent condition{'s' * (number > 1)}, "
            f"{few}: infinitely many solutions are left; state what is missing"
        )
    elif stated > number:
        many = f"{stated} {'is' if stated == 1 else 'are'} given ({given})"
        yield warning(
            f"{takes} {number} independent condition{'s' * (number != 1)}, {many}: no solution meets them "
            f"all in general; drop {stated - number}"
        )


def _on_a_line(instance: Instance, equations: Sequence[Equation]) -> Iterator[Finding]:
    """Compare what is given at both ends of an interval with the order of a system without time."""
    problem = instance.problem
    sides = [
        (part, instance.domain.collocate(BoundaryPart(part), 1, rule="random", seed=_SEED))
        for part in instance.domain.shape.parts
    ]
    stated, wanted = 0, set()
    for part, side in sides:
        assert side.normals is not None
        own = [c for c in problem.boundary if part in c.parts]
        counts = _counts(instance, equations, own, side.points[:1], side.normals[:1], line=True)
        if not counts or any(count is None for count in counts):
            yield from bare_parts(instance)
            return
        known = [count for count in counts if count is not None]
        wanted |= {count.wanted for count in known}
        stated += max(count.stated for count in known)
    if len(wanted) != 1:
        yield from bare_parts(instance)
        return
    number = wanted.pop()
    if stated + len(problem.constraints) < number:
        yield warning(
            f"the equations together take {number} independent conditions at the ends of {problem.space[0]}, "
            f"those given fix {stated}: infinitely many solutions are left; state what is missing"
        )
    elif stated > number:
        yield warning(
            f"the equations together take {number} independent conditions at the ends of {problem.space[0]}, "
            f"{stated} are given: no solution meets them all in general; drop {stated - number}"
        )


def _counts(
    instance: Instance,
    equations: Sequence[Equation],
    conditions: Sequence[Condition],
    points: FloatArray,
    normals: FloatArray,
    *,
    line: bool = False,
) -> list[Count | None]:
    """Return the counts at points, for every state and wave; None where they are not sure."""
    states = 1 if is_linear(instance) else _STATES
    held = [frozen_slopes(instance, e, points, states=states) for e in equations]
    given = [frozen_slopes(instance, c, points, normals, states=states) for c in conditions]
    every = np.tile(normals, (states, 1))
    counts: list[Count | None] = []
    for waves, rates in ((1.0, 1.0),) if line else _WAVES:
        symbols = [side_row(instance, own, every, waves, rates) for own in held]
        boundary = [side_row(instance, own, every, waves, rates) for own in given]
        polynomial = determinant(symbols)
        for entry in range(len(every)):
            counts.append(wave_count(symbols, boundary, polynomial, entry, least=1.0 if line else None))
    return counts
