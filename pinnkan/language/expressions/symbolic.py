"""Syntax trees to symbolic forms under given names: operators carried out, definitions expanded.

In the result only symbols remain: coordinates, parameters, ``u``, ``u_x``,
``u_xy``, ... and, in boundary conditions, the normal ``n_x``, ``n_y``, ...;
a vector is a tuple of such forms, a tensor a tuple of rows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import sympy

from pinnkan.language.expressions import elementary, tensors
from pinnkan.language.expressions.audit import Audit
from pinnkan.language.expressions.calculus import check_order, total_derivative
from pinnkan.language.expressions.compound import take_apart
from pinnkan.language.expressions.derivative_calls import derivative_path, index_path
from pinnkan.language.expressions.names import (
    HIDEABLE,
    Names,
    derivative_name,
    normal_symbols,
    read_derivative,
    read_letters,
    symbol,
    unknown_name,
)
from pinnkan.language.expressions.operators import ALGEBRA, CALCULUS, Surroundings, normal_vector
from pinnkan.language.expressions.piecewise import Both, Either, Less, LessEqual, Where
from pinnkan.language.expressions.remarks import rank_remark, unknown_function
from pinnkan.language.expressions.tensors import Value, describe, entries, entrywise, scalar
from pinnkan.language.expressions.tree import (
    BinOp,
    BoolOp,
    Call,
    Compare,
    Equation,
    ExpressionFault,
    Name,
    Number,
    RankFault,
    Tree,
    UnaryOp,
    Vector,
)

_ALIASES = {"Abs": "abs", "Max": "max", "Min": "min", "lap": "laplace", "laplacian": "laplace"}
_BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "+": tensors.add,
    "-": lambda a, b: tensors.add(a, tensors.negate(b)),
    "*": tensors.multiply,
    "/": tensors.divide,
    "^": elementary.power,
}
_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "<": Less,
    "<=": LessEqual,
    ">": lambda a, b: Less(b, a),
    ">=": lambda a, b: LessEqual(b, a),
}


@dataclass(frozen=True)
class Differentiation:
    """One derivative that a text asks for.

    Attributes:
        expr: What is differentiated.
        coordinate: Along which coordinate.
        step: How many derivatives of the same operator, ``diff(f, x, 2)`` or ``laplace(f)``, came before.
        start: Where the text that asks for it begins.
        end: Where it ends.
    """

    expr: Any
    coordinate: str
    step: int
    start: int
    end: int


def to_symbolic(
    tree: Tree, names: Names, *, normal: bool = False, taken: list[Differentiation] | None = None
) -> Any:
    """Translate an expression, or an equation into its residual left - right.

    Args:
        tree: What the parser gave.
        names: What the names in it stand for.
        normal: Whether ``n`` and ``dn`` are known: in boundary conditions.
        taken: Is given every derivative that the text asks for, those in definitions too.

    Returns:
        A SymPy expression in real symbols.

    Raises:
        ExpressionFault: If a name is unknown, an operator does not fit its
            operands, or the result is a vector, too large or not real.
    """
    value = to_value(tree, names, normal=normal, taken=taken)
    if isinstance(value, tuple):
        found = f"found {describe(value)}"
        message = f"expected a number, {found}"
        if isinstance(tree, Equation):
            message = f"both sides of an equation are numbers here, {found}; write one equation an entry"
        raise ExpressionFault(message, tree.start, tree.end)
    return value


def to_value(
    tree: Tree, names: Names, *, normal: bool = False, taken: list[Differentiation] | None = None
) -> Value:
    """Translate like ``to_symbolic``, but allow vectors, which come as tuples, and tensors, tuples of rows.

    An equation between two vectors gives the vector of its residuals; `component_names` names them.

    Raises:
        ExpressionFault: As ``to_symbolic``.
    """
    try:
        return _Translator(names, normal, taken).value(tree)
    except RecursionError:
        message = "nested too deeply when definitions and derivatives are written out"
        raise ExpressionFault(message, tree.start, tree.end) from None


class _Translator:
    """One translation: the names, the audit of sizes, the definitions and the derivatives met so far."""

    def __init__(self, names: Names, normal: bool, taken: list[Differentiation] | None) -> None:
        self._names = names
        self._normal = normal
        self._taken = [] if taken is None else taken
        self._outermost: Name | None = None
        self._audit = Audit()
        self._expanded: dict[str, Value] = {}
        self._open: list[str] = []

    def value(self, tree: Tree) -> Value:
        """Translate one node; faults that have no place yet get that of the node."""
        if isinstance(tree, BinOp):
            return self._chain(tree)
        return self._placed(tree, partial(_TRANSLATIONS[type(tree)], self, tree))

    def _placed(self, tree: Tree, translate: Callable[[], Value]) -> Value:
        try:
            value = translate()
            for entry in entries(value):
                self._audit.admit(entry)
            return value
        except ExpressionFault as fault:
            if fault.end:
                raise
            vectors = {name for name, value in self._expanded.items() if isinstance(value, tuple)}
            reason = rank_remark(tree, self._names, vectors) if isinstance(fault, RankFault) else ""
            raise ExpressionFault(fault.message + reason, tree.start, tree.end) from None

    def _chain(self, tree: BinOp) -> Value:
        """Translate a + b + c + ... in a loop: long sums are deep trees."""
        spine = [tree]
        while isinstance(spine[-1].left, BinOp):
            spine.append(spine[-1].left)
        value = self.value(spine[-1].left)
        for node in reversed(spine):
            right = self.value(node.right)
            value = self._placed(node, partial(_BINARY[node.operator], value, right))
        return value

    def _number(self, tree: Number) -> Value:
        return elementary.number(tree.value)

    def _unary(self, tree: UnaryOp) -> Value:
        value = self.value(tree.operand)
        return tensors.negate(value) if tree.operator == "-" else value

    def _vector(self, tree: Vector) -> Value:
        return tensors.stack(tuple(self.value(entry) for entry in tree.entries))

    def _equation(self, tree: Equation) -> Value:
        return tensors.residual(self.value(tree.left), self.value(tree.right))

    def _compare(self, tree: Compare) -> Value:
        left = scalar(self.value(tree.left), f"'{tree.operator}'")
        right = scalar(self.value(tree.right), f"'{tree.operator}'")
        return _COMPARE[tree.operator](left, right)

    def _boolean(self, tree: BoolOp) -> Value:
        join = Both if tree.operator == "and" else Either
        return join(self.value(tree.left), self.value(tree.right))

    def _name(self, tree: Name) -> Value:
        """A name alone, or with steps behind it: ``U.x``, ``sigma.xy``, ``U_t``."""
        name, names = tree.name, self._names
        if name == "lamda" and "lamda" not in names.known():
            name = "lambda"  # SymPy's spelling, as canonical_text writes it
        if name in names.definitions:
            return self._definition(name, tree)  # at once: chains of definitions nest deeply
        parts = take_apart(name, names)
        if parts is None:
            raise ExpressionFault(unknown_name(name, names), tree.start, tree.end)
        reached, steps = parts
        value = self._known(reached, tree)
        for step in steps:
            sign, letters = step[0], step[1:]
            if sign == ".":
                value = tensors.component(value, letters, reached, names)
            else:
                value = self._subscript(value, letters, reached, tree)
            reached += step
        return value

    def _subscript(self, value: Value, letters: str, name: str, tree: Name) -> Value:
        """U_x of a definition, a component, or a name with a form of its own: its derivative."""
        names = self._names
        index = read_letters(letters, names)
        numbers = (*names.coordinates, *names.parameters, *names.constants)
        if index is None or name in numbers or read_derivative(name, names) is not None:
            raise ExpressionFault(unknown_name(f"{name}_{letters}", names), tree.start, tree.end)
        return self._along(value, index_path(index, names), tree)

    def _known(self, name: str, tree: Name) -> Value:
        """A name without steps; the problem's own come before the built-in ones."""
        names = self._names
        if name in names.coordinates or name in names.parameters:
            return symbol(name)
        if name in names.definitions:
            return self._definition(name, tree)
        if name in names.extra:
            return names.extra[name]
        derivative = read_derivative(name, names)
        if derivative is not None:
            unknown, index = derivative
            check_order(unknown, index, names)
            return symbol(derivative_name(unknown, index, names))
        if name in ("pi", "e"):
            return sympy.pi if name == "pi" else sympy.E
        if name == "I":
            return tensors.identity(len(names.space))
        normal = normal_vector(self._surroundings(tree))
        return normal if name == "n" else normal[normal_symbols(names).index(symbol(name))]

    def _definition(self, name: str, tree: Name) -> Value:
        if name in self._open:
            circle = " -> ".join([*self._open[self._open.index(name) :], name])
            raise ExpressionFault(f"definitions go in a circle: {circle}", tree.start, tree.end)
        if name not in self._expanded:
            self._open.append(name)
            self._outermost = self._outermost or tree
            try:
                self._expanded[name] = self.value(self._names.definitions[name])
            except ExpressionFault as fault:
                # The fault's own place is in another text than the one that is translated.
                message = fault.message
                if not message.startswith("in definition"):
                    message = f"in definition '{name}': {message}"
                raise ExpressionFault(message, tree.start, tree.end) from None
            finally:
                self._open.pop()
                if not self._open:
                    self._outermost = None
        return self._expanded[name]

    def _call(self, tree: Call) -> Value:
        name = _ALIASES.get(tree.name, tree.name)
        if name in HIDEABLE and name in self._names.own:
            raise self._unknown_function(tree)
        if name == "dn" and "n" in self._names.coordinates:
            raise ExpressionFault(
                "'dn' could be the derivative along n, diff(u, n), or the normal derivative, "
                f"dot([{', '.join(map(str, normal_symbols(self._names)))}], grad(u)); write which"
            )
        if name in elementary.ONE_VARIABLE:
            (value,) = self._arguments(tree, 1)
            return elementary.ONE_VARIABLE[name](scalar(value, name))
        if name in ("min", "max"):
            values = self._arguments(tree, max(2, len(tree.arguments)))
            return elementary.extremum(name, [scalar(value, name) for value in values])
        if name == "where":
            condition, a, b = self._arguments(tree, 3)
            return Where(condition, scalar(a, name), scalar(b, name))
        if name in ALGEBRA:
            count, combine = ALGEBRA[name]
            return combine(*self._arguments(tree, count))
        if name in CALCULUS:
            count, apply = CALCULUS[name]
            return apply(*self._arguments(tree, count), self._surroundings(tree))
        path = derivative_path(tree, self._names)
        if path is not None:
            return self._along(self.value(tree.arguments[0]), path, tree)
        raise self._unknown_function(tree)

    def _unknown_function(self, tree: Call) -> ExpressionFault:
        message = unknown_function(tree.name, self._names)
        return ExpressionFault(message, tree.start, tree.start + len(tree.name))

    def _surroundings(self, tree: Name | Call) -> Surroundings:
        return Surroundings(self._names, self._normal, partial(self._derive, tree))

    def _derive(self, tree: Name | Call, expr: Any, coordinate: str, step: int) -> Any:
        """Differentiate a number, and note it."""
        self._note(expr, coordinate, step, tree)
        return self._audit.admit(total_derivative(expr, coordinate, self._names))

    def _note(self, value: Any, coordinate: str, step: int, tree: Name | Call) -> None:
        """Note a derivative, with the place of the definition's name where it stands in a definition."""
        place = self._outermost or tree
        self._taken.append(Differentiation(value, coordinate, step, place.start, place.end))

    def _arguments(self, tree: Call, count: int) -> list[Value]:
        if len(tree.arguments) != count:
            plural = "s" if count > 1 else ""
            message = f"{tree.name} takes {count} argument{plural}, found {len(tree.arguments)}"
            raise ExpressionFault(message, tree.start, tree.end)
        return [self.value(argument) for argument in tree.arguments]

    def _along(self, value: Value, path: list[str], tree: Name | Call) -> Value:
        for step, x in enumerate(path):
            value = entrywise(partial(self._derive, tree, coordinate=x, step=step), value)
        return value


_TRANSLATIONS: dict[type, Callable[[_Translator, Any], Value]] = {
    Number: _Translator._number,
    Name: _Translator._name,
    Call: _Translator._call,
    UnaryOp: _Translator._unary,
    Compare: _Translator._compare,
    BoolOp: _Translator._boolean,
    Vector: _Translator._vector,
    Equation: _Translator._equation,
}
