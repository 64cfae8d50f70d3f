"""Problems, good and bad, on which the limits of the verdict are chosen and tried: `verdicts.py`.

Each has an exact solution or a reference made without pinnkan. Some are textbook problems, some were
published by others, and half were invented to go wrong: too few points or steps, wrong networks, kinks,
layers, resonance, high wave numbers, data that contradict each other, large and small units.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import verdict_references as truth

Truth = Callable[[np.ndarray], np.ndarray] | truth.Table

SQUARE = "coordinates: [x, y]\ndomain: {shape: box, x: [0, 1], y: [0, 1]}\nunknowns: u\n"
DISK = "coordinates: [x, y]\ndomain: {shape: disk, center: [0, 0], radius: 1}\nunknowns: u\n"
BALL = "coordinates: [x, y, z]\ndomain: {shape: ball, center: [0, 0, 0], radius: 1}\nunknowns: u\n"
LINE = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\n"
CASES = Path(__file__).resolve().parent.parent / "cases"


def ode(end: float) -> str:
    """Return the head of a problem of one unknown over 0 < x < end."""
    return f"coordinates: [x]\ndomain: {{shape: interval, x: [0, {end:g}]}}\nunknowns: u\n"


def moving(end: float, low: float = 0.0, high: float = 1.0) -> str:
    """Return the head of a problem in time and one length."""
    return (
        f"coordinates: [x]\ntime: {{t: [0, {end:g}]}}\n"
        f"domain: {{shape: interval, x: [{low:g}, {high:g}]}}\nunknowns: u\n"
    )


@dataclass(frozen=True)
class Case:
    """A problem, how it is trained, and what is right.

    Attributes:
        text: The problem file.
        settings: ``--set`` texts.
        truth: Right values at points (N, D), or a table of them; None where the file has ``exact``.
    """

    text: str
    settings: tuple[str, ...] = ()
    truth: Truth | None = None


def settings(
    width: int = 8, points: int = 1100, steps: int = 30, functions: int = 8, **more: object
) -> tuple[str, ...]:
    """Return ``--set`` texts; ``basis``, ``optimizer``, ``boundary``, ``rate`` by their names."""
    places = {"basis": "network.basis", "optimizer": "training.optimizer", "rate": "training.rate"}
    counts = {"points.boundary": more.pop("boundary", 100), "points.initial": more.pop("initial", 100)}
    return (
        f"network.hidden=[{width}, {width}]",
        f"network.functions={functions}",
        f"points.interior={points}",
        f"training.steps={steps}",
        *(f"{name}={value}" for name, value in counts.items()),
        *(f"{places.get(name, name)}={value}" for name, value in more.items()),
    )


GAUSS = "source: 10*exp(-20*((x-0.6)^2 + (y-0.5)^2))\n"
U0 = 'boundary: ["u = 0"]\n'
UE = 'boundary: ["u = exact"]\n'
MADE = "source: manufactured\n"
SINES = "exact: sin(pi*x)*sin(pi*y)\n"


def equation(text: str) -> str:
    """Return the line of an equation."""
    return f'equations: ["{text}"]\n'


POISSON = SQUARE + SINES + MADE + equation("-laplace(u) = source") + U0
HEAT = (
    moving(1)
    + "exact: exp(-0.2*pi^2*t)*sin(pi*x)\n"
    + equation("u_t = 0.2*u_xx")
    + U0
    + 'initial: ["u = sin(pi*x)"]\n'
)
HEAT2 = (
    moving(1)
    + "exact: exp(-0.2*pi^2*t)*sin(pi*x) + exp(-1.8*pi^2*t)*sin(3*pi*x)/2\n"
    + equation("u_t = 0.2*u_xx")
    + U0
    + 'initial: ["u = sin(pi*x) + sin(3*pi*x)/2"]\n'
)
RATIONAL = SQUARE + "exact: 1/(1 + x + y^2)\n" + MADE + equation("-laplace(u) + u^3 = source") + UE
ROBIN = (
    SQUARE
    + "exact: exp(x)*cos(2*y)\n"
    + MADE
    + equation("-laplace(u) + u = source")
    + 'boundary: [{on: [left, right], equation: u = exact}, {on: bottom, equation: "dn(u) = 0"},'
    + ' {on: top, equation: "dn(u) + u = exp(x)*(cos(2) - 2*sin(2))"}]\n'
)
WIDE = SQUARE.replace("x: [0, 1]", "x: [0, 2]")
REACTION_ROBIN = (
    WIDE
    + GAUSS
    + equation("-laplace(u) + u = source")
    + "boundary: [{on: [left, right], equation: u = 0}, {on: [bottom, top], equation: dn(u) + 2*u = 0}]\n"
)
BURGERS = moving(1, -1, 1) + equation("u_t + u*u_x = {nu}*u_xx") + U0 + 'initial: ["u = -sin(pi*x)"]\n'
WAVE = (
    moving(1)
    + "exact: sin(pi*x)*cos(pi*t) + sin({k}*pi*x)*cos({k}*pi*t)/2\n"
    + equation("u_tt = u_xx")
    + U0
    + 'initial: ["u = sin(pi*x) + sin({k}*pi*x)/2", "u_t = 0"]\n'
)
ADVECTION = (
    moving(1)
    + "exact: sin({k}*pi*(x - {c}*t))\n"
    + equation("u_t + {c}*u_x = 0")
    + 'boundary: [{{on: left, equation: "u = exact"}}]\n'.replace("{{", "{").replace("}}", "}")
    + 'initial: ["u = exact"]\n'
)
PLANE = SQUARE + "exact: cos({k}*(cos(pi/6)*x + sin(pi/6)*y))\n" + equation("laplace(u) + {k}^2*u = 0") + UE
LAYER = (
    ode(1)
    + "exact: (exp((x - 1)/{e}) - exp(-1/{e}))/(1 - exp(-1/{e}))\n"
    + equation("-{e}*u_xx + u_x = 0")
    + ("boundary: [{on: left, equation: u = 0}, {on: right, equation: u = 1}]\n")
)
LOGISTIC = (
    ode(5)
    + "exact: {K}/(1 + 4*exp(-x))\n"
    + equation("u_x = u*(1 - u/{K})")
    + ('boundary: [{on: left, equation: "u = 0.2*{K}"}]\n')
)
PENDULUM = (
    ode(0).replace("[0, 0]", "[0, {T}]")
    + equation("u_xx + sin(u) = 0")
    + ("boundary: [{on: left, equation: u = 2}, {on: left, equation: u_x = 0}]\n")
)
VANDERPOL = (
    ode(0).replace("[0, 0]", "[0, {T}]")
    + equation("u_xx - {mu}*(1 - u^2)*u_x + u = 0")
    + ("boundary: [{on: left, equation: u = 2}, {on: left, equation: u_x = 0}]\n")
)
RESONANT = SQUARE + equation("-laplace(u) - {k2}*u = exp(-20*((x-0.4)^2 + (y-0.5)^2))") + U0
TENT = 'initial: ["u = min(2*x, 2*(1 - x))"]\n'


def put(text: str, **values: object) -> str:
    """Fill in names in braces, and leave YAML's own braces alone."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", str(value))
    return text


