"""The references of families without a formula hold their equations and conditions."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent / "benchmarks"))
from reduced_families import HELMHOLTZ, REACTION, helmholtz, reaction

from pinnkan.language.problem import load_problem
from pinnkan.physics.family import Family


@pytest.mark.parametrize("k", [1.0, 2.5, 4.0])
def test_helmholtz_series(k):
    """Central differences of fourth order see the equation; the boundary is zero."""
    rng, h = np.random.default_rng(0), 0.01
    points = rng.uniform(0.1, 0.9, (50, 2))
    at = {s: [helmholtz(points + s * h * e, k) for e in np.eye(2)] for s in (-2, -1, 1, 2)}
    u = helmholtz(points, k)
    laplacian = sum(
        (-at[-2][i] + 16 * at[-1][i] - 30 * u + 16 * at[1][i] - at[2][i]) / (12 * h * h) for i in range(2)
    )
    source = -np.exp(-((points[:, 0] - 0.4) ** 2 + (points[:, 1] - 0.55) ** 2) / 0.02)
    assert np.abs(laplacian + k * k * u - source).max() < 1e-3
    edge = np.stack([np.zeros(9), np.linspace(0, 1, 9)], axis=1)
    assert np.abs(helmholtz(edge, k)).max() < 1e-12
    assert Family(load_problem(HELMHOLTZ)).at({"k": k}).values == {"k": k}


@pytest.mark.parametrize("rho", [0.0, 6.0])
def test_reaction(rho):
    points = np.random.default_rng(0).uniform(0, 1, (200, 2))
    u = reaction(points, rho)
    assert np.abs(u - reaction(points, rho, degree=32)).max() < 1e-7
    if rho == 0:
        exact = 0.5 * np.exp(-0.02 * np.pi**2 * points[:, 0]) * np.sin(np.pi * points[:, 1])
        assert np.abs(u - exact).max() < 1e-8
    assert Family(load_problem(REACTION)).at({"rho": rho}).values == {"rho": rho}
