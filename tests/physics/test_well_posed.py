"""Whether a problem is one: what is refused, what is warned of, and where the tests hold their tongue."""

# ruff: noqa: E501  (tables of messages)

from __future__ import annotations

import pytest

from pinnkan.ground.errors import ProblemError
from pinnkan.language.problem import load_problem, shipped_problems
from pinnkan.physics.check import check_problem
from pinnkan.physics.family import Family
from pinnkan.physics.wellposed import examine, require_well_posed

LINE = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
SQUARE = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1]}\nunknowns: u\n"
DISK = "coordinates: [x, y]\ndomain: {shape: disk, center: [0, 0], radius: 1}\nunknowns: u\n"
BALL = "coordinates: [x, y, z]\ndomain: {shape: ball, center: [0, 0, 0], radius: 2}\nunknowns: u\n"
TIME = "time: {t: [0, 1]}\n"
RING = (
    "coordinates: [x]\ntime: {t: [0, 1]}\nunknowns: u\n"
    "domain: {shape: interval, x: [0, 6.283185307179586], periodic: x}\n"
)


def problem(head: str, equation: str, boundary: str = "", initial: str = "", more: str = "") -> str:
    lines = [head, more, f'equations: ["{equation}"]\n']
    lines += [f"boundary: [{boundary}]\n"] if boundary else []
    lines += [f"initial: [{initial}]\n"] if initial else []
    return "".join(lines)


def on(part: str, equation: str) -> str:
    return f'{{on: {part}, equation: "{equation}"}}'


PLATE = "u = 0, dn(u) = 0"
KDV = f"u = 0, {on('right', 'u_x = 0')}"