SMALL, FEW, HURRIED = settings(8, 400, 40), settings(32, 150, 30), settings(8, 800, 3)
LINEAR = settings(6, 200, 40)

CASES_TABLE: dict[str, Case] = {
    # Textbook problems, as they should be trained.
    "poisson": Case(POISSON, settings()),
    "poisson_disk": Case(
        DISK + "exact: exp(x)*cos(2*y)\n" + MADE + equation("-laplace(u) = source") + UE, settings()
    ),
    "poisson_ball": Case(
        BALL + "exact: x*y + z^3\n" + MADE + equation("-laplace(u) = source") + UE, settings(8)
    ),
    "laplace_polynomial": Case(
        SQUARE + "exact: x^3 - 3*x*y^2\n" + equation("laplace(u) = 0") + UE, settings(8, 800)
    ),
    "rational": Case(RATIONAL, settings()),
    "robin": Case(ROBIN, settings()),
    "diffusion_variable": Case(
        SQUARE + SINES + MADE + equation("-div((1 + x*y)*grad(u)) = source") + U0, settings()
    ),
    "convection": Case(
        SQUARE + SINES + MADE + equation("-0.1*laplace(u) + u_x + 2*u_y = source") + U0, settings()
    ),
    "heat": Case(HEAT, settings()),
    "heat_two_modes": Case(HEAT2, settings(8, 1100, 50)),
    "wave": Case(put(WAVE, k=2), settings(8, 1100, 50)),
    "advection": Case(put(ADVECTION, k=1, c=0.5), settings(8, 1000)),
    "plane_wave_3": Case(put(PLANE, k=3), settings()),
    "burgers": Case(put(BURGERS, nu=0.1), settings(10, 1600, 30), truth.burgers(0.1)),
    "klein_gordon": Case(
        moving(1)
        + "exact: x*cos(t)\n"
        + MADE
        + equation("u_tt - u_xx + u^2 = source")
        + UE
        + 'initial: ["u = x", "u_t = 0"]\n',
        settings(8, 1000),
    ),
    "fisher_wave": Case(
        moving(1, -2, 2)
        + "exact: 1/(1 + exp((x - 5*t/sqrt(6))/sqrt(6)))^2\n"
        + equation("u_t = u_xx + u*(1 - u)")
        + UE
        + 'initial: ["u = exact"]\n',
        settings(),
    ),
    "decay": Case(
        ode(5) + "exact: exp(-x)\n" + equation("u_x = -u") + "boundary: [{on: left, equation: u = 1}]\n",
        LINEAR,
    ),
    "logistic": Case(put(LOGISTIC, K=1), LINEAR),
    "pendulum": Case(put(PENDULUM, T=4), settings(6, 300, 60), truth.pendulum(4.0)),
    "beam_string": Case(LINE + "exact: sin(pi*x) + x\n" + MADE + equation("-u_xx + u = source") + UE, LINEAR),
    "fin": Case(
        LINE
        + "exact: cosh(2*(1 - x))/cosh(2)\n"
        + equation("u_xx = 4*u")
        + "boundary: [{on: left, equation: u = 1}, {on: right, equation: u_x = 0}]\n",
        LINEAR,
    ),
    "constant": Case(
        SQUARE
        + "exact: 25 + 0*x\n"
        + equation("laplace(u) = 0")
        + "boundary: [{on: left, equation: u = 25}, {on: [right, bottom, top], equation: dn(u) = 0}]\n",
        settings(8, 800),
    ),
    "allen_cahn_ode": Case(
        ode(2)
        + "exact: 1/sqrt(1 + 3*exp(-2*x))\n"
        + equation("u_x = u - u^3")
        + 'boundary: [{on: left, equation: "u = 1/2"}]\n',
        LINEAR,
    ),
    # Rough sources: a large pointwise residual with a small error.
    "rough_disk": Case(
        DISK
        + "definitions: {r: sqrt(x^2 + y^2)}\nexact: sin(pi/2*max(1 - r, 0)^2.5)\n"
        + MADE
        + equation("-div((1 + r^2/2)*grad(u)) + dot(grad(u), grad(u)) = source")
        + UE,
        settings(10, 1600, 20),
    ),
    "jump_source": Case(
        LINE
        + "exact: where(x < 0.5, 3*x/8 - x^2/2, (1 - x)/8)\n"
        + equation("-u_xx = where(x < 0.5, 1, 0)")
        + U0,
        settings(8, 800, 30),
    ),
    "kink_source": Case(
        LINE
        + "exact: x*(1 - x) + abs(x - 0.4)^3 - (1 - x)*0.064 - x*0.216\n"
        + MADE
        + equation("-u_xx = source")
        + U0,
        settings(8, 800, 30),
    ),
    # Published problems.
    "reaction_robin": Case(REACTION_ROBIN, settings(10, 1600, 30), truth.table(CASES / "reaction_robin.csv")),
    "cubic_piecewise": Case(
        SQUARE + equation("-laplace(u) + u^3 = where(x < 0.5 and y < 0.5, 20, 0)") + U0,
        settings(10, 1600, 20),
        truth.table(CASES / "cubic_piecewise.csv"),
    ),
    "plucked_string": Case(
        moving(1) + equation("u_tt = u_xx") + U0 + TENT.replace('"]', '", "u_t = 0"]'),
        settings(8, 1100, 30),
        truth.plucked,
    ),
    "tent_start": Case(moving(0.2) + equation("u_t = u_xx") + U0 + TENT, settings(), truth.tent_start),
    "step_start": Case(
        moving(0.2)
        + equation("u_t = u_xx")
        + "boundary: [{on: left, equation: u = 1}, {on: right, equation: u = 0}]\n"
        + 'initial: ["u = where(x < 0.5, 1, 0)"]\n',
        settings(),
        truth.step_start,
    ),
    "step_start_soft": Case(
        moving(0.2)
        + equation("u_t = u_xx")
        + "boundary: [{on: left, equation: u = 1}, {on: right, equation: u = 0}]\n"
        + 'initial: [{equation: "u = where(x < 0.5, 1, 0)", hard: false}]\n',
        settings(),
        truth.step_start,
    ),
    "tent_start_soft": Case(
        moving(0.2)
        + equation("u_t = u_xx")
        + U0
        + 'initial: [{equation: "u = min(2*x, 2*(1 - x))", hard: false}]\n',
        settings(),
        truth.tent_start,
    ),
    "switched_wall": Case(
        moving(2)
        + equation("u_t = 0.5*u_xx")
        + 'boundary: [{on: left, equation: "u = where(t < 1, 0, 1)"}, {on: right, equation: u_x = 0}]\n'
        + 'initial: ["u = 0"]\n',
        settings(),
        truth.table(CASES / "switched_wall.csv"),
    ),
    "tent_side": Case(
        SQUARE
        + equation("laplace(u) = 0")
        + 'boundary: [{on: bottom, equation: "u = min(2*x, 2*(1 - x))"},'
        + " {on: [left, right, top], equation: u = 0}]\n",
        settings(),
        truth.tent_side,
    ),
    "robin_start": Case(
        moving(2, 0, 5)
        + equation("u_t = u_xx + t")
        + "boundary: [{on: left, equation: dn(u) + 2*u = 25}, {on: right, equation: dn(u) + 8*u = 25}]\n"
        + 'initial: ["u = 25"]\n',
        settings(),
        truth.table(CASES / "robin_start.csv"),
    ),
    "radiating_fin": Case(
        ode(0.1)
        + equation("0.04*u_xx = 2*4.536e-8*(u^4 - 300^4)")
        + "boundary: [{on: left, equation: u = 1000},"
        + ' {on: right, equation: "-20*u_x = 4.536e-8*(u^4 - 300^4)"}]\n',
        LINEAR,
        truth.table(CASES / "radiating_fin.csv"),
    ),
    # Too few points.
    "poisson_few": Case(POISSON, FEW),
    "rational_few": Case(RATIONAL, settings(32, 60, 30)),
    "reaction_robin_few": Case(
        REACTION_ROBIN, settings(32, 300, 30, boundary=30), truth.table(CASES / "reaction_robin.csv")
    ),
    "heat_few": Case(HEAT2, settings(24, 80, 40)),
    "burgers_few": Case(put(BURGERS, nu=0.05), settings(24, 150, 30), truth.burgers(0.05)),
    "wave_few": Case(put(WAVE, k=2), settings(24, 100, 40)),
    "gauss_few": Case(put(RESONANT, k2=4), settings(32, 100, 30), truth.resonant(4.0)),
    "pendulum_few": Case(put(PENDULUM, T=8), settings(16, 12, 60), truth.pendulum(8.0)),
    # Too few steps.
    "poisson_hurried": Case(POISSON, HURRIED),
    "heat_hurried": Case(HEAT2, HURRIED),
    "burgers_hurried": Case(put(BURGERS, nu=0.1), settings(8, 800, 8), truth.burgers(0.1)),
    "advection_hurried": Case(put(ADVECTION, k=2, c=1), HURRIED),
    "plane_wave_hurried": Case(put(PLANE, k=6), settings(8, 800, 6)),
    "poisson_adam": Case(POISSON, settings(8, 500, 300, optimizer="adam", rate=1e-2)),
    "rational_adam": Case(RATIONAL, settings(8, 500, 60, optimizer="adam", rate=1e-4)),
    # Wrong networks.
    "burgers_narrow": Case(put(BURGERS, nu=0.05), settings(2, 800, 40), truth.burgers(0.05)),
    "plane_wave_narrow": Case(put(PLANE, k=6), settings(3, 800, 40, functions=4)),
    "two_functions": Case(HEAT2, settings(8, 800, 40, functions=2)),
    "three_functions": Case(RATIONAL, settings(4, 800, 40, functions=3)),
    # Resonance, high wave numbers, long times.
    "gauss": Case(put(RESONANT, k2=4), settings(8, 1100, 30), truth.resonant(4.0)),
    "resonance_near": Case(put(RESONANT, k2=19.5), settings(8, 1100, 30), truth.resonant(19.5)),
    "resonance_at": Case(put(RESONANT, k2=19.7392), settings(8, 1100, 30), truth.resonant(19.7392)),
    "resonance_few": Case(put(RESONANT, k2=19.5), settings(16, 150, 30), truth.resonant(19.5)),
    "resonance_high": Case(put(RESONANT, k2=250), settings(8, 1100, 30), truth.resonant(250.0)),
    "plane_wave_12": Case(put(PLANE, k=12), settings(8, 1100, 30)),
    "plane_wave_30": Case(put(PLANE, k=30), settings(8, 1100, 30)),
    "wave_modes": Case(put(WAVE, k=4), settings(8, 1100, 30)),
    "wave_long": Case(put(WAVE, k=2).replace("t: [0, 1]", "t: [0, 6]"), settings(8, 1100, 30)),
    "advection_fast": Case(put(ADVECTION, k=4, c=3), settings(8, 1100, 30)),
    "growth": Case(
        moving(3)
        + "exact: exp(2*t)*sin(pi*x)\n"
        + equation("u_t = u_xx + (pi^2 + 2)*u")
        + U0
        + 'initial: ["u = sin(pi*x)"]\n',
        settings(),
    ),
    "pendulum_long": Case(put(PENDULUM, T=30), settings(6, 300, 60), truth.pendulum(30.0)),
    "vanderpol": Case(put(VANDERPOL, T=6, mu=1), settings(8, 500, 80), truth.vanderpol(6.0, 1.0)),
    "vanderpol_stiff": Case(put(VANDERPOL, T=12, mu=5), settings(8, 500, 60), truth.vanderpol(12.0, 5.0)),
    # Layers.
    "layer_wide": Case(put(LAYER, e=0.05), settings(8, 500, 40)),
    "layer": Case(put(LAYER, e=0.01), settings(8, 500, 40)),
    "layer_thin": Case(put(LAYER, e=0.001), settings(8, 500, 40)),
    "layer_two": Case(
        SQUARE + equation("-0.0001*laplace(u) + u = 1") + U0,
        settings(8, 1100, 30),
        truth.reaction_layer(1e-4),
    ),
    "burgers_sharp": Case(put(BURGERS, nu=0.005), settings(8, 1100, 30), truth.burgers(0.005)),
    "interior_front": Case(
        LINE + "exact: tanh((x - 0.5)/0.005)\n" + MADE + equation("-u_xx + u = source") + UE,
        settings(8, 400, 40),
    ),
    "peak_missed": Case(
        SQUARE
        + "exact: sin(pi*x)*sin(pi*y) + 5*exp(-40000*((x-0.313)^2 + (y-0.717)^2))\n"
        + MADE
        + equation("-laplace(u) = source")
        + UE,
        settings(8, 1000, 30),
    ),
    # Data that contradict each other, or the equation.
    "cold_wall": Case(
        moving(0.5) + equation("u_t = u_xx") + U0 + 'initial: ["u = 1"]\n', settings(), truth.cold_wall
    ),
    "lid": Case(
        SQUARE
        + equation("laplace(u) = 0")
        + "boundary: [{on: top, equation: u = 1}, {on: [left, right, bottom], equation: u = 0}]\n",
        settings(),
        truth.lid,
    ),
    "flux_and_value": Case(
        LINE
        + "exact: x + 0\n"
        + equation("u_xx = 0")
        + "boundary: [{on: left, equation: u = 0}, {on: right, equation: u = 1},"
        + " {on: right, equation: u_x = 3}]\n",
        LINEAR,
    ),
    # Units.
    "logistic_1000": Case(put(LOGISTIC, K=1000), LINEAR),
    "logistic_nano": Case(put(LOGISTIC, K="1e-9"), LINEAR),
    "poisson_giga": Case(POISSON.replace("exact: ", "exact: 1e9*"), settings()),
    "heat_hot": Case(
        moving(1)
        + "exact: 300 + 20*exp(-0.2*pi^2*t)*sin(pi*x)\n"
        + equation("u_t = 0.2*u_xx")
        + 'boundary: ["u = 300"]\n'
        + 'initial: ["u = 300 + 20*sin(pi*x)"]\n',
        settings(),
    ),
    "diffusion_hour": Case(
        moving(3600, 0, 0.001)
        + "exact: exp(-1e-9*(pi/0.001)^2*t)*sin(pi*x/0.001)\n"
        + equation("u_t = 1e-9*u_xx")
        + U0
        + 'initial: ["u = sin(pi*x/0.001)"]\n',
        settings(),
    ),
    "nano_source": Case(LINE + "exact: 1e-9*sin(3*pi*x)\n" + MADE + equation("-u_xx = source") + U0, LINEAR),
}
