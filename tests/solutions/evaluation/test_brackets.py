"""Solutions that leave constants between which another one lies, against a boundary value solver."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import solve_bvp

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.solutions.evaluation.brackets import bracket_left

LINE = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
SQUARE = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1]}\nunknowns: u\n"
MOVING = LINE.replace("domain", "time: {t: [0, 1]}\ndomain")
FAR = (-1e6, 1e6)


def instance(head: str, equation: str, *conditions: str, initial: str = ""):
    listed = ", ".join(conditions)
    return Family(load_problem(f'{head}equations: ["{equation}"]\nboundary: [{listed}]\n{initial}')).at()


def side(on: str, equation: str) -> str:
    return f'{{on: {on}, equation: "{equation}"}}'


ENDS = (side("left", "u = 2"), side("right", "u = 1"))
FREE = (side("left", "u = 2"), side("right", "u_x = 0"))


@pytest.mark.parametrize(
    ("head", "equation", "conditions"),
    [
        (LINE, "u_xx = u^4", ENDS),
        (LINE, "u^4 - u_xx = 0", ENDS),
        (LINE, "-3*u_xx = -u^4", FREE),
        (LINE, "u_xx = u^4", (side("left", "u = 2"), side("right", "dn(u) + u^4 = 0"))),
        (LINE, "u_xx = u^4", (side("left", "u = 2"), side("right", "-2*u_x = u^4"))),
        (LINE, "dx((1 + u^2)*u_x) = u^4 - 1", FREE),
        (LINE, "u_xx = u^4 + u_x^2", ENDS),
        (SQUARE, "u_xx + 4*u_yy = u^4", ('"u = 2"',)),
        (SQUARE, "u_xx + u_xy + u_yy = (1 + x)*u^4", ('"dn(u) = 1 - u"',)),
    ],
)
def test_what_goes_far_below_leaves_a_bracket(head, equation, conditions):
    """u >= 0 everywhere: zero is a subsolution, and so much is one of many constants."""
    left = bracket_left(instance(head, equation, *conditions), -9.0, 2.0)
    assert left is not None
    assert left.low >= 0.0
    assert left.beyond == pytest.approx(left.low + 9.0)
    assert left.high >= 1.0
    assert bracket_left(instance(head, equation, *conditions), left.low, left.high) is None


@pytest.mark.parametrize(
    ("head", "equation", "conditions", "initial"),
    [
        (LINE, "u_xx = 4*u", ENDS, ""),  # linear
        (MOVING, "u_t = u_xx - u^4", ENDS, 'initial: ["u = 2 - x"]\n'),  # in time: one continuation
        (LINE, "u_xx + sin(u) = 0", (side("left", "u = 2"), side("left", "u_x = 0")), ""),  # from one end
        (LINE, "u_x = -u^4", (side("left", "u = 2"),), ""),  # first order
        (SQUARE, "u_xx - u_yy = u^4", ('"u = 2"',), ""),  # hyperbolic
        (SQUARE, "u_x = u_yy - u^4", ('"u = 2"',), ""),  # parabolic
        (LINE, "-u_xx = exp(u)", ('"u = 0"',), ""),  # no constant lies above
        (LINE, "-u_xx + u^3 = u_x", (side("left", "u^2 = 4"), side("right", "u = 1")), ""),  # which root?
        (LINE, "u_xx = (x - 0.5)*u^3", ENDS, ""),  # of both signs
    ],
)
def test_nothing_is_said_where_nothing_is_known(head, equation, conditions, initial):
    assert bracket_left(instance(head, equation, *conditions, initial=initial), *FAR) is None


def test_a_state_that_is_not_the_only_stable_one_leaves_a_bracket():
    """u = 1 solves u - u^3 = 0; so do 0 and -1."""
    left = bracket_left(instance(LINE, "-u_xx = u - u^3", '"dn(u) = 0"'), 1.0, 1.0)
    assert left is not None
    assert (left.low, left.high, left.beyond) == (-1.0, -1.0, 2.0)


@pytest.mark.parametrize("seed", range(12))
def test_the_solution_that_is_meant_lies_in_the_bracket(seed):
    """-u'' + c u^p = s between random data: solved by collocation, from a start between the data."""
    rng = np.random.default_rng(seed)
    power, factor, source = (
        int(rng.integers(2, 6)),
        float(10 ** rng.uniform(-1, 1)),
        float(rng.uniform(0, 3)),
    )
    left, right = rng.uniform(0.1, 2, 2).tolist()
    scale = float(10 ** rng.uniform(-9, 9))  # of the unit

    def slope(_: np.ndarray, u: np.ndarray) -> np.ndarray:
        return np.stack([u[1], factor * u[0] ** power - source])

    x = np.linspace(0, 1, 50)
    start = np.stack([left + (right - left) * x, np.full(50, right - left)])
    found = solve_bvp(slope, lambda a, b: np.array([a[0] - left, b[0] - right]), x, start, tol=1e-6)
    assert found.success
    lowest, highest = scale * found.y[0].min(), scale * found.y[0].max()
    stated = instance(
        LINE,
        f"-u_xx + {factor!r}*{scale!r}*(u/{scale!r})^{power} = {source * scale!r}",
        side("left", f"u = {left * scale!r}"),
        side("right", f"u = {right * scale!r}"),
    )
    assert bracket_left(stated, lowest, highest) is None
    bracket = bracket_left(stated, -1e3 * scale, highest)
    assert bracket is not None
    assert bracket.low <= lowest
    assert highest <= bracket.high
