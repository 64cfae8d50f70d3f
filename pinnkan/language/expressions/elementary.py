"""Numbers, powers and elementary functions of symbolic forms; constants stay finite and real."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import sympy

from pinnkan.language.expressions.audit import constant_value, power_value, tame_base, tame_exponent
from pinnkan.language.expressions.names import ALL_REAL
from pinnkan.language.expressions.piecewise import absolute, maximum, minimum
from pinnkan.language.expressions.tensors import Value, kind, rank, scalar
from pinnkan.language.expressions.tree import ExpressionFault, RankFault

_HALF = sympy.Rational(1, 2)


def number(value: float) -> Any:
    """A constant as SymPy knows it: an integer if it is one, so that x^2 is a square, else floating point."""
    if value.is_integer() and abs(value) <= 2.0**53:
        return sympy.Integer(int(value))
    return sympy.Float(value)


def power(base: Value, exponent: Value) -> Any:
    """base^exponent of scalars.

    Constants are checked as floating-point numbers before SymPy sees them, so
    that 9^9^9 is a fault rather than a number of 370 million digits.
    Exponents that are multiples of 1/2 are exact: x^0.5 is sqrt(x).
    """
    if isinstance(base, tuple):
        square = "dot(v, v) for its square" if rank(base) == 1 else "dot(T, T) for its square"
        raise RankFault(f"{kind(base)} has no powers; write {square}")
    exponent = scalar(exponent, "an exponent")
    if exponent.is_number:
        exponent = _exact_halves(exponent)
        value = constant_value(exponent)
        if base.is_number:
            _check_power(constant_value(base), value)
        base = tame_base(base, value)
    elif base.is_number and base != sympy.E:
        base = sympy.Float(constant_value(base))
    return base ** tame_exponent(exponent)


def _exact_halves(exponent: Any) -> Any:
    if exponent.is_Float and float(2 * exponent).is_integer() and abs(exponent) < 100:
        return sympy.Rational(int(2 * exponent), 2)
    return exponent


def _check_power(base: float, exponent: float) -> None:
    try:
        finite = math.isfinite(power_value(base, exponent))
    except OverflowError:
        finite = False
    except ZeroDivisionError:
        raise ExpressionFault("division by zero: zero to a negative power") from None
    except ValueError:
        raise ExpressionFault(f"a negative number to a broken power is not real; {ALL_REAL}") from None
    if not finite:
        raise ExpressionFault("this constant is too large (largest: 1.8e308)")


def _exponential(a: Any) -> Any:
    return sympy.exp(tame_exponent(a))


def _square_root(a: Any) -> Any:
    return power(a, _HALF)


def _elementary(function: Callable[[Any], Any], in_floats: Callable[[float], float]) -> Callable[[Any], Any]:
    """Guard a function of one variable: constants outside its domain are refused before SymPy sees them."""

    def guarded(a: Any) -> Any:
        if a.is_number:
            try:
                in_floats(constant_value(a))
            except OverflowError:
                raise ExpressionFault("this constant is too large (largest: 1.8e308)") from None
            except ValueError:
                number = constant_value(a)
                reason = f"; {ALL_REAL}" if number < 0 else ""
                raise ExpressionFault(f"not defined at {number:g}{reason}") from None
        return function(a)

    return guarded


ONE_VARIABLE: dict[str, Callable[[Any], Any]] = {
    "sin": _elementary(sympy.sin, math.sin),
    "cos": _elementary(sympy.cos, math.cos),
    "tan": _elementary(sympy.tan, math.tan),
    "exp": _elementary(_exponential, math.exp),
    "log": _elementary(sympy.log, math.log),
    "sqrt": _elementary(_square_root, math.sqrt),
    "abs": absolute,
    "tanh": _elementary(sympy.tanh, math.tanh),
    "sinh": _elementary(sympy.sinh, math.sinh),
    "cosh": _elementary(sympy.cosh, math.cosh),
    "erf": _elementary(sympy.erf, math.erf),
}


def extremum(name: str, values: Sequence[Any]) -> Any:
    """min or max of two or more."""
    # Halves against halves: an operand is written out twice in every match that it takes part in.
    if len(values) == 1:
        return values[0]
    middle = (len(values) + 1) // 2
    first, second = extremum(name, values[:middle]), extremum(name, values[middle:])
    return maximum(first, second) if name == "max" else minimum(first, second)