REFUSED = {
    "a fourth derivative of the wrong sign": (
        problem(LINE + TIME, "u_t = u_xxxx", PLATE, "u = x^2*(1 - x)^2"),
        "solved for u_t, minus the fourth derivative along x has the factor -1",
    ),
    "a beam of negative stiffness": (
        problem(LINE + TIME, "u_tt = 2*u_xxxx", PLATE, "u = 0, u_t = 0"),
        "solved for u_tt, minus the fourth derivative along x has the factor -2",
    ),
    "a biharmonic flow backwards": (
        problem(SQUARE + TIME, "u_t = biharmonic(u) + laplace(u)", PLATE, "u = 0"),
        "minus the fourth derivative along ",
    ),
    "backward heat behind dispersion": (
        problem(LINE + TIME, "u_t = u_xxx - u_xx", f"u = 0, {on('left', 'u_x = 0')}", "u = 0"),
        "the second derivative along x has the factor -1",
    ),
    # id: (problem, message)
    "backward heat": (
        problem(LINE + TIME, "u_t = -0.1*u_xx", "u = 0", "u = sin(pi*x)"),
        "equation[0]: not well posed forward in t: solved for u_t, the second derivative along x has the factor -0.1 at t = ",
    ),
    "backward heat, turned": (problem(LINE + TIME, "-2*u_t = u_xx", "u = 0", "u = sin(pi*x)"), "has the factor -0.5"),
    "Black-Scholes from the initial side": (
        problem(LINE + TIME, "u_t + 0.02*x^2*u_xx + 0.05*x*u_x - 0.05*u = 0", "u = 0", "u = x*(1 - x)"),
        "tau = T - t: there u_t = -u_tau",
    ),
    "a factor that changes sign": (
        problem(LINE + TIME, "u_t = (x - 0.2)*u_xx", "u = 0", "u = sin(pi*x)"),
        "the second derivative along x has the factor -0.19",
    ),
    "a saddle in two dimensions": (
        problem(SQUARE + TIME, "u_t = u_xx - u_yy", "u = 0", "u = 0"),
        "the second derivative along y has the factor -1 ",
    ),
    "a narrow cone of bad directions": (
        problem(SQUARE + TIME, "u_t = u_xx + 2.1*u_xy + u_yy", "u = 0", "u = 0"),
        "the second derivative along (0.707, -0.707) has the factor -0.05",
    ),
    "backward on the disk": (problem(DISK + TIME, "u_t = -laplace(u)", "u = 0", "u = 0"), "has the factor -1 "),
    "nonlinear and backward at every u": (
        problem(LINE + TIME, "u_t = -(1 + u^2)*u_xx + u", "u = 0", "u = sin(pi*x)"),
        "the second derivative along x has a negative factor",
    ),
    "backward at the initial data": (
        problem(LINE + TIME, "u_t = dx((u - 0.5)*u_x)", "u = 1", "u = 1 - 0.9*sin(pi*x)"),
        "the second derivative along x has the factor -0.4 at t = 0, x = ",
    ),
    "backward at soft initial data, turned": (
        problem(LINE + TIME, "-2*u_t = dx((0.5 - u)*u_x)", "u = 1", '{equation: "3*u = 3 - 2.7*sin(pi*x)", hard: false}'),
        "by the initial data; it must be positive",
    ),
    "backward where the data are steep": (
        problem(LINE + TIME, "u_t = dx(u_x/(1 + u_x^2))", "u = 0", "u = sin(pi*x)"),
        "the second derivative along x has the factor -0.125 at t = 0",
    ),
    "elliptic at the initial data": (
        problem(LINE + TIME, "u_tt = (u_t + 1)*u_xx", "u = 0", '"u = sin(pi*x)", "u_t = -2*sin(pi*x)"'),
        "the second derivative along x has the factor -1 at t = 0, x = ",
    ),
    "elliptic in space-time": (
        problem(LINE + TIME, "u_tt = -u_xx", "u = 0", '"u = sin(pi*x)", "u_t = 0"'),
        "An elliptic equation has no time: name t under coordinates",
    ),
    "elliptic with a mixed derivative": (
        problem(LINE + TIME, "u_tt + u_tx + u_xx = 0", "u = 0", '"u = sin(pi*x)", "u_t = 0"'),
        "solved for u_tt, the second derivative along x has the factor -0.75",
    ),
    "Neumann, no flux for a source": (
        problem(SQUARE, "-laplace(u) = 1", "dn(u) = 0"),
        "equation[0]: no solution: where only derivatives of u are prescribed, the source must balance the flux, but their integrals together give -1 in place of 0 (of their size: -1); add 1 to the left side",
    ),
    "Neumann, no source for a flux": (problem(DISK, "laplace(u) = 0", "dn(u) = x^2"), "together give 3.142 in place of 0"),
    "Neumann with a coefficient": (
        problem(SQUARE, "div((1 + x)*grad(u)) = 0", f"{on('[left, bottom, top]', 'dn(u) = 0')}, {on('right', 'dn(u) = 1')}"),
        "together give 2 in place of 0",
    ),
    "Neumann by plain derivatives": (problem(LINE, "u_xx = 1", f"{on('left', 'u_x = 0')}, {on('right', 'u_x = 2')}"), "together give 1 in place of 0"),
    "Neumann, anisotropic": (
        problem(SQUARE, "2*u_xx + u_yy = 1", f"{on('[left, right]', '3*u_x = 0')}, {on('[bottom, top]', 'u_y = 3*y')}"),
        "together give 2 in place of 0",
    ),
}  # fmt: skip

