"""Units do not matter: a problem in other units trains on the same numbers."""

from __future__ import annotations

import random

import pytest
import sympy
import torch
from units import in_other_units

from pinnkan.language.problem import Problem, load_problem
from pinnkan.language.problem.finding import shipped_problems
from pinnkan.networks.adapters import Full, Parametrisation
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training import generator_for, network_for

SQUARE = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 2], y: [-1, 0.5]}\nunknowns: u\n"
ROD = "coordinates: [x]\ntime: {t: [0, 3]}\ndomain: {shape: interval, x: [0, 2]}\nunknowns: u\n"
LINE = "coordinates: [x]\ndomain: {shape: interval, x: [1, 3]}\nunknowns: u\n"
DISK = "coordinates: [x, y]\ndomain: {shape: disk, center: [1, 0], radius: 2}\nunknowns: u\n"
BALL = "coordinates: [x, y, z]\ndomain: {shape: ball, radius: 1}\nunknowns: u\n"

MORE = {
    "robin": SQUARE + 'equations: ["-laplace(u) + u = exp(-x^2 - y^2)"]\nboundary: ["dn(u) + 2*u = x"]',
    "weak losses": SQUARE + 'equations: ["-laplace(u) = 1 + x"]\nboundary: ["dn(u) + u/1000 = 0"]',
    "mixed sides": SQUARE
    + 'equations: ["-laplace(u) = 1"]\nboundary: ["u = 0", {on: [left], equation: dn(u) = y}]'.replace(
        '"u = 0"', "{on: [right, bottom, top], equation: u = 0}"
    ),
    "corner data": SQUARE + 'equations: ["laplace(u) = 0"]\nboundary: ["u = x*y"]',
    "convection": SQUARE + 'equations: ["-laplace(u) + 3*u_x - u_y = sin(x)"]\nboundary: ["u = 0"]',
    "quartic": SQUARE + 'equations: ["laplace(u) = u^4 - 1"]\nboundary: ["u = 2"]',
    "bratu": SQUARE + 'equations: ["laplace(u) + exp(u) = 0"]\nboundary: ["u = 0"]',
    "mixed derivative": SQUARE + 'equations: ["u_xx + u_xy + 2*u_yy = u*y"]\nboundary: ["u = x^2"]',
    "porous": SQUARE + 'equations: ["div(u*grad(u)) = -1"]\nboundary: ["u = 3 + x"]',
    "heat": ROD + 'equations: ["u_t = u_xx"]\nboundary: ["u = 0"]\ninitial: ["u = sin(pi*x)"]',
    "soft start": ROD
    + 'equations: ["u_t = u_xx"]\nboundary: ["u = 0"]\ninitial: [{equation: u = sin(pi*x), hard: false}]',
    "insulated": ROD
    + 'equations: ["u_t = 0.1*u_xx + u"]\nboundary: ["dn(u) = 0"]\ninitial: ["u = 1 + cos(pi*x)"]',
    "wave": ROD + 'equations: ["u_tt = 4*u_xx"]\nboundary: ["u = 0"]\ninitial: ["u = 0", "u_t = sin(pi*x)"]',
    "transport": ROD
    + 'equations: ["u_t + u_x = 0"]\nboundary: [{on: left, equation: u = 0}]\ninitial: ["u = sin(pi*x)"]',
    "fisher": ROD
    + 'equations: ["u_t = u_xx + 5*u*(1 - u)"]\nboundary: ["dn(u) = 0"]\ninitial: ["u = exp(-x^2)/100"]',
    "layer": LINE + 'equations: ["-u_xx/1000 + u_x = 1"]\nboundary: ["u = 0"]',
    "stiff line": LINE + 'equations: ["u_x = -50*(u - cos(x))"]\nboundary: [{on: left, equation: u = 2}]',
    "disk": DISK + 'equations: ["-laplace(u) = x"]\nboundary: ["u = 3"]',
    "harmonic": DISK + 'equations: ["laplace(u) = 0"]\nboundary: ["u = x^3 - y"]',
    "ball": BALL + 'equations: ["-laplace(u) + u^3 = z"]\nboundary: ["u = 0"]',
    "stated": ROD
    + 'equations: ["u_t = u_xx"]\nboundary: ["u = 0"]\ninitial: ["u = sin(pi*x)"]\nscales: {u: 8}',
}
FEW = ["points.interior=25", "points.boundary=6", "points.initial=7", "network.hidden=[5, 4]"]
PROBLEMS = [*shipped_problems(), *MORE]


def problem_of(name: str) -> Problem:
    text = MORE.get(name)
    return load_problem(name, overrides=FEW) if text is None else load_problem(text, overrides=FEW)


def numbers_of(problem: Problem) -> tuple[float, dict[str, float], torch.Tensor, torch.Tensor]:
    """Return the scale, the sizes of the statements, the first residuals and J J^T of their Jacobian."""
    instance = Family(problem).at()
    network = network_for(instance, problem.settings.network)
    coefficients = network.initial(generator_for(0, "coefficients"))
    whole = Parametrisation([Full(c) for c in coefficients])
    sets = training_sets(instance, problem.settings.points, seed=0, variant=0)
    least_squares = NetworkLeastSquares(network, whole, sets)
    theta = whole.start()
    kernel = least_squares.linearise(theta).kernel()
    return instance.scales[0], dict(instance.sizes), least_squares.residuals(theta), kernel


@pytest.mark.parametrize("name", PROBLEMS)
def test_units_change_no_number_that_training_sees(name: str) -> None:
    problem = problem_of(name)
    scale, sizes, residuals, kernel = numbers_of(problem)
    draw = random.Random(name)
    two, ten = ([sympy.Integer(base) ** draw.randint(-9, 9) for _ in range(3)] for base in (2, 10))
    # Powers of two change no bit but for the order in which SymPy writes a sum.
    for tolerance, (u, x, t) in ((1e-15, two), (1e-10, ten)):
        changed = numbers_of(in_other_units(problem, u=u, x=x, t=t))
        assert changed[0] == pytest.approx(scale * float(u), rel=tolerance, abs=0)
        assert changed[1] == pytest.approx(sizes, rel=tolerance, abs=0), "sizes"
        for now, before in zip(changed[2:], (residuals, kernel), strict=True):
            largest = float(before.abs().max())
            assert float((now - before).abs().max()) <= tolerance * largest, (u, x, t)
