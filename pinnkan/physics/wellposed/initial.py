"""How many initial conditions a system takes: the order in time of its equations together.

Frozen at a point, its waves exp(i k.x + s t) solve det P(s, i k) = 0. There are as many as the degree of the
determinant in s, which may be less than the orders of the unknowns add up to: of u_xx = p_x, (p + u_x)_t =
p_xx (Biot's consolidation) it is 1, for u follows from p. So many initial conditions are needed, and they
must be independent on these waves.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from pinnkan.geometry import InitialTime
from pinnkan.language.expressions import derivative_symbols
from pinnkan.language.problem.initial import initial_shortage, time_order
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.language.problem.spec import Condition, Problem
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, refusal, warning
from pinnkan.physics.wellposed.symbol.frozen import (
    MOST_UNKNOWNS,
    Polynomial,
    Slopes,
    along,
    determinant,
    entry_of,
    frozen_slopes,
    is_linear,
    is_square,
    square_choices,
)
from pinnkan.physics.wellposed.symbol.waves import wave_count

_POINTS, _SEED, _STATES = 2, 264_575, 3
_WAVES = (2.7, 7.3)
"""Wave numbers times the extent of space."""


def missing_initial(instance: Instance) -> Iterator[Finding]:
    """Refuse a system that has fewer independent initial conditions than its order in time.

    Where ranks are not sure, conditions are counted; unknown by unknown where each keeps its own order.
    """
    problem = instance.problem
    unknowns = range(len(problem.unknowns))
    if problem.time is None or _all_given(problem):
        return
    count = _count(instance)
    fixed = len(problem.initial) if count.fixed is None else count.fixed
    found = [initial_shortage(problem.equations, problem.initial, k, problem.names) for k in unknowns]
    shortages = [shortage for shortage in found if shortage is not None]
    orders = sum(time_order(problem.equations, k, problem.names)[0] for k in unknowns)
    wanted = orders if count.wanted is None else count.wanted
    if wanted == orders and shortages and (count.fixed is None or fixed < wanted):
        for equation, message in shortages:
            yield refusal(message, equation.place)
    elif fixed < wanted and count.wanted is not None:
        names = ", ".join(condition.name for condition in problem.initial)
        few = f"those given ({names}) fix {fixed}" if problem.initial else "none is given"
        yield refusal(
            f"initial: the equations together take {wanted} independent initial condition"
            f"{'s' * (wanted > 1)}, {few}: infinitely many solutions are left; state what is missing",
            (*problem.initial, *problem.equations)[0].place,
        )


def _all_given(problem: Problem) -> bool:
    """Tell whether every unknown's value and rates are given, below its order in time.

    Then the Laplace transform of the homogeneous system is P(s) w = 0: it has no solution but zero.
    """
    items = [prescribed(condition, problem.names) for condition in problem.initial]
    given = {(item.unknown, item.order) for item in items if item is not None}
    return all(
        (name, order) in given
        for k, name in enumerate(problem.unknowns)
        for order in range(time_order(problem.equations, k, problem.names)[0])
    )


def excess_initial_of_unknowns(instance: Instance) -> Iterator[Finding]:
    """Warn of more initial conditions of an unknown than its order in time.

    Silent where there are no more than the equations take together: another unknown may stand for one.
    """
    problem = instance.problem
    if problem.time is None:
        return
    excess = []
    for position, unknown in enumerate(problem.unknowns):
        order, _ = time_order(problem.equations, position, problem.names)
        own = [c for c in problem.initial if _unknowns(c, problem) == {position}]
        if len(own) > order:
            count = f"{len(own)} initial condition{'s are' if len(own) > 1 else ' is'} given"
            what = f"is of order {order} in time" if order else "has no derivative in time"
            excess.append(f"{unknown} {what}, {count}: {', '.join(c.name for c in own)}")
    if excess:
        wanted = _count(instance).wanted
        if wanted is None or len(problem.initial) > wanted:
            yield from map(warning, excess)


def _unknowns(condition: Condition, problem: Problem) -> set[int]:
    partials = derivative_symbols(condition.residual, problem.names).values()
    return {partial.unknown for partial in partials}


class _Count(NamedTuple):
    """How many initial conditions the equations take, and how many those given fix; None where unsure."""

    wanted: int | None
    fixed: int | None


def _count(instance: Instance) -> _Count:
    """Return the fewest that are taken, and the most that are fixed, at points, states and wave numbers."""
    problem = instance.problem
    if len(problem.unknowns) > MOST_UNKNOWNS:
        return _Count(None, None)
    points = instance.domain.collocate(InitialTime(), _POINTS, rule="random", seed=_SEED).points
    states = 1 if is_linear(instance) else _STATES
    equations, initial = (
        [frozen_slopes(instance, statement, points, states=states) for statement in statements]
        for statements in (problem.equations, problem.initial)
    )
    wanted: list[int] = []
    fixed: list[int | None] = []
    for wave in _WAVES:
        given = [_row(instance, slopes, wave) for slopes in initial]
        for symbols in square_choices([_row(instance, slopes, wave) for slopes in equations]):
            polynomial = determinant(symbols)
            for entry in range(states * len(points)):
                order = _degree(polynomial, entry)
                if order is not None:
                    count = wave_count(symbols, given, polynomial, entry, least=1.0) if given else None
                    wanted.append(order)
                    fixed.append(None if count is None else count.fixed)
    ranks = [rank for rank in fixed if rank is not None]
    sure = is_square(instance) and len(ranks) == len(fixed) > 0
    return _Count(min(wanted, default=None), max(ranks) if sure else None)


def _degree(polynomial: Polynomial, entry: int) -> int | None:
    """Return the degree in s of one frozen determinant; None where it vanishes or is not defined."""
    terms = {power: entry_of(values, entry) for (power,), values in polynomial.items()}
    if not np.isfinite(list(terms.values())).all():
        return None
    return max((power for power, value in terms.items() if value), default=None)


def _row(instance: Instance, slopes: Slopes, wave: float) -> list[Polynomial]:
    """Return a statement's row of P(s, i k), polynomials in s over the reciprocal duration."""
    lower, upper = instance.domain.bounding_box
    duration, *extents = (upper - lower).tolist()
    drawn = np.random.default_rng(_SEED).normal(size=len(extents))
    k = wave * drawn / max(float(np.linalg.norm(drawn)), np.finfo(float).tiny) / max(extents, default=1.0)
    row: list[Polynomial] = [{} for _ in instance.problem.unknowns]
    for partial, values in slopes.items():
        order = partial.orders[0]
        own = row[partial.unknown]
        own[order,] = own.get((order,), 0.0) + values * along(1j * k, partial.orders[1:]) / duration**order
    return row
