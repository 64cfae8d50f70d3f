"""Initial conditions counted for an unknown: what has m derivatives in time takes m of them."""

from __future__ import annotations

from collections.abc import Sequence

from pinnkan.language.expressions import Names, derivative_symbols
from pinnkan.language.expressions.calculus import ORDINALS
from pinnkan.language.problem.spec import Condition, Equation

_NUMBER_WORDS = {1: "one initial condition (u)", 2: "two initial conditions (u and u_t)"}


def time_order(equations: Sequence[Equation], unknown: int, names: Names) -> tuple[int, Equation | None]:
    """Return the order in time of an unknown, and the equation that has it; 0 and None where none has."""
    orders = [
        (partial.orders[0], equation)
        for equation in equations
        for partial in derivative_symbols(equation.residual, names).values()
        if partial.unknown == unknown
    ]
    order, equation = max(orders, key=lambda pair: pair[0], default=(0, None))
    return (order, equation) if order else (0, None)


def mentions(statement: Equation, unknown: int, names: Names) -> bool:
    """Tell whether a statement holds an unknown or a derivative of it."""
    partials = derivative_symbols(statement.residual, names).values()
    return any(partial.unknown == unknown for partial in partials)


def initial_shortage(
    equations: Sequence[Equation], initial: Sequence[Condition], unknown: int, names: Names
) -> tuple[Equation, str] | None:
    """Return the equation that asks more initial conditions of an unknown than given, and what; else None."""
    order, equation = time_order(equations, unknown, names)
    count = sum(mentions(condition, unknown, names) for condition in initial)
    if equation is None or count >= order:
        return None
    name = names.unknowns[unknown]
    what = f"{equation.name} is of {ORDINALS[order]} order in time and needs"
    if len(names.unknowns) > 1:
        what = f"{name} is of {ORDINALS[order]} order in time ({equation.name}) and needs"
    needs = _NUMBER_WORDS[order].replace("u", name).replace("_t", f"_{names.time}")
    return equation, f"initial: {what} {needs}; found {count}"
