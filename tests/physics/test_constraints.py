"""Constraints in a problem: what check says, what training makes of them, what evaluate measures."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from small_problems import run_of

from pinnkan.ground.derivatives import Derivative
from pinnkan.language.problem import load_problem
from pinnkan.physics.check import check_problem
from pinnkan.physics.constants import free_constants
from pinnkan.physics.family import Family
from pinnkan.physics.instance import Instance
from pinnkan.solutions.evaluation.correction import correction_of
from pinnkan.solutions.evaluation.measures import boundary_max
from pinnkan.solutions.evaluation.relative import residual_report
from pinnkan.solutions.solution import Solution
from pinnkan.training import network_for, pretrain

NEUMANN = """
coordinates: [x]
domain: {shape: interval, x: [0, 2]}
unknowns: u
family: {m: {base: 0.5, range: [0, 2]}}
exact: cos(pi*x/2) + m
equations: ["-u_xx = pi^2/4*cos(pi*x/2)"]
boundary: ["u_x = 0"]
constraints: [CONSTRAINT]
network: {hidden: [8], functions: 8}
points: {interior: 60, held_out: 40}
training: {steps: 25, precision: full}
"""
CONSTRAINTS = {
    "mean": '"mean(u) = m"',
    "integral": '{equation: "integral(u) = 2*m", name: gauge, weight: 3}',
    "place": '"u(1/2) = cos(pi/4) + m"',
    "exponential": '"integral(exp(u - m)) = 2.532131755504017"',
}


def neumann(constraint: str) -> str:
    return NEUMANN.replace("CONSTRAINT", CONSTRAINTS.get(constraint, constraint))


def solved(text: str, **at: float) -> Solution:
    run = run_of(load_problem(text), at=at)
    network = network_for(run.instance, run.settings.network)
    return Solution(run.instance, network, pretrain(run).coefficients())


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_constraint_fixes_the_constant_of_a_neumann_problem(constraint):
    solution = solved(neumann(constraint))
    x = np.linspace(0, 2, 41)[:, None]
    assert np.abs(solution(x)[0] - np.cos(math.pi * x[:, 0] / 2) - 0.5).max() < 1e-5
    report = residual_report(solution)
    name = "gauge" if constraint == "integral" else "constraint[0]"
    assert report.relative[name] < 1e-6
    assert boundary_max(solution, 0) < 1e-4


STOKES = """
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v, p]
exact: {u: y^2, v: x^2, p: x*y - 1/4 + SHIFT}
equations: ["-laplace(u) + p_x = y - 2", "-laplace(v) + p_y = x - 2", "u_x + v_y = 0"]
boundary: ["u = y^2", "v = x^2"]
constraints: ["CONSTRAINT"]
network: {hidden: [6], functions: 6}
points: {interior: 80, held_out: 40}
training: {steps: 25, precision: full}
"""


@pytest.mark.parametrize(("constraint", "shift"), [("integral(p) = 0", 0.0), ("p(1/2, 0) = 2", 2.25)])
def test_the_pressure_of_a_flow(constraint, shift):
    text = STOKES.replace("CONSTRAINT", constraint).replace("SHIFT", str(shift))
    solution = solved(text)
    points = solution.instance.domain.uniform(200, 0)
    exact = np.stack(list(solution.instance.exact(points).values()))
    errors = np.abs(solution(points) - exact).max(axis=1)
    assert (errors < [1e-5, 1e-5, 1e-3]).all(), errors
    assert not free_constants(solution.instance.problem)


IN_TIME = """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, pi]}
unknowns: [u, p]
exact: {u: exp(-t)*cos(x), p: exp(-t)*sin(x) + t}
equations: [u_t = u_xx, p_x = u]
boundary: [u_x = 0]
initial: [u = cos(x)]
constraints: ["CONSTRAINT"]
network: {hidden: [8], functions: 8}
points: {interior: 150, boundary: 20, held_out: 60}
training: {steps: 40, precision: full}
"""


@pytest.mark.parametrize("constraint", ["integral(p) = 2*exp(-t) + pi*t", "p(0) = t"])
def test_a_constraint_holds_at_every_time(constraint):
    solution = solved(IN_TIME.replace("CONSTRAINT", constraint))
    points = solution.instance.domain.uniform(200, 0)
    exact = solution.instance.exact(points)["p"]
    assert np.abs(solution(points)[1] - exact).max() < 2e-4


def report_of(text: str):
    return check_problem(Family(load_problem(text)))


def messages(text: str) -> list[str]:
    return [finding.message for finding in report_of(text).findings]


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_check_puts_the_exact_solution_in(constraint):
    report = report_of(neumann(constraint))
    assert report.findings == ()
    (checked,) = report.constraints
    assert checked.exact_residual < 1e-9
    assert checked.hard is False


def test_check_tells_of_an_exact_solution_that_misses():
    (message,) = messages(neumann('"integral(u) = 1/2 + 2*m"'))
    assert message == "constraint[0]: the exact solution leaves a residual of 0.5 at m=0.5"


def test_check_echoes_what_was_understood():
    listed = '"integral(u^2) = 1", "u_x(m, 1/2) = 0", "u(0, 0) = m", "mean(u_x - x) = 2"'
    text = f"""
