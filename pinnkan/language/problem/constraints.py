"""Constraints: conditions on the domain as a whole, ``integral(p) = 0``, ``mean(u) = m``, ``p(0, 0) = 0``."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np
import sympy

from pinnkan.geometry import Shape
from pinnkan.ground.errors import quote
from pinnkan.language.expressions import Names, derivative_symbols, symbol
from pinnkan.language.expressions.names import read_derivative
from pinnkan.language.expressions.tree import Call, Equation, ExpressionFault, Name, Tree
from pinnkan.language.problem.domains import number_at
from pinnkan.language.problem.formulas import Formula, read_formula
from pinnkan.language.problem.spec import MEASURE, Constraint
from pinnkan.language.problem.statements import SOURCE, StatementReader, as_block
from pinnkan.language.reading.fields import read_list, refuse_unknown_keys, require
from pinnkan.language.reading.nodes import Block, Node, Scalar

_KEYS = ("name", "equation", "weight")
_INTEGRALS = ("integral", "mean")


class _Stated(NamedTuple):
    """One constraint as written: what is taken of which expression, at which position, and what it equals."""

    kind: str
    inner: Formula
    position: tuple[sympy.Expr, ...]
    right: Formula


def read_constraints(reader: StatementReader, root: Block, shape: Shape | None) -> tuple[Constraint, ...]:
    """Read the list ``constraints``.

    Args:
        reader: Knows the names, and notes faults.
        root: The problem file.
        shape: The domain in space at the base values; None where it has a fault of its own.
    """
    node = root.get("constraints")
    if node is None:
        return ()
    if not reader.declared.space:
        message = "constraints: a problem in time alone has no space to integrate over; use initial"
        reader.faults.add(node.place, message)
        return ()
    items = (
        (node,)
        if isinstance(node, Scalar)
        else read_list(node, "constraints", reader.faults, example='["integral(p) = 0"]')
    )
    constraints: list[Constraint] = []
    for index, item in enumerate(items or ()):
        constraints += _read(reader, item, f"constraint[{index}]", shape)
    return tuple(constraints)


def _read(reader: StatementReader, node: Node, path: str, shape: Shape | None) -> list[Constraint]:
    """Read one entry, a text or a block: a constraint a component."""
    if not isinstance(node, Scalar | Block):
        reader.faults.add(node.place, f"{path}: expected an equation or a block of keys, got a list")
        return []
    block = as_block(node)
    refuse_unknown_keys(block, _KEYS, path, reader.faults)
    text = require(block, "equation", path, block.place, reader.faults, example="integral(p) = 0")
    formula = None if text is None else read_formula(text, path, reader.faults, equation=True)
    name, weight = reader.read_name(block, path), reader.read_weight(block, path)
    stated = None if formula is None else _stated(reader, formula, path, shape)
    sides = None if stated is None else _sides(reader, stated, path)
    if formula is None or stated is None or sides is None or name is None or weight is None:
        return []
    constraints = []
    for suffix, (inner, right) in sides.items():
        own = f"{name}{suffix}"
        if own in reader.taken:
            reader.faults.add(block.place, f"{path}: the name {quote(own)} is taken")
        reader.taken.add(own)
        factor = MEASURE if stated.kind == "integral" else sympy.Integer(1)
        constraints.append(
            Constraint(
                own,
                formula.text,
                formula.node.place,
                factor * inner - right,
                kind=stated.kind,
                inner=inner,
                right=right,
                position=stated.position,
                weight=weight,
            )
        )
    return constraints


def _stated(reader: StatementReader, formula: Formula, path: str, shape: Shape | None) -> _Stated | None:
    """Take an equation apart; what has not the form of a constraint is refused with one message."""
    tree, names = formula.tree, reader.names()
    assert isinstance(tree, Equation)
    reader.used |= formula.mentions(names)
    left, space = tree.left, ", ".join(names.space)
    right = Formula(tree.right, formula.node)
    if isinstance(left, Call) and left.name in _INTEGRALS and left.name not in names.definitions:
        if len(left.arguments) != 1:
            message = f"{left.name} takes 1 expression, found {len(left.arguments)}"
            _refuse(reader, formula, left, f"{path}: {message}")
            return None
        return _Stated(left.name, Formula(left.arguments[0], formula.node), (), right)
    if isinstance(left, Call) and _has_values(left.name, names):
        reader.used.add(left.name)
        if len(left.arguments) != len(names.space):
            message = f"{left.name} is taken at a point ({space})"
            when = f", at every {names.time}" if names.time else ""
            found = f"{len(left.arguments)} number{'s' if len(left.arguments) > 1 else ''}"
            _refuse(reader, formula, left, f"{path}: {message}{when}; found {found}")
            return None
        position = _position(reader, formula, left, path, shape)
        inner = Formula(Name(left.name, left.start, left.start + len(left.name)), formula.node)
        return None if position is None else _Stated("value", inner, position, right)
    u = names.unknowns[0]
    zeros = ", ".join("0" for _ in names.space)
    message = (
        f"{path}: the left side of a constraint is integral(...), mean(...) or a value such as "
        f"{u}({zeros}); sums go inside, integral({u} + ...), and what is known to the right"
    )
    _refuse(reader, formula, left, message)
    return None


def _refuse(reader: StatementReader, formula: Formula, tree: Tree, message: str) -> None:
    reader.faults.add(formula.node.part(tree.start, tree.end), message)


def _has_values(name: str, names: Names) -> bool:
    """Tell whether a name stands for a function of the coordinates: an unknown's, or a definition."""
    try:
        return name in names.definitions or read_derivative(name, names) is not None
    except ExpressionFault:
        return False


