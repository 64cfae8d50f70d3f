"""Whether a problem in derivatives of its unknown alone has a solution: whether source and flux balance.

For a linear stationary equation
div(C grad u) + f = 0 with conormal data n.C grad u = q, the divergence theorem then asks that

    integral of q over the boundary + integral of f over the domain = 0,

else there is no solution at all, and a network settles for the least squares of what cannot vanish.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import sympy

from pinnkan.geometry import BoundaryPart, CollocationSet, Interior
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import MultiIndex, pure_index, raised
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import derivative_symbols, evaluate, partial_derivative, symbol
from pinnkan.language.problem.spec import Condition, Equation
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.factors import factors, known_terms
from pinnkan.physics.wellposed.findings import Finding, refusal

_COUNTS = (2000, 3300)
"""Two quadratures: their difference bounds the error of either."""
_UNBALANCED = 1e-4
"""Share of the integrals of the absolute values that the balance may miss."""
_SURE = 10.0
"""Multiple of the quadratures' difference that an imbalance must exceed."""
_EQUAL = 1e-8


def unbalanced(instance: Instance) -> Iterator[Finding]:
    """Refuse a source that pure Neumann data, or on periodic coordinates nothing at all, do not balance."""
    problem = instance.problem
    if problem.time is not None or len(problem.equations) != 1 or not _only_derivatives(instance):
        return
    (equation,), u = problem.equations, problem.unknowns[0]
    try:
        matrix = _divergence_form(instance, equation)
        coarse, fine = (None if matrix is None else _balance(instance, matrix, n) for n in _COUNTS)
    except PinnkanError:
        return  # Data without a finite value somewhere: said where all data are tried.
    if coarse is None or fine is None:
        return
    miss, size = fine
    error = abs(miss - coarse[0])
    if abs(miss) > max(_UNBALANCED * size, _SURE * error):
        shape = instance.domain.shape
        remedy = (
            f", mend the boundary data, or prescribe {u} on a part of the boundary" if shape.parts else ""
        )
        yield refusal(
            f"{equation.name}: no solution: where only derivatives of {u} are prescribed, the source must "
            f"balance the flux, but their integrals together give {miss:.4g} in place of 0 (of their size: "
            f"{miss / size:.2g}); add {-miss / shape.volume:.4g} to the left side{remedy}",
            equation.place,
        )


def _only_derivatives(instance: Instance) -> bool:
    """Tell whether u occurs in no equation or condition but by its derivatives.

    A constraint fixes the constant; sources and fluxes must balance with it as without.
    """
    problem = instance.problem
    orders = [
        sum(index)
        for statement in (*problem.equations, *problem.conditions)
        for _, index in derivative_symbols(statement.residual, problem.names).values()
    ]
    return bool(orders) and min(orders) > 0


def _divergence_form(instance: Instance, equation: Equation) -> list[list[sympy.Expr]] | None:
    """Return the matrix C of an equation div(C grad u) + f = 0; None if it has not that form.

    The residual holds C_ij u_ij + b_j u_j, which is div(C grad u) if and only if b_j = sum_i d_i C_ij. Where
    all coordinates are periodic, e_j = b_j - sum_i d_i C_ij may remain if div e = 0: e.grad u = div(e u).
    """
    problem = instance.problem
    leaves = derivative_symbols(equation.residual, problem.names)
    slopes = {p.orders: partial_derivative(equation.residual, leaf) for leaf, p in leaves.items()}
    nonlinear = any(slope.free_symbols & leaves.keys() for slope in slopes.values())
    if nonlinear or any(sum(index) > 2 for index in slopes):
        return None
    size = len(problem.space)

    def slope(index: MultiIndex) -> sympy.Expr:
        return slopes.get(index, sympy.Integer(0))

    unit = [pure_index(axis, size) for axis in range(size)]
    matrix = [[slope(raised(unit[i], j)) / (1 if i == j else 2) for j in range(size)] for i in range(size)]
    divergences = [
        sympy.Add(*(partial_derivative(matrix[i][j], symbol(x)) for i, x in enumerate(problem.space)))
        for j in range(size)
    ]
    points = instance.domain.collocate(Interior(), 100, rule="random").points
    drifts = [slope(unit[j]) for j in range(size)]
    known = evaluate([*drifts, *divergences], problem.coordinates, points, instance.values)
    gap = np.abs(known[:size] - known[size:]).max()
    if gap <= _EQUAL * np.abs(known).max():
        return matrix
    if instance.domain.shape.parts:
        return None
    rest = [slope(unit[j]) - divergences[j] for j in range(size)]
    sources = [partial_derivative(e, symbol(x)) for e, x in zip(rest, problem.space, strict=True)]
    grown = evaluate(sources, problem.coordinates, points, instance.values)
    whole = np.abs(grown).sum(axis=0).max() + np.abs(known).max() / instance.domain.shape.volume ** (1 / size)
    return matrix if np.abs(grown.sum(axis=0)).max() <= _EQUAL * whole else None


def _balance(instance: Instance, matrix: list[list[sympy.Expr]], count: int) -> tuple[float, float] | None:
    """Return the integrals of flux and source together, and those of their absolute values.

    None if the boundary data do not give the flux everywhere.
    """
    domain, shape = instance.domain, instance.domain.shape
    covering = [[c for c in instance.problem.boundary if part in c.parts] for part in shape.parts]
    if any(len(conditions) != 1 for conditions in covering):
        return None
    (equation,) = instance.problem.equations
    inside = domain.collocate(Interior(), count)
    source = known_terms(instance, equation, inside.points) * shape.volume
    miss, size = float(inside.weights @ source), float(inside.weights @ np.abs(source))
    for part, (condition,) in zip(shape.parts, covering, strict=True):
        side = domain.collocate(BoundaryPart(part), count)
        flux = _flux(instance, condition, matrix, side)
        if flux is None:
            return None
        miss += float(side.weights @ flux) * shape.area(part)
        size += float(side.weights @ np.abs(flux)) * shape.area(part)
    return miss, size


def _flux(
    instance: Instance, condition: Condition, matrix: list[list[sympy.Expr]], side: CollocationSet
) -> FloatArray | None:
    """Return n.C grad u (N,) as a condition k.grad u + g = 0 prescribes it; None if C n is not along k."""
    assert side.normals is not None
    names, size = instance.problem.names, len(matrix)
    found = factors(instance, condition, side.points, side.normals)
    if not found.linear or any(sum(index) != 1 for index in found.by_index):
        return None
    nothing = np.zeros((1, len(side.points)))
    k = np.stack([found.by_index.get(pure_index(axis, size), nothing)[0] for axis in range(size)])
    entries = evaluate([e for row in matrix for e in row], names.coordinates, side.points, instance.values)
    conormal = np.einsum("ijn,nj->in", entries.reshape(size, size, -1), side.normals)
    length = (k * k).sum(axis=0)
    if not (length > 0).all():
        return None
    ratio = (conormal * k).sum(axis=0) / length
    if not np.abs(conormal - ratio * k).max() <= _EQUAL * np.abs(conormal).max():
        return None
    return np.asarray(-ratio * known_terms(instance, condition, side.points, side.normals))
