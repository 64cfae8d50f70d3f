"""The grammar: what binds to what, and a precise refusal of everything else."""

from __future__ import annotations

import math

import pytest

from pinnkan.language.expressions import ExpressionFault, Names, parse_equation, parse_expression, to_symbolic
from pinnkan.language.expressions.tree import BinOp, Name, Number, UnaryOp

NAMES = Names(space=("x", "y"), time="t", unknowns=("u",), parameters=("lambda", "nu"))

VALUES = [
    ("-2^2", -4.0),
    ("2^-1", 0.5),
    ("2^3^2", 512.0),
    ("2**3**2", 512.0),
    ("(2^3)^2", 64.0),
    ("-2^-2", -0.25),
    ("1 - 2 - 3", -4.0),
    ("8 / 4 / 2", 1.0),
    ("2 * -3", -6.0),
    ("2 - -3", 5.0),
    ("+2 - +3", -1.0),
    ("--2", 2.0),
    ("1 + 2 * 3 ^ 2", 19.0),
    ("-(1 + 2) * 3", -9.0),
    ("6 / 2 * 3", 9.0),
    ("1e-3 * 1e3", 1.0),
    (".5 + 5. + 0.5", 6.0),
    ("1E2", 100.0),
    ("2.5e+1", 25.0),
    ("pi", math.pi),
    ("e", math.e),
    ("2 * sin(pi / 6)", 1.0),
    ("max(1, 2, 3) - min(4, 5, 3)", 0.0),
    ("abs(-2.5)", 2.5),
    ("where(1 < 2 and 2 <= 2, 10, 20)", 10.0),
    ("where(1 > 2 or (2 >= 3 and 1 < 2), 10, 20)", 20.0),
    ("where(1 < 2 or 1 < 2 and 2 < 1, 10, 20)", 10.0),
    ("dot([1, 2], [3, 4])", 11.0),
    ("norm([3, 4])", 5.0),
    ("\t1 +\n 1 ", 2.0),
    ("log(exp(3)) + sqrt(16) + tan(0) + tanh(0) + sinh(0) + cosh(0) + cos(0)", 9.0),
    ("erf(0.5) + erf(-0.5) + erf(1)", math.erf(1)),
]


@pytest.mark.parametrize(("text", "value"), VALUES)
def test_value(text: str, value: float) -> None:
    assert float(to_symbolic(parse_expression(text), NAMES)) == pytest.approx(value, rel=1e-14, abs=1e-14)


def test_nodes_know_their_place() -> None:
    tree = parse_expression("x + -2 * y")
    assert isinstance(tree, BinOp)
    assert (tree.start, tree.end) == (0, 10)
    product = tree.right
    assert isinstance(product, BinOp)
    assert product.left == UnaryOp("-", Number(2.0, 5, 6), 4, 6)
    assert product.right == Name("y", 9, 10)


def test_equation_is_a_residual() -> None:
    equation = parse_equation("u_t - nu*u_xx = x")
    assert (equation.left.start, equation.left.end, equation.right.start, equation.end) == (0, 13, 16, 17)
    residual = to_symbolic(equation, NAMES)
    assert str(residual) == "-nu*u_xx + u_t - x"


def test_long_sums_are_not_deep() -> None:
    text = " + ".join(["x"] * 200)
    assert str(to_symbolic(parse_expression(text), NAMES)) == "200*x"


