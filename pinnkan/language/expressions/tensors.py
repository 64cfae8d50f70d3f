"""Values of expressions and their algebra: numbers, vectors and tensors of symbolic forms.

A number is a SymPy expression, a vector a tuple of them, a tensor a tuple of
vectors of one length, its rows. Every function raises RankFault for operands
whose ranks or lengths do not fit; the translator adds the place in the text.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import sympy

from pinnkan.language.expressions.audit import constant_value
from pinnkan.language.expressions.names import Names
from pinnkan.language.expressions.tree import ExpressionFault, RankFault

Vector = tuple[Any, ...]
Tensor = tuple[Vector, ...]
Value = Any
"""A number, a ``Vector`` or a ``Tensor``."""

_HALF = sympy.Rational(1, 2)


def shape(value: Value) -> tuple[int, ...]:
    """() of a number, (length,) of a vector, (rows, columns) of a tensor."""
    lengths = []
    while isinstance(value, tuple):
        lengths.append(len(value))
        value = value[0]
    return tuple(lengths)


def rank(value: Value) -> int:
    """0 of a number, 1 of a vector, 2 of a tensor."""
    return len(shape(value))


def entries(value: Value) -> Vector:
    """All numbers of a value in one tuple, a tensor row by row; a number is its only entry."""
    if not isinstance(value, tuple):
        return (value,)
    return tuple(entry for part in value for entry in entries(part))


def entrywise(function: Callable[..., Any], *values: Value) -> Value:
    """Apply a function to every entry of a value, or to the entries of values of one shape together."""
    if not isinstance(values[0], tuple):
        return function(*values)
    return tuple(entrywise(function, *parts) for parts in zip(*values, strict=True))


def kind(value: Value) -> str:
    """``a number``, ``a vector`` or ``a tensor``."""
    return ("a number", "a vector", "a tensor")[rank(value)]


def describe(value: Value) -> str:
    """``a number``, ``a vector of 2`` or ``a 2 x 3 tensor``."""
    lengths = shape(value)
    if len(lengths) == 2:
        return f"a {lengths[0]} x {lengths[1]} tensor"
    return f"a vector of {lengths[0]}" if lengths else "a number"


def component_names(value: Value, names: Names) -> tuple[str, ...]:
    """What the entries of a value are called, in the order of `entries`; a number has none.

    A vector of one entry a space coordinate has the names ``x, y``, a tensor
    of such rows and columns ``xx, xy, yx, yy``; the entries of all others are
    counted, ``0, 1, 2`` and ``00, 01, 02``, or all in a row where that is ambiguous.
    """
    lengths = shape(value)
    in_space = set(lengths) == {len(names.space)}
    labels = [names.space if in_space else _digits(length) for length in lengths]
    if len(labels) < 2:
        return labels[0] if labels else ()
    pairs = tuple(row + column for row in labels[0] for column in labels[1])
    # Coordinates x and xx would make xxx of two entries.
    return pairs if len(set(pairs)) == len(pairs) else _digits(len(pairs))


def _digits(length: int) -> tuple[str, ...]:
    return tuple(str(position) for position in range(length))


def component(value: Value, letters: str, name: str, names: Names) -> Any:
    """The component ``U.x`` of a vector, ``sigma.xy`` of a tensor: its row first, then its column.

    Args:
        value: The vector or tensor.
        letters: What stands behind the point.
        name: What stands before it.
        names: The names; components are called by their space coordinates.
    """
    labels = component_names(value, names)
    if letters in labels:
        return entries(value)[labels.index(letters)]
    if not labels:
        constant = name in (*names.coordinates, *names.parameters, *names.constants)
        slope = f"; its derivative is {name}_{letters}" if letters in names.space and not constant else ""
        raise RankFault(f"'{name}.{letters}': {name} is a number, which has no components{slope}")
    if not labels[0][0].isalpha():
        coordinates = ", ".join(names.space)
        reason = f"components are for one entry a space coordinate ({coordinates})"
        raise RankFault(f"'{name}.{letters}': {name} is {describe(value)}; {reason}")
    known = ", ".join(f"{name}.{label}" for label in labels)
    raise RankFault(f"'{name}.{letters}': {name} is {describe(value)}; its components are {known}")


def scalar(value: Value, what: str) -> Any:
    """Return a number as it is, refuse all else."""
    if isinstance(value, tuple):
        advice = "dot(a, b) or norm(v)" if rank(value) == 1 else "trace(T), norm(T) or a component T.xy"
        raise RankFault(f"{what} needs a number, found {describe(value)}; use {advice}")
    return value


def vector(value: Value, what: str) -> Vector:
    """Return a vector as it is, refuse all else."""
    if rank(value) != 1:
        advice = "[a, b] or grad(u)" if rank(value) == 0 else "dot(T, v) or div(T)"
        raise RankFault(f"{what} needs a vector, found {describe(value)}; write {advice}")
    return tuple(value)


def tensor(value: Value, what: str) -> Tensor:
    """Return a tensor as it is, refuse all else."""
    if rank(value) != 2:
        raise RankFault(
            f"{what} needs a tensor, found {describe(value)}; write grad(U) of a vector or [[a, b], [c, d]]"
        )
    return tuple(value)


def stack(parts: tuple[Value, ...]) -> Value:
    """[a, b] of numbers, a vector, or of vectors of one length, the rows of a tensor."""
    first = parts[0]
    if any(rank(part) != rank(first) for part in parts):
        other = next(part for part in parts if rank(part) != rank(first))
        wanted = "an entry of a vector needs a number, and all rows of a tensor are vectors"
        raise RankFault(f"{wanted}; found {describe(first)} and {describe(other)}")
    if rank(first) == 2:
        raise RankFault("a list of tensors has no meaning; a vector is [a, b], a tensor [[a, b], [c, d]]")
    for part in parts[1:]:
        _same_shape(first, part, "rows")
    return parts


def add(a: Value, b: Value) -> Value:
    """a + b of two numbers, two vectors or two tensors."""
    if rank(a) != rank(b):
        low, high = sorted((a, b), key=rank)
        advice = {
            (0, 1): "use dot(a, b), norm(v) or [a, b]",
            (0, 2): "write p*I for a multiple of the identity, trace(T) or norm(T) for a number",
            (1, 2): "write div(T) or dot(T, v) for a vector",
        }
        raise RankFault(f"{kind(low)} and {kind(high)} cannot be added; {advice[rank(low), rank(high)]}")
    _same_shape(a, b)
    return entrywise(lambda p, q: p + q, a, b)


def multiply(a: Value, b: Value) -> Value:
    """a * b, at most one of them not a number."""
    if isinstance(a, tuple) and isinstance(b, tuple):
        if rank(a) != rank(b):
            raise RankFault("a vector and a tensor have no product '*'; write dot(T, v)")
        things, advice = ("vectors", "dot(a, b)") if rank(a) == 1 else ("tensors", "dot(S, T)")
        raise RankFault(f"two {things} have no product '*'; write {advice}")
    if isinstance(a, tuple):
        return entrywise(lambda entry: entry * b, a)
    return entrywise(lambda entry: a * entry, b)


def divide(a: Value, b: Value) -> Value:
    """a / b with b a number."""
    scalar(b, "'/' below the line")
    if b.is_number and constant_value(b) == 0:
        raise ExpressionFault("division by zero")
    return multiply(a, 1 / b)


def negate(a: Value) -> Value:
    """-a."""
    return entrywise(lambda entry: -entry, a)


def residual(left: Value, right: Value) -> Value:
    """left - right of the two sides of an equation, entry by entry."""
    if shape(left) != shape(right):
        found = f"the sides of an equation are {describe(left)} and {describe(right)}"
        if 0 in (left, right):
            raise RankFault(f"{found}; write {_zeros(shape(left) or shape(right))} for zero")
        raise RankFault(f"{found}; both are numbers, vectors of one length or tensors of one shape")
    return entrywise(lambda p, q: p - q, left, right)


def _zeros(lengths: tuple[int, ...]) -> str:
    if not lengths:
        return "0"
    return "[" + ", ".join([_zeros(lengths[1:])] * lengths[0]) + "]"


def dot(a: Value, b: Value) -> Value:
    """dot(a, b): the last index of a is summed with the first of b.

    a_i b_i of two vectors, T_ij v_j of a tensor and a vector, v_i T_ij, and S_ik T_kj of two tensors.
    """
    for value in (a, b):
        if rank(value) == 0:
            vector(value, "dot")
    if rank(a) == rank(b) == 1:
        _same_shape(a, b)
        return sympy.Add(*(p * q for p, q in zip(a, b, strict=True)))
    last, first = shape(a)[-1], shape(b)[0]
    if last != first:
        sums = f"it sums the last index of the first ({last}) with the first of the second ({first})"
        raise RankFault(f"dot of {describe(a)} and {describe(b)}: {sums}")
    if rank(a) == 2:
        return tuple(dot(row, b) for row in a)
    return tuple(dot(a, column) for column in transpose(b))


def cross(a: Value, b: Value) -> Value:
    """cross(a, b): the vector product of two vectors of 3, the number a_x b_y - a_y b_x of two of 2."""
    p, q = vector(a, "cross"), vector(b, "cross")
    if len(p) != len(q) or len(p) not in (2, 3):
        raise RankFault(f"cross needs two vectors of 3, or of 2; found {describe(p)} and {describe(q)}")
    if len(p) == 2:
        return p[0] * q[1] - p[1] * q[0]
    return tuple(p[i] * q[j] - p[j] * q[i] for i, j in ((1, 2), (2, 0), (0, 1)))


def outer(a: Value, b: Value) -> Tensor:
    """outer(a, b): the tensor a_i b_j."""
    p, q = vector(a, "outer"), vector(b, "outer")
    return tuple(tuple(left * right for right in q) for left in p)


def transpose(value: Value) -> Tensor:
    """transpose(T): T_ji."""
    return tuple(zip(*tensor(value, "transpose"), strict=True))


def symmetric_part(value: Value) -> Tensor:
    """sym(T): (T_ij + T_ji)/2."""
    square = _square(value, "sym")
    return tuple(entrywise(lambda p, q: _HALF * (p + q), square, transpose(square)))


def trace(value: Value) -> Any:
    """trace(T): the sum of T_ii."""
    return sympy.Add(*(row[position] for position, row in enumerate(_square(value, "trace"))))


def identity(size: int) -> Tensor:
    """I: the tensor with ones on its diagonal."""
    axes = range(size)
    return tuple(tuple(sympy.Integer(int(row == column)) for column in axes) for row in axes)


def _square(value: Value, what: str) -> Tensor:
    rows = tensor(value, what)
    if len(rows) != len(rows[0]):
        raise RankFault(f"{what} needs a tensor of as many rows as columns, found {describe(rows)}")
    return rows


def _same_shape(a: Value, b: Value, things: str = "vectors") -> None:
    if shape(a) == shape(b):
        return
    if rank(a) == 2:
        raise RankFault(f"tensors of different shapes, {describe(a)} and {describe(b)}")
    raise RankFault(f"{things} of different lengths, {len(a)} and {len(b)}")
