"""Relative residuals against values by hand, at functions given by formulas."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from formula_solution import Formula

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.solutions.evaluation import relative
from pinnkan.solutions.evaluation.relative import residual_report

SQUARE = """
coordinates: [x, y]
domain: {{shape: box, x: [0, {length}], y: [0, {length}]}}
unknowns: u
{known}
equations: ["{equation}"]
boundary: [{{equation: "{boundary}", hard: false}}]
"""


MADE = """exact: "{scale}*sin(pi*x/{length})*sin(pi*y/{length})"
source: manufactured"""


def report(u: str, *, equation="-laplace(u) = source", boundary="u = 0", scale=1.0, length=1.0):
    known = MADE.format(scale=scale, length=length) if "source" in equation else ""
    text = SQUARE.format(equation=equation, boundary=boundary, length=length, known=known)
    pi, x, y = sympy.pi, *sympy.symbols("x y")
    sines = sympy.sin(pi * x / length) * sympy.sin(pi * y / length)
    formula = sympy.sympify(u, {"S": scale * sines, "x": x, "y": y})
    return residual_report(Formula(Family(load_problem(text)).at(), (formula,)))


def test_the_mean_is_over_that_of_the_terms():
    """Equal to the relative residual where residual and terms are multiples of each other."""
    found = report("1.01*S")
    assert found.means["equation[0]"] == pytest.approx(0.01 / 2.01, rel=1e-9)
    found = report("S*(1 + 0.01*sin(20*pi*x))")
    assert 0.5 * found.relative["equation[0]"] < found.means["equation[0]"] < found.relative["equation[0]"]


def test_values_beyond_constants_that_enclose_a_solution_are_measured_by_their_range():
    """u^3 = 8 + laplace(u) has a solution between 0 and 2, as the scale tells; -4 S goes from -4 to 0."""
    found = report("-4*S", equation="-laplace(u) + u^3 = 8")
    assert found.bracket is not None
    assert (found.bracket.low, found.beyond) == (0.0, pytest.approx(1.0, rel=1e-3))
    assert report("S", equation="-laplace(u) + u^3 = 8").beyond == 0.0
    assert report("-4*S", equation="-laplace(u) = 8").beyond == 0.0


def test_the_exact_solution_has_none():
    relative = report("S").relative
    assert max(relative.values()) < 1e-15


@pytest.mark.parametrize("scale", [1e-12, 1.0, 1e9])
@pytest.mark.parametrize("length", [1e-3, 1.0, 1e4])
def test_a_share_of_the_terms_whatever_the_units(scale, length):
    """u = (1 + e) S: the residual is e f, the terms are (1 + e) f / 2 twice and f."""
    found = report("1.01*S", scale=scale, length=length)
    assert found.relative["equation[0]"] == pytest.approx(0.01 / 2.01, rel=1e-9)
    assert found.blocks[0].largest == pytest.approx(0.01 / 2.01, rel=1e-9)


def test_a_condition_without_data_is_measured_by_the_range_of_the_unknown():
    """u = S + 1e-3 against u = 0 on the sides: 1e-3 over a range of 1, as far as 4,096 points see it."""
    assert report("S + 0.001").relative["boundary[0]"] == pytest.approx(1e-3, rel=2e-3)


def test_what_is_constant_but_for_its_error_has_no_range():
    """u = 25 + 1e-6 x y in u_xy = 0: 1e-6 over 25e-3, and not over its own range."""
    found = report("25 + 0.000001*x*y", equation="u_xy = 0", boundary="u = 25")
    assert found.relative["equation[0]"] == pytest.approx(1e-6 / (25e-3 + 1e-9), rel=1e-3)


def test_zero_is_nothing_and_reported():
    found = report("0*x")
    assert (found.ranges, found.is_homogeneous) == (((0.0, 0.0),), False)
    assert found.is_zero([1.0])
    assert found.relative == {"equation[0]": 1.0, "boundary[0]": 0.0}
    found = report("0*x", equation="laplace(u) + u = 0")
    assert (found.ranges, found.is_homogeneous) == (((0.0, 0.0),), True)
    assert found.is_zero([1.0])
    assert found.relative == {"equation[0]": 0.0, "boundary[0]": 0.0}


def test_the_largest_residual_has_a_place():
    """A bump of width 0.02 at (0.3, 0.6) holds nearly all of the residual."""
    (equation, _) = report("S + 0.0001*exp(-((x-0.3)**2 + (y-0.6)**2)/0.0004)").blocks
    assert np.hypot(equation.place[0] - 0.3, equation.place[1] - 0.6) < 0.04
    assert equation.share > 0.95


def test_point_by_point_a_residual_is_divided_by_the_terms_there_and_those_of_a_plain_function():
    """u = 1.01 S of -laplace(u) = f: |r| = 0.01 f over 2.01 f + (f + 2 max u / L^2)."""
    found = report("1.01*S").pointwise["equation[0]"]
    x = (np.arange(400) + 0.5) / 400
    f = 2 * np.pi**2 * np.outer(np.sin(np.pi * x), np.sin(np.pi * x))
    assert found == pytest.approx(np.mean(0.01 * f / (3.01 * f + 2 * 1.01)), rel=1e-3)


def test_a_region_where_all_terms_are_small_is_seen_point_by_point():
    """A density that falls by 26 orders of magnitude: what is wrong behind it hardly adds to any sum."""
    weighted = "-exp(-60*x)*laplace(u) = source"
    found = report("S*(1 + 0.5*x^6)", equation=weighted)
    assert found.relative["equation[0]"] < 1e-5
    assert found.pointwise["equation[0]"] > 0.05
    assert report("1.0001*S", equation=weighted).pointwise["equation[0]"] < 1e-4


def test_what_has_not_come_yet_is_no_fault():
    """A pulse that fills a hundredth of the domain, right to 1e-5 of its height: noise elsewhere."""
    noise = "1e-5*sin(9*x)*sin(9*y)"
    pulse = "exp(-1000*((x - 0.3)^2 + (y - 0.3)^2))"
    found = report(f"{pulse} + {noise}", equation=f"laplace(u) - 100*u = laplace({pulse}) - 100*{pulse}")
    assert found.pointwise["equation[0]"] < 1e-3


LATE = """
coordinates: [y]
time: {x: [0, 100]}
domain: {shape: interval, y: [0, 1]}
unknowns: u
equations: ["u_x = u_yy + (0.9*cos(0.9*x) + pi^2*sin(0.9*x))*sin(pi*y)"]
boundary: [u = 0]
initial: ["u = 200*sin(pi*y)"]
"""


def test_what_happens_late_counts_where_time_is_graded(monkeypatch):
    """An error of 20 % from t = 1 on (6 % of all), behind a transient that is 200 times larger."""
    x, y = sympy.symbols("x y")
    u = (200 * sympy.exp(-(sympy.pi**2) * x) + 1.2 * sympy.sin(0.9 * x)) * sympy.sin(sympy.pi * y)
    solution = Formula(Family(load_problem(LATE)).at(), (u,))
    assert solution.instance.domain.grading > 900
    both = residual_report(solution)
    assert both.relative["equation[0]"] > 0.01
    assert both.means["equation[0]"] > 0.05
    graded = relative._sets
    monkeypatch.setattr(relative, "_sets", lambda *which: graded(*which)[:1])
    assert residual_report(solution).relative["equation[0]"] < 0.005
