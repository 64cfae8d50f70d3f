"""Arithmetic to 60 digits on single numbers, for folding constants and for difficult limits.

An undefined operation gives NaN, as in floating point.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mpmath  # type: ignore[import-untyped]

_context = mpmath.MPContext()
_context.dps = 60

real: Callable[..., Any] = _context.mpf
NAN = _context.nan


def constant(expr: Any) -> Any:
    """A SymPy number (rational, floating point, pi, e) to working precision."""
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
        return result if isinstance(result, _context.mpf) else NAN

    return extended


def _decided(function: Callable[[Any, Any], bool]) -> Callable[..., Any]:
    """A condition: 1, 0, or NaN where one side is not a number."""
    return lambda a, b: NAN if _context.isnan(a) or _context.isnan(b) else real(int(function(a, b)))


def _where(condition: Any, a: Any, b: Any) -> Any:
    return NAN if _context.isnan(condition) else (a if condition else b)


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": lambda *terms: _context.fsum(terms),
    "multiply": lambda *factors: _context.fprod(factors),
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
    "tanh": _total(_context.tanh),
    "abs": abs,
    "less": _decided(lambda a, b: a < b),
    "less_equal": _decided(lambda a, b: a <= b),
    "both": min,
    "either": max,
    "otherwise": lambda condition: 1 - condition,
    "where": _where,
}
