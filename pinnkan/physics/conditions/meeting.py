"""Whether a boundary condition in derivatives agrees with values that are given where it begins or ends.

Values are given at the initial time and on other sides. What they say of u and of its derivatives along the
initial time, or along a side, is put into the condition R = 0; what is left of R is the gap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkan.geometry import BoundaryPart, Box, CollocationSet, Domain, InitialTime
from pinnkan.geometry.shape import number
from pinnkan.ground.arrays import FloatArray
from pinnkan.language.expressions import (
    ExpressionFault,
    Names,
    defined_values,
    derivative_symbols,
    normal_symbols,
    partial_derivative,
    substitute,
    substitute_unknowns,
    symbol,
)
from pinnkan.language.problem.prescribed import initial_state, prescribed
from pinnkan.language.problem.spec import Condition

CONTRADICTS = 1e-6
"""Share of the size of a condition's terms from which on a gap is a contradiction."""
_POINTS = 100
_SEED = 20_250_102


@dataclass(frozen=True)
class Gap:
    """By how much a condition is missed, relative to the size of its terms, and at which point (D,)."""

    size: float
    point: FloatArray


def initial_gap(
    condition: Condition,
    data: Sequence[sympy.Expr],
    unknown: int,
    names: Names,
    domain: Domain,
    values: Mapping[str, float],
) -> Gap | None:
    """Return the gap of initial data in a boundary condition in derivatives; None if there is none.

    Args:
        condition: The boundary condition.
        data: h, or h and k where the rate is given too: the state h + (t - t0) k. The last is looked at.
        unknown: Position of the unknown that they are given for; a condition with others has no gap.
        names: Of the problem.
        domain: Its domain, which has a time.
        values: Of the parameters.
    """
    assert domain.time is not None
    leaves = derivative_symbols(condition.residual, names)
    if prescribed(condition, names) is not None or any(
        p.unknown != unknown or p.orders[0] >= len(data) for p in leaves.values()
    ):
        return None
    time, start = symbol(names.coordinates[0]), number(domain.time[0])
    state, varied = initial_state(data, time, start), substitute(data[-1], {time: start})
    sides = [
        domain.collocate(region, _POINTS, rule="random", seed=_SEED)
        for region in condition.regions(names, values)
    ]
    around = np.concatenate([_with_normals(side) for side in sides])
    points = around.copy()
    points[:, 0] = domain.time[0]
    inside = domain.collocate(InitialTime(), 2 * _POINTS, rule="random", seed=_SEED).points
    rate = time.name if len(data) == 2 else None
    return _gap(condition.residual, unknown, state, varied, names, values, points, around, inside, rate)


def corner_gap(
    condition: Condition,
    part: str,
    data: sympy.Expr,
    unknown: int,
    other: str,
    names: Names,
    domain: Domain,
    values: Mapping[str, float],
) -> Gap | None:
    """Return the gap of values on one side of a box in a condition in derivatives on a side that it meets.

    Args:
        condition: The condition in derivatives.
        part: A part where it holds.
        data: What u is on the other part.
        unknown: Position of u among the unknowns.
        other: That part, of another axis.
        names: Of the problem.
        domain: Its domain.
        values: Of the parameters.

    Returns:
        The gap; None if there is none, or if the condition asks for derivatives across the other part.
    """
    box = domain.shape
    assert isinstance(box, Box)
    side = domain.collocate(BoundaryPart(part), _POINTS, rule="random", seed=_SEED)
    along = domain.collocate(BoundaryPart(other), 2 * _POINTS, rule="random", seed=_SEED)
    around = _with_normals(side)
    normal = zip(normal_symbols(names), around[0, len(names.coordinates) :].tolist(), strict=True)
    residual = substitute(condition.residual, {leaf: number(value) for leaf, value in normal})
    axis = names.coordinates.index(other[:-1])
    partials = derivative_symbols(residual, names).values()
    if any(p.unknown != unknown or p.orders[axis] for p in partials):
        return None
    points = around.copy()
    points[:, axis] = along.points[0, axis]
    return _gap(residual, unknown, data, data, names, values, points, around, along.points, None)


def _with_normals(side: CollocationSet) -> FloatArray:
    """Return the points of a boundary part with their normals, shape (N, D + d)."""
    assert side.normals is not None
    return np.hstack([side.points, side.normals])


def _gap(
    residual: sympy.Expr,
    unknown: int,
    state: sympy.Expr,
    varied: sympy.Expr,
    names: Names,
    values: Mapping[str, float],
    points: FloatArray,
    around: FloatArray,
    inside: FloatArray,
    rate: str | None,
) -> Gap | None:
    """Put a state into a residual at points, whose rate in time is taken if one is named.

    A term is as large as it is anywhere around the points, and as its derivative of ``varied`` makes it
    anywhere inside: sin(pi/2 x) has no flux at x = 1, whatever rounding leaves of it.
    """
    leaves = derivative_symbols(residual, names)
    columns = (*names.coordinates, *(leaf.name for leaf in normal_symbols(names)))
    slopes = [partial_derivative(residual, leaf) for leaf in leaves]
    u = names.unknowns[unknown]
    try:
        left = substitute_unknowns(residual, {u: state}, names)
        left = left if rate is None else partial_derivative(left, symbol(rate))
        factors = [substitute_unknowns(slope, {u: state}, names) for slope in slopes]
        derivatives = [substitute_unknowns(leaf, {u: varied}, names) for leaf in leaves]
    except ExpressionFault:
        return None  # A derivative of an order above two, or a formula that outgrows its bounds.
    missed = _sizes([left], columns, points, values)[0]
    terms = _sizes(sympy.Add.make_args(left), columns, around, values)
    weights = _sizes(factors, columns, points, values).max(axis=1, initial=0)
    extents = _sizes(derivatives, names.coordinates, inside, values).max(axis=1, initial=0)
    size = float(terms.max() + weights @ extents)
    worst = int(missed.argmax())
    gap = float(missed[worst]) / (size or 1.0)
    return Gap(gap, points[worst, : len(names.coordinates)]) if gap > CONTRADICTS else None


def _sizes(
    exprs: Sequence[sympy.Expr], columns: Sequence[str], points: FloatArray, values: Mapping[str, float]
) -> FloatArray:
    """Return absolute values (E, N), 0 where there is none: such data are said where all data are tried."""
    parameters = np.tile(list(values.values()), (len(points), 1))
    found = defined_values(exprs, (*columns, *values), np.hstack([points, parameters]))
    return np.nan_to_num(np.abs(found))
