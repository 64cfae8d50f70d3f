"""Vectors, tensors and their components: identities of vector calculus, meanings, and what does not fit."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sympy

from pinnkan.language.expressions import (
    ExpressionFault,
    Names,
    Value,
    canonical_text,
    component_names,
    entries,
    hidden_builtins,
    mentioned,
    naming_faults,
    normal_symbols,
    parse_equation,
    parse_expression,
    symbol,
    to_symbolic,
    to_value,
)
from pinnkan.language.expressions.symbolic import Differentiation
from pinnkan.language.expressions.tensors import shape


def define(**texts: str) -> dict[str, object]:
    return {name: parse_expression(text) for name, text in texts.items()}


PLANE = Names(
    space=("x", "y"),
    time="t",
    unknowns=("u", "v", "p"),
    parameters=("nu", "Re"),
    definitions=define(
        U="[u, v]",
        w="v_x - u_y",
        eps="sym(grad(U))",
        sigma="-p*I + 2*nu*eps",
        traction="dot(sigma, n)",
        three="[u, v, p]",
        wide="[[u, v, p], [1, 2, 3]]",
        s="sin(x)*u + y^2",
        A="[x*u, u^2*v]",
        T="[[x*u, v], [p^2, y*v]]",
        p_mean="p + 1",
        U_y="[1, 2]",
    ),
    extra={"exact.u": symbol("x") ** 2, "exact.v": symbol("y") * symbol("t")},
)
SPACE = Names(
    space=("x", "y", "z"),
    unknowns=("a", "b", "c"),
    definitions=define(
        A="[x*a, a*b, sin(c)*y]", B="[b, c, a]", s="exp(a)*b + z", U="[a, b, c]", T="outer(A, B)"
    ),
)
LINE = Names(space=("x",), unknowns=("u",), definitions=define(U="[u]"))


def value(text: str, names: Names = PLANE, *, normal: bool = False) -> Value:
    return to_value(parse_expression(text), names, normal=normal)


def assert_same(left: Value, right: Value) -> None:
    assert shape(left) == shape(right), (left, right)
    for a, b in zip(entries(left), entries(right), strict=True):
        assert sympy.expand(a - b) == 0, (left, right)


# Two spellings of one value, under names of two or three dimensions.
IDENTITIES = [
    (PLANE, "div(grad(U))", "laplace(U)"),
    (PLANE, "div(grad(A))", "laplace(A)"),
    (PLANE, "advect(A, A)", "dot(grad(A), A)"),
    (PLANE, "advect(U, s)", "dot(U, grad(s))"),
    (PLANE, "trace(grad(A))", "div(A)"),
    (PLANE, "transpose(sym(T))", "sym(T)"),
    (PLANE, "sym(T) + (T - transpose(T))/2", "T"),
    (PLANE, "curl(grad(s))", "0"),
    (PLANE, "div(curl(s))", "0"),
    (PLANE, "curl(curl(s))", "-laplace(s)"),
    (PLANE, "curl(U)", "w"),
    (PLANE, "div(outer(A, U))", "advect(U, A) + A*div(U)"),
    (PLANE, "div(p*I)", "grad(p)"),
    (PLANE, "biharmonic(A)", "laplace(laplace(A))"),
    (PLANE, "dot(T, I)", "T"),
    (PLANE, "dot(A, T)", "dot(transpose(T), A)"),
    (PLANE, "dot(T, dot(T, A))", "dot(dot(T, T), A)"),
    (PLANE, "norm([[3, 0], [0, 4]])", "5"),
    (PLANE, "norm([[x, y], [1, 2]])", "sqrt(trace(dot([[x, y], [1, 2]], transpose([[x, y], [1, 2]]))))"),
    (PLANE, "cross(A, U)", "dot(A, [v, -u])"),
    (PLANE, "T/2 + T*0.5", "T"),
    (PLANE, "dot(laplace(T), [1, 0])", "laplace(dot(T, [1, 0]))"),
    (PLANE, "div(-sigma)", "grad(p) - nu*laplace(U) - nu*grad(div(U))"),
    (SPACE, "div(curl(A))", "0"),
    (SPACE, "curl(grad(s))", "[0, 0, 0]"),
    (SPACE, "curl(curl(A))", "grad(div(A)) - laplace(A)"),
    (SPACE, "div(cross(A, B))", "dot(B, curl(A)) - dot(A, curl(B))"),
    (SPACE, "cross(A, A)", "[0, 0, 0]"),
    (SPACE, "advect(A, B)", "dot(grad(B), A)"),
    (SPACE, "grad(dot(A, A)/2) - cross(A, curl(A))", "advect(A, A)"),
    (SPACE, "trace(T)", "dot(A, B)"),
    (SPACE, "div(T)", "advect(B, A) + A*div(B)"),
    (LINE, "div(U)", "u_x"),
    (LINE, "grad(U)", "[[u_x]]"),
    (LINE, "advect(U, u)", "u*u_x"),
    (LINE, "I*u", "[[u]]"),
]


@pytest.mark.parametrize(("names", "left", "right"), IDENTITIES)
def test_identity(names: Names, left: str, right: str) -> None:
    assert_same(value(left, names), value(right, names))


# Vectors and tensors, and the texts of their entries, row by row.
MEANINGS = [
    ("grad(U)", ["u_x", "u_y", "v_x", "v_y"]),
    ("transpose(grad(U))", ["u_x", "v_x", "u_y", "v_y"]),
    ("div(T)", ["u + x*u_x + v_y", "2*p*p_x + v + y*v_y"]),
    ("dot(T, [1, 0])", ["x*u", "p^2"]),
    ("dot([1, 0], T)", ["x*u", "v"]),
    ("advect(U, U)", ["u*u_x + v*u_y", "u*v_x + v*v_y"]),
    ("laplace(U)", ["u_xx + u_yy", "v_xx + v_yy"]),
    ("curl(p)", ["p_y", "-p_x"]),
    ("I", ["1", "0", "0", "1"]),
    ("outer([1, 2, 3], [u, v])", ["u", "v", "2*u", "2*v", "3*u", "3*v"]),
    ("dot(wide, three)", ["u^2 + v^2 + p^2", "u + 2*v + 3*p"]),
    ("U_t", ["u_t", "v_t"]),
    ("U_xx", ["u_xx", "v_xx"]),
    ("U_ty", ["u_ty", "v_ty"]),
    ("dt(U)", ["u_t", "v_t"]),
    ("diff(T, x)", ["u + x*u_x", "v_x", "2*p*p_x", "y*v_x"]),
    ("U_y", ["1", "2"]),  # a definition of that name
    ("U.x", ["u"]),
    ("U.y_x", ["v_x"]),
    ("U_x.y", ["v_x"]),
    ("T.yx", ["p^2"]),
    ("T.xy_t", ["v_t"]),
    ("w_x", ["v_xx - u_xy"]),
    ("p_mean", ["p + 1"]),
    ("p_mean_x", ["p_x"]),
    ("exact.u - exact.v", ["x^2 - y*t"]),
    ("exact.u_x", ["2*x"]),
    ("exact.v_t", ["y"]),
    ("I.xx + I.xy", ["1"]),
    ("-[[u, v], U]", ["-u", "-v", "-u", "-v"]),
]


@pytest.mark.parametrize(("text", "wanted"), MEANINGS)
def test_meaning_entry_by_entry(text: str, wanted: list[str]) -> None:
    found = entries(value(text))
    assert len(found) == len(wanted), found
    for entry, expected in zip(found, wanted, strict=True):
        assert sympy.expand(entry - to_symbolic(parse_expression(expected), PLANE)) == 0, found


def test_traction_and_normal() -> None:
    found = value("dot(sigma, n)", normal=True)
    n_x, n_y = normal_symbols(PLANE)
    shear = to_symbolic(parse_expression("nu*(u_y + v_x)"), PLANE)
    stress = to_symbolic(parse_expression("-p + 2*nu*u_x"), PLANE)
    assert sympy.expand(found[0] - stress * n_x - shear * n_y) == 0
    assert_same(value("traction", normal=True), found)
    assert_same(value("dn(U)", normal=True), value("dot(grad(U), n)", normal=True))
    assert value("[n.x, n_y]", normal=True) == (n_x, n_y)


def test_canonical_text_of_a_boundary_condition_is_read_back() -> None:
    residual = value("dot(traction, n)", normal=True)
    assert to_symbolic(parse_expression(canonical_text(residual)), PLANE, normal=True) == residual


def test_vector_equation_is_its_components() -> None:
    equation = parse_equation("dt(U) + advect(U, U) + grad(p) = laplace(U)/Re")
    found = to_value(equation, PLANE)
    assert component_names(found, PLANE) == ("x", "y")
    assert_same(
        found, value("[u_t + u*u_x + v*u_y + p_x - laplace(u)/Re, v_t + u*v_x + v*v_y + p_y - laplace(v)/Re]")
    )
    with pytest.raises(
        ExpressionFault, match="numbers here, found a vector of 2; write one equation an entry"
    ):
        to_symbolic(equation, PLANE)
    tensor = to_value(parse_equation("T = [[0, 0], [0, 0]]"), PLANE)
    assert_same(tensor, value("T"))


COMPONENT_NAMES = [
    ("u", PLANE, ()),
    ("U", PLANE, ("x", "y")),
    ("three", PLANE, ("0", "1", "2")),
    ("T", PLANE, ("xx", "xy", "yx", "yy")),
    ("wide", PLANE, ("00", "01", "02", "10", "11", "12")),
    ("U", LINE, ("x",)),
    ("grad(U)", LINE, ("xx",)),
    ("I", Names(space=("x", "xx")), ("0", "1", "2", "3")),
]


@pytest.mark.parametrize(("text", "names", "wanted"), COMPONENT_NAMES)
def test_component_names(text: str, names: Names, wanted: tuple[str, ...]) -> None:
    assert component_names(value(text, names), names) == wanted


# Parts of messages.
NO_NUMBER = "needs a vector, found a number; write [a, b] or grad(u)"
NO_TENSOR = "needs a vector, found a 2 x 2 tensor; write dot(T, v) or div(T)"
NO_VECTOR = "needs a tensor, found a vector of 2; write grad(U) of a vector or [[a, b], [c, d]]"
IN_SPACE = "one entry a space coordinate"
REAL = "all numbers are real here (a complex unknown is two real ones)"
ADD_TENSOR = "write p*I for a multiple of the identity, trace(T) or norm(T) for a number"
SIDES = "both are numbers, vectors of one length or tensors of one shape"
NORMAL = "n is the outward normal, which is known in boundary conditions only"
NOT_NORMAL = "'n' is the unknown here, and so not the outward normal: for that write [normal_x, normal_y]"
LISTING = "t, x, y, u, v, p, nu, Re, U, w, eps, sigma, ..."

# Text, column (from one), and the message, whole.
FAULTS = [
    ("U + p", 1, "a number and a vector cannot be added; use dot(a, b), norm(v) or [a, b]"),
    ("T + p", 1, f"a number and a tensor cannot be added; {ADD_TENSOR}"),
    ("U - T", 1, "a vector and a tensor cannot be added; write div(T) or dot(T, v) for a vector"),
    ("U + three", 1, "vectors of different lengths, 2 and 3"),
    ("T + wide", 1, "tensors of different shapes, a 2 x 2 tensor and a 2 x 3 tensor"),
    ("T*T", 1, "two tensors have no product '*'; write dot(S, T)"),
    ("U*T", 1, "a vector and a tensor have no product '*'; write dot(T, v)"),
    ("T^2", 1, "a tensor has no powers; write dot(T, T) for its square"),
    ("1/T", 1, "'/' below the line needs a number, found a 2 x 2 tensor; "
     "use trace(T), norm(T) or a component T.xy"),
    ("dot(T, three)", 1, "dot of a 2 x 2 tensor and a vector of 3: "
     "it sums the last index of the first (2) with the first of the second (3)"),
    ("dot(three, T)", 1, "dot of a vector of 3 and a 2 x 2 tensor: "
     "it sums the last index of the first (3) with the first of the second (2)"),
    ("dot(T, u)", 1, f"dot {NO_NUMBER}"),
    ("grad(T)", 1, "grad needs a number or a vector, found a tensor; for div(grad(T)) write laplace(T)"),
    ("div(wide)", 1, f"div needs a vector of 2, {IN_SPACE}; found 3"),
    ("div(three)", 1, f"div needs a vector of 2, {IN_SPACE}; found 3"),
    ("advect(u, U)", 1, f"the first argument of advect {NO_NUMBER}"),
    ("advect(three, U)", 1, f"the first argument of advect needs a vector of 2, {IN_SPACE}; found 3"),
    ("advect(T, U)", 1, f"the first argument of advect {NO_TENSOR}"),
    ("advect(U)", 1, "advect takes 2 arguments, found 1"),
    ("curl(three)", 1, f"curl needs a vector of 2, {IN_SPACE}; found 3"),
    ("curl(T)", 1, f"curl {NO_TENSOR}"),
    ("cross(U, three)", 1, "cross needs two vectors of 3, or of 2; found a vector of 2 and a vector of 3"),
    ("cross(U, u)", 1, f"cross {NO_NUMBER}"),
    ("outer(T, U)", 1, f"outer {NO_TENSOR}"),
    ("sym(U)", 1, f"sym {NO_VECTOR}"),
    ("sym(wide)", 1, "sym needs a tensor of as many rows as columns, found a 2 x 3 tensor"),
    ("1 + trace(u)", 5, "trace needs a tensor, found a number; "
     "write grad(U) of a vector or [[a, b], [c, d]]"),
    ("transpose(U)", 1, f"transpose {NO_VECTOR}"),
    ("norm(u)", 1, f"norm {NO_NUMBER}"),
    ("[U, u]", 1, "an entry of a vector needs a number, and all rows of a tensor are vectors; "
     "found a vector of 2 and a number"),
    ("[U, three]", 1, "rows of different lengths, 2 and 3"),
    ("[T, T]", 1, "a list of tensors has no meaning; a vector is [a, b], a tensor [[a, b], [c, d]]"),
    ("sin(U)", 1, "sin needs a number, found a vector of 2; use dot(a, b) or norm(v)"),
    ("2*n", 3, f"{NORMAL}"),
    ("2*n_x", 3, f"{NORMAL}"),
    ("u + traction", 5, f"in definition 'traction': {NORMAL}"),
    ("U.z", 1, "'U.z': U is a vector of 2; its components are U.x, U.y"),
    ("T.x", 1, "'T.x': T is a 2 x 2 tensor; its components are T.xx, T.xy, T.yx, T.yy"),
    ("U.xx", 1, "'U.xx': U is a vector of 2; its components are U.x, U.y"),
    ("three.x", 1, f"'three.x': three is a vector of 3; components are for {IN_SPACE} (x, y)"),
    ("three.0x", 1, "'three.0': a component is named by its coordinate, as in U.x"),
    ("wide.xx", 1, f"'wide.xx': wide is a 2 x 3 tensor; components are for {IN_SPACE} (x, y)"),
    ("1 + u.x", 5, "'u.x': u is a number, which has no components; its derivative is u_x"),
    ("U.t", 1, "'U.t': U is a vector of 2; its components are U.x, U.y"),
    ("U_z", 1, "unknown name 'U_z'; did you mean 'U_y'?"),
    ("U.x.y", 1, "'U.x.y': U.x is a number, which has no components; its derivative is U.x_y"),
    ("T_z", 1, "unknown name 'T_z'; coordinates are t, x, y; did you mean 'T_y'?"),
    ("V.x", 1, f"unknown name 'V'; known are {LISTING}"),
    ("sigm.xy", 1, "unknown name 'sigm'; did you mean 'sigma'?"),
    ("nu.x", 1, "'nu.x': nu is a number, which has no components"),
    ("exact.p", 1, "unknown name 'exact.p'; known are exact.u, exact.v"),
    ("exact", 1, "unknown name 'exact'; known are exact.u, exact.v"),
    ("x.__class__", 1, f"unknown name 'x.__class__'; known are {LISTING}"),
    ("U.x(1)", 1, "'U.x' is not a function; for a product write U.x*(...), for its value U.x"),
    ("I*u_t + u_xx", 1, f"a number and a tensor cannot be added; {ADD_TENSOR}; "
     f"I is the identity tensor, and {REAL}"),
    ("exp(I*x)", 1, "exp needs a number, found a 2 x 2 tensor; "
     f"use trace(T), norm(T) or a component T.xy; I is the identity tensor, and {REAL}"),
    ("j*x", 1, f"unknown name 'j'; {REAL}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "column", "message"), FAULTS)
def test_fault(text: str, column: int, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        value(text)
    assert caught.value.message == message
    assert caught.value.start == column - 1


IN_TIME = Names(space=(), time="t", unknowns=("u",))
FAULTS_OF_DIMENSION = [
    (LINE, "curl(U)", "curl is known in 2 and 3 space dimensions, found 1"),
    (SPACE, "curl(a)", "curl of a number is known in the plane, here it needs a vector of 3"),
    (PLANE, "div(n)", "the normal is known on the boundary only: a normal derivative "
     "cannot be differentiated again"),
    (Names(space=("x", "n"), unknowns=("u",)), "dn(u)", "'dn' could be the derivative along n, "
     "diff(u, n), or the normal derivative, dot([normal_x, normal_n], grad(u)); write which"),
    (SPACE, "U.t", "'U.t': U is a vector of 3; its components are U.x, U.y, U.z"),
    (SPACE, "curl([a, b])", f"curl needs a vector of 3, {IN_SPACE}; found 2"),
    (IN_TIME, "I*u", f"unknown name 'I'; {REAL}"),
    (IN_TIME, "advect([u], u)", "there are no space coordinates to differentiate along"),
    (IN_TIME, "n", "unknown name 'n'; known are t, u"),
]  # fmt: skip


@pytest.mark.parametrize(("names", "text", "message"), FAULTS_OF_DIMENSION)
def test_fault_of_dimension(names: Names, text: str, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        value(text, names, normal=True)
    assert caught.value.message == message


EQUATION_FAULTS = [
    ("U_x = 0", "the sides of an equation are a vector of 2 and a number; write [0, 0] for zero; "
     "U_x is the derivative of U, whose components are written U.x"),
    ("1 + T_xy = w_x", f"a number and a tensor cannot be added; {ADD_TENSOR}; "
     "T_xy is the derivative of T, whose components are written T.xy"),
    ("U = 0", "the sides of an equation are a vector of 2 and a number; write [0, 0] for zero"),
    ("0 = U", "the sides of an equation are a number and a vector of 2; write [0, 0] for zero"),
    ("T = 0", "the sides of an equation are a 2 x 2 tensor and a number; write [[0, 0], [0, 0]] for zero"),
    ("U = 1", f"the sides of an equation are a vector of 2 and a number; {SIDES}"),
    ("U = [0, 0, 0]", f"the sides of an equation are a vector of 2 and a vector of 3; {SIDES}"),
    ("u_t = I*u_xx", f"the sides of an equation are a number and a 2 x 2 tensor; {SIDES}; "
     f"I is the identity tensor, and {REAL}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), EQUATION_FAULTS)
def test_equation_fault(text: str, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        to_value(parse_equation(text), PLANE)
    assert caught.value.message == message
    assert caught.value.start == 0


OWN = Names(
    space=("x", "y"),
    unknowns=("n", "e"),
    parameters=("I", "trace"),
    definitions=define(sigma="n*[[1, 0], [0, e]]"),
)


def test_own_names_win_over_built_in_ones() -> None:
    assert naming_faults(OWN) == []
    assert hidden_builtins(OWN) == ("e", "I", "n", "trace")
    assert hidden_builtins(PLANE) == ()
    assert [str(value(text, OWN)) for text in ("n_x", "e_xx", "e", "I^2", "trace*e")] == [
        "n_x", "e_xx", "e", "I**2", "e*trace",
    ]  # fmt: skip
    assert canonical_text(value("exp(1)*e", OWN)) == "exp(1)*e"
    assert value(canonical_text(value("exp(1)*e", OWN)), OWN) == value("exp(1)*e", OWN)


def test_normal_beside_an_unknown_n() -> None:
    found = value("dn(n) + n", OWN, normal=True)
    assert str(found) == "n + n_x*normal_x + n_y*normal_y"
    assert [str(leaf) for leaf in normal_symbols(OWN)] == ["normal_x", "normal_y"]
    assert value(canonical_text(found), OWN, normal=True) == found
    with pytest.raises(ExpressionFault, match="the normal is known on the boundary only"):
        value("dx(normal_x)", OWN, normal=True)
    assert value("dx(n_x)", OWN, normal=True) == symbol("n_xx")
    assert_same(
        value("dot(sigma, [normal_x, normal_y])", OWN, normal=True)[:1], (symbol("n") * symbol("normal_x"),)
    )
    taken = replace(OWN, parameters=("normal_x", "normall"))
    assert not {str(leaf) for leaf in normal_symbols(taken)} & set(taken.own)


HIDDEN = [
    ("dot(sigma, n)", f"dot {NO_NUMBER}; {NOT_NORMAL}"),
    ("sigma - e*I", f"a number and a tensor cannot be added; {ADD_TENSOR}; "
     "'I' is the parameter here, and so not the identity tensor: write it as [[1, 0], [0, 1]]"),
    ("trace(sigma)", "'trace' is the parameter here, and so not the operator trace(...); "
     "rename the parameter to have both"),
    ("n.x", f"'n.x': n is a number, which has no components; its derivative is n_x; {NOT_NORMAL}"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "message"), HIDDEN)
def test_hidden_built_in_is_named(text: str, message: str) -> None:
    with pytest.raises(ExpressionFault) as caught:
        value(text, OWN, normal=True)
    assert caught.value.message == message


# What a text differentiates, along which coordinate, how many came before.
TAKEN = [
    ("grad(U)", [("u", "x", 0), ("u", "y", 0), ("v", "x", 0), ("v", "y", 0)]),
    ("div(T)", [("u*x", "x", 0), ("v", "y", 0), ("p**2", "x", 0), ("v*y", "y", 0)]),
    ("advect(U, p)", [("p", "x", 0), ("p", "y", 0)]),
    ("advect(U, U)", [("u", "x", 0), ("u", "y", 0), ("v", "x", 0), ("v", "y", 0)]),
    ("curl(U)", [("v", "x", 0), ("u", "y", 0)]),
    ("curl(p)", [("p", "x", 0), ("p", "y", 0)]),
    ("laplace(u)", [("u", "x", 0), ("u_x", "x", 1), ("u", "y", 0), ("u_y", "y", 1)]),
    ("biharmonic(x)", [("x", "x", 0), ("1", "x", 1), ("x", "y", 0), ("0", "y", 1),
                       ("0", "x", 2), ("0", "x", 3), ("0", "y", 2), ("0", "y", 3)]),
    ("laplace([u, 1])", [("u", "x", 0), ("u_x", "x", 1), ("u", "y", 0), ("u_y", "y", 1),
                         ("1", "x", 0), ("0", "x", 1), ("1", "y", 0), ("0", "y", 1)]),
    ("U_tx", [("u", "t", 0), ("v", "t", 0), ("u_t", "x", 1), ("v_t", "x", 1)]),
    ("w_x", [("-u_y + v_x", "x", 0)]),
    ("dot(T, U)", []),
    ("u_xx", []),
]  # fmt: skip


@pytest.mark.parametrize(("text", "wanted"), TAKEN)
def test_derivatives_are_noted(text: str, wanted: list[tuple[str, str, int]]) -> None:
    taken: list[Differentiation] = []
    to_value(parse_expression(text), PLANE, taken=taken)
    assert [(str(item.expr), item.coordinate, item.step) for item in taken] == wanted
    assert all((item.start, item.end) == (0, len(text)) for item in taken)


def test_size_of_every_entry_is_bounded() -> None:
    texts = {"d0": "x"} | {f"d{k}": f"sin(d{k - 1}) + cos(d{k - 1}*y)" for k in range(1, 15)}
    small = replace(PLANE, definitions=define(**texts, big="[[1, d14*u], [0, 1]]"))
    with pytest.raises(ExpressionFault, match="too large when definitions and derivatives are written out"):
        value("transpose(big)", small)


def test_names_that_a_text_mentions() -> None:
    text = parse_expression("U.x + U_t.y*exact.u_x + p_xx + sin(nu)*pi + dot(n, T)")
    assert mentioned(text, PLANE) == {"U", "exact.u", "p", "nu", "T"}
