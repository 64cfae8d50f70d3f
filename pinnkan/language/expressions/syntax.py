"""Text of equations to syntax trees, by precedence climbing.

From loose to tight: ``or``; ``and``; ``< <= > >=``; ``+ -``; ``* /``; the
signs; ``^`` (also ``**``), which groups to the right and binds tighter than a
sign on its left: -x^2 = -(x^2), 2^-1 = 1/2, a^b^c = a^(b^c).

The parser is our own, rather than Python's, so that ``lambda`` is a name and
``^`` a power, so that hostile nesting ends in a fault rather than in a
RecursionError, and because a language without attributes, strings and
subscripts has nothing to escape to.
"""

from __future__ import annotations

from collections.abc import Callable

from pinnkan.language.expressions.tokens import Token, tokenize
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

MAX_NODES = 500
MAX_DEPTH = 60

_LEVELS = {"or": 1, "and": 2, "<": 3, "<=": 3, ">": 3, ">=": 3, "+": 4, "-": 4, "*": 5, "/": 5}
_LOOSEST = 1
_POWERS = ("^", "**")


def parse_expression(text: str) -> Tree:
    """Read an expression such as ``sqrt(x^2 + y^2)`` or ``[1, x]``.

    Raises:
        ExpressionFault: If the text is not an expression.
    """
    parser = _Parser(text)
    tree = parser.number()
    if parser.peek().text in ("=", "=="):
        raise parser.fault_here("an expression is expected here, not an equation; remove '='")
    parser.expect_end()
    return tree


def parse_equation(text: str) -> Equation:
    """Read an equation ``left = right``.

    Raises:
        ExpressionFault: If the text is not one equation.
    """
    parser = _Parser(text)
    left = parser.number()
    if parser.peek().kind == "end":
        raise ExpressionFault("an equation needs '='; write 'left = right', say '... = 0'", 0, len(text))
    if parser.peek().text == "==":
        raise parser.fault_here("an equation is written with one '=', not '=='")
    if parser.peek().text != "=":
        parser.expect_end()
    parser.take()
    right = parser.number()
    if parser.peek().text in ("=", "=="):
        raise parser.fault_here("a second '='; write two equations")
    parser.expect_end()
    return Equation(left, right, left.start, right.end)


def parse_condition(text: str) -> Tree:
    """Read a condition such as ``x < 0.5 and y > 0`` as the number that is 1 where it holds, else 0.

    Raises:
        ExpressionFault: If the text is not a condition.
    """
    parser = _Parser(text)
    tree = parser.comparison()
    parser.expect_end()
    zero, one = (Number(value, tree.start, tree.end) for value in (0.0, 1.0))
    return Call("where", (tree, one, zero), tree.start, tree.end)


