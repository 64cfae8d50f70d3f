"""Clamped edges: conditions in first derivatives that an ansatz with a double zero meets beside u = 0."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np
import sympy

from pinnkan.geometry import BoundaryPart, Domain
from pinnkan.language.expressions import (
    defined_values,
    derivative_symbols,
    normal_symbols,
    partial_derivative,
    substitute_unknowns,
)
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.language.problem.spec import Condition, Problem
from pinnkan.physics.magnitudes.sizes import characteristic

_POINTS = 200
_SEED = 20_250_103
_MEETS = 1e-9
"""A lift that misses a condition by less than this share of the size of its terms meets it."""


def order_in_space(problem: Problem, unknown: int) -> int:
    """Return the highest order in space of a derivative of an unknown in an equation."""
    offset = int(problem.time is not None)
    partials = [p for e in problem.equations for p in derivative_symbols(e.residual, problem.names).values()]
    return max((sum(p.orders[offset:]) for p in partials if p.unknown == unknown), default=0)


def conditions_met_by_a_double_zero(
    problem: Problem,
    domain: Domain,
    values: Mapping[str, float],
    *,
    unknown: int,
    scale: float,
    lift: sympy.Expr,
    parts: Collection[str],
) -> list[Condition]:
    """Return the conditions that u = lift + distance^2 * N meets because the lift does: dn(u) = 0.

    They hold where u is built in and take, in space, u and its first derivatives alone, which distance^2
    leaves to the lift. An equation below the fourth order has no room for two conditions on a part.

    Args:
        problem: What the file states.
        domain: Its domain at ``values``.
        values: Of the parameters.
        unknown: Position of u among the unknowns.
        scale: Of the unknown.
        lift: What u is with N = 0, a formula.
        parts: Where u is built in.
    """
    if order_in_space(problem, unknown) < 4:
        return []
    return [
        condition
        for condition in problem.boundary
        if condition.hard is not False
        and condition.portion is None
        and prescribed(condition, problem.names) is None
        and set(condition.parts) <= set(parts)
        and _is_met(condition, problem, domain, values, unknown, scale, lift)
    ]


def _is_met(
    condition: Condition,
    problem: Problem,
    domain: Domain,
    values: Mapping[str, float],
    unknown: int,
    scale: float,
    lift: sympy.Expr,
) -> bool:
    """Tell whether a lift meets a condition of at most first order in space, on all its parts."""
    names = problem.names
    leaves = derivative_symbols(condition.residual, names)
    offset = len(names.coordinates) - len(names.space)
    if any(p.unknown != unknown or sum(p.orders[offset:]) > 1 for p in leaves.values()):
        return False
    slopes = [partial_derivative(condition.residual, leaf) for leaf in leaves]
    formulas = [
        substitute_unknowns(expr, {names.unknowns[unknown]: lift}, names)
        for expr in (condition.residual, *slopes)
    ]
    columns = (*names.coordinates, *(leaf.name for leaf in normal_symbols(names)), *values)
    lower, upper = domain.bounding_box
    amplitudes = [scale] * len(names.unknowns)
    sizes = np.array(characteristic(list(leaves.values()), amplitudes, (upper - lower).tolist()))
    for part in condition.parts:
        side = domain.collocate(BoundaryPart(part), _POINTS, rule="random", seed=_SEED)
        assert side.normals is not None
        parameters = np.tile(list(values.values()), (len(side.points), 1))
        known = np.hstack([side.points, side.normals, parameters])
        residual, *factors = np.abs(defined_values(formulas, columns, known))
        if not residual.max() <= _MEETS * float((sizes @ np.array(factors)).max()):
            return False
    return True
