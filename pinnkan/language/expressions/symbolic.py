"""Syntax trees to symbolic forms under given names: operators carried out, definitions expanded.

In the result only symbols remain: coordinates, parameters, ``u``, ``u_x``,
``u_xy``, ... and, in boundary conditions, the normal ``n_x``, ``n_y``, ...
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import sympy

from pinnkan.ground.errors import did_you_mean
from pinnkan.language.expressions import operators
from pinnkan.language.expressions.audit import Audit
from pinnkan.language.expressions.calculus import check_order, total_derivative
from pinnkan.language.expressions.names import (
    ALL_REAL,
    COMPLEX_FUNCTIONS,
    ELEMENTARY,
    MAX_ORDER,
    OPERATORS,
    Names,
    derivative_name,
    read_derivative,
    read_letters,
    symbol,
    unknown_name,
)
from pinnkan.language.expressions.operators import Value
from pinnkan.language.expressions.piecewise import Both, Either, Less, LessEqual, Where
from pinnkan.language.expressions.tree import (
    BinOp,
    BoolOp,
    Call,
    Compare,
    Equation,
    ExpressionFault,
    Name,
    Number,
    Tree,
    UnaryOp,
    Vector,
)

_ALIASES = {"Abs": "abs", "Max": "max", "Min": "min", "lap": "laplace", "laplacian": "laplace"}
_COUNTS = range(1, MAX_ORDER + 1)
"""How many times an operator may differentiate."""
_BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "+": operators.add,
    "-": lambda a, b: operators.add(a, operators.negate(b)),
    "*": operators.multiply,
    "/": operators.divide,
    "^": operators.power,
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
        normal: Whether ``dn`` is known: in boundary conditions.
        taken: Is given every derivative that the text asks for, those in definitions too.

    Returns:
        A SymPy expression in real symbols.

    Raises:
        ExpressionFault: If a name is unknown, an operator does not fit its
            operands, or the result is a vector, too large or not real.
    """
    value = to_value(tree, names, normal=normal, taken=taken)
    if isinstance(value, tuple):
        raise ExpressionFault(f"expected a number, found a vector of {len(value)}", tree.start, tree.end)
    return value