coordinates: [x, y]
domain: {{shape: box, x: [0, 1], y: [0, 1]}}
unknowns: u
family: {{m: 0.5}}
equations: [laplace(u) = 0]
boundary: ["dn(u) = 0"]
constraints: [{listed}]
"""
    checked = report_of(text).constraints
    assert [row.texts.residual for row in checked] == [
        "integral(u**2) - (1)",
        "u_x(m, 1/2)",
        "u(0, 0) - (m)",
        "mean(u_x - x) - (2)",
    ]
    assert [row.where for row in checked] == [
        ("the whole domain",),
        ("(0.5, 0.5)",),
        ("(0, 0)",),
        ("the whole domain",),
    ]


MISSING = "nothing fixes the constant of p: only derivatives of p occur, so p + c solves whatever p solves; "
MISSING += 'add constraints: ["integral(p) = 0"], or read it up to a constant'


@pytest.mark.parametrize(
    ("constraint", "found"),
    [
        ("", [MISSING]),
        ('"integral(p) = 0"', []),
        ('"p(0, 0) = 0"', []),
        ('"mean(p^2) = 1"', []),
        ('"mean(p_x) = 1/2"', [MISSING]),
        ('"mean(u) = 1/3"', [MISSING]),
    ],
)
def test_check_says_which_constant_is_left(constraint, found):
    text = STOKES.replace('"CONSTRAINT"', constraint).replace(
        "exact: {u: y^2, v: x^2, p: x*y - 1/4 + SHIFT}", ""
    )
    assert messages(text) == found
    assert free_constants(load_problem(text)) == ({"p"} if found else set())


def test_check_says_it_of_one_unknown_too():
    (message,) = messages(neumann("CONSTRAINT").replace("constraints: [CONSTRAINT]", ""))
    assert message == (
        "nothing fixes the constant: only derivatives of u occur, so u + c solves whatever u solves; "
        'prescribe the value of u on a part of the boundary, add constraints: ["integral(u) = 0"], '
        "or read it up to a constant"
    )


def test_a_constraint_balances_no_source():
    text = (
        neumann("mean").replace('cos(pi*x/2)"]', 'cos(pi*x/2) + 1"]').replace("exact: cos(pi*x/2) + m\n", "")
    )
    (message,) = messages(text)
    assert "no solution: where only derivatives of u are prescribed" in message


@pytest.mark.parametrize(
    ("constraint", "scale"),
    [("integral(u^2) = 32", 4.0), ("mean(u) = 1000", 1000.0), ("u(1) = -7", 7.0), ("mean(u_x) = 3", 3.0)],
)
def test_a_constraint_gives_the_scale(constraint, scale):
    """The amplitude at which its terms are as large as what it equals; u_x is amplitude / half extent."""
    text = (
        neumann(f'"{constraint}"')
        .replace("exact: cos(pi*x/2) + m\n", "")
        .replace("pi^2/4*cos(pi*x/2)", "u - u")
    )
    assert Family(
        load_problem(text.replace("{m: {base: 0.5, range: [0, 2]}}", "{}"))
    ).scales == pytest.approx([scale])


def test_units_of_a_constraint_change_nothing():
    """In millimetres an integral is a thousand times larger, and so is the size of its terms."""
    metres = run_of(load_problem(neumann("integral")))
    text = neumann("integral").replace("[0, 2]}\nunk", "[0, 2000]}\nunk").replace("2*m", "2000*m")
    text = text.replace("pi*x/2", "pi*x/2000").replace("pi^2/4*", "pi^2/4e6*")
    thousandths = run_of(load_problem(text))
    sizes = [run.instance.sizes["gauge"] for run in (metres, thousandths)]
    assert sizes[1] == pytest.approx(1000 * sizes[0])
    first, second = (pretrain(run) for run in (metres, thousandths))
    torch.testing.assert_close(first.theta, second.theta, rtol=1e-6, atol=1e-8)


@dataclass(frozen=True)
class Shifted:
    """The exact solution of `NEUMANN` and a constant."""

    instance: Instance
    shift: float

    def __call__(self, points):
        return self.derivatives(points, [Derivative(0, (0,))])

    def derivatives(self, points, requested):
        rows, phase = [], math.pi * points[:, 0] / 2
        for _, channel in requested:
            order = channel[0]
            value = (math.pi / 2) ** order * np.cos(phase + order * math.pi / 2)
            rows.append(value + (0.5 + self.shift) * (order == 0))
        return np.stack(rows)

    def residual(self, block, points, normals=None):
        u = torch.from_numpy(self.derivatives(points, block.reads))
        return block.residual(torch.from_numpy(block.data(points, normals)), u).numpy()


@pytest.mark.parametrize("constraint", CONSTRAINTS)
def test_a_wrong_constant_is_measured_and_estimated(constraint):
    """Nothing but the constraint tells of it: by its defect and the estimates."""
    shift = 1e-3
    solution = Shifted(Family(load_problem(neumann(constraint))).at({"m": 0.5}), shift)
    defect = {"integral": 2 * shift, "exponential": 2.532131755504017 * math.expm1(shift)}.get(
        constraint, shift
    )
    assert boundary_max(solution, 0) == pytest.approx(defect, rel=1e-6)
    report = residual_report(solution)
    block = report.blocks[-1]
    # The sizes of both sides, m and |u| in the root mean square for `mean`.
    size = {
        "mean": math.sqrt(
            np.mean([(abs(math.cos(a) + 0.501) + 0.5) ** 2 for a in np.linspace(0, math.pi, 20001)])
        )
    }
    if constraint in size:
        assert block.relative == pytest.approx(defect / size[constraint], rel=1e-3)
    assert 1e-4 < block.relative < 2e-3
    assert block.relative == max(report.relative.values())
    estimate = correction_of(solution).error_estimate
    assert estimate == pytest.approx(shift / math.sqrt(0.5 + 0.501**2), rel=1e-2)
