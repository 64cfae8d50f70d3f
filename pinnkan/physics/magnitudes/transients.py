"""The time within which a solution relaxes at the start, as its equation tells it before anything is solved.

A linear damped equation a u_t + sum c_alpha d^alpha u = data that do not depend on time forgets its initial
values at least as fast as the slowest wave that fits into the domain, exp(i k x - r t) with k_i = pi / L_i:

    r = (1/a) sum over even alpha of c_alpha (i k)^alpha,

kappa (pi / L)^2 for u_t = kappa u_xx. Along a periodic coordinate k is 0 or 2 pi / L; a mean over all of the
domain that no term changes is no wave. If the interval of time is much longer than 1/r the solution changes
at the start and hardly later, and points and network are put where it changes (`Domain.grading`).

Where equation or walls vary in time, the solution goes on changing, and there is something to be seen at
the start only if the initial data are out of balance: they change by themselves as fast as r (T u_t is
large against u), or miss what is prescribed at a wall.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import sympy

from pinnkan.geometry import Domain
from pinnkan.geometry.shape import number
from pinnkan.ground.arrays import FloatArray
from pinnkan.ground.derivatives import MultiIndex, pure_index
from pinnkan.ground.errors import PinnkanError
from pinnkan.language.expressions import (
    ExpressionFault,
    derivative_symbols,
    evaluate,
    partial_derivative,
    substitute_unknowns,
    symbol,
)
from pinnkan.language.problem.domains import build_shape, number_at
from pinnkan.language.problem.prescribed import initial_state, prescribed
from pinnkan.language.problem.spec import Condition, Equation, Problem
from pinnkan.physics.compiled import full_residual
from pinnkan.physics.conditions.meeting import CONTRADICTS, initial_gap
from pinnkan.physics.magnitudes.scales import rounded

_POINTS = 200
_SEED = 161_803
_LONG = 5.0
"""Intervals of so many times 1/r are graded. A decaying mode under the default recipe, error without and
with: r T = 2, 5e-9 and 5e-9; 4, 2.5e-8 and 1.2e-8; 10, 5.6e-7 and 3.5e-8; 20, 2.9e-6 and 2.8e-7; 35, 0.5 and
2.5e-7; 200, unsolved and 8.5e-6; 2000, unsolved and 5.1e-5."""


def relaxation_time(problem: Problem) -> float:
    """Return 1/r at the base value where the interval of time is much longer, else infinity."""
    if problem.domain.interval is None or not problem.initial:
        return math.inf
    values = problem.base_values
    start, end = (number_at(bound, values) for bound in problem.domain.interval)
    try:
        shape = build_shape(problem.domain.shape, problem.space, values)
        domain = Domain(shape, problem.coordinates, (start, end))
        rate = min(_rate(problem, equation, domain) for equation in problem.equations)
        if rate * (end - start) <= _LONG or (_forced(problem) and _in_balance(problem, domain)):
            return math.inf
    except (
        PinnkanError,
        ExpressionFault,
    ):  # an empty domain, a coefficient without a value: told of where they are used
        return math.inf
    return rounded(1 / rate)


def _forced(problem: Problem) -> bool:
    """Tell whether anything that is prescribed depends on time."""
    time = symbol(problem.time or "")
    statements = (*problem.equations, *problem.boundary)
    return any(time in full_residual(statement).free_symbols for statement in statements)


def _in_balance(problem: Problem, domain: Domain) -> bool:
    """Tell whether the initial data stay about what they are when left to the equation and the walls."""
    names, values = problem.names, problem.base_values
    items = [prescribed(condition, names) for condition in problem.initial]
    given = [item.data for item in items if item is not None and item.order == 0]
    assert domain.time is not None
    if len(given) != 1:
        return True
    if any(_missed(condition, given[0], problem, domain) for condition in problem.boundary):
        return False
    state = initial_state(given, symbol(names.coordinates[0]), number(domain.time[0]))
    points = domain.uniform(_POINTS, _SEED)
    points[:, 0] = domain.time[0]
    for equation in problem.equations:
        residual = full_residual(equation)
        leaves = derivative_symbols(residual, names)
        rate = next(leaf for leaf, partial in leaves.items() if partial.orders[0])
        change = substitute_unknowns(residual, {names.unknowns[0]: state}, names) / partial_derivative(
            residual, rate
        )
        speed, size = evaluate([change, state], names.coordinates, points, values)
        duration = domain.time[1] - domain.time[0]
        if np.linalg.norm(speed) * duration > _LONG * np.linalg.norm(size):
            return False
    return True


def _missed(condition: Condition, data: sympy.Expr, problem: Problem, domain: Domain) -> bool:
    """Tell whether initial data contradict a boundary condition."""
    names, values = problem.names, problem.base_values
    item = prescribed(condition, names)
    if item is None:
        return initial_gap(condition, [data], 0, names, domain, values) is not None
    assert domain.time is not None
    regions = condition.regions(names, values)
    points = np.concatenate([domain.collocate(region, _POINTS).points for region in regions])
    points[:, 0] = domain.time[0]
    wanted, given = evaluate([item.data, data], names.coordinates, points, values)
    return bool(np.linalg.norm(wanted - given) > CONTRADICTS * np.linalg.norm([wanted, given]))


def _rate(problem: Problem, equation: Equation, domain: Domain) -> float:
    """Return r (module docstring), its median over the domain; 0 where the equation has no such rate.

    Factors that depend on the unknown count for nothing.
    """
    names = problem.names
    leaves = derivative_symbols(equation.residual, names)
    slopes = {p.orders: partial_derivative(equation.residual, leaf) for leaf, p in leaves.items()}
    steady = {index: s for index, s in slopes.items() if not s.free_symbols & leaves.keys()}
    forward = pure_index(0, 1 + len(names.space))
    if forward not in steady or any(index[0] for index in slopes if index != forward):
        return 0.0
    points = domain.uniform(_POINTS, _SEED)
    rows = evaluate(list(steady.values()), names.coordinates, points, problem.base_values)
    factors = dict(zip(steady, rows, strict=True))
    leading = factors.pop(forward)
    rates = []
    for waves in _slow_waves(domain):
        terms = (row * _symbol(index[1:], waves) for index, row in factors.items())
        with np.errstate(all="ignore"):
            rate = float(np.median(sum(terms, np.zeros(len(points))) / leading))
        if rate or waves.any():
            rates.append(rate)
    slowest = min(rates, default=0.0)
    return slowest if math.isfinite(slowest) else 0.0


def _slow_waves(domain: Domain) -> list[FloatArray]:
    """Return the wave vectors k (d,) of which one is the slowest: one where no coordinate is periodic."""
    lower, upper = domain.shape.bounding_box
    choices = [
        (0.0, 2.0 * np.pi / extent) if flag else (np.pi / extent,)
        for extent, flag in zip((upper - lower).tolist(), domain.periodic[1:], strict=True)
    ]
    return [np.array(waves) for waves in itertools.product(*choices)]


def _symbol(index: MultiIndex, waves: np.ndarray) -> float:
    """Return (i k)^alpha, 0 where it is not real whatever the signs of k."""
    if any(order % 2 for order in index):
        return 0.0
    return float((-1) ** (sum(index) // 2) * np.prod(waves ** np.array(index, dtype=float)))
