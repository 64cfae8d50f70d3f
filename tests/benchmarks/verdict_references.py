"""Right answers to the problems of `verdict_problems` that no formula of a problem file says."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import reference_solutions

Truth = Callable[[np.ndarray], np.ndarray]


def burgers(viscosity: float) -> Truth:
    """Burgers' equation from -sin(pi x), by Cole and Hopf."""
    return lambda points: reference_solutions.burgers(points[:, 0], points[:, 1], viscosity)


@dataclass(frozen=True)
class Table:
    """Right values at points of their own.

    Attributes:
        points: (N, D).
        values: (N,).
    """

    points: np.ndarray
    values: np.ndarray


def table(path: Path) -> Table:
    """Read a CSV file: a column for each coordinate, and the unknown."""
    with path.open(newline="", encoding="utf-8") as file:
        _, *rows = csv.reader(file)
    values = np.array(rows, dtype=float)
    return Table(values[:, :-1], values[:, -1])


def ordinary(end: float, right: Callable[[float, np.ndarray], list[float]]) -> Truth:
    @cache
    def solution() -> Any:
        options: dict[str, Any] = {"rtol": 1e-11, "atol": 1e-12, "dense_output": True, "method": "DOP853"}
        return solve_ivp(right, (0.0, end), [2.0, 0.0], **options).sol

    return lambda points: np.asarray(solution()(points[:, 0])[0])


def pendulum(end: float) -> Truth:
    """u'' + sin u = 0 from rest at 2."""
    return ordinary(end, lambda _, u: [u[1], -math.sin(u[0])])


def vanderpol(end: float, mu: float) -> Truth:
    """u'' - mu (1 - u^2) u' + u = 0 from rest at 2."""
    return ordinary(end, lambda _, u: [u[1], mu * (1 - u[0] ** 2) * u[1] - u[0]])


def _tent_coefficient(n: int) -> float:
    return 8 * math.sin(n * math.pi / 2) / (n * math.pi) ** 2


def plucked(points: np.ndarray) -> np.ndarray:
    """A string plucked in the middle: d'Alembert."""
    t, x = points.T

    def odd(place: np.ndarray) -> np.ndarray:
        folded = np.mod(place + 1, 2) - 1
        return np.sign(folded) * np.minimum(2 * np.abs(folded), 2 * (1 - np.abs(folded)))

    return np.asarray((odd(x - t) + odd(x + t)) / 2)


def tent_start(points: np.ndarray) -> np.ndarray:
    """Heat equation from a tent: its Fourier series."""
    t, x = points.T
    return sum(
        _tent_coefficient(n) * np.exp(-((n * np.pi) ** 2) * t) * np.sin(n * np.pi * x)
        for n in range(1, 400, 2)
    )


def step_start(points: np.ndarray) -> np.ndarray:
    """Heat equation from a step between walls at 1 and 0: its Fourier series about 1 - x."""
    t, x = points.T
    terms = (
        2 / (n * np.pi) * -math.cos(n * math.pi / 2) * np.exp(-((n * np.pi) ** 2) * t) * np.sin(n * np.pi * x)
        for n in range(2, 2000, 2)
    )
    return np.asarray(1 - x + sum(terms))


def tent_side(points: np.ndarray) -> np.ndarray:
    """Laplace's equation with a tent on the bottom: its Fourier series."""
    x, y = points.T
    total = np.zeros(len(x))
    for n in range(1, 400, 2):
        k = n * np.pi
        decay = np.exp(-k * y) * (1 - np.exp(-2 * k * (1 - y))) / (1 - math.exp(-2 * k))
        total += _tent_coefficient(n) * np.sin(k * x) * decay
    return total


def lid(points: np.ndarray) -> np.ndarray:
    """Laplace's equation with 1 on the top and 0 on the other sides: its Fourier series."""
    x, y = points.T
    total = np.zeros(len(x))
    for n in range(1, 1200, 2):
        k = n * np.pi
        rise = np.exp(-k * (1 - y)) * (1 - np.exp(-2 * k * y)) / (1 - math.exp(-2 * k))
        total += 4 / k * np.sin(k * x) * rise
    return total


def cold_wall(points: np.ndarray) -> np.ndarray:
    """Heat equation from 1 between walls at 0: its Fourier series."""
    t, x = points.T
    return sum(
        4 / (n * np.pi) * np.exp(-((n * np.pi) ** 2) * t) * np.sin(n * np.pi * x) for n in range(1, 1000, 2)
    )


def _modes(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sin(n pi x) on Gauss points of (0, 1), (count, Q), and the weights."""
    nodes, weights = np.polynomial.legendre.leggauss(400)
    x, weights = (nodes + 1) / 2, weights / 2
    return np.sin(np.pi * np.outer(np.arange(1, count + 1), x)), np.stack([x, weights])


def resonant(k2: float) -> Truth:
    """-laplace(u) - k2 u = a Gaussian about (0.4, 0.5), u = 0 on the unit square: its sine series."""
    count = 60
    sines, (x, weights) = _modes(count)
    along = [2 * sines @ (weights * np.exp(-20 * (x - centre) ** 2)) for centre in (0.4, 0.5)]
    n = np.arange(1, count + 1)
    eigenvalues = np.pi**2 * (n[:, None] ** 2 + n[None, :] ** 2) - k2
    coefficients = np.outer(*along) / eigenvalues

    def values(points: np.ndarray) -> np.ndarray:
        first, second = (np.sin(np.pi * np.outer(points[:, axis], n)) for axis in (0, 1))
        return np.einsum("nk,kl,nl->n", first, coefficients, second, optimize=True)

    return values


def reaction_layer(diffusion: float) -> Truth:
    """-d laplace(u) + u = 1, u = 0 on the unit square: a series in y of exact solutions in x."""

    def values(points: np.ndarray) -> np.ndarray:
        x, y = points.T
        total = np.zeros(len(x))
        for n in range(1, 4000, 2):
            k = math.sqrt((n * math.pi) ** 2 + 1 / diffusion)
            ends = np.exp(-k * x) + np.exp(-k * (1 - x))
            part = (1 - ends / (1 + math.exp(-k))) / (k * k * diffusion)
            total += 4 / (n * math.pi) * part * np.sin(n * math.pi * y)
        return total

    return values
