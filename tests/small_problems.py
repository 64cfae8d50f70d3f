"""Small problems with known solutions, and runs on them, for the tests of training."""

from __future__ import annotations

from typing import Any

import torch

from pinnkan.ground.progress import Silent
from pinnkan.language.problem import Problem, load_problem
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training import TrainingTask, generator_for, network_for
from pinnkan.training.task import Arithmetic, Audience

TEXTS = {
    # u'' with hard ends; the family shifts the solution
    "poisson": """
coordinates: [x]
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {lambda: {base: 0, range: [0, 2]}}
exact: sin(pi*x) + lambda*x*(1 - x)
source: manufactured
equations: ["-u_xx + u*u_x = source"]
boundary: [u = 0]
network: {hidden: [8], functions: 8}
points: {interior: 40, held_out: 37}
training: {steps: 30, precision: full}
finetuning: {steps: 20, precision: full}
""",
    # soft conditions on three sets with different channels
    "heat": """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
family: {kappa: {base: 0.2, range: [0.05, 1]}}
exact: exp(-kappa*(pi/2)^2*t) * sin(pi/2*x)
equations: [u_t = kappa*u_xx]
boundary:
  - {on: left, equation: u = 0, hard: false}
  - {on: right, equation: dn(u) = 0, weight: 10, name: insulation}
initial:
  - {equation: u = sin(pi/2*x), hard: false}
network: {hidden: [10, 10], functions: 5}
points: {interior: 100, boundary: 12, initial: 12, held_out: 60}
training: {steps: 25, precision: full}
finetuning: {steps: 10, precision: full}
""",
    # a nonlinear equation with a collapsed Laplacian and a hard circle
    "disk": """
coordinates: [x, y]
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
family: {lambda: {base: 0, range: [0, 2]}}
exact: cos(pi/2*(x^2 + y^2)) + lambda*x*y
source: manufactured
equations: ["-laplace(u) + dot(grad(u), grad(u)) + u^3 = source"]
boundary: [u = exact]
network: {hidden: [6, 6], functions: 4}
points: {interior: 40, boundary: 10, held_out: 30}
training: {steps: 5}
finetuning: {steps: 5}
""",
    # a mixed derivative, and second ones that do not collapse
    "mixed": """
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [-1, 1]}
unknowns: u
exact: sin(x + 2*y)
source: manufactured
equations: ["u_xx + u*u_xy - x*u_yy = source"]
boundary: [{equation: u = exact, hard: false}]
network: {hidden: [5, 4], basis: fourier, functions: 4}
points: {interior: 20, boundary: 12, held_out: 15}
training: {steps: 5}
""",
    # two unknowns that share points, one condition hard and the others soft, with more points than numbers
    "system": """
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [-1, 2]}
unknowns: [u, v]
family: {a: {base: 0.5, range: [0, 1]}}
exact: {u: exp(-t)*sin(x), v: a*x + cos(t)}
source: manufactured
equations: ["u_t - u_xx + u*v_x = source", "v_t + v*u_x - 3*v_xx = source"]
boundary:
  - {equation: "u = exp(-t)*sin(x)", hard: false}
  - {equation: "v_x + u = a + exp(-t)*sin(x)"}
initial: [{equation: u = sin(x), hard: false}, v = a*x + 1]
network: {hidden: [5, 5], functions: 4}
points: {interior: 80, boundary: 10, initial: 10, held_out: 20}
training: {steps: 5}
""",
    # two unknowns with collapsed Laplacians, and fewer points than numbers
    "large system": """
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [-1, 1]}
unknowns: [u, v]
exact: {u: sin(x + 2*y), v: x*y}
source: manufactured
equations: ["laplace(u) - v^2 = source", "laplace(v) + 2*u*u_x = source"]
boundary: [u = sin(x + 2*y), {equation: v = x*y, hard: false}]
network: {hidden: [8, 9], functions: 5}
points: {interior: 14, boundary: 4, held_out: 12}
training: {steps: 5}
""",
}


def problem(name: str, *overrides: str, **replaced: str) -> Problem:
    """Load a problem of the table; ``replaced`` exchanges whole lines by their first word."""
    text = TEXTS[name]
    for key, line in replaced.items():
        text = "\n".join(line if row.startswith(f"{key}:") else row for row in text.splitlines())
    return load_problem(text, overrides=overrides)


def run_of(
    name: str | Problem, *overrides: str, seed: int = 0, at: dict[str, float] | None = None, **more: Any
) -> TrainingTask:
    """Put a problem of the table, or a loaded one, into the circumstances of a training."""
    loaded = problem(name, *overrides) if isinstance(name, str) else name
    arithmetic = Arithmetic(torch.device("cpu"), more.pop("dtype", torch.float64))
    audience = Audience(more.pop("observer", Silent()), "test", more.pop("error", None))
    return TrainingTask(Family(loaded).at(at or {}), loaded.settings, seed, arithmetic, audience, **more)


def start_of(run: TrainingTask):
    """Return network, starting coefficients and training sets of a run."""
    network = network_for(run.instance, run.settings.network)
    coefficients = network.initial(generator_for(run.seed, "coefficients"))
    sets = training_sets(run.instance, run.settings.points, seed=run.seed, variant=0)
    return network, coefficients, sets
