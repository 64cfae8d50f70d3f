"""The vocabulary: elementary functions, and the operators of vector calculus, on symbolic forms.

A value is a scalar (a SymPy expression) or a vector (a tuple of them). Every
function here takes values and raises ExpressionFault for what has no meaning;
the translator adds the place in the text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import sympy

from pinnkan.language.expressions.audit import constant_value, power_value, tame_base, tame_exponent
from pinnkan.language.expressions.calculus import total_derivative
from pinnkan.language.expressions.names import ALL_REAL, Names, derivative_symbols, normal_symbols
from pinnkan.language.expressions.piecewise import Less, Where, absolute, maximum, minimum
from pinnkan.language.expressions.tree import ExpressionFault

Vector = tuple[Any, ...]
Value = Any
"""A scalar, or a ``Vector``."""

_HALF = sympy.Rational(1, 2)


def scalar(value: Value, what: str) -> Any:
    """Return a scalar as it is, refuse a vector."""
    if isinstance(value, tuple):
        found = f"found a vector of {len(value)}; use dot(a, b) or norm(v)"
        raise ExpressionFault(f"{what} needs a number, {found}")
    return value


def vector(value: Value, what: str) -> Vector:
    """Return a vector as it is, refuse a scalar."""
    if not isinstance(value, tuple):
        raise ExpressionFault(f"{what} needs a vector, found a number; write [a, b] or grad(u)")
    return value


def number(value: float) -> Any:
    """A constant as SymPy knows it: an integer if it is one, so that x^2 is a square, else floating point."""
    if value.is_integer() and abs(value) <= 2.0**53:
        return sympy.Integer(int(value))
    return sympy.Float(value)


def add(a: Value, b: Value) -> Value:
    """a + b of two scalars or two vectors."""
    if isinstance(a, tuple) != isinstance(b, tuple):
        raise ExpressionFault("a number and a vector cannot be added; use dot(a, b), norm(v) or [a, b]")
    if isinstance(a, tuple):
        _same_length(a, b)
        return tuple(p + q for p, q in zip(a, b, strict=True))
    return a + b


def multiply(a: Value, b: Value) -> Value:
    """a * b, at most one of them a vector."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        raise ExpressionFault("two vectors have no product '*'; write dot(a, b)")
    if isinstance(a, tuple):
        return tuple(entry * b for entry in a)
    if isinstance(b, tuple):
        return tuple(a * entry for entry in b)
    return a * b


def divide(a: Value, b: Value) -> Value:
    """a / b with b a scalar."""
    scalar(b, "'/' below the line")
    if b.is_number and constant_value(b) == 0:
        raise ExpressionFault("division by zero")
    return multiply(a, 1 / b)


def negate(a: Value) -> Value:
    """-a."""
    return tuple(-entry for entry in a) if isinstance(a, tuple) else -a


def power(base: Value, exponent: Value) -> Any:
    """base^exponent of scalars.

    Constants are checked as floating-point numbers before SymPy sees them, so
    that 9^9^9 is a fault rather than a number of 370 million digits.
    Exponents that are multiples of 1/2 are exact: x^0.5 is sqrt(x).
    """
    if isinstance(base, tuple):
        raise ExpressionFault("a vector has no powers; write dot(v, v) for its square")
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


def _same_length(a: Vector, b: Vector) -> None:
    if len(a) != len(b):
        raise ExpressionFault(f"vectors of different lengths, {len(a)} and {len(b)}")


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


def gradient(value: Value, names: Names) -> Vector:
    """grad(u): the derivatives along the space coordinates."""
    if isinstance(value, tuple):
        raise ExpressionFault("grad needs a number, found a vector; for div(grad(u)) write laplace(u)")
    if not names.space:
        raise ExpressionFault("there are no space coordinates to differentiate along")
    return tuple(total_derivative(value, coordinate, names) for coordinate in names.space)


def divergence(value: Value, names: Names) -> Any:
    """div(v): the sum of the derivatives of v_i along x_i."""
    entries = vector(value, "div")
    if len(entries) != len(names.space):
        wanted = f"a vector of {len(names.space)}, one entry a space coordinate"
        raise ExpressionFault(f"div needs {wanted}; found {len(entries)}")
    return sympy.Add(*(total_derivative(v, x, names) for v, x in zip(entries, names.space, strict=True)))


def laplacian(value: Value, names: Names) -> Any:
    """laplace(u): the sum of the second derivatives in space, never in time."""
    return divergence(gradient(scalar(value, "laplace"), names), names)


def biharmonic(value: Value, names: Names) -> Any:
    """biharmonic(u): the Laplacian of the Laplacian, u_xxxx + 2 u_xxyy + u_yyyy in the plane."""
    return laplacian(laplacian(scalar(value, "biharmonic"), names), names)


def dot(a: Value, b: Value) -> Any:
    """dot(a, b): the sum of the products of entries."""
    first, second = vector(a, "dot"), vector(b, "dot")
    _same_length(first, second)
    return sympy.Add(*(p * q for p, q in zip(first, second, strict=True)))


def norm(value: Value, names: Names) -> Any:
    """norm(v): the Euclidean length.

    Where it depends on the unknown, its derivative at v = 0 is taken as zero
    (the smallest subgradient), so that a vanishing gradient gives no 0/0; of a
    vector that is known, the derivative stays the formula, whose limit may exist.
    """
    entries = vector(value, "norm")
    square = dot(entries, entries)
    if derivative_symbols(square, names):
        return Where(Less(0, square), power(square, _HALF), sympy.Integer(0))
    return power(square, _HALF)


def normal_derivative(value: Value, names: Names, *, normal: bool) -> Any:
    """dn(u): the derivative along the outward normal."""
    if not normal:
        raise ExpressionFault("dn is the normal derivative, which is known in boundary conditions only")
    return dot(normal_symbols(names), gradient(scalar(value, "dn"), names))


def extremum(name: str, values: Sequence[Any]) -> Any:
    """min or max of two or more."""
    # Halves against halves: an operand is written out twice in every match that it takes part in.
    if len(values) == 1:
        return values[0]
    middle = (len(values) + 1) // 2
    first, second = extremum(name, values[:middle]), extremum(name, values[middle:])
    return maximum(first, second) if name == "max" else minimum(first, second)


def flattened(value: Value) -> tuple[Any, ...]:
    """The entries of a scalar, a vector, or a tensor row by row."""
    return tuple(e for entry in value for e in flattened(entry)) if isinstance(value, tuple) else (value,)


def component_names(value: Value, names: Names) -> tuple[str, ...]:
    """x, y, ... for the entries of a vector in space, 0, 1, ... for those of another."""
    if len(value) == len(names.space):
        return names.space
    return tuple(str(position) for position in range(len(value)))
