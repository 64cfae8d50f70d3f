"""The operators of vector calculus on symbolic forms.

The gradient adds an index behind those that are there, and the divergence
sums over the last: grad(U)_ij = d_j U_i and div(T)_i = d_j T_ij, so that
div(grad(U)) is laplace(U), and dot(grad(U), a) is advect(a, U). Space alone
is meant, never time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sympy

from pinnkan.language.expressions.calculus import total_derivative
from pinnkan.language.expressions.elementary import power
from pinnkan.language.expressions.names import Names, derivative_symbols, normal_symbols
from pinnkan.language.expressions.piecewise import Less, Where
from pinnkan.language.expressions.tensors import (
    Value,
    Vector,
    cross,
    dot,
    entries,
    entrywise,
    outer,
    rank,
    symmetric_part,
    trace,
    transpose,
    vector,
)
from pinnkan.language.expressions.tree import ExpressionFault, RankFault

_HALF = sympy.Rational(1, 2)


@dataclass(frozen=True)
class Surroundings:
    """Where an operator stands.

    Attributes:
        names: What the names stand for, the space coordinates among them.
        normal: Whether the outward normal is known: in boundary conditions.
        derive: Differentiates a number along a coordinate and notes it; the last argument says how many
            derivatives of the same operator came before.
    """

    names: Names
    normal: bool
    derive: Callable[[Any, str, int], Any]

    @property
    def space(self) -> tuple[str, ...]:
        """The space coordinates, of which an operator needs at least one."""
        if not self.names.space:
            raise ExpressionFault("there are no space coordinates to differentiate along")
        return self.names.space


def gradient(value: Value, where: Surroundings) -> Value:
    """grad(u): the vector d_j u; of a vector the tensor d_j U_i, whose row i is the gradient of U_i."""
    if rank(value) == 2:
        raise RankFault("grad needs a number or a vector, found a tensor; for div(grad(T)) write laplace(T)")
    return entrywise(lambda entry: tuple(where.derive(entry, x, 0) for x in where.space), value)


def divergence(value: Value, where: Surroundings) -> Value:
    """div(v): the sum of d_j v_j; of a tensor the vector of the sums of d_j T_ij, over its last index."""
    if rank(value) == 2:
        return tuple(divergence(row, where) for row in value)
    flux = _in_space(value, "div", where)
    return sympy.Add(*(where.derive(v, x, 0) for v, x in zip(flux, where.space, strict=True)))


def laplacian(value: Value, where: Surroundings, step: int = 0) -> Value:
    """laplace(u): the sum of the second derivatives in space, entry by entry."""

    def of_number(entry: Any) -> Any:
        return sympy.Add(*(where.derive(where.derive(entry, x, step), x, step + 1) for x in where.space))

    return entrywise(of_number, value)


def biharmonic(value: Value, where: Surroundings) -> Value:
    """biharmonic(u): the Laplacian of the Laplacian, u_xxxx + 2 u_xxyy + u_yyyy in the plane."""
    return laplacian(laplacian(value, where), where, 2)


def advection(velocity: Value, value: Value, where: Surroundings) -> Value:
    """advect(a, f): (a . grad) f = a_j d_j f, entry by entry."""
    speeds = _in_space(velocity, "the first argument of advect", where)
    return entrywise(lambda entry: dot(speeds, gradient(entry, where)), value)


def curl(value: Value, where: Surroundings) -> Value:
    """curl(v): in space a vector; in the plane v_x - u_y of a vector [u, v], [s_y, -s_x] of a number s."""
    space = where.space
    if len(space) == 2 and rank(value) == 0:
        slope = gradient(value, where)
        return slope[1], -slope[0]
    if len(space) not in (2, 3):
        raise ExpressionFault(f"curl is known in 2 and 3 space dimensions, found {len(space)}")
    if rank(value) == 0:
        raise RankFault("curl of a number is known in the plane, here it needs a vector of 3")
    field = _in_space(value, "curl", where)
    pairs = ((0, 1),) if len(space) == 2 else ((1, 2), (2, 0), (0, 1))
    turns = tuple(where.derive(field[j], space[i], 0) - where.derive(field[i], space[j], 0) for i, j in pairs)
    return turns if len(space) == 3 else turns[0]


def norm(value: Value, where: Surroundings) -> Any:
    """norm(v): the Euclidean length of a vector, the Frobenius norm of a tensor.

    Where it depends on the unknown, its derivative at v = 0 is taken as zero
    (the smallest subgradient), so that a vanishing gradient gives no 0/0; of a
    vector that is known, the derivative stays the formula, whose limit may exist.
    """
    numbers = entries(value) if rank(value) == 2 else vector(value, "norm")
    square = dot(numbers, numbers)
    if derivative_symbols(square, where.names):
        return Where(Less(0, square), power(square, _HALF), sympy.Integer(0))
    return power(square, _HALF)


def normal_vector(where: Surroundings) -> Vector:
    """n: the outward unit normal."""
    if not where.normal:
        raise ExpressionFault("n is the outward normal, which is known in boundary conditions only")
    return normal_symbols(where.names)


def normal_derivative(value: Value, where: Surroundings) -> Value:
    """dn(u): the derivative along the outward normal, entry by entry."""
    if not where.normal:
        raise ExpressionFault("dn is the normal derivative, which is known in boundary conditions only")
    normal = normal_symbols(where.names)
    return entrywise(
        lambda entry: dot(normal, tuple(total_derivative(entry, x, where.names) for x in where.space)), value
    )


def _in_space(value: Value, what: str, where: Surroundings) -> Vector:
    """Return a vector of one entry a space coordinate, refuse all else."""
    numbers = vector(value, what)
    if len(numbers) != len(where.space):
        wanted = f"a vector of {len(where.space)}, one entry a space coordinate"
        raise RankFault(f"{what} needs {wanted}; found {len(numbers)}")
    return numbers


ALGEBRA: dict[str, tuple[int, Callable[..., Value]]] = {
    "dot": (2, dot),
    "cross": (2, cross),
    "outer": (2, outer),
    "sym": (1, symmetric_part),
    "trace": (1, trace),
    "transpose": (1, transpose),
}
"""How many arguments an operator takes, and what it makes of them."""
CALCULUS: dict[str, tuple[int, Callable[..., Value]]] = {
    "grad": (1, gradient),
    "div": (1, divergence),
    "laplace": (1, laplacian),
    "biharmonic": (1, biharmonic),
    "advect": (2, advection),
    "curl": (1, curl),
    "norm": (1, norm),
    "dn": (1, normal_derivative),
}
"""The same for those that also take their surroundings."""
