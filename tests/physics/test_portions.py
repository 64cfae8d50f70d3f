"""Conditions on portions of boundary parts: their points, what check says, what training makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from small_problems import run_of

from pinnkan.geometry import RULES, Ball, BoundaryPart, Box, Disk, Domain, Portion
from pinnkan.ground.errors import UsageError
from pinnkan.language.problem import load_problem
from pinnkan.physics.check import check_problem
from pinnkan.physics.family import Family
from pinnkan.solutions.solution import Solution
from pinnkan.training import network_for, pretrain

# A shape, a part, a portion of it, and the mean of a function over that portion.
PORTIONS = {
    "a side": (Box([-1, -1], [1, 1]), "y+", lambda x: x[:, 0] > 0.25, lambda x: x[:, 0], 0.625),
    "a small one": (
        Box([-1, -1], [1, 1]),
        "y+",
        lambda x: np.abs(x[:, 0]) < 0.01,
        lambda x: x[:, 0] ** 2,
        1e-4 / 3,
    ),
    "a face": (Box([0, 0, 0], [1, 1, 1]), "z-", lambda x: x[:, 0] > x[:, 1], lambda x: x[:, 0], 2 / 3),
    "an arc": (Disk(), "circle", lambda x: x[:, 0] > 0, lambda x: x[:, 0], 2 / np.pi),
    "a cap": (Ball(), "sphere", lambda x: x[:, 2] > 0, lambda x: x[:, 2], 0.5),
}


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("time", [False, True])
@pytest.mark.parametrize("name", PORTIONS)
def test_points_of_a_portion(name, time, rule):
    shape, part, holds, function, mean = PORTIONS[name]
    names = ("x", "y", "z")[: shape.dimension]
    domain = Domain(shape, (("t",) if time else ()) + names, (0.0, 3.0) if time else None)
    first = int(time)
    region = BoundaryPart(part, Portion("...", lambda points: holds(points[:, first:])))
    drawn = domain.collocate(region, 300, rule=rule, seed=2, variant=4)
    space = drawn.points[:, first:]
    assert holds(space).all()
    assert len(space) == pytest.approx(300, rel=0.25)
    assert drawn.weights.min() > 0
    assert drawn.weights.sum() == pytest.approx(1, abs=1e-12)
    tolerance = {"quadrature": 0.04 if name != "a small one" else 0.3, "sobol": 0.02, "random": 0.15}[rule]
    assert drawn.weights @ function(space) == pytest.approx(mean, rel=tolerance)
    assert drawn.normals == pytest.approx(shape.normals(part, space))
    again = domain.collocate(region, 300, rule=rule, seed=2, variant=4)
    assert (again.points == drawn.points).all()
    held_out = domain.collocate(region, 300, rule=rule, seed=2, variant=5).points
    assert not {tuple(row) for row in held_out} & {tuple(row) for row in drawn.points}


@pytest.mark.parametrize("gap", [0.3, 0.36, 0.38, 0.4, 0.47])
@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_points_find_both_ends_of_a_side(gap, count):
    region = BoundaryPart("y+", Portion("...", lambda points: np.abs(points[:, 0]) > 2 * gap))
    drawn = Domain(Box([-1, -1], [1, 1]), ("x", "y")).collocate(region, count)
    assert len(drawn.points)
    assert (np.abs(drawn.points[:, 0]) > 2 * gap).all()


def test_a_portion_without_points_is_named():
    region = BoundaryPart("y+", Portion("x > 2", lambda points: points[:, 0] > 2))
    with pytest.raises(UsageError, match="no point of y\\+ where x > 2"):
        Domain(Box([-1, -1], [1, 1]), ("x", "y")).collocate(region, 50)


def test_an_end_of_an_interval_holds_at_some_times():
    domain = Domain(Box([0], [1]), ("t", "x"), (0.0, 2.0))
    region = BoundaryPart("x-", Portion("t > 1", lambda points: points[:, 0] > 1))
    drawn = domain.collocate(region, 40)
    assert (drawn.points[:, 0] > 1).all()
    assert drawn.weights @ drawn.points[:, 0] == pytest.approx(1.5, rel=0.01)


MIXED = """
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
exact: exp(x)*cos(y)
equations: [laplace(u) = 0]
boundary:
  - {on: [left, bottom, top], equation: u = exact}
  - {on: right, equation: "u = exact + 5*max(y - 1/2, 0)"}
  - {on: right, where: y > 1/2, equation: "dn(u) = e*cos(y)"}