def to_value(
    tree: Tree, names: Names, *, normal: bool = False, taken: list[Differentiation] | None = None
) -> Value:
    """Translate like ``to_symbolic``, but allow a vector, which comes as a tuple: for definitions.

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
            for entry in value if isinstance(value, tuple) else (value,):
                self._audit.admit(entry)
            return value
        except ExpressionFault as fault:
            if fault.end:
                raise
            raise ExpressionFault(fault.message, tree.start, tree.end) from None

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
        return operators.number(tree.value)

    def _unary(self, tree: UnaryOp) -> Value:
        value = self.value(tree.operand)
        return operators.negate(value) if tree.operator == "-" else value

    def _vector(self, tree: Vector) -> Value:
        return tuple(operators.scalar(self.value(entry), "an entry of a vector") for entry in tree.entries)

    def _equation(self, tree: Equation) -> Value:
        left, right = self.value(tree.left), self.value(tree.right)
        for side in (left, right):
            if isinstance(side, tuple):
                message = "both sides of an equation are numbers, found a vector; write one equation an entry"
                raise ExpressionFault(message)
        return left - right

    def _compare(self, tree: Compare) -> Value:
        left = operators.scalar(self.value(tree.left), f"'{tree.operator}'")
        right = operators.scalar(self.value(tree.right), f"'{tree.operator}'")
        return _COMPARE[tree.operator](left, right)

    def _boolean(self, tree: BoolOp) -> Value:
        join = Both if tree.operator == "and" else Either
        return join(self.value(tree.left), self.value(tree.right))

    def _name(self, tree: Name) -> Value:
        name, names = tree.name, self._names
        if name == "lamda" and "lamda" not in names.known():
            name = "lambda"  # SymPy's spelling, as canonical_text writes it
        if name in names.coordinates or name in names.parameters:
            return symbol(name)
        if name in names.definitions:
            return self._definition(name, tree)
        if name in names.extra:
            return names.extra[name]
        if name in ("pi", "e"):
            return sympy.pi if name == "pi" else sympy.E
        derivative = read_derivative(name, names)
        if derivative is None:
            raise ExpressionFault(unknown_name(name, names), tree.start, tree.end)
        unknown, index = derivative
        check_order(unknown, index, names)
        return symbol(derivative_name(unknown, index, names))

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
        if name == "diff":
            return self._differentiate(tree)
        if name in operators.ONE_VARIABLE:
            (value,) = self._arguments(tree, 1)
            return operators.ONE_VARIABLE[name](operators.scalar(value, name))
        if name in ("min", "max"):
            values = self._arguments(tree, max(2, len(tree.arguments)))
            return operators.extremum(name, [operators.scalar(value, name) for value in values])
        if name == "where":
            condition, a, b = self._arguments(tree, 3)
            return Where(condition, operators.scalar(a, name), operators.scalar(b, name))
        if name in OPERATORS:
            return self._operator(name, tree)
        letters = read_letters(name[1:], self._names) if name.startswith("d") else None
        if letters is not None:
            return self._derivative(letters, tree)
        raise ExpressionFault(self._unknown_function(tree), tree.start, tree.start + len(tree.name))

    def _operator(self, name: str, tree: Call) -> Value:
        if name == "dot":
            a, b = self._arguments(tree, 2)
            return operators.dot(a, b)
        (value,) = self._arguments(tree, 1)
        if name == "dn":
            return operators.normal_derivative(value, self._names, normal=self._normal)
        table: dict[str, Callable[[Value, Names], Value]] = {
            "grad": operators.gradient,
            "div": operators.divergence,
            "laplace": operators.laplacian,
            "biharmonic": operators.biharmonic,
            "norm": operators.norm,
        }
        self._note_operator(name, value, tree)
        return table[name](value, self._names)

    def _note_operator(self, name: str, value: Value, tree: Call) -> None:
        """Note the derivatives that an operator takes; a value that does not fit it is refused later."""
        space = self._names.space
        if name == "div" and isinstance(value, tuple) and len(value) == len(space):
            for entry, x in zip(value, space, strict=True):
                self._note(entry, x, 0, tree)
        elif name in ("grad", "laplace", "biharmonic") and not isinstance(value, tuple):
            self._note_second(value, 0, tree, once=name == "grad")
            if name == "biharmonic":
                self._note_second(operators.laplacian(value, self._names), 2, tree)

    def _note_second(self, value: Any, step: int, tree: Call, *, once: bool = False) -> None:
        """Note the derivatives of a Laplacian, or those of a gradient alone."""
        for x in self._names.space:
            self._note(value, x, step, tree)
            if not once:
                self._note(total_derivative(value, x, self._names), x, step + 1, tree)

    def _note(self, value: Any, coordinate: str, step: int, tree: Call) -> None:
        """Note a derivative, with the place of the definition's name where it stands in a definition."""
        place: Name | Call = self._outermost or tree
        self._taken.append(Differentiation(value, coordinate, step, place.start, place.end))

    def _arguments(self, tree: Call, count: int) -> list[Value]:
        if len(tree.arguments) != count:
            plural = "s" if count > 1 else ""
            message = f"{tree.name} takes {count} argument{plural}, found {len(tree.arguments)}"
            raise ExpressionFault(message, tree.start, tree.end)
        return [self.value(argument) for argument in tree.arguments]

    def _derivative(self, letters: tuple[int, ...], tree: Call) -> Value:
        """dx(f), dxy(f), or dx(f, 4) for the fourth derivative."""
        if len(tree.arguments) not in (1, 2):
            message = f"{tree.name} takes 1 argument, or 2 with the order; found {len(tree.arguments)}"
            raise ExpressionFault(message, tree.start, tree.end)
        times = 1
        if len(tree.arguments) == 2:
            count = tree.arguments[1]
            if not isinstance(count, Number) or count.value not in _COUNTS:
                message = f"the order of {tree.name} is a whole number from 1 to {MAX_ORDER}"
                raise ExpressionFault(message, count.start, count.end)
            times = int(count.value)
        return self._along(self.value(tree.arguments[0]), times * self._path(letters), tree)

    def _differentiate(self, tree: Call) -> Value:
        """diff(f, x), diff(f, x, 2), diff(f, x, y): coordinates, each optionally followed by a count."""
        path: list[str] = []
        for argument in tree.arguments[1:]:
            if isinstance(argument, Name) and argument.name in self._names.coordinates:
                path.append(argument.name)
            elif isinstance(argument, Number) and path and argument.value in _COUNTS:
                path += [path[-1]] * (int(argument.value) - 1)
            else:
                known = ", ".join(self._names.coordinates)
                message = (
                    f"diff is written diff(u, x) or diff(u, x, 2), with a coordinate ({known}) "
                    f"and a whole number from 1 to {MAX_ORDER}"
                )
                raise ExpressionFault(message, argument.start, argument.end)
        if not path:
            raise ExpressionFault("diff needs a coordinate: diff(u, x) or diff(u, x, 2)")
        return self._along(self.value(tree.arguments[0]), path, tree)

    def _along(self, value: Value, path: list[str], tree: Call) -> Value:
        entries = value if isinstance(value, tuple) else (value,)
        for step, x in enumerate(path):
            for entry in entries:
                self._note(entry, x, step, tree)
            entries = tuple(self._audit.admit(total_derivative(entry, x, self._names)) for entry in entries)
        return entries if isinstance(value, tuple) else entries[0]

    def _path(self, index: tuple[int, ...]) -> list[str]:
        return [c for c, order in zip(self._names.coordinates, index, strict=True) for _ in range(order)]

    def _unknown_function(self, tree: Call) -> str:
        name, names = tree.name, self._names
        if name in ("integral", "mean"):
            return f"'{name}' has its place in a list of its own: constraints: [\"{name}(...) = 0\"]"
        if name in names.known():
            return f"'{name}' is not a function; for a product write {name}*(...), for its value {name}"
        if name in COMPLEX_FUNCTIONS:
            return f"unknown function '{name}'; {ALL_REAL}"
        known = [*ELEMENTARY, *OPERATORS, *(f"d{coordinate}" for coordinate in names.coordinates)]
        return f"unknown function '{name}'{did_you_mean(name, known) or '; known are ' + ', '.join(known)}"


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
