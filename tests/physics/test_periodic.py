"""Periodic coordinates: what a file may say, which sides are left, and what is given must be periodic too."""

# ruff: noqa: E501  (tables of messages)
from __future__ import annotations

import numpy as np
import pytest
from combinations import squares

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem
from pinnkan.physics.check import check_problem
from pinnkan.physics.family import Family
from pinnkan.physics.polynomials import Polynomials
from pinnkan.physics.wellposed import require_well_posed

LINE = {
    "coordinates": "[x]",
    "domain": "{shape: interval, x: [-1, 1], periodic: x}",
    "unknowns": "u",
    "equations": '["-u_xx + u = cos(pi*x)"]',
}
IN_TIME = LINE | {"time": "{t: [0, 1]}", "equations": '["u_t + u_x = 0"]', "initial": '["u = sin(pi*x)"]'}
CHANNEL = {
    "coordinates": "[x, y]",
    "domain": "{shape: box, x: [0, 2], y: [0, 1], periodic: x}",
    "unknowns": "u",
    "equations": '["-laplace(u) = sin(pi*x)"]',
    "boundary": '["u = 0"]',
}
TORUS = CHANNEL | {
    "domain": "{shape: box, x: [0, 2], y: [0, 1], periodic: [x, y]}",
    "equations": '["-laplace(u) + u = sin(pi*x)"]',
}
TORUS.pop("boundary")


def text_of(parts: dict[str, str], **changes: str) -> str:
    return "".join(f"{key}: {value}\n" for key, value in (parts | changes).items())


def messages(text: str) -> list[str]:
    with pytest.raises(ProblemError) as caught:
        load_problem(text)
    return [line.split("error: ")[1] for line in str(caught.value).splitlines() if "error: " in line]


