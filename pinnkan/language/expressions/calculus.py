"""Differentiation and substitution on symbolic forms, with memory of shared parts.

SymPy's own ``diff`` would make signs and Diracs of absolute values and visits
a shared part once for every path to it; here every part is visited once and
the chain rule runs through the derivatives of the unknowns:
d/dx f(x, u, u_x) = f_x + f_u u_x + f_{u_x} u_xx.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import sympy

from pinnkan.ground.derivatives import MultiIndex, lowered, raised, value_index
from pinnkan.language.expressions.audit import Audit
from pinnkan.language.expressions.names import (
    MAX_ORDER,
    MAX_TIME_ORDER,
    Names,
    derivative_name,
    derivative_symbols,
    normal_symbols,
    read_derivative,
    symbol,
)
from pinnkan.language.expressions.piecewise import Where, absolute
from pinnkan.language.expressions.tree import ExpressionFault

_ONE = sympy.Integer(1)
_ZERO = sympy.Integer(0)

_DERIVATIVES: dict[Any, Callable[[Any], Any]] = {
    sympy.sin: sympy.cos,
    sympy.cos: lambda a: -sympy.sin(a),
    sympy.tan: lambda a: 1 + sympy.tan(a) ** 2,
    sympy.cot: lambda a: -1 - sympy.cot(a) ** 2,  # SymPy's form of tan(x + pi/2)
    sympy.exp: sympy.exp,
    sympy.log: lambda a: 1 / a,
    sympy.sinh: sympy.cosh,
    sympy.cosh: sympy.sinh,
    sympy.erf: lambda a: 2 / sympy.sqrt(sympy.pi) * sympy.exp(-(a**2)),
    sympy.tanh: lambda a: 1 - sympy.tanh(a) ** 2,
    # SymPy makes Abs of sqrt(x**2) by itself; it is differentiated as our own absolute value.
    sympy.Abs: lambda a: Where(absolute(a).args[0], 1, -1),
}


def total_derivative(expr: Any, coordinate: str, names: Names) -> Any:
    """Differentiate along a coordinate, through the unknowns: d/dx (x u) = u + x u_x.

    Raises:
        ExpressionFault: If a derivative of an unknown of too high an order would arise (`check_order`).
    """
    return differentiate(expr, lambda leaf: _along(leaf, coordinate, names))


def partial_derivative(expr: Any, variable: Any) -> Any:
    """Differentiate with respect to one symbol, all others held fixed: d/du_x (u u_x) = u."""
    return differentiate(expr, lambda leaf: _ONE if leaf == variable else _ZERO)


def differentiate(expr: Any, of_symbol: Callable[[Any], Any]) -> Any:
    """Differentiate by the chain rule, given the derivative of every symbol.

    At a kink (``abs``, ``min``, ``max``, ``where``) the derivative is that of
    the branch whose condition holds.
    """
    memory: dict[Any, Any] = {}

    def derivative(part: Any) -> Any:
        if part not in memory:
            memory[part] = _chain_rule(part, derivative, of_symbol)
        return memory[part]

    return derivative(expr)


def _chain_rule(part: Any, derivative: Callable[[Any], Any], of_symbol: Callable[[Any], Any]) -> Any:
    if part.is_Atom:
        return of_symbol(part) if part.is_Symbol else _ZERO
    if part.is_Add:
        return sympy.Add(*(derivative(term) for term in part.args))
    if part.is_Mul:
        return _product_rule(part.args, derivative)
    if part.is_Pow:
        return _power_rule(part, derivative)
    if isinstance(part, Where):
        condition, a, b = part.args
        return Where(condition, derivative(a), derivative(b))
    inner = derivative(part.args[0])
    return inner and _DERIVATIVES[part.func](part.args[0]) * inner


def _product_rule(factors: tuple[Any, ...], derivative: Callable[[Any], Any]) -> Any:
    terms = []
    for position, factor in enumerate(factors):
        change = derivative(factor)
        if change != 0:
            terms.append(sympy.Mul(*factors[:position], change, *factors[position + 1 :]))
    return sympy.Add(*terms)


def _power_rule(power: Any, derivative: Callable[[Any], Any]) -> Any:
    base, exponent = power.args
    base_change, exponent_change = derivative(base), derivative(exponent)
    result = _ZERO
    if base_change != 0:
        result += exponent * base ** (exponent - 1) * base_change
    if exponent_change != 0:
        result += power * sympy.log(base) * exponent_change
    return result


def _along(leaf: Any, coordinate: str, names: Names) -> Any:
    """The derivative of a symbol along a coordinate."""
    if leaf.name == coordinate:
        return _ONE
    reading = read_derivative(leaf.name, names)
    if reading is None:
        if leaf in normal_symbols(names):
            raise ExpressionFault(
                "the normal is known on the boundary only: a normal derivative cannot be differentiated again"
            )
        return _ZERO
    unknown, index = reading
    higher = raised(index, names.coordinates.index(coordinate))
    check_order(unknown, higher, names)
    return symbol(derivative_name(unknown, higher, names))


ORDINALS = ("", "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth")


def check_order(unknown: str, index: MultiIndex, names: Names) -> None:
    """Refuse derivatives of the unknowns above the fourth order, and above the second in time.

    Raises:
        ExpressionFault: Names the derivative, its order and the highest.
    """
    in_time = 0 if names.time is None else index[0]
    limits = ((in_time, MAX_TIME_ORDER, " in time"), (sum(index), MAX_ORDER, ""))
    for order, highest, where in limits:
        if order > highest:
            name = derivative_name(unknown, index, names)
            found = ORDINALS[order] if order < len(ORDINALS) else f"{order}th"  # of one that formulas make
            most = f"the highest is {ORDINALS[highest]} order{where}"
            raise ExpressionFault(f"'{name}': {found} order{where} is not supported; {most}")


def substitute(expr: Any, mapping: Mapping[Any, Any]) -> Any:
    """Replace symbols by expressions, all at once."""
    memory: dict[Any, Any] = dict(mapping)

    def replaced(part: Any) -> Any:
        if part not in memory:
            args = tuple(replaced(arg) for arg in part.args)
            memory[part] = part if args == part.args else part.func(*args)
        return memory[part]

    return replaced(expr)


def substitute_unknowns(expr: Any, solutions: Mapping[str, Any], names: Names) -> Any:
    """Put known functions in the place of unknowns and of all their derivatives.

    Applied to a residual this gives the manufactured source, or the residual
    of an exact solution.

    Args:
        expr: An expression in u, u_x, ...
        solutions: The functions of coordinates and parameters that unknowns are, by name; an unknown
            that is not named stays.
        names: Of the problem.

    Raises:
        ExpressionFault: If the result is too large or not real.
    """
    value = value_index(len(names.coordinates))
    known: dict[tuple[str, MultiIndex], Any] = {(name, value): formula for name, formula in solutions.items()}

    def derivative(name: str, index: MultiIndex) -> Any:
        if (name, index) not in known:
            position, lower = lowered(index)
            below = derivative(name, lower)
            known[name, index] = total_derivative(below, names.coordinates[position], names)
        return known[name, index]

    leaves = derivative_symbols(expr, names).items()
    keys = {leaf: (names.unknowns[partial.unknown], partial.orders) for leaf, partial in leaves}
    replaced = {leaf: derivative(*key) for leaf, key in keys.items() if key[0] in solutions}
    return Audit().admit(substitute(expr, replaced))
