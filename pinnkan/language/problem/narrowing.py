"""Boundary conditions side by side: those on a portion of a part, and narrower ones in place of wider ones.

On a part of the boundary a condition is narrower than another if it holds where a formula does and the
other does not ask for one, or if it is stated for fewer parts. As many narrower conditions as they hold
unknowns (of second order, where there are such), on one part or portion, leave no room for a wider one that
holds no other unknown: it then holds on what is left of the part. A single one that holds two, a shear
beside u = 0, fills none. Nor does one with derivatives of another order than the wider one's, of an unknown
of more than second order in space: the slope of a plate's edge stands beside its value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import sympy

from pinnkan.geometry import BoundaryPart, Domain
from pinnkan.ground.arrays import BoolArray
from pinnkan.language.expressions import Names, derivative_symbols
from pinnkan.language.problem.prescribed import prescribed
from pinnkan.language.problem.spec import Condition, Equation, StatedPortion
from pinnkan.language.reading.places import Faults

_POINTS, _SEED = 4096, 331_662
"""Points of a part among which one is sought where a formula holds; of no special kind, for where two
portions only touch neither counts."""


def narrowed(
    conditions: Sequence[Condition],
    equations: Sequence[Equation],
    names: Names,
    domain: Domain,
    values: Mapping[str, float],
    faults: Faults,
    *,
    former: bool = False,
) -> tuple[Condition, ...]:
    """Return the boundary conditions as they hold beside each other, the cut parts of each apart.

    Args:
        conditions: As written.
        equations: They tell the orders of the unknowns.
        names: Of the problem.
        domain: The domain at the base values.
        values: The base values.
        faults: Where parts are noted on which a formula holds nowhere, or nothing is left.
        former: Whether of one unknown a flux and a value on the same side both hold, as they did in results
            that do not say otherwise.
    """
    stated = [
        condition if condition.portion is None else _where_it_holds(condition, names, domain, values, faults)
        for condition in conditions
    ]
    _refuse_overlaps(stated, names, domain, values, faults)
    orders = _orders_in_space(equations, names)
    result: list[Condition] = []
    for condition in stated:
        rivals = [c for c in stated if not former or _are_values(c, condition, names)]
        result += _beside(condition, rivals, orders, names, domain, values, faults)
    return tuple(result)


def _are_values(narrow: Condition, wide: Condition, names: Names) -> bool:
    """Tell whether conditions of one unknown both prescribe its value; true in a system, or on a portion."""
    if len(names.unknowns) > 1 or narrow.portion is not None:
        return True
    return prescribed(narrow, names) is not None and prescribed(wide, names) is not None


def _where_it_holds(
    condition: Condition, names: Names, domain: Domain, values: Mapping[str, float], faults: Faults
) -> Condition:
    """Return a condition on those of its parts where its formula holds somewhere.

    A part that is named by ``on`` must be one of them.
    """
    assert condition.portion is not None
    held = {part: bool(_holds(condition, part, names, domain, values).any()) for part in condition.parts}
    missing = [part for part, holds in held.items() if not holds]
    if missing and (condition.portion.named or len(missing) == len(condition.parts)):
        listed = ", ".join(missing)
        message = f"{condition.name}.where: '{condition.portion.text}' holds at no point of {listed}"
        faults.add(condition.place, message)
    kept = tuple(part for part, holds in held.items() if holds)
    return replace(condition, parts=kept or condition.parts)


def _holds(
    condition: Condition, part: str, names: Names, domain: Domain, values: Mapping[str, float]
) -> BoolArray:
    """Tell at which points of a part a condition holds, (N,)."""
    points = domain.collocate(BoundaryPart(part), _POINTS, rule="sobol", seed=_SEED).points
    if condition.portion is None:
        return np.ones(len(points), dtype=bool)
    return condition.portion.holds(points, names, values)


def _refuse_overlaps(
    conditions: Sequence[Condition],
    names: Names,
    domain: Domain,
    values: Mapping[str, float],
    faults: Faults,
) -> None:
    """Two portions of a part on which one unknown is prescribed have no point in common."""
    items = [prescribed(c, names) for c in conditions if c.portion is not None]
    given = [item for item in items if item is not None]
    for position, item in enumerate(given):
        for other in given[:position]:
            both = [part for part in item.condition.parts if part in other.condition.parts]
            for part in both if item.unknown == other.unknown else ():
                first, second = (
                    _holds(c, part, names, domain, values) for c in (item.condition, other.condition)
                )
                if (first & second).any():
                    message = f"{item.unknown} is prescribed twice at points of {part}, here and in"
                    name = item.condition.name
                    faults.add(item.condition.place, f"{name}: {message} {other.condition.name}")
                    break


def _beside(
    condition: Condition,
    conditions: Sequence[Condition],
    orders: Mapping[int, int],
    names: Names,
    domain: Domain,
    values: Mapping[str, float],
    faults: Faults,
) -> list[Condition]:
    """Return what is left of a condition beside narrower ones: its whole parts, and every cut part."""
    whole, cut = [], []
    replaced: dict[str, None] = {}
    for part in condition.parts:
        above = _in_its_place(condition, conditions, part, orders, names)
        if not above:
            whole.append(part)
            continue
        portions = list({c.portion.text: c.portion for c in above if c.portion is not None}.values())
        replaced |= {other.name: None for other in above}
        if any(other.portion is None for other in above):
            continue
        rest = replace(condition, parts=(part,), portion=_rest(portions))
        if _holds(rest, part, names, domain, values).any():
            cut.append(rest)
    if not whole and not cut:
        message = f"narrower conditions ({', '.join(replaced)}) stand in its place everywhere; drop it"
        faults.add(condition.place, f"{condition.name}: {message}")
        return [condition]
    if len(condition.parts) > 1:
        cut = [replace(rest, name=f"{rest.name}.{rest.parts[0]}") for rest in cut]
    kept = [replace(condition, parts=tuple(whole))] if whole else []
    return [*kept, *cut]


def _rest(portions: Sequence[StatedPortion]) -> StatedPortion:
    """Return what several portions leave of a part."""
    indicator = sympy.Mul(*(1 - portion.indicator for portion in portions))
    return StatedPortion(f"not ({' or '.join(portion.text for portion in portions)})", indicator)


def _in_its_place(
    wide: Condition, conditions: Sequence[Condition], part: str, orders: Mapping[int, int], names: Names
) -> list[Condition]:
    """Return the conditions that stand in another's place on a part, or on portions of it; none mostly.

    As many as they hold unknowns, of which those of the wider one are some (module docstring).
    """
    narrower = [c for c in conditions if _is_narrower(c, wide, part, orders, names)]
    own = _held(wide, orders, names)
    found = []
    for text in dict.fromkeys(c.portion.text if c.portion else None for c in narrower):
        beside = [c for c in narrower if (c.portion.text if c.portion else None) == text]
        held = {id(c): _held(c, orders, names) for c in beside}
        unknowns = sorted(set().union(*held.values()))
        for size in range(len(own), len(unknowns) + 1):
            choices = (set(choice) for choice in combinations(unknowns, size))
            full = next(
                (
                    members
                    for choice in choices
                    if own <= choice and len(members := [c for c in beside if held[id(c)] <= choice]) >= size
                ),
                None,
            )
            if full:
                found += full
                break
    return found


def _held(condition: Condition, orders: Mapping[int, int], names: Names) -> set[int]:
    """Return the unknowns that count in a condition: those of second order in space, else all.

    A stress holds the pressure too, which takes no condition.
    """
    held = set(_orders(condition, names))
    return {unknown for unknown in held if orders.get(unknown, 0) > 1} or held


def _is_narrower(
    narrow: Condition, wide: Condition, part: str, orders: Mapping[int, int], names: Names
) -> bool:
    """Tell whether a condition is narrower than another on a part, and of a kind that may replace it."""
    if part not in narrow.parts or narrow is wide or wide.portion is not None:
        return False
    if narrow.portion is None and not set(narrow.parts) < set(wide.parts):
        return False
    first, second = _orders(narrow, names), _orders(wide, names)
    return all(orders.get(u, 0) <= 2 or first[u] == second[u] for u in first.keys() & second.keys())


def _orders(statement: Equation, names: Names) -> dict[int, int]:
    """Return the highest order in space of every unknown that a statement holds."""
    offset, orders = int(names.time is not None), dict[int, int]()
    for partial in derivative_symbols(statement.residual, names).values():
        orders[partial.unknown] = max(orders.get(partial.unknown, 0), sum(partial.orders[offset:]))
    return orders


def _orders_in_space(equations: Sequence[Equation], names: Names) -> dict[int, int]:
    """Return the highest order in space of every unknown in the equations."""
    orders: dict[int, int] = {}
    for equation in equations:
        for unknown, order in _orders(equation, names).items():
            orders[unknown] = max(orders.get(unknown, 0), order)
    return orders
