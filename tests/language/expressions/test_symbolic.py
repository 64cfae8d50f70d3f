"""Names, operators and definitions: what an equation means, and what it cannot mean."""

from __future__ import annotations

import pytest
import sympy

from pinnkan.language.expressions import (
    ExpressionFault,
    Names,
    canonical_text,
    derivative_name,
    derivative_symbols,
    naming_faults,
    parse_equation,
    parse_expression,
    partial_derivative,
    substitute_unknowns,
    symbol,
    to_symbolic,
    to_value,
    total_derivative,
)

DEFINITIONS = {
    "r": "sqrt(x^2 + y^2)",
    "a": "1 + x",
    "wind": "[1, x]",
    "flux": "a*grad(u)",
    "loop": "pool + 1",
    "pool": "x*loop",
    "self": "self",
    "broken": "1 + nosuch",
    "outer": "2*broken",
}
PLANE = Names(
    space=("x", "y"),
    time="t",
    unknowns=("u",),
    parameters=("lambda", "nu"),
    definitions={name: parse_expression(text) for name, text in DEFINITIONS.items()},
    extra={"exact": symbol("x") ** 2 * symbol("y")},
)
LINE = Names(space=("x",), unknowns=("u",))


def meaning(text: str, names: Names = PLANE, *, normal: bool = False) -> sympy.Expr:
    return to_symbolic(parse_expression(text), names, normal=normal)


# Two spellings of the same thing.
MEANINGS = [
    ("u_yx", "u_xy"),
    ("u_xt", "u_tx"),
    ("dx(u)", "u_x"),
    ("dt(dx(u))", "u_tx"),
    ("dxx(u)", "u_xx"),
    ("dxy(u)", "u_xy"),
    ("diff(u, x)", "u_x"),
    ("diff(u, x, 2)", "u_xx"),
    ("diff(u, x, 4)", "u_xxxx"),
    ("diff(u, t, x, 3)", "u_txxx"),
    ("dx(u, 4)", "u_xxxx"),
    ("dt(u, 2)", "u_tt"),
    ("dxy(u, 2)", "u_xxyy"),
    ("dx(dx(u, 2), 2)", "u_xxxx"),
    ("u_yxyx", "u_xxyy"),
    ("dt(u_xx)", "u_txx"),
    ("dt(u_xx, 2)", "u_ttxx"),
    ("biharmonic(u)", "u_xxxx + 2*u_xxyy + u_yyyy"),
    ("laplace(laplace(u))", "biharmonic(u)"),
    ("biharmonic(x^2*y^2)", "8"),
    ("dx(dx(u*dx(u)))", "3*u_x*u_xx + u*u_xxx"),
    ("dx(u*u_xxx)", "u_x*u_xxx + u*u_xxxx"),
    ("diff(u, x, y)", "u_xy"),
    ("diff(u, x, 1, t)", "u_tx"),
    ("dx(u^2)", "2*u*u_x"),
    ("dx(u*u_x)", "u_x^2 + u*u_xx"),
    ("dx(x*y)", "y"),
    ("dt(exp(-t)*u)", "exp(-t)*(u_t - u)"),
    ("dx(sin(u))", "cos(u)*u_x"),
    ("dx(u^x)", "u^x*log(u) + x*u^(x - 1)*u_x"),
    ("dx(tan(x))", "1 + tan(x)^2"),
    ("dx(tanh(x))", "1 - tanh(x)^2"),
    ("dx(log(x) + sinh(x) + cosh(x))", "1/x + cosh(x) + sinh(x)"),
    ("dx(erf(x/2))", "exp(-x^2/4)/sqrt(pi)"),
    ("div(grad(u))", "u_xx + u_yy"),
    ("laplace(u)", "u_xx + u_yy"),
    ("lap(u) - laplacian(u)", "0"),
    ("laplace(x^2*t^3)", "2*t^3"),
    ("dot(grad(u), [1, 2])", "u_x + 2*u_y"),
    ("div([u, x*y])", "u_x + x"),
    ("div(a*grad(u))", "u_x + (1 + x)*u_xx + (1 + x)*u_yy"),
    ("div(grad(u)/2 - [x, 0] + grad(u)/2)", "u_xx + u_yy - 1"),
    ("div(-[x, y])", "-2"),
    ("dot(wind, grad(u))", "u_x + x*u_y"),
    ("div(flux)", "div(a*grad(u))"),
    ("dot(dx([u, x]), [1, 1])", "u_x + 1"),
    ("norm([x, y])", "r"),
    ("dx(exact)", "2*x*y"),
    ("laplace(exact)", "2*y"),
    ("lamda", "lambda"),
    ("x^0.5", "sqrt(x)"),
    ("x^2.5", "x^2*sqrt(x)"),
    ("x^2.0", "x*x"),
    ("dx(abs(x))", "where(x >= 0, 1, -1)"),
    ("dx(max(x, 0))", "where(x >= 0, 1, 0)"),
    ("dx(min(x, y))", "where(x <= y, 1, 0)"),
    ("dx(dx(abs(x)))", "0"),
    ("dx(where(x > y, x^2, y))", "where(x > y, 2*x, 0)"),
    ("dx(sqrt(x^2))", "where(x >= 0, 1, -1)"),
    ("tan(x + pi/2)", "-1/tan(x)"),
    ("dx(tan(x + pi/2))", "1 + 1/tan(x)^2"),
]