class _Parser:
    """Tokens and the position among them; each method reads one grammatical construct."""

    def __init__(self, text: str) -> None:
        self._tokens = tokenize(text)
        self._next = 0
        self._nodes = 0

    def peek(self) -> Token:
        return self._tokens[self._next]

    def take(self) -> Token:
        token = self._tokens[self._next]
        self._next += token.kind != "end"
        return token

    def fault_here(self, message: str) -> ExpressionFault:
        token = self.peek()
        return ExpressionFault(message, token.start, max(token.end, token.start + 1))

    def number(self, depth: int = 0) -> Tree:
        """Read an expression whose value is a number or a vector."""
        tree = self._climb(_LOOSEST, depth)
        _refuse_condition(tree)
        return tree

    def condition(self, depth: int) -> Tree:
        """Read a condition, the first argument of ``where``."""
        tree = self._climb(_LOOSEST, depth)
        if not isinstance(tree, Compare | BoolOp):
            if self.peek().text in ("=", "==", "!="):
                raise self._misplaced(self.peek())
            message = "where(condition, a, b) needs a condition here, such as x < 0.5"
            raise ExpressionFault(message, tree.start, tree.end)
        return tree

    def comparison(self) -> Tree:
        """Read a condition that is all of a text."""
        tree = self._climb(_LOOSEST, 0)
        if not isinstance(tree, Compare | BoolOp):
            if self.peek().text in ("=", "==", "!="):
                raise self._misplaced(self.peek())
            raise ExpressionFault(
                "expected a comparison, such as x < 0.5 or abs(y) < 1 and t > 0", tree.start, tree.end
            )
        return tree

    def expect_end(self) -> None:
        """Refuse whatever follows a complete expression, saying what is missing."""
        token = self.peek()
        if token.kind == "end":
            return
        if token.text in (")", "]"):
            raise self.fault_here(f"'{token.text}' without an opening bracket")
        if token.text == ",":
            raise self.fault_here("',' outside brackets; vectors are written [a, b]")
        raise self._misplaced(token)

    def _misplaced(self, token: Token) -> ExpressionFault:
        """Say why a token cannot follow a complete operand."""
        before = self._tokens[self._next - 1]
        if token.text == "=":
            return self.fault_here("'=' has no place inside brackets; write one '=' between two sides")
        if token.text in ("==", "!="):
            return self.fault_here(f"'{token.text}' is not part of the language; where(...) knows < <= > >=")
        if token.text in ("&&", "||"):
            word = "and" if token.text == "&&" else "or"
            return self.fault_here(f"'{token.text}' is not an operator; write '{word}' inside where(...)")
        if token.text in ("if", "else", "not", "in", "is", "for"):
            return self.fault_here(
                f"'{token.text}' is not a word of the language; write where(condition, a, b)"
            )
        message = f"an operator is missing between '{before.text}' and '{token.text}'; write a product with *"
        return ExpressionFault(message, before.start, token.end)

    def _admit(self, node: Tree) -> Tree:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            message = f"more than {MAX_NODES} operations; use definitions to split the expression up"
            raise ExpressionFault(message, node.start, node.end)
        return node

    def _climb(self, loosest: int, depth: int) -> Tree:
        """Read operands joined by operators that bind at least as tightly as ``loosest``."""
        left = self._signed(depth)
        while _LEVELS.get(self.peek().text, 0) >= loosest:
            operator = self.take()
            right = self._climb(_LEVELS[operator.text] + 1, depth)
            left = self._admit(_join(operator, left, right))
        return left

    def _signed(self, depth: int) -> Tree:
        token = self.peek()
        if token.text not in ("+", "-"):
            return self._power(depth)
        self._check_depth(depth)
        self.take()
        operand = self._signed(depth + 1)
        _refuse_condition(operand)
        return self._admit(UnaryOp(token.text, operand, token.start, operand.end))

    def _power(self, depth: int) -> Tree:
        base = self._primary(depth)
        if self.peek().text not in _POWERS:
            return base
        _refuse_condition(base)
        self._check_depth(depth)
        self.take()
        exponent = self._signed(depth + 1)
        _refuse_condition(exponent)
        return self._admit(BinOp("^", base, exponent, base.start, exponent.end))

    def _primary(self, depth: int) -> Tree:
        self._check_depth(depth)
        token = self.peek()
        if token.kind == "number":
            self.take()
            return self._admit(Number(float(token.text), token.start, token.end))
        if token.kind == "name" and token.text not in ("and", "or"):
            self.take()
            if self.peek().text == "(":
                return self._call(token, depth + 1)
            return self._admit(Name(token.text, token.start, token.end))
        if token.text == "(":
            self.take()
            inner = self._climb(_LOOSEST, depth + 1)
            self._close(token)
            return inner
        if token.text == "[":
            entries, end = self._list(token, lambda _: self.number(depth + 1))
            return self._admit(Vector(entries, token.start, end))
        found = f"'{token.text}'" if token.text else "the end"
        raise self.fault_here(f"expected a number, a name or '(', found {found}")

    def _call(self, name: Token, depth: int) -> Tree:
        if name.text == "Piecewise":
            return self._piecewise(name, depth)
        if name.text in ("And", "Or"):
            return self._junction(name, depth)

        def argument(index: int) -> Tree:
            return self.condition(depth) if name.text == "where" and index == 0 else self.number(depth)

        arguments, end = self._list(self.peek(), argument)
        return self._admit(Call(name.text, arguments, name.start, end))

    def _piecewise(self, name: Token, depth: int) -> Tree:
        """Read SymPy's spelling ``Piecewise((a, condition), (b, True))`` as ``where(condition, a, b)``."""
        bracket = self._open("(")
        pair = self._open("(")
        first = self.number(depth + 1)
        self._open(",")
        condition = self.condition(depth + 1)
        self._close(pair)
        self._open(",")
        pair = self._open("(")
        second = self.number(depth + 1)
        self._open(",")
        if self.peek().text != "True":
            raise self.fault_here("the last pair of Piecewise is (value, True)")
        self.take()
        self._close(pair)
        end = self._close(bracket)
        return self._admit(Call("where", (condition, first, second), name.start, end))

    def _junction(self, name: Token, depth: int) -> Tree:
        """Read SymPy's spellings ``And(a, b)`` and ``Or(a, b)``."""
        conditions, end = self._list(self.peek(), lambda _: self.condition(depth))
        tree = conditions[0]
        for condition in conditions[1:]:
            tree = self._admit(BoolOp(name.text.lower(), tree, condition, name.start, end))
        return tree

    def _list(self, bracket: Token, entry: Callable[[int], Tree]) -> tuple[tuple[Tree, ...], int]:
        """Read ``(a, b, ...)`` or ``[a, b, ...]``: the entries and the offset behind the closing bracket."""
        self.take()
        if self.peek().text in (")", "]"):
            raise self.fault_here("empty brackets")
        entries = [entry(0)]
        while self.peek().text == ",":
            self.take()
            entries.append(entry(len(entries)))
        return tuple(entries), self._close(bracket)

    def _open(self, symbol: str) -> Token:
        if self.peek().text != symbol:
            raise self.fault_here(f"expected '{symbol}', found '{self.peek().text}'")
        return self.take()

    def _close(self, bracket: Token) -> int:
        closing = ")" if bracket.text == "(" else "]"
        token = self.peek()
        if token.text == closing:
            return self.take().end
        if token.kind == "end":
            raise ExpressionFault(f"'{bracket.text}' is never closed", bracket.start, bracket.end)
        if token.text in (")", "]", ","):
            wanted = f"expected '{closing}' to close '{bracket.text}' of column {bracket.start + 1}"
            raise self.fault_here(f"{wanted}, found '{token.text}'")
        raise self._misplaced(token)

    def _check_depth(self, depth: int) -> None:
        if depth > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep; use definitions to split the expression up"
            raise self.fault_here(message)


def _join(operator: Token, left: Tree, right: Tree) -> Tree:
    """Make the node of a binary operator, refusing operands that it does not take."""
    word = operator.text
    if word in ("or", "and"):
        _require_condition(left, word)
        _require_condition(right, word)
        return BoolOp(word, left, right, left.start, right.end)
    comparing = word in ("<", "<=", ">", ">=")
    if comparing and isinstance(left, Compare):
        raise ExpressionFault("chained comparison; write 'a < x and x < b'", operator.start, operator.end)
    _refuse_condition(left)
    _refuse_condition(right)
    node = Compare if comparing else BinOp
    return node(word, left, right, left.start, right.end)


def _refuse_condition(tree: Tree) -> None:
    if isinstance(tree, Compare | BoolOp):
        message = f"'{tree.operator}' makes a condition, which has its place only in where(condition, a, b)"
        raise ExpressionFault(message, tree.start, tree.end)


def _require_condition(tree: Tree, word: str) -> None:
    if not isinstance(tree, Compare | BoolOp):
        message = f"'{word}' joins conditions such as x < 0.5, found a number"
        raise ExpressionFault(message, tree.start, tree.end)
