"""Scales against the true sizes of solutions where the terms of no single statement tell them."""

from __future__ import annotations

import math

import pytest

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family

LINE = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
SQUARE = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1]}\nunknowns: u\n"
STRIP = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 100], y: [0, 1]}\nunknowns: u\n"
BOX = "coordinates: [x, y, z]\ndomain: {shape: box, x: [0, 1], y: [0, 2], z: [0, 1]}\nunknowns: u\n"
ROD = "coordinates: [x]\ntime: {t: [0, 1000]}\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
PAIR = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: [u, v]\n"
CANTILEVER = """
coordinates: [x, y]
domain: {shape: box, x: [0, 48], y: [-6, 6]}
unknowns: [u, v]
definitions:
  U: [u, v]
  strain: sym(grad(U))
  sigma: 3e7/0.91*(0.7*strain + 0.3*trace(strain)*I)
equations: ["div(sigma) = [0, 0]"]
boundary:
  - {on: left, equation: "U = [0, 0]"}
  - {on: right, equation: "dot(sigma, n) = [0, -125 + 125/36*y^2]"}
  - {on: [bottom, top], equation: "dot(sigma, n) = [0, 0]"}
"""


def far(length: float, losses: float) -> float:
    """Return the temperature at the end of a fin of height 1, kept at 0 at its root, its source 1."""
    m = math.sqrt(2 * losses)
    return (1 - 1 / math.cosh(m * length)) / m**2


SOLVED = {
    # name: the problem, the largest values of its solution
    "strip, loaded along": (
        STRIP + 'equations: ["laplace(u) = 0"]\nboundary: [{on: left, equation: u = 0}, '
        "{on: top, equation: dn(u) = 1}, {on: [right, bottom], equation: dn(u) = 0}]",
        [100**2 / 2],
    ),
    "fin, heated": (
        STRIP + 'equations: ["-laplace(u) = 1"]\nboundary: [{on: left, equation: u = 0}, '
        '{on: right, equation: dn(u) = 0}, {on: [bottom, top], equation: "dn(u) + u/1e5 = 0"}]',
        [far(100, 1e-5)],
    ),
    "weak losses": (SQUARE + 'equations: ["-laplace(u) = 1"]\nboundary: ["dn(u) + 1e-3*u = 0"]', [250]),
    "weak reaction": (LINE + 'equations: ["-u_xx + 1e-4*u = 1"]\nboundary: [dn(u) = 0]', [1e4]),
    "weak reaction in a box": (BOX + 'equations: ["-laplace(u) + u/1e3 = 1"]\nboundary: [dn(u) = 0]', [1e3]),
    "near a resonance": (
        LINE + 'equations: ["-u_xx - (pi^2 - 1/20)*u = sin(pi*x)"]\nboundary: ["u = 0"]',
        [20],
    ),
    "stiff across": (
        SQUARE + 'equations: ["-u_xx - 1e4*u_yy = 1"]\nboundary: [{on: [left, right], equation: u = 0}, '
        "{on: [bottom, top], equation: dn(u) = 0}]",
        [1 / 8],
    ),
    "insulated, heated": (
        ROD + 'equations: ["u_t = u_xx + 1"]\nboundary: [dn(u) = 0]\ninitial: [u = 0]',
        [1e3],
    ),
    "fast waves": (
        LINE + 'equations: ["-u_xx = sin(8*pi*x)"]\nboundary: ["u = 0"]',
        [1 / (8 * math.pi) ** 2],
    ),
    "clamped beam of 6,000 mm": (
        "coordinates: [x]\ndomain: {shape: interval, x: [0, 6000]}\nunknowns: u\n"
        'equations: ["2e12*u_xxxx = 1"]\nboundary: [u = 0, dn(u) = 0]',
        [6000**4 / 384 / 2e12],
    ),
    "weak exchange": (
        PAIR + 'equations: ["-u_xx = 1 + (v - u)/1e3", "-v_xx = (u - v)/1e3"]\n'
        'boundary: ["dn(u) = 0", "v = 0"]',
        [1e3, 1 / 8],
    ),
    "cantilever": (CANTILEVER, [1.3e-3, 8.9e-3]),
}