@pytest.mark.parametrize(("text", "same"), MEANINGS)
def test_meaning(text: str, same: str) -> None:
    difference = sympy.expand(meaning(text) - meaning(same))
    # The cotangent is SymPy's own name for 1/tan.
    assert difference.rewrite(sympy.tan) == 0, (meaning(text), meaning(same))


def test_normal_derivative_only_on_the_boundary() -> None:
    assert str(meaning("dn(u) + u", normal=True)) == "n_x*u_x + n_y*u_y + u"
    assert str(meaning("dn(exact)", normal=True)) == "2*n_x*x*y + n_y*x**2"
    with pytest.raises(ExpressionFault, match="known in boundary conditions only"):
        meaning("dn(u)")


def test_norm_of_a_gradient_has_a_slope_everywhere() -> None:
    residual = meaning("norm(grad(u))")
    slope = partial_derivative(residual, symbol("u_x"))
    assert slope.subs({symbol("u_x"): 0, symbol("u_y"): 0}) == 0
    assert slope.subs({symbol("u_x"): 3.0, symbol("u_y"): 4.0}) == pytest.approx(0.6)


def test_partial_derivative_holds_the_others() -> None:
    residual = meaning("u*u_x - nu*u_xx + max(u, 0)")
    assert str(partial_derivative(residual, symbol("u_x"))) == "u"
    assert str(partial_derivative(residual, symbol("u_xx"))) == "-nu"
    assert (
        canonical_text(partial_derivative(residual, symbol("u"))) == "u_x + Piecewise((1, 0 <= u), (0, True))"
    )


def test_derivative_symbols_give_multi_indices() -> None:
    found = derivative_symbols(meaning("u_tx + u_yy*x - u*nu + u_x"), PLANE)
    assert {s.name: partial for s, partial in found.items()} == {
        "u": (0, (0, 0, 0)),
        "u_x": (0, (0, 1, 0)),
        "u_tx": (0, (1, 1, 0)),
        "u_yy": (0, (0, 0, 2)),
    }
    assert [derivative_name("u", partial.orders, PLANE) for partial in found.values()] == [
        s.name for s in found
    ]


FLOW = Names(space=("x", "y"), time="t", unknowns=("u", "v"), parameters=("nu",))


def test_derivative_symbols_say_whose_they_are() -> None:
    """Sorted by unknown, then by order, then by index."""
    found = derivative_symbols(meaning("v_x*u_yy + v*u_x + v_t + u_xx*nu", FLOW), FLOW)
    assert list({s.name: partial for s, partial in found.items()}.items()) == [
        ("u_x", (0, (0, 1, 0))),
        ("u_xx", (0, (0, 2, 0))),
        ("u_yy", (0, (0, 0, 2))),
        ("v", (1, (0, 0, 0))),
        ("v_t", (1, (1, 0, 0))),
        ("v_x", (1, (0, 1, 0))),
    ]


