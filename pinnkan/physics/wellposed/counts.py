"""Whether there are as many equations and conditions as the unknown and the orders ask for."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pinnkan.geometry import BoundaryPart
from pinnkan.language.expressions import derivative_symbols
from pinnkan.language.problem.spec import Condition
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.factors import factors, second_order
from pinnkan.physics.wellposed.findings import Finding, warning

_POINTS = 60
_SEED = 161_803
_NOTHING = 1e-9
_OPPOSITE = str.maketrans("+-", "-+")
"""From a side of a box, ``x-``, to the one across."""


def more_equations(instance: Instance) -> Iterator[Finding]:
    """Warn where more equations than unknowns ask to be met."""
    count, u = len(instance.problem.equations), instance.problem.unknowns[0]
    if count > 1:
        yield warning(
            f"{count} equations for one unknown: unless one follows from the other, no {u} solves them all "
            "and training ends between them; keep the one that determines it"
        )


def no_condition(instance: Instance) -> Iterator[Finding]:
    """Warn where nothing singles out one of the solutions of a differential equation.

    Where all coordinates are periodic there is no side, and the equation alone may determine the solution.
    """
    stated = (*instance.problem.conditions, *instance.problem.constraints)
    if instance.domain.shape.parts and not stated and _order(instance) > 0:
        yield warning(
            "no condition at all: the equation has many solutions and training ends at any of them; "
            "state under boundary what holds on the sides"
        )


def missing_sides(instance: Instance) -> Iterator[Finding]:
    """Warn where an equation of second order in space lacks a condition on a part of the boundary.

    Silent where the opposite side has two, as in an initial value problem (unless that is Cauchy data) and
    where the second derivative along the normal vanishes on the whole part (a price at S = 0).
    """
    problem, shape = instance.problem, instance.domain.shape
    covered = {part for condition in problem.boundary for part in condition.parts}
    missing = [part for part in shape.parts if part not in covered]
    if _order(instance) != 2 or not problem.conditions or not missing:
        return
    if len(problem.coordinates) == 1 or not _is_elliptic_in_space(instance):
        begun = {part.translate(_OPPOSITE) for part in _twice_covered(instance)}
        missing = [part for part in missing if part not in begun]
    missing = [part for part in missing if not _vanishes_along_normal(instance, part)]
    if missing:
        sides = "side" if len(missing) == 1 else "sides"
        yield warning(f"no boundary condition on the {sides} {', '.join(missing)}")


def excess_initial(instance: Instance) -> Iterator[Finding]:
    """Warn of more initial conditions than the order in time."""
    problem = instance.problem
    if problem.time is None or not problem.equations:
        return
    partials = [p for e in problem.equations for p in derivative_symbols(e.residual, problem.names).values()]
    order = max((partial.orders[0] for partial in partials), default=0)
    if len(problem.initial) > order:
        yield warning(
            f"the equation is of order {order} in time, {len(problem.initial)} initial conditions are given"
        )


def two_on_one_side(instance: Instance) -> Iterator[Finding]:
    """Warn of Cauchy data: two conditions on one side of an elliptic or parabolic equation."""
    problem = instance.problem
    twice = _twice_covered(instance)
    if len(problem.coordinates) < 2 or not twice or not _is_elliptic_in_space(instance):
        return
    part, (first, second, *_) = next(iter(twice.items()))
    covered = {part for condition in problem.boundary for part in condition.parts}
    bare = [side for side in instance.domain.shape.parts if side not in covered]
    where = (
        f"one of them belongs on {bare[0]}, which has none" if bare else "drop one, or name its sides by 'on'"
    )
    yield warning(
        f"{first.name} and {second.name} both hold on {part} (Cauchy data): no solution meets two conditions "
        f"on one side in general, and where one does, errors in the data grow without bound; {where}"
    )


def _twice_covered(instance: Instance) -> dict[str, list[Condition]]:
    boundary = instance.problem.boundary
    holding = {part: [c for c in boundary if part in c.parts] for part in instance.domain.shape.parts}
    return {part: conditions for part, conditions in holding.items() if len(conditions) > 1}


def _order(instance: Instance) -> int:
    """Return the highest order in space that occurs in an equation."""
    problem = instance.problem
    offset = int(problem.time is not None)
    orders = [
        sum(index[offset:])
        for equation in problem.equations
        for _, index in derivative_symbols(equation.residual, problem.names).values()
    ]
    return max(orders, default=0)


def _is_elliptic_in_space(instance: Instance) -> bool:
    """Tell whether the second-order part in space is definite at every sampled point and state."""
    problem = instance.problem
    offset = int(problem.time is not None)
    points = instance.domain.uniform(_POINTS, _SEED)
    found = factors(instance, problem.equations[0], points)
    matrix = second_order(found, range(offset, len(problem.coordinates)))
    if (
        matrix is None
        or not np.isfinite(matrix).all()
        or any(index[:offset] == (2,) for index in found.by_index)
    ):
        return False
    values = np.linalg.eigvalsh(matrix)
    signs = np.sign(np.where(np.abs(values) > _NOTHING * np.abs(values).max(), values, 0))
    return bool((np.abs(signs.sum(axis=-1)) == matrix.shape[-1]).all())


def _vanishes_along_normal(instance: Instance, part: str) -> bool:
    """Tell whether n.C n is zero on a part, in every equation that is of second order in space."""
    problem = instance.problem
    axes = range(int(problem.time is not None), len(problem.coordinates))
    side = instance.domain.collocate(BoundaryPart(part), _POINTS, rule="random", seed=_SEED)
    inside = instance.domain.uniform(_POINTS, _SEED)
    assert side.normals is not None
    for equation in problem.equations:
        there = second_order(factors(instance, equation, side.points), axes)
        scale = second_order(factors(instance, equation, inside), axes)
        if scale is None or there is None:
            continue
        along = np.einsum("ni,snij,nj->sn", side.normals, there, side.normals)
        if not np.abs(along).max() <= _NOTHING * np.abs(scale).max():
            return False
    return True
