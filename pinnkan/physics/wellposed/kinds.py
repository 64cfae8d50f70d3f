"""The kind of a stationary equation against its conditions: what is hyperbolic or parabolic has a time.

With the matrix C of the second-order part sum_ij C_ij u_ij, an equation is elliptic where C is definite and
hyperbolic where it has eigenvalues of both signs. Values on the whole boundary determine a solution of the
first kind; for the second there is none in general, or more than one (u_xx = u_yy on a square).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pinnkan.ground.arrays import FloatArray
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.factors import decided, factors, second_order
from pinnkan.physics.wellposed.findings import Finding, point_text, warning

_POINTS = 100
_SEED = 577_215
_NOTHING = 1e-9


def hyperbolic_with_values_all_around(instance: Instance) -> Iterator[Finding]:
    """Warn of Dirichlet data on the whole boundary of an equation that is hyperbolic somewhere."""
    problem = instance.problem
    if problem.time is not None or len(problem.coordinates) < 2 or not instance.domain.shape.parts:
        return
    conditions = [c for c in problem.boundary if prescribed(c, problem.names) is not None]
    if {part for c in conditions for part in c.parts} != set(instance.domain.shape.parts):
        return
    points = instance.domain.uniform(_POINTS, _SEED)
    for equation in problem.equations:
        matrix = second_order(factors(instance, equation, points), range(len(problem.coordinates)))
        if matrix is None:
            continue
        defined = np.asarray(np.isfinite(matrix).all(axis=(2, 3)))
        values: FloatArray = np.linalg.eigvalsh(np.nan_to_num(matrix))
        least = _NOTHING * np.abs(values).max()
        of_both_signs = (values < -least).any(axis=-1) & (values > least).any(axis=-1)
        hyperbolic = decided(of_both_signs, defined)
        if hyperbolic.any():
            where = (
                "" if hyperbolic.all() else f" at {point_text(problem.coordinates, points[hyperbolic][0])}"
            )
            yield warning(
                f"{equation.name} is hyperbolic{where}: values on the whole boundary determine no solution; "
                "declare one coordinate as time, with two initial conditions and none at its end"
            )


def parabolic_with_conditions_at_both_ends(instance: Instance) -> Iterator[Finding]:
    """Warn of conditions at both ends of a coordinate along which the equation is of first order."""
    problem = instance.problem
    if problem.time is not None or len(problem.equations) != 1 or len(problem.coordinates) < 2:
        return
    found = factors(instance, problem.equations[0], instance.domain.uniform(_POINTS, _SEED))
    covered = {part for condition in problem.boundary for part in condition.parts}
    for axis, name in enumerate(problem.coordinates):
        orders = [index[axis] for index in found.by_index]
        ends = {f"{name}-", f"{name}+"}
        if found.order == 2 and max(orders, default=0) == 1 and ends <= covered:
            yield warning(
                f"{problem.equations[0].name} is of first order in {name}, with conditions at both its ends: "
                f"no solution meets them in general; declare {name} as time, with an initial condition"
            )
