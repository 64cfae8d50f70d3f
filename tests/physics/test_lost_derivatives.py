"""A derivative of something that jumps is refused: no point sees the Dirac."""

from __future__ import annotations

import random

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.check import check_problem
from pinnkan.physics.family import Family
from pinnkan.physics.lost import refuse_lost_derivatives

LINE = """\
coordinates: [x]
domain: {shape: interval, x: [0, 3]}
unknowns: u
family: {a: {base: 10, range: [2, 20]}}
definitions: {K: "COEFFICIENT"}
equations:
  - EQUATION
boundary: ["u = 0"]
"""
SQUARE = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
family: {a: 2}
definitions: {K: "COEFFICIENT"}
equations:
  - EQUATION
boundary: ["u = 0"]
"""
STEPS = {
    "where": "where(x < {c}, 1, a)",
    "where, two-sided": "where(x > {c} and x < {c} + 0.2, a, 1)",
    "quotient": "a + (x - {c})/abs(x - {c})",
    "quotient of a root": "a + (x - {c})/sqrt((x - {c})^2)",
    "power of a step": "where(x < {c}, 1, 2)^a",
    "inside a function": "sin(where(x < {c}, 1, 2)) + a",
    "min of steps": "min(where(x < {c}, 1, 2), a)",
}
KINKS = {
    "abs": "a*abs(x - {c})",
    "min": "min(x, {c}) + a",
    "max": "max(x, {c}) + a",
    "root": "a*sqrt((x - {c})^2)",
    "where": "where(x < {c}, a*x, a*{c})",
}


def stated(text: str, equation: str, coefficient: str) -> str:
    return text.replace("EQUATION", equation).replace("COEFFICIENT", coefficient)


def refusal(text: str) -> str:
    with pytest.raises(ProblemError) as caught:
        check_problem(Family(load_problem(text, name="mine")))
    assert caught.value.exit_code == 2
    with pytest.raises(ProblemError) as in_training:
        refuse_lost_derivatives(Family(load_problem(text, name="mine")).at())
    assert str(in_training.value) == str(caught.value)
    return str(caught.value)


def accept(text: str) -> None:
    refuse_lost_derivatives(Family(load_problem(text, name="mine")).at())


@pytest.mark.parametrize("step", STEPS)
def test_a_flux_across_a_step_anywhere_is_refused_where_it_is_written(step):
    rng = random.Random(step)
    for text, equations in (
        (LINE, ("diff(K*u_x, x) = 1", "dx(K)*u + u_xx = 1")),
        (SQUARE, ("div(K*grad(u)) = 1",)),
    ):
        place = round(rng.uniform(0.2, 0.7), 3)
        for equation in equations:
            message = refusal(stated(text, equation, STEPS[step].replace("{c}", str(place))))
            called = equation.partition(" = ")[0].partition("*u + ")[0]
            assert message.startswith(
                f"mine.yaml:7:5: error: equation[0]: '{called}' differentiates something with a jump"
            )
            assert f" at x = {place:g}; no point sees the derivative there (a Dirac)" in message
            assert f"a + (b - a)*(1 + tanh((x - {place:g})/0.0" in message


@pytest.mark.parametrize("kink", KINKS)
def test_a_second_derivative_of_a_kink_is_refused_and_a_first_is_not(kink):
    coefficient = KINKS[kink].replace("{c}", "0.4")
    for text, equation in (
        (LINE, "-u_xx = diff(K, x, 2)"),
        (LINE, "-u_xx = dx(dx(K))"),
        (SQUARE, "-laplace(u) = laplace(K)"),
        (SQUARE, "-laplace(u) + laplace(K*u) = 0"),
        (SQUARE, "-laplace(u) = div(grad(K))"),
    ):
        message = refusal(stated(text, equation, coefficient))
        assert "with a jump" in message
        assert " at x = 0.4; no point" in message
    accept(stated(LINE, "-u_xx = diff(K, x)", coefficient))
    accept(stated(SQUARE, "-div(K*grad(u)) = 1", coefficient))
    accept(stated(SQUARE, "-laplace(u) = diff(K, y, 2)", coefficient))


@pytest.mark.parametrize(
    "equation",
    [
        "-u_xx = K",
        "-u_xx + K*u = 1",
        "-K*u_xx = 1",
        "-u_xx + K*u_x = where(x < 1, 0, 1)",
        "-diff(a*u_x, x) = K",
        "-u_xx = diff(K*(x - 1.5)^2, x)",
        "-u_xx = diff(K*(x - 1.5)^3, x, 2)",
    ],
)
def test_a_jump_that_is_not_differentiated_is_allowed(equation):
    accept(stated(LINE, equation, "where(x < 1.5, 1, a)"))


@pytest.mark.parametrize(
    "coefficient",
    [
        "where(x < 5, 1, a)",
        "max(x, 0)*a",
        "where(x < 1.5, a, 10)",
        "a + sqrt(x)",
        "a*(1 + tanh((x - 1.5)/0.06))",
    ],
)
def test_what_does_not_jump_inside_the_domain_at_this_value_is_allowed(coefficient):
    accept(stated(LINE, "diff(K*u_x, x) = 1", coefficient))


def test_the_parameter_decides():
    text = stated(LINE, "diff(K*u_x, x) = 1", "where(x < 1.5, a, 10)")
    with pytest.raises(ProblemError, match="with a jump"):
        refuse_lost_derivatives(Family(load_problem(text)).at(9.0))
    (finding,) = (
        f
        for f in check_problem(Family(load_problem(text))).findings
        if f.severity == "error" and "at a=2:" in f.message
    )
    assert "with a jump (where) at x = 1.5" in finding.message


MANUFACTURED = """\
coordinates: [x]
domain: {shape: interval, x: [0, 3]}
unknowns: u
family: {a: 2}
exact: "EXACT"
source: manufactured
equations:
  - -u_xx + a*u = source
