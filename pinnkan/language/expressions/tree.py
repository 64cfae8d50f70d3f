"""The syntax tree of an equation, and the one fault that reading text can end in.

Every node knows the half-open range [start, end) of characters that it was
read from, so that a fault found later, when names are known, still points at
the text.
"""

from __future__ import annotations

from dataclasses import dataclass


class ExpressionFault(ValueError):
    """A text that is not an expression of the language, or has no meaning under the given names.

    Args:
        message: What was found, what was expected, what to try.
        start: Offset of the first offending character in the text.
        end: Offset behind the last one.
    """

    def __init__(self, message: str, start: int = 0, end: int = 0) -> None:
        self.message = message
        self.start = start
        self.end = max(start, end)
        super().__init__(f"column {start + 1}: {message}")


class RankFault(ExpressionFault):
    """Operands whose ranks or lengths do not fit, such as a number where a vector belongs."""


@dataclass(frozen=True)
class Number:
    """A finite decimal constant."""

    value: float
    start: int
    end: int


@dataclass(frozen=True)
class Name:
    """A name: of the user, built in, a derivative such as ``u_xx``, or a component ``U.x``."""

    name: str
    start: int
    end: int


@dataclass(frozen=True)
class Call:
    """``name(arguments)``."""

    name: str
    arguments: tuple[Tree, ...]
    start: int
    end: int


@dataclass(frozen=True)
class BinOp:
    """``left operator right`` with operator one of ``+ - * / ^``."""

    operator: str
    left: Tree
    right: Tree
    start: int
    end: int


@dataclass(frozen=True)
class UnaryOp:
    """``-operand`` or ``+operand``."""

    operator: str
    operand: Tree
    start: int
    end: int


@dataclass(frozen=True)
class Compare:
    """``left operator right`` with operator one of ``< <= > >=``; only inside ``where``."""

    operator: str
    left: Tree
    right: Tree
    start: int
    end: int


@dataclass(frozen=True)
class BoolOp:
    """``left operator right`` with operator ``and`` or ``or``; only inside ``where``."""

    operator: str
    left: Tree
    right: Tree
    start: int
    end: int


@dataclass(frozen=True)
class Vector:
    """``[a, b]``, or a tensor by its rows, ``[[a, b], [c, d]]``."""

    entries: tuple[Tree, ...]
    start: int
    end: int


@dataclass(frozen=True)
class Equation:
    """``left = right``; its symbolic form is the residual left - right, of vectors entry by entry."""

    left: Tree
    right: Tree
    start: int
    end: int


Tree = Number | Name | Call | BinOp | UnaryOp | Compare | BoolOp | Vector | Equation