def _position(
    reader: StatementReader, formula: Formula, call: Call, path: str, shape: Shape | None
) -> tuple[sympy.Expr, ...] | None:
    """Return the coordinates of a point, which may depend on the parameters and lies in the domain."""
    names, before = reader.declared.parameters_only(), len(reader.faults)
    read = [
        Formula(entry, formula.node).symbolic(names, reader.faults, f"{path}: a point takes numbers")
        for entry in call.arguments
    ]
    if len(reader.faults) > before:
        return None
    base = {parameter.name: parameter.base for parameter in reader.declared.parameters}
    numbers = [number_at(entry, base) for entry in read]
    if shape is not None and not shape.contains(np.array([numbers]))[0]:
        place = ", ".join(f"{value:.9g}" for value in numbers)
        _refuse(reader, formula, call, f"{path}: the point ({place}) lies outside the domain")
        return None
    return tuple(read)


def _sides(
    reader: StatementReader, stated: _Stated, path: str
) -> dict[str, tuple[sympy.Expr, sympy.Expr]] | None:
    """Return the inner expression and the right side by component."""
    names = reader.names()
    inner = reader.components(stated.inner, path, names)
    told = f"{path}: the right side takes numbers, parameters and time"
    known = reader.components(stated.right, told, _of_time(reader))
    if inner is None or known is None:
        return None
    place = stated.inner.node.place
    sizes = ["a number" if "" in side else f"a vector of {len(side)}" for side in (inner, known)]
    if sizes[0] != sizes[1]:
        reader.faults.add(place, f"{path}: {sizes[0]} on the left, {sizes[1]} on the right")
        return None
    for expr in (*inner.values(), *known.values()):
        if expr.has(SOURCE):
            message = f"{path}: a manufactured source is that of an equation; a constraint takes exact"
            reader.faults.add(place, message)
            return None
    if any(not derivative_symbols(expr, names) for expr in inner.values()):
        listed = ", ".join(names.unknowns)
        verb = "does" if len(names.unknowns) == 1 else "do"
        reader.faults.add(place, f"{path}: {listed} {verb} not occur")
        return None
    return dict(zip(inner, zip(inner.values(), known.values(), strict=True), strict=True))


def _of_time(reader: StatementReader) -> Names:
    """Return what the right side may mention: parameters and time."""
    time = reader.declared.time
    extra = {} if time is None else {time: symbol(time)}
    return replace(reader.names(), space=(), time=None, unknowns=(), extra=extra)
