"""Conditions counted unknown by unknown: only what is sure in a system, too."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from pinnkan.geometry import BoundaryPart, Box
from pinnkan.language.expressions import derivative_symbols, partial_derivative, symbol
from pinnkan.language.problem.spec import Condition, Problem
from pinnkan.physics.coverage import holds_unknown
from pinnkan.physics.instance import Instance
from pinnkan.physics.wellposed.findings import Finding, warning

_POINTS, _SEED = 4096, 300_000
_ROUNDING = 1e-9
_OPPOSITE = str.maketrans("+-", "-+")


def bare_parts(instance: Instance, enough: frozenset[str] = frozenset()) -> Iterator[Finding]:
    """Warn of parts on which nothing holds an unknown that has a second derivative across them.

    Silent where the factor of that derivative varies, for it may vanish there, and where the opposite side
    has two conditions, as in an initial value problem.

    Args:
        instance: The problem at a parameter value.
        enough: Parts on which the conditions of all unknowns together are known to be enough.
    """
    for position, unknown in enumerate(instance.problem.unknowns):
        bare = [part for part in _bare(instance, position) if part not in enough]
        if bare:
            sides = "the side" if len(bare) == 1 else "the sides"
            yield warning(f"no boundary condition for {unknown} on {sides} {', '.join(bare)}")


def parts_without_conditions(instance: Instance, enough: frozenset[str]) -> frozenset[str]:
    """Return the parts of which `bare_parts` warns."""
    bare = (part for k in range(len(instance.problem.unknowns)) for part in _bare(instance, k))
    return frozenset(bare) - enough


def _bare(instance: Instance, unknown: int) -> list[str]:
    """Return the parts that lack a condition for an unknown (`bare_parts`)."""
    problem = instance.problem
    return [
        part
        for part in instance.domain.shape.parts
        if not _holding(problem, part, unknown)
        and len(_holding(problem, part.translate(_OPPOSITE), unknown)) < 2
        and _is_second_order_across(instance, part, unknown)
    ]


def bare_portions(instance: Instance) -> Iterator[Finding]:
    """Warn of parts on a portion of which nothing holds an unknown, as of `bare_parts`."""
    for position, unknown in enumerate(instance.problem.unknowns):
        for part in instance.domain.shape.parts:
            share = bare_share(instance, part, position)
            if share > _ROUNDING:
                holding = _holding(instance.problem, part, position)
                names = " and ".join(condition.name for condition in holding)
                yield warning(
                    f"no boundary condition for {unknown} on {100 * share:.2g} % of {part}, where {names} "
                    f"{'holds' if len(holding) == 1 else 'hold'} elsewhere"
                )


def has_bare_portions(instance: Instance, part: str) -> bool:
    """Tell whether `bare_portions` warns of a part."""
    return any(bare_share(instance, part, k) > _ROUNDING for k in range(len(instance.problem.unknowns)))


def bare_share(instance: Instance, part: str, unknown: int) -> float:
    """Return the share of a part where no portion that holds an unknown lies; 0 where there are none."""
    problem = instance.problem
    portions = [condition.portion for condition in _holding(problem, part, unknown)]
    if not portions or None in portions or not _is_second_order_across(instance, part, unknown):
        return 0.0
    bare, even = [], replace(instance.domain, time_scale=math.inf)
    for rule in ("sobol", "quadrature"):
        side = even.collocate(BoundaryPart(part), _POINTS, rule=rule, seed=_SEED)
        held = [portion.holds(side.points, problem.names, instance.values) for portion in portions if portion]
        bare.append(float(side.weights @ ~np.logical_or.reduce(held)))
    # A quadrature may have points where portions only touch: y < 0 and y > 0 on a circle.
    return bare[1] if bare[0] else 0.0


def _holding(problem: Problem, part: str, unknown: int) -> list[Condition]:
    """Return the conditions on a part that hold an unknown."""
    return [c for c in problem.boundary if part in c.parts and holds_unknown(c, unknown, problem)]


def _is_second_order_across(instance: Instance, part: str, unknown: int) -> bool:
    """Tell whether an equation is of second order in an unknown across a part, its factor constant.

    And no equation is of a higher one: what these take is counted elsewhere.
    """
    problem, shape = instance.problem, instance.domain.shape
    names, parameters = problem.names, {symbol(name) for name in problem.names.parameters}
    axes = [part[:-1]] if isinstance(shape, Box) else list(problem.space)
    across = [tuple(2 * (name == axis) for name in problem.coordinates) for axis in axes]
    offset = int(problem.time is not None)
    found = False
    for equation in problem.equations:
        own = {
            partial.orders: partial_derivative(equation.residual, leaf)
            for leaf, partial in derivative_symbols(equation.residual, names).items()
            if partial.unknown == unknown
        }
        if any(sum(index[offset:]) > 2 for index in own):
            return False
        found |= all(index in own and not own[index].free_symbols - parameters for index in across)
    return found
