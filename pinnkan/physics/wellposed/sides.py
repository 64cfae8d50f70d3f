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
from numpy.typing import NDArray

from pinnkan.geometry import BoundaryPart
from pinnkan.language.problem.spec import Condition
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, warning
from pinnkan.physics.wellposed.frozen import (
    Polynomial,
    Slopes,
    determinant,
    frozen_slopes,
    is_linear,
    is_square,
)
from pinnkan.physics.wellposed.unknowns import bare_parts, has_bare_portions, parts_without_conditions
from pinnkan.physics.wellposed.waves import Count, wave_count

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_POINTS, _PORTION_POINTS, _SEED, _STATES = 2, 512, 244_948, 3
_WAVES = ((1e3, 1e6), (3e4, 1e8))
"""Wave numbers along the side times the extent of space, and rates times the duration: both must agree."""


def conditions_on_sides(instance: Instance) -> Iterator[Finding]:
    """Warn of parts where a system lacks conditions, or has more than it takes."""
    problem = instance.problem
    if not problem.space or not is_square(instance):
        yield from bare_parts(instance)
        return
    if problem.time is None and len(problem.space) == 1:
        yield from _on_a_line(instance)
        return
    said = {part: _on_part(instance, part) for part in instance.domain.shape.parts}
    enough = frozenset(part for part, findings in said.items() if findings == [])
    yield from bare_parts(instance, enough)
    for part in instance.domain.shape.parts:
        if part not in parts_without_conditions(instance, enough) and not has_bare_portions(instance, part):
            yield from said[part] or ()


def conditions_on_portions(instance: Instance) -> Iterator[Finding]:
    """Warn of parts with portions where one unknown lacks conditions, or has more than its equation takes."""
    portioned = {part for c in instance.problem.boundary if c.portion is not None for part in c.parts}
    for part in instance.domain.shape.parts if is_square(instance) else ():
        if part in portioned and not has_bare_portions(instance, part):
            yield from _on_part(instance, part) or ()


def _on_part(instance: Instance, part: str) -> list[Finding] | None:
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
        counts = _counts(instance, there, side.points[judged], side.normals[judged])
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


def _on_a_line(instance: Instance) -> Iterator[Finding]:
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
        counts = _counts(instance, own, side.points[:1], side.normals[:1], line=True)
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
    conditions: Sequence[Condition],
    points: FloatArray,
    normals: FloatArray,
    *,
    line: bool = False,
) -> list[Count | None]:
    """Return the counts at points, for every state and wave; None where they are not sure."""
    states = 1 if is_linear(instance) else _STATES
    equations = [frozen_slopes(instance, e, points, states=states) for e in instance.problem.equations]
    given = [frozen_slopes(instance, c, points, normals, states=states) for c in conditions]
    every = np.tile(normals, (states, 1))
    counts: list[Count | None] = []
    for waves, rates in ((1.0, 1.0),) if line else _WAVES:
        symbols = [_rows(instance, own, every, waves, rates) for own in equations]
        boundary = [_rows(instance, own, every, waves, rates) for own in given]
        polynomial = determinant(symbols)
        for entry in range(len(every)):
            counts.append(wave_count(symbols, boundary, polynomial, entry, least=1.0 if line else None))
    return counts


def _rows(
    instance: Instance, slopes: Slopes, normals: FloatArray, waves: float, rates: float
) -> list[Polynomial]:
    """Return a statement's row of P(s, i xi + z m), polynomials in z over the reciprocal extent of space."""
    domain, offset = instance.domain, int(instance.problem.time is not None)
    lower, upper = domain.bounding_box
    extent = float((upper - lower)[offset:].max())
    rate = 0.0 if domain.time is None else rates * (1 + 0.3j) / (domain.time[1] - domain.time[0])
    drawn = np.random.default_rng(_SEED).normal(size=normals.shape)
    tangents = drawn - (drawn * normals).sum(axis=1, keepdims=True) * normals
    lengths = np.linalg.norm(tangents, axis=1, keepdims=True)
    xi = waves * tangents / np.where(lengths > 0.0, lengths, 1.0) if normals.shape[1] > 1 else 0 * normals
    result: list[Polynomial] = [{} for _ in instance.problem.unknowns]
    for partial, values in slopes.items():
        term: Polynomial = {(0,): values * rate ** sum(partial.orders[:offset])}
        for axis, order in enumerate(partial.orders[offset:]):
            for _ in range(order):
                factor: Polynomial = {(0,): 1j * xi[:, axis] / extent, (1,): -normals[:, axis] / extent}
                term = _times(term, factor)
        own = result[partial.unknown]
        for key, coefficient in term.items():
            own[key] = own.get(key, 0.0) + coefficient
    return result


def _times(left: Polynomial, right: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for (m,), a in left.items():
        for (n,), b in right.items():
            result[m + n,] = result.get((m + n,), 0.0) + a * b
    return result