def test_substitution_replaces_every_unknown_by_its_own_function() -> None:
    residual = meaning("u_t + u*u_x + v*u_y - nu*v_xy", FLOW)
    flow = {"u": meaning("t*x*y", FLOW), "v": meaning("x^2*y", FLOW)}
    # x y + t x y * t y + x^2 y * t x - nu 2 x
    expected = meaning("x*y + t^2*x*y^2 + t*x^3*y - 2*nu*x", FLOW)
    assert sympy.expand(substitute_unknowns(residual, flow, FLOW) - expected) == 0
    swapped = {"u": flow["v"], "v": flow["u"]}
    # 0 + x^2 y * 2 x y + t x y * x^2 - nu t
    expected = meaning("2*x^3*y^2 + t*x^3*y - nu*t", FLOW)
    assert sympy.expand(substitute_unknowns(residual, swapped, FLOW) - expected) == 0


def test_an_unknown_that_is_not_named_stays() -> None:
    residual = meaning("u_x + v_y + v", FLOW)
    found = substitute_unknowns(residual, {"u": meaning("x*y", FLOW)}, FLOW)
    assert sympy.expand(found - meaning("y + v_y + v", FLOW)) == 0
    assert [partial.unknown for partial in derivative_symbols(found, FLOW).values()] == [1, 1]


def test_long_coordinate_names() -> None:
    names = Names(space=("x1", "x2"), time="time", unknowns=("u",), parameters=("u_max",))
    assert str(meaning("u_x2x1 + u_timex1 + u_max", names)) == "u_max + u_timex1 + u_x1x2"
    ambiguous = Names(space=("x", "xx"), unknowns=("u",))
    with pytest.raises(ExpressionFault, match=r"'xx' names more than one derivative; use diff"):
        meaning("u_xx", ambiguous)


def test_total_derivative_and_substitution_agree() -> None:
    solution = meaning("sin(x)*exp(-t)*y^2")
    for text in ("u_t*u_x", "x*u*u_y - u^3", "norm(grad(u))"):
        residual = meaning(text)
        there = substitute_unknowns(total_derivative(residual, "t", PLANE), {"u": solution}, PLANE)
        back = total_derivative(substitute_unknowns(residual, {"u": solution}, PLANE), "t", PLANE)
        at = {symbol("x"): 0.3, symbol("y"): 0.7, symbol("t"): 0.2}
        assert float(there.subs(at)) == pytest.approx(float(back.subs(at)), rel=1e-13)


def test_vectors_are_values_of_definitions() -> None:
    value = to_value(parse_expression("wind"), PLANE)
    assert isinstance(value, tuple)
    assert [str(entry) for entry in value] == ["1", "x"]