network: {hidden: [6], functions: 6}
points: {interior: 80, boundary: 30, held_out: 40}
training: {steps: 35, precision: full}
"""


def test_a_narrower_condition_stands_in_place_of_the_wider_one():
    """What the wider one says where the narrower holds is wrong, and nobody listens."""
    run = run_of(load_problem(MIXED))
    solution = Solution(
        run.instance, network_for(run.instance, run.settings.network), pretrain(run).coefficients()
    )
    points = run.instance.domain.uniform(500, 0)
    assert np.abs(solution(points)[0] - run.instance.exact(points)["u"]).max() < 1e-3
    report = check_problem(Family(load_problem(MIXED)))
    assert [f.message for f in report.findings if "void" not in f.message] == []
    assert [(row.name, row.where, row.hard) for row in report.conditions] == [
        ("boundary[0]", ("x-", "y-", "y+"), True),
        ("boundary[1]", ("x+ where not (y > 1/2)",), False),
        ("boundary[2]", ("x+ where y > 1/2",), False),
    ]
    assert report.conditions[1].note.startswith("it holds on a portion of a part")


FLOW = """
coordinates: [x, y]
domain: {shape: box, x: [-1, 1], y: [-1, 1]}
unknowns: [u, v, p]
equations: ["-laplace(u) + p_x = 0", "-laplace(v) + p_y = 0", "u_x + v_y = 0"]
boundary:
  - u = 0
  - v = 0
  - {on: left, equation: "u = 1 - y^2"}
  - {on: right, equation: "u_x - p = 0"}
  - {on: top, where: abs(x) < 1/2, equation: "v = x"}
constraints: ["integral(p) = 0"]
"""


def test_coverage_is_told_part_by_part():
    report = check_problem(Family(load_problem(FLOW)))
    held = {
        part: {name: [(h.condition, h.hard, h.where) for h in own] for name, own in unknowns.items()}
        for part, unknowns in report.boundary.items()
    }
    assert held == {
        "x-": {"u": [("boundary[2]", True, None)], "v": [("boundary[1]", True, None)], "p": []},
        "x+": {
            "u": [("boundary[3]", False, None)],
            "v": [("boundary[1]", True, None)],
            "p": [("boundary[3]", False, None)],
        },
        "y-": {"u": [("boundary[0]", True, None)], "v": [("boundary[1]", True, None)], "p": []},
        "y+": {
            "u": [("boundary[0]", True, None)],
            "v": [
                ("boundary[1].y+", False, "not (abs(x) < 1/2)"),
                ("boundary[4]", False, "abs(x) < 1/2"),
            ],
            "p": [],
        },
    }


def messages(text: str) -> list[str]:
    return [finding.message for finding in check_problem(Family(load_problem(text))).findings]


BARE = {
    # boundary conditions of two reacting species: what is said
    "all given": (["u = 0", "dn(v) = 0"], []),
    "one side without v": (
        ["u = 0", "{on: [left, top, bottom], equation: v = 0}"],
        ["no boundary condition for v on the side x+"],
    ),
    "v nowhere": (["u = 0"], ["no boundary condition for v on the sides x-, x+, y-, y+"]),
    "a condition holds both": (
        ["u + v = 0"],
        [
            f"on {part} the equations together take 2 independent conditions, those given there "
            "(boundary[0]) fix 1: infinitely many solutions are left; state what is missing"
            for part in ("x-", "x+", "y-", "y+")
        ],
    ),
    "a flux that mentions v": (["u = 0", "dn(u + 2*v) = 0"], []),
    "Cauchy data on the other side": (
        [
            "u = 0",
            "{on: [bottom, top], equation: v = 0}",
            "{on: left, equation: v = 0}",
            "{on: left, equation: v_x = 0}",
        ],
        [
            "on x- the equations together take 2 independent conditions, 3 are given (boundary[0], "
            "boundary[2], boundary[3]): no solution meets them all in general; drop 1",
            "on x+ the equations together take 2 independent conditions, those given there (boundary[0]) "
            "fix 1: infinitely many solutions are left; state what is missing",
        ],
    ),
    "a portion bare": (
        [
            "u = 0",
            "{on: [bottom, top, left], equation: v = 0}",
            "{on: right, where: y > 3/4, equation: v = 0}",
        ],
        ["no boundary condition for v on 75 % of x+, where boundary[2] holds elsewhere"],
    ),
}


@pytest.mark.parametrize("case", BARE)
def test_sides_without_a_condition_for_an_unknown(case):
    conditions, expected = BARE[case]
    listed = "\n".join(f"  - {c if c.startswith('{') else repr(c)}" for c in conditions)
    text = f"""
