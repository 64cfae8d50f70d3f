"""The estimate of the error against errors that are known: formulas with something added."""

from __future__ import annotations

import numpy as np
import pytest
import sympy
from combinations import squares
from formula_solution import Formula

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.polynomials import Polynomials
from pinnkan.solutions.evaluation.correction import correction_of
from pinnkan.solutions.evaluation.verdict import SLACK

LINE = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
SQUARE = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1]}\nunknowns: u\n"
DISK = "coordinates: [x, y]\ndomain: {shape: disk, center: [0, 0], radius: 1}\nunknowns: u\n"
BAR = "coordinates: [x]\ntime: {t: [0, 1]}\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
CLOCK = "time: {t: [0, 5]}\nunknowns: u\n"
MADE = "source: manufactured\n"
SHORT = "coordinates: [x]\ntime: {t: [0, 0.1]}\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
KNOWN = {
    "static beam": (
        LINE + 'equations: ["u_xxxx = 1"]\nboundary: [u = 0, dn(u) = 0]',
        "x**2*(1 - x)**2/24",
        "x**3*(1 - x)**2*sin(7*x)/20",
    ),
    "supported plate": (
        SQUARE
        + 'equations: ["biharmonic(u) = 4*pi^4*sin(pi*x)*sin(pi*y)"]\nboundary: [u = 0, laplace(u) = 0]',
        "sin(pi*x)*sin(pi*y)",
        "x*y*sin(3*x + 2*y)",
    ),
    "beam": (
        SHORT
        + 'equations: ["u_tt = -u_xxxx"]\nboundary: [u = 0, u_xx = 0]\ninitial: [u = sin(pi*x), u_t = 0]',
        "sin(pi*x)*cos(pi**2*t)",
        "x*t*sin(3*x + 20*t)",
    ),
    "Korteweg and de Vries": (
        BAR
        + 'exact: "exp(-t)*x^2*(1 - x)^2"\n'
        + MADE
        + 'equations: ["u_t + u*u_x + u_xxx = source"]\n'
        + "boundary: [u = 0, {on: right, equation: u_x = 0}]\ninitial: [u = exact]",
        "exp(-t)*x**2*(1 - x)**2",
        "x*t*sin(3*x + 2*t)/10",
    ),
    "line": (
        LINE + 'exact: "sin(3*x)"\n' + MADE + 'equations: ["-u_xx + u = source"]\nboundary: [u = exact]',
        "sin(3*x)",
        "sin(pi*x)*cos(7*x)",
    ),
    "square": (
        SQUARE + 'exact: "exp(x)*y"\n' + MADE + 'equations: ["-laplace(u) = source"]\nboundary: [u = exact]',
        "exp(x)*y",
        "sin(pi*x)*sin(2*pi*y)",
    ),
    "soft conditions": (
        SQUARE
        + 'exact: "exp(x)*y"\n'
        + MADE
        + 'equations: ["-laplace(u) + u = source"]\nboundary: [{equation: dn(u) + u = dn(exact) + exact}]',
        "exp(x)*y",
        "cos(4*x + y)",
    ),
    "disk, nonlinear": (
        DISK
        + 'exact: "cos(x + y)"\n'
        + MADE
        + 'equations: ["-laplace(u) + u^3 = source"]\nboundary: [u = exact]',
        "cos(x + y)",
        "(1 - x**2 - y**2)*sin(5*x)",
    ),
    "heat": (
        BAR
        + 'exact: "exp(-t)*sin(pi*x)"\n'
        + MADE
        + 'equations: ["u_t = 0.1*u_xx + source"]\nboundary: [u = 0]\ninitial: [u = exact]',
        "exp(-t)*sin(pi*x)",
        "t*sin(2*pi*x)*cos(3*t)",
    ),
    "Burgers": (
        BAR
        + 'exact: "exp(-t)*sin(pi*x)"\n'
        + MADE
        + 'equations: ["u_t + u*u_x = 0.1*u_xx + source"]\nboundary: [u = 0]\ninitial: [u = exact]',
        "exp(-t)*sin(pi*x)",
        "t*sin(2*pi*x)",
    ),
    "clock": (
        CLOCK + 'exact: "cos(t)"\nequations: ["u_t = 2*u - 2*cos(t) - sin(t)"]\ninitial: [u = 1]',
        "cos(t)",
        "t*exp(2*t)*1e-4",
    ),
}