# Text, column (from one), and part of the message.
FAULTS = [
    ("v", 1, "unknown name 'v'"),
    ("x + lambd", 5, "did you mean 'lambda'?"),
    ("sin", 1, "'sin' is a function; write sin(...)"),
    ("dx + 1", 1, "'dx' is a function; write dx(...)"),
    ("sinn(x)", 1, "unknown function 'sinn'; did you mean 'sin'?"),
    ("1 + eval(x)", 5, "unknown function 'eval'; known are sin, cos"),
    ("u(x)", 1, "'u' is not a function; for a product write u*(...)"),
    ("x(1)", 1, "'x' is not a function"),
    ("u_z", 1, "unknown name 'u_z'; coordinates are t, x, y; did you mean 'u_y'?"),
    ("nu_x", 1, "unknown name 'nu_x': subscripts are for unknowns and definitions, not for nu"),
    ("r_z", 1, "unknown name 'r_z'; coordinates are t, x, y; did you mean 'r_y'?"),
    ("u_x_y", 1, "unknown name 'u_x_y'; did you mean 'u_xy'?"),
    ("u_xxxxx", 1, "'u_xxxxx': fifth order is not supported; the highest is fourth order"),
    ("1 + u_xxxyy", 5, "'u_xxxyy': fifth order is not supported"),
    ("u_txxxx", 1, "'u_txxxx': fifth order is not supported; the highest is fourth order"),
    ("u_xxxyyyy", 1, "'u_xxxyyyy': seventh order is not supported"),
    ("u_xxxxyyyyy", 1, "unknown name 'u_xxxxyyyyy'"),
    ("u_ttt", 1, "'u_ttt': third order in time is not supported; the highest is second order in time"),
    ("dt(u_tt)", 1, "'u_ttt': third order in time is not supported"),
    ("u_tttxx", 1, "'u_tttxx': third order in time is not supported"),
    ("dx(u_xxxx)", 1, "'u_xxxxx': fifth order is not supported"),
    ("laplace(biharmonic(u))", 1, "fifth order is not supported"),
    ("dx(u, 5)", 7, "the order of dx is a whole number from 1 to 4"),
    ("dx(u, x)", 7, "the order of dx is a whole number from 1 to 4"),
    ("dx(u, 1.5)", 7, "the order of dx is a whole number from 1 to 4"),
    ("dx(u, 2, 2)", 1, "dx takes 1 argument, or 2 with the order; found 3"),
    ("dt(u, 3)", 1, "'u_ttt': third order in time is not supported"),
    ("biharmonic(grad(u))", 1, "fifth order is not supported"),
    ("u_xxz", 1, "coordinates are t, x, y; did you mean 'u_xxy'?"),
    ("biharmonik(u)", 1, "did you mean 'biharmonic'?"),
    ("grad(u)", 1, "expected a number, found a vector of 2"),
    ("u + grad(u)", 1, "a number and a vector cannot be added"),
    ("grad(u)*[1, 2]", 1, "two vectors have no product '*'; write dot(a, b)"),
    ("grad(u)^2", 1, "a vector has no powers; write dot(v, v)"),
    ("2^grad(u)", 1, "an exponent needs a number, found a vector of 2"),
    ("1/grad(u)", 1, "'/' below the line needs a number"),
    ("sin(grad(u))", 1, "sin needs a number, found a vector of 2"),
    ("max(u, grad(u))", 1, "max needs a number"),
    ("where(grad(u) < 1, 1, 2)", 7, "'<' needs a number"),
    ("where(u < 1, grad(u), 2)", 1, "where needs a number"),
    ("[[1, 2], 3]", 1, "an entry of a vector needs a number"),
    ("[1, 2] + [1, 2, 3]", 1, "vectors of different lengths, 2 and 3"),
    ("dot(u, grad(u))", 1, "dot needs a vector, found a number; write [a, b] or grad(u)"),
    ("dot([1, 2, 3], grad(u))", 1, "vectors of different lengths, 3 and 2"),
    ("div(u)", 1, "div needs a vector"),
    ("div([u, u, u])", 1, "div needs a vector of 2, one entry a space coordinate; found 3"),
    ("grad(grad(u))", 1, "expected a number, found a 2 x 2 tensor"),
    ("laplace(wind)", 1, "expected a number, found a vector of 2"),
    ("norm(u)", 1, "norm needs a vector"),
    ("sin(x, y)", 1, "sin takes 1 argument, found 2"),
    ("where(x < 1, 2)", 1, "where takes 3 arguments, found 2"),
    ("dot(grad(u))", 1, "dot takes 2 arguments, found 1"),
    ("max(x)", 1, "max takes 2 arguments, found 1"),
    ("diff(u)", 1, "diff needs a coordinate"),
    ("diff(u, z)", 9, "diff(u, x, 2), with a coordinate (t, x, y) and a whole number from 1 to 4"),
    ("diff(u, 2)", 9, "diff is written diff(u, x) or diff(u, x, 2)"),
    ("diff(u, x, 5)", 12, "diff is written diff(u, x)"),
    ("1 + 9**9**9", 5, "this constant is too large"),
    ("1/0", 1, "division by zero"),
    ("1/(x - x)", 1, "division by zero"),
    ("0^-1", 1, "division by zero: zero to a negative power"),
    ("(-8)^(1/3)", 2, "a negative number to a broken power is not real"),
    ("sqrt(-1)", 1, "not defined at -1"),
    ("log(0)", 1, "not defined at 0"),
    ("log(-1)", 1, "not defined at -1; all numbers are real here (a complex unknown is two real ones)"),
    ("sqrt(-4)*x", 1, "not defined at -4; all numbers are real here"),
    ("i*x", 1, "unknown name 'i'; all numbers are real here (a complex unknown is two real ones)"),
    ("exp(I*x)", 1, "exp needs a number, found a 2 x 2 tensor"),
    ("1j*x", 1, "'1j': a product needs its sign (1*j), and all numbers are real here"),
    ("x + 2.5i", 5, "'2.5i': a product needs its sign (2.5*i), and all numbers are real here"),
    ("conj(u)", 1, "unknown function 'conj'; all numbers are real here"),
    ("exp(1000)", 1, "this constant is too large"),
    ("1e200*1e200", 1, "a constant here is not a finite number"),
    ("tan(pi/2)", 1, "a constant here is not"),
    ("sqrt(-x^2)", 1, "a constant here is not a real number"),
    ("dx((-2)^x)", 1, "a constant here is not a real number"),
    ("exp(1000000000*log(2) + x)", 1, "a constant here is"),
    ("(2*x)^1000000000", 2, "a constant here is"),
    ("loop", 1, "definitions go in a circle: loop -> pool -> loop"),
    ("self", 1, "in definition 'self': definitions go in a circle: self -> self"),
    ("2*broken", 3, "in definition 'broken': unknown name 'nosuch'"),
    ("2 + outer", 5, "in definition 'broken': unknown name 'nosuch'"),
]


