"""Files without a word on network, points or training, solved and judged by what training never sees.

The plain run solves two on an interval with a stated width, to which the rest is matched; the slow one all
twenty of `tests/benchmarks/default_recipe.py`, each within its limit.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import pinnkan
from pinnkan.ground.machine import Compute
from pinnkan.ground.progress import Silent
from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family
from pinnkan.sweeps.options import TrainingOptions
from pinnkan.workflows.pretrain import pretrain

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "benchmarks"))
from default_recipe import TABLE, solve

INTERVAL = "coordinates: [x]\ndomain: {shape: interval, x: [0, 1]}\nunknowns: u\nnetwork: {hidden: [8]}\n"


def bratu(x: np.ndarray) -> np.ndarray:
    slope = 1.5171645990507543
    return np.asarray(-2 * np.log(np.cosh((x - 0.5) * slope / 2) / np.cosh(slope / 4)))


def loaded(x: np.ndarray) -> np.ndarray:
    """Solve -u'' = 10 left of 0.3 and 0 right of it: a parabola, then a line to u(1) = 0."""
    return np.asarray(np.where(x < 0.3, 2.55 * x - 5 * x**2, 0.45 * (1 - x)))


@pytest.mark.parametrize(
    ("equation", "solution", "limit"),
    [("u_xx + exp(u) = 0", bratu, 1e-6), ("-u_xx = where(x < 0.3, 10, 0)", loaded, 1e-2)],
)
def test_a_small_one(equation, solution, limit, tmp_path):
    problem = load_problem(INTERVAL + f'equations: ["{equation}"]\nboundary: ["u = 0"]\n', name="small")
    options = TrainingOptions(seed=7, compute=Compute(dtype="float64", threads=1))
    result = pretrain(Family(problem), tmp_path, options, Silent())
    points = Family(problem).at().domain.uniform(2000, 3)
    psi, u = pinnkan.load(tmp_path).at()(points), solution(points[:, 0])
    error = float(np.linalg.norm(psi - u) / np.linalg.norm(u))
    print(f"{equation}: {error:.1e}, {result.report['steps']} steps, {result.report['stop_reason']}")
    assert result.report["stop_reason"] == "settled"
    assert error < limit


@pytest.mark.slow
@pytest.mark.parametrize("name", TABLE)
def test_one_of_the_twenty(name):
    row = solve(name, (), seed=7, keep=None)
    print(row)
    assert row["error"] <= TABLE[name].limit, row