def error_of(solution: Formula, added: str) -> float:
    """Return |added| / |solution| over uniform points."""
    points = solution.instance.domain.uniform(4000, seed=11)
    extra = Formula.of(solution.instance, added)
    return float(np.linalg.norm(extra(points)) / np.linalg.norm(solution(points)))


@pytest.mark.parametrize("share", [1e-2, 1e-6])
@pytest.mark.parametrize("name", KNOWN)
def test_the_estimate_is_the_error(name, share):
    text, exact, extra = KNOWN[name]
    added = f"{share}*({extra})"
    solution = Formula.of(Family(load_problem(text)).at(), f"{exact} + {added}")
    found = correction_of(solution)
    assert found is not None
    assert found.error_estimate == pytest.approx(error_of(solution, added), rel=0.15)
    assert found.slack < 1e-3 * found.error_estimate


@pytest.mark.parametrize("scale", [1e-9, 1e12])
def test_it_has_no_unit(scale):
    text = (
        f"coordinates: [x]\ndomain: {{shape: interval, x: [0, {1e-3 * scale}]}}\nunknowns: u\n"
        f'exact: "{scale}*sin({3e3 / scale}*x)"\n'
        f'{MADE}equations: ["-u_xx + {1e6 / scale**2}*u = source"]\nboundary: [u = exact]'
    )
    exact = f"{scale}*sin({3e3 / scale}*x)"
    added = f"{1e-3 * scale}*sin({1e3 / scale}*pi*x)*cos({7e3 / scale}*x)"
    found = correction_of(Formula.of(Family(load_problem(text)).at(), f"{exact} + {added}"))
    reference = correction_of(
        Formula.of(
            Family(load_problem(KNOWN["line"][0])).at(), f"{KNOWN['line'][1]} + 0.001*({KNOWN['line'][2]})"
        )
    )
    assert found is not None
    assert reference is not None
    assert found.error_estimate == pytest.approx(reference.error_estimate, rel=1e-3)


@pytest.mark.parametrize("width", [0.007, 0.01])
def test_beside_a_jump_of_the_source_the_estimate_is_the_error(width):
    """The residual is nearly all beside the jump, where polynomials leave most of it."""
    text = LINE + 'equations: ["-u_xx = where(x < 0.5, 1, 0)"]\nboundary: [u = 0]'
    exact = "Piecewise((3*x/8 - x**2/2, x < 1/2), ((1 - x)/8, True))"
    added = f"x*(1 - x)*sin(40*x)*exp(-((x - 0.5)/{width})**2)/10000 + x*(1 - x)/3000"
    solution = Formula.of(Family(load_problem(text)).at(), f"{exact} + {added}")
    found = correction_of(solution)
    assert found is not None
    assert found.error_estimate == pytest.approx(error_of(solution, added), rel=0.5)


def test_a_solution_many_times_too_large_is_estimated_as_such():
    text, exact, _ = KNOWN["line"]
    found = correction_of(Formula.of(Family(load_problem(text)).at(), f"8*{exact}"))
    assert found is not None
    assert found.error_estimate == pytest.approx(7, rel=0.01)


def test_growth_from_almost_nothing_is_an_error_although_no_residual_shows_it():
    text = 'time: {t: [0, 40]}\nunknowns: u\nequations: ["u_t = u*(1 - u)"]\ninitial: [u = 1e-6]'
    late = "1/(1 + 999999*exp(-(t - 2*t**2/(1 + t**2))))"  # two units late, by a defect in the first ones
    found = correction_of(Formula.of(Family(load_problem(text)).at(), late))
    assert found is not None
    assert found.slack > 0.05


FRONT = (
    "coordinates: [x]\ndomain: {shape: interval, x: [-1, 1]}\nunknowns: u\n"
    'equations: ["u*u_x = 0.05*u_xx"]\nboundary: [{on: left, equation: u = 1}, {on: right, equation: u = -1}]'
)


