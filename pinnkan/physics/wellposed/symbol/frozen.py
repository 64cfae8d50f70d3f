"""A system frozen at a point and a state: matrices of polynomials in the symbols of the derivatives.

With s for d/dt and i xi for grad, the equations become a matrix P(s, i xi) with a row an equation and a
column an unknown. Its determinant decides what no equation decides by itself: how waves grow, how many
conditions the boundary and the initial time take. Polynomials are dictionaries from exponents to arrays (B,),
one entry for each frozen point and state. A coefficient of a determinant is zero if it is below the rounding
of the products that it is the sum of, so that no unit decides.
"""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import Partial
from pinnkan.language.expressions import (
    defined_values,
    derivative_symbols,
    normal_symbols,
    partial_derivative,
)
from pinnkan.language.problem.spec import Equation
from pinnkan.physics.instance import Instance

Polynomial = dict[tuple[int, ...], NDArray[Any]]
Slopes = Mapping[Partial, FloatArray]

MOST_UNKNOWNS = 9
"""A determinant costs 2^U products."""
_MOST_CHOICES = 20
_ROUNDING = 1e-11


def is_square(instance: Instance) -> bool:
    """Tell whether a system has as many equations as unknowns, and few enough for its determinant."""
    count = len(instance.problem.unknowns)
    return len(instance.problem.equations) == count <= MOST_UNKNOWNS


def square_choices(rows: Sequence[list[Polynomial]]) -> Iterator[list[list[Polynomial]]]:
    """Yield the square matrices that rows make: all rows, or, of more than columns, any as many of them."""
    choices = itertools.combinations(rows, len(rows[0]))
    yield from map(list, itertools.islice(choices, _MOST_CHOICES))


def is_linear(instance: Instance) -> bool:
    """Tell whether no factor of a derivative depends on an unknown, in any equation or condition."""
    problem = instance.problem
    for statement in (*problem.equations, *problem.conditions, *problem.constraints):
        leaves = derivative_symbols(statement.residual, problem.names)
        slopes = [partial_derivative(statement.residual, leaf) for leaf in leaves]
        if any(slope.free_symbols & leaves.keys() for slope in slopes):
            return False
    return True


def frozen_slopes(
    instance: Instance,
    statement: Equation,
    points: FloatArray,
    normals: FloatArray | None = None,
    *,
    states: int = 1,
    decades: float = 1.0,
) -> Slopes:
    """Return the factors of a statement's derivatives at points, under states that all statements share.

    Args:
        instance: The problem at a parameter value.
        statement: One of its statements.
        points: Shape (N, D).
        normals: Outward unit normals (N, d), for a boundary condition.
        states: S; of a linear problem one is enough.
        decades: How many powers of ten the values of the states span on either side of 1.

    Returns:
        Shape (S * N,) by derivative, the points of one state together; NaN where a factor is not defined.
    """
    names = instance.problem.names
    leaves = derivative_symbols(statement.residual, names)
    expressions = [partial_derivative(statement.residual, leaf) for leaf in leaves]
    columns: tuple[str, ...] = (*names.coordinates, *instance.values)
    blocks = [points, np.tile(list(instance.values.values()), (len(points), 1))]
    if normals is not None:
        columns += tuple(leaf.name for leaf in normal_symbols(names))
        blocks.append(normals)
    known = np.hstack(blocks)
    drawn = np.stack([_states(leaf.name, states, decades) for leaf in leaves], axis=1)
    rows = [
        defined_values(
            expressions,
            (*columns, *(leaf.name for leaf in leaves)),
            np.hstack([known, np.tile(state, (len(points), 1))]),
        )
        for state in drawn
    ]
    return {partial: np.concatenate([row[k] for row in rows]) for k, partial in enumerate(leaves.values())}


def _states(name: str, count: int, decades: float) -> FloatArray:
    """Return values of a derivative: 1, -1, then either sign of many sizes, the same in all statements."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    drawn = 10.0 ** rng.uniform(-decades, decades, count) * rng.choice([-1.0, 1.0], count)
    return np.concatenate([[1.0, -1.0], drawn])[:count]


def determinant(matrix: Sequence[Sequence[Polynomial]]) -> Polynomial:
    """Return the determinant of a square matrix of polynomials, coefficients that are rounding left zero.

    By rows, over the subsets of columns; beside it goes the permanent of the absolute values.
    """
    size = len(matrix)
    exponents = next((key for row in matrix for entry in row for key in entry), ())
    origin = (0,) * len(exponents)
    minors: dict[int, tuple[Polynomial, Polynomial]] = {0: ({origin: np.ones(1)}, {origin: np.ones(1)})}
    for row in matrix:
        grown: dict[int, tuple[Polynomial, Polynomial]] = {}
        for mask, (minor, whole) in minors.items():
            for column in range(size):
                if mask >> column & 1 or not row[column]:
                    continue
                sign = (-1) ** (mask >> column).bit_count()
                total, sizes = grown.setdefault(mask | 1 << column, ({}, {}))
                _add_product(total, minor, row[column], sign)
                _add_product(sizes, whole, {key: np.abs(c) for key, c in row[column].items()}, 1)
        minors = grown
    value, bound = minors.get((1 << size) - 1, ({}, {}))
    return {key: np.where(np.abs(c) > _ROUNDING * bound[key], c, 0.0) for key, c in value.items()}


def _add_product(total: Polynomial, left: Polynomial, right: Polynomial, sign: int) -> None:
    for first, a in left.items():
        for second, b in right.items():
            key = tuple(m + n for m, n in zip(first, second, strict=True))
            total[key] = total.get(key, 0.0) + sign * (a * b)


def entry_of(values: NDArray[Any], entry: int) -> complex:
    """Return the coefficient of one frozen point and state; one for all of them is stored once."""
    return complex(values[entry if len(values) > 1 else 0])


def along(direction: Sequence[Any] | NDArray[Any], orders: Sequence[int]) -> Any:
    """Return the product of the entries of a direction to the powers of a multi-index."""
    result: Any = 1.0
    for entry, order in zip(direction, orders, strict=True):
        result = result * entry**order
    return result