# Text, column (from one) of the fault, and part of its message.
FAULTS = [
    ("", 1, "empty expression"),
    ("   ", 1, "empty expression"),
    ("2x", 1, "write 2*x"),
    ("1.2.3", 1, "'1.2.3' is not a number"),
    ("0x10", 1, "write 0*x10"),
    ("1_000", 1, "write 1*_000"),
    ("1e999", 1, "number 1e999 is too large"),
    ("x y", 1, "an operator is missing between 'x' and 'y'; write a product with *"),
    ("2 (x)", 1, "an operator is missing between '2' and '('"),
    ("(x)(y)", 3, "an operator is missing between ')' and '('"),
    ("x +", 4, "expected a number, a name or '(', found the end"),
    ("x + * y", 5, "expected a number, a name or '(', found '*'"),
    ("sin()", 5, "empty brackets"),
    ("(x + 1", 1, "'(' is never closed"),
    ("sin(x + 1", 4, "'(' is never closed"),
    ("x + 1)", 6, "')' without an opening bracket"),
    ("(x + 1]", 7, "expected ')' to close '(' of column 1, found ']'"),
    ("[x, y)", 6, "expected ']' to close '[' of column 1, found ')'"),
    ("x, y", 2, "',' outside brackets; vectors are written [a, b]"),
    ("(x, y)", 3, "expected ')' to close '(' of column 1, found ','"),
    ("__import__('os')", 12, "text in quotes is not part of the language"),
    ("().__class__", 3, "character '.' is not part of the language: components are written U.x"),
    ("U..x", 2, "character '.' is not part of the language: components are written U.x"),
    ("U.", 2, "components are written U.x, with a name on either side; numbers 0.5 or .5"),
    ("(u + v).x", 8, "components are written U.x, with a name on either side"),
    ("2.x", 1, "'2.x': a product needs its sign; write 2.*x"),
    ("2.5.x", 4, "components are written U.x, with a name on either side"),
    ("U.0", 1, "'U.0': a component is named by its coordinate, as in U.x"),
    ('"x"', 1, "text in quotes"),
    ("x = 1", 3, "an expression is expected here, not an equation"),
    ("x == 1", 3, "an expression is expected here, not an equation"),
    ("x != 1", 3, "'!=' is not part of the language; where(...) knows < <= > >="),
    ("x!", 2, "'!' is not an operator"),
    ("5 % 2", 3, "'%' is not an operator"),
    ("x < 1", 1, "'<' makes a condition, which has its place only in where(condition, a, b)"),
    ("1 + (x < 1)", 6, "'<' makes a condition"),
    ("sin(x < 1)", 5, "'<' makes a condition"),
    ("where(0 < x < 1, 1, 2)", 13, "chained comparison; write 'a < x and x < b'"),
    ("where(x, 1, 2)", 7, "where(condition, a, b) needs a condition here"),
    ("where(x and y, 1, 2)", 7, "'and' joins conditions such as x < 0.5"),
    ("where(x < 1 && y < 1, 1, 2)", 13, "'&&' is not an operator; write 'and'"),
    ("where(x < 1 & y < 1, 1, 2)", 13, "'&' is not an operator; write 'and'"),
    ("where(x == 1, 1, 2)", 9, "'==' is not part of the language"),
    ("where(x = 1, 1, 2)", 9, "'=' has no place inside brackets"),
    ("x if x < 1 else 2", 3, "'if' is not a word of the language; write where(condition, a, b)"),
    ("sin(x=1)", 6, "'=' has no place inside brackets"),
    ("lambda: x", 7, "':' is not an operator"),
    ("u_t - \u03bb*u", 7, "write 'lambda'"),
    ("x\u00b2", 2, "write ^2"),
    ("x \u2212 y", 3, "write the ASCII minus sign"),
    ("\u0394u", 1, "write laplace(u)"),
    ("\uff53in(x)", 1, "names and operators are ASCII"),
    ("x\x00", 2, "character '\\x00' is not part of the language"),
    ("x\ud800", 2, "character '\\ud800' is not part of the language"),
    ("|x|", 1, "write abs(...) for absolute values"),
    ("{x}", 1, "braces are not brackets here"),
    ("a@b", 2, "write dot(a, b)"),
    ("\\sin x", 1, "backslashes are not understood"),
    ("x; y", 2, "';' is not an operator"),
    ("and", 1, "expected a number, a name or '(', found 'and'"),
    ("Piecewise((x, x < 1), (y, x))", 27, "the last pair of Piecewise is (value, True)"),
    ("Piecewise(x)", 11, "expected '(', found 'x'"),
    ("(" * 5000, 2001, "5000 characters, at most 2000 are read"),
    ("(" * 1900, 62, "nested more than 60 levels deep"),
    ("-" * 1900 + "x", 62, "nested more than 60 levels deep"),
    ("2^" * 900 + "2", 123, "nested more than 60 levels deep"),
    ("sin(" * 400, 245, "nested more than 60 levels deep"),
    ("[" * 1900, 62, "nested more than 60 levels deep"),
    ("x+" * 600 + "x", 1, "more than 500 operations"),
]


@pytest.mark.parametrize(("text", "column", "message"), FAULTS)
def test_fault_has_place_and_advice(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        parse_expression(text)
    assert message in caught.value.message
    assert caught.value.start == column - 1
    assert caught.value.start <= caught.value.end
    assert str(caught.value).startswith(f"column {column}: ")


EQUATION_FAULTS = [
    ("u_xx", 1, "an equation needs '='; write 'left = right', say '... = 0'"),
    ("u_xx == 0", 6, "an equation is written with one '=', not '=='"),
    ("u = 0 = 1", 7, "a second '='; write two equations"),
    ("= 0", 1, "expected a number, a name or '(', found '='"),
    ("u =", 4, "expected a number, a name or '(', found the end"),
    ("u := 0", 3, "':' is not an operator"),
    ("u_x < 0", 1, "'<' makes a condition"),
    ("2u = 0", 1, "write 2*u"),
    ("u = (0", 5, "'(' is never closed"),
    ("(u = 0)", 4, "'=' has no place inside brackets"),
    ("u_x u = 0", 1, "an operator is missing between 'u_x' and 'u'"),
]


@pytest.mark.parametrize(("text", "column", "message"), EQUATION_FAULTS)
def test_equation_fault(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        parse_equation(text)
    assert message in caught.value.message
    assert caught.value.start == column - 1