def test_a_front_in_the_wrong_place_is_seen_though_nearly_nothing_holds_it():
    wide = FRONT.replace("0.05", "0.1")
    found = correction_of(Formula.of(Family(load_problem(wide)).at(), "-tanh((x - 0.1)/0.2)"))
    assert found is not None
    assert found.error_estimate > 0.1


def test_what_is_left_of_the_residuals_counts_in_a_direction_that_they_hardly_hold():
    rough = " + 3e-7*sin(400*x)"
    free = correction_of(Formula.of(Family(load_problem(FRONT)).at(), "-tanh(x/0.1)" + rough))
    held = FRONT.replace("u*u_x", "u + u*u_x").replace("0.05*u_xx", "0.05*u_xx - tanh(x/0.1)")
    fixed = correction_of(Formula.of(Family(load_problem(held)).at(), "-tanh(x/0.1)" + rough))
    assert free is not None
    assert fixed is not None
    assert free.slack > SLACK.doubtful
    assert fixed.slack == 0.0


def test_what_polynomials_do_not_resolve_has_no_estimate():
    text, exact, _ = KNOWN["line"]
    found = correction_of(Formula.of(Family(load_problem(text)).at(), f"{exact} + 1e-5*sin(900*x)"))
    assert found is not None
    assert found.left > 0.98
    assert found.error_estimate is None


def test_zero_and_statements_without_a_value_have_none():
    text, _, _ = KNOWN["line"]
    assert correction_of(Formula.of(Family(load_problem(text)).at(), "0*x")) is None
    pole = LINE + 'equations: ["u_xx = log(x - 0.5)"]\nboundary: [u = 0]'
    assert correction_of(Formula.of(Family(load_problem(pole)).at(), "x")) is None


@pytest.mark.parametrize("count", [4, 5])
def test_of_more_than_four_coordinates_there_is_none(count):
    names = "abcdf"[:count]
    sides = ", ".join(f"{name}: [0, 1]" for name in names)
    squares = " + ".join(f"{name}^2" for name in names)
    text = (
        f"coordinates: [{', '.join(names)}]\ndomain: {{shape: box, {sides}}}\nunknowns: u\n"
        f'exact: "{squares}"\n{MADE}equations: ["-laplace(u) = source"]\nboundary: [u = exact]'
    )
    wrong = f"1.001*({squares.replace('^', '**')})"
    found = correction_of(Formula.of(Family(load_problem(text)).at(), wrong))
    assert (found is None) == (count > 4)
    if found is not None:
        assert found.error_estimate == pytest.approx(1e-3, rel=0.1)


@pytest.mark.parametrize(
    ("index", "by_hand"), [((0, 0), "1"), ((1, 0), "x"), ((0, 2), "yy"), ((2, 1), "xxy")]
)
def test_derivatives_of_polynomials(index, by_hand):
    lower, upper = np.array([-2.0, 1.0]), np.array([4.0, 2.0])
    polynomials = Polynomials(lower, upper, 5)
    points = np.random.default_rng(1).uniform(lower, upper, (20, 2))
    x, y = sympy.symbols("x y")
    scaled = [(2 * (s - a) / (b - a) - 1) for s, a, b in zip((x, y), lower, upper, strict=True)]
    found = polynomials.derivative(index, points)
    assert found.shape == (20, 21) == (20, polynomials.count)
    for column, powers in enumerate(polynomials.exponents):
        expr = sympy.chebyshevt(int(powers[0]), scaled[0]) * sympy.chebyshevt(int(powers[1]), scaled[1])
        for letter in by_hand.strip("1"):
            expr = sympy.diff(expr, {"x": x, "y": y}[letter])
        values = np.broadcast_to(sympy.lambdify((x, y), expr, "numpy")(*points.T), (20,))
        assert found[:, column] == pytest.approx(values, rel=1e-9, abs=1e-9)


def test_a_combination_is_the_sum_of_its_derivatives():
    polynomials = Polynomials(np.array([0.0, 0.0]), np.array([1.0, 3.0]), 4)
    points = np.random.default_rng(2).uniform(0, 1, (7, 2))
    both = polynomials.derivative(squares((2.0, -3.0)), points)
    parts = 2 * polynomials.derivative((2, 0), points) - 3 * polynomials.derivative((0, 2), points)
    assert both == pytest.approx(parts)