NOWHERE = "; where u is the same at both ends, write periodic: {} under domain (a product: u*(...))"
PLACES = "boundary[0]: a condition holds at each point by itself and takes no value of u from elsewhere"
REFUSED = {
    "a disk": (
        CHANNEL | {"domain": "{shape: disk, radius: 1, periodic: x}", "boundary": '["u = 0"]'},
        ["domain.periodic: a disk has no periodic coordinates; they need the shape interval or box"],
    ),
    "an unknown coordinate": (
        LINE | {"domain": "{shape: interval, x: [-1, 1], periodic: y}"},
        ["domain.periodic: 'y' is no space coordinate; expected x"],
    ),
    "a slip": (
        CHANNEL | {"coordinates": "[theta, y]", "domain": "{shape: box, theta: [0, 1], y: [0, 1], periodic: tehta}",
                   "equations": '["-laplace(u) = 1"]'},
        ["domain.periodic: 'tehta' is no space coordinate; expected one of theta, y; did you mean 'theta'?"],
    ),
    "time": (
        IN_TIME | {"domain": "{shape: interval, x: [-1, 1], periodic: [x, t]}"},
        ["domain.periodic: 't' is time, which runs forward; only space coordinates are periodic"],
    ),
    "twice": (
        CHANNEL | {"domain": "{shape: box, x: [0, 2], y: [0, 1], periodic: [x, x]}"},
        ["domain.periodic: 'x' is named twice"],
    ),
    "nothing": (
        LINE | {"domain": "{shape: interval, x: [-1, 1], periodic: []}"},
        ["domain.periodic: expected at least one coordinate, got an empty list"],
    ),
    "a block": (
        LINE | {"domain": "{shape: interval, x: [-1, 1], periodic: {x: true}}"},
        ["domain.periodic: expected a list such as [x], got a block of keys"],
    ),
    "at the top": (
        LINE | {"periodic": "x"},
        ["unknown key 'periodic'; here it is called 'domain: {..., periodic: x}'"],
    ),
    "a side that is gone": (
        CHANNEL | {"boundary": '[{on: left, equation: "u = 0"}]'},
        ["boundary[0].on: there is no side 'left': x is periodic, and its ends are one place; the sides left are "
         "y-, y+"],
    ),
    "one of several sides": (
        CHANNEL | {"boundary": '[{on: [bottom, x+], equation: "u = 0"}]'},
        ["boundary[0].on: there is no side 'x+': x is periodic, and its ends are one place; the sides left are "
         "y-, y+"],
    ),
    "the last side": (
        TORUS | {"boundary": '[{on: top, equation: "u = 0"}]'},
        ["boundary[0].on: there is no side 'top': y is periodic, and its ends are one place; no side is left"],
    ),
    "a boundary without sides": (
        LINE | {"boundary": '["u = 0"]'},
        ["boundary[0]: no side is left for a condition: x is periodic"],
    ),
    "all sides of none": (
        TORUS | {"boundary": '[{on: all, equation: "u = 0"}]'},
        ["boundary[0]: no side is left for a condition: x, y are periodic"],
    ),
    "periodic as a condition": (
        CHANNEL | {"boundary": "[periodic]"},
        ["boundary[0]: periodic is a property of the domain: write periodic: x or y under domain"],
    ),
    **{
        text: (
            LINE | {"domain": "{shape: interval, x: [-1, 1]}", "boundary": f'["{text}"]'},
            [PLACES + NOWHERE.format("x")],
        )
        for text in (
            "u(left) = u(right)", "u(-1) = u(1)", "u.left = u.right", "u_left = u_right", "u_x(left) = u_x(right)",
            "u = u(right)", "u_x.left - u_x.right = 0*u", "dx(u(-1)) = dx(u(1))",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_periodic_is_refused_by_name(name):
    parts, expected = REFUSED[name]
    assert messages(text_of(parts)) == expected


def test_a_name_of_the_users_own_like_that_of_a_side_is_no_place():
    text = text_of(CHANNEL, definitions="{u_left: sin(pi*x)}", boundary='["u = u_left"]')
    assert load_problem(text).boundary[0].parts == ("y-", "y+")


@pytest.mark.parametrize(
    ("parts", "left"), [(LINE, ()), (IN_TIME, ()), (CHANNEL, ("y-", "y+")), (TORUS, ())],
    ids=["line", "in time", "channel", "torus"],
)  # fmt: skip
def test_the_sides_that_are_left(parts, left):
    instance = Family(load_problem(text_of(parts))).at()
    assert instance.domain.shape.parts == left
    assert instance.domain.shape.resolve_part("all") == left


def test_hard_conditions_on_the_sides_that_are_left_use_their_distance_alone():
    instance = Family(load_problem(text_of(CHANNEL))).at()
    points = np.array([[0.0, 0.25], [1.3, 0.25], [2.0, 0.25]])
    assert instance.ansatzes[0].factor(points, [(0, 0)])[0] / instance.scales[0] == pytest.approx(
        [0.75] * 3, abs=1e-14
    )


SEAMS = {
    "source": (LINE | {"equations": '["-u_xx + u = x"]'}, "equation[0]", "by 2, where its largest value is 1"),
    "coefficient": (LINE | {"equations": '["-u_xx + (2 + x)*u = 1"]'}, "equation[0]", "by 2, where its largest value is 3"),
    "flux": (LINE | {"equations": '["-div((2 + x)*grad(u)) + u = 1"]'}, "equation[0]", "by 2, where"),
    "initial": (IN_TIME | {"initial": '["u = exp(x)"]'}, "initial[0]", "by 2.35 at t = 0, where its largest value is 2.718;"),
    "soft": (IN_TIME | {"initial": '[{equation: "u = x^3", hard: false}]'}, "initial[0]", "by 2 at t = 0, where its largest value is 1;"),
    "boundary": (CHANNEL | {"boundary": '["u = x"]'}, "boundary[0]", "by 2 at y = 0, where its largest value is 2;"),
    "in a function": (LINE | {"equations": '["-u_xx + sin(x + u) = 1"]'}, "equation[0]", "by 2, where"),
    "small": (LINE | {"equations": '["-u_xx + u = 1e-9*x"]'}, "equation[0]", "by 2e-09, where its largest value is 1e-09;"),
}  # fmt: skip


@pytest.mark.parametrize("name", SEAMS)
def test_data_that_differ_across_the_seam_are_refused(name):
    parts, statement, values = SEAMS[name]
    instance = Family(load_problem(text_of(parts))).at()
    expected = f"{statement}: what is given differs where the ends of the periodic coordinate x meet, "
    with pytest.raises(ProblemError) as caught:
        require_well_posed(instance)
    assert expected in str(caught.value)
    assert values in str(caught.value)
    findings = check_problem(Family(load_problem(text_of(parts)))).findings
    assert any(f.severity == "refusal" and f.message.startswith(expected) for f in findings)


FINE = {
    "a soliton's tail": IN_TIME | {"initial": '["u = 1/cosh(8*(x - 0.1))^2"]'},
    "a phase": LINE | {"equations": '["-u_xx + u + 0.1*sin(2*pi*x + u) = 1"]'},
    "a bump": LINE | {"equations": '["-u_xx + u = exp(-40*x^2)"]'},
    "a piece": LINE | {"equations": '["-u_xx + u = where(x < 0, x + 1, 1 - x)"]'},
    "the torus": TORUS,
    "the channel": CHANNEL,
}


@pytest.mark.parametrize("name", FINE)
def test_data_that_meet_pass_in_silence(name):
    report = check_problem(Family(load_problem(text_of(FINE[name]))))
    assert [finding.message for finding in report.findings] == []


def test_initial_data_with_a_kink_at_the_seam_stay_soft():
    text = text_of(IN_TIME, equations='["u_t = u_xx"]', initial='["u = x^2"]')
    family = Family(load_problem(text))
    kink = "its values have a kink where the ends of the periodic coordinate x meet: built in, it would stay"
    assert family.at().ansatzes[0].hard == ()
    assert family.at().ansatzes[0].notes["initial[0]"].startswith(kink)
    assert [f.message for f in check_problem(family).findings if "initial[0] stays soft" in f.message]
    smooth = text_of(IN_TIME, equations='["u_t = u_xx"]', initial='["u = x^4/2 - x^2"]')
    assert Family(load_problem(smooth)).at().ansatzes[0].hard == ("initial[0]",)


@pytest.mark.parametrize(
    ("equation", "exact", "what"),
    [
        ("-u_xx + u = x", "x", "u differs"),
        ("-u_xx + u = x^2 - 2", "x^2", "u_x differs"),
        ("u_x + u = x^2 + 2*x", "x^2", None),
    ],
)
def test_an_exact_solution_that_is_not_periodic_is_an_error(equation, exact, what):
    """The last has a source that jumps, which is refused; the solution itself is as smooth as it must be."""
    report = check_problem(Family(load_problem(text_of(LINE, equations=f'["{equation}"]', exact=exact))))
    found = [f.message for f in report.findings if f.message.startswith("exact: ")]
    start = f"exact: {what} where the ends of the periodic coordinate x meet, "
    assert [message.startswith(start) for message in found] == ([True] if what else [])


POSED = {
    "nothing fixes the constant": (LINE | {"equations": '["-u_xx = cos(pi*x)"]'}, "nothing fixes the constant"),
    "unbalanced": (LINE | {"equations": '["-u_xx = 1 + cos(pi*x)"]'}, "no solution: where only derivatives"),
    "unbalanced on the torus": (TORUS | {"equations": '["-laplace(u) = 1"]'}, "no solution: where only deriv"),
    "unbalanced transport": (LINE | {"equations": '["u_x = 1"]'}, "no solution: where only derivatives"),
    "resonance": (LINE | {"equations": '["u_xx + (pi^2 + 1e-6)*u = 1"]'}, "nearly singular"),
    "a side without a condition": (
        CHANNEL | {"boundary": '[{on: top, equation: "u = 0"}]'}, "no boundary condition on the side y-"),
    "no condition": (CHANNEL | {"boundary": "[]"}, "no condition at all"),
}  # fmt: skip


@pytest.mark.parametrize("name", POSED)
def test_what_a_periodic_problem_lacks_is_said(name):
    parts, start = POSED[name]
    findings = check_problem(Family(load_problem(text_of(parts)))).findings
    assert any(start in finding.message for finding in findings), findings


@pytest.mark.parametrize(
    "equation", ["-u_xx + u = cos(pi*x)", "u_x + u = cos(pi*x)", "u_xx + 2*u = cos(pi*x)"]
)
def test_a_periodic_problem_that_is_one_passes_without_a_condition(equation):
    assert check_problem(Family(load_problem(text_of(LINE, equations=f'["{equation}"]')))).findings == ()


DECAYS = {
    "slowest wave": (IN_TIME, "u_t = u_xx", np.pi**2),
    "the mean decays slower": (IN_TIME, "u_t = u_xx - u/2", 0.5),
    "channel, the mean along x": (
        CHANNEL | {"time": "{t: [0, 1]}", "initial": '["u = sin(pi*y)"]'}, "u_t = laplace(u)", np.pi**2),
}  # fmt: skip


@pytest.mark.parametrize("name", DECAYS)
def test_the_time_scale_is_that_of_the_slowest_periodic_wave(name):
    parts, equation, rate = DECAYS[name]
    text = text_of(parts, equations=f'["{equation}"]', time="{t: [0, 100]}")
    assert Family(load_problem(text)).time_scale == pytest.approx(1 / rate)


def test_a_growing_mean_is_no_transient():
    text = text_of(IN_TIME, equations='["u_t = u_xx + u/2"]', time="{t: [0, 100]}")
    assert Family(load_problem(text)).time_scale == np.inf


def test_trigonometric_polynomials_are_periodic_and_differentiated_rightly():
    polynomials = Polynomials(np.array([1.0, 0.0]), np.array([3.0, 1.0]), 7, [True, False])
    points = np.random.default_rng(0).uniform([1.0, 0.0], [3.0, 1.0], (50, 2))
    low, high = points.copy(), points.copy()
    low[:, 0], high[:, 0] = 1.0, 3.0
    for index in ((0, 0), (1, 0), (2, 1), (3, 0)):
        ends = [polynomials.derivative(index, places) for places in (low, high)]
        np.testing.assert_allclose(ends[0], ends[1], rtol=0, atol=1e-10 * np.abs(ends[0]).max())
    step = 1e-5
    ahead, behind = (points + np.array([sign * step, 0.0]) for sign in (1, -1))
    for order in (0, 1, 2):
        slope = (polynomials.derivative((order, 1), ahead) - polynomials.derivative((order, 1), behind)) / (
            2 * step
        )
        exact = polynomials.derivative((order + 1, 1), points)
        np.testing.assert_allclose(slope, exact, rtol=0, atol=1e-6 * np.abs(exact).max())
    values = polynomials.derivative((0, 0), points)
    assert np.linalg.matrix_rank(values) == polynomials.count
    collapsed = polynomials.derivative(squares((2.0, -1.0)), points)
    expected = 2 * polynomials.derivative((2, 0), points) - polynomials.derivative((0, 2), points)
    np.testing.assert_allclose(collapsed, expected, rtol=1e-12, atol=1e-9)
