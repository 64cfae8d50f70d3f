"""The factors of the unknown's derivatives in a statement, at points: what decides the type of an equation.

With R(x, u, u_x, ...) = left minus right, the factor of the derivative of multi-index alpha is
dR / d(u_alpha). In a linear statement it is a function of the coordinates. In a nonlinear one it also
depends on the unknown, whose values are not known yet: it is sampled at several of them, of either
sign and of many sizes, and a property holds only if it holds at every one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import sympy
import torch
from numpy.typing import NDArray

from pinnkan.channels import MultiIndex
from pinnkan.expressions import (
    derivative_symbols,
    evaluate,
    lower,
    normal_symbols,
    partial_derivative,
    substitute,
)
from pinnkan.problem.instance import Instance, full_residual
from pinnkan.problem.spec import Equation

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]

_STATES = 8
_SEED = 271_828


@dataclass(frozen=True)
class Factors:
    """The factors of a statement's derivatives at N points.

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
    arguments = _arguments(instance, points, normals)
    states = np.ones((1, len(leaves))) if linear else _states(len(leaves))
    rows = [_values(slopes, arguments | _state(leaves, state, len(points))) for state in states]
    by_index = {index: np.stack([row[k] for row in rows]) for k, index in enumerate(leaves.values())}
    return Factors(linear, {index: values for index, values in by_index.items() if values.any()})


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
    residual = full_residual(instance.problem, statement)
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


def _arguments(instance: Instance, points: FloatArray, normals: FloatArray | None) -> dict[str, FloatArray]:
    """Return coordinates, normals and parameters as columns by name."""
    names = instance.problem.names
    arguments = dict(zip(names.coordinates, points.T, strict=True))
    if normals is not None:
        arguments |= dict(zip((leaf.name for leaf in normal_symbols(names)), normals.T, strict=True))
    return arguments | {name: np.full(len(points), value) for name, value in instance.values.items()}


def _values(expressions: list[sympy.Expr], arguments: Mapping[str, FloatArray]) -> list[FloatArray]:
    """Evaluate expressions, NaN or infinite where they have no value; shape (N,) each."""
    given = {name: torch.from_numpy(np.ascontiguousarray(values)) for name, values in arguments.items()}
    results = lower(expressions, tuple(given))(given)
    return [np.where(np.isfinite(values := result.numpy()), values, np.nan) for result in results]


def _states(count: int) -> FloatArray:
    """Return values of the unknown and its derivatives: all 1, all -1, then either sign of many sizes."""
    rng = np.random.default_rng(_SEED)
    shape = (_STATES, count)
    drawn = 10.0 ** rng.uniform(-3, 3, shape) * rng.choice([-1.0, 1.0], shape)
    return np.concatenate([np.ones((1, count)), -np.ones((1, count)), drawn])


def _state(leaves: Mapping[sympy.Symbol, MultiIndex], state: FloatArray, count: int) -> dict[str, FloatArray]:
    return {leaf.name: np.full(count, value) for leaf, value in zip(leaves, state, strict=True)}