WARNED = {
    "a plate with one condition": (
        problem(SQUARE, "biharmonic(u) = 1", "u = 0"),
        "is of fourth order in x and takes four conditions on x- and x+ together; 2 are given",
    ),
    "a plate with three": (
        problem(SQUARE, "biharmonic(u) = 1", "u = 0, dn(u) = 0, laplace(u) = 0"),
        "takes four conditions on x- and x+ together; 6 are given",
    ),
    "a round plate with one condition": (
        problem(DISK, "biharmonic(u) = 1", "u = 0"),
        "is of fourth order in space and takes two conditions on the boundary; given are 1 on circle",
    ),
    "a beam with three on one end": (
        problem(
            LINE + TIME,
            "u_tt = -u_xxxx",
            f"u = 0, {on('left', 'u_x = 0')}, {on('left', 'u_xx = 0')}",
            "u = 0, u_t = 0",
        ),
        "takes two conditions on each of x-, x+; given are 3 on x-, 1 on x+",
    ),
    "a static beam with three": (
        problem(LINE, "u_xxxx = 1", f"u = 0, {on('left', 'u_x = 0')}"),
        "takes four conditions on x- and x+ together; 3 are given",
    ),
    "Korteweg and de Vries with two": (
        problem(LINE + TIME, "u_t + u*u_x + u_xxx = 0", "u = 0", "u = 0"),
        "is of third order in x and takes three conditions on x- and x+ together; 2 are given",
    ),
    "Korteweg and de Vries, mirrored": (
        problem(LINE + TIME, "u_t + u*u_x + u_xxx = 0", f"u = 0, {on('left', 'u_x = 0')}", "u = 0"),
        "takes one on x- and two on x+, by the sign of that derivative's factor; 2 and 1 are given",
    ),
    "a beam that buckles": (
        problem(LINE, "u_xxxx + pi^2*u_xx = 1", "u = 0, u_xx = 0"),
        "nearly singular: ",
    ),
    "a plate at its first resonance": (
        problem(SQUARE, "biharmonic(u) - 4*pi^4*u = 1", "u = 0, laplace(u) = 0"),
        "nearly singular: ",
    ),
    "nothing fixes the constant": (
        problem(SQUARE, "-laplace(u) = cos(pi*x)*cos(pi*y)", "dn(u) = 0"),
        "nothing fixes the constant: only derivatives of u occur",
    ),
    "nor in time": (
        problem(LINE + TIME, "u_t = u_xx", "u_x = 0", "u_x = 0"),
        "prescribe the value of u on a part of the boundary",
    ),
    "two equations for one unknown": (
        SQUARE + 'equations: ["laplace(u) = 0", "u_x = u_y"]\nboundary: ["u = x + y"]\n',
        "2 equations for one unknown",
    ),
    "no condition": (
        problem(SQUARE, "laplace(u) = u"),
        "no condition at all: the equation has many solutions",
    ),
    "no condition on a line": (problem(LINE, "u_x = -u"), "no condition at all"),
    "a side without a condition": (
        problem(SQUARE, "laplace(u) = u", on("[left, right, top]", "u = 1")),
        "no boundary condition on the side y-",
    ),
    "a third initial condition": (
        problem(LINE + TIME, "u_t = u_xx", "u = 0", '"u = sin(pi*x)", "u_t = 0"'),
        "the equation is of order 1 in time, 2 initial conditions are given",
    ),
    "Cauchy data": (
        problem(
            SQUARE,
            "laplace(u) = 0",
            f"{on('[left, right]', 'u = 0')}, {on('bottom', 'u = sin(pi*x)')}, {on('bottom', 'dn(u) = 0')}",
        ),
        "boundary[1] and boundary[2] both hold on y- (Cauchy data): no solution meets two conditions on one side in general, and where one does, errors in the data grow without bound; one of them belongs on y+, which has none",
    ),
    "the heat equation read sideways": (
        problem(LINE + TIME, "u_t = u_xx", f"{on('left', 'u = 0')}, {on('left', 'u_x = 1')}", "u = x"),
        "one of them belongs on x+, which has none",
    ),
    "two conditions on a circle": (
        problem(DISK, "laplace(u) = 1", '"u = 0", "dn(u) = 1/2"'),
        "drop one, or name its sides by 'on'",
    ),
    "the wave equation without time": (
        problem(SQUARE, "u_xx = 4*u_yy", "u = 0"),
        "equation[0] is hyperbolic: values on the whole boundary determine no solution",
    ),
    "a mixed derivative alone": (problem(SQUARE, "u_xy = 1", "u = 0"), "equation[0] is hyperbolic: "),
    "Tricomi's equation": (problem(DISK, "y*u_xx + u_yy = 0", "u = 1"), "equation[0] is hyperbolic at x = "),
    "the heat equation without time": (
        problem(SQUARE, "u_y = u_xx", "u = 0"),
        "equation[0] is of first order in y, with conditions at both its ends",
    ),
    "transport, nothing at the inflow": (
        problem(LINE + TIME, "u_t + u_x = 0", on("right", "u = 0"), "u = sin(pi*x)"),
        "no condition on x-, where characteristics of equation[0] enter (t = ",
    ),
    "transport, a value at the outflow": (
        problem(LINE + TIME, "3*u_t + u_x + u = 0", "u = 0", "u = sin(pi*x)"),
        "a condition on x+, where characteristics of equation[0] leave (t = ",
    ),
    "transport to the left": (
        problem(LINE + TIME, "u_t = u_x", on("left", "u = 0"), "u = sin(pi*x)"),
        "no condition on x+, where characteristics of equation[0] enter",
    ),
    "stationary transport, all around": (
        problem(SQUARE, "u_x + 2*u_y = 1", "u = 0"),
        "a condition on x+, where characteristics of equation[0] leave (x = 1",
    ),
    "stationary transport, one side of two": (
        problem(SQUARE, "u_x + 2*u_y = 1", on("left", "u = 0")),
        "no condition on y-, where characteristics of equation[0] enter",
    ),
    "growth prescribed at both ends": (problem(LINE, "u_x = u", "u = 1"), "a condition on x+, where"),
    "a nonlinear wave that moves right": (
        problem(LINE + TIME, "u_t + (1 + u^2)*u_x = 0", on("right", "u = 0"), "u = sin(pi*x)"),
        "no condition on x-",
    ),
    "Robin against the initial value": (
        problem(LINE + TIME, "u_t = u_xx + t", "dn(u) + 2*u = 25", "u = 25"),
        "initial and boundary data do not meet: initial[0] misses boundary[0] by 0.33 of the size of its terms at t = 0, x = ",
    ),
    "a flux switched on": (
        problem(DISK + TIME, "u_t = laplace(u)", "dn(u) = 1", "u = 0"),
        "initial[0] misses boundary[0] by 1 of the size of its terms at t = 0",
    ),
    "radiation against the initial value": (
        problem(LINE + TIME, "u_t = u_xx", "dn(u) = 1 - u^4", "u = 2"),
        "initial[0] misses boundary[0] by ",
    ),
    "Neumann against the rate": (
        problem(LINE + TIME, "u_tt = u_xx", "dn(u) = 0", '"u = cos(pi*x)", "u_t = x"'),
        "initial[1] misses boundary[0] by 0.5 of the size of its terms",
    ),
    "in tiny units": (
        problem(LINE + TIME, "u_t = u_xx", "dn(u) = 1e-12", "u = 1e-12*x*(1 - x)"),
        "initial[0] misses boundary[0] by ",
    ),
    "Neumann against Dirichlet at a corner": (
        problem(
            SQUARE, "laplace(u) = u", f"{on('[left, right, top]', 'u = 0')}, {on('bottom', 'dn(u) = 1')}"
        ),
        "boundary data do not meet: boundary[0] misses boundary[1] by 1 of the size of its terms where x- and y- meet (x = 0, y = 0)",
    ),
    "Robin against Dirichlet at an edge": (
        problem(
            SQUARE + TIME,
            "u_t = laplace(u)",
            f"{on('left', 'u = t + y^2')}, {on('[right, bottom, top]', 'dn(u) + u = t')}",
            "u = 0",
        ),
        "boundary[0] misses boundary[1] by ",
    ),
    "Helmholtz at the first resonance of the square": (
        problem(SQUARE, "laplace(u) + 2*pi^2*u = x", "u = 0"),
        "nearly singular: with zero data, equation[0] is close to having solutions of its own (smallest singular value ",
    ),
    "at a double one, in other units": (
        problem(SQUARE, "1e-6*(laplace(u) + 5*pi^2*u) = 1", "1e9*u = 1"),
        "nearly singular: ",
    ),
    "near it": (problem(SQUARE, "laplace(u) + 4.44^2*u = 1", "u = 0"), "nearly singular: "),
    "on a line": (problem(LINE, "u_xx + pi^2*u = 1", "u = 0"), "nearly singular: "),
    "on a line, ten half waves": (problem(LINE, "u_xx + 31.416^2*u = x", "u = 0"), "nearly singular: "),
    "on a line, 25 half waves": (problem(LINE, "u_xx + 78.54^2*u = x", "u = 0"), "nearly singular: "),
    "on a line, Neumann": (problem(LINE, "u_xx + 4*pi^2*u = 1", "dn(u) = 0"), "nearly singular: "),
    "on the disk": (problem(DISK, "laplace(u) + 2.404825557695773^2*u = 1", "u = 0"), "nearly singular: "),
    "in the ball": (problem(BALL, "laplace(u) + (pi/2)^2*u = 1", "u = 1"), "nearly singular: "),
    "on the boundary": (problem(DISK, "laplace(u) = 1", "dn(u) = 2*u"), "nearly singular: "),
    "on the boundary, by planes": (
        problem(DISK, "laplace(u) = 1", "dn(u) = u"),
        "the solution is fixed only up to (u + c1*x), (u + c2*y)",
    ),
}

