"""What nothing fixes is taken out before comparing: a constant, in time a function of time."""

from __future__ import annotations

import pytest
from formula_solution import Formula

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.solutions.evaluation.correction import correction_of
from pinnkan.solutions.evaluation.measures import errors_at
from pinnkan.solutions.evaluation.relative import relative_residuals
from pinnkan.solutions.fields import in_one_gauge

IN_TIME = """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: [u, p]
source: manufactured
exact: {u: "sin(pi*x)*exp(-t)", p: "x*cos(t)"}
equations: ["u_t + p_x = u_xx + source", "p_xx = u_x + source"]
boundary: ["u = 0", "dn(p) = (2*x-1)*cos(t)"]
initial: ["u = exact.u"]
"""
TWICE = """
coordinates: [x]
time: {t: [0, 1/2]}
domain: {shape: interval, x: [0, 1]}
unknowns: [u, v]
exact: {u: "exp(-4*pi^2*t)*sin(2*pi*x)", v: "0"}
equations: ["u_t = u_xx", "v_t = v_xx"]
boundary: ["u = 0", "v = 0"]
initial: ["u = sin(2*pi*x)", "v = 0"]
"""


def measured(text, *formulas):
    instance = Family(load_problem(text, name="gauge")).at()
    solution = Formula.of(instance, *formulas)
    object.__setattr__(solution, "named", lambda points: dict(zip("up", solution(points), strict=True)))
    return instance, solution


def test_a_function_of_time_is_no_error_of_a_pressure():
    instance, solution = measured(IN_TIME, "sin(pi*x)*exp(-t)", "x*cos(t) + 5*t^2 - exp(t) + 1e-3*cos(pi*x)")
    known = instance.known(instance.domain.uniform(2000, 1))
    field = errors_at(solution, known)["fields"]["p"]
    assert field["centred"]
    centred = (1 + 0.5 * 0.9092974268256817) / 2 / 12  # mean over t of cos(t)^2, times that of (x - 1/2)^2
    assert field["relative_l2"] == pytest.approx(1e-3 / (2 * centred) ** 0.5, rel=0.03)
    points = instance.domain.uniform(50, 2)
    moved = in_one_gauge(solution, instance.exact(points), points)
    assert solution(points)[1] - moved["p"] == pytest.approx(1e-3 * _cosine(points), abs=1e-5)


def _cosine(points):
    import numpy as np

    return np.cos(np.pi * points[:, 1])


def test_a_function_of_time_is_left_out_of_the_estimate():
    _, solution = measured(IN_TIME, "sin(pi*x)*exp(-t)", "x*cos(t) + 5*t^2 + 1e-3*cos(pi*x)")
    correction = correction_of(solution)
    wanted = (0.5e-6 / ((1 + 0.5 * 0.9092974268256817) / 2 / 12)) ** 0.5
    assert correction.relatives[1] == pytest.approx(wanted, rel=0.1)
    assert correction.error_estimate is not None


def test_an_estimate_is_over_the_size_of_an_unknown_not_its_range():
    """A pulse that is gone soon has a range of 2 and a size of 0.11."""
    instance = Family(load_problem(TWICE, name="twice")).at()
    exact = "exp(-4*pi**2*t)*sin(2*pi*x)"
    correction = correction_of(Formula.of(instance, f"1.01*{exact}", "0"))
    assert correction.relatives[0] == pytest.approx(0.01, rel=0.05)
    assert correction.relatives[1] < 1e-6


def test_what_is_left_of_an_unknown_that_is_zero_is_no_size_to_measure_by():
    instance = Family(load_problem(TWICE, name="twice")).at()
    solution = Formula.of(instance, "exp(-4*pi**2*t)*sin(2*pi*x)", "1e-8*sin(pi*x)*sin(9*t)")
    assert relative_residuals(solution)["equation[1]"] < 1e-3


NEUMANN = """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
exact: cos(pi*x) + 3
equations: ["u_xx = -pi^2*cos(pi*x)"]
boundary: ["dn(u) = 0"]
"""


@pytest.mark.parametrize(
    ("extra", "error", "centred"), [("", 0.01, True), ('constraints: ["mean(u) = 3"]\n', 1.0, False)]
)
def test_one_unknown_known_up_to_a_constant_is_said_to_be_centred(extra, error, centred):
    instance = Family(load_problem(NEUMANN + extra, name="neumann")).at()
    solution = Formula.of(instance, "1.01*cos(pi*x) - (9.5**(1/2) - 3)")
    object.__setattr__(solution, "named", lambda points: {"u": solution(points)[0]})
    errors = errors_at(solution, instance.known(instance.domain.uniform(4000, 3)))
    assert errors["centred"] is centred
    assert errors["relative_l2"] == pytest.approx(error, rel=0.05)