@pytest.mark.parametrize("name", SOLVED)
def test_scales_are_the_sizes_of_the_solution(name):
    text, sizes = SOLVED[name]
    found = Family(load_problem(text)).found_scales
    assert any(scale.is_solved for scale in found.values())
    for scale, size in zip(found.values(), sizes, strict=True):
        assert size / 5 <= scale.value <= 5 * size, (found, sizes)
    # The balance alone is wrong: else the case shows nothing.
    assert any(not s / 10 <= f.balance <= 10 * s for f, s in zip(found.values(), sizes, strict=True)), found


KEPT = {
    # name: the problem, why its balance stands
    "sides": SQUARE + 'equations: ["-laplace(u) = 1"]\nboundary: ["u = 0"]',
    "not linear": SQUARE + 'equations: ["-laplace(u) + u^3/1e6 = 1"]\nboundary: ["dn(u) + 1e-3*u = 0"]',
    "a layer": LINE + 'equations: ["-u_xx/1e4 + u_x = 1"]\nboundary: ["u = 0"]',
    "no solution": LINE + 'equations: ["-u_xx = 1"]\nboundary: [dn(u) = 0]',
    "zero": SQUARE + 'equations: ["laplace(u) = 0"]\nboundary: ["dn(u) + 1e-3*u = 0"]',
    "fast growth": "time: {t: [0, 1]}\nunknowns: u\nequations: [u_t = 300*u]\ninitial: [u = 1]",
    # Of these, two degrees give sizes 3, 13 and 24 times apart.
    "short waves": SQUARE + 'equations: ["laplace(u) + 9^2*u = x*y"]\nboundary: ["u = 0"]',
    "short waves near a resonance": SQUARE + 'equations: ["laplace(u) + 10^2*u = x*y"]\nboundary: ["u = 0"]',
    "growth of what diffuses": ROD.replace("1000", "1")
    + 'equations: ["u_t = u_xx + 20*u"]\nboundary: ["dn(u) = 0"]\ninitial: [u = 1]',
    "backwards": ROD.replace("1000", "1")
    + 'equations: ["u_t = -u_xx"]\nboundary: ["u = 0"]\ninitial: [u = sin(pi*x)^3]',
    "no value": LINE + 'equations: ["-u_xx + 1e-4*u = log(x - 2)"]\nboundary: [dn(u) = 0]',
}


@pytest.mark.parametrize("name", KEPT)
def test_what_polynomials_do_not_solve_keeps_its_balance(name):
    found = Family(load_problem(KEPT[name])).found_scales
    assert not any(scale.is_solved for scale in found.values()), found


def test_a_stated_scale_stands():
    problem = load_problem(SOLVED["weak exchange"][0] + "\nscales: {u: 3}")
    family = Family(problem)
    assert family.scales[0] == 3
    assert list(family.found_scales) == ["v"]


def test_a_solved_scale_is_the_balance_times_a_power_of_two():
    (scale,) = Family(load_problem(SOLVED["weak reaction"][0])).found_scales.values()
    assert scale.is_solved
    assert math.log2(scale.value / scale.balance).is_integer()


def test_units_move_a_solved_scale_by_their_factor():
    text, _ = SOLVED["weak losses"]
    usual, other = (Family(load_problem(t)).scales[0] for t in (text, text.replace('= 1"', '= 1000"')))
    assert other == pytest.approx(1000 * usual, rel=1e-10)


def test_terms_without_a_value_at_any_amplitude_give_no_scale():
    """v_xx / log(v) has none at v = 1, which is tried first: the other unknown's data decide."""
    text = PAIR.replace("domain", "time: {t: [0, 1]}\ndomain") + (
        'equations: ["u_t = u_xx", "v_t = v_xx/log(v)"]\nboundary: ["u = 0", "v = 0"]\n'
        'initial: ["u = 3", "v = 0"]\n'
    )
    assert all(math.isfinite(scale) and scale > 0.0 for scale in Family(load_problem(text)).scales)