coordinates: [x, y]
domain: {{shape: box, x: [0, 1], y: [0, 1]}}
unknowns: [u, v]
equations: ["laplace(u) = u*v - 1", "3*laplace(v) = v - u"]
boundary:
{listed}
"""
    assert messages(text) == expected


QUIET = {
    "kovasznay": """
coordinates: [x, y]
domain: {shape: box, x: [-0.5, 1], y: [-0.5, 1.5]}
unknowns: [u, v, p]
equations: ["u*u_x + v*u_y + p_x = laplace(u)/40", "u*v_x + v*v_y + p_y = laplace(v)/40", "u_x + v_y = 0"]
boundary: ["u = 1 - cos(2*pi*y)", "v = sin(2*pi*y)"]
constraints: ["integral(p) = 0"]
""",
    "elasticity with traction": """
coordinates: [x, y]
domain: {shape: box, x: [0, 4], y: [0, 1]}
unknowns: [u, v]
equations: ["2*u_xx + u_yy + v_xy = 0", "2*v_yy + v_xx + u_xy = 0"]
boundary:
  - {on: left, equation: u = 0}
  - {on: left, equation: v = 0}
  - {on: right, equation: "2*u_x = 0"}
  - {on: [right, bottom, top], equation: "u_y + v_x = 0"}
  - {on: [bottom, top], equation: "2*v_y = 1"}
""",
    "two species": """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: [u, v]
equations: ["u_t = u_xx + u^2*v - u", "v_t = v_xx/10 + u - u^2*v"]
boundary: ["u_x = 0", "v_x = 0"]
initial: ["u = 1", "v = 2 + cos(pi*x)"]
""",
    "schroedinger": """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [-1, 1], periodic: x}
unknowns: [u, v]
equations: ["u_t = -v_xx", "v_t = u_xx"]
initial: ["u = cos(pi*x)", "v = 0"]
""",
    "maxwell": """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: [e, h]
equations: ["dt(E) = H_x", "H_t = dx(E)"]
boundary: ["E = 0"]
initial: ["E = sin(pi*x)", "H = 0"]
""".replace("[e, h]", "[E, H]")
    .replace("dt(E)", "E_t")
    .replace("dx(E)", "E_x"),
    "lotka and volterra": """
time: {t: [0, 3]}
unknowns: [a, b]
equations: ["a_t = a - a*b", "b_t = a*b - b"]
initial: ["a = 2", "b = 1"]
""",
    "more equations than unknowns": """
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v]
equations: ["u_x + v_y = 0", "u_y - v_x = 0", "laplace(u) = 0"]
boundary: ["u = x"]
constraints: ["v(0, 0) = 0"]
""",
    "a factor that vanishes on the side": """
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v]
equations: ["x*u_xx + u_yy = v", "laplace(v) = u"]
boundary: [{on: [right, bottom, top], equation: u = 0}, v = 0]
""",
    "heat along y": """
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v]
equations: ["u_y = u_xx - v", "v_y = v_xx + u"]
boundary: [{on: [left, right, bottom], equation: u = 0}, {on: [left, right, bottom], equation: v = x}]
""",
}


@pytest.mark.parametrize("name", QUIET)
def test_what_is_in_order_is_not_warned_of(name):
    found = [m for m in messages(QUIET[name]) if "do not meet" not in m and "stays soft" not in m]
    assert found == []


@pytest.mark.parametrize(
    ("initial", "expected"),
    [
        (["u = 1", "v = 2"], []),
        (["u = 1", "u_t = 0", "v = 2"], ["u is of order 1 in time, 2 initial conditions are given: {}, {}"]),
        (
            ["u = 1", "v = 2", "p = 0"],
            ["p has no derivative in time, 1 initial condition is given: initial[2]"],
        ),
        (["u + p = 1", "v = 2", "u = 0"], []),
    ],
)
def test_initial_conditions_are_counted_by_unknown(initial, expected):
    text = f"""
coordinates: [x]
time: {{t: [0, 1]}}
domain: {{shape: interval, x: [0, 1]}}
unknowns: [u, v, p]
equations: ["u_t = u_xx + p", "v_t = v_xx - p", "u - v + p = 0"]
boundary: ["u_x = 0", "v_x = 0"]
initial: {[str(i) for i in initial]}
"""
    found = [m for m in messages(text) if "initial condition" in m]
    assert found == [m.format("initial[0]", "initial[1]") for m in expected]
