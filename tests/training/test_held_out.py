"""The held-out residual sees what happens between the training points."""

from __future__ import annotations

import numpy as np
import pytest
from small_problems import run_of

from pinnkan.language.problem import load_problem
from pinnkan.solutions.solution import Solution
from pinnkan.training import pretrain

SHAPES = {
    "interval": "coordinates: [x]\ndomain: {shape: interval, x: [0, 2]}",
    "box": "coordinates: [x, y]\ndomain: {shape: box, x: [0, 2], y: [0, 1]}",
    "disk": "coordinates: [x, y]\ndomain: {shape: disk, radius: 1}",
    "time": "coordinates: [x]\ntime: {t: [0, 1]}\ndomain: {shape: interval, x: [0, 2]}",
}
REST = """
unknowns: u
equations: ["{left} = 10*exp(-20*(x - 0.6)^2)"]
boundary: [u = 0]
network: {{hidden: [24, 24], functions: 8}}
points: {{interior: {points}, held_out: {points}}}
training: {{steps: 15, keep: last, form: full}}
"""


@pytest.mark.parametrize("name", SHAPES)
def test_an_overfitted_network_is_seen_as_one(name: str) -> None:
    """Far more numbers than residuals: the training residual says nothing, the held-out one the truth."""
    text = SHAPES[name] + REST.format(
        left="u_t - u_xx" if name == "time" else "-laplace(u)", points=14 if name == "interval" else 200
    )
    run = run_of(load_problem(text + ("initial: [u = 0]\n" if name == "time" else "")))
    trained = pretrain(run)
    solution = Solution(run.instance, trained.network, trained.coefficients())
    points = run.instance.domain.uniform(4000, 99)
    (equation,) = run.instance.equations
    true = (
        float(np.sqrt(np.mean(solution.residual(equation, points) ** 2))) / run.instance.sizes[equation.name]
    )
    assert trained.rms.training < 0.2 * true
    assert trained.rms.held_out == pytest.approx(true, rel=0.5)
