"""Arithmetic to 60 digits on single numbers, for folding constants and for difficult limits.

An undefined operation gives NaN and an overflow infinity, as in floating
point, only later: at 2^5000. Without that bound a cosine of exp(exp(10)) would
be reduced modulo pi to 30,000 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from operator import add, mul
from typing import Any

import mpmath  # type: ignore[import-untyped]

_context = mpmath.MPContext()
_context.dps = 60

_LARGEST_EXPONENT = 5000

real: Callable[..., Any] = _context.mpf
NAN = _context.nan


def constant(expr: Any) -> Any:
    """A SymPy atom (rational, floating point, pi, e) to working precision; NaN if it is no finite real."""
    if not expr.is_real:
        return NAN
    if expr.is_Rational:
        return real(int(expr.p)) / int(expr.q)
    return _context.make_mpf(expr._to_mpmath(_context.prec)._mpf_)


def _total(function: Callable[..., Any]) -> Callable[..., Any]:
    """Give NaN where the function is complex, or not defined."""

    def extended(*values: Any) -> Any:
        try:
            result = function(*values)
        except (ArithmeticError, ValueError):
            return NAN
        if not isinstance(result, _context.mpf):
            return NAN
        magnitude = _context.mag(result)
        if -_LARGEST_EXPONENT < magnitude < _LARGEST_EXPONENT:
            return result
        return result if _context.isnan(result) else _beyond(result, magnitude > 0)

    return extended


def _beyond(value: Any, large: bool) -> Any:
    """Zero or infinity for what is out of range (zero and infinities themselves included)."""
    if not large or value == 0:
        return _context.zero
    return _context.inf if value > 0 else _context.ninf


def _decided(function: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """A condition: 1, 0, or NaN where one side is not a number."""
    return lambda a, b: NAN if _context.isnan(a) or _context.isnan(b) else real(int(function(a, b)))


def _where(condition: Any, a: Any, b: Any) -> Any:
    return NAN if _context.isnan(condition) else (a if condition else b)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": _total(lambda *terms: reduce(add, terms)),
    "multiply": _total(lambda *factors: reduce(mul, factors)),
    "divide": _total(lambda a, b: a / b),
    "power": _total(lambda a, b: a**b),
    "sqrt": _total(_context.sqrt),
    "exp": _total(_context.exp),
    "log": _total(_context.log),
    "sin": _total(_context.sin),
    "cos": _total(_context.cos),
    "tan": _total(_context.tan),
    "sinh": _total(_context.sinh),
    "cosh": _total(_context.cosh),
    "erf": _total(_context.erf),
    "tanh": _total(_context.tanh),
    "abs": abs,
    "less": _decided(lambda a, b: a < b),
    "less_equal": _decided(lambda a, b: a <= b),
    "both": min,
    "either": max,
    "otherwise": lambda condition: 1 - condition,
    "where": _where,
}