GOOD = {
    "a clamped plate": problem(SQUARE, "biharmonic(u) = 1", PLATE),
    "a clamped plate in its plane under shear": problem(SQUARE, "biharmonic(u) + u_xx - u_yy = 1", PLATE),
    "a supported plate": problem(SQUARE, "biharmonic(u) = 1", "u = 0, laplace(u) = 0"),
    "a round plate": problem(DISK, "biharmonic(u) = 1", PLATE),
    "a cantilever": problem(
        LINE,
        "u_xxxx = 1",
        ", ".join(
            on(*pair)
            for pair in [
                ("left", "u = 0"),
                ("left", "u_x = 0"),
                ("right", "u_xx = 0"),
                ("right", "u_xxx = 0"),
            ]
        ),
    ),
    "a fourth-order equation from one end": problem(
        LINE, "u_xxxx = u", ", ".join(on("left", f"{u} = 1") for u in ("u", "u_x", "u_xx", "u_xxx"))
    ),
    "a beam": problem(LINE + TIME, "u_tt = -u_xxxx", "u = 0, u_xx = 0", "u = sin(pi*x), u_t = 0"),
    "a beam with rotary inertia": problem(
        LINE + TIME, "u_tt - 0.1*u_ttxx + u_xxxx = 0", "u = 0, u_xx = 0", "u = sin(pi*x), u_t = 0"
    ),
    "a film": problem(LINE + TIME, "u_t = -dx(u^3*u_xxx)", "dn(u) = 0, u_xxx = 0", "u = 1 + cos(pi*x)/10"),
    "Kuramoto and Sivashinsky": problem(
        LINE + TIME, "u_t + u*u_x + u_xx + u_xxxx = 0", PLATE, "u = x^2*(1 - x)^2"
    ),
    "Cahn and Hilliard": problem(
        LINE + TIME, "u_t = laplace(u^3 - u - 0.01*u_xx)", "dn(u) = 0, u_xxx = 0", "u = cos(pi*x)/10"
    ),
    "Korteweg and de Vries": problem(LINE + TIME, "u_t + u*u_x + u_xxx = 0", KDV, "u = x^2*(1 - x)^2"),
    "Korteweg and de Vries, to the left": problem(
        LINE + TIME, "u_t = u*u_x + u_xxx", f"u = 0, {on('left', 'u_x = 0')}", "u = x^2*(1 - x)^2"
    ),
    "a pseudoparabolic equation": problem(LINE + TIME, "u_t - u_txx = u_xx", "u = 0", "u = sin(pi*x)"),
    "a beam below buckling": problem(LINE, "u_xxxx + 0.5*pi^2*u_xx = 1", "u = 0, u_xx = 0"),
    "Neumann, balanced": problem(SQUARE, "-laplace(u) + u = 1", "dn(u) = 0"),
    "advection-diffusion": problem(SQUARE, "-0.01*laplace(u) + u_x + 2*u_y = 1", "u = 0"),
    "a damped wave with a mixed derivative": problem(
        LINE + TIME, "u_tt + u_tx + u_t = u_xx", "u = 0", '"u = sin(pi*x)", "u_t = 0"'
    ),
    "a degenerate diffusion": problem(
        LINE + TIME, "u_t = x*u_xx + u_x", f"{on('right', 'u = 0')}, {on('left', 'u_t = u_x')}", "u = 1 - x"
    ),
    "transport through a square": problem(
        SQUARE + TIME, "u_t + u_x + y*u_y = 0", on("left", "u = 0"), "u = 0"
    ),
    "stationary transport, read backwards": problem(LINE, "u_x = -3*u", on("right", "u = 1")),
    "a turning flow": problem(DISK + TIME, "u_t - y*u_x + x*u_y = 0", "", "u = x"),
    "Burgers without viscosity": problem(LINE + TIME, "u_t + u*u_x = 0", on("left", "u = 1"), "u = 1"),
    "an oscillator": problem(LINE, "u_xx = -25*u", f"{on('left', 'u = 1')}, {on('left', 'u_x = 0')}"),
    "the wave equation, space named x and y": problem(
        SQUARE,
        "u_xx = u_yy",
        f"{on('[left, right]', 'u = 0')}, {on('bottom', 'u = 0')}, {on('bottom', 'u_y = sin(pi*x)')}",
    ),
    "Robin": problem(BALL, "-laplace(u) + u = 1", "dn(u) + 2*u = 1"),
    "mixed": problem(
        SQUARE,
        "-div((1 + x*y)*grad(u)) = 1",
        f"{on('[left, right]', 'u = 0')}, {on('[bottom, top]', 'dn(u) = 0')}",
    ),
    "a minimal surface": problem(DISK, "div(grad(u)/sqrt(1 + dot(grad(u), grad(u)))) = 0", "u = x*y"),
    "a price in the time left": problem(
        LINE + TIME, "u_t = 0.02*x^2*u_xx + 0.05*x*u_x - 0.05*u", on("right", "u = 1"), "u = x"
    ),
    "Robin that meets the start": problem(LINE + TIME, "u_t = u_xx", "dn(u) + 2*u = 50", "u = 25"),
    "insulation, after a cosine": problem(
        LINE + TIME, "u_t = 1e-9*u_xx", "dn(u) = 0", "u = 300 + 1e-3*cos(7*pi*x)"
    ),
    "Robin sides and Dirichlet sides": problem(
        SQUARE,
        "-laplace(u) + u = 1",
        f"{on('[left, right]', 'u = 0')}, {on('[bottom, top]', 'dn(u) + 2*u = 0')}",
    ),
    "the flux of a plane": problem(
        SQUARE,
        "laplace(u) = 0",
        f"{on('[left, right]', 'u = x + 3*y')}, {on('bottom', 'dn(u) = -3')}, {on('top', 'dn(u) = 3')}",
    ),
    "short waves between resonances": problem(LINE, "u_xx + 33^2*u = x", "u = 0"),
    "shorter ones": problem(LINE, "u_xx + 80^2*u = x", "u = 0"),
    "Helmholtz between resonances": problem(SQUARE, "laplace(u) + 30*u = x", "u = 0"),
    "Helmholtz, many waves": problem(SQUARE, "laplace(u) + 2000*u = x", "u = 0"),
    "a soliton's equation on a ring": problem(RING, "u_t + 6*u*u_x + u_xxx = 0", "", "u = sin(x)"),
    "waves that grow and are damped on a ring": problem(
        RING, "u_t + u*u_x + u_xx + u_xxxx/2 = 0", "", "u = sin(x)"
    ),
    "growth by e^50": problem(LINE, "u_x = 50*u", on("left", "u = 1")),
    "a layer": problem(LINE, "-0.001*u_xx + u_x = 1", "u = 0"),
    "reaction and advection": problem(BALL, "-laplace(u) + u_x + 3*u = 1", "u = 0"),
    "porous medium, from nothing but for rounding": problem(
        LINE + TIME, "u_t = div(u*grad(u))", '"u = max(x - 0.5, 0) - 1e-6"', '"u = max(x - 0.5, 0) - 1e-6"'
    ),
    "backward diffusion where the data are not": problem(
        LINE + TIME, "u_t = dx((u - 0.5)*u_x)", "u = 1", "u = 1 - 0.4*sin(pi*x)"
    ),
    "gentle slopes": problem(LINE + TIME, "u_t = dx(u_x/(1 + u_x^2))", "u = 0", "u = 0.3*sin(pi*x)"),
    "porous medium": problem(LINE + TIME, "u_t = div(u*grad(u))", "u = 1", "u = 1 + x*(1 - x)"),
}


