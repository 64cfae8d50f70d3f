"""Which conditions prescribe the unknown itself, so that an ansatz can meet them exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy

from pinnkan.language.expressions import (
    Names,
    derivative_symbols,
    normal_symbols,
    partial_derivative,
    substitute,
    symbol,
)
from pinnkan.language.problem.spec import Condition


@dataclass(frozen=True)
class Prescribed:
    """A condition solved for what it prescribes: u (order 0) or the rate u_t (order 1) equals ``data``."""

    condition: Condition
    unknown: str
    order: int
    data: sympy.Expr
    slope: sympy.Expr
    """Factor of the unknown in the condition, a number or an expression in the parameters."""


def prescribed(condition: Condition, names: Names) -> Prescribed | None:
    """Return the condition as ``u = data`` or, at the initial time, ``u_t = data``; None if it is neither.

    The condition may be written in any way that is linear in the one quantity
    with a factor free of the coordinates, such as ``2*u - sin(x) = 0``.
    """
    leaves = derivative_symbols(condition.residual, names)
    if len(leaves) != 1:
        return None
    ((leaf, (unknown, index)),) = leaves.items()
    rate = condition.is_initial and index[0] == 1
    if sum(index) != int(rate):
        return None
    slope = partial_derivative(condition.residual, leaf)
    if slope == 0 or slope.free_symbols - {symbol(name) for name in names.parameters}:
        return None
    if condition.residual.free_symbols & set(normal_symbols(names)):
        return None
    rest = substitute(condition.residual, {leaf: sympy.Integer(0)})
    return Prescribed(condition, names.unknowns[unknown], int(rate), -rest / slope, slope)


def initial_state(data: Sequence[sympy.Expr], time: sympy.Symbol, start: sympy.Expr) -> sympy.Expr:
    """Return h + (t - t0) k, a function that has the initial data h, and k where the rate is given too."""
    frozen = [substitute(formula, {time: start}) for formula in data]
    return sympy.Add(*(formula * (time - start) ** power for power, formula in enumerate(frozen)))


def difference_text(gap: float, size: float) -> str:
    """Say by how much data differ: in the units of the file, and relative to their size."""
    return f"differ by {gap:.3g} ({100 * gap / size:.3g} % of their size)"
