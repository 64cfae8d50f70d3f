"""Families that no file ships, with references of their own: what a reduced basis is judged by.

Every reference is accurate to 1e-7 or better of its largest value: sine series on the square, a Chebyshev
method in space with an adaptive method in time on the interval.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.polynomial import chebyshev, legendre
from scipy.integrate import solve_ivp

HELMHOLTZ = """
title: Helmholtz equation with a fixed Gaussian source
coordinates: [x, y]
domain: {shape: box, x: [0, 1], y: [0, 1]}
unknowns: u
family:
  k: {base: 2.5, range: [1, 4]}
equations:
  - laplace(u) + k^2*u = -exp(-((x - 0.4)^2 + (y - 0.55)^2)/0.02)
boundary:
  - u = 0
network: {hidden: [64, 64], basis: chebyshev, functions: 8}
points: {interior: 1600, held_out: 1000}
training:
  phases:
    - {points: 900, steps: 14}
    - {form: lotra, points: 2500, steps: 10}
finetuning:
  phases:
    - {points: 2500, steps: 12}
"""

REACTION = """
title: Logistic growth with diffusion on an interval
coordinates: [x]
time: {t: [0, 1]}
domain: {shape: interval, x: [0, 1]}
unknowns: u
family:
  rho: {base: 3, range: [0, 6]}
equations:
  - u_t = 0.02*u_xx + rho*u*(1 - u)
boundary:
  - u = 0
initial:
  - u = sin(pi*x)/2
network: {hidden: [64, 64], basis: chebyshev, functions: 8}
points: {interior: 2000, held_out: 1000}
training:
  phases:
    - {points: 1200, steps: 16}
    - {form: lotra, points: 3000, steps: 10}
finetuning:
  phases:
    - {points: 3000, steps: 12}
"""

_MODES = 96


@lru_cache(maxsize=1)
def _source_modes() -> np.ndarray:
    """Return the double sine coefficients of the Gaussian source, (modes, modes), by Gauss quadrature."""
    nodes, weights = legendre.leggauss(400)
    x, w = 0.5 * (nodes + 1), 0.5 * weights
    sines = np.sin(np.pi * np.outer(np.arange(1, _MODES + 1), x)) * w
    return 4 * np.outer(sines @ np.exp(-((x - 0.4) ** 2) / 0.02), sines @ np.exp(-((x - 0.55) ** 2) / 0.02))


def helmholtz(points: np.ndarray, k: float) -> np.ndarray:
    """Return u of ``HELMHOLTZ`` at points (N, 2): sum of f_mn / (pi^2 (m^2 + n^2) - k^2) sin sin."""
    orders = np.arange(1, _MODES + 1)
    squares = np.pi**2 * (orders[:, None] ** 2 + orders[None, :] ** 2)
    modes = _source_modes() / (squares - k**2)
    left, right = (np.sin(np.pi * np.outer(column, orders)) for column in points.T)
    found: np.ndarray = np.einsum("nm,mk,nk->n", left, modes, right)
    return found


def reaction(points: np.ndarray, rho: float, *, degree: int = 48) -> np.ndarray:
    """Return u of ``REACTION`` at points (N, 2) = (t, x): Chebyshev collocation, then BDF to 1e-10."""
    nodes = np.cos(np.pi * np.arange(degree + 1) / degree)
    x = 0.5 * (nodes + 1)
    vandermonde = chebyshev.chebvander(nodes, degree)
    second = chebyshev.chebder(np.eye(degree + 1), 2, axis=0)
    curve = chebyshev.chebvander(nodes, degree - 2) @ second * 4 @ np.linalg.inv(vandermonde)
    inner = slice(1, degree)

    def rate(_t: float, u: np.ndarray) -> np.ndarray:
        found: np.ndarray = 0.02 * curve[inner, inner] @ u + rho * u * (1 - u)
        return found

    times, back = np.unique(points[:, 0], return_inverse=True)
    start = 0.5 * np.sin(np.pi * x[inner])
    solved = solve_ivp(rate, (0, 1), start, "BDF", dense_output=True, rtol=1e-9, atol=1e-11)
    whole = np.zeros((degree + 1, len(times)))
    whole[inner] = solved.sol(times)
    coefficients = np.linalg.solve(vandermonde, whole)
    rows = chebyshev.chebvander(2 * points[:, 1] - 1, degree)
    found: np.ndarray = np.einsum("nk,kn->n", rows, coefficients[:, back.ravel()])
    return found
