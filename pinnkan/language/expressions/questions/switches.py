"""Where a formula may fail to be smooth: the functions whose zeros part its branches or end its domain.

``where(x < c, a, b)``, ``min``, ``max`` and ``abs`` change branch where a difference vanishes, a
power that is no natural number where its base does, a logarithm where its argument does, a tangent
at its poles. Everything else in the language is analytic.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sympy

from pinnkan.language.expressions.piecewise import Both, Either, Less, LessEqual, Where


@dataclass(frozen=True)
class Switch:
    """A function whose zeros are places where the formula may not be smooth.

    Attributes:
        function: The function.
        operation: The operation that it belongs to, in the words of the language.
    """

    function: Any
    operation: str


@lru_cache(maxsize=1024)
def switches(expr: Any) -> tuple[Switch, ...]:
    """Return every switch of a formula, each function once."""
    found: dict[Any, str] = {}
    for part in sympy.postorder_traversal(expr):
        for function, operation in _own_switches(part):
            if function.free_symbols:
                found.setdefault(function, operation)
    return tuple(Switch(function, operation) for function, operation in found.items())


def _own_switches(part: Any) -> Iterator[tuple[Any, str]]:
    if isinstance(part, Where):
        operation = _word(*part.args)
        yield from ((difference, operation) for difference in _differences(part.args[0]))
    elif isinstance(part, sympy.Abs):
        yield part.args[0], "abs"
    elif part.is_Pow:
        yield from _power_switches(part.base, part.exp)
    elif isinstance(part, sympy.log):
        yield part.args[0], "log"
    elif isinstance(part, sympy.tan):
        yield sympy.cos(part.args[0]), "tan"
    elif isinstance(part, sympy.cot):
        yield sympy.sin(part.args[0]), "tan"


def _power_switches(base: Any, exponent: Any) -> Iterator[tuple[Any, str]]:
    if base.is_number:
        return
    if exponent.is_number:
        value = float(exponent)
        if value.is_integer():
            if value < 0:
                yield base, "a quotient"
        else:
            yield base, "sqrt" if value == 0.5 else "a power"
    else:
        yield base, "a power"


def _differences(condition: Any) -> Iterator[Any]:
    """Yield a - b for every comparison of a with b in a condition."""
    if isinstance(condition, Both | Either):
        for part in condition.args:
            yield from _differences(part)
    elif isinstance(condition, Less | LessEqual):
        yield condition.args[0] - condition.args[1]


def _word(condition: Any, a: Any, b: Any) -> str:
    """Return the name that the user knows a case distinction by."""
    if isinstance(condition, LessEqual):
        low, high = condition.args
        if low == 0 and (high, -high) == (a, b):
            return "abs"
        if (low, high) == (b, a):
            return "max"
        if (low, high) == (a, b):
            return "min"
    return "where"
