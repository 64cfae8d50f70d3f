"""The time scale of the start: when it is found, what it is, what follows from it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.spatial import cKDTree

from pinnkan.geometry import RULES, BoundaryPart, Interior
from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import Problem, load_problem
from pinnkan.physics.family import Family

ROD = "coordinates: [x]\ntime: {t: [0, <T>]}\ndomain: {shape: interval, x: [0, 2]}\nunknowns: u\n"
PLATE = "coordinates: [x, y]\ntime: {t: [0, <T>]}\ndomain: {shape: box, x: [0, 2], y: [0, 1]}\nunknowns: u\n"
CLOCK = "time: {t: [0, <T>]}\nunknowns: u\n"
HELD = "boundary: [u = 0]\n"
START = "initial: [u = 1]\n"
ALONG, ACROSS = (math.pi / 2) ** 2, math.pi**2

RELAXING = {
    "diffusion": (ROD + 'equations: ["u_t = 3*u_xx"]\n' + HELD + START, 3 * ALONG),
    "written the other way round": (ROD + 'equations: ["-2*u_xx = -u_t"]\n' + HELD + START, 2 * ALONG),
    "two coordinates": (PLATE + 'equations: ["u_t = laplace(u)"]\n' + HELD + START, ALONG + ACROSS),
    "anisotropic": (PLATE + 'equations: ["u_t = u_xx + 4*u_yy"]\n' + HELD + START, ALONG + 4 * ACROSS),
    "with an absorbing term": (ROD + 'equations: ["u_t = u_xx - 7*u"]\n' + HELD + START, ALONG + 7),
    "with a steady source": (ROD + 'equations: ["u_t = 3*u_xx + 1e5*x"]\n' + HELD + START, 3 * ALONG),
    "with transport, which decides nothing": (
        ROD + 'equations: ["u_t + 5*u_x = 3*u_xx"]\n' + HELD + START,
        3 * ALONG,
    ),
    "a factor": (ROD + 'equations: ["4*u_t = 4*u_xx"]\n' + HELD + START, ALONG),
    "a factor that varies, by its median": (
        ROD + 'equations: ["u_t = where(x < 0.2, 100, 3)*u_xx"]\n' + HELD + START,
        3 * ALONG,
    ),
    "a nonlinear term, which counts for nothing": (
        ROD + 'equations: ["u_t = 3*u_xx + u - u^3"]\n' + HELD + START,
        3 * ALONG,
    ),
    "a source in time, data out of balance": (
        ROD + 'equations: ["u_t = 3*u_xx + sin(t)"]\n' + HELD + 'initial: ["u = x*(2 - x)"]\n',
        3 * ALONG,
    ),
    "a wall in time that the data miss": (
        ROD + 'equations: ["u_t = 3*u_xx"]\nboundary: ["u = sin(t)"]\n' + START,
        3 * ALONG,
    ),
    "a manufactured solution that decays": (
        ROD + "source: manufactured\nexact: sin(pi*x/2)*(exp(-8*t) + sin(t))\n"
        'equations: ["u_t = 3*u_xx + source"]\n' + HELD + 'initial: ["u = exact"]\n',
        3 * ALONG,
    ),
    "an ordinary differential equation": (CLOCK + 'equations: ["u_t = -5*(u - 2)"]\n' + START, 5),
}
STEADY = {
    "a wave": ROD + 'equations: ["u_tt = u_xx"]\n' + HELD + 'initial: [u = 0, "u_t = 0"]\n',
    "transport": ROD + 'equations: ["u_t + u_x = 0"]\nboundary: [{on: left, equation: u = 0}]\n' + START,
    "growth": CLOCK + 'equations: ["u_t = 3*u"]\n' + START,
    "a source in time": ROD + 'equations: ["u_t = u_xx + sin(t)"]\n' + HELD + 'initial: [u = 0]\n',
    "a wall in time, in balance": ROD + 'equations: ["u_t = u_xx"]\nboundary: ["u = cos(t)"]\n' + START,
    "a manufactured solution": (
        ROD + 'source: manufactured\nexact: cos(t/100)*x\nequations: ["u_t = u_xx + source"]\n'
        'boundary: ["u = exact"]\ninitial: ["u = exact"]\n'
    ),
    "nonlinear diffusion": ROD + 'equations: ["u_t = dx(u^2*u_x)"]\n' + HELD + START,
}  # fmt: skip


def problem_of(text: str, duration: float, more: str = "") -> Problem:
    return load_problem(text.replace("<T>", repr(duration)) + more)


@pytest.mark.parametrize("name", RELAXING)
def test_a_relaxing_solution_has_the_time_of_its_slowest_wave(name: str):
    text, rate = RELAXING[name]
    assert Family(problem_of(text, 1000.0)).time_scale == pytest.approx(1 / rate, rel=1e-11)
    assert Family(problem_of(text, 4.0 / rate)).time_scale == math.inf


@pytest.mark.parametrize("name", STEADY)
def test_what_goes_on_changing_has_none(name: str):
    problem = problem_of(STEADY[name], 1000.0)
    assert Family(problem).time_scale == math.inf
    assert Family(problem).at().domain.grading == 0.0


@pytest.mark.parametrize("power", [-30, -3, 4, 40])
def test_units_that_are_powers_of_two_scale_it_exactly(power: int):
    unit = 2.0**power
    wide = ROD.replace("[0, 2]", f"[0, {2 * unit!r}]") + f'equations: ["u_t = {3 * unit**2!r}*u_xx"]\n'
    plain = Family(problem_of(ROD + 'equations: ["u_t = 3*u_xx"]\n' + HELD + START, 1000.0)).time_scale
    assert Family(problem_of(wide + HELD + START, 1000.0)).time_scale == plain
    slow = ROD + f'equations: ["u_t = {3 / unit!r}*u_xx"]\n' + HELD + START
    assert Family(problem_of(slow, 1000.0 * unit)).time_scale == plain * unit


def test_the_file_may_state_it_or_say_that_there_is_none():
    text = RELAXING["diffusion"][0]
    assert Family(problem_of(text, 1000.0, "scales: {t: 20}\n")).time_scale == 20.0
    assert Family(problem_of(text, 1000.0, "scales: {t: 20}\n")).at().domain.grading == 50.0
    assert Family(problem_of(text, 1000.0, "scales: {t: 1000}\n")).at().domain.grading == 0.0
    assert Family(problem_of(text, 1000.0, "scales: none\n")).time_scale == math.inf
    assert Family(problem_of(text, 1000.0, "scales: {u: 3}\n")).time_scale < 1.0
    for entry, fault in {
        "{t: -1}": "scales.t: expected a number between 1e-100 and 1e100, got '-1'",
        "{x: 1}": "unknown key 'x'",
    }.items():
        with pytest.raises(ProblemError, match=fault):
            problem_of(text, 1000.0, f"scales: {entry}\n")


@pytest.mark.parametrize("rule", RULES)
def test_points_lie_even_in_the_logarithm_of_time(rule: str):
    domain = Family(problem_of(RELAXING["diffusion"][0], 1000.0)).at().domain
    g = domain.grading
    assert g == pytest.approx(3 * ALONG * 1000.0, rel=1e-11)
    for region, variant in ((Interior(), 0), (Interior(), 1), (BoundaryPart("left"), 0)):
        drawn = domain.collocate(region, 900, rule=rule, variant=variant)
        even = np.log1p(g * drawn.points[:, 0] / 1000.0) / math.log1p(g)
        moments = [float(drawn.weights @ even**power) for power in range(5)]
        slack = 0.05 if rule == "random" and not variant else 0.003
        assert moments == pytest.approx([1 / (power + 1) for power in range(5)], abs=slack)
        assert domain.contains(drawn.points).all()


def test_held_out_points_keep_away_from_the_training_points_there_too():
    domain = Family(problem_of(RELAXING["diffusion"][0], 1000.0)).at().domain

    def mapped(points: np.ndarray) -> np.ndarray:
        even = np.log1p(domain.grading * points[:, 0] / 1000.0) / math.log1p(domain.grading)
        return np.column_stack([even, points[:, 1] / 2])

    train = mapped(domain.collocate(Interior(), 1000).points)
    held_out = mapped(domain.collocate(Interior(), 1000, variant=1).points)
    uniform = np.random.default_rng(0).uniform(size=(4000, 2))
    ratio = np.median(cKDTree(train).query(held_out)[0]) / np.median(cKDTree(train).query(uniform)[0])
    assert ratio > 0.9


def test_errors_are_measured_on_points_even_in_time():
    domain = Family(problem_of(RELAXING["diffusion"][0], 1000.0)).at().domain
    assert np.median(domain.uniform(4000, 0)[:, 0]) == pytest.approx(500.0, rel=0.05)


def test_the_hard_initial_condition_holds_in_that_time():
    """u = lift + factor N with a factor that grows as log(1 + g tau) / log(1 + g): 0 at first, 1 at last."""
    instance = Family(problem_of(RELAXING["an ordinary differential equation"][0], 40.0)).at()
    g = instance.domain.grading
    assert g == pytest.approx(200.0, rel=1e-11)
    times = np.array([[0.0], [40 / 200], [40.0]])
    factor = instance.ansatzes[0].factor(times, [(0,)])[0] / instance.ansatzes[0].scale
    assert factor == pytest.approx([0.0, math.log(2) / math.log(201), 1.0], abs=1e-12)
