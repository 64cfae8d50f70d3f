"""Bounds on symbolic forms: size, depth, finite real constants.

Text is bounded by the parser, but definitions multiply (d1 = sin(d0) + cos(d0),
d2 = sin(d1) + cos(d1), ...) and so do derivatives; and constants can leave
the real numbers (sqrt(-1), log(0), 9^9^9). Both are refused where they arise.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import sympy

from pinnkan.language.expressions.tree import ExpressionFault

MAX_SIZE = 50_000
MAX_HEIGHT = 150
_EXACT_BITS = 4096
_LARGE_EXPONENT = 1000

_SCALAR: dict[Any, Callable[..., float]] = {
    sympy.sin: math.sin,
    sympy.cos: math.cos,
    sympy.tan: math.tan,
    sympy.exp: math.exp,
    sympy.log: math.log,
    sympy.sinh: math.sinh,
    sympy.cosh: math.cosh,
    sympy.erf: math.erf,
    sympy.tanh: math.tanh,
    sympy.Abs: abs,
}


class Audit:
    """Measures every part of a growing form once; ``admit`` refuses what exceeds the bounds."""

    def __init__(self) -> None:
        self._measures: dict[Any, tuple[int, int, bool]] = {}

    def admit(self, expr: Any) -> Any:
        """Return the expression itself.

        Raises:
            ExpressionFault: If it is too large, too deep, or holds a constant that is not a finite real.
        """
        size, height, _ = self._measure(expr)
        if size > MAX_SIZE or height > MAX_HEIGHT:
            raise ExpressionFault(
                "too large when definitions and derivatives are written out "
                f"({MAX_SIZE} operations, {MAX_HEIGHT} levels); simplify the definitions"
            )
        return expr

    def _measure(self, part: Any) -> tuple[int, int, bool]:
        """Size as a tree, height, and whether the part is constant."""
        if part not in self._measures:
            below = [self._measure(arg) for arg in part.args]
            constant = all(fixed for _, _, fixed in below) and not part.is_Symbol
            if constant:
                constant_value(part)
            size = 1 + sum(size for size, _, _ in below)
            self._measures[part] = size, 1 + max((height for _, height, _ in below), default=0), constant
        return self._measures[part]


def constant_value(expr: Any) -> float:
    """The value of an expression without symbols.

    Raises:
        ExpressionFault: If it is not a finite real number.
    """
    try:
        value = _value(expr)
    except OverflowError:
        raise ExpressionFault("a constant here is too large (largest: 1.8e308)") from None
    except ZeroDivisionError:
        raise ExpressionFault("a constant here is divided by zero") from None
    except (ValueError, TypeError, KeyError):
        raise ExpressionFault("a constant here is not a real number") from None
    if not math.isfinite(value):
        raise ExpressionFault("a constant here is not a finite number")
    return value


def _value(part: Any) -> float:
    if part.is_Rational:
        return int(part.p) / int(part.q)
    if part.is_Add:
        return math.fsum(map(_value, part.args))
    if part.is_Mul:
        return math.prod(map(_value, part.args))
    if part.is_Pow:
        return power_value(_value(part.base), _value(part.exp))
    if part.is_Function:
        return _SCALAR[part.func](*map(_value, part.args))
    if part.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo):
        raise ValueError
    return float(part)


def power_value(base: float, exponent: float) -> float:
    """base^exponent, a ValueError where that is complex."""
    if base < 0 and not float(exponent).is_integer():
        raise ValueError("complex power")
    return float(base**exponent)


def tame_exponent(exponent: Any) -> Any:
    """Make large rationals of an exponent floating point, so that no power of them is computed exactly.

    SymPy computes 2**n exactly whenever powers meet, 2**(x + n) * 2**(-x);
    for n = 10**9 that never ends.
    """
    large = {n: sympy.Float(n) for n in exponent.atoms(sympy.Rational) if abs(n) > _LARGE_EXPONENT}
    return exponent.xreplace(large) if large else exponent


def tame_base(base: Any, exponent: float) -> Any:
    """Make the rational factor of a base floating point if its exact power would be long."""
    factor, rest = base.as_coeff_Mul()
    if not factor.is_Rational or abs(factor) == 1:
        return base
    bits = max(int(factor.p).bit_length(), int(factor.q).bit_length())
    if bits * abs(exponent) <= _EXACT_BITS:
        return base
    return sympy.Mul(sympy.Float(factor), rest)