boundary: ["u = exact"]
"""


@pytest.mark.parametrize(
    ("exact", "order", "what"),
    [
        ("where(x < 1, 0, 1)", "u_xx", "something with a jump (where) at x = 1"),
        ("abs(x - 1)", "u_xx", "a first derivative with a jump (where) at x = 1"),
        ("min(x, 3 - x)", "u_xx", "a first derivative with a jump (where) at x = 1.5"),
    ],
)
def test_a_manufactured_source_of_a_kink_is_refused(exact, order, what):
    message = refusal(MANUFACTURED.replace("EXACT", exact))
    assert message.startswith(
        f"mine.yaml:6:9: error: source: '{order} of the exact solution' differentiates {what};"
    )
    accept(MANUFACTURED.replace("EXACT", "x*abs(x - 1)*(x - 1)"))


VECTORS = """\
coordinates: [x, y]
domain: {shape: box, x: [0, 2], y: [0, 1]}
unknowns: [u, v]
definitions: {U: [u, v], K: "where(x < 1, 1, 2)"}
exact: {u: x*y, v: x + y}
source: manufactured
equations: ["U + source = laplace(U) + dx([K*u_x, v])"]
boundary: ["U = [exact.u, exact.v]"]
"""


def test_a_jump_beside_the_source_of_a_vector_equation_is_refused():
    """The source is read as a number first, and as a vector where that does not fit."""
    message = refusal(VECTORS)
    assert "equation[0]: 'dx([K*u_x, v])' differentiates something with a jump (where) at x = 1" in message
    accept(VECTORS.replace("where(x < 1, 1, 2)", "1 + x"))


def test_a_place_that_is_no_plane_has_an_example():
    text = stated(SQUARE, "div(K*grad(u)) = 1", "where(x^2 + y^2 < 0.5, 1, a)")
    message = refusal(text)
    assert "with a jump (where), for example at x = 0." in message
    assert "tanh((s)/0.02)" in message


def test_all_places_are_said_at_once():
    text = stated(LINE, "diff(K*u_x, x) + dx(where(x < 1, 0, u)) = 1", "where(x < 1.5, 1, a)")
    message = refusal(text)
    assert "mine.yaml:7:5:" in message
    assert "mine.yaml:7:22:" in message
    assert message.endswith("2 errors")


@pytest.mark.parametrize("name", sorted(shipped_problems()))
def test_every_shipped_problem_is_accepted(name):
    problem = load_problem(name)
    ends = {parameter.name: parameter.high for parameter in problem.parameters}
    refuse_lost_derivatives(Family(problem).at(ends))


OF_UNKNOWN = {
    # What is differentiated, and at which value of the unknown (or its slope) it jumps; None if it does not.
    "dx(where(u < {c}, 1, 3)*u_x)": "u = {c}",
    "div(where(u < {c}, 1, 3)*grad(u))": "u = {c}",
    "dx((2 + (u - {c})/abs(u - {c}))*u_x)": "u = {c}",
    "dx(where(u_x < {c}, 1, 3)*u_x)": "u_x = {c}",
    "diff(abs(u - {c}), x, 2)": "u = {c}",
    "diff(max(u, {c}), x, 2)": "u = {c}",
    "laplace(where(u < {c}, u, 2*u - {c}))": "u = {c}",
    "dx(dx(min(u, {c})))": "u = {c}",
    "dx(max(u, {c})*u_x)": None,
    "div(abs(u - {c})*grad(u))": None,
    "dx(abs(u_x)*u_x)": None,
    "dx(abs(u - {c})) + u_xx": None,
    "diff((u - {c})*abs(u - {c}), x, 2)": None,
    "laplace(max(u - {c}, 0)^2)": None,
    "dx(u_x/u)": None,
    "dx(sqrt(u)*u_x)": None,
    "where(u < {c}, 1, 3)*u_xx": None,
    "u_xx + where(u < {c}, 1, 3)": None,
    "dx(where(u < 1000*{c}, 1, 3)*u_x)": None,
}
"""Right-hand sides of equations; the last one switches far from any value of the unknown."""


@pytest.mark.parametrize("formula", OF_UNKNOWN)
def test_a_switch_on_the_unknown_is_refused_where_what_is_differentiated_jumps(formula):
    rng = random.Random(formula)
    for unit in (1e-9, 1.0, 1e6):
        c = f"{unit * rng.uniform(0.3, 0.9):.4g}"
        text = (
            "coordinates: [x]\ndomain: {shape: interval, x: [0, 3]}\nunknowns: u\n"
            f'equations: ["{formula} = 0"]\nboundary: ["u = {unit:g}"]\n'
        ).replace("{c}", c)
        jump = OF_UNKNOWN[formula]
        if jump is None:
            accept(text)
        else:
            message = refusal(text)
            assert jump.replace("{c}", c) in message
            assert "no point sees the derivative there (a Dirac)" in message


def test_a_value_of_the_unknown_that_is_zero_up_to_rounding_is_said_as_zero():
    text = stated(LINE, "dx(where(u < 0, 1, 3)*u_x) = K", "a").replace('"u = 0"', '"u = 10*x - 7"')
    message = refusal(text)
    assert "at u = 0;" in message
    assert "tanh((u + 0)/" in message or "tanh((u - 0)/" in message
