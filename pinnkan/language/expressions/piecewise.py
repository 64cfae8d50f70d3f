"""Case distinctions as opaque symbolic functions: conditions, ``Where`` and what is built of it.

Why not SymPy's own: its Piecewise and relationals rewrite themselves on
construction (``max(1 - r, 0)^(-1/2)`` would become a branch with a complex
infinity), its Abs and Max differentiate to sign, Heaviside and DiracDelta.
These classes stay as they were written, differentiate branch by branch, and
print as ``Piecewise``, ``Max``, ``Min`` and ``Abs``.

A condition is a function of numbers, too: 1 where it holds, 0 where not.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Collection
from typing import Any

import sympy


class _Real(sympy.Function):  # type: ignore[misc]
    """A real-valued function that SymPy knows nothing else about."""

    is_real = True


class Less(_Real):
    """a < b."""

    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        """Decide between two numbers."""
        return _decided(a, b, operator.lt)


class LessEqual(_Real):
    """a <= b."""

    nargs = 2

    @classmethod
    def eval(cls, a: Any, b: Any) -> Any:
        """Decide between two numbers."""
        return _decided(a, b, operator.le)


class Both(_Real):
    """Both conditions hold."""

    nargs = 2

    @classmethod
    def eval(cls, p: Any, q: Any) -> Any:
        """Drop a condition that is decided."""
        if p.is_Integer:
            return q if p == 1 else p
        if q.is_Integer:
            return p if q == 1 else q
        return None


class Either(_Real):
    """At least one of the conditions holds."""

    nargs = 2

    @classmethod
    def eval(cls, p: Any, q: Any) -> Any:
        """Drop a condition that is decided."""
        if p.is_Integer:
            return p if p == 1 else q
        if q.is_Integer:
            return q if q == 1 else p
        return None


class Where(_Real):
    """The value ``a`` where the condition holds, ``b`` elsewhere."""

    nargs = 3

    @classmethod
    def eval(cls, condition: Any, a: Any, b: Any) -> Any:
        """Take the branch of a decided condition."""
        if condition.is_Integer:
            return a if condition == 1 else b
        return a if a == b else None

    def _eval_derivative(self, symbol: Any) -> Any:
        """Differentiate branch by branch: one-sided at the switch, never a Dirac."""
        condition, a, b = self.args
        return Where(condition, a.diff(symbol), b.diff(symbol))


def _decided(a: Any, b: Any, compare: Callable[[float, float], bool]) -> Any:
    """1 or 0 for two real numbers, None (leave it as it is) for anything else."""
    if a.is_number and b.is_number and a.is_extended_real and b.is_extended_real:
        return sympy.Integer(int(compare(float(a), float(b))))
    return None


def maximum(a: Any, b: Any) -> Any:
    """The larger of two; where they are equal the first one, and its derivatives."""
    return Where(LessEqual(b, a), a, b)


def minimum(a: Any, b: Any) -> Any:
    """The smaller of two; where they are equal the first one, and its derivatives."""
    return Where(LessEqual(a, b), a, b)


def absolute(a: Any) -> Any:
    """|a|; its derivative at zero is that of the side a > 0."""
    return Where(LessEqual(0, a), a, -a)


def has_jump(expression: sympy.Expr, coordinates: Collection[sympy.Symbol]) -> bool:
    """Tell whether a formula jumps somewhere in the coordinates, as far as its writing shows.

    ``max``, ``min`` and ``abs`` join where they switch: the difference of their two values is that of the
    two sides of their condition, or a multiple of it. Any other switch by a coordinate counts as a jump.
    """
    return any(
        not switch.args[0].free_symbols.isdisjoint(coordinates) and not _joins(switch)
        for switch in expression.atoms(Where)
    )


def _joins(switch: Where) -> bool:
    condition, a, b = switch.args
    if not isinstance(condition, Less | LessEqual):
        return False
    left, right = condition.args
    return bool(sympy.cancel((a - b) / (left - right)).is_number)