@pytest.mark.parametrize(("text", "column", "message"), FAULTS)
def test_fault_has_place_and_advice(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        meaning(text)
    assert message in caught.value.message
    assert caught.value.start == column - 1, caught.value
    assert caught.value.end > caught.value.start


def test_vector_equations_are_refused() -> None:
    with pytest.raises(ExpressionFault, match="both sides of an equation are numbers here, found a vector"):
        to_symbolic(parse_equation("grad(u) = [1, 2]"), PLANE)


def test_normal_derivative_of_a_normal_derivative() -> None:
    with pytest.raises(ExpressionFault, match="a normal derivative cannot be differentiated again"):
        meaning("dx(dn(u))", normal=True)


def test_definitions_that_multiply_are_refused() -> None:
    growing = {"d0": "x"} | {f"d{k}": f"sin(d{k - 1}) + cos(d{k - 1}*y)" for k in range(1, 40)}
    names = Names(space=("x", "y"), definitions={k: parse_expression(v) for k, v in growing.items()})
    with pytest.raises(ExpressionFault, match="too large when definitions and derivatives are written out"):
        meaning("d39", names)
    chain = {"d0": "x"} | {f"d{k}": f"sin(d{k - 1})" for k in range(1, 2000)}
    names = Names(space=("x", "y"), definitions={k: parse_expression(v) for k, v in chain.items()})
    with pytest.raises(ExpressionFault, match=r"nested too deeply|too large when"):
        meaning("d1999", names)
    assert meaning("d100", names).has(sympy.sin)


NAMING = [
    (Names(space=("x", "sin")), [("sin", "'sin' is a word of the language; choose another name")]),
    (Names(space=("x",), time="x"), [("x", "'x' has two meanings; choose another name")]),
    (
        Names(space=("x",), unknowns=("u",), parameters=("u_x",)),
        [("u_x", "'u_x' reads as a derivative of an unknown; choose another name")],
    ),
    (
        Names(space=("x",), parameters=("n_x",)),
        [("n_x", "'n_x' is a component of the normal; choose another name")],
    ),
    (Names(space=("2x",)), [("2x", "'2x' is not a name; use letters, digits and '_', a letter first")]),
    (
        Names(space=("x",), parameters=("is",)),
        [("is", "'is' is a word of the language; choose another name")],
    ),
    (Names(space=("x",), parameters=("lambda", "E", "S", "beta")), []),
]


@pytest.mark.parametrize(("names", "faults"), NAMING)
def test_naming_faults(names: Names, faults: list[tuple[str, str]]) -> None:
    assert naming_faults(names) == faults