def findings(text: str) -> list[str]:
    return [f"{finding.severity}: {finding.message}" for finding in examine(Family(load_problem(text)).at())]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_problem_is_refused(name):
    text, message = REFUSED[name]
    refused = [line for line in findings(text) if line.startswith("refusal: ")]
    assert len(refused) == 1
    assert message in refused[0]
    with pytest.raises(ProblemError, match="error: equation"):
        require_well_posed(Family(load_problem(text)).at())


@pytest.mark.parametrize("name", WARNED)
def test_what_may_fail_is_said(name):
    text, message = WARNED[name]
    spoken = findings(text)
    assert [line for line in spoken if message in line], spoken
    assert all(line.startswith("warning: ") for line in spoken)
    require_well_posed(Family(load_problem(text)).at())


@pytest.mark.parametrize("name", [*shipped_problems(), *GOOD])
def test_good_problems_are_passed_in_silence(name):
    assert findings(GOOD.get(name, name)) == []


def test_an_end_of_the_range_that_is_no_problem_is_an_error_of_the_family():
    text = problem(
        LINE + TIME, "u_t = c*u_xx", "u = 0", "u = sin(pi*x)", "family: {c: {base: 1, range: [-1, 2]}}\n"
    )
    (finding,) = check_problem(Family(load_problem(text))).findings
    assert finding.severity == "error"
    assert finding.message.startswith("at c=-1: equation[0]: not well posed forward in t")
