"""What a step of a system of three equations costs beside that of one equation.

    python tests/benchmarks/system_step.py

The same network (2-12-12, one output an unknown) on the same points; a step is what Levenberg-Marquardt
does once: residuals, Jacobian, J^T J and its factorisation. Best CPU seconds of seven, one thread, the two
in turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import torch

from pinnkan.language.problem import load_problem
from pinnkan.networks.adapters.layerwise import Full
from pinnkan.networks.adapters.parameters import Parametrisation
from pinnkan.physics.family import Family
from pinnkan.physics.residuals.least_squares import NetworkLeastSquares
from pinnkan.physics.residuals.training_sets import training_sets
from pinnkan.training.network import network_for

HEAD = """
coordinates: [x, y]
domain: {shape: box, x: [-0.5, 1], y: [-0.5, 1.5]}
network: {hidden: [12, 12]}
points: {interior: 3000}
"""
ONE = (
    HEAD
    + """
unknowns: u
equations: ["u*u_x + u*u_y = laplace(u)/40"]
boundary: ["u = cos(2*pi*y)"]
"""
)
THREE = (
    HEAD
    + """
unknowns: [u, v, p]
equations:
  - u*u_x + v*u_y + p_x = laplace(u)/40
  - u*v_x + v*v_y + p_y = laplace(v)/40
  - u_x + v_y = 0
boundary: ["u = cos(2*pi*y)", "v = sin(2*pi*y)"]
"""
)
REPEATS = 7


def step_of(text: str) -> tuple[Callable[[], None], str]:
    """Return a step of a problem, and its size in words."""
    instance = Family(load_problem(text, name="step")).at()
    settings = instance.problem.settings
    network = network_for(instance, settings.network)
    coefficients = network.initial(torch.Generator().manual_seed(0))
    layers = [Full(c) for c in coefficients]
    parameters = Parametrisation(layers)
    sets = training_sets(instance, settings.points, seed=0, variant=0)
    problem = NetworkLeastSquares(network, parameters, sets)
    theta = parameters.start()

    def step() -> None:
        problem.residuals(theta)
        gram = problem.linearise(theta).gram()
        gram.diagonal().add_(gram.diagonal().mean())
        torch.linalg.cholesky(gram)

    return step, f"{problem.count} residuals, {problem.size} numbers"


def main() -> None:
    """Time both and print the ratio."""
    torch.set_num_threads(1)
    steps = {name: step_of(text) for name, text in (("one equation", ONE), ("three equations", THREE))}
    best = dict.fromkeys(steps, float("inf"))
    for _ in range(REPEATS):
        for name, (step, _) in steps.items():
            begun = time.process_time()
            step()
            best[name] = min(best[name], time.process_time() - begun)
    for name, (_, size) in steps.items():
        print(f"{name:16s} {best[name]:.3f} s  {size}")
    print(f"ratio            {best['three equations'] / best['one equation']:.2f}")


if __name__ == "__main__":
    main()
