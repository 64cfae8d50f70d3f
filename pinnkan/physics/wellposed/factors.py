"""The factors of the unknown's derivatives in a statement, at points: what decides the type of an equation.

With R(x, u, u_x, ...) = left minus right, the factor of the derivative of multi-index alpha is
dR / d(u_alpha). In a linear statement it is a function of the coordinates. In a nonlinear one it also
depends on the unknown, whose values are not known yet: it is sampled at several of them, of either
sign and of many sizes, and a property holds only if it holds at every one. The one state that is known
is that of the initial data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import sympy

from pinnkan.geometry.shape import number
from pinnkan.ground.arrays import BoolArray, FloatArray
from pinnkan.ground.derivatives import MultiIndex
from pinnkan.language.expressions import (
    ExpressionFault,
    defined_values,
    derivative_symbols,
    evaluate,
    normal_symbols,
    partial_derivative,
    substitute,
    substitute_unknowns,
    symbol,
)
from pinnkan.language.problem.prescribed import initial_state, prescribed
from pinnkan.language.problem.spec import Equation
from pinnkan.physics.compiled import full_residual
from pinnkan.physics.instance import Instance

_STATES = 8
_SEED = 271_828


@dataclass(frozen=True)
class Factors:
    """The factors of the derivatives of a problem's only unknown in a statement, at N points.

    Attributes:
        linear: Whether they do not depend on the unknown.
        by_index: Multi-index over the coordinates to values, shape (S, N): S states of the unknown, 1 in a
            linear statement; NaN where a factor is not defined.
    """

    linear: bool
    by_index: Mapping[MultiIndex, FloatArray]

    @property
    def order(self) -> int:
        """The highest order of a derivative whose factor is not zero everywhere."""
        return max((sum(index) for index in self.by_index), default=0)


def factors(
    instance: Instance,
    statement: Equation,
    points: FloatArray,
    normals: FloatArray | None = None,
) -> Factors:
    """Evaluate the factors of a statement's derivatives.

    Args:
        instance: The problem at a parameter value.
        statement: An equation or condition of it.
        points: Shape (N, D).
        normals: Outward unit normals (N, d), for a boundary condition.

    Returns:
        The factors; those that are zero everywhere are left out.
    """
    names = instance.problem.names
    # A manufactured source is a term of its own: the short form has the same slopes as the long one.
    leaves = derivative_symbols(statement.residual, names)
    slopes = [partial_derivative(statement.residual, leaf) for leaf in leaves]
    linear = not any(slope.free_symbols & leaves.keys() for slope in slopes)
    columns, known = _columns(instance, points, normals)
    states = np.ones((1, len(leaves))) if linear else _states(len(leaves))
    rows = [
        defined_values(
            slopes,
            (*columns, *(leaf.name for leaf in leaves)),
            np.hstack([known, np.tile(state, (len(points), 1))]),
        )
        for state in states
    ]
    by_index = {index: np.stack([row[k] for row in rows]) for k, (_, index) in enumerate(leaves.values())}
    return Factors(linear, {index: values for index, values in by_index.items() if values.any()})


def initial_factors(instance: Instance, equation: Equation, points: FloatArray) -> Factors | None:
    """Evaluate the factors of a nonlinear equation's derivatives at the state that the initial data are.

    Args:
        instance: As in `factors`.
        equation: An equation of it.
        points: At the initial time, shape (N, D).

    Returns:
        The factors at one state; None if the equation is linear, or the data do not say its factors.
    """
    problem, names = instance.problem, instance.problem.names
    leaves = derivative_symbols(equation.residual, names)
    slopes = [partial_derivative(equation.residual, leaf) for leaf in leaves]
    sought = {leaf for slope in slopes for leaf in slope.free_symbols & leaves.keys()}
    given = {item.order: item.data for c in problem.initial if (item := prescribed(c, names)) is not None}
    data = [given[order] for order in (0, 1) if order in given]
    if not sought or 0 not in given or any(leaves[leaf].orders[0] >= len(data) for leaf in sought):
        return None
    assert instance.domain.time is not None
    state = initial_state(data, symbol(names.coordinates[0]), number(instance.domain.time[0]))
    try:
        known = [substitute_unknowns(slope, {names.unknowns[0]: state}, names) for slope in slopes]
    except ExpressionFault:
        return None  # A derivative of an order above two, or a formula that outgrows its bounds.
    rows = defined_values(known, *_columns(instance, points, None))
    by_index = {index: rows[k : k + 1] for k, (_, index) in enumerate(leaves.values())}
    return Factors(False, {index: values for index, values in by_index.items() if values.any()})


def known_terms(
    instance: Instance, statement: Equation, points: FloatArray, normals: FloatArray | None = None
) -> FloatArray:
    """Return R with the unknown and its derivatives put to zero: what is known of a linear statement.

    Args:
        instance: As in `factors`.
        statement: As in `factors`.
        points: Shape (N, D).
        normals: Shape (N, d), for a boundary condition.

    Returns:
        Shape (N,).

    Raises:
        PinnkanError: If it has no finite value at a point.
    """
    names = instance.problem.names
    residual = full_residual(statement)
    leaves = derivative_symbols(residual, names)
    known = substitute(residual, dict.fromkeys(leaves, sympy.Integer(0)))
    columns: tuple[str, ...] = names.coordinates
    if normals is not None:
        points = np.hstack([points, normals])
        columns += tuple(leaf.name for leaf in normal_symbols(names))
    values: FloatArray = evaluate([known], columns, points, instance.values)[0]
    return values


def decided(holds: BoolArray, defined: BoolArray) -> BoolArray:
    """Tell at which points a property holds at every state at which it is defined, and at one of them.

    Args:
        holds: Shape (S, N).
        defined: Shape (S, N).

    Returns:
        Shape (N,).
    """
    return np.asarray((holds | ~defined).all(axis=0) & defined.any(axis=0))


def _columns(
    instance: Instance, points: FloatArray, normals: FloatArray | None
) -> tuple[tuple[str, ...], FloatArray]:
    """Return coordinates, normals and parameters as columns (N, ...), with their names."""
    names = instance.problem.names
    across = () if normals is None else tuple(leaf.name for leaf in normal_symbols(names))
    values = np.tile(list(instance.values.values()), (len(points), 1))
    blocks = [points, values] if normals is None else [points, normals, values]
    return (*names.coordinates, *across, *instance.values), np.hstack(blocks)


def _states(count: int) -> FloatArray:
    """Return values of the unknown and its derivatives: all 1, all -1, then either sign of many sizes."""
    rng = np.random.default_rng(_SEED)
    shape = (_STATES, count)
    drawn = 10.0 ** rng.uniform(-3, 3, shape) * rng.choice([-1.0, 1.0], shape)
    return np.concatenate([np.ones((1, count)), -np.ones((1, count)), drawn])


def second_order(found: Factors, axes: Sequence[int]) -> FloatArray | None:
    """Return the symmetric matrix C of the second-order part sum_ij C_ij u_ij, shape (S, N, d, d).

    Args:
        found: Factors of an equation.
        axes: The d coordinates that are looked at.

    Returns:
        The matrix; None if no second derivative along these axes occurs, or one of a higher order.
    """
    if any(sum(index[axis] for axis in axes) > 2 for index in found.by_index):
        return None
    twice = {index: values for index, values in found.by_index.items() if sum(index) == 2}
    along = [(index, [axis for axis in axes for _ in range(index[axis])]) for index in twice]
    pairs = {(places[0], places[1]): twice[index] for index, places in along if len(places) == 2}
    if not pairs:
        return None
    place = {axis: position for position, axis in enumerate(axes)}
    matrix = np.zeros((*next(iter(pairs.values())).shape, len(axes), len(axes)))
    for (first, second), values in pairs.items():
        i, j = place[first], place[second]
        matrix[..., i, j] = matrix[..., j, i] = values if i == j else values / 2
    return matrix
