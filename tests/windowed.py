"""Solutions in time windows with random networks: what holds for them holds whatever training does."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from pinnkan.language.problem import load_problem
from pinnkan.language.problem.windows import window_ends
from pinnkan.physics.family import Family
from pinnkan.physics.windows.window import window_of
from pinnkan.solutions.solution import Solution
from pinnkan.solutions.windows import WindowedSolution
from pinnkan.training import network_for

NETWORK = "network: {hidden: [4, 4], functions: 5}\n"
TEXTS: Mapping[str, str] = {
    "periodic transport": """
coordinates: x
time: {t: [0, 1], windows: 4}
domain: {shape: interval, x: [-1, 1], periodic: x}
unknowns: u
equations: u_t + u_x + 0.1*u_xxx = 0
initial: u = sin(pi*x)
""",
    "diffusion with moving walls": """
coordinates: x
time: {t: [1, 3], windows: [1.5, 2.75]}
domain: {shape: interval, x: [0, 2]}
unknowns: u
equations: u_t = u_xx
boundary: [{on: left, equation: u = t^2}, {on: right, equation: u = 1 + 3*cos(t - 1)}]
initial: u = 1 + 1.5*x
""",
    "relaxation, graded in time": """
coordinates: x
time: {t: [0, 50], windows: 2}
domain: {shape: interval, x: [0, 1]}
unknowns: u
equations: u_t = u_xx
boundary: u = 0
initial: u = sin(pi*x)
""",
    "waves": """
coordinates: x
time: {t: [0, 2], windows: 3}
domain: {shape: interval, x: [0, 1]}
unknowns: u
equations: u_tt = 4*u_xx
boundary: u = 0
initial: [u = sin(pi*x), u_t = x*(1 - x)]
""",
    "soft initial data": """
coordinates: [x, y]
time: {t: [0, 1], windows: 2}
domain: {shape: disk, center: [0, 0], radius: 1}
unknowns: u
equations: u_t = laplace(u)
boundary: u = 0
initial: [{equation: u = 1 - x^2 - y^2, hard: false}]
""",
    "a system with a pressure": """
coordinates: [x, y]
time: {t: [0, 1], windows: 2}
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: [u, v, p]
equations: [u_t + p_x = laplace(u), v_t + p_y = laplace(v), u_x + v_y = 0]
boundary: [u = 0, v = 0]
initial: [u = 0, v = 0]
constraints: [mean(p) = 0]
""",
    "growth": """
time: {t: [0, 1], windows: 3}
unknowns: u
equations: u_t = 2*u
initial: u = 1
""",
    "decay": """
time: {t: [0, 1], windows: 3}
unknowns: u
equations: u_t = -2*u
initial: u = 1
scales: {t: 1}
""",
    "ordinary differential equations": """
time: {t: [0, 4], windows: 3}
unknowns: [a, b]
equations: [a_t = b, b_t = -a]
initial: [a = 1, b = 0]
""",
}


def random_solution(name: str, *, seed: int = 0, size: float = 3.0) -> WindowedSolution:
    """Return a solution in the windows of a text with random coefficients."""
    problem = load_problem(TEXTS[name].lstrip() + NETWORK)
    whole, generator = Family(problem).at(), torch.Generator().manual_seed(seed)
    ends, windows = window_ends(problem, whole.values), []
    for number, end in enumerate(ends[1:]):
        instance = window_of(whole, ends[number], end, windows[-1] if windows else None)
        network = network_for(instance, problem.settings.network)
        windows.append(Solution(instance, network, [size * c for c in network.initial(generator)]))
    return WindowedSolution(whole, tuple(windows))
