"""Constraints against what is given where they hold: initial data, and boundary data at a point.

A constraint holds at every time, the first one among them, where the initial data say what the unknowns are;
and one at a point of the boundary holds beside what is prescribed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import sympy

from pinnkan.geometry import CollocationSet, InitialTime, PointInSpace, Region, WholeDomain
from pinnkan.geometry.shape import number
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import (
    ExpressionFault,
    derivative_symbols,
    evaluate,
    substitute_unknowns,
    symbol,
)
from pinnkan.language.problem.prescribed import Prescribed, initial_state, prescribed
from pinnkan.language.problem.spec import Constraint
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, point_text, warning

_COUNTS = (2000, 3300)
"""Two quadratures: their difference bounds the error of either."""
_TIMES = 5
_MISSES = 1e-4
"""Share of the size of its terms that a constraint may miss by."""
_SURE = 10.0
"""Multiple of the quadratures' difference that it must miss by."""
_ON_THE_PART = 1e-9
"""Distance of a point from a part, over its largest, up to which it lies there."""


def constraints_against_data(instance: Instance) -> Iterator[Finding]:
    """Warn of constraints that the initial data miss, or the boundary data at their point."""
    regions = {block.name: block.where for block in instance.conditions}
    for constraint in instance.problem.constraints:
        where = regions[constraint.name]
        message = _against_initial(instance, constraint, where) or _against_boundary(
            instance, constraint, where
        )
        if message:
            yield warning(message)


def _against_initial(instance: Instance, constraint: Constraint, where: Region) -> str | None:
    """Put the initial data into a constraint, at the initial time."""
    problem, names = instance.problem, instance.problem.names
    if problem.time is None or instance.domain.time is None:
        return None
    start = number(instance.domain.time[0])
    items = [item for c in problem.initial if (item := prescribed(c, names)) is not None]
    states, used = {}, []
    for partial in derivative_symbols(constraint.inner, names).values():
        u = problem.unknowns[partial.unknown]
        given = {item.order: item for item in items if item.unknown == u}
        if not all(order in given for order in range(partial.orders[0] + 1)):
            return None
        own = [given[order] for order in range(len(given)) if order in given]
        states[u] = initial_state([item.data for item in own], symbol(problem.time), start)
        used += [item.condition.name for item in own[: partial.orders[0] + 1]]
    if not states:
        return None
    told = _missed(instance, constraint, states, _at_the_start(instance, where))
    if told is None:
        return None
    text, _ = told
    given_by = " and ".join(dict.fromkeys(used))
    place = f"{problem.time} = {float(start):.4g}"
    return f"{constraint.name} contradicts {given_by}: at {place} {text}; no solution meets both"


def _at_the_start(instance: Instance, where: Region) -> list[CollocationSet]:
    """Return the places of a constraint at the initial time, those of an integral twice."""
    domain = instance.domain
    if isinstance(where, WholeDomain):
        return [domain.collocate(InitialTime(), count) for count in _COUNTS]
    assert isinstance(where, PointInSpace)
    assert domain.time is not None
    return [CollocationSet(np.array([[domain.time[0], *where.position]]), np.ones(1))]


def _against_boundary(instance: Instance, constraint: Constraint, where: Region) -> str | None:
    """Put what is prescribed at a point of the boundary into a constraint there."""
    problem = instance.problem
    partials = list(derivative_symbols(constraint.inner, problem.names).values())
    if not isinstance(where, PointInSpace) or len(partials) != 1 or any(partials[0].orders):
        return None
    u = problem.unknowns[partials[0].unknown]
    places = instance.domain.collocate(where, _TIMES)
    for item in _prescribed_at(instance, u, places.points):
        told = _missed(instance, constraint, {u: item.data}, [places])
        if told is not None:
            text, worst = told
            point = point_text(problem.coordinates, places.points[worst])
            return f"{constraint.name} contradicts {item.condition.name}: at {point} {text}; drop one of them"
    return None


def _prescribed_at(instance: Instance, u: str, points: FloatArray) -> Iterator[Prescribed]:
    """Yield the conditions that prescribe an unknown on parts or portions where points (N, D) lie."""
    problem, shape = instance.problem, instance.domain.shape
    space = [symbol(name) for name in problem.space]
    for condition in problem.boundary:
        item = prescribed(condition, problem.names)
        if item is None or item.unknown != u:
            continue
        if (
            condition.portion is not None
            and not condition.portion.holds(points, problem.names, instance.values).all()
        ):
            continue
        distances = [shape.distance(space, [part]) for part in condition.parts]
        apart = evaluate(distances, problem.coordinates, points, instance.values)
        if (np.abs(apart).max(axis=1) <= _ON_THE_PART).any():
            yield item


def _missed(
    instance: Instance, constraint: Constraint, states: Mapping[str, sympy.Expr], sets: list[CollocationSet]
) -> tuple[str, int] | None:
    """Say by how much states miss a constraint on sets of places, the last decides; None where they do not.

    With the place of the largest miss.
    """
    names, values = instance.problem.names, instance.values
    factor = instance.domain.shape.volume if constraint.kind == "integral" else 1.0
    try:
        inner = substitute_unknowns(constraint.inner, states, names)
        rows = [evaluate([inner, constraint.right], names.coordinates, s.points, values) for s in sets]
    except (ExpressionFault, PinnkanError):
        return None  # a derivative that nobody knows, or data without a value: said where all data are tried
    left, right = rows[-1]
    size = np.abs(left)
    error = 0.0
    if constraint.kind != "value":
        means = [factor * float(places.weights @ row[0]) for places, row in zip(sets, rows, strict=True)]
        error = abs(means[-1] - means[0])
        left, right = np.array(means[-1:]), right[:1]
        size = np.array([factor * float(sets[-1].weights @ size)])
    size = np.maximum(np.maximum(size, np.abs(right)), instance.size_of(constraint.name))
    gap = np.abs(left - right)
    worst = int((gap / size).argmax())
    if not gap[worst] > max(_MISSES * size[worst], _SURE * error):
        return None
    return f"its left side is {left[worst]:.4g} in place of {right[worst]:.4g}", worst
